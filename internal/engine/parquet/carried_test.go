package parquet_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/parquet"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
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
