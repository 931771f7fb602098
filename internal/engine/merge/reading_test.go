package merge_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/parquet"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// storedRow is a row of a file that is there.
type storedRow struct {
	position int64
	key, all string
}

// check reads all files and compares.
func (l *lakeTable) check(step string) {
	l.t.Helper()
	got := map[string]string{}
	for _, f := range l.files {
		for _, r := range l.read(f) {
			if _, twice := got[r.key]; twice {
				l.t.Fatalf("%s: the key %s is there twice", step, r.key)
			}
			got[r.key] = r.all
		}
	}
	n := 0
	for key, e := range l.rows {
		if got[key] != e.String() && n < 3 {
			l.t.Errorf("%s: the row %s is %q, not %q", step, key, got[key], e)
			n++
		}
	}
	if n > 0 || len(got) != len(l.rows) {
		l.t.Fatalf("%s: %d rows, not %d", step, len(got), len(l.rows))
	}
}

// batches reads the row groups of a file.
func (l *lakeTable) batches(key string, size int64, t *schema.Table) []*column.Batch {
	l.t.Helper()
	r, err := parquet.Open(l.t.Context(), l.store, key, size)
	if err != nil {
		l.t.Fatal(err)
	}
	var out []*column.Batch
	for g := range r.RowGroups() {
		b := column.NewBatch(t.Kinds(), 0)
		for i, c := range t.Columns {
			place, ok := r.Find(c)
			if !ok {
				for range r.Rows(g) {
					b.Columns[i].AppendNull()
				}
				continue
			}
			chunk, err := r.Chunk(l.t.Context(), g, place, nil, c.Type)
			if err == nil {
				err = chunk.ReadAll(b.Columns[i])
			}
			if err != nil {
				l.t.Fatal(err)
			}
		}
		out = append(out, b)
	}
	return out
}

// deleted are the positions of a file that are deleted, which files of ours name in order.
func (l *lakeTable) deleted(f table.StoredFile) map[int64]bool {
	l.t.Helper()
	out, columns := map[int64]bool{}, table.DeleteColumns()
	for _, d := range f.Deletes {
		last := int64(-1)
		for _, b := range l.batches(d.Key, d.Size, &columns) {
			for i := range b.Rows() {
				pos := b.Columns[1].Int64s[i]
				if string(b.Columns[0].Bytes(i)) == l.store.Address(f.Key) {
					if out[pos] = true; strings.HasPrefix(d.Key, "g") && pos <= last {
						l.t.Fatalf("the file %s names row %d behind row %d", d.Key, pos, last)
					}
					last = pos
				}
			}
		}
	}
	return out
}

// read reads the rows of a file that are there, and checks what is said of the file.
func (l *lakeTable) read(f table.StoredFile) []storedRow {
	l.t.Helper()
	gone := l.deleted(f)
	partitioner, err := schema.NewPartitioner(&l.schema)
	if err != nil {
		l.t.Fatal(err)
	}
	var out []storedRow
	rows := int64(0)
	for _, b := range l.batches(f.Key, f.Size, &l.schema) {
		groups, err := partitioner.Groups(b, nil)
		if err != nil {
			l.t.Fatal(err)
		}
		for i := range b.Rows() {
			if of := partitioner.Partition(groups[i]); !f.OtherSpec && of.ID() != f.Partition.ID() {
				l.t.Fatalf("the file %s of the partition %s has a row of %s", f.Key, f.Partition.ID(), of.ID())
			}
			if rows++; gone[rows-1] {
				continue
			}
			r := storedRow{position: rows - 1}
			var keys, texts []string
			for n, v := range b.Columns {
				texts = append(texts, show(v, i))
				if slices.Contains(l.schema.Key, l.schema.Columns[n].Name) {
					keys = append(keys, show(v, i))
				}
				if v.Kind != column.Int64 || v.IsNull(i) {
					continue
				}
				if low := f.Lower[n+1]; low != nil && v.Int64s[i] < bound(low) {
					l.t.Fatalf("the file %s has %d in column %d, below its bound %d", f.Key, v.Int64s[i], n, bound(low))
				}
				if high := f.Upper[n+1]; high != nil && v.Int64s[i] > bound(high) {
					l.t.Fatalf("the file %s has %d in column %d, above its bound %d", f.Key, v.Int64s[i], n, bound(high))
				}
			}
			r.key, r.all = strings.Join(keys, "|"), strings.Join(texts, "|")
			out = append(out, r)
		}
	}
	if rows != f.Rows {
		l.t.Fatalf("%s has %d rows, and should have %d", f.Key, rows, f.Rows)
	}
	return out
}

// bound reads a bound of whole numbers or decimals.
func bound(data []byte) int64 {
	if len(data) == 8 {
		n := int64(0)
		for i := 7; i >= 0; i-- {
			n = n<<8 | int64(data[i])
		}
		return n
	}
	n := int64(int8(data[0]))
	for _, b := range data[1:] {
		n = n<<8 | int64(b)
	}
	return n
}

// deleteRows deletes rows by position as other engines do: a file of positions names rows of one data file, or of several of
// one partition, whose positions stand mixed; its columns may be optional.
func (l *lakeTable) deleteRows(most int) {
	l.t.Helper()
	columns := table.DeleteColumns()
	for i := range columns.Columns {
		columns.Columns[i].Required = l.r.IntN(2) == 0
	}
	id := func(f table.StoredFile) string { return fmt.Sprint(f.OtherSpec, f.Partition.ID()) }
	if len(l.files) == 0 {
		return
	}
	chosen := l.files[l.r.IntN(len(l.files))]
	var of []int
	for i, f := range l.files {
		if id(f) == id(chosen) {
			of = append(of, i)
		}
	}
	only := l.r.IntN(2) == 0
	if only {
		of = []int{of[l.r.IntN(len(of))]}
	}
	type position struct {
		path string
		at   int64
	}
	var gone []position
	for _, i := range of {
		rows := l.read(l.files[i])
		l.r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		for _, r := range rows[:l.r.IntN(min(most, len(rows))+1)] {
			gone = append(gone, position{l.store.Address(l.files[i].Key), r.position})
			delete(l.rows, r.key)
		}
	}
	if len(gone) == 0 {
		return
	}
	l.r.Shuffle(len(gone), func(i, j int) { gone[i], gone[j] = gone[j], gone[i] })
	var batches []*column.Batch
	for part := range slices.Chunk(gone, 100) {
		b := column.NewBatch(columns.Kinds(), 0)
		for _, p := range part {
			b.Columns[0].Data = append(b.Columns[0].Data, p.path...)
			b.Columns[0].Append()
			b.Columns[1].Int64s = append(b.Columns[1].Int64s, p.at)
			b.Columns[1].Append()
		}
		batches = append(batches, b)
	}
	f := l.writeFile(&columns, batches, l.r.IntN(2) == 0)
	for _, i := range of {
		l.files[i].Deletes = append(slices.Clone(l.files[i].Deletes), table.StoredDelete{Key: f.Key, Size: f.File.Size, Rows: f.File.Rows, Only: only})
	}
}
