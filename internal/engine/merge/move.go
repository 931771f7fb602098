package merge

import (
	"context"
	"fmt"
	"slices"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/parquet"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// move sets rows aside that are to be written elsewhere than where they stand, and writes the positions of those that are
// deleted where they stand.
func (w *work) move(ctx context.Context) error {
	files := slices.DeleteFunc(slices.Clone(w.files), func(f *found) bool {
		return f.fate != covered && f.fate != scattered && (f.fate != rewritten || !f.moves)
	})
	return w.each(ctx, len(files), func(ctx context.Context, i int) error {
		if err := w.moveFrom(ctx, files[i]); err != nil {
			return fmt.Errorf("out of %s: %w", files[i].file.Key, err)
		}
		return nil
	})
}

// leaving is a file under way whose rows are moved.
type leaving struct {
	w      *work
	f      *found
	reader *parquet.Reader
	sorter *sorter
	// positions are the rows to be deleted by position, and out is where they go.
	positions *column.Batch
	out       *outfile
	record    []byte
	places    []int32

	updated, deleted int64
}

func (w *work) moveFrom(ctx context.Context, f *found) (err error) {
	l := &leaving{w: w, f: f}
	if l.reader, err = w.open(ctx, f); err != nil {
		return err
	}
	if l.sorter, err = w.partitions.sorter(&w.Schema); err != nil {
		return err
	}
	gone := bitmap(nil)
	if f.fate == scattered {
		if gone, _, err = w.absences.of(f); err != nil {
			return err
		}
	}
	if f.fate == covered {
		columns := table.DeleteColumns()
		l.positions = column.NewBatch(columns.Kinds(), 0)
		l.out = w.newOutfile(fmt.Sprintf("d%04d", f.number), &columns, f.file.Partition)
		defer l.out.abort()
	}
	first := int64(0)
	for g, rows := range f.rows {
		if err := l.group(ctx, g, first, gone); err != nil {
			return err
		}
		first += int64(rows)
	}
	var deletes []table.DeleteFile
	if l.out != nil {
		if err := l.out.end(); err != nil {
			return err
		}
		for _, file := range l.out.files {
			deletes = append(deletes, table.DeleteFile{Key: file.Key, Data: f.file.Key, File: file.File, Partition: f.file.Partition})
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.out.Updated += l.updated
	w.out.Deleted += l.deleted
	w.out.AddDeletes = append(w.out.AddDeletes, deletes...)
	if f.fate == scattered {
		w.out.Remove = append(w.out.Remove, f.file.Key)
	}
	return nil
}

func (l *leaving) group(ctx context.Context, g int, first int64, gone bitmap) error {
	hits, of, bytes, err := l.w.hitsIn(l.f, g, l.sorter)
	if err != nil {
		return err
	}
	defer l.w.gauge.give(bytes)
	if len(hits) == 0 && l.f.fate != scattered {
		return nil
	}
	if !l.f.settled {
		if hits, err = l.w.differing(ctx, l.reader, g, nil, hits, of); err != nil {
			return err
		}
	}
	soft := false
	for _, h := range hits {
		switch {
		case h.Change >= 0 && (l.f.fate != rewritten || of.partition(h.Change) != l.f.partition):
			l.updated++
			if err := l.replace(h, of); err != nil {
				return err
			}
		case h.Change == softened && l.f.fate != rewritten:
			soft = true
			l.deleted++
		case h.Change == removed && l.f.fate != rewritten:
			l.deleted++
		}
	}
	switch l.f.fate {
	case covered:
		if err := l.cover(ctx, hits, first); err != nil || !soft {
			return err
		}
		return l.scan(ctx, g, of, hits, false)
	case scattered:
		return l.scan(ctx, g, of, gone.within(hits, first, l.f.rows[g]), true)
	default:
		return nil
	}
}

// replace has a change written as the new version of its row, in its partition.
func (l *leaving) replace(h Hit, of *rows) error {
	p := of.partition(h.Change)
	if l.w.rows != nil {
		l.w.addTo(p, func(a *addition) { a.replaced = append(a.replaced, h.Change) })
		return nil
	}
	b, at := of.row(h.Change)
	l.record = appendRow(l.record[:0], b, at, func(i int) (*column.Vector, int, bool) { return l.w.letters, letterUpdated, i == l.w.op })
	return l.w.setAside(p, l.record, false)
}

// cover writes the positions of hits.
func (l *leaving) cover(ctx context.Context, hits []Hit, first int64) error {
	address := l.w.Store.Address(l.f.file.Key)
	for part := range slices.Chunk(hits, maxBatch) {
		l.positions.Reset()
		paths, numbers := l.positions.Columns[0], l.positions.Columns[1]
		for _, h := range part {
			paths.Data = append(paths.Data, address...)
			paths.Append()
			numbers.Int64s = append(numbers.Int64s, first+int64(h.Row))
			numbers.Append()
		}
		if err := l.out.write(ctx, l.positions); err != nil {
			return err
		}
	}
	return nil
}

// scan goes through a row group and sets rows aside, as softly deleted ones are now, and with all also those that no hit is
// about.
func (l *leaving) scan(ctx context.Context, g int, of *rows, hits []Hit, all bool) error {
	return scanGroup(ctx, l.reader, g, &l.w.Schema, l.w.Changes.batchRows(), func(first int, b *column.Batch) (err error) {
		if l.places, err = l.sorter.sort(b, l.places[:0]); err != nil {
			return err
		}
		for i := range b.Rows() {
			h := Hit{Row: int32(first + i), Change: absent}
			hit := len(hits) > 0 && hits[0].Row == h.Row
			if hit {
				h, hits = hits[0], hits[1:]
			}
			if hit && h.Change != softened || !hit && !all {
				continue
			}
			l.record = appendRow(l.record[:0], b, i, func(i int) (*column.Vector, int, bool) { return l.w.value(h, of, i) })
			if err := l.w.setAside(l.places[i], l.record, false); err != nil {
				return err
			}
		}
		return nil
	})
}

// scanGroup reads a row group, no more than some rows at a time: no more than a page of each column is in memory, beside the row group as
// it is stored. The batch is used again.
func scanGroup(ctx context.Context, r *parquet.Reader, g int, t *schema.Table, most int, do func(first int, b *column.Batch) error) error {
	fetched, err := r.Fetch(ctx, g)
	if err != nil {
		return err
	}
	cursors := make([]cursor, len(t.Columns))
	for i, c := range t.Columns {
		place, ok := r.Find(c)
		if !ok {
			continue
		}
		chunk, err := r.Chunk(ctx, g, place, fetched, c.Type)
		if err != nil {
			return err
		}
		cursors[i] = cursor{chunk: chunk, vector: column.NewVector(c.Type.Kind(), 0)}
	}
	b := column.NewBatch(t.Kinds(), 0)
	for first := 0; first < r.Rows(g); first += most {
		b.Reset()
		rows := min(most, r.Rows(g)-first)
		for i := range cursors {
			if err := cursors[i].take(b.Columns[i], rows); err != nil {
				return err
			}
		}
		if err := do(first, b); err != nil {
			return err
		}
	}
	return nil
}

// take appends the next rows of a column; one that the file does not have is NULL throughout.
func (c *cursor) take(v *column.Vector, rows int) error {
	if c.chunk == nil {
		for range rows {
			v.AppendNull()
		}
		return nil
	}
	for rows > 0 {
		if err := c.next(); err != nil {
			return err
		}
		some := min(rows, c.vector.Len()-c.at)
		v.AppendRows(c.vector, c.at, c.at+some)
		c.at += some
		rows -= some
	}
	return nil
}
