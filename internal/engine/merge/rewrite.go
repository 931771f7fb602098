package merge

import (
	"context"
	"fmt"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/parquet"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// dropped is the change of a stored row that goes, since another row of its key has been found before.
const dropped = -1

// smallGroup is up to how many rows the last row groups of a file that is filled are written anew with what is added.
const smallGroup = 128 << 10

// rewriting is one file's, under way.
type rewriting struct {
	m      *Merge
	reader *parquet.Reader
	stored *table.StoredFile
	// groups are the hits of each row group, in the order of their rows.
	groups [][]Hit
	writer *parquet.Writer
	// read and made are vectors that columns are read into and made in, by kind.
	read, made map[column.Kind]*column.Vector
	updated    int64
	drops      int64
}

func (r *rewriting) vector(of map[column.Kind]*column.Vector, kind column.Kind) *column.Vector {
	v := of[kind]
	if v == nil {
		v = column.NewVector(kind, 0)
		of[kind] = v
	}
	v.Reset()
	return v
}

// run writes the file's row groups with the changes, and inserts behind them. Row groups that no change is about are
// copied as they are, and so are columns in which no value differs.
func (r *rewriting) run(ctx context.Context, inserts []int32) error {
	tail := r.reader.RowGroups()
	if len(inserts) > 0 {
		for rows := 0; tail > 0 && rows+r.reader.Rows(tail-1) < smallGroup; tail-- {
			rows += r.reader.Rows(tail - 1)
		}
	}
	for g := range tail {
		if err := r.group(ctx, g); err != nil {
			return err
		}
	}
	for g := tail; g < r.reader.RowGroups(); g++ {
		if err := r.rewrittenGroup(ctx, g); err != nil {
			return err
		}
	}
	return r.m.writeInserts(r.writer, inserts)
}

// place finds a column of the table in the file; ok is false where the file does not have it.
func (r *rewriting) place(i int) (int, bool) { return r.reader.Find(r.m.Schema.Columns[i]) }

// group writes a row group with its changes, column by column.
func (r *rewriting) group(ctx context.Context, g int) error {
	hits, rows := r.groups[g], r.reader.Rows(g)
	drops := 0
	for _, h := range hits {
		if h.Change == dropped {
			drops++
		}
	}
	r.drops += int64(drops)
	if rows == drops {
		return nil
	}
	fetched, err := r.reader.Fetch(ctx, g)
	if err != nil {
		return err
	}
	out, err := r.writer.Group(rows - drops)
	if err != nil {
		return err
	}
	differs := make([]bool, len(hits))
	for i := range r.m.Schema.Columns {
		if err := r.column(ctx, out, fetched, g, i, drops, differs); err != nil {
			return err
		}
	}
	for _, d := range differs {
		if d {
			r.updated++
		}
	}
	return out.End()
}

func (r *rewriting) column(ctx context.Context, out *parquet.GroupWriter, fetched *parquet.Fetched, g, i, drops int, differs []bool) error {
	c := &r.m.Schema.Columns[i]
	place, there := r.place(i)
	copyable := there && drops == 0 && r.writer.Copyable(i, r.reader, place)
	if copyable && (len(r.groups[g]) == 0 || r.m.isKey[i]) {
		return out.Copy(ctx, r.reader, g, place, fetched, r.stored.Lower[c.FieldID], r.stored.Upper[c.FieldID])
	}
	v := r.vector(r.read, c.Type.Kind())
	if err := readColumn(ctx, r.reader, g, fetched, c, v); err != nil {
		return err
	}
	if !r.compare(v, i, r.groups[g], differs) && copyable {
		return out.Copy(ctx, r.reader, g, place, fetched, r.stored.Lower[c.FieldID], r.stored.Upper[c.FieldID])
	}
	return out.Encode(r.apply(v, i, r.groups[g]))
}

// compare says whether any change differs from what is stored in a column, and notes which do.
func (r *rewriting) compare(v *column.Vector, i int, hits []Hit, differs []bool) bool {
	differ := false
	for n, h := range hits {
		if h.Change == dropped {
			continue
		}
		b, at := r.m.Changes.row(h.Change)
		if !v.Equal(int(h.Row), b.Columns[i], at) {
			differs[n], differ = true, true
		}
	}
	return differ
}

// apply makes a column what the changes make of it.
func (r *rewriting) apply(v *column.Vector, i int, hits []Hit) *column.Vector {
	inPlace := v.Kind != column.Bytes
	for _, h := range hits {
		inPlace = inPlace && h.Change != dropped
	}
	if inPlace {
		for _, h := range hits {
			b, at := r.m.Changes.row(h.Change)
			v.Set(int(h.Row), b.Columns[i], at)
		}
		return v
	}
	if len(hits) == 0 {
		return v
	}
	made, from := r.vector(r.made, v.Kind), 0
	for _, h := range hits {
		made.AppendRows(v, from, int(h.Row))
		if from = int(h.Row) + 1; h.Change != dropped {
			b, at := r.m.Changes.row(h.Change)
			made.AppendRows(b.Columns[i], at, at+1)
		}
	}
	made.AppendRows(v, from, v.Len())
	return made
}

// rewrittenGroup writes a small row group's rows into one that others follow in.
func (r *rewriting) rewrittenGroup(ctx context.Context, g int) error {
	fetched, err := r.reader.Fetch(ctx, g)
	if err != nil {
		return err
	}
	hits := r.groups[g]
	differs := make([]bool, len(hits))
	b := column.NewBatch(r.m.Schema.Kinds(), 0)
	for i := range r.m.Schema.Columns {
		c := &r.m.Schema.Columns[i]
		v := r.vector(r.read, c.Type.Kind())
		if err := readColumn(ctx, r.reader, g, fetched, c, v); err != nil {
			return err
		}
		r.compare(v, i, hits, differs)
		applied := r.apply(v, i, hits)
		b.Columns[i].AppendRows(applied, 0, applied.Len())
	}
	for n, h := range hits {
		if h.Change == dropped {
			r.drops++
		} else if differs[n] {
			r.updated++
		}
	}
	return r.writer.Write(b)
}

// insertBatch is how many inserts are gathered at once.
const insertBatch = 8192

// writeInserts writes changes as new rows.
func (m *Merge) writeInserts(w *parquet.Writer, inserts []int32) error {
	b := column.NewBatch(m.Schema.Kinds(), 0)
	for from := 0; from < len(inserts); from += insertBatch {
		b.Reset()
		some := inserts[from:min(from+insertBatch, len(inserts))]
		for start := 0; start < len(some); {
			source, at := m.Changes.row(some[start])
			end := start + 1
			for end < len(some) && some[end] == some[end-1]+1 && at+end-start < source.Rows() {
				end++
			}
			for i, v := range b.Columns {
				v.AppendRows(source.Columns[i], at, at+end-start)
			}
			start = end
		}
		if err := w.Write(b); err != nil {
			return fmt.Errorf("writing new rows: %w", err)
		}
	}
	return nil
}
