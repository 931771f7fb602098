package column

import (
	"bytes"
	"math"
	"slices"
)

// Equal reports whether row i of a vector and row j of another of the same kind are the same: both NULL, or the same
// bits.
func (v *Vector) Equal(i int, o *Vector, j int) bool {
	if null := v.IsNull(i); null || o.IsNull(j) {
		return null && o.IsNull(j)
	}
	switch v.Kind {
	case Bool:
		return v.Bools[i] == o.Bools[j]
	case Int32:
		return v.Int32s[i] == o.Int32s[j]
	case Int64:
		return v.Int64s[i] == o.Int64s[j]
	case Int128:
		return v.Wides[i] == o.Wides[j]
	case Float32:
		return math.Float32bits(v.Float32s[i]) == math.Float32bits(o.Float32s[j])
	case Float64:
		return math.Float64bits(v.Float64s[i]) == math.Float64bits(o.Float64s[j])
	default:
		return bytes.Equal(v.Bytes(i), o.Bytes(j))
	}
}

// Set makes row i of a vector what row j of another of the same kind is; of any kind but Bytes, whose rows have no room
// for others.
func (v *Vector) Set(i int, o *Vector, j int) {
	null := o.IsNull(j)
	if was := v.IsNull(i); was != null {
		if null {
			v.SetNull(i)
			return
		}
		v.Valid[i>>6] |= 1 << (i & 63)
		v.Nulls--
	}
	if null {
		return
	}
	switch v.Kind {
	case Bool:
		v.Bools[i] = o.Bools[j]
	case Int32:
		v.Int32s[i] = o.Int32s[j]
	case Int64:
		v.Int64s[i] = o.Int64s[j]
	case Int128:
		v.Wides[i] = o.Wides[j]
	case Float32:
		v.Float32s[i] = o.Float32s[j]
	case Float64:
		v.Float64s[i] = o.Float64s[j]
	}
}

// AppendRows appends rows of another vector of the same kind, from up to but without to.
func (v *Vector) AppendRows(o *Vector, from, to int) {
	if from >= to {
		return
	}
	if v.Kind == Bytes {
		v.appendTexts(o, from, to)
		return
	}
	first := v.Extend(to - from)
	switch v.Kind {
	case Bool:
		copy(v.Bools[first:], o.Bools[from:to])
	case Int32:
		copy(v.Int32s[first:], o.Int32s[from:to])
	case Int64:
		copy(v.Int64s[first:], o.Int64s[from:to])
	case Int128:
		copy(v.Wides[first:], o.Wides[from:to])
	case Float32:
		copy(v.Float32s[first:], o.Float32s[from:to])
	case Float64:
		copy(v.Float64s[first:], o.Float64s[from:to])
	}
	v.takeNulls(first, o, from, to)
}

// takeNulls takes the NULLs of another vector's rows into rows that are marked as having values.
func (v *Vector) takeNulls(first int, o *Vector, from, to int) {
	if o.Nulls == 0 {
		return
	}
	at := from
	for start, end := range o.Runs(from, to) {
		for ; at < start; at++ {
			v.SetNull(first + at - from)
		}
		at = end
	}
	for ; at < to; at++ {
		v.SetNull(first + at - from)
	}
}

func (v *Vector) appendTexts(o *Vector, from, to int) {
	first := v.rows
	v.AppendTexts(o.Data, o.Offsets[from:to+1])
	v.takeNulls(first, o, from, to)
}

// AppendTexts appends rows that all have values, to a vector of kind Bytes: text i is data[offsets[i]:offsets[i+1]], and one offset
// more than there are texts says where the last one ends. The bytes are copied.
func (v *Vector) AppendTexts(data []byte, offsets []uint32) {
	last := len(offsets) - 1
	if last < 1 {
		return
	}
	moved := len(v.Data) - int(offsets[0])
	v.Data = append(v.Data, data[offsets[0]:offsets[last]]...)
	at := len(v.Offsets)
	v.Offsets = slices.Grow(v.Offsets, last)[:at+last]
	for i, end := range offsets[1:] {
		v.Offsets[at+i] = uint32(int(end) + moved)
	}
	v.extendValid(last)
}

// AppendCoded appends rows that all have values, to a vector of kind Bytes: text n is data[offsets[n]:offsets[n+1]], and numbers are
// those of the rows' texts. It stops, and returns false, where the rows would have more than MaxData bytes.
func (v *Vector) AppendCoded(data []byte, offsets []uint32, numbers []int32) bool {
	at := len(v.Offsets)
	v.Offsets = slices.Grow(v.Offsets, len(numbers))[:at+len(numbers)]
	all := v.Data
	for i, n := range numbers {
		text := data[offsets[n]:offsets[n+1]]
		if len(all)+len(text) > MaxData {
			v.Offsets = v.Offsets[:at]
			return false
		}
		all = append(all, text...)
		v.Offsets[at+i] = uint32(len(all))
	}
	v.Data = all
	v.extendValid(len(numbers))
	return true
}

// AppendPicked appends rows of another vector of the same kind, by their numbers and in that order.
func (v *Vector) AppendPicked(o *Vector, rows []uint32) {
	if len(rows) == 0 {
		return
	}
	first := v.rows
	switch v.Kind {
	case Bool:
		v.Bools = picked(v.Bools, o.Bools, rows)
	case Int32:
		v.Int32s = picked(v.Int32s, o.Int32s, rows)
	case Int64:
		v.Int64s = picked(v.Int64s, o.Int64s, rows)
	case Int128:
		v.Wides = picked(v.Wides, o.Wides, rows)
	case Float32:
		v.Float32s = picked(v.Float32s, o.Float32s, rows)
	case Float64:
		v.Float64s = picked(v.Float64s, o.Float64s, rows)
	default:
		for _, row := range rows {
			v.Data = append(v.Data, o.Data[o.Offsets[row]:o.Offsets[row+1]]...)
			v.Offsets = append(v.Offsets, uint32(len(v.Data)))
		}
	}
	v.extendValid(len(rows))
	if o.Nulls == 0 {
		return
	}
	for i, row := range rows {
		if o.IsNull(int(row)) {
			v.SetNull(first + i)
		}
	}
}

func picked[T any](to, from []T, rows []uint32) []T {
	for _, row := range rows {
		to = append(to, from[row])
	}
	return to
}
