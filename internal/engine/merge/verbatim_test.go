package merge_test

import (
	"bytes"
	"fmt"
	"testing"

	parquetgo "github.com/parquet-go/parquet-go"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/merge"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// theirs is a row as an earlier version of ours might have stored it, which compressed by other means, so that nothing that is
// encoded anew is as it was.
type theirs struct {
	ID     int64   `parquet:"id,id(1)"`
	Name   *string `parquet:"name,optional,id(2)"`
	Amount float64 `parquet:"amount,id(3)"`
	Seen   *int64  `parquet:"seen,optional,id(4)"`
}

func (r theirs) String() string {
	name, seen := "NULL", "NULL"
	if r.Name != nil {
		name = *r.Name
	}
	if r.Seen != nil {
		seen = fmt.Sprint(*r.Seen)
	}
	return fmt.Sprint(r.ID) + name + fmt.Sprint(r.Amount) + seen
}

func their(id int) theirs {
	row := theirs{ID: int64(id), Amount: float64(id) / 8}
	if id%7 > 0 {
		name := fmt.Sprintf("name %d", id%100)
		row.Name = &name
	}
	if id%5 > 0 {
		seen := int64(id) * 1000
		row.Seen = &seen
	}
	return row
}

// chunks are the bytes of a file's column chunks, by row group and column.
func chunks(t *testing.T, s store.Store, key string) (out [][][]byte) {
	t.Helper()
	data, err := store.Read(t.Context(), s, key, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	f, err := parquetgo.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range f.Metadata().RowGroups {
		var group [][]byte
		for _, c := range g.Columns {
			start := c.MetaData.DataPageOffset
			if at := c.MetaData.DictionaryPageOffset; at > 0 {
				start = min(start, at)
			}
			group = append(group, data[start:start+c.MetaData.TotalCompressedSize])
		}
		out = append(out, group)
	}
	return out
}

// Where one value differs, all other columns of its row group, and all other row groups, are copied byte by byte.
func TestWhatNoChangeTouchesIsCopied(t *testing.T) {
	t.Parallel()
	const perGroup, groups = 1000, 4
	for what, change := range map[string]struct {
		changed func(*theirs)
		// differs are the chunks that are others: row group, column.
		differs map[[2]int]bool
	}{
		"one value":           {func(r *theirs) { r.Amount = -1 }, map[[2]int]bool{{1, 2}: true}},
		"a value that is new": {func(r *theirs) { r.Name = nil }, map[[2]int]bool{{1, 1}: true}},
		"two values": {func(r *theirs) {
			name := "another"
			r.Name, r.Amount = &name, 0
		}, map[[2]int]bool{{1, 1}: true, {1, 2}: true}},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			l := newTable(t, 1, "id")
			l.schema = schema.Table{Key: []string{"id"}, Columns: []schema.Column{
				{Name: "id", Type: schema.Type{ID: schema.Long}, Required: true, FieldID: 1}, {Name: "name", Type: schema.Type{ID: schema.String}, FieldID: 2},
				{Name: "amount", Type: schema.Type{ID: schema.Double}, Required: true, FieldID: 3}, {Name: "seen", Type: schema.Type{ID: schema.Long}, FieldID: 4},
			}}
			var before bytes.Buffer
			w := parquetgo.NewGenericWriter[theirs](&before, parquetgo.Compression(&parquetgo.Snappy), parquetgo.MaxRowsPerRowGroup(perGroup), parquetgo.CreatedBy("lakeland", "0.0", ""))
			for id := range perGroup * groups {
				if _, err := w.Write([]theirs{their(id)}); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			if _, err := l.store.Put(t.Context(), "theirs.parquet", before.Bytes(), store.Condition{}); err != nil {
				t.Fatal(err)
			}
			row := their(perGroup + 501)
			change.changed(&row)
			b := column.NewBatch(l.schema.Kinds(), 0)
			b.Columns[0].Int64s, b.Columns[2].Float64s, b.Columns[3].Int64s = []int64{row.ID}, []float64{row.Amount}, []int64{*row.Seen}
			if row.Name == nil {
				b.Columns[1].AppendNull()
			} else {
				b.Columns[1].Data = []byte(*row.Name)
				b.Columns[1].Append()
			}
			for _, i := range []int{0, 2, 3} {
				b.Columns[i].Append()
			}
			files := []table.DataFile{l.writeFile(&l.schema, []*column.Batch{b}, true)}
			changes, err := merge.Load(t.Context(), l.store, &l.schema, files, nil)
			if err != nil {
				t.Fatal(err)
			}
			m := merge.Merge{Store: l.store, Schema: l.schema, Changes: changes, ChangeFiles: files, Version: "test", Parallel: 2,
				Files: []table.StoredFile{{Key: "theirs.parquet", Size: int64(before.Len()), Rows: perGroup * groups}},
				Keys:  func(unit string) (string, string) { return unit + "-", ".parquet" }}
			out, err := m.Run(t.Context())
			if err != nil || len(out.Add) != 1 || out.Updated != 1 {
				t.Fatalf("%+v, %v", out, err)
			}
			was, is := chunks(t, l.store, "theirs.parquet"), chunks(t, l.store, out.Add[0].Key)
			if len(was) != groups || len(is) != groups {
				t.Fatalf("%d row groups became %d", len(was), len(is))
			}
			for g := range was {
				for c := range was[g] {
					if same := bytes.Equal(was[g][c], is[g][c]); same == change.differs[[2]int{g, c}] {
						t.Errorf("row group %d, column %s: it is the same: %t", g, l.schema.Columns[c].Name, same)
					}
				}
			}
			id := 0
			for _, b := range l.batches(out.Add[0].Key, out.Add[0].File.Size, &l.schema) {
				for i := range b.Rows() {
					want := their(id)
					if int64(id) == row.ID {
						want = row
					}
					if got := show(b.Columns[0], i) + show(b.Columns[1], i) + show(b.Columns[2], i) + show(b.Columns[3], i); got != want.String() {
						t.Fatalf("row %d is %s, not %s", id, got, want)
					}
					id++
				}
			}
			if id != perGroup*groups {
				t.Errorf("%d rows", id)
			}
		})
	}
}
