package hudi

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/guard"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// partitionsAtOnce bounds the partitions that are made at the same time.
const partitionsAtOnce = 8

// show brings the catalogue's entry up to a commit that was just made. Where the entry is not there, or did not show the commit before,
// all partitions are looked at; otherwise those that the commit wrote to: one of them may have been noted by an attempt that
// did not commit, so that they are not new is no proof that readers know them.
func (t *Table) show(ctx context.Context, c *commit, i Instant) error {
	current, err := t.entry(ctx)
	if err != nil {
		return err
	}
	partitions := map[string]bool{}
	for _, o := range c.plan.outputs {
		partitions[o.group.partition] = true
	}
	if current == nil || current.Parameters[syncedParameter] < c.head.CheckpointCommit {
		partitions = nil
	}
	return t.exposeMissing(ctx, current, c.head.Schema, c.change.Schema, c.form, i, partitions)
}

// register brings the entry up to the head's newest commit that is ours.
func (t *Table) register(ctx context.Context, head *table.Head, on *base) error {
	form, err := pathFormOf(on.properties, &head.Schema)
	if err != nil {
		return err
	}
	current, err := t.entry(ctx)
	if err != nil {
		return err
	}
	return t.exposeMissing(ctx, current, head.Schema, head.Schema, form, Instant(head.CheckpointCommit), nil)
}

// exposeMissing is expose for those of some partitions, nil for all, that the catalogue does not know.
func (t *Table) exposeMissing(ctx context.Context, current *catalog.Table, before, now schema.Table, form pathForm, i Instant, of map[string]bool) error {
	if len(form.columns) == 0 {
		return t.expose(ctx, current, before, now, form, i, nil)
	}
	if of == nil {
		v, err := t.readView(ctx)
		if err != nil {
			return err
		}
		of = v.noted
	}
	known := map[string]bool{}
	if current != nil && len(of) > 0 {
		for p, err := range t.o.Catalog.Partitions(ctx, t.o.Database, t.o.Name, nil) {
			if err != nil {
				return err
			}
			known[p.Location] = true
		}
	}
	var missing []string
	for _, partition := range slices.Sorted(maps.Keys(of)) {
		if partition != "" && !known[t.partitionLocation(partition)] {
			missing = append(missing, partition)
		}
	}
	return t.expose(ctx, current, before, now, form, i, missing)
}

func (t *Table) partitionLocation(partition string) string { return t.location() + "/" + partition }

// expose makes entry and partitions, and has the entry say last that it shows a commit: until then others know that it does not.
func (t *Table) expose(ctx context.Context, current *catalog.Table, before, now schema.Table, form pathForm, i Instant, partitions []string) error {
	if current == nil && len(partitions) > 0 {
		if err := t.swapEntry(ctx, before, now, form, ""); err != nil {
			return err
		}
	}
	entry, err := t.entryOf(nil, before, now, form)
	if err != nil {
		return err
	}
	if err := guard.Each(ctx, partitionsAtOnce, len(partitions), func(ctx context.Context, n int) error {
		return t.addPartition(ctx, entry, form, partitions[n])
	}); err != nil {
		return err
	}
	return t.swapEntry(ctx, before, now, form, i)
}

// addPartition makes a partition known. That it is already is no error.
func (t *Table) addPartition(ctx context.Context, entry *catalog.Table, form pathForm, partition string) error {
	values, err := form.values(partition)
	if err != nil {
		return nil //nolint:nilerr // a folder of somebody else's, who calls it a partition
	}
	p := &catalog.Partition{
		Location: t.partitionLocation(partition), Columns: entry.Columns, InputFormat: inputFormat, OutputFormat: outputFormat,
		SerDe: serDe, SerDeParameters: map[string]string{"serialization.format": "1"},
	}
	for i, v := range values {
		text, err := form.text(i, v)
		if err != nil {
			return err
		}
		p.Values = append(p.Values, text)
	}
	for try := range tries {
		if err := pause(ctx, try); err != nil {
			return err
		}
		// It is made once, whoever makes it: a lost answer is asked again.
		err = t.o.Catalog.CreatePartition(ctx, t.o.Database, t.o.Name, p)
		switch {
		case err == nil, errors.Is(err, catalog.ErrExists):
			return nil
		case !errors.Is(err, catalog.ErrUnknown) && !errors.Is(err, catalog.ErrThrottled):
			return err
		}
	}
	return err
}

// swapEntry writes the entry, unless it shows a newer commit already.
func (t *Table) swapEntry(ctx context.Context, before, now schema.Table, form pathForm, i Instant) error {
	var last error
	for try := range tries {
		if err := pause(ctx, try); err != nil {
			return err
		}
		current, err := t.entry(ctx)
		if err != nil {
			return err
		}
		if current != nil && (i == "" || current.Parameters[syncedParameter] >= string(i)) {
			return nil
		}
		entry, err := t.entryOf(current, before, now, form)
		if err != nil {
			return err
		}
		if i != "" {
			entry.Parameters[syncedParameter] = string(i)
		}
		if current == nil {
			last = t.o.Catalog.Create(ctx, entry)
		} else {
			last = t.o.Catalog.Update(ctx, entry)
		}
		switch {
		case last == nil:
			return nil
		case errors.Is(last, catalog.ErrConflict), errors.Is(last, catalog.ErrExists), errors.Is(last, catalog.ErrUnknown), errors.Is(last, catalog.ErrThrottled):
		default:
			return last
		}
	}
	return fmt.Errorf("the entry changed %d times meanwhile: %w", tries, last)
}
