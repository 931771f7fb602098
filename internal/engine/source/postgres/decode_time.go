package postgres

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

const dayMicros = 86_400_000_000

// Dates and timestamps of COPY count from 2000-01-01; those of the lake from 1970-01-01, and they lie in the years
// 1 to 9999. Beyond these readers differ: Python's dates end there, and SQL's as well (ISO 9075, "Datetimes").
const (
	epochDays   = 10957
	epochMicros = epochDays * dayMicros
	firstDay    = -719162 // 0001-01-01
	lastDay     = 2932896 // 9999-12-31
	firstMicro  = firstDay * dayMicros
	lastMicro   = (lastDay+1)*dayMicros - 1
)

var (
	errInfinity = errors.New(`the value is infinity, which the lake's type cannot hold: correct it at the source, or declare the column in columns with type = "string"`)
	errYears    = errors.New(`the value lies outside of the years 1 to 9999, which readers of the lake do not agree on: correct it at the source, or declare the column in columns with type = "string"`)
)

// microsOf is a time of day in microseconds since midnight; 24:00:00 is one (PostgreSQL documentation, "Date/Time
// Types").
func microsOf(data []byte) (int64, error) {
	if len(data) != 8 {
		return 0, wrongLength(len(data))
	}
	micros := int64(binary.BigEndian.Uint64(data))
	if micros < 0 || micros > dayMicros {
		return 0, fmt.Errorf("%w: a time of %d microseconds", errMalformed, micros)
	}
	return micros, nil
}

func timeToLong(v *column.Vector, _ schema.Type, data []byte) error {
	micros, err := microsOf(data)
	if err != nil {
		return err
	}
	return long(v, micros)
}

// timeToText writes a time as the server does: hours, minutes, seconds, and decimals without zeros at their end.
func timeToText(v *column.Vector, _ schema.Type, data []byte) error {
	micros, err := microsOf(data)
	if err != nil {
		return err
	}
	if len(v.Data)+len("24:00:00.000000") > column.MaxData {
		return errTooMuch
	}
	seconds, fraction := micros/1_000_000, micros%1_000_000
	out := twoDigits(v.Data, seconds/3600)
	out = twoDigits(append(out, ':'), seconds/60%60)
	out = twoDigits(append(out, ':'), seconds%60)
	if fraction > 0 {
		out = append(out, '.')
		for place := int64(100_000); fraction > 0; place /= 10 {
			out = append(out, byte('0'+fraction/place))
			fraction %= place
		}
	}
	v.Data = out
	v.Append()
	return nil
}

func twoDigits(out []byte, n int64) []byte { return append(out, byte('0'+n/10), byte('0'+n%10)) }
