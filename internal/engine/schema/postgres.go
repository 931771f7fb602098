package schema

import "fmt"

// The oids of PostgreSQL's types that have a mapping (src/include/catalog/pg_type.dat).
const (
	OIDBool        = 16
	OIDInt8        = 20
	OIDInt2        = 21
	OIDInt4        = 23
	OIDText        = 25
	OIDFloat4      = 700
	OIDFloat8      = 701
	OIDBPChar      = 1042
	OIDVarchar     = 1043
	OIDDate        = 1082
	OIDTimestamp   = 1114
	OIDTimestampTZ = 1184
	OIDNumeric     = 1700
)

// MaxPrecision is the number of digits that decimals have in Parquet, Iceberg and their readers.
const MaxPrecision = 38

// fromPostgres is the mapping of all types whose width and precision are fixed.
var fromPostgres = map[uint32]Type{
	OIDBool:        {ID: Boolean},
	OIDInt2:        {ID: Int},
	OIDInt4:        {ID: Int},
	OIDInt8:        {ID: Long},
	OIDFloat4:      {ID: Float},
	OIDFloat8:      {ID: Double},
	OIDText:        {ID: String},
	OIDVarchar:     {ID: String},
	OIDBPChar:      {ID: String},
	OIDDate:        {ID: Date},
	OIDTimestamp:   {ID: Timestamp},
	OIDTimestampTZ: {ID: TimestampTZ},
}

// FromPostgres is the logical type of a PostgreSQL type, given by its oid and type modifier. A type that has no
// exact mapping is an error that says why.
func FromPostgres(oid uint32, modifier int32) (Type, error) {
	if t, ok := fromPostgres[oid]; ok {
		return t, nil
	}
	if oid != OIDNumeric {
		return Type{}, fmt.Errorf("the type has no mapping yet: cast the column in a view, for example to text")
	}
	if modifier < 4 {
		return Type{}, fmt.Errorf("numeric without precision has no exact decimal type: give it one at the source, such as numeric(18,4), or cast it to text in a view")
	}
	// The modifier is ((precision << 16) | (scale & 0x7ff)) + 4; the scale has 11 bits and a sign.
	packed := modifier - 4
	precision, scale := int(packed>>16)&0xffff, int(packed&0x7ff)
	if scale > 1023 {
		scale -= 2048
	}
	switch {
	case precision > MaxPrecision:
		return Type{}, fmt.Errorf("numeric(%d,%d) has more than %d digits, which no reader of the lake holds: cast it to text in a view", precision, scale, MaxPrecision)
	case scale < 0 || scale > precision:
		return Type{}, fmt.Errorf("numeric(%d,%d) has a scale outside 0 to its precision: cast it to text in a view", precision, scale)
	}
	return Type{ID: Decimal, Precision: precision, Scale: scale}, nil
}
