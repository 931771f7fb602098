package postgres

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

// decode decodes one value of a column's type and appends it. After an error the vector is of no use.
type decode func(v *column.Vector, t schema.Type, data []byte) error

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
	{schema.OIDInt2, schema.Decimal}:            int2ToDecimal,
	{schema.OIDInt4, schema.Int}:                int4,
	{schema.OIDInt4, schema.Long}:               int4ToLong,
	{schema.OIDInt4, schema.Decimal}:            int4ToDecimal,
	{schema.OIDInt8, schema.Long}:               int8ToLong,
	{schema.OIDInt8, schema.Decimal}:            int8ToDecimal,
	{schema.OIDOID, schema.Long}:                unsigned4,
	{schema.OIDXID, schema.Long}:                unsigned4,
	{schema.OIDCID, schema.Long}:                unsigned4,
	{schema.OIDXID8, schema.Decimal}:            unsigned8,
	{schema.OIDFloat4, schema.Float}:            float4,
	{schema.OIDFloat4, schema.Double}:           float4ToDouble,
	{schema.OIDFloat8, schema.Double}:           float8,
	{schema.OIDNumeric, schema.Decimal}:         numeric,
	{schema.OIDNumeric, schema.Long}:            numericToLong,
	{schema.OIDNumeric, schema.String}:          numericToText,
	{schema.OIDDate, schema.Date}:               date,
	{schema.OIDTimestamp, schema.Timestamp}:     timestamp,
	{schema.OIDTimestampTZ, schema.TimestampTZ}: timestamp,
	{schema.OIDTime, schema.String}:             timeToText,
	{schema.OIDTime, schema.Long}:               timeToLong,
	{schema.OIDUUID, schema.String}:             uuidToText,
	{schema.OIDUUID, schema.Binary}:             uuidToBytes,
	{schema.OIDBytea, schema.Binary}:            raw,
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

func wrongLength(data []byte) error {
	return fmt.Errorf("%w: a field of %d bytes", errMalformed, len(data))
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

func text(v *column.Vector, t schema.Type, data []byte) error {
	if !utf8.Valid(data) {
		return errNotUTF8
	}
	return raw(v, t, data)
}

// jsonb begins with the version of its binary form, which has been 1 ever since (src/backend/utils/adt/jsonb.c).
func jsonb(v *column.Vector, t schema.Type, data []byte) error {
	if len(data) == 0 || data[0] != 1 {
		return fmt.Errorf("%w: a jsonb of %d bytes that does not begin with the version 1", errMalformed, len(data))
	}
	return text(v, t, data[1:])
}

const hexDigits = "0123456789abcdef"

func uuidToText(v *column.Vector, _ schema.Type, data []byte) error {
	if len(data) != 16 {
		return wrongLength(data)
	}
	if len(v.Data)+36 > column.MaxData {
		return errTooMuch
	}
	for i, b := range data {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			v.Data = append(v.Data, '-')
		}
		v.Data = append(v.Data, hexDigits[b>>4], hexDigits[b&15])
	}
	v.Append()
	return nil
}

func uuidToBytes(v *column.Vector, t schema.Type, data []byte) error {
	if len(data) != 16 {
		return wrongLength(data)
	}
	return raw(v, t, data)
}
