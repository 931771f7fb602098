package postgres

import (
	"encoding/binary"
	"math"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

// These decode the types of fixed length that most columns have, a loop for each: they are what an extraction does
// most often.

func boolean(v *column.Vector, _ schema.Type, f fields) (int, error) {
	first := v.Extend(len(f.at))
	out := v.Bools[first:]
	for i, at := range f.at {
		switch length := f.length(at); {
		case length == 1 && f.buf[at] <= 1:
			out[i] = f.buf[at] == 1
		case length < 0:
			v.SetNull(first + i)
		default:
			return i, wrongLength(length)
		}
	}
	return 0, nil
}

func int2(v *column.Vector, _ schema.Type, f fields) (int, error) {
	first := v.Extend(len(f.at))
	out := v.Int32s[first:]
	for i, at := range f.at {
		switch length := f.length(at); length {
		case 2:
			out[i] = int32(int16(binary.BigEndian.Uint16(f.buf[at:])))
		case -1:
			v.SetNull(first + i)
		default:
			return i, wrongLength(length)
		}
	}
	return 0, nil
}

func int2ToLong(v *column.Vector, _ schema.Type, f fields) (int, error) {
	first := v.Extend(len(f.at))
	out := v.Int64s[first:]
	for i, at := range f.at {
		switch length := f.length(at); length {
		case 2:
			out[i] = int64(int16(binary.BigEndian.Uint16(f.buf[at:])))
		case -1:
			v.SetNull(first + i)
		default:
			return i, wrongLength(length)
		}
	}
	return 0, nil
}

func int4(v *column.Vector, _ schema.Type, f fields) (int, error) {
	first := v.Extend(len(f.at))
	out := v.Int32s[first:]
	for i, at := range f.at {
		switch length := f.length(at); length {
		case 4:
			out[i] = int32(binary.BigEndian.Uint32(f.buf[at:]))
		case -1:
			v.SetNull(first + i)
		default:
			return i, wrongLength(length)
		}
	}
	return 0, nil
}

func int4ToLong(v *column.Vector, _ schema.Type, f fields) (int, error) {
	first := v.Extend(len(f.at))
	out := v.Int64s[first:]
	for i, at := range f.at {
		switch length := f.length(at); length {
		case 4:
			out[i] = int64(int32(binary.BigEndian.Uint32(f.buf[at:])))
		case -1:
			v.SetNull(first + i)
		default:
			return i, wrongLength(length)
		}
	}
	return 0, nil
}

func int8ToLong(v *column.Vector, _ schema.Type, f fields) (int, error) {
	first := v.Extend(len(f.at))
	out := v.Int64s[first:]
	for i, at := range f.at {
		switch length := f.length(at); length {
		case 8:
			out[i] = int64(binary.BigEndian.Uint64(f.buf[at:]))
		case -1:
			v.SetNull(first + i)
		default:
			return i, wrongLength(length)
		}
	}
	return 0, nil
}

func float4(v *column.Vector, _ schema.Type, f fields) (int, error) {
	first := v.Extend(len(f.at))
	out := v.Float32s[first:]
	for i, at := range f.at {
		switch length := f.length(at); length {
		case 4:
			out[i] = math.Float32frombits(binary.BigEndian.Uint32(f.buf[at:]))
		case -1:
			v.SetNull(first + i)
		default:
			return i, wrongLength(length)
		}
	}
	return 0, nil
}

func float8(v *column.Vector, _ schema.Type, f fields) (int, error) {
	first := v.Extend(len(f.at))
	out := v.Float64s[first:]
	for i, at := range f.at {
		switch length := f.length(at); length {
		case 8:
			out[i] = math.Float64frombits(binary.BigEndian.Uint64(f.buf[at:]))
		case -1:
			v.SetNull(first + i)
		default:
			return i, wrongLength(length)
		}
	}
	return 0, nil
}

func date(v *column.Vector, _ schema.Type, f fields) (int, error) {
	first := v.Extend(len(f.at))
	out := v.Int32s[first:]
	for i, at := range f.at {
		switch length := f.length(at); length {
		case 4:
			days := int32(binary.BigEndian.Uint32(f.buf[at:]))
			if days < firstDay-epochDays || days > lastDay-epochDays {
				return i, outside(days == math.MaxInt32 || days == math.MinInt32)
			}
			out[i] = days + epochDays
		case -1:
			v.SetNull(first + i)
		default:
			return i, wrongLength(length)
		}
	}
	return 0, nil
}

func timestamp(v *column.Vector, _ schema.Type, f fields) (int, error) {
	first := v.Extend(len(f.at))
	out := v.Int64s[first:]
	for i, at := range f.at {
		switch length := f.length(at); length {
		case 8:
			micros := int64(binary.BigEndian.Uint64(f.buf[at:]))
			if micros < firstMicro-epochMicros || micros > lastMicro-epochMicros {
				return i, outside(micros == math.MaxInt64 || micros == math.MinInt64)
			}
			out[i] = micros + epochMicros
		case -1:
			v.SetNull(first + i)
		default:
			return i, wrongLength(length)
		}
	}
	return 0, nil
}

// outside is the error of a date that the lake has no value for.
func outside(infinite bool) error {
	if infinite {
		return errInfinity
	}
	return errYears
}
