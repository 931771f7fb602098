package hudi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"github.com/google/uuid"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// base is what a commit compares with, and what is known of it.
type base struct {
	// properties are nil where there is no table.
	properties properties
	timeline   *timeline
	// instant is the newest completed one of anyone.
	instant Instant
	// lastColumn is the highest field id that was ever given out.
	lastColumn int

	mu sync.Mutex // guards what follows
	// read says that the files are known: slices by their keys in the store.
	read   bool
	view   *view
	files  []table.StoredFile
	slices map[string]*slice
	// vacant are file groups without rows.
	vacant   []*slice
	replaced map[group]Instant
}

// Head implements table.Table. It first finishes what earlier attempts left behind: commits that were claimed, attempts that can
// commit no more, and the catalogue's entry where a commit has not come to it.
func (t *Table) Head(ctx context.Context) (*table.Head, error) {
	entry, err := t.entry(ctx)
	if err != nil {
		return nil, err
	}
	tl, err := t.recover(ctx)
	if err != nil {
		return nil, fmt.Errorf("recovering what earlier attempts left of %s: %w", t.name(), err)
	}
	if !tl.hasProperties && !tl.hasBackup {
		if entry != nil {
			return nil, t.foreign("is named by the Glue table, and there is no table (no %s): restore it, choose another name, or remove that entry", propertiesKey)
		}
		return &table.Head{TableID: uuid.NewString(), Base: &base{timeline: tl, instant: initial}}, nil
	}
	p, err := t.properties(ctx)
	if err != nil {
		return nil, err
	}
	if err := t.touchable(p, tl); err != nil {
		return nil, err
	}
	on := &base{properties: p, timeline: tl, instant: tl.head("")}
	head := &table.Head{TableID: t.tableID(p), Base: on, Rows: -1}
	if err := t.describe(ctx, head, on); err != nil {
		return nil, fmt.Errorf("reading the head of %s: %w", t.name(), err)
	}
	if head.Exists && head.Checkpoint == nil && p[propertyID] != "" {
		if head.Lost, err = t.lastKnown(ctx, tl); err != nil {
			return nil, fmt.Errorf("reading the head of %s: %w", t.name(), err)
		}
	}
	if head.Checkpoint != nil && (t.o.Source == "" || t.o.Source == head.Checkpoint.Table) && (entry == nil || entry.Parameters[syncedParameter] < head.CheckpointCommit) {
		if err := t.register(ctx, head, on); err != nil {
			return nil, fmt.Errorf("bringing the catalogue's entry of %s up to its newest commit: %w", t.name(), err)
		}
	}
	return head, nil
}

// entry is the catalogue's; nil where there is none. One that is another table's is refused.
func (t *Table) entry(ctx context.Context) (*catalog.Table, error) {
	entry, err := t.o.Catalog.Get(ctx, t.o.Database, t.o.Name)
	if errors.Is(err, catalog.ErrNotFound) {
		if err := t.o.Catalog.Database(ctx, t.o.Database); err != nil {
			return nil, fmt.Errorf("%w: create the database first; engine and provider never do", err)
		}
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return entry, t.ours(entry)
}

// properties reads hoodie.properties, or what it was where somebody was changing it (Hudi, HoodieTableConfig.fetchConfigs).
func (t *Table) properties(ctx context.Context) (properties, error) {
	for _, key := range []string{propertiesKey, backupKey} {
		data, err := t.read(ctx, key, maxProperties)
		if errors.Is(err, store.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("reading the properties of %s: %w", t.name(), err)
		}
		p, err := parseProperties(data)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w: restore it", t.o.Store.Address(t.o.Prefix+key), err)
		}
		return p, nil
	}
	return nil, fmt.Errorf("reading the properties of %s: %w", t.name(), store.ErrNotExist)
}

// describe completes the head by the newest commits: schema, rows, and the checkpoint.
func (t *Table) describe(ctx context.Context, head *table.Head, on *base) error {
	var newer [][]schema.Column // of others, newest first
	rows, counted := int64(0), true
	for _, a := range slices.Backward(on.timeline.actions) {
		if !a.completed || !writes(a.name) || a.instant == anchor {
			continue
		}
		c, err := t.readCommit(ctx, a)
		if err != nil {
			return err
		}
		if head.Commit == "" {
			head.Exists, head.Commit = true, string(a.instant)
		}
		cp, err := c.checkpoint()
		if err != nil {
			return fmt.Errorf("the instant %s: %w", a.instant, err)
		}
		if cp == nil {
			counted = counted && len(c.Stats) == 0 && len(c.Replaced) == 0
			if text := c.extra(extraSchema); text != "" {
				columns, err := parseAvro(text)
				if err != nil {
					return fmt.Errorf("the instant %s: %w", a.instant, err)
				}
				newer = append(newer, columns)
			}
			continue
		}
		head.Checkpoint, head.CheckpointCommit = cp, string(a.instant)
		if rows, err = strconv.ParseInt(c.extra(extraRows), 10, 64); err == nil && counted {
			head.Rows = rows
		}
		if err := t.fromDocument(head, on, c, a.instant); err != nil {
			return err
		}
		break
	}
	return t.withOthers(head, on, newer)
}

// fromDocument takes the columns that a commit of ours says the table has.
func (t *Table) fromDocument(head *table.Head, on *base, c *committed, i Instant) error {
	var d tableDocument
	if err := json.Unmarshal([]byte(c.extra(extraTable)), &d); err != nil {
		return fmt.Errorf("the instant %s: reading its %s: %w: set reload to a new value to land the table afresh", i, extraTable, err)
	}
	if d.V != documentVersion {
		return fmt.Errorf("the instant %s: its %s has version %d and this engine reads %d: apply the cadence so that its job carries the newer engine", i, extraTable, d.V, documentVersion)
	}
	head.Schema, on.lastColumn = d.Schema, d.LastColumn
	for i, c := range head.Schema.Columns {
		head.Schema.Columns[i].Carried = isMeta(c.Name) // earlier documents do not say so
	}
	return nil
}

// withOthers adds to the head's columns those of newer commits, which other engines made. They have the last word on types.
func (t *Table) withOthers(head *table.Head, on *base, newer [][]schema.Column) error {
	if len(newer) == 0 {
		return nil
	}
	s := &head.Schema
	if head.Checkpoint == nil { // nobody's but others'
		s.Layout, s.Key = schema.LayoutHudi, on.properties.fields(propertyRecordKey)
		for _, name := range on.properties.fields(propertyPartition) {
			s.Partition = append(s.Partition, schema.PartitionField{Column: name, Transform: schema.Identity})
		}
	} else {
		s.Columns = slices.Clone(s.Columns)
	}
	for _, c := range newer[0] {
		at := slices.IndexFunc(s.Columns, func(known schema.Column) bool { return known.Name == c.Name })
		switch {
		case at < 0:
			on.lastColumn++
			c.FieldID = on.lastColumn
			s.Columns = append(s.Columns, c)
		case spelledAlike(s.Columns[at].Type, c.Type):
		default:
			s.Columns[at].Type = c.Type
		}
	}
	if head.Checkpoint == nil {
		s.Columns = append(s.Columns, carried()...)
	}
	return nil
}

// spelledAlike reports whether two types have one form in Hudi.
func spelledAlike(a, b schema.Type) bool {
	return a == b || a.ID == schema.Timestamp && b.ID == schema.TimestampTZ
}

// readCommit reads the file of a completed commit.
func (t *Table) readCommit(ctx context.Context, a *action) (*committed, error) {
	data, err := t.read(ctx, completedKey(a.instant, a.name), maxCommit)
	if err != nil {
		return nil, fmt.Errorf("reading the instant %s: %w", a.instant, err)
	}
	c, err := parseCommit(data)
	if err != nil {
		return nil, fmt.Errorf("the instant %s: %w", a.instant, err)
	}
	return c, nil
}
