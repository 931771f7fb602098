package parquet

import (
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go/encoding/rle"
	"pgregory.net/rapid"
)

// Numbers decode to those that the library has encoded, in every width.
func TestNumbersOfEveryWidth(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.IntRange(1, 32).Draw(t, "width")
		var want []int32
		for range rapid.IntRange(0, 20).Draw(t, "parts") {
			n := int32(rapid.Uint32().Draw(t, "number") & uint32(1<<width-1))
			for i := range rapid.IntRange(1, 40).Draw(t, "times") {
				if want = append(want, n); rapid.Bool().Draw(t, "other") {
					n = int32((uint32(n)*1664525 + uint32(i)) & uint32(1<<width-1))
				}
			}
		}
		data, err := (&rle.Encoding{BitWidth: width}).EncodeInt32(nil, want)
		if err != nil {
			t.Fatal(err)
		}
		count := rapid.IntRange(0, len(want)).Draw(t, "count")
		got, err := decodeNumbers(nil, data, width, count)
		if err != nil || !slices.Equal(got, want[:count]) {
			t.Fatalf("%d bits: %v, %v, not %v", width, err, got, want[:count])
		}
		if _, err := decodeNumbers(nil, data, width, len(want)+1000); err == nil {
			t.Fatal("numbers that are not there were read")
		}
	})
}
