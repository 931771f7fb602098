package parquet

import (
	"bytes"
	"testing"

	parquetgo "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
)

// hudiTable has decimals of each length in bytes up to 8, one that is longer, and a column that must have values.
func hudiTable() *schema.Table {
	t := &schema.Table{Layout: schema.LayoutHudi, Columns: []schema.Column{{Name: "id", Type: schema.Type{ID: schema.Long}, Required: true, FieldID: 1}}}
	for i, precision := range []int{2, 4, 6, 9, 11, 14, 16, 18, 20} {
		t.Columns = append(t.Columns, schema.Column{Name: "d" + string(rune('a'+i)), Type: schema.Type{ID: schema.Decimal, Precision: precision, Scale: 1}, FieldID: i + 2})
	}
	t.Columns = append(t.Columns, schema.Column{Name: "at", Type: schema.Type{ID: schema.Timestamp}, FieldID: 20})
	return t
}

// hudiRows are rows whose decimals repeat where repeats says so, so that they get a dictionary.
func hudiRows(t *schema.Table, rows int, repeats bool) *column.Batch {
	b := column.NewBatch(t.Kinds(), rows)
	for i := range int64(rows) {
		n := i - int64(rows)/2
		if repeats {
			n = i%5 - 2
		}
		for at, v := range b.Columns {
			switch {
			case at > 0 && i%7 == 0:
				v.AppendNull()
			case v.Kind == column.Int128:
				v.Wides = append(v.Wides, column.WideOf(n))
				v.Append()
			default:
				v.Int64s = append(v.Int64s, map[bool]int64{true: n % 99, false: n}[at == 1])
				v.Append()
			}
		}
	}
	return b
}

func TestHudiLayout(t *testing.T) {
	t.Parallel()
	for _, repeats := range []bool{true, false} {
		table, s := hudiTable(), store.NewDirectory(t.TempDir())
		out, err := s.Create(t.Context(), "f.parquet")
		if err != nil {
			t.Fatal(err)
		}
		w, err := NewWriter(out, table, "test", hudiRows(table, 3000, repeats))
		if err != nil {
			t.Fatal(err)
		}
		want := hudiRows(table, 3000, repeats)
		if err := w.Write(want); err != nil {
			t.Fatal(err)
		}
		w.Note("who", "we")
		file, err := w.Close()
		if err == nil {
			err = out.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		r, err := Open(t.Context(), s, "f.parquet", file.Size)
		if err != nil {
			t.Fatal(err)
		}
		if value, ok := r.Note("who"); value != "we" || !ok {
			t.Errorf("the footer says %q", value)
		}
		for i, c := range table.Columns {
			place, ok := r.Find(c)
			if !ok || place != i || r.leaves[i].FieldID != 0 || r.leaves[i].RepetitionType.V != format.Optional {
				t.Fatalf("column %s is %+v", c.Name, r.leaves[i])
			}
			if c.Type.ID == schema.Decimal && (r.leaves[i].Type.V != format.FixedLenByteArray || int(r.leaves[i].TypeLength.V) != DecimalBytes(c.Type.Precision)) {
				t.Errorf("%s is %s of %d bytes", c.Type, r.leaves[i].Type.V, r.leaves[i].TypeLength.V)
			}
			got := column.NewVector(c.Type.Kind(), 0)
			chunk, err := r.Chunk(t.Context(), 0, place, nil, c.Type)
			if err == nil {
				err = chunk.ReadAll(got)
			}
			if err != nil {
				t.Fatal(err)
			}
			for row := range want.Rows() {
				if !got.Equal(row, want.Columns[i], row) {
					t.Fatalf("%s, row %d came back otherwise", c.Name, row)
				}
			}
			if nulls := r.Nulls(0, place); nulls != want.Columns[i].Nulls {
				t.Errorf("%s has %d NULLs, the footer says %d", c.Name, want.Columns[i].Nulls, nulls)
			}
			low, high := r.Bounds(place, c.Type)
			if !bytes.Equal(low, file.Columns[i].Lower) || !bytes.Equal(high, file.Columns[i].Upper) || low == nil {
				t.Errorf("%s lies in %x..%x, the footer says %x..%x", c.Name, file.Columns[i].Lower, file.Columns[i].Upper, low, high)
			}
		}
		independent(t, s, file.Size, table)
	}
}

// independent has another reader look at the decimals' bounds, which its own writer gets wrong (parquet-go, issue 592).
func independent(t *testing.T, s store.Store, size int64, table *schema.Table) {
	t.Helper()
	data, err := store.Read(t.Context(), s, "f.parquet", size)
	if err != nil {
		t.Fatal(err)
	}
	f, err := parquetgo.OpenFile(bytes.NewReader(data), size)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range table.Columns {
		m := f.Metadata().RowGroups[0].Columns[i].MetaData
		if c.Type.ID != schema.Decimal {
			continue
		}
		low, _ := wideFrom(m.Statistics.MinValue)
		high, _ := wideFrom(m.Statistics.MaxValue)
		if len(m.Statistics.MinValue) != DecimalBytes(c.Type.Precision) || low.Hi != -1 || high.Hi != 0 {
			t.Errorf("%s has the bounds %x and %x", c.Name, m.Statistics.MinValue, m.Statistics.MaxValue)
		}
	}
}
