package parquet

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

// The pinned release of the library has the layout that values are stamped into.
func TestTheLibrarysValuesHaveTheKnownLayout(t *testing.T) {
	t.Parallel()
	if !mirrored {
		t.Error("values are made by the library's constructors, which is slow: its Value has another layout now")
	}
}

var kinds = []schema.Type{
	{ID: schema.Boolean}, {ID: schema.Int}, {ID: schema.Long}, {ID: schema.Float}, {ID: schema.Double}, {ID: schema.String}, {ID: schema.TimestampTZ},
	{ID: schema.Decimal, Precision: 9, Scale: 2}, {ID: schema.Decimal, Precision: 18, Scale: 2}, {ID: schema.Decimal, Precision: 38, Scale: 10},
}

// Stamped values are those that the library's constructors make, whatever the vectors before held.
func TestStampedValuesAreTheConstructed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := schema.Column{Name: "c", Type: rapid.SampledFrom(kinds).Draw(t, "type"), Required: rapid.Bool().Draw(t, "required")}
		index := rapid.IntRange(0, 300).Draw(t, "index")
		fast, slow := newStamper(index, &c), newStamper(index, &c)
		for range 4 {
			v := drawVector(t, c)
			for from := 0; from < v.Len(); from += stride {
				to := min(from+stride, v.Len())
				got, want := fast.stamp(v, from, to), slow.construct(v, from, to)
				if len(got) != len(want) {
					t.Fatalf("%d values, not %d", len(got), len(want))
				}
				for i := range want {
					if g, w := fmt.Sprintf("%+v", got[i]), fmt.Sprintf("%+v", want[i]); g != w || got[i].Kind() != want[i].Kind() || string(got[i].Bytes()) != string(want[i].Bytes()) {
						t.Fatalf("row %d of %s: %s, not %s", from+i, c.Type, g, w)
					}
				}
			}
		}
	})
}

// drawVector draws up to two strides and a bit of a column.
func drawVector(t *rapid.T, c schema.Column) *column.Vector {
	v := column.NewVector(c.Type.Kind(), 0)
	nulls := !c.Required && rapid.Bool().Draw(t, "nulls")
	seed := rapid.Uint64().Draw(t, "seed")
	for i := range rapid.IntRange(0, 2*stride+7).Draw(t, "rows") {
		seed = seed*6364136223846793005 + 1442695040888963407
		if nulls && seed>>60 < 5 {
			v.AppendNull()
			continue
		}
		switch v.Kind {
		case column.Bool:
			v.Bools = append(v.Bools, seed>>63 == 1)
		case column.Int32:
			v.Int32s = append(v.Int32s, int32(seed>>32))
		case column.Int64:
			value := int64(seed)
			if narrow(c.Type) {
				value %= 1e9
			}
			v.Int64s = append(v.Int64s, value)
		case column.Int128:
			v.Wides = append(v.Wides, column.Wide{Hi: int64(seed) >> 3, Lo: seed * 31})
		case column.Float32:
			v.Float32s = append(v.Float32s, math.Float32frombits(uint32(seed>>33)))
		case column.Float64:
			v.Float64s = append(v.Float64s, float64(int64(seed))/3)
		default:
			v.Data = fmt.Appendf(v.Data, "%x", seed>>(i%60))
		}
		v.Append()
	}
	return v
}
