package merge

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/parquet"
)

// locate finds the rows that changes are about, in all files that may hold some: a key may be stored in any partition.
func (w *work) locate(ctx context.Context) error {
	return w.Changes.passes(ctx, func(x *index) error {
		for _, n := range x.older {
			w.matched[n>>6] |= 1 << (n & 63) // it is neither stored nor new
		}
		var files []*found
		for _, f := range w.files {
			if x.mayHold(f.file) {
				files = append(files, f)
			}
		}
		if err := w.absences.read(ctx, files); err != nil {
			return err
		}
		hits := make([][][]Hit, len(files))
		if err := w.each(ctx, len(files), func(ctx context.Context, i int) (err error) {
			if hits[i], err = w.locateIn(ctx, x, files[i]); err != nil {
				return fmt.Errorf("in %s: %w", files[i].file.Key, err)
			}
			return nil
		}); err != nil {
			return err
		}
		for i, f := range files {
			if err := w.settle(f, hits[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// locateIn finds the rows of keys in a file, by row group, those left out that are deleted by position.
func (w *work) locateIn(ctx context.Context, x *index, f *found) ([][]Hit, error) {
	r, err := w.open(ctx, f)
	if err != nil {
		return nil, err
	}
	gone, rows, err := w.absences.of(f)
	if err != nil {
		return nil, err
	}
	f.gone = rows
	hits, first := make([][]Hit, r.RowGroups()), int64(0)
	for g := range hits {
		vectors, err := w.Changes.readKeys(ctx, r, g)
		if err != nil {
			return nil, err
		}
		all := x.find(nil, vectors)
		live := all[:0]
		for _, h := range all {
			if !gone.has(first + int64(h.Row)) {
				live = append(live, h)
			}
		}
		hits[g] = live
		first += int64(r.Rows(g))
	}
	return hits, nil
}

// open opens a stored file, and notes its row groups the first time.
func (w *work) open(ctx context.Context, f *found) (*parquet.Reader, error) {
	r, err := parquet.Open(ctx, w.Store, f.file.Key, f.file.Size)
	if err != nil || f.opened {
		return r, err
	}
	f.rows = make([]int, r.RowGroups())
	all := int64(0)
	for g := range f.rows {
		f.rows[g] = r.Rows(g)
		all += int64(f.rows[g])
	}
	if all != f.file.Rows {
		return nil, fmt.Errorf("%s has %d rows, and the table's metadata say %d: have whoever added the file write it anew, or set reload to a new value to land the table afresh", f.file.Key, all, f.file.Rows)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	f.opened, f.base = true, w.groups
	w.groups += len(f.rows)
	return r, nil
}

// settle leaves one stored row to each change, and keeps what becomes of a file's rows.
func (w *work) settle(f *found, groups [][]Hit) error {
	for g, hits := range groups {
		for i, h := range hits {
			bit := uint64(1) << (h.Change & 63)
			switch {
			case int(h.Change) >= w.Changes.count && w.soft >= 0:
				hits[i].Change = softened
			case int(h.Change) >= w.Changes.count:
				hits[i].Change = removed
			case w.matched[h.Change>>6]&bit != 0:
				hits[i].Change = dropped
			default:
				w.matched[h.Change>>6] |= bit
			}
		}
		if w.InsertOnly {
			groups[g] = nil
			continue
		}
		f.hits += len(hits)
		if w.rows == nil {
			if err := w.keep(f, g, hits); err != nil {
				return err
			}
		}
	}
	if w.rows != nil {
		f.groups = groups
	}
	return nil
}

// keep keeps hits of a row group for when the changes are distributed.
func (w *work) keep(f *found, g int, hits []Hit) error {
	var record []byte
	for _, h := range hits {
		if h.Change < 0 {
			record = binary.LittleEndian.AppendUint32(record[:0], uint32(h.Row))
			record = binary.LittleEndian.AppendUint32(record, uint32(h.Change))
			if err := w.destined.add(f.base+g, record); err != nil {
				return err
			}
			continue
		}
		group := w.Changes.groupOf(h.Change)
		record = binary.LittleEndian.AppendUint32(record[:0], uint32(int(h.Change)-w.Changes.groups[group].first))
		record = binary.LittleEndian.AppendUint32(record, uint32(f.number))
		record = binary.LittleEndian.AppendUint32(record, uint32(g))
		record = binary.LittleEndian.AppendUint32(record, uint32(h.Row))
		if err := w.located.add(group, record); err != nil {
			return err
		}
	}
	return nil
}
