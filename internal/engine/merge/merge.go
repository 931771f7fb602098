package merge

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/parquet"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// Merge brings changes into the data files of a table: rows of known keys take the changes' values where they stand, other
// changes are new rows.
type Merge struct {
	Store store.Store
	// Schema is the table's from this merge on, with its key.
	Schema schema.Table
	// Files are the table's; none has rows that are deleted by position.
	Files   []table.StoredFile
	Changes *Changes
	// ChangeFiles are those that the changes were loaded from.
	ChangeFiles []table.DataFile
	// Keys begins and ends the keys of a unit's files.
	Keys func(unit string) (prefix, suffix string)
	// Version is the engine's, for the files it writes.
	Version string
	// Parallel is how many files are at work at once; at least 1.
	Parallel int
	// FileBytes is the size up to which files are filled.
	FileBytes int64

	isKey []bool
}

// Outcome is what a merge comes to. Without files to remove or to add, the table is as the changes would have it.
type Outcome struct {
	Remove []string
	Add    []table.DataFile
	// Written are the files that were written, whether they are to be added or not: those that are not to be are of no
	// use.
	Written           []table.DataFile
	Inserted, Updated int64
}

// found is a file with the rows that changes are about, by row group.
type found struct {
	file   *table.StoredFile
	groups [][]Hit
	hits   int
}

// Run merges. After an error it has removed what it wrote, as far as it could.
func (m *Merge) Run(ctx context.Context) (_ *Outcome, err error) {
	m.isKey = make([]bool, len(m.Schema.Columns))
	for i, c := range m.Schema.Columns {
		m.isKey[i] = slices.Contains(m.Schema.Key, c.Name)
	}
	located, err := m.locate(ctx)
	if err != nil {
		return nil, err
	}
	inserts := m.settle(located)
	out := &Outcome{Inserted: int64(len(inserts))}
	located = slices.DeleteFunc(located, func(f *found) bool { return f.hits == 0 })
	fill := m.fill(located, len(inserts))
	switch {
	case len(inserts) == 0:
	case len(located) == 0 && fill == nil && m.large():
		out.Add = m.ChangeFiles // there is nothing to write: they are files of the table's columns already
		return out, nil
	case fill == nil:
		located = append(located, &found{})
		fill = located[len(located)-1]
	case fill.hits == 0:
		located = append(located, fill)
	}
	defer func() {
		if err != nil {
			m.remove(ctx, out.Written)
		}
	}()
	return out, m.rewriteAll(ctx, located, fill, inserts, out)
}

// locate finds the rows that changes are about, in all files that may hold some.
func (m *Merge) locate(ctx context.Context) ([]*found, error) {
	all := make([]*found, len(m.Files))
	err := m.each(ctx, len(m.Files), func(ctx context.Context, i int) error {
		f := &found{file: &m.Files[i]}
		all[i] = f
		if len(f.file.Deletes) > 0 {
			return fmt.Errorf("the file %s has rows that are deleted by position, which is not merged here", f.file.Key)
		}
		if !m.Changes.mayHold(f.file) {
			return nil
		}
		r, err := parquet.Open(ctx, m.Store, f.file.Key, f.file.Size)
		if err != nil {
			return err
		}
		f.groups = make([][]Hit, r.RowGroups())
		for g := range f.groups {
			if f.groups[g], err = m.locateIn(ctx, r, g); err != nil {
				return err
			}
			f.hits += len(f.groups[g])
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("finding changed keys: %w", err)
	}
	return all, nil
}

func (m *Merge) locateIn(ctx context.Context, r *parquet.Reader, g int) ([]Hit, error) {
	vectors := make([]*column.Vector, len(m.Changes.key))
	for i, place := range m.Changes.key {
		c := &m.Schema.Columns[place]
		vectors[i] = column.NewVector(c.Type.Kind(), 0)
		if err := readColumn(ctx, r, g, nil, c, vectors[i]); err != nil {
			return nil, err
		}
	}
	return m.Changes.keys.find(nil, vectors, 0), nil
}

// settle leaves one stored row to each change, and says which changes have none: they are new rows.
func (m *Merge) settle(located []*found) []int32 {
	matched := make([]bool, m.Changes.Rows())
	for _, f := range located {
		for _, hits := range f.groups {
			for i, h := range hits {
				if matched[h.Change] {
					hits[i].Change = dropped
					continue
				}
				matched[h.Change] = true
			}
		}
	}
	var inserts []int32
	for i, found := range matched {
		if !found {
			inserts = append(inserts, int32(i))
		}
	}
	return inserts
}

// fill chooses the file that new rows are written into: the smallest of those that are written anyway, or of all, if it
// has room; nil for a file of their own.
func (m *Merge) fill(located []*found, inserts int) *found {
	if inserts == 0 {
		return nil
	}
	room := m.FileBytes / 2
	var smallest *found
	for _, f := range located {
		if f.file.Size < room && (smallest == nil || f.file.Size < smallest.file.Size) {
			smallest = f
		}
	}
	if smallest != nil || m.large() {
		return smallest
	}
	for i := range m.Files {
		if f := &m.Files[i]; f.Size < room && (smallest == nil || f.Size < smallest.file.Size) {
			smallest = &found{file: f}
		}
	}
	return smallest
}

// large reports whether the files of changes are worth being the table's own.
func (m *Merge) large() bool {
	var size int64
	for _, f := range m.ChangeFiles {
		size += f.File.Size
	}
	return size/int64(max(len(m.ChangeFiles), 1)) >= m.FileBytes/8
}

func (m *Merge) rewriteAll(ctx context.Context, located []*found, fill *found, inserts []int32, out *Outcome) error {
	var mu sync.Mutex
	return m.each(ctx, len(located), func(ctx context.Context, i int) error {
		f := located[i]
		var added []int32
		if f == fill {
			added = inserts
		}
		file, done, err := m.rewrite(ctx, f, added, fmt.Sprintf("m%04d", i))
		mu.Lock()
		defer mu.Unlock()
		if file != nil {
			out.Written = append(out.Written, *file)
		}
		switch {
		case err != nil && f.file != nil:
			return fmt.Errorf("rewriting %s: %w", f.file.Key, err)
		case err != nil:
			return fmt.Errorf("writing new rows: %w", err)
		case file == nil:
			return nil
		}
		out.Updated += done.updated
		if f.file != nil {
			out.Remove = append(out.Remove, f.file.Key)
		}
		if file.File.Rows > 0 {
			out.Add = append(out.Add, *file)
		}
		return nil
	})
}

// rewrite writes a file anew; nil where nothing in it is another afterwards.
func (m *Merge) rewrite(ctx context.Context, f *found, inserts []int32, unit string) (_ *table.DataFile, _ *rewriting, err error) {
	prefix, suffix := m.Keys(unit)
	key := prefix + "0000" + suffix
	stream, err := m.Store.Create(ctx, key)
	if err != nil {
		return nil, nil, err
	}
	written := &table.DataFile{Key: key}
	if f.file != nil {
		written.Partition = f.file.Partition
	}
	r := &rewriting{m: m, stored: f.file, read: map[column.Kind]*column.Vector{}, made: map[column.Kind]*column.Vector{}}
	defer func() {
		if err != nil {
			stream.Abort()
		}
	}()
	if r.writer, err = parquet.NewWriter(stream, &m.Schema, m.Version, nil); err != nil {
		return written, nil, err
	}
	if f.file == nil {
		err = m.writeInserts(r.writer, inserts)
	} else if r.reader, err = parquet.Open(ctx, m.Store, f.file.Key, f.file.Size); err == nil {
		if r.groups = f.groups; r.groups == nil {
			r.groups = make([][]Hit, r.reader.RowGroups())
		}
		err = r.run(ctx, inserts)
	}
	if err != nil {
		return written, nil, err
	}
	if r.updated+r.drops+int64(len(inserts)) == 0 {
		stream.Abort()
		return nil, r, nil
	}
	file, err := r.writer.Close()
	if err == nil {
		err = stream.Close()
	}
	if err != nil {
		return written, nil, err
	}
	written.File = *file
	return written, r, nil
}

// each does something for every number up to n, several at once, until one fails.
func (m *Merge) each(ctx context.Context, n int, do func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wait sync.WaitGroup
	next := make(chan int)
	errs := make(chan error, max(m.Parallel, 1))
	for range min(max(m.Parallel, 1), n) {
		wait.Go(func() {
			for i := range next {
				if err := do(ctx, i); err != nil {
					errs <- err
					cancel(err)
					return
				}
			}
		})
	}
	for i := 0; i < n && ctx.Err() == nil; i++ {
		select {
		case next <- i:
		case <-ctx.Done():
		}
	}
	close(next)
	wait.Wait()
	close(errs)
	var all error
	for err := range errs {
		if all == nil || errors.Is(all, context.Canceled) {
			all = err
		}
	}
	if all == nil {
		all = context.Cause(ctx)
	}
	return all
}

// remove deletes files that are of no use. What cannot be removed stays as an orphan that no reader sees.
func (m *Merge) remove(ctx context.Context, files []table.DataFile) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	for _, f := range files {
		_ = m.Store.Delete(ctx, f.Key)
	}
}
