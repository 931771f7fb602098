package column_test

import (
	"bytes"
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
)

// A vector holds what was appended, NULLs included, over several fills.
func TestVectorHoldsWhatWasAppended(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		v := column.NewVector(column.Bytes, 4)
		for range rapid.IntRange(1, 3).Draw(t, "fills") {
			v.Reset()
			rows := rapid.SliceOfN(rapid.Ptr(rapid.SliceOfN(rapid.Byte(), 0, 5), true), 0, 200).Draw(t, "rows")
			nulls := 0
			for _, row := range rows {
				if row == nil {
					v.AppendNull()
					nulls++
					continue
				}
				v.Data = append(v.Data, *row...)
				v.Append()
			}
			if v.Len() != len(rows) || v.Nulls != nulls {
				t.Fatalf("%d rows with %d NULLs, want %d with %d", v.Len(), v.Nulls, len(rows), nulls)
			}
			for i, row := range rows {
				if v.IsNull(i) != (row == nil) || row != nil && !bytes.Equal(v.Bytes(i), *row) {
					t.Fatalf("row %d is %q (NULL: %v), want %v", i, v.Bytes(i), v.IsNull(i), row)
				}
			}
		}
	})
}

// Rows that Extend adds are as those that Append adds one by one, behind any others.
func TestExtendedRowsAreAppendedRows(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		extended, appended := column.NewVector(column.Int64, 0), column.NewVector(column.Int64, 0)
		one := func(value int64, null bool) {
			if null {
				appended.AppendNull()
				return
			}
			appended.Int64s = append(appended.Int64s, value)
			appended.Append()
		}
		for i := range rapid.IntRange(1, 5).Draw(t, "times") {
			if rapid.Bool().Draw(t, "reset") {
				extended.Reset()
				appended.Reset()
			}
			nulls := rapid.SliceOfN(rapid.Bool(), 0, 150).Draw(t, "nulls")
			if rapid.Bool().Draw(t, "one before") {
				extended.AppendNull()
				one(0, true)
			}
			first := extended.Extend(len(nulls))
			for row, null := range nulls {
				extended.Int64s[first+row] = int64(i*1000 + row)
				one(int64(i*1000+row), null)
				if null {
					extended.SetNull(first + row)
				}
			}
			if !slices.Equal(extended.Int64s, appended.Int64s) || !slices.Equal(extended.Valid, appended.Valid) || extended.Nulls != appended.Nulls || extended.Len() != appended.Len() {
				t.Fatalf("%v %x, not %v %x", extended.Int64s, extended.Valid, appended.Int64s, appended.Valid)
			}
		}
	})
}

func TestVectorsOfEveryKindKeepASlotForNull(t *testing.T) {
	t.Parallel()
	for kind := column.Bool; kind <= column.Bytes; kind++ {
		v := column.NewVector(kind, 0)
		for range 130 {
			v.AppendNull()
		}
		if v.Len() != 130 || v.Nulls != 130 || !v.IsNull(129) || v.Size() == 0 {
			t.Errorf("%s: %d rows, %d NULLs", kind, v.Len(), v.Nulls)
		}
		if kind != column.Bytes {
			v.SetNull(v.Extend(70) + 69)
			if v.Len() != 200 || v.Nulls != 131 || v.IsNull(198) || !v.IsNull(199) {
				t.Errorf("%s: %d rows, %d NULLs once it was extended", kind, v.Len(), v.Nulls)
			}
		}
		v.Reset()
		if v.Len() != 0 || v.Nulls != 0 {
			t.Errorf("%s: Reset left %d rows", kind, v.Len())
		}
	}
}

func TestWideAgreesWithBig(t *testing.T) {
	t.Parallel()
	toBig := func(w column.Wide) *big.Int {
		b := new(big.Int).Lsh(big.NewInt(w.Hi), 64)
		return b.Add(b, new(big.Int).SetUint64(w.Lo))
	}
	limit := new(big.Int).Lsh(big.NewInt(1), 127)
	rapid.Check(t, func(t *rapid.T) {
		w := column.Wide{Hi: rapid.Int64().Draw(t, "hi"), Lo: rapid.Uint64().Draw(t, "lo")}
		o := column.Wide{Hi: rapid.Int64().Draw(t, "other hi"), Lo: rapid.Uint64().Draw(t, "other lo")}
		if got, want := w.Cmp(o), toBig(w).Cmp(toBig(o)); got != want {
			t.Fatalf("Cmp is %d, want %d", got, want)
		}
		if minimum := new(big.Int).Neg(limit); toBig(w).Cmp(minimum) != 0 {
			if got, want := toBig(w.Neg()), new(big.Int).Neg(toBig(w)); got.Cmp(want) != 0 {
				t.Fatalf("Neg is %s, want %s", got, want)
			}
		}
		m, a := rapid.Uint64().Draw(t, "m"), rapid.Uint64().Draw(t, "a")
		got, ok := w.MulAdd(m, a)
		want := new(big.Int).Mul(toBig(w), new(big.Int).SetUint64(m))
		want.Add(want, new(big.Int).SetUint64(a))
		fits := w.Hi >= 0 && want.Cmp(limit) < 0
		if ok != fits || ok && toBig(got).Cmp(want) != 0 {
			t.Fatalf("MulAdd is %s (%v), want %s (%v)", toBig(got), ok, want, fits)
		}
	})
}
