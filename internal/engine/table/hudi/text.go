package hudi

import (
	"fmt"
	"math/big"
	"strconv"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

// spellable refuses types whose values other writers spell in more than one way in keys and partition paths (Hudi, BuiltinKeyGenerator
// and KeyGenUtils: upserts and bulk inserts of Spark differ), or not in one that is stable.
func spellable(t schema.Type) error {
	switch t.ID {
	case schema.Boolean, schema.Int, schema.Long, schema.String, schema.Date, schema.Decimal:
		return nil
	case schema.Timestamp, schema.TimestampTZ:
		return fmt.Errorf("values of type %s are spelled in two ways by Spark itself, by which rows would be landed twice: declare it as \"long\" in columns, which is microseconds since 1970, or choose a column of whole numbers, text, dates or decimals", t)
	default:
		return fmt.Errorf("values of type %s have no spelling that all writers of Hudi share: choose a column of whole numbers, text, dates or decimals", t)
	}
}

// appendText appends a value as record keys and partition paths hold it. The row has a value.
func appendText(out []byte, t schema.Type, v *column.Vector, row int) []byte {
	switch v.Kind {
	case column.Bool:
		return strconv.AppendBool(out, v.Bools[row])
	case column.Int32:
		if t.ID == schema.Date {
			return appendDate(out, int64(v.Int32s[row]))
		}
		return strconv.AppendInt(out, int64(v.Int32s[row]), 10)
	case column.Int64:
		if t.ID == schema.Decimal {
			return appendDecimal(out, strconv.AppendInt(nil, v.Int64s[row], 10), t.Scale)
		}
		return strconv.AppendInt(out, v.Int64s[row], 10)
	case column.Int128:
		return appendDecimal(out, wide(v.Wides[row]).Append(nil, 10), t.Scale)
	default:
		return append(out, v.Bytes(row)...)
	}
}

func wide(w column.Wide) *big.Int {
	n := new(big.Int).Lsh(big.NewInt(w.Hi), 64)
	return n.Or(n, new(big.Int).SetUint64(w.Lo))
}

// appendDate appends a day since 1970 as java.time.LocalDate has it: years beyond 9999 with a sign.
func appendDate(out []byte, days int64) []byte {
	day := time.Unix(days*86400, 0).UTC()
	switch year := day.Year(); {
	case year > 9999:
		return append(strconv.AppendInt(append(out, '+'), int64(year), 10), day.Format("-01-02")...)
	case year < 0:
		return fmt.Appendf(out, "-%04d%s", -year, day.Format("-01-02"))
	default:
		return fmt.Appendf(out, "%04d%s", year, day.Format("-01-02"))
	}
}

// appendDecimal appends a number of unscaled digits as java.math.BigDecimal.toString has it: scientific where the exponent of its
// first digit is below -6.
func appendDecimal(out, unscaled []byte, scale int) []byte {
	digits := unscaled
	if digits[0] == '-' {
		out, digits = append(out, '-'), digits[1:]
	}
	if scale == 0 {
		return append(out, digits...)
	}
	if exponent := len(digits) - 1 - scale; exponent < -6 {
		out = append(out, digits[0])
		if len(digits) > 1 {
			out = append(append(out, '.'), digits[1:]...)
		}
		return strconv.AppendInt(append(out, 'E'), int64(exponent), 10)
	}
	whole := len(digits) - scale
	if whole > 0 {
		return append(append(append(out, digits[:whole]...), '.'), digits[whole:]...)
	}
	out = append(out, '0', '.')
	for range -whole {
		out = append(out, '0')
	}
	return append(out, digits...)
}
