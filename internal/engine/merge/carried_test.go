package merge_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/merge"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/parquet"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// Columns that the format carries say of changed rows, soft deletes among them, that they have none of their values. Where all rows
// stay in their places the others' are not written once more, but found in the stored file.
func TestCarriedColumnsReferToTheStoredFile(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		parallel int
		soft     string
		removes  []int64
		// refers are the row groups that refer to the stored file, kept what the rows have, "-" for nothing.
		refers []int
		kept   string
	}{
		"updates":                             {parallel: 1, refers: []int{-1, 1}, kept: "k0 k1 k2 k3 - k5"},
		"updates, column beside column":       {parallel: 3, refers: []int{-1, 1}, kept: "k0 k1 k2 k3 - k5"},
		"soft deletes":                        {parallel: 1, soft: "gone", removes: []int64{2, 3}, refers: []int{0, 1}, kept: "k0 k1 - - - k5"},
		"soft deletes, column beside column":  {parallel: 3, soft: "gone", removes: []int64{2, 3}, refers: []int{0, 1}, kept: "k0 k1 - - - k5"},
		"rows that go":                        {parallel: 1, removes: []int64{0, 5}, refers: []int{-1, -1}, kept: "k1 k2 k3 -"},
		"rows that go, column beside column ": {parallel: 3, removes: []int64{0, 5}, refers: []int{-1, -1}, kept: "k1 k2 k3 -"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newTable(t, 1, "id")
			l.schema = schema.Table{Key: []string{"id"}, Columns: []schema.Column{
				{Name: "id", Type: schema.Type{ID: schema.Long}, Required: true, FieldID: 1}, {Name: "n", Type: schema.Type{ID: schema.Long}, FieldID: 2},
				{Name: "gone", Type: schema.Type{ID: schema.Boolean}, FieldID: 3}, {Name: "kept", Type: schema.Type{ID: schema.String}, FieldID: 4},
			}}
			batch := func(version int64, ids ...int64) *column.Batch {
				b := column.NewBatch(l.schema.Kinds(), 0)
				for _, id := range ids {
					b.Columns[0].Int64s, b.Columns[1].Int64s = append(b.Columns[0].Int64s, id), append(b.Columns[1].Int64s, version)
					b.Columns[2].Bools = append(b.Columns[2].Bools, false)
					for _, v := range b.Columns[:3] {
						v.Append()
					}
					if version > 0 {
						b.Columns[3].AppendNull()
						continue
					}
					b.Columns[3].Data = fmt.Append(b.Columns[3].Data, "k", id)
					b.Columns[3].Append()
				}
				return b
			}
			file := l.writeFile(&l.schema, []*column.Batch{batch(0, 0, 1, 2), batch(0, 3, 4, 5)}, true)
			l.schema.Columns[3].Carried = true
			changes := []table.DataFile{l.writeFile(&l.schema, []*column.Batch{batch(1, 4)}, false)}
			var removals []table.DataFile
			if len(tc.removes) > 0 {
				keys := schema.Table{Columns: l.schema.Columns[:1]}
				removals = []table.DataFile{l.writeFile(&keys, []*column.Batch{{Columns: batch(0, tc.removes...).Columns[:1]}}, false)}
			}
			loaded, err := merge.Load(t.Context(), l.store, &l.schema, changes, removals)
			if err != nil {
				t.Fatal(err)
			}
			m := merge.Merge{Store: l.store, Schema: l.schema, Files: []table.StoredFile{stored(file)}, Changes: loaded, ChangeFiles: changes, Version: "test", Parallel: tc.parallel, SoftDelete: tc.soft,
				Keys: func(unit string) (string, string) { return "merged-" + unit + "-", ".parquet" }}
			out, err := m.Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if len(out.Add) != 1 || out.Updated != 1 {
				t.Fatalf("%d files were written, %d rows updated", len(out.Add), out.Updated)
			}
			if refers, kept := keptIn(t, l, out.Add[0]); !slices.Equal(refers, tc.refers) || kept != tc.kept {
				t.Errorf("the row groups refer to %v and have %q, want %v and %q", refers, kept, tc.refers, tc.kept)
			}
		})
	}
}

// keptIn reads the last column of a file, and what it refers to from the first file of the test; -1 is a row group that has its values.
func keptIn(t *testing.T, l *lakeTable, f table.DataFile) (refers []int, kept string) {
	t.Helper()
	read := func(r *parquet.Reader, g int) *column.Vector {
		chunk, err := r.Chunk(t.Context(), g, 3, nil, l.schema.Columns[3].Type)
		v := column.NewVector(column.Bytes, 0)
		if err == nil {
			err = chunk.ReadAll(v)
		}
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	open := func(key string, size int64) *parquet.Reader {
		r, err := parquet.Open(t.Context(), l.store, key, size)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	object, err := l.store.Head(t.Context(), "f0001.parquet")
	if err != nil {
		t.Fatal(err)
	}
	r, before := open(f.Key, f.File.Size), open(object.Key, object.Size)
	for g := range r.RowGroups() {
		v := read(r, g)
		values := v
		key, to, ok := r.Refers(g, 3)
		if ok && key != object.Key {
			t.Errorf("row group %d refers to %s", g, key)
		}
		if ok {
			values = read(before, to)
		} else {
			to = -1
		}
		refers = append(refers, to)
		for i := range v.Len() {
			text := "-"
			if !v.IsNull(i) {
				text = string(values.Bytes(i))
			}
			kept += " " + text
		}
	}
	return refers, kept[1:]
}
