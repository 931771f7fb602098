package postgres

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

// decodeOne decodes one value and appends it.
type decodeOne func(v *column.Vector, t schema.Type, data []byte) error

// each decodes one field after the other.
func each(one decodeOne) decode {
	return func(v *column.Vector, t schema.Type, f fields) (int, error) {
		for i, at := range f.at {
			length := f.length(at)
			if length < 0 {
				v.AppendNull()
				continue
			}
			if err := one(v, t, f.buf[at:int(at)+length]); err != nil {
				return i, err
			}
		}
		return 0, nil
	}
}

// pair is what a decoder turns into what.
type pair struct {
	oid uint32
	to  schema.ID
}

// decoders are all pairs of a binary form and a logical type for which values stay what they are. Every line of
// the table of types with a binary form has its decoders here, which a test checks.
var decoders = map[pair]decode{
	{schema.OIDBool, schema.Boolean}:            boolean,
	{schema.OIDInt2, schema.Int}:                int2,
	{schema.OIDInt2, schema.Long}:               int2ToLong,
	{schema.OIDInt2, schema.Decimal}:            each(int2ToDecimal),
	{schema.OIDInt4, schema.Int}:                int4,
	{schema.OIDInt4, schema.Long}:               int4ToLong,
	{schema.OIDInt4, schema.Decimal}:            each(int4ToDecimal),
	{schema.OIDInt8, schema.Long}:               int8ToLong,
	{schema.OIDInt8, schema.Decimal}:            each(int8ToDecimal),
	{schema.OIDOID, schema.Long}:                each(unsigned4),
	{schema.OIDXID, schema.Long}:                each(unsigned4),
	{schema.OIDCID, schema.Long}:                each(unsigned4),
	{schema.OIDXID8, schema.Decimal}:            each(unsigned8),
	{schema.OIDFloat4, schema.Float}:            float4,
	{schema.OIDFloat4, schema.Double}:           each(float4ToDouble),
	{schema.OIDFloat8, schema.Double}:           float8,
	{schema.OIDNumeric, schema.Decimal}:         numeric,
	{schema.OIDNumeric, schema.Long}:            each(numericToLong),
	{schema.OIDNumeric, schema.String}:          each(numericToText),
	{schema.OIDDate, schema.Date}:               date,
	{schema.OIDTimestamp, schema.Timestamp}:     timestamp,
	{schema.OIDTimestampTZ, schema.TimestampTZ}: timestamp,
	{schema.OIDTimestamp, schema.Long}:          timestamp,
	{schema.OIDTimestampTZ, schema.Long}:        timestamp,
	{schema.OIDTime, schema.String}:             each(timeToText),
	{schema.OIDTime, schema.Long}:               each(timeToLong),
	{schema.OIDUUID, schema.String}:             uuidToText,
	{schema.OIDUUID, schema.Binary}:             each(uuidToBytes),
	{schema.OIDBytea, schema.Binary}:            each(raw),
	{schema.OIDText, schema.String}:             text,
	{schema.OIDVarchar, schema.String}:          text,
	{schema.OIDBPChar, schema.String}:           text,
	{schema.OIDName, schema.String}:             text,
	{schema.OIDJSON, schema.String}:             text,
	{schema.OIDJSONB, schema.String}:            jsonb,
}

// decodeFor finds the decoder of a column.
func decodeFor(c schema.Column) (decode, error) {
	from := pair{c.Source.OID, c.Type.ID}
	switch c.Source.Form {
	case schema.FormText, schema.FormJSON, schema.FormAddress:
		from.oid = schema.OIDText
	case schema.FormNumeric:
		from.oid = schema.OIDNumeric
	}
	if found := decoders[from]; found != nil {
		return found, nil
	}
	return nil, fmt.Errorf("column %q of type %s (oid %d) has no decoder into %s: this engine and what planned the run differ in version", c.Source.Name, c.Source.Type, c.Source.OID, c.Type)
}

func wrongLength(length int) error {
	return fmt.Errorf("%w: a field of %d bytes", errMalformed, length)
}

var errTooMuch = fmt.Errorf("a batch holds more than %d bytes in one column", column.MaxData)

// raw takes bytes as they are.
func raw(v *column.Vector, _ schema.Type, data []byte) error {
	if len(v.Data)+len(data) > column.MaxData {
		return errTooMuch
	}
	v.Data = append(v.Data, data...)
	v.Append()
	return nil
}

var errNotUTF8 = errors.New("the text is not UTF-8: correct it at the source, or read a view that converts it")

// text takes texts as they are.
func text(v *column.Vector, _ schema.Type, f fields) (int, error) {
	for i, at := range f.at {
		length := f.length(at)
		if length < 0 {
			v.AppendNull()
			continue
		}
		if err := utf8Text(v, f.buf[at:int(at)+length]); err != nil {
			return i, err
		}
	}
	return 0, nil
}

func utf8Text(v *column.Vector, data []byte) error {
	if !utf8.Valid(data) {
		return errNotUTF8
	}
	if len(v.Data)+len(data) > column.MaxData {
		return errTooMuch
	}
	v.Data = append(v.Data, data...)
	v.Append()
	return nil
}

// jsonb begins with the version of its binary form, which has been 1 ever since (src/backend/utils/adt/jsonb.c).
func jsonb(v *column.Vector, _ schema.Type, f fields) (int, error) {
	for i, at := range f.at {
		length := f.length(at)
		if length < 0 {
			v.AppendNull()
			continue
		}
		if length == 0 || f.buf[at] != 1 {
			return i, fmt.Errorf("%w: a jsonb of %d bytes that does not begin with the version 1", errMalformed, length)
		}
		if err := utf8Text(v, f.buf[at+1:int(at)+length]); err != nil {
			return i, err
		}
	}
	return 0, nil
}

// hexPairs are the two digits of each byte.
var hexPairs = func() (pairs [256][2]byte) {
	const digits = "0123456789abcdef"
	for i := range pairs {
		pairs[i] = [2]byte{digits[i>>4], digits[i&15]}
	}
	return pairs
}()

// uuidToText writes uuids as the server does.
func uuidToText(v *column.Vector, _ schema.Type, f fields) (int, error) {
	for i, at := range f.at {
		length := f.length(at)
		if length < 0 {
			v.AppendNull()
			continue
		}
		if length != 16 {
			return i, wrongLength(length)
		}
		if len(v.Data)+36 > column.MaxData {
			return i, errTooMuch
		}
		start := len(v.Data)
		v.Data = append(v.Data, "00000000-0000-0000-0000-000000000000"...)
		out, place := v.Data[start:start+36], 0
		for n, b := range f.buf[at : at+16] {
			if n == 4 || n == 6 || n == 8 || n == 10 {
				place++
			}
			out[place], out[place+1] = hexPairs[b][0], hexPairs[b][1]
			place += 2
		}
		v.Append()
	}
	return 0, nil
}

func uuidToBytes(v *column.Vector, t schema.Type, data []byte) error {
	if len(data) != 16 {
		return wrongLength(len(data))
	}
	return raw(v, t, data)
}
