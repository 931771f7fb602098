package postgres

import (
	"encoding/binary"
	"math"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

func int2ToDecimal(v *column.Vector, t schema.Type, data []byte) error {
	if len(data) != 2 {
		return wrongLength(len(data))
	}
	return integerToDecimal(v, t, int64(int16(binary.BigEndian.Uint16(data))))
}

func int4ToDecimal(v *column.Vector, t schema.Type, data []byte) error {
	if len(data) != 4 {
		return wrongLength(len(data))
	}
	return integerToDecimal(v, t, int64(int32(binary.BigEndian.Uint32(data))))
}

func int8ToDecimal(v *column.Vector, t schema.Type, data []byte) error {
	if len(data) != 8 {
		return wrongLength(len(data))
	}
	return integerToDecimal(v, t, int64(binary.BigEndian.Uint64(data)))
}

// unsigned4 decodes the server's object, transaction and command numbers.
func unsigned4(v *column.Vector, _ schema.Type, data []byte) error {
	if len(data) != 4 {
		return wrongLength(len(data))
	}
	return long(v, int64(binary.BigEndian.Uint32(data)))
}

func unsigned8(v *column.Vector, t schema.Type, data []byte) error {
	if len(data) != 8 {
		return wrongLength(len(data))
	}
	return scaled(v, t, column.Wide{Lo: binary.BigEndian.Uint64(data)}, false)
}

func float4ToDouble(v *column.Vector, _ schema.Type, data []byte) error {
	if len(data) != 4 {
		return wrongLength(len(data))
	}
	v.Float64s = append(v.Float64s, float64(math.Float32frombits(binary.BigEndian.Uint32(data))))
	v.Append()
	return nil
}

func long(v *column.Vector, value int64) error {
	v.Int64s = append(v.Int64s, value)
	v.Append()
	return nil
}

func integerToDecimal(v *column.Vector, t schema.Type, value int64) error {
	w := column.WideOf(value)
	if value < 0 {
		w = w.Neg()
	}
	return scaled(v, t, w, value < 0)
}

// scaled appends a decimal given by the absolute of a whole number.
func scaled(v *column.Vector, t schema.Type, w column.Wide, minus bool) error {
	fits := true
	for i := 0; i < t.Scale && fits; i++ {
		w, fits = w.MulAdd(10, 0)
	}
	if !fits {
		return tooManyDigits(t)
	}
	return decimal(v, t, w, minus)
}

// decimal appends a decimal given by the absolute of its unscaled value.
func decimal(v *column.Vector, t schema.Type, unscaled column.Wide, minus bool) error {
	if unscaled.Cmp(limits[t.Precision]) >= 0 {
		return tooManyDigits(t)
	}
	if minus {
		unscaled = unscaled.Neg()
	}
	if v.Kind == column.Int64 {
		v.Int64s = append(v.Int64s, int64(unscaled.Lo))
	} else {
		v.Wides = append(v.Wides, unscaled)
	}
	v.Append()
	return nil
}
