package parquet_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"testing"

	parquetgo "github.com/parquet-go/parquet-go"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/parquet"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

// shapes are ways in which a column's values come.
var shapes = []struct {
	name string
	// draw is value i of n; what it means is the type's.
	draw func(r *rand.Rand, i, n int) uint64
	// nulls is how many of ten rows have none.
	nulls int
}{
	{"few", func(r *rand.Rand, _, _ int) uint64 { return r.Uint64N(7) }, 1},
	{"one", func(*rand.Rand, int, int) uint64 { return 5 }, 0},
	{"many", func(r *rand.Rand, _, _ int) uint64 { return r.Uint64() }, 3},
	{"rising", func(_ *rand.Rand, i, _ int) uint64 { return uint64(i) }, 0},
	{"more than a dictionary holds, but not at first", func(r *rand.Rand, i, n int) uint64 {
		if i < n/4 {
			return r.Uint64N(3)
		}
		return r.Uint64()
	}, 2},
	{"runs", func(_ *rand.Rand, i, _ int) uint64 { return uint64(i / 100) }, 9},
	{"none", nil, 10},
}

var plainTypes = []schema.Type{
	{ID: schema.Boolean}, {ID: schema.Int}, {ID: schema.Long}, {ID: schema.Float}, {ID: schema.Double}, {ID: schema.TimestampTZ}, {ID: schema.String}, {ID: schema.Binary},
	decimal(9, 2), decimal(18, 4), decimal(38, 10),
}

// put appends a value of a type made of some bits, and returns how a reader shows it.
func put(v *column.Vector, t schema.Type, bits uint64) string {
	defer v.Append()
	switch v.Kind {
	case column.Bool:
		v.Bools = append(v.Bools, bits&1 == 1)
		return fmt.Sprint(bits&1 == 1)
	case column.Int32:
		v.Int32s = append(v.Int32s, int32(bits))
		return fmt.Sprint(int32(bits))
	case column.Int64:
		n := int64(bits)
		if t.ID == schema.Decimal {
			n %= 1e9
		}
		v.Int64s = append(v.Int64s, n)
		return fmt.Sprint(n)
	case column.Float32:
		f := math.Float32frombits(uint32(bits))
		v.Float32s = append(v.Float32s, f)
		return fmt.Sprintf("%08x", math.Float32bits(f))
	case column.Float64:
		v.Float64s = append(v.Float64s, math.Float64frombits(bits))
		return fmt.Sprintf("%016x", bits)
	case column.Int128:
		w := column.Wide{Hi: int64(bits) >> 40, Lo: bits}
		v.Wides = append(v.Wides, w)
		return fmt.Sprintf("%016x%016x", uint64(w.Hi), w.Lo)
	default:
		text := fmt.Sprintf("%016x", bits)
		if bits%3 == 0 {
			text = text[:bits%17]
		}
		v.Data = append(v.Data, text...)
		return text
	}
}

// show is a value as put returns it.
func show(t schema.Type, v parquetgo.Value) string {
	switch t.Kind() {
	case column.Bool:
		return fmt.Sprint(v.Boolean())
	case column.Int32:
		return fmt.Sprint(v.Int32())
	case column.Int64:
		if v.Kind() == parquetgo.Int32 {
			return fmt.Sprint(v.Int32())
		}
		return fmt.Sprint(v.Int64())
	case column.Float32:
		return fmt.Sprintf("%08x", math.Float32bits(v.Float()))
	case column.Float64:
		return fmt.Sprintf("%016x", math.Float64bits(v.Double()))
	case column.Int128:
		return fmt.Sprintf("%x", v.ByteArray())
	default:
		return string(v.ByteArray())
	}
}

// Every type in every shape reads back equal with another implementation, over pages, dictionaries that overflow and
// row groups; and what the indexes tell of pages holds.
func TestAnotherImplementationReadsPagesAndIndexes(t *testing.T) {
	t.Parallel()
	for _, required := range []bool{false, true} {
		for _, shape := range shapes {
			if required && shape.nulls > 0 {
				continue
			}
			t.Run(fmt.Sprintf("%s, required %v", shape.name, required), func(t *testing.T) {
				t.Parallel()
				table := &schema.Table{Key: []string{"c0", "c6"}}
				for i, typ := range plainTypes {
					table.Columns = append(table.Columns, schema.Column{Name: fmt.Sprint("c", i), Type: typ, Required: required, FieldID: i + 1})
				}
				r := rand.New(rand.NewPCG(uint64(len(shape.name)), 1))
				const rows = 90_000
				var out bytes.Buffer
				var w *parquet.Writer
				want := make([][]string, len(table.Columns))
				for row := 0; row < rows; {
					b := kinds(table)
					for range min(1+r.IntN(8192), rows-row) {
						for i, c := range table.Columns {
							if r.IntN(10) < shape.nulls {
								b.Columns[i].AppendNull()
								want[i] = append(want[i], "NULL")
								continue
							}
							want[i] = append(want[i], put(b.Columns[i], c.Type, shape.draw(r, row, rows)))
						}
						row++
					}
					var err error
					if w == nil {
						if w, err = parquet.NewWriter(&out, table, "1", b); err != nil {
							t.Fatal(err)
						}
					}
					if err := w.Write(b); err != nil {
						t.Fatal(err)
					}
				}
				if _, err := w.Close(); err != nil {
					t.Fatal(err)
				}
				file, err := parquetgo.OpenFile(bytes.NewReader(out.Bytes()), int64(out.Len()))
				if err != nil {
					t.Fatal(err)
				}
				for i, c := range table.Columns {
					reread(t, file, i, c, want[i])
				}
			})
		}
	}
}

// reread compares a column with what was written, page by page with the indexes.
func reread(t *testing.T, file *parquetgo.File, i int, c schema.Column, want []string) {
	t.Helper()
	at := 0
	for _, group := range file.RowGroups() {
		chunk := group.ColumnChunks()[i]
		offsets, err := chunk.OffsetIndex()
		if err != nil {
			t.Fatal(err)
		}
		bounds, err := chunk.ColumnIndex()
		if err != nil && !errors.Is(err, parquetgo.ErrMissingColumnIndex) {
			t.Fatal(err)
		}
		if indexed := err == nil && bounds.NumPages() > 0; !indexed && c.Type.ID != schema.Binary && c.Type.ID != schema.String {
			if kind := c.Type.Kind(); kind != column.Float32 && kind != column.Float64 { // pages of NaN alone have no bounds
				t.Errorf("column %s of %s has no index", c.Name, c.Type)
			}
		}
		pages := chunk.Pages()
		first := at
		for n := 0; ; n++ {
			page, err := pages.ReadPage()
			if errors.Is(err, io.EOF) {
				if n != offsets.NumPages() {
					t.Errorf("column %s: %d pages, %d in the index", c.Name, n, offsets.NumPages())
				}
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if offsets.FirstRowIndex(n) != int64(at-first) {
				t.Errorf("column %s: page %d begins at row %d, the index says %d", c.Name, n, at-first, offsets.FirstRowIndex(n))
			}
			values := make([]parquetgo.Value, page.NumValues())
			if got, err := page.Values().ReadValues(values); got != len(values) || err != nil && !errors.Is(err, io.EOF) {
				t.Fatalf("column %s: %d of %d values, %v", c.Name, got, len(values), err)
			}
			nulls := int64(0)
			for _, v := range values {
				got := "NULL"
				if v.IsNull() {
					nulls++
				} else {
					got = show(c.Type, v)
				}
				if got != want[at] {
					t.Fatalf("column %s of %s, row %d: %q, not %q", c.Name, c.Type, at, got, want[at])
				}
				at++
			}
			checkPageIndex(t, c, bounds, n, page.Type(), values, nulls)
			parquetgo.Release(page)
		}
		_ = pages.Close()
		if rising := c.Type.ID == schema.Long && want[100] == "100" && want[5000] == "5000"; rising && !bounds.IsAscending() {
			t.Errorf("column %s rises, and its index does not say so", c.Name)
		}
		for n := 1; bounds != nil && bounds.IsAscending() && n < bounds.NumPages(); n++ {
			if typ := chunk.Type(); c.Type.Kind() != column.Int128 && typ.Compare(bounds.MinValue(n-1), bounds.MinValue(n)) > 0 && !bounds.NullPage(n) && !bounds.NullPage(n-1) {
				t.Errorf("column %s: the index says that bounds rise, and page %d begins lower than %d", c.Name, n, n-1)
			}
		}
	}
	if at != len(want) {
		t.Errorf("column %s: %d rows of %d", c.Name, at, len(want))
	}
}

// checkPageIndex checks that a page's values lie within what the index tells, which counts its NULLs.
func checkPageIndex(t *testing.T, c schema.Column, bounds parquetgo.ColumnIndex, n int, typ parquetgo.Type, values []parquetgo.Value, nulls int64) {
	t.Helper()
	if bounds == nil || bounds.NumPages() == 0 {
		return
	}
	if bounds.NullCount(n) != nulls || bounds.NullPage(n) != (int(nulls) == len(values)) {
		t.Errorf("column %s, page %d: %d NULLs, the index says %d (only NULLs: %v)", c.Name, n, nulls, bounds.NullCount(n), bounds.NullPage(n))
	}
	if bounds.NullPage(n) || c.Type.Kind() == column.Int128 {
		return // this library compares decimals of fixed length without their sign
	}
	low, high, met := bounds.MinValue(n), bounds.MaxValue(n), false
	for _, v := range values {
		if v.IsNull() || v.Kind() == parquetgo.Double && math.IsNaN(v.Double()) || v.Kind() == parquetgo.Float && math.IsNaN(float64(v.Float())) {
			continue
		}
		if typ.Compare(v, low) < 0 || typ.Compare(v, high) > 0 {
			t.Fatalf("column %s of %s, page %d: %v lies outside of %v to %v", c.Name, c.Type, n, v, low, high)
		}
		met = met || typ.Compare(v, low) == 0
	}
	if !met {
		t.Errorf("column %s of %s, page %d: nothing is as low as %v", c.Name, c.Type, n, low)
	}
}
