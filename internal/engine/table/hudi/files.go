package hudi

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/guard"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/parquet"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// footersAtOnce bounds the files whose footers are read at the same time.
const footersAtOnce = 16

// Files implements table.Table. Rows and bounds are those that the files' footers tell.
func (t *Table) Files(ctx context.Context, head *table.Head) ([]table.StoredFile, error) {
	on, err := baseOf(head)
	if err != nil {
		return nil, err
	}
	on.mu.Lock()
	defer on.mu.Unlock()
	if err := t.load(ctx, head, on); err != nil {
		return nil, fmt.Errorf("listing the files of %s: %w", t.name(), err)
	}
	return slices.Clone(on.files), nil
}

// list reads which file groups and versions there are, once. The caller holds the lock.
func (t *Table) list(ctx context.Context, on *base) (err error) {
	if on.view != nil {
		return nil
	}
	if on.properties == nil {
		on.view = &view{noted: map[string]bool{}}
		return nil
	}
	if on.replaced, err = t.replacedGroups(ctx, on.timeline); err != nil {
		return err
	}
	on.view, err = t.readView(ctx)
	return err
}

// load reads the files of the head, once. The caller holds the lock.
func (t *Table) load(ctx context.Context, head *table.Head, on *base) error {
	if on.read {
		return nil
	}
	if err := t.list(ctx, on); err != nil {
		return err
	}
	form, err := pathFormOf(on.properties, &head.Schema)
	if err != nil && head.Exists {
		return err
	}
	var all []*slice
	for _, s := range on.view.latest(on.timeline, on.replaced) {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b *slice) int { return strings.Compare(a.key, b.key) })
	files := make([]table.StoredFile, len(all))
	if err := guard.Each(ctx, footersAtOnce, len(all), func(ctx context.Context, i int) (err error) {
		files[i], err = t.stored(ctx, &head.Schema, form, all[i])
		return err
	}); err != nil {
		return err
	}
	on.slices, on.files, on.vacant = map[string]*slice{}, nil, nil
	for i, s := range all {
		if files[i].Rows == 0 {
			on.vacant = append(on.vacant, s)
			continue
		}
		on.files = append(on.files, files[i])
		on.slices[files[i].Key] = s
	}
	on.read = true
	return nil
}

// stored describes a data file.
func (t *Table) stored(ctx context.Context, s *schema.Table, form pathForm, file *slice) (table.StoredFile, error) {
	out := table.StoredFile{Key: t.o.Prefix + file.key, Size: file.size, Lower: map[int][]byte{}, Upper: map[int][]byte{}}
	var err error
	if out.Partition, err = form.values(file.partition); err != nil {
		return out, err
	}
	r, err := parquet.Open(ctx, t.o.Store, out.Key, out.Size)
	if err != nil {
		return out, err
	}
	for g := range r.RowGroups() {
		out.Rows += int64(r.Rows(g))
	}
	for _, c := range s.Columns {
		place, ok := r.Find(c)
		if !ok || isMeta(c.Name) {
			continue
		}
		low, high := r.Bounds(place, c.Type)
		if low != nil && high != nil {
			out.Lower[c.FieldID], out.Upper[c.FieldID] = low, high
		}
	}
	return out, nil
}

// replacedGroups are the file groups that completed instants have replaced, with the newest of these.
func (t *Table) replacedGroups(ctx context.Context, tl *timeline) (map[group]Instant, error) {
	var at []*action
	for _, a := range tl.actions {
		if a.completed && a.name == actionReplace {
			at = append(at, a)
		}
	}
	commits := make([]*committed, len(at))
	if err := guard.Each(ctx, footersAtOnce, len(at), func(ctx context.Context, i int) (err error) {
		commits[i], err = t.readCommit(ctx, at[i])
		return err
	}); err != nil {
		return nil, err
	}
	out := map[group]Instant{}
	for i, c := range commits {
		for partition, ids := range c.Replaced {
			for _, id := range ids {
				out[group{strings.Trim(partition, "/"), id}] = at[i].instant
			}
		}
	}
	return out, nil
}
