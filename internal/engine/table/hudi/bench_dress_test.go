package hudi

import (
	"fmt"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/parquet"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

const dressedRows = 1 << 20

// trips are rows like those of the benchmark of merges: numbers, texts, times and amounts.
func trips() (*schema.Table, []*column.Batch) {
	s := &schema.Table{Layout: schema.LayoutHudi, Key: []string{"id"}}
	for i, c := range []schema.Column{
		{Name: "id", Type: schema.Type{ID: schema.Long}}, {Name: "at", Type: schema.Type{ID: schema.TimestampTZ}}, {Name: "fare", Type: schema.Type{ID: schema.Decimal, Precision: 10, Scale: 2}},
		{Name: "city", Type: schema.Type{ID: schema.String}}, {Name: "rider", Type: schema.Type{ID: schema.String}}, {Name: "note", Type: schema.Type{ID: schema.String}},
		{Name: "miles", Type: schema.Type{ID: schema.Double}}, {Name: "seats", Type: schema.Type{ID: schema.Int}},
	} {
		c.FieldID = i + 1
		s.Columns = append(s.Columns, c)
	}
	var out []*column.Batch
	x := uint64(1)
	for from := 0; from < dressedRows; from += partRows {
		b := column.NewBatch(s.Kinds(), partRows)
		for i := from; i < from+partRows; i++ {
			x = x*6364136223846793005 + 1442695040888963407
			for at, v := range b.Columns {
				switch v.Kind {
				case column.Int64:
					v.Int64s = append(v.Int64s, []int64{int64(i), 1.7e15 + int64(x>>30), int64(x >> 48)}[at])
				case column.Int32:
					v.Int32s = append(v.Int32s, int32(x>>61))
				case column.Float64:
					v.Float64s = append(v.Float64s, float64(x>>40)/100)
				default:
					v.Data = append(v.Data, []string{"", "", "", fmt.Sprint("city ", x>>58), fmt.Sprintf("%016x", x), fmt.Sprintf("a note of %d words, %d", x>>60, x>>44)}[at]...)
				}
				v.Append()
			}
		}
		out = append(out, b)
	}
	return s, out
}

func stageTrips(b *testing.B, s store.Store, t *schema.Table, rows []*column.Batch) *table.DataFile {
	b.Helper()
	w, err := s.Create(b.Context(), "staged.parquet")
	if err != nil {
		b.Fatal(err)
	}
	writer, err := parquet.NewWriter(w, t, "bench", rows[0])
	if err != nil {
		b.Fatal(err)
	}
	for _, r := range rows {
		if err := writer.Write(r); err != nil {
			b.Fatal(err)
		}
	}
	file, err := writer.Close()
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		b.Fatal(err)
	}
	return &table.DataFile{Key: "staged.parquet", File: *file}
}

// What it costs to make Hudi's file of a staged one, beside writing that one.
func BenchmarkDress(b *testing.B) {
	t, rows := trips()
	s := store.NewDirectory(b.TempDir())
	b.Run("stage", func(b *testing.B) {
		for b.Loop() {
			stageTrips(b, s, t, rows)
		}
	})
	staged := stageTrips(b, s, t, rows)
	keys, err := newKeyWriter(keyForm{columns: []string{"id"}}, t)
	if err != nil {
		b.Fatal(err)
	}
	d := &dressing{t: New(Options{Store: s, Version: "bench"}), instant: "20261130120000000", columns: fileColumns(t), keys: keys, avro: "{}"}
	b.Run("dress", func(b *testing.B) {
		for b.Loop() {
			o := &output{staged: staged, token: "1-2-3", group: group{"", "g-0"}}
			o.named(d.instant)
			if err := d.dress(b.Context(), o, 0); err != nil {
				b.Fatal(err)
			}
		}
	})
}
