package merge_test

import (
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/merge"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// Small files that are joined become files of the size that they are to have, whatever number of them there is, also where
// their row groups are so large that they are copied.
func TestJoinedFilesHaveASize(t *testing.T) {
	t.Parallel()
	const files, rows = 40, 128 << 10
	l := newTable(t, 1, "id")
	l.schema = schema.Table{Key: []string{"id"}, Columns: []schema.Column{{Name: "id", Type: schema.Type{ID: schema.Long}, Required: true, FieldID: 1}, {Name: "n", Type: schema.Type{ID: schema.Long}, FieldID: 2}}}
	file := func(from, count, n int64) table.DataFile {
		b := column.NewBatch(l.schema.Kinds(), 0)
		for i := range count {
			b.Columns[0].Int64s, b.Columns[1].Int64s = append(b.Columns[0].Int64s, from+i), append(b.Columns[1].Int64s, (n+1)*(i+1)*7919%1000)
			b.Columns[0].Append()
			b.Columns[1].Append()
		}
		return l.writeFile(&l.schema, []*column.Batch{b}, true)
	}
	var size int64
	var stock []table.StoredFile
	for n := range int64(files) {
		f := file(n*rows, rows, n)
		stock, size = append(stock, stored(f)), max(size, f.File.Size)
	}
	full := size*8 + 8 // a file is small up to an eighth of a full one
	changes := []table.DataFile{file(5, 1, 1<<40)}
	loaded, err := merge.Load(t.Context(), l.store, &l.schema, changes, nil)
	if err != nil {
		t.Fatal(err)
	}
	m := merge.Merge{Store: l.store, Schema: l.schema, Files: stock, Changes: loaded, ChangeFiles: changes, Version: "test", Parallel: 2, FileBytes: full, OnRead: true,
		Keys: func(unit string) (string, string) { return "joined-" + unit + "-", ".parquet" }}
	out, err := m.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var all int64
	for _, f := range out.Add {
		if all += f.File.Rows; f.File.Size > full+size {
			t.Errorf("a file of %d bytes, where %d are a full one and %d a row group", f.File.Size, full, size)
		}
	}
	if len(out.Remove) != files || all != files*rows || out.Updated != 1 {
		t.Errorf("%d files gave way to %d, of %d rows: %d updated, %d inserted", len(out.Remove), len(out.Add), all, out.Updated, out.Inserted)
	}
}
