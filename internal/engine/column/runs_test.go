package column_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
)

// The runs of a vector are its rows with values, in order, and each is as long as it can be.
func TestRunsAreTheRowsWithValues(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(rapid.IntRange(0, 9), 0, 300).Draw(t, "rows")
		dense := rapid.IntRange(0, 10).Draw(t, "dense")
		first := rapid.IntRange(0, len(rows)).Draw(t, "first")
		last := rapid.IntRange(first, len(rows)).Draw(t, "last")
		v := column.NewVector(column.Int32, 0)
		var want []int
		for i, draw := range rows {
			if draw >= dense {
				v.AppendNull()
				continue
			}
			v.Int32s = append(v.Int32s, int32(i))
			v.Append()
			if i >= first && i < last {
				want = append(want, i)
			}
		}
		var got []int
		end := -1
		for from, to := range v.Runs(first, last) {
			if from <= end || from >= to || to > last {
				t.Fatalf("a run from %d to %d behind %d", from, to, end)
			}
			for i := from; i < to; i++ {
				got = append(got, i)
			}
			end = to
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%v, not %v", got, want)
		}
	})
}
