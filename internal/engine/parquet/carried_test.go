package parquet_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/parquet"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/readback"
)

// carriedTexts are columns of every type, those of texts being carried.
func carriedTexts() *schema.Table {
	t := everyType()
	for i := range t.Columns {
		t.Columns[i].Carried = t.Columns[i].Type.ID == schema.String
	}
	return t
}

// writeConstants writes row groups of columns whose rows are all alike, in one file, in which a later group has another text.
func writeConstants(t *testing.T, folder string) (path string, want *readback.Table) {
	t.Helper()
	table := &schema.Table{Layout: schema.LayoutHudi}
	want = &readback.Table{}
	for i, name := range []string{"short", "long", "none"} {
		table.Columns = append(table.Columns, schema.Column{Name: name, Type: schema.Type{ID: schema.String}, FieldID: i + 1})
		want.Columns = append(want.Columns, [2]string{name, "string"})
	}
	var out bytes.Buffer
	w, err := parquet.NewWriter(&out, table, "1.2.3", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, rows := range []int{1, 70_000, 8} {
		texts := []string{"a" + strconv.Itoa(rows), strings.Repeat("é", 600+rows%7), ""}
		g, err := w.Group(rows)
		for _, text := range texts {
			if err == nil {
				err = g.EncodeConstant(text)
			}
		}
		if err == nil {
			err = g.End()
		}
		if err != nil {
			t.Fatal(err)
		}
		for range rows {
			want.Rows = append(want.Rows, []*string{&texts[0], &texts[1], &texts[2]})
		}
		want.Count += int64(rows)
	}
	file, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	if c := file.Columns[0]; string(c.Lower) != "a1" || string(c.Upper) != "a8" || c.Values != want.Count || c.Nulls != 0 {
		t.Errorf("the column is described as %+v", c)
	}
	path = filepath.Join(folder, "constant.parquet")
	if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path, want
}

// A column that is carried is short, and nothing is told of its values; nor of those of one that is unbound.
func TestCarriedTextsAreShortAndUnbound(t *testing.T) {
	t.Parallel()
	size := func(carried, unbound bool) int64 {
		table := &schema.Table{Key: []string{"c"}, Columns: []schema.Column{{Name: "c", Type: schema.Type{ID: schema.String}, FieldID: 1, Carried: carried}}}
		b := column.NewBatch(table.Kinds(), 0)
		for i := range 50_000 {
			if i%100 == 7 {
				b.Columns[0].AppendNull()
				continue
			}
			b.Columns[0].Data = strconv.AppendInt(append(b.Columns[0].Data, "20261130120000000_3_"...), int64(i), 10)
			b.Columns[0].Append()
		}
		var out bytes.Buffer
		w, err := parquet.NewWriter(&out, table, "1.2.3", b)
		if err != nil {
			t.Fatal(err)
		}
		if unbound {
			w.Unbound(0)
		}
		if err := w.Write(b); err != nil {
			t.Fatal(err)
		}
		file, err := w.Close()
		if err != nil {
			t.Fatal(err)
		}
		if c := file.Columns[0]; c.Nulls != 500 || (c.Lower == nil && c.Upper == nil) != (carried || unbound) {
			t.Errorf("carried %t, unbound %t: described as %+v", carried, unbound, c)
		}
		return file.Size
	}
	plain, carried := size(false, false), size(true, false)
	if unbound := size(false, true); unbound > plain {
		t.Errorf("%d bytes without bounds, %d with them", unbound, plain)
	}
	if carried > plain*2/3 {
		t.Errorf("%d bytes where texts are written by what sets them apart, %d otherwise", carried, plain)
	}
}

// A column that refers to another file says which rows have no value, takes up next to nothing, and leaves the row groups behind it as they
// would be. Only columns that are carried may refer.
func TestColumnsReferToOtherFiles(t *testing.T) {
	t.Parallel()
	const rows = 70_000 // more than two pages
	table := &schema.Table{Columns: []schema.Column{{Name: "c", Type: schema.Type{ID: schema.String}, FieldID: 1, Carried: true}, {Name: "d", Type: schema.Type{ID: schema.String}, FieldID: 2}}}
	texts := column.NewVector(column.Bytes, 0)
	for i := range rows {
		texts.Data = strconv.AppendInt(append(texts.Data, "20261130120000000_3_"...), int64(i), 10)
		texts.Append()
	}
	nulls := []int32{0, 1, 32767, 32768, 40_000, rows - 1}
	var out bytes.Buffer
	w, err := parquet.NewWriter(&out, table, "1.2.3", nil)
	if err != nil {
		t.Fatal(err)
	}
	group := func(first func(*parquet.GroupWriter) error) {
		g, err := w.Group(rows)
		if err == nil {
			err = first(g)
		}
		if err == nil {
			if g.Refer("other", 0, nil) == nil {
				t.Error("a column that is not carried refers to another file")
			}
			err = g.EncodeConstant("x")
		}
		if err == nil {
			err = g.End()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	encoded, sizes := func(g *parquet.GroupWriter) error { return g.Encode(texts) }, []int{}
	for _, first := range []func(*parquet.GroupWriter) error{encoded, encoded, func(g *parquet.GroupWriter) error { return g.Refer("raw/a b.parquet", 7, nulls) }, encoded} {
		before := out.Len()
		group(first)
		sizes = append(sizes, out.Len()-before)
	}
	if sizes[2] > 2000 || sizes[3] != sizes[1] {
		t.Errorf("the row groups take up %v bytes, the third of which refers to another", sizes)
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	folder := store.NewDirectory(t.TempDir())
	if _, err := folder.Put(t.Context(), "f", out.Bytes(), store.Condition{}); err != nil {
		t.Fatal(err)
	}
	r, err := parquet.Open(t.Context(), folder, "f", int64(out.Len()))
	if err != nil {
		t.Fatal(err)
	}
	for g, want := range []int{-1, -1, 7, -1} {
		key, to, ok := r.Refers(g, 0)
		if ok != (want >= 0) || ok && (to != want || key != "raw/a b.parquet") || !r.Carried(g, 0) || r.Carried(g, 1) {
			t.Errorf("row group %d refers to %d of %q, %v, want %d", g, to, key, ok, want)
		}
		chunk, err := r.Chunk(t.Context(), g, 0, nil, table.Columns[0].Type)
		v := column.NewVector(column.Bytes, 0)
		if err == nil {
			err = chunk.ReadAll(v)
		}
		if err != nil {
			t.Fatal(err)
		}
		missing := 0
		for i := range v.Len() {
			if null := ok && slices.Contains(nulls, int32(i)); null != v.IsNull(i) {
				t.Fatalf("row %d of row group %d has no value: %v", i, g, !null)
			} else if null {
				missing++
			}
		}
		if v.Len() != rows || v.Nulls != missing || r.Nulls(g, 0) != missing {
			t.Errorf("row group %d has %d rows, %d of them NULL; its footer says %d", g, v.Len(), v.Nulls, r.Nulls(g, 0))
		}
	}
}
