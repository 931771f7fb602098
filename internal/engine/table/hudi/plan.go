package hudi

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// plan is what a change comes to.
type plan struct {
	outputs []*output
	// replaced are the file groups that are no longer part of the table.
	replaced []group
	// gone counts the rows of the files that go.
	gone int64
}

// fits refuses changes that the format has no form for, before anything is read or written.
func (t *Table) fits(on *base, change *table.Change) error {
	switch {
	case !plainName(change.Checkpoint.Attempt):
		return errors.New("its checkpoint names no attempt")
	case len(change.AddDeletes) > 0:
		return errors.New("a table that is copied on write knows no deleted positions: use the format iceberg")
	case change.ReplaceAll && len(change.Remove) > 0:
		return errors.New("it replaces everything, and removes single files")
	case on.properties != nil && !equalFields(on.properties.fields(propertyPartition), columnsOf(change.Schema.Partition)):
		return fmt.Errorf("%w: Hudi never changes a table's partitions: set partition_by back, or land into a new target", table.ErrPartitioning)
	}
	seen, removed := map[string]bool{}, map[string]bool{}
	for _, key := range change.Remove {
		if removed[key] {
			return fmt.Errorf("it removes the file %s twice", key)
		}
		removed[key] = true
	}
	for i := range change.Add {
		f := &change.Add[i]
		switch {
		case !strings.HasPrefix(f.Key, t.staging(change.Checkpoint.Attempt)):
			return fmt.Errorf("the file %s does not lie in the folder of its attempt, %s", f.Key, t.staging(change.Checkpoint.Attempt))
		case seen[f.Key]:
			return fmt.Errorf("the file %s is added twice", f.Key)
		case len(f.Partition) != len(change.Schema.Partition):
			return fmt.Errorf("the file %s has %d partition values for %d fields: %w", f.Key, len(f.Partition), len(change.Schema.Partition), table.ErrPartitioning)
		case f.Replaces != "" && !removed[f.Replaces]:
			return fmt.Errorf("the file %s goes on with %s, which is not removed", f.Key, f.Replaces)
		}
		seen[f.Key] = true
	}
	for _, c := range change.Schema.Columns {
		if c.FieldID == 0 {
			return fmt.Errorf("the column %q has no field id: Prepare gives them", c.Name)
		}
	}
	return nil
}

func equalFields(a, b []string) bool { return strings.Join(a, ",") == strings.Join(b, ",") }

// plan decides which file group each file of a change belongs to.
func (t *Table) plan(ctx context.Context, head *table.Head, on *base, form pathForm, change *table.Change) (*plan, error) {
	on.mu.Lock()
	defer on.mu.Unlock()
	p := &plan{}
	if err := t.known(ctx, head, on, change); err != nil {
		return nil, err
	}
	// open are the groups whose rows go, and those that have none, by partition.
	open := map[string][]*slice{}
	prev := map[string]*slice{}
	if change.ReplaceAll {
		for g := range on.view.latest(on.timeline, on.replaced) {
			p.replaced = append(p.replaced, g)
		}
		p.gone = head.Rows
	}
	rows := map[string]int64{}
	for _, f := range on.files {
		rows[f.Key] = f.Rows
	}
	continued := map[string]bool{}
	for i := range change.Add {
		continued[change.Add[i].Replaces] = true
	}
	for _, key := range change.Remove {
		s := on.slices[key]
		if s == nil {
			return nil, fmt.Errorf("it removes the file %s, which the head does not hold", key)
		}
		p.gone += rows[key]
		if prev[key] = s; !continued[key] {
			open[s.partition] = append(open[s.partition], s)
		}
	}
	if !change.ReplaceAll {
		for _, s := range on.vacant {
			open[s.partition] = append(open[s.partition], s)
		}
	}
	for i := range change.Add {
		f := &change.Add[i]
		folder, err := form.path(f.Partition)
		if err != nil {
			return nil, fmt.Errorf("the file %s: %w", f.Key, err)
		}
		o := &output{staged: f, token: tokenOf(f.Key), prev: prev[f.Replaces]}
		if o.prev == nil && f.File.Rows > 0 && len(open[folder]) > 0 {
			o.prev, open[folder] = open[folder][0], open[folder][1:]
		}
		switch {
		case f.File.Rows == 0 && o.prev == nil:
			continue // nothing to show
		case o.prev == nil:
			id, err := uuid.NewV7() // so that a folder's files lie in the order in which their groups were made
			if err != nil {
				return nil, fmt.Errorf("naming a file group: %w", err)
			}
			o.group = group{folder, id.String() + "-0"}
		case o.prev.partition != folder:
			return nil, fmt.Errorf("the file %s of the partition %q goes on with a file group of %q", f.Key, folder, o.prev.partition)
		default:
			o.group, o.prevRows = group{folder, o.prev.fileID}, rows[t.o.Prefix+o.prev.key]
		}
		p.outputs = append(p.outputs, o)
	}
	for _, of := range open {
		for _, s := range of {
			if _, removed := rows[t.o.Prefix+s.key]; removed { // all others are empty as they are
				p.outputs = append(p.outputs, &output{prevRows: rows[t.o.Prefix+s.key], token: tokenOf(change.Checkpoint.Attempt + "/" + s.key), prev: s, group: group{s.partition, s.fileID}})
			}
		}
	}
	return p, nil
}

// known reads what of the head a change is about. What it adds alone needs nothing of it.
func (t *Table) known(ctx context.Context, head *table.Head, on *base, change *table.Change) error {
	switch {
	case len(change.Remove) > 0 || head.Rows < 0 && head.Exists:
		if err := t.load(ctx, head, on); err != nil {
			return err
		}
	case change.ReplaceAll:
		return t.list(ctx, on)
	}
	if head.Rows < 0 {
		head.Rows = 0
		for _, f := range on.files {
			head.Rows += f.Rows
		}
	}
	return nil
}

// tokenOf is the write token of a staged file: three numbers that no other attempt's file has.
func tokenOf(key string) string {
	sum := sha256.Sum256([]byte(key))
	n := func(at int) uint32 { return binary.BigEndian.Uint32(sum[at:]) >> 1 }
	return fmt.Sprintf("%d-%d-%d", n(0), n(4), n(8))
}
