package postgres

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

// The signs of a numeric on the wire (src/backend/utils/adt/numeric.c).
const (
	positive         = 0x0000
	negative         = 0x4000
	notANumber       = 0xC000
	infinity         = 0xD000
	negativeInfinity = 0xF000
)

var powers = [...]uint64{1, 10, 100, 1000, 10000}

// limits are 10^n: a decimal of n digits is smaller.
var limits = func() (out [schema.MaxPrecision + 1]column.Wide) {
	out[0] = column.WideOf(1)
	for i := 1; i < len(out); i++ {
		out[i], _ = out[i-1].MulAdd(10, 0)
	}
	return out
}()

// numeric decodes a number of base-10000 digits, the first of them standing for 10000^weight, into the unscaled
// value of a decimal. It never rounds: what does not fit the type's digits is an error.
func numeric(v *column.Vector, t schema.Type, data []byte) error {
	if len(data) < 8 {
		return wrongLength(data)
	}
	count := int(binary.BigEndian.Uint16(data))
	weight := int(int16(binary.BigEndian.Uint16(data[2:])))
	sign := binary.BigEndian.Uint16(data[4:])
	digits := data[8:]
	if len(digits) != 2*count {
		return wrongLength(data)
	}
	switch sign {
	case positive, negative:
	case notANumber:
		return errors.New("the value is NaN, which a decimal cannot hold: correct it at the source, or read a view that maps it to NULL")
	case infinity, negativeInfinity:
		return errInfinity
	default:
		return fmt.Errorf("%w: a numeric with sign %#x", errMalformed, sign)
	}
	unscaled, err := unscale(digits, weight, t)
	if err != nil {
		return err
	}
	if sign == negative {
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

func unscale(digits []byte, weight int, t schema.Type) (column.Wide, error) {
	var sum column.Wide
	fits := true
	// exponent is the power of ten of the last place of the digit at hand, after scaling.
	exponent := 4*weight + t.Scale
	for ; len(digits) > 0 && fits; digits, exponent = digits[2:], exponent-4 {
		digit := uint64(binary.BigEndian.Uint16(digits))
		if digit > 9999 {
			return sum, fmt.Errorf("%w: a numeric with the digit %d", errMalformed, digit)
		}
		switch {
		case exponent >= 0:
			sum, fits = sum.MulAdd(10000, digit)
		case exponent > -4:
			cut := powers[-exponent]
			if digit%cut != 0 {
				return sum, tooManyDigits(t)
			}
			sum, fits = sum.MulAdd(powers[4+exponent], digit/cut)
		case digit != 0:
			return sum, tooManyDigits(t)
		}
	}
	zero := sum == column.Wide{}
	for exponent += 4; exponent > 0 && fits && !zero; exponent-- {
		sum, fits = sum.MulAdd(10, 0)
	}
	if !fits || sum.Cmp(limits[t.Precision]) >= 0 {
		return sum, tooManyDigits(t)
	}
	return sum, nil
}

func tooManyDigits(t schema.Type) error {
	return fmt.Errorf("the value has more digits than %s holds", t)
}
