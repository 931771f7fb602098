package merge

import (
	"encoding/binary"
	"math"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
)

// appendRow writes a row for a spool: a bit per column that is set where there is a value, and the values. Row i of the
// batch is written with the values that instead gives in place of its own.
func appendRow(out []byte, b *column.Batch, i int, instead func(column int) (*column.Vector, int, bool)) []byte {
	bits := len(out)
	for range (len(b.Columns) + 7) / 8 {
		out = append(out, 0)
	}
	for c, v := range b.Columns {
		at := i
		if other, place, ok := instead(c); ok {
			v, at = other, place
		}
		if v.IsNull(at) {
			continue
		}
		out[bits+c>>3] |= 1 << (c & 7)
		switch v.Kind {
		case column.Bool:
			out = append(out, map[bool]byte{true: 1}[v.Bools[at]])
		case column.Int32:
			out = binary.LittleEndian.AppendUint32(out, uint32(v.Int32s[at]))
		case column.Int64:
			out = binary.LittleEndian.AppendUint64(out, uint64(v.Int64s[at]))
		case column.Int128:
			out = binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(out, uint64(v.Wides[at].Hi)), v.Wides[at].Lo)
		case column.Float32:
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(v.Float32s[at]))
		case column.Float64:
			out = binary.LittleEndian.AppendUint64(out, math.Float64bits(v.Float64s[at]))
		default:
			text := v.Bytes(at)
			out = append(binary.LittleEndian.AppendUint32(out, uint32(len(text))), text...)
		}
	}
	return out
}

// takeRow appends a row that appendRow wrote to a batch, and returns what follows it.
func takeRow(data []byte, b *column.Batch) []byte {
	bits := data
	data = data[(len(b.Columns)+7)/8:]
	for c, v := range b.Columns {
		if bits[c>>3]&(1<<(c&7)) == 0 {
			v.AppendNull()
			continue
		}
		switch v.Kind {
		case column.Bool:
			v.Bools, data = append(v.Bools, data[0] == 1), data[1:]
		case column.Int32:
			v.Int32s, data = append(v.Int32s, int32(binary.LittleEndian.Uint32(data))), data[4:]
		case column.Int64:
			v.Int64s, data = append(v.Int64s, int64(binary.LittleEndian.Uint64(data))), data[8:]
		case column.Int128:
			v.Wides = append(v.Wides, column.Wide{Hi: int64(binary.LittleEndian.Uint64(data)), Lo: binary.LittleEndian.Uint64(data[8:])})
			data = data[16:]
		case column.Float32:
			v.Float32s, data = append(v.Float32s, math.Float32frombits(binary.LittleEndian.Uint32(data))), data[4:]
		case column.Float64:
			v.Float64s, data = append(v.Float64s, math.Float64frombits(binary.LittleEndian.Uint64(data))), data[8:]
		default:
			length := binary.LittleEndian.Uint32(data)
			v.Data, data = append(v.Data, data[4:4+length]...), data[4+length:]
		}
		v.Append()
	}
	return data
}

// measureRow adds the lengths of the texts of a row that appendRow wrote to those of its columns, and returns what follows it.
func measureRow(data []byte, b *column.Batch, texts []int) []byte {
	bits := data
	data = data[(len(b.Columns)+7)/8:]
	for c, v := range b.Columns {
		if bits[c>>3]&(1<<(c&7)) == 0 {
			continue
		}
		switch v.Kind {
		case column.Bool:
			data = data[1:]
		case column.Int32, column.Float32:
			data = data[4:]
		case column.Int64, column.Float64:
			data = data[8:]
		case column.Int128:
			data = data[16:]
		default:
			length := binary.LittleEndian.Uint32(data)
			texts[c] += int(length)
			data = data[4+length:]
		}
	}
	return data
}
