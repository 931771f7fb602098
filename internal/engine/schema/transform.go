package schema

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"unicode/utf8"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
)

const (
	microsPerHour = 3_600_000_000
	microsPerDay  = 24 * microsPerHour
)

// Values are the field's values for the rows of a column of type t (Iceberg specification, "Partition Transforms"),
// of the type that Of says: NULL where the column is NULL. They are put into out, which is emptied before and must be of
// that type's kind; Identity returns v itself and leaves out alone.
func (f PartitionField) Values(t Type, v, out *column.Vector) (*column.Vector, error) {
	result, err := f.Of(t)
	switch {
	case err != nil:
		return nil, err
	case v.Kind != t.Kind():
		return nil, fmt.Errorf("%s: its column is %s, and its values are of kind %s", f, t, v.Kind)
	case f.Transform == Identity:
		return v, nil
	case out.Kind != result.Kind():
		return nil, fmt.Errorf("%s: its values are %s, and the vector for them is of kind %s", f, result, out.Kind)
	}
	out.Reset()
	switch {
	case f.Transform == Truncate && v.Kind == column.Bytes:
		f.truncateBytes(t, v, out)
		return out, nil
	case f.Transform == Truncate:
		f.truncateNumbers(v, out)
	case f.Transform == Bucket:
		f.bucket(t, v, out)
	default:
		f.times(t, v, out)
	}
	if v.Nulls > 0 {
		for i := range v.Len() {
			if v.IsNull(i) {
				out.SetNull(i)
			}
		}
	}
	return out, nil
}

// times counts years, months, days or hours since 1970, rounded towards the past.
func (f PartitionField) times(t Type, v, out *column.Vector) {
	out.Extend(v.Len())
	if t.ID == Date {
		for i, day := range v.Int32s {
			out.Int32s[i] = f.period(int64(day))
		}
		return
	}
	for i, micros := range v.Int64s {
		if f.Transform == Hour {
			out.Int32s[i] = int32(floor(micros, microsPerHour))
		} else {
			out.Int32s[i] = f.period(floor(micros, microsPerDay))
		}
	}
}

func floor(v, unit int64) int64 {
	q := v / unit
	if v%unit < 0 {
		q--
	}
	return q
}

// period is the year, month or day that a day since 1970 lies in.
func (f PartitionField) period(day int64) int32 {
	if f.Transform == Day {
		return int32(day)
	}
	// Counted from March of the year 0, leap days end years, and 400 years have a fixed number of days.
	day += 719468
	era := floor(day, 146097)
	ofEra := day - era*146097
	yearOfEra := (ofEra - ofEra/1460 + ofEra/36524 - ofEra/146096) / 365
	ofYear := ofEra - (365*yearOfEra + yearOfEra/4 - yearOfEra/100)
	month := (5*ofYear + 2) / 153 // 0 is March
	months := (era*400+yearOfEra-1970)*12 + month + 2
	if f.Transform == Month {
		return int32(months)
	}
	return int32(floor(months, 12))
}

func (f PartitionField) truncateNumbers(v, out *column.Vector) {
	out.Extend(v.Len())
	switch v.Kind {
	case column.Int32:
		w := int64(f.Width)
		for i, value := range v.Int32s {
			out.Int32s[i] = int32(floor(int64(value), w) * w)
		}
	case column.Int64:
		w := int64(f.Width)
		for i, value := range v.Int64s {
			out.Int64s[i] = floor(value, w) * w
		}
	default:
		for i, value := range v.Wides {
			out.Wides[i] = truncateWide(value, uint64(f.Width))
		}
	}
}

// truncateWide is the greatest multiple of w that is not above v.
func truncateWide(v column.Wide, w uint64) column.Wide {
	size := v
	if v.Hi < 0 {
		size = v.Neg()
	}
	_, rest := bits.Div64(uint64(size.Hi)%w, size.Lo, w)
	if v.Hi < 0 && rest > 0 {
		rest = w - rest
	}
	lo, borrow := bits.Sub64(v.Lo, rest, 0)
	return column.Wide{Hi: v.Hi - int64(borrow), Lo: lo}
}

// truncateBytes cuts texts to code points, and bytes to bytes.
func (f PartitionField) truncateBytes(t Type, v, out *column.Vector) {
	for i := range v.Len() {
		if v.IsNull(i) {
			out.AppendNull()
			continue
		}
		value := v.Bytes(i)
		end := min(len(value), f.Width)
		if t.ID == String {
			end = codePoints(value, f.Width)
		}
		out.Data = append(out.Data, value[:end]...)
		out.Append()
	}
}

// codePoints is the length in bytes of the first n code points of a text.
func codePoints(text []byte, n int) int {
	if len(text) <= n {
		return len(text)
	}
	at := 0
	for ; n > 0 && at < len(text); n-- {
		if text[at] < utf8.RuneSelf {
			at++
			continue
		}
		_, size := utf8.DecodeRune(text[at:])
		at += size
	}
	return at
}

// bucket spreads values by their hash (Iceberg specification, "Appendix B: 32-bit Hash Requirements").
func (f PartitionField) bucket(t Type, v, out *column.Vector) {
	out.Extend(v.Len())
	n := int32(f.Width)
	switch {
	case t.ID == Decimal:
		var buffer [16]byte
		for i := range v.Len() {
			var wide column.Wide
			if v.Kind == column.Int128 {
				wide = v.Wides[i]
			} else {
				wide = column.WideOf(v.Int64s[i])
			}
			out.Int32s[i] = int32(hashBytes(shortestBytes(wide, &buffer))&math.MaxInt32) % n
		}
	case v.Kind == column.Int32:
		for i, value := range v.Int32s {
			out.Int32s[i] = int32(hashLong(int64(value))&math.MaxInt32) % n
		}
	case v.Kind == column.Int64:
		for i, value := range v.Int64s {
			out.Int32s[i] = int32(hashLong(value)&math.MaxInt32) % n
		}
	default:
		for i := range v.Len() {
			out.Int32s[i] = int32(hashBytes(v.Bytes(i))&math.MaxInt32) % n
		}
	}
}

// shortestBytes is the shortest big-endian two's complement of a number.
func shortestBytes(w column.Wide, buffer *[16]byte) []byte {
	binary.BigEndian.PutUint64(buffer[:8], uint64(w.Hi))
	binary.BigEndian.PutUint64(buffer[8:], w.Lo)
	sign := byte(w.Hi >> 63)
	from := 0
	for from < 15 && buffer[from] == sign && (buffer[from+1]^sign)&0x80 == 0 {
		from++
	}
	return buffer[from:]
}

// The hash is murmur3_x86_32 with seed 0.
const (
	murmur1 = 0xcc9e2d51
	murmur2 = 0x1b873593
)

func mix(h, block uint32) uint32 {
	h ^= bits.RotateLeft32(block*murmur1, 15) * murmur2
	return bits.RotateLeft32(h, 13)*5 + 0xe6546b64
}

func finish(h uint32) uint32 {
	h = (h ^ h>>16) * 0x85ebca6b
	h = (h ^ h>>13) * 0xc2b2ae35
	return h ^ h>>16
}

// hashLong hashes the eight bytes of a number, the lowest first.
func hashLong(v int64) uint32 {
	return finish(mix(mix(0, uint32(v)), uint32(uint64(v)>>32)) ^ 8)
}

func hashBytes(data []byte) uint32 {
	h, length := uint32(0), uint32(len(data))
	for ; len(data) >= 4; data = data[4:] {
		h = mix(h, binary.LittleEndian.Uint32(data))
	}
	var rest uint32
	for i, b := range data {
		rest |= uint32(b) << (8 * i)
	}
	h ^= bits.RotateLeft32(rest*murmur1, 15) * murmur2
	return finish(h ^ length)
}
