package parquet_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/parquet"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
)

// A row group that is copied alone into a file gives it the bounds of its own values, not those of the file that it was in.
// Texts that are no keys have no bounds in a row group, and keep the file's.
func TestCopiedBoundsAreExact(t *testing.T) {
	t.Parallel()
	for _, typ := range plainTypes {
		for _, key := range []bool{true, false} {
			if key && typ.ID == schema.Binary {
				continue // of which no row group tells bounds
			}
			t.Run(fmt.Sprint(typ, key), func(t *testing.T) {
				t.Parallel()
				columns := &schema.Table{Columns: []schema.Column{{Name: "c", Type: typ, FieldID: 1}}}
				if key {
					columns.Key = []string{"c"}
				}
				groups := make([]*column.Vector, 3)
				for g := range groups {
					groups[g] = column.NewVector(typ.Kind(), 0)
					for i := range 50 {
						put(groups[g], typ, uint64(1000*(g*2+1)+i*(2-g%2)))
					}
					groups[g].AppendNull()
				}
				write := func(groups ...*column.Vector) (*parquet.File, []byte) {
					var out bytes.Buffer
					w, err := parquet.NewWriter(&out, columns, "test", nil)
					for _, v := range groups {
						var g *parquet.GroupWriter
						if err == nil {
							g, err = w.Group(v.Len())
						}
						if err == nil {
							err = g.Encode(v)
						}
						if err == nil {
							err = g.End()
						}
					}
					if err != nil {
						t.Fatal(err)
					}
					file, err := w.Close()
					if err != nil {
						t.Fatal(err)
					}
					return file, out.Bytes()
				}
				all, data := write(groups...)
				alone, _ := write(groups[1])
				s := store.NewDirectory(t.TempDir())
				if _, err := s.Put(t.Context(), "all.parquet", data, store.Condition{}); err != nil {
					t.Fatal(err)
				}
				r, err := parquet.Open(t.Context(), s, "all.parquet", int64(len(data)))
				if err != nil {
					t.Fatal(err)
				}
				var out bytes.Buffer
				w, err := parquet.NewWriter(&out, columns, "test", nil)
				if err != nil {
					t.Fatal(err)
				}
				g, err := w.Group(r.Rows(1))
				if err == nil {
					err = g.Copy(t.Context(), r, 1, 0, nil, all.Columns[0].Lower, all.Columns[0].Upper)
				}
				if err == nil {
					err = g.End()
				}
				if err != nil {
					t.Fatal(err)
				}
				copied, err := w.Close()
				if err != nil {
					t.Fatal(err)
				}
				want := alone.Columns[0]
				if typ.Kind() == column.Bytes && !key {
					want = all.Columns[0]
				}
				if got := copied.Columns[0]; !bytes.Equal(got.Lower, want.Lower) || !bytes.Equal(got.Upper, want.Upper) || got.Lower == nil || got.Upper == nil || got.Nulls != 1 {
					t.Errorf("%x to %x with %d NULLs, not %x to %x", got.Lower, got.Upper, got.Nulls, want.Lower, want.Upper)
				}
			})
		}
	}
}
