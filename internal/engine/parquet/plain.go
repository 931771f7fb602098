package parquet

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding"
	"github.com/parquet-go/parquet-go/encoding/bytestreamsplit"
	"github.com/parquet-go/parquet-go/encoding/delta"
	"github.com/parquet-go/parquet-go/encoding/plain"
	"github.com/parquet-go/parquet-go/encoding/rle"
	"github.com/parquet-go/parquet-go/format"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

// encodings are those that other writers use, by their physical types' own rules.
var encodings = map[format.Encoding]encoding.Encoding{
	format.Plain: &plain.Encoding{}, format.RLE: &rle.Encoding{BitWidth: 1}, format.DeltaBinaryPacked: &delta.BinaryPackedEncoding{},
	format.DeltaLengthByteArray: &delta.LengthByteArrayEncoding{}, format.DeltaByteArray: &delta.ByteArrayEncoding{},
	format.ByteStreamSplit: &bytestreamsplit.Encoding{},
}

// plainValues are values of a physical type, without NULLs. One of the slices is in use.
type plainValues struct {
	count int
	bits  []byte
	// booleans are bits in words.
	booleans levels
	int32s   []int32
	int64s   []int64
	floats   []float32
	doubles  []float64
	// data holds texts, text i being data[offsets[i]:offsets[i+1]], or values of fixed length.
	data    []byte
	offsets []uint32
}

// decode reads count values. Those of bytes may lie in body afterwards.
func (p *plainValues) decode(e format.Encoding, leaf *format.SchemaElement, count int, body []byte) (err error) {
	by, ok := encodings[e]
	if !ok {
		return fmt.Errorf("it is encoded as %s, which is not read here", e)
	}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: values encoded as %s: %v", errDamaged, e, r)
		}
	}()
	if count < 0 || count > maxPage {
		return fmt.Errorf("%w: %d values", errDamaged, count)
	}
	if p.count = count; count == 0 {
		return nil
	}
	there := 0
	switch leaf.Type.V {
	case format.Boolean:
		if e == format.RLE {
			return p.runs(body)
		}
		p.bits, err = by.DecodeBoolean(p.bits[:0], body)
		there = 8 * len(p.bits)
	case format.Int32:
		p.int32s, err = by.DecodeInt32(p.int32s[:0], fixed(e, body, 4, count))
		there = len(p.int32s)
	case format.Int64:
		p.int64s, err = by.DecodeInt64(p.int64s[:0], fixed(e, body, 8, count))
		there = len(p.int64s)
	case format.Float:
		p.floats, err = by.DecodeFloat(p.floats[:0], fixed(e, body, 4, count))
		there = len(p.floats)
	case format.Double:
		p.doubles, err = by.DecodeDouble(p.doubles[:0], fixed(e, body, 8, count))
		there = len(p.doubles)
	case format.ByteArray:
		if p.data, p.offsets, err = by.DecodeByteArray(p.data[:0], body, p.offsets[:0]); err == nil {
			there = len(p.offsets) - 1
		}
	case format.FixedLenByteArray:
		size := int(leaf.TypeLength.V)
		if size < 1 || size > math.MaxInt16 {
			return fmt.Errorf("%w: values of %d bytes", errDamaged, size)
		}
		p.data, err = by.DecodeFixedLenByteArray(p.data[:0], fixed(e, body, size, count), size)
		there = len(p.data) / size
	default:
		return fmt.Errorf("its values are of type %s, which is not read here", leaf.Type.V)
	}
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", errDamaged, err)
	case there < count:
		return fmt.Errorf("%w: %d values where %d are told", errDamaged, there, count)
	default:
		return nil
	}
}

// runs reads booleans that are encoded as levels are, behind their length. The library takes all runs for whole bytes.
func (p *plainValues) runs(body []byte) error {
	if len(body) < 4 || uint64(binary.LittleEndian.Uint32(body)) > uint64(len(body)-4) {
		return fmt.Errorf("%w: booleans of %d bytes", errDamaged, len(body))
	}
	if err := p.booleans.decode(body[4:4+binary.LittleEndian.Uint32(body)], p.count); err != nil {
		return err
	}
	p.bits = p.bits[:0]
	for _, word := range p.booleans.words {
		p.bits = binary.LittleEndian.AppendUint64(p.bits, word)
	}
	return nil
}

// fixed cuts what some writers leave behind plain values.
func fixed(e format.Encoding, body []byte, size, count int) []byte {
	if e == format.Plain && len(body) > size*count {
		return body[:size*count]
	}
	return body
}

// put puts values, or those of a dictionary that numbers name, into the rows that have such.
func (p *plainValues) put(v *column.Vector, as schema.Type, leaf *format.SchemaElement, l *levels, numbers []int32) error {
	mismatch := func() error {
		return fmt.Errorf("its values of type %s cannot be read as %s", leaf.Type.V, as)
	}
	if err := scaleOf(as, leaf); err != nil {
		return err
	}
	at := placed{l: l, numbers: numbers}
	switch leaf.Type.V {
	case format.Boolean:
		if v.Kind != column.Bool {
			return mismatch()
		}
		first := v.Extend(l.rows)
		at.each(v, first, func(row, value int) { v.Bools[row] = p.bits[value>>3]>>(value&7)&1 == 1 })
	case format.Int32:
		return putInts(v, p.int32s, at, mismatch)
	case format.Int64:
		return putInts(v, p.int64s, at, mismatch)
	case format.Float:
		switch v.Kind {
		case column.Float32:
			spread(v, func(v *column.Vector) []float32 { return v.Float32s }, p.floats, at)
		case column.Float64:
			spread(v, func(v *column.Vector) []float64 { return v.Float64s }, p.floats, at)
		default:
			return mismatch()
		}
	case format.Double:
		if v.Kind != column.Float64 {
			return mismatch()
		}
		spread(v, func(v *column.Vector) []float64 { return v.Float64s }, p.doubles, at)
	case format.ByteArray:
		if v.Kind == column.Bytes {
			return p.texts(v, l, numbers)
		}
		return p.decimals(v, as, at, func(i int) []byte { return p.data[p.offsets[i]:p.offsets[i+1]] }, mismatch)
	default:
		size := int(leaf.TypeLength.V)
		value := func(i int) []byte { return p.data[i*size : (i+1)*size] }
		if v.Kind == column.Bytes && as.ID == schema.Binary {
			p.offsets = p.offsets[:0]
			for i := range p.count + 1 {
				p.offsets = append(p.offsets, uint32(i*size))
			}
			return p.texts(v, l, numbers)
		}
		return p.decimals(v, as, at, value, mismatch)
	}
	return nil
}

// scaleOf refuses decimals of another scale, and times that do not count microseconds.
func scaleOf(as schema.Type, leaf *format.SchemaElement) error {
	if as.ID == schema.Decimal {
		if scale := int(leaf.Scale.V); scale != as.Scale {
			return fmt.Errorf("its decimals have %d places behind the point and the table's have %d", scale, as.Scale)
		}
	}
	if stamp, ok := leaf.LogicalType.Value.(*format.TimestampType); ok {
		if _, micros := stamp.Unit.Value.(*format.MicroSeconds); !micros {
			return fmt.Errorf("its times do not count microseconds")
		}
	}
	if leaf.ConvertedType.Valid && leaf.ConvertedType.V == deprecated.TimestampMillis {
		return fmt.Errorf("its times count milliseconds")
	}
	return nil
}

// placed says where values go: into which rows, and by which numbers of a dictionary.
type placed struct {
	l       *levels
	numbers []int32
}

// each calls set with every row that has a value, and the value's place.
func (p placed) each(v *column.Vector, first int, set func(row, value int)) {
	value := 0
	for row := range p.l.rows {
		if p.l.null(row) {
			v.SetNull(first + row)
			continue
		}
		if p.numbers != nil {
			set(first+row, int(p.numbers[value]))
		} else {
			set(first+row, value)
		}
		value++
	}
}

var errLong = fmt.Errorf("its values have more than %d bytes together", column.MaxData)

// texts puts texts into the rows that have values, in their order or as numbers name them.
func (p *plainValues) texts(v *column.Vector, l *levels, numbers []int32) error {
	value := 0
	for row := 0; row < l.rows; {
		end := l.runEnd(row)
		if l.null(row) {
			for ; row < end; row++ {
				v.AppendNull()
			}
			continue
		}
		last := value + end - row
		switch {
		case numbers != nil:
			if !v.AppendCoded(p.data, p.offsets, numbers[value:last]) {
				return errLong
			}
		case len(v.Data)+int(p.offsets[last]-p.offsets[value]) > column.MaxData:
			return errLong
		default:
			v.AppendTexts(p.data, p.offsets[value:last+1])
		}
		value, row = last, end
	}
	return nil
}

type number interface {
	~int32 | ~int64 | ~float32 | ~float64
}

// spread puts numbers into slots that may be wider.
func spread[T, S number](v *column.Vector, slots func(*column.Vector) []T, values []S, p placed) {
	first := v.Extend(p.l.rows)
	out := slots(v)[first:]
	switch {
	case p.l.nulls == 0 && p.numbers == nil:
		for i := range out {
			out[i] = T(values[i])
		}
	case p.l.nulls == 0:
		for i, n := range p.numbers {
			out[i] = T(values[n])
		}
	default:
		value := 0
		for row := range out {
			if p.l.null(row) {
				v.SetNull(first + row)
				continue
			}
			i := value
			if p.numbers != nil {
				i = int(p.numbers[value])
			}
			out[row] = T(values[i])
			value++
		}
	}
}

func putInts[S int32 | int64](v *column.Vector, values []S, p placed, mismatch func() error) error {
	switch v.Kind {
	case column.Int32:
		if _, wide := any(values).([]int64); wide {
			return mismatch()
		}
		spread(v, func(v *column.Vector) []int32 { return v.Int32s }, values, p)
	case column.Int64:
		spread(v, func(v *column.Vector) []int64 { return v.Int64s }, values, p)
	case column.Int128:
		first := v.Extend(p.l.rows)
		p.each(v, first, func(row, value int) { v.Wides[row] = column.WideOf(int64(values[value])) })
	default:
		return mismatch()
	}
	return nil
}

// decimals puts big-endian numbers in two's complement.
func (p *plainValues) decimals(v *column.Vector, as schema.Type, at placed, of func(int) []byte, mismatch func() error) error {
	if as.ID != schema.Decimal {
		return mismatch()
	}
	first := v.Extend(at.l.rows)
	var long error
	at.each(v, first, func(row, value int) {
		data := of(value)
		w, ok := wideFrom(data)
		if !ok || v.Kind == column.Int64 && w != column.WideOf(int64(w.Lo)) {
			long = fmt.Errorf("%w: a decimal of %d bytes in %s", errDamaged, len(data), as)
			return
		}
		if v.Kind == column.Int64 {
			v.Int64s[row] = int64(w.Lo)
		} else {
			v.Wides[row] = w
		}
	})
	return long
}

// wideFrom is the number that big-endian bytes in two's complement stand for; ok is false where it needs more than 16.
func wideFrom(data []byte) (column.Wide, bool) {
	var full [16]byte
	sign := byte(0)
	if len(data) > 0 && data[0] >= 0x80 {
		sign = 0xff
	}
	for len(data) > 16 {
		if data[0] != sign || (data[1]^sign)&0x80 != 0 {
			return column.Wide{}, false
		}
		data = data[1:]
	}
	for i := range full {
		full[i] = sign
	}
	copy(full[16-len(data):], data)
	return column.Wide{Hi: int64(binary.BigEndian.Uint64(full[:])), Lo: binary.BigEndian.Uint64(full[8:])}, true
}
