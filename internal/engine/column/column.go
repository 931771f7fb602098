// Package column holds typed column vectors, and batches of them: the form in which rows travel between
// readers, merges and writers. There are no row objects; a value is a slot of a typed slice.
package column

import (
	"fmt"
	"iter"
	"math/bits"
	"slices"
)

// Kind is how a vector stores its values.
type Kind uint8

// The kinds of vectors.
const (
	Bool Kind = iota + 1
	Int32
	Int64
	Int128
	Float32
	Float64
	Bytes
)

func (k Kind) String() string {
	if k >= Bool && k <= Bytes {
		return [...]string{"", "bool", "int32", "int64", "int128", "float32", "float64", "bytes"}[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Wide is a signed 128-bit integer in two's complement.
type Wide struct {
	Hi int64
	Lo uint64
}

// WideOf widens an integer.
func WideOf(v int64) Wide { return Wide{Hi: v >> 63, Lo: uint64(v)} }

// Cmp is -1, 0 or 1 as w is less than, equal to or greater than o.
func (w Wide) Cmp(o Wide) int {
	switch {
	case w.Hi < o.Hi || w.Hi == o.Hi && w.Lo < o.Lo:
		return -1
	case w == o:
		return 0
	default:
		return 1
	}
}

// Neg is -w, modulo 2^128.
func (w Wide) Neg() Wide {
	lo, carry := bits.Add64(^w.Lo, 1, 0)
	return Wide{Hi: int64(uint64(^w.Hi) + carry), Lo: lo}
}

// MulAdd is w*m + a modulo 2^128; ok tells that w was not negative and the result still fits 127 bits.
func (w Wide) MulAdd(m, a uint64) (result Wide, ok bool) {
	if w.Hi < 0 {
		return w, false
	}
	carry, lo := bits.Mul64(w.Lo, m)
	lo, c := bits.Add64(lo, a, 0)
	over, hi := bits.Mul64(uint64(w.Hi), m)
	hi, c = bits.Add64(hi, carry, c)
	return Wide{Hi: int64(hi), Lo: lo}, over == 0 && c == 0 && int64(hi) >= 0
}

// Vector is a column of one kind. Row i of a column without NULLs is slot i of the slice that belongs to the
// kind; a NULL row has a slot too, whose value means nothing (zero, or no bytes). Exactly one of the value
// slices is in use.
//
// The slices belong to the vector and are overwritten after Reset: whoever keeps a value copies it.
type Vector struct {
	Kind Kind
	// Valid has bit i%64 of word i/64 set when row i has a value.
	Valid []uint64
	// Nulls counts the rows without a value.
	Nulls int

	Bools    []bool
	Int32s   []int32
	Int64s   []int64
	Wides    []Wide
	Float32s []float32
	Float64s []float64
	// Data holds the bytes of all rows of kind Bytes, row i being Data[Offsets[i]:Offsets[i+1]].
	Data    []byte
	Offsets []uint32

	rows int
}

// NewVector makes an empty vector with room for some rows.
func NewVector(kind Kind, rows int) *Vector {
	v := &Vector{Kind: kind, Valid: make([]uint64, 0, (rows+63)/64)}
	switch kind {
	case Bool:
		v.Bools = make([]bool, 0, rows)
	case Int32:
		v.Int32s = make([]int32, 0, rows)
	case Int64:
		v.Int64s = make([]int64, 0, rows)
	case Int128:
		v.Wides = make([]Wide, 0, rows)
	case Float32:
		v.Float32s = make([]float32, 0, rows)
	case Float64:
		v.Float64s = make([]float64, 0, rows)
	case Bytes:
		v.Offsets = append(make([]uint32, 0, rows+1), 0)
	}
	return v
}

// Len is the number of rows.
func (v *Vector) Len() int { return v.rows }

// IsNull reports whether row i has no value.
func (v *Vector) IsNull(i int) bool { return v.Valid[i>>6]&(1<<(i&63)) == 0 }

// NullsIn counts the rows without a value, from up to but without to.
func (v *Vector) NullsIn(from, to int) int {
	if v.Nulls == 0 {
		return 0
	}
	nulls := to - from
	for start, end := range v.Runs(from, to) {
		nulls -= end - start
	}
	return nulls
}

// Runs yields the longest ranges of rows, from up to but without to, that have values, among those from first up to but
// without last.
func (v *Vector) Runs(first, last int) iter.Seq2[int, int] {
	return func(yield func(from, to int) bool) {
		n := last
		for i := first; i < n; {
			word := v.Valid[i>>6] >> (i & 63)
			if word == 0 {
				i = (i | 63) + 1
				continue
			}
			if i += bits.TrailingZeros64(word); i >= n {
				return
			}
			from := i
			for i < n {
				gap := ^v.Valid[i>>6] >> (i & 63)
				if gap == 0 {
					i = (i | 63) + 1
					continue
				}
				i += bits.TrailingZeros64(gap)
				break
			}
			if !yield(from, min(i, n)) {
				return
			}
		}
	}
}

// Reset empties the vector and keeps its memory.
func (v *Vector) Reset() {
	v.Valid, v.Nulls, v.rows = v.Valid[:0], 0, 0
	v.Bools, v.Int32s, v.Int64s, v.Wides = v.Bools[:0], v.Int32s[:0], v.Int64s[:0], v.Wides[:0]
	v.Float32s, v.Float64s, v.Data = v.Float32s[:0], v.Float64s[:0], v.Data[:0]
	if v.Kind == Bytes {
		v.Offsets = v.Offsets[:1]
	}
}

// Append marks the next row as having the value that was just appended to the slice of the vector's kind. For
// Bytes, it closes the row at the end of Data.
func (v *Vector) Append() {
	i := v.rows
	if i&63 == 0 {
		v.Valid = append(v.Valid, 0)
	}
	v.Valid[i>>6] |= 1 << (i & 63)
	if v.Kind == Bytes {
		v.Offsets = append(v.Offsets, uint32(len(v.Data)))
	}
	v.rows++
}

// Reserve makes room for a number of rows more, but not for texts.
func (v *Vector) Reserve(rows int) {
	switch v.Kind {
	case Bool:
		v.Bools = slices.Grow(v.Bools, rows)
	case Int32:
		v.Int32s = slices.Grow(v.Int32s, rows)
	case Int64:
		v.Int64s = slices.Grow(v.Int64s, rows)
	case Int128:
		v.Wides = slices.Grow(v.Wides, rows)
	case Float32:
		v.Float32s = slices.Grow(v.Float32s, rows)
	case Float64:
		v.Float64s = slices.Grow(v.Float64s, rows)
	case Bytes:
		v.Offsets = slices.Grow(v.Offsets, rows)
	}
}

// Extend adds rows that have values, of any kind but Bytes, and returns the number of the first: the caller sets their
// slots, which hold anything, or SetNull.
func (v *Vector) Extend(rows int) (first int) {
	v.Reserve(rows)
	first = v.rows
	switch end := first + rows; v.Kind {
	case Bool:
		v.Bools = v.Bools[:end]
	case Int32:
		v.Int32s = v.Int32s[:end]
	case Int64:
		v.Int64s = v.Int64s[:end]
	case Int128:
		v.Wides = v.Wides[:end]
	case Float32:
		v.Float32s = v.Float32s[:end]
	case Float64:
		v.Float64s = v.Float64s[:end]
	}
	v.extendValid(rows)
	return first
}

// extendValid marks further rows as having values.
func (v *Vector) extendValid(rows int) {
	if at := v.rows & 63; at > 0 {
		v.Valid[v.rows>>6] |= ^uint64(0) << at
	}
	v.rows += rows
	for len(v.Valid) < (v.rows+63)/64 {
		v.Valid = append(v.Valid, ^uint64(0))
	}
	if end := v.rows & 63; end > 0 {
		v.Valid[v.rows>>6] &= 1<<end - 1 // bits behind the last row are zero
	}
}

// SetNull takes the value of a row that Extend has added; it is called once a row at most.
func (v *Vector) SetNull(i int) {
	v.Valid[i>>6] &^= 1 << (i & 63)
	v.Nulls++
	switch v.Kind {
	case Bool:
		v.Bools[i] = false
	case Int32:
		v.Int32s[i] = 0
	case Int64:
		v.Int64s[i] = 0
	case Int128:
		v.Wides[i] = Wide{}
	case Float32:
		v.Float32s[i] = 0
	case Float64:
		v.Float64s[i] = 0
	}
}

// AppendNull adds a row without a value.
func (v *Vector) AppendNull() {
	if v.rows&63 == 0 {
		v.Valid = append(v.Valid, 0)
	}
	switch v.Kind {
	case Bool:
		v.Bools = append(v.Bools, false)
	case Int32:
		v.Int32s = append(v.Int32s, 0)
	case Int64:
		v.Int64s = append(v.Int64s, 0)
	case Int128:
		v.Wides = append(v.Wides, Wide{})
	case Float32:
		v.Float32s = append(v.Float32s, 0)
	case Float64:
		v.Float64s = append(v.Float64s, 0)
	case Bytes:
		v.Offsets = append(v.Offsets, uint32(len(v.Data)))
	}
	v.Nulls++
	v.rows++
}

// Bytes is row i of a vector of kind Bytes, valid until the vector changes.
func (v *Vector) Bytes(i int) []byte { return v.Data[v.Offsets[i]:v.Offsets[i+1]:v.Offsets[i+1]] }

// Size is the memory that the vector's rows take up, in bytes.
func (v *Vector) Size() int {
	return len(v.Bools) + 4*len(v.Int32s) + 8*len(v.Int64s) + 16*len(v.Wides) + 4*len(v.Float32s) + 8*len(v.Float64s) +
		len(v.Data) + 4*len(v.Offsets) + 8*len(v.Valid)
}

// MaxData bounds the bytes that a vector of kind Bytes may hold, so that its offsets fit.
const MaxData = 1 << 30

// Batch is some rows of a table, a vector a column.
type Batch struct {
	Columns []*Vector
}

// NewBatch makes an empty batch with room for some rows of the kinds.
func NewBatch(kinds []Kind, rows int) *Batch {
	b := &Batch{Columns: make([]*Vector, len(kinds))}
	for i, kind := range kinds {
		b.Columns[i] = NewVector(kind, rows)
	}
	return b
}

// Rows is the number of rows; all vectors have it.
func (b *Batch) Rows() int {
	if len(b.Columns) == 0 {
		return 0
	}
	return b.Columns[0].rows
}

// Size is the memory that the batch's rows take up, in bytes.
func (b *Batch) Size() int {
	size := 0
	for _, v := range b.Columns {
		size += v.Size()
	}
	return size
}

// Reset empties the batch and keeps its memory.
func (b *Batch) Reset() {
	for _, v := range b.Columns {
		v.Reset()
	}
}
