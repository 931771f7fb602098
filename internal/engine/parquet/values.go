package parquet

import (
	"math"
	"unsafe"

	parquetgo "github.com/parquet-go/parquet-go"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

// mirror has the layout of the library's Value: bits or a pointer with a length, then kind, levels and column. Making
// a Value by the library's constructors and setting its levels costs as much as encoding it; here a template with kind,
// levels and column set is copied, and only the bits are written.
type mirror struct {
	pointer unsafe.Pointer
	bits    uint64
	rest    uint64
}

// mirrored reports whether this build of the library has the layout. Where it has not, values are made by its
// constructors: slower, never wrong. A test fails when it has not.
var mirrored = func() bool {
	text := []byte("lakeland")
	number, bytes := parquetgo.Int64Value(0x0102030405060708).Level(0, 1, 5), parquetgo.ByteArrayValue(text).Level(0, 1, 5)
	if unsafe.Sizeof(number) != unsafe.Sizeof(mirror{}) {
		return false
	}
	n, b := asMirror(&number), asMirror(&bytes)
	again := parquetgo.Int64Value(0).Level(0, 1, 5)
	asMirror(&again).bits = 0x0102030405060708
	return n.bits == 0x0102030405060708 && n.pointer == nil && b.bits == uint64(len(text)) && b.pointer == unsafe.Pointer(unsafe.SliceData(text)) &&
		again == number && math.Float64bits(parquetgo.DoubleValue(1.5).Double()) == asBits(parquetgo.DoubleValue(1.5)) &&
		asBits(parquetgo.FloatValue(1.5)) == uint64(math.Float32bits(1.5)) && asBits(parquetgo.BooleanValue(true)) == 1 &&
		asBits(parquetgo.Int32Value(7)) == 7
}()

func asMirror(v *parquetgo.Value) *mirror { return (*mirror)(unsafe.Pointer(v)) }

func asBits(v parquetgo.Value) uint64 { return asMirror(&v).bits }

// stamper makes the values of one column.
type stamper struct {
	typ          schema.Type
	null, filled parquetgo.Value
	values       []parquetgo.Value
	// clean says that all values are the template but for their bits.
	clean bool
	// fixed holds the bytes of decimals of fixed length until their stride is written.
	fixed []byte
}

func newStamper(i int, c *schema.Column) stamper {
	defined := 1
	if c.Required {
		defined = 0
	}
	s := stamper{typ: c.Type, null: parquetgo.NullValue().Level(0, 0, i)}
	switch c.Type.Kind() {
	case column.Bool:
		s.filled = parquetgo.BooleanValue(false)
	case column.Int32:
		s.filled = parquetgo.Int32Value(0)
	case column.Int64:
		if s.filled = parquetgo.Int64Value(0); narrow(c.Type) {
			s.filled = parquetgo.Int32Value(0)
		}
	case column.Float32:
		s.filled = parquetgo.FloatValue(0)
	case column.Float64:
		s.filled = parquetgo.DoubleValue(0)
	case column.Int128:
		s.filled = parquetgo.FixedLenByteArrayValue(make([]byte, decimalBytes(c.Type.Precision)))
	default:
		s.filled = parquetgo.ByteArrayValue(nil)
	}
	s.filled = s.filled.Level(0, defined, i)
	return s
}

// narrow reports whether a decimal is stored in 32 bits.
func narrow(t schema.Type) bool { return t.ID == schema.Decimal && t.Precision <= 9 }

// stamp makes the values of rows from up to to. They are good until the next call.
func (s *stamper) stamp(v *column.Vector, from, to int) []parquetgo.Value {
	n := to - from
	if cap(s.values) < stride {
		s.values, s.clean = make([]parquetgo.Value, stride), false
	}
	out := s.values[:n]
	if v.Nulls > 0 || !s.clean {
		for i := range out {
			out[i] = s.filled
		}
	}
	// A stride that was shorter leaves what is behind it as it was, so only a whole one without NULLs is clean.
	s.clean = v.Nulls == 0 && (n == stride || s.clean)
	switch v.Kind {
	case column.Bool:
		for i, value := range v.Bools[from:to] {
			bits := uint64(0)
			if value {
				bits = 1
			}
			asMirror(&out[i]).bits = bits
		}
	case column.Int32:
		for i, value := range v.Int32s[from:to] {
			asMirror(&out[i]).bits = uint64(uint32(value))
		}
	case column.Int64:
		if narrow(s.typ) {
			for i, value := range v.Int64s[from:to] {
				asMirror(&out[i]).bits = uint64(uint32(value))
			}
			break
		}
		for i, value := range v.Int64s[from:to] {
			asMirror(&out[i]).bits = uint64(value)
		}
	case column.Float32:
		for i, value := range v.Float32s[from:to] {
			asMirror(&out[i]).bits = uint64(math.Float32bits(value))
		}
	case column.Float64:
		for i, value := range v.Float64s[from:to] {
			asMirror(&out[i]).bits = math.Float64bits(value)
		}
	case column.Int128:
		s.stampWide(out, v, from)
	default:
		for i := range out {
			text := v.Bytes(from + i)
			m := asMirror(&out[i])
			m.pointer, m.bits = unsafe.Pointer(unsafe.SliceData(text)), uint64(len(text))
		}
	}
	if v.Nulls > 0 {
		for i := range out {
			if v.IsNull(from + i) {
				out[i] = s.null
			}
		}
	}
	return out
}

// stampWide writes decimals of fixed length into a buffer that stays until the next stride.
func (s *stamper) stampWide(out []parquetgo.Value, v *column.Vector, from int) {
	length := decimalBytes(s.typ.Precision)
	if cap(s.fixed) < stride*16 {
		s.fixed = make([]byte, 0, stride*16) // never grown while values point into it
	}
	s.fixed = s.fixed[:0]
	for i := range out {
		start := len(s.fixed)
		s.fixed = append(s.fixed, wideBytes(v.Wides[from+i])[16-length:]...)
		m := asMirror(&out[i])
		m.pointer, m.bits = unsafe.Pointer(&s.fixed[start]), uint64(length)
	}
}

// construct makes the values by the library's constructors.
func (s *stamper) construct(v *column.Vector, from, to int) []parquetgo.Value {
	out, i := s.values[:0], s.null.Column()
	s.fixed = s.fixed[:0]
	if cap(s.fixed) < stride*16 {
		s.fixed = make([]byte, 0, stride*16)
	}
	for row := from; row < to; row++ {
		if v.IsNull(row) {
			out = append(out, s.null)
			continue
		}
		var value parquetgo.Value
		switch v.Kind {
		case column.Bool:
			value = parquetgo.BooleanValue(v.Bools[row])
		case column.Int32:
			value = parquetgo.Int32Value(v.Int32s[row])
		case column.Int64:
			if value = parquetgo.Int64Value(v.Int64s[row]); narrow(s.typ) {
				value = parquetgo.Int32Value(int32(v.Int64s[row]))
			}
		case column.Float32:
			value = parquetgo.FloatValue(v.Float32s[row])
		case column.Float64:
			value = parquetgo.DoubleValue(v.Float64s[row])
		case column.Int128:
			start := len(s.fixed)
			s.fixed = append(s.fixed, wideBytes(v.Wides[row])[16-decimalBytes(s.typ.Precision):]...)
			value = parquetgo.FixedLenByteArrayValue(s.fixed[start:])
		default:
			value = parquetgo.ByteArrayValue(v.Bytes(row))
		}
		out = append(out, value.Level(0, s.filled.DefinitionLevel(), i))
	}
	s.values = out
	return out
}
