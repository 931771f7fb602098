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

// maxShown is the number of decimals that a numeric can show (src/backend/utils/adt/numeric.c, NUMERIC_DSCALE_MAX).
const maxShown = 0x3FFF

var powers = [...]uint64{1, 10, 100, 1000, 10000}

// limits are 10^n: a decimal of n digits is smaller.
var limits = func() (out [schema.MaxPrecision + 1]column.Wide) {
	out[0] = column.WideOf(1)
	for i := 1; i < len(out); i++ {
		out[i], _ = out[i-1].MulAdd(10, 0)
	}
	return out
}()

// number is a numeric as it stands on the wire: base-10000 digits, the first of them standing for 10000^weight,
// and the number of decimals that the server shows.
type number struct {
	digits []byte
	weight int
	sign   uint16
	shown  int
}

func parseNumeric(data []byte) (number, error) {
	if len(data) < 8 {
		return number{}, wrongLength(len(data))
	}
	n := number{
		digits: data[8:], weight: int(int16(binary.BigEndian.Uint16(data[2:]))),
		sign: binary.BigEndian.Uint16(data[4:]), shown: int(binary.BigEndian.Uint16(data[6:])),
	}
	switch n.sign {
	case positive, negative, notANumber, infinity, negativeInfinity:
	default:
		return number{}, fmt.Errorf("%w: a numeric with sign %#x", errMalformed, n.sign)
	}
	if len(n.digits) != 2*int(binary.BigEndian.Uint16(data)) || n.shown > maxShown {
		return number{}, wrongLength(len(data))
	}
	for at := 0; at < len(n.digits); at += 2 {
		if digit := binary.BigEndian.Uint16(n.digits[at:]); digit > 9999 {
			return number{}, fmt.Errorf("%w: a numeric with the digit %d", errMalformed, digit)
		}
	}
	return n, nil
}

// unscaled is the absolute of the number's unscaled value in a decimal type, and whether it is negative. It never
// rounds: what does not fit the type's digits is an error.
func (n number) unscaled(t schema.Type) (value column.Wide, minus bool, err error) {
	switch n.sign {
	case notANumber:
		return value, false, errors.New(`the value is NaN, which the lake's type cannot hold: correct it at the source, or declare the column in columns with type = "string"`)
	case infinity, negativeInfinity:
		return value, false, errInfinity
	}
	value, err = unscale(n.digits, n.weight, t)
	return value, n.sign == negative, err
}

// numeric decodes numbers into the unscaled values of a decimal.
func numeric(v *column.Vector, t schema.Type, f fields) (int, error) {
	for i, at := range f.at {
		length := f.length(at)
		if length < 0 {
			v.AppendNull()
			continue
		}
		data := f.buf[at : int(at)+length]
		if v.Kind == column.Int64 {
			if value, ok := shortNumeric(data, t); ok {
				v.Int64s = append(v.Int64s, value)
				v.Append()
				continue
			}
		}
		n, err := parseNumeric(data)
		if err != nil {
			return i, err
		}
		value, minus, err := n.unscaled(t)
		if err != nil {
			return i, err
		}
		if err := decimal(v, t, value, minus); err != nil {
			return i, err
		}
	}
	return 0, nil
}

// tens are the powers of ten that fit 63 bits.
var tens = func() (out [19]int64) {
	out[0] = 1
	for i := 1; i < len(out); i++ {
		out[i] = 10 * out[i-1]
	}
	return out
}()

// shortNumeric is the unscaled value, in a decimal type of at most 18 digits, of a number of at most four digits of
// 10000 each; ok is false where it is another one, or none, which takes the longer way.
func shortNumeric(data []byte, t schema.Type) (value int64, ok bool) {
	if len(data) < 8 || len(data) > 16 || len(data) != 8+2*int(binary.BigEndian.Uint16(data)) || binary.BigEndian.Uint16(data[6:]) > maxShown {
		return 0, false
	}
	for at := 8; at < len(data); at += 2 {
		digit := binary.BigEndian.Uint16(data[at:])
		if digit > 9999 {
			return 0, false
		}
		value = 10000*value + int64(digit)
	}
	// The last digit stands for 10^exponent of the unscaled value.
	exponent := 4*(int(int16(binary.BigEndian.Uint16(data[2:])))-(len(data)-8)/2+1) + t.Scale
	switch {
	case exponent >= 0:
		if exponent >= len(tens) || value > tens[18]/tens[exponent] {
			return 0, value == 0 && binary.BigEndian.Uint16(data[4:]) == positive
		}
		value *= tens[exponent]
	case exponent > -4:
		if value%tens[-exponent] != 0 {
			return 0, false
		}
		value /= tens[-exponent]
	default:
		return 0, false
	}
	switch sign := binary.BigEndian.Uint16(data[4:]); {
	case value >= tens[min(t.Precision, 18)]:
		return 0, false
	case sign == positive:
		return value, true
	case sign == negative:
		return -value, true
	default:
		return 0, false
	}
}

// longDigits is the decimal type into which a number goes on its way to a long.
var longDigits = schema.Type{ID: schema.Decimal, Precision: 19}

func numericToLong(v *column.Vector, t schema.Type, data []byte) error {
	n, err := parseNumeric(data)
	if err != nil {
		return err
	}
	value, minus, err := n.unscaled(longDigits)
	switch {
	case err != nil && (n.sign == positive || n.sign == negative):
		return tooManyDigits(t)
	case err != nil:
		return err
	case minus:
		value = value.Neg()
	}
	if value != column.WideOf(int64(value.Lo)) {
		return tooManyDigits(t)
	}
	return long(v, int64(value.Lo))
}

// numericToText writes a number with all its digits, as the server does.
func numericToText(v *column.Vector, _ schema.Type, data []byte) error {
	n, err := parseNumeric(data)
	if err != nil {
		return err
	}
	if len(v.Data)+4*max(n.weight+1, 1)+n.shown+4 > column.MaxData {
		return errTooMuch
	}
	switch n.sign {
	case notANumber:
		v.Data = append(v.Data, "NaN"...)
	case infinity:
		v.Data = append(v.Data, "Infinity"...)
	case negativeInfinity:
		v.Data = append(v.Data, "-Infinity"...)
	default:
		if v.Data, err = n.text(v.Data); err != nil {
			return err
		}
	}
	v.Append()
	return nil
}

// digit is the base-10000 digit that stands for 10000^weight.
func (n number) digit(weight int) uint16 {
	at := 2 * (n.weight - weight)
	if at < 0 || at >= len(n.digits) {
		return 0
	}
	return binary.BigEndian.Uint16(n.digits[at:])
}

func (n number) text(out []byte) ([]byte, error) {
	if n.sign == negative {
		out = append(out, '-')
	}
	before := len(out)
	for weight := n.weight; weight >= 0; weight-- {
		for digit, place := n.digit(weight), uint16(1000); place > 0; place /= 10 {
			if figure := byte(digit / place % 10); figure > 0 || len(out) > before {
				out = append(out, '0'+figure)
			}
		}
	}
	if len(out) == before {
		out = append(out, '0')
	}
	if n.shown > 0 {
		out = append(out, '.')
	}
	shown := 0
	for weight := -1; shown < n.shown || n.weight-weight < len(n.digits)/2; weight-- {
		for digit, place := n.digit(weight), uint16(1000); place > 0; place /= 10 {
			figure := byte(digit / place % 10)
			switch {
			case shown < n.shown:
				out = append(out, '0'+figure)
				shown++
			case figure > 0:
				return nil, fmt.Errorf("%w: a numeric with more decimals than the %d it shows", errMalformed, n.shown)
			}
		}
	}
	return out, nil
}

func unscale(digits []byte, weight int, t schema.Type) (column.Wide, error) {
	var sum column.Wide
	fits := true
	// exponent is the power of ten of the last place of the digit at hand, after scaling.
	exponent := 4*weight + t.Scale
	for ; len(digits) > 0 && fits; digits, exponent = digits[2:], exponent-4 {
		digit := uint64(binary.BigEndian.Uint16(digits))
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
	return fmt.Errorf("the value has more digits than %s holds: declare the column in columns with a type that has them, or as \"string\"", t)
}
