package parquet

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go/format"
	"pgregory.net/rapid"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

// fileOf writes one key column of some pages, each a vector, and returns what the footer says and the file's description.
func fileOf(t rapid.TB, typ schema.Type, pages ...*column.Vector) (format.ColumnMetaData, *format.ColumnIndex, FileColumn) {
	w, err := NewWriter(&bytes.Buffer{}, &schema.Table{Key: []string{"k"}, Columns: []schema.Column{{Name: "k", Type: typ}}}, "1", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range pages {
		if err := w.Write(&column.Batch{Columns: []*column.Vector{v}}); err != nil {
			t.Fatal(err)
		}
		if err := w.chunks[0].endPage(); err != nil {
			t.Fatal(err)
		}
	}
	file, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	var index *format.ColumnIndex
	if data := w.indexes[0][0].column; data != nil {
		index = &format.ColumnIndex{}
		if err := unmarshal(data, index); err != nil {
			t.Fatal(err)
		}
	}
	return w.metadata.RowGroups[0].Columns[0].MetaData, index, file.Columns[0]
}

func doubles(values ...float64) *column.Vector {
	v := column.NewVector(column.Float64, 0)
	for _, value := range values {
		v.Float64s = append(v.Float64s, value)
		v.Append()
	}
	return v
}

func texts(values ...string) *column.Vector {
	v := column.NewVector(column.Bytes, 0)
	for _, value := range values {
		v.Data = append(v.Data, value...)
		v.Append()
	}
	return v
}

// A chunk in which something is not a number tells no bounds, for readers hold that for larger than all numbers: they
// would pass over it. The file's bounds leave it out, as Iceberg wants them.
func TestNaNIsNotPassedOver(t *testing.T) {
	t.Parallel()
	double := schema.Type{ID: schema.Double}
	m, index, file := fileOf(t, double, doubles(1, 2), doubles(3, math.NaN()))
	if m.Statistics.MinValue != nil || m.Statistics.MaxValue != nil || index != nil {
		t.Errorf("bounds %x to %x, index %v", m.Statistics.MinValue, m.Statistics.MaxValue, index)
	}
	_, _, want := fileOf(t, double, doubles(1, 3))
	if !bytes.Equal(file.Lower, want.Lower) || !bytes.Equal(file.Upper, want.Upper) || *file.NaNs != 1 {
		t.Errorf("the file's bounds are %x to %x, with %d that are no numbers", file.Lower, file.Upper, *file.NaNs)
	}
	if m, index, _ := fileOf(t, double, doubles(1, 2), doubles(3)); m.Statistics.MinValue == nil || index == nil {
		t.Error("numbers alone have no bounds")
	}
	if _, _, file := fileOf(t, double, doubles(math.NaN())); file.Lower != nil || file.Upper != nil {
		t.Errorf("bounds %x to %x of what is not a number", file.Lower, file.Upper)
	}
}

// Bounds of zero cover both zeros, whichever was seen.
func TestBothZerosLieWithinBounds(t *testing.T) {
	t.Parallel()
	for _, zero := range []float64{0, math.Copysign(0, -1)} {
		m, index, file := fileOf(t, schema.Type{ID: schema.Double}, doubles(zero))
		for what, got := range map[string][2][]byte{
			"statistics": {m.Statistics.MinValue, m.Statistics.MaxValue}, "index": {index.MinValues[0], index.MaxValues[0]}, "file": {file.Lower, file.Upper},
		} {
			if !bytes.Equal(got[0], []byte{7: 0x80}) || !bytes.Equal(got[1], make([]byte, 8)) {
				t.Errorf("%s of %v: %x to %x", what, zero, got[0], got[1])
			}
		}
	}
}

// Bounds of texts hold all of them, are exact where these are short, and take up little memory where they are long.
func TestBoundsOfLongTexts(t *testing.T) {
	t.Parallel()
	letters := []string{"a", "b", "é", "日", "\U0010FFFF", "\U0001F642", "\xff", "\x00"}
	rapid.Check(t, func(t *rapid.T) {
		common := strings.Repeat(rapid.SampledFrom(letters).Draw(t, "letter"), rapid.IntRange(0, 80).Draw(t, "times"))
		valid := rapid.Bool().Draw(t, "valid")
		values := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string {
			tail := strings.Join(rapid.SliceOfN(rapid.SampledFrom(letters), 0, 12).Draw(t, "tail"), "")
			if text := common + tail; !valid || utf8.ValidString(text) {
				return text
			}
			return strings.ToValidUTF8(common+tail, "?")
		}), 1, 6).Draw(t, "texts")
		typ := rapid.SampledFrom([]schema.Type{{ID: schema.String}, {ID: schema.Binary}}).Draw(t, "type")
		b, whole := bounds{typ: typ}, bounds{typ: typ}
		low, high := values[0], values[0]
		for _, value := range values {
			page := bounds{typ: typ}
			page.text([]byte(value))
			whole.merge(&page)
			b.text([]byte(value))
			low, high = min(low, value), max(high, value)
		}
		for _, b := range []*bounds{&b, &whole} {
			if len(b.lowText) > heldBound || len(b.highText) > heldBound {
				t.Fatalf("%d and %d bytes are held", len(b.lowText), len(b.highText))
			}
			lower, upper := b.encoded()
			if string(lower) > low || upper != nil && string(upper) < high {
				t.Fatalf("%q to %q are told as %q to %q", low, high, lower, upper)
			}
			if len(low) <= exactBound && string(lower) != low || len(high) <= exactBound && string(upper) != high {
				t.Fatalf("%q to %q, which are short, are told as %q to %q", low, high, lower, upper)
			}
			if wantLow, wantHigh := cutWhole(typ, low, high); !bytes.Equal(lower, wantLow) || !bytes.Equal(upper, wantHigh) {
				if utf8.ValidString(low) && utf8.ValidString(high) {
					t.Fatalf("%q to %q are told as %q to %q, not %q to %q", low, high, lower, upper, wantLow, wantHigh)
				}
			}
		}
	})
}

// cutWhole are the bounds as they are told of whole texts.
func cutWhole(typ schema.Type, low, high string) (lower, upper []byte) {
	if typ.ID == schema.String {
		return cutText([]byte(low), false), cutText([]byte(high), true)
	}
	return cutBinary([]byte(low), false), cutBinary([]byte(high), true)
}

// The order of pages' bounds is that of what is told: a long text is cut, and may come before a shorter one then.
func TestOrderOfCutBounds(t *testing.T) {
	t.Parallel()
	_, index, _ := fileOf(t, schema.Type{ID: schema.String}, texts(strings.Repeat("a", 60)), texts(strings.Repeat("a", 70)))
	if bytes.Compare(index.MinValues[0], index.MinValues[1]) <= 0 {
		t.Fatalf("%q comes before %q", index.MinValues[0], index.MinValues[1])
	}
	if index.BoundaryOrder == format.Ascending {
		t.Error("the index says that bounds rise")
	}
}
