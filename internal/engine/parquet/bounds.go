package parquet

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
	"math/bits"
	"unicode/utf8"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

// exactBound is the length in bytes up to which bounds of text are told whole; longer ones are cut to cutBound
// code points. What is followed of a text is heldBound bytes at most: one code point more than exactBound, so that it is
// cut as all of it would be.
const (
	exactBound = 64
	cutBound   = 16
	heldBound  = exactBound + utf8.UTFMax
)

// bounds follows the smallest and largest value of a column while it is written, of a page, a row
// group or a file.
type bounds struct {
	typ schema.Type
	// width is the length in bytes of decimals that are stored as numbers, 0 for those of fixed length.
	width int
	some  bool
	// unknown says that there are values of which nothing is known.
	unknown     bool
	nulls, nans int64

	lowInt, highInt     int64
	lowWide, highWide   column.Wide
	lowFloat, highFloat float64
	// lowText and highText are the beginnings of texts, whole up to exactBound.
	lowText, highText []byte
	// lowStart and highStart are the prefixes of the texts.
	lowStart, highStart uint64
}

// add takes up the rows of a vector from up to but without to.
func (b *bounds) add(v *column.Vector, from, to int) {
	if v.Nulls == 0 {
		b.run(v, from, to)
		return
	}
	values := 0
	for start, end := range v.Runs(from, to) {
		values += end - start
		b.run(v, start, end)
	}
	b.nulls += int64(to - from - values)
}

// run takes up rows that all have values; there is at least one.
func (b *bounds) run(v *column.Vector, from, to int) {
	switch v.Kind {
	case column.Bool:
		for _, value := range v.Bools[from:to] {
			if value {
				b.integer(1)
			} else {
				b.integer(0)
			}
		}
	case column.Int32:
		low, high := extremes(v.Int32s[from:to])
		b.integer(int64(low))
		b.integer(int64(high))
	case column.Int64:
		low, high := extremes(v.Int64s[from:to])
		b.integer(low)
		b.integer(high)
	case column.Int128:
		for _, value := range v.Wides[from:to] {
			b.wide(value)
		}
	case column.Float32:
		floats(b, v.Float32s[from:to])
	case column.Float64:
		floats(b, v.Float64s[from:to])
	case column.Bytes:
		for i := from; i < to; i++ {
			b.text(v.Bytes(i))
		}
	}
}

// reset forgets what was seen.
func (b *bounds) reset() {
	b.some, b.nulls, b.nans = false, 0, 0
}

// merge takes up what another has seen of the same column.
func (b *bounds) merge(o *bounds) {
	b.nulls += o.nulls
	b.nans += o.nans
	if !o.some {
		return
	}
	switch b.typ.Kind() {
	case column.Int128:
		b.wide(o.lowWide)
		b.wide(o.highWide)
	case column.Float32, column.Float64:
		b.float(o.lowFloat)
		b.float(o.highFloat)
	case column.Bytes:
		b.text(o.lowText)
		b.text(o.highText)
	default:
		b.integer(o.lowInt)
		b.integer(o.highInt)
	}
}

// compare says how both bounds lie to those of another, which has seen values as well. Texts compare as they are told: one
// that is cut may be told before another that lies before it.
func (b *bounds) compare(o *bounds) (low, high int) {
	switch b.typ.Kind() {
	case column.Int128:
		return b.lowWide.Cmp(o.lowWide), b.highWide.Cmp(o.highWide)
	case column.Float32, column.Float64:
		return cmp.Compare(b.lowFloat, o.lowFloat), cmp.Compare(b.highFloat, o.highFloat)
	case column.Bytes:
		lowText, highText := b.plain()
		otherLow, otherHigh := o.plain()
		return bytes.Compare(lowText, otherLow), bytes.Compare(highText, otherHigh)
	default:
		return cmp.Compare(b.lowInt, o.lowInt), cmp.Compare(b.highInt, o.highInt)
	}
}

// extremes are the smallest and the largest of some values; there is at least one.
func extremes[T int32 | int64](values []T) (low, high T) {
	low, high = values[0], values[0]
	for _, value := range values {
		low, high = min(low, value), max(high, value)
	}
	return low, high
}

// floats takes up numbers, most of which lie between what was seen.
func floats[T float32 | float64](b *bounds, values []T) {
	for _, value := range values {
		if v := float64(value); !b.some || !(v >= b.lowFloat && v <= b.highFloat) {
			b.float(v)
		}
	}
}

func (b *bounds) integer(v int64) {
	if !b.some {
		b.some, b.lowInt, b.highInt = true, v, v
		return
	}
	b.lowInt, b.highInt = min(b.lowInt, v), max(b.highInt, v)
}

func (b *bounds) wide(v column.Wide) {
	if !b.some || v.Cmp(b.lowWide) < 0 {
		b.lowWide = v
	}
	if !b.some || v.Cmp(b.highWide) > 0 {
		b.highWide = v
	}
	b.some = true
}

func (b *bounds) float(v float64) {
	if math.IsNaN(v) {
		b.nans++
		return
	}
	if !b.some || v < b.lowFloat {
		b.lowFloat = v
	}
	if !b.some || v > b.highFloat {
		b.highFloat = v
	}
	b.some = true
}

func (b *bounds) text(v []byte) {
	start := prefix(v)
	if b.some && b.lowStart < start && start < b.highStart {
		return // most values lie between by their first bytes alone
	}
	if !b.some || bytes.Compare(v, b.lowText) < 0 {
		if b.lowText == nil {
			b.lowText = []byte{} // an empty text is a bound, and nil is none
		}
		b.lowText, b.lowStart = append(b.lowText[:0], beginning(v)...), start
	}
	if !b.some || bytes.Compare(v, b.highText) > 0 {
		if b.highText == nil {
			b.highText = []byte{}
		}
		b.highText, b.highStart = append(b.highText[:0], beginning(v)...), start
	}
	b.some = true
}

// beginning is what bounds need of a text: all of it, or more than exactBound bytes that end with a code point.
func beginning(v []byte) []byte {
	if len(v) <= heldBound {
		return v
	}
	for end := heldBound; end > exactBound; end-- {
		if utf8.RuneStart(v[end]) {
			return v[:end]
		}
	}
	return v[:heldBound] // no UTF-8
}

// prefix is the first eight bytes as a number, which sorts as they do; what is missing counts as zeros.
func prefix(v []byte) uint64 {
	if len(v) >= 8 {
		return binary.BigEndian.Uint64(v)
	}
	var start [8]byte
	copy(start[:], v)
	return binary.BigEndian.Uint64(start[:])
}

// plain are the bounds as statistics of Parquet hold them: plain values without their length; nil where there is none.
func (b *bounds) plain() (low, high []byte) {
	switch {
	case !b.some:
		return nil, nil
	case b.typ.ID == schema.Decimal && b.width == 0:
		start := 16 - decimalBytes(b.typ.Precision)
		lowest, highest := b.lowWide, b.highWide
		if b.typ.Kind() == column.Int64 {
			lowest, highest = column.WideOf(b.lowInt), column.WideOf(b.highInt)
		}
		low, high := wideBytes(lowest), wideBytes(highest)
		return low[start:], high[start:]
	case b.typ.ID == schema.Decimal && b.width == 4:
		return binary.LittleEndian.AppendUint32(nil, uint32(b.lowInt)), binary.LittleEndian.AppendUint32(nil, uint32(b.highInt))
	case b.typ.ID == schema.Decimal:
		return binary.LittleEndian.AppendUint64(nil, uint64(b.lowInt)), binary.LittleEndian.AppendUint64(nil, uint64(b.highInt))
	default:
		return b.encoded()
	}
}

// encoded are the bounds in Iceberg's single-value serialization (specification, "Appendix D"); nil where there
// is none.
func (b *bounds) encoded() (low, high []byte) {
	if !b.some || b.unknown {
		return nil, nil
	}
	switch b.typ.Kind() {
	case column.Bool:
		return []byte{byte(b.lowInt)}, []byte{byte(b.highInt)}
	case column.Int32:
		return binary.LittleEndian.AppendUint32(nil, uint32(b.lowInt)), binary.LittleEndian.AppendUint32(nil, uint32(b.highInt))
	case column.Int64:
		if b.typ.ID == schema.Decimal {
			return shortest(column.WideOf(b.lowInt)), shortest(column.WideOf(b.highInt))
		}
		return binary.LittleEndian.AppendUint64(nil, uint64(b.lowInt)), binary.LittleEndian.AppendUint64(nil, uint64(b.highInt))
	case column.Int128:
		return shortest(b.lowWide), shortest(b.highWide)
	case column.Float32:
		return binary.LittleEndian.AppendUint32(nil, math.Float32bits(float32(negativeZero(b.lowFloat)))),
			binary.LittleEndian.AppendUint32(nil, math.Float32bits(float32(positiveZero(b.highFloat))))
	case column.Float64:
		return binary.LittleEndian.AppendUint64(nil, math.Float64bits(negativeZero(b.lowFloat))),
			binary.LittleEndian.AppendUint64(nil, math.Float64bits(positiveZero(b.highFloat)))
	default:
		if b.typ.ID == schema.String {
			return cutText(b.lowText, false), cutText(b.highText, true)
		}
		return cutBinary(b.lowText, false), cutBinary(b.highText, true)
	}
}

// negativeZero makes a lower bound of zero cover both zeros, which compare equal and sort apart.
func negativeZero(v float64) float64 {
	if v == 0 {
		return math.Copysign(0, -1)
	}
	return v
}

func positiveZero(v float64) float64 {
	if v == 0 {
		return 0
	}
	return v
}

// shortest is the shortest big-endian two's complement of a number.
func shortest(w column.Wide) []byte {
	full := wideBytes(w)
	sign := w.Hi >> 63
	significant := bits.Len64(uint64(w.Hi^sign)) + 64
	if w.Hi == sign {
		significant = bits.Len64(w.Lo ^ uint64(sign))
	}
	return full[16-(significant/8+1):]
}

// wideBytes is a number in big-endian two's complement.
func wideBytes(w column.Wide) (out [16]byte) {
	binary.BigEndian.PutUint64(out[:], uint64(w.Hi))
	binary.BigEndian.PutUint64(out[8:], w.Lo)
	return out
}

// cutText shortens a bound of text. An upper one is raised behind the cut; where it cannot be, there is none.
func cutText(text []byte, upper bool) []byte {
	if len(text) <= exactBound {
		return bytes.Clone(text)
	}
	if !utf8.Valid(text) {
		return cutBinary(text, upper)
	}
	runes := []rune(string(text))
	runes = runes[:min(cutBound, len(runes))]
	if !upper {
		return []byte(string(runes))
	}
	for i := len(runes) - 1; i >= 0; i-- {
		next := runes[i] + 1
		if next == 0xD800 {
			next = 0xE000
		}
		if next <= utf8.MaxRune {
			return []byte(string(append(runes[:i], next)))
		}
	}
	return nil
}

func cutBinary(data []byte, upper bool) []byte {
	if len(data) <= exactBound {
		return bytes.Clone(data)
	}
	cut := bytes.Clone(data[:cutBound])
	if !upper {
		return cut
	}
	for i := len(cut) - 1; i >= 0; i-- {
		if cut[i] != 0xff {
			cut[i]++
			return cut[:i+1]
		}
	}
	return nil
}
