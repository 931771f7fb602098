package column_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
)

// shown is a vector's rows.
func shown(v *column.Vector) []string {
	out := []string{}
	for i := range v.Len() {
		if v.IsNull(i) {
			out = append(out, "NULL")
			continue
		}
		switch v.Kind {
		case column.Bool:
			out = append(out, fmt.Sprint(v.Bools[i]))
		case column.Int32:
			out = append(out, fmt.Sprint(v.Int32s[i]))
		case column.Int64:
			out = append(out, fmt.Sprint(v.Int64s[i]))
		case column.Int128:
			out = append(out, fmt.Sprint(v.Wides[i]))
		case column.Float32:
			out = append(out, fmt.Sprintf("%08x", math.Float32bits(v.Float32s[i])))
		case column.Float64:
			out = append(out, fmt.Sprintf("%016x", math.Float64bits(v.Float64s[i])))
		default:
			out = append(out, string(v.Bytes(i)))
		}
	}
	return out
}

// draw appends rows, NULLs among them.
func draw(t *rapid.T, v *column.Vector, label string) {
	for _, n := range rapid.SliceOfN(rapid.Int8(), 0, 140).Draw(t, label) {
		switch v.Kind {
		case column.Bool:
			v.Bools = append(v.Bools, n > 20)
		case column.Int32:
			v.Int32s = append(v.Int32s, int32(n))
		case column.Int64:
			v.Int64s = append(v.Int64s, int64(n))
		case column.Int128:
			v.Wides = append(v.Wides, column.WideOf(int64(n)))
		case column.Float32:
			v.Float32s = append(v.Float32s, float32(n)/2)
		case column.Float64:
			v.Float64s = append(v.Float64s, float64(n)/2)
		default:
			v.Data = fmt.Append(v.Data, n)
		}
		v.Append()
		if n%4 == 0 && v.Kind != column.Bytes {
			v.SetNull(v.Len() - 1)
		} else if n%4 == 0 {
			v.AppendNull()
		}
	}
}

// Rows that are appended, set and compared are those of the other vector.
func TestRowsOfAnotherVector(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		kind := column.Kind(rapid.IntRange(int(column.Bool), int(column.Bytes)).Draw(t, "kind"))
		v, o := column.NewVector(kind, 0), column.NewVector(kind, 0)
		draw(t, v, "rows")
		draw(t, o, "others")
		want := shown(v)
		for range rapid.IntRange(0, 4).Draw(t, "times") {
			from := rapid.IntRange(0, o.Len()).Draw(t, "from")
			to := rapid.IntRange(from, o.Len()).Draw(t, "to")
			v.AppendRows(o, from, to)
			want = append(want, shown(o)[from:to]...)
		}
		if o.Len() > 0 {
			picks := rapid.SliceOfN(rapid.Uint32Range(0, uint32(o.Len()-1)), 0, 140).Draw(t, "picked")
			v.AppendPicked(o, picks)
			for _, i := range picks {
				want = append(want, shown(o)[i])
			}
		}
		if v.Len() > 0 && o.Len() > 0 && kind != column.Bytes {
			for range rapid.IntRange(0, 9).Draw(t, "sets") {
				i, j := rapid.IntRange(0, v.Len()-1).Draw(t, "i"), rapid.IntRange(0, o.Len()-1).Draw(t, "j")
				v.Set(i, o, j)
				want[i] = shown(o)[j]
			}
		}
		nulls := 0
		for i, text := range want {
			if text == "NULL" {
				nulls++
			}
			for j, other := range shown(o) {
				if v.Equal(i, o, j) != (text == other) {
					t.Fatalf("row %d (%s) and %d (%s): equal is %v", i, text, j, other, v.Equal(i, o, j))
				}
			}
		}
		if got := shown(v); !slices.Equal(got, want) || v.Nulls != nulls {
			t.Fatalf("%v with %d NULLs, not %v with %d", got, v.Nulls, want, nulls)
		}
	})
}
