package merge

import (
	"bytes"
	"encoding/binary"
	"slices"
	"sort"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// index is keys with the values of their first column in order, for files to be passed over by their bounds.
type index struct {
	*keys
	// first are the values where they are whole numbers; order are the keys by their values, where these are texts.
	first []int64
	order []int32
}

// newIndex puts the values in order; no key is added afterwards.
func newIndex(k *keys) *index {
	x := &index{keys: k}
	switch kind := k.columns[0].Type.Kind(); {
	case k.columns[0].Type.ID == schema.Decimal:
	case kind == column.Int32 || kind == column.Int64:
		x.first = slices.Clone(k.numbers)
		for i := range k.ends {
			x.first = append(x.first, int64(binary.LittleEndian.Uint64(k.text(i))))
		}
		slices.Sort(x.first)
	case kind == column.Bytes:
		for i := range k.ends {
			x.order = append(x.order, int32(i))
		}
		slices.SortFunc(x.order, func(a, b int32) int { return bytes.Compare(x.firstText(a), x.firstText(b)) })
	}
	return x
}

// firstText is a key's first column, as appendKey writes texts.
func (x *index) firstText(i int32) []byte {
	text := x.text(int(i))
	return text[4 : 4+binary.LittleEndian.Uint32(text)]
}

func (x *index) size() int { return x.keys.size() + 8*len(x.first) + 4*len(x.order) }

// mayHold reports whether a file may hold one of the keys, by its bounds of the key's first column.
func (x *index) mayHold(f *table.StoredFile) bool {
	id := x.columns[0].FieldID
	low, high := f.Lower[id], f.Upper[id]
	switch {
	case x.len() == 0:
		return false
	case low == nil || high == nil:
		return true
	case x.first != nil:
		from, ok1 := whole(low)
		to, ok2 := whole(high)
		if !ok1 || !ok2 {
			return true
		}
		at, _ := slices.BinarySearch(x.first, from)
		return at < len(x.first) && x.first[at] <= to
	case x.order != nil:
		at := sort.Search(len(x.order), func(i int) bool { return bytes.Compare(x.firstText(x.order[i]), low) >= 0 })
		return at < len(x.order) && bytes.Compare(x.firstText(x.order[at]), high) <= 0
	default:
		return true
	}
}

// whole reads a bound of a whole number, in Iceberg's single-value serialization.
func whole(bound []byte) (int64, bool) {
	switch len(bound) {
	case 4:
		return int64(int32(binary.LittleEndian.Uint32(bound))), true
	case 8:
		return int64(binary.LittleEndian.Uint64(bound)), true
	default:
		return 0, false
	}
}
