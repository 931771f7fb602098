package schema

// The oids of PostgreSQL's types that are decoded from their binary form, or are told from others by their oid
// (src/include/catalog/pg_type.dat).
const (
	OIDBool        = 16
	OIDBytea       = 17
	OIDName        = 19
	OIDInt8        = 20
	OIDInt2        = 21
	OIDInt2Vector  = 22
	OIDInt4        = 23
	OIDText        = 25
	OIDOID         = 26
	OIDXID         = 28
	OIDCID         = 29
	OIDOIDVector   = 30
	OIDJSON        = 114
	OIDFloat4      = 700
	OIDFloat8      = 701
	OIDBPChar      = 1042
	OIDVarchar     = 1043
	OIDDate        = 1082
	OIDTime        = 1083
	OIDTimestamp   = 1114
	OIDTimestampTZ = 1184
	OIDNumeric     = 1700
	OIDUUID        = 2950
	OIDJSONB       = 3802
	OIDXID8        = 5069
)

// Option is a logical type that a type of the source may become, and how a column is read for it.
type Option struct {
	ID   ID
	Form Form
	// Tells says that values land as equals if and only if they are equal at the source, so that they may be part of a key.
	Tells bool
	// Orders says that they also lie in the source's order as they land, texts in the order of their bytes.
	Orders bool
}

// Mapping is a line of the table of types.
type Mapping struct {
	// Name is what the documentation calls the types of the line.
	Name string
	// Options are the logical types, the default first. What follows may be declared.
	Options []Option
	// Note says what a reader must know: the form of the values, and what is an error.
	Note string

	oids []uint32
	// extension are names of types that extensions create, under oids of their own.
	extension []string
	class     Class
	// precision and scale are those of a decimal that no type modifier gives.
	precision, scale int
}

func is(id ID) Option              { return Option{ID: id, Tells: true, Orders: true} }
func by(form Form, id ID) Option   { return Option{ID: id, Form: form, Tells: true} }
func oids(ids ...uint32) []uint32  { return ids }
func options(o ...Option) []Option { return o }

// ordered is an option of which the source's order is that of what lands.
func (o Option) ordered() Option {
	o.Orders = true
	return o
}

// unordered is an option that tells values apart and has another order.
func (o Option) unordered() Option {
	o.Orders = false
	return o
}

// loose is an option whose values may be equal at the source and land as others, such as 1.0 and 1.00, or the reverse.
func (o Option) loose() Option {
	o.Tells, o.Orders = false, false
	return o
}

var (
	asText      = options(by(FormText, String))
	asLooseText = options(by(FormText, String).loose())
)

const (
	timeRange = "years 0001 to 9999; `infinity`, `-infinity`, BC and later years are an error unless declared as `string`, which keeps them as PostgreSQL writes them"
	asWritten = "as PostgreSQL writes it"
	asMicros  = "declared as `long`: microseconds since 1970; "
)

// boundedNumeric is the line of numerics whose type modifier gives a decimal.
var boundedNumeric = Mapping{
	Name: "numeric(p,s)", Options: options(is(Decimal), is(Long), is(String).unordered()),
	Note: "exact, never rounded; a negative scale widens the precision (`numeric(5,-2)` is `decimal(7,0)`), a scale above the precision does too (`numeric(3,5)` is `decimal(5,5)`); `NaN` is an error unless declared as `string`",
}

// unboundedChar is the line of bpchar without a length, which keeps blanks at its end and compares without them.
var unboundedChar = Mapping{
	Name: "bpchar without a length", Options: options(is(String).loose()), Note: "with the blanks at its end, which PostgreSQL does not compare",
}

// unknownType is the line of types that stand in no other.
var unknownType = Mapping{
	Name: "any other type", Options: asLooseText,
	Note: "as its cast to text writes it; log and history of each run name the column",
}

// mappings is the table of types, in the order of the documentation. Everything that is not here is unknownType.
//
// The types of the lake are those that Athena, Spark and Trino all read in Iceberg v2 tables: none has Iceberg's
// time or uuid in Athena's DDL, and lists of lists with NULLs, bounds and mixed depth have no common form.
var mappings = []*Mapping{
	{Name: "boolean", oids: oids(OIDBool), Options: options(is(Boolean), by(FormText, String))},
	{Name: "smallint", oids: oids(OIDInt2), Options: options(is(Int), is(Long), is(Decimal), by(FormText, String))},
	{Name: "integer", oids: oids(OIDInt4), Options: options(is(Int), is(Long), is(Decimal), by(FormText, String))},
	{Name: "bigint", oids: oids(OIDInt8), Options: options(is(Long), is(Decimal), by(FormText, String))},
	{Name: "real", oids: oids(OIDFloat4), Options: options(is(Float), is(Double), by(FormText, String).loose()), Note: "bit by bit, with `NaN`, infinities and the negative zero"},
	{Name: "double precision", oids: oids(OIDFloat8), Options: options(is(Double), by(FormText, String).loose()), Note: "bit by bit, with `NaN`, infinities and the negative zero"},
	&boundedNumeric,
	{
		Name: "numeric without precision, or of more than 38 digits", oids: oids(OIDNumeric), Options: options(is(String).loose(), is(Decimal), is(Long)),
		Note: "every digit as text, trailing zeros, `NaN` and infinities too; never a floating point number. Declared as `decimal(p,s)`, a value with more digits, or `NaN`, is an error",
	},
	{
		Name: "money", oids: oids(790), Options: options(by(FormNumeric, Decimal).ordered(), by(FormNumeric, String)), precision: 19, scale: 2,
		Note: "cast to numeric by the server, where `lc_monetary` says how many decimals there are; a third one that is not zero is an error, which a declared `decimal(22,3)` ends, and so is a role with an `lc_monetary` of its own, other than the database's",
	},
	{Name: "text, character varying, name", oids: oids(OIDText, OIDVarchar, OIDName), Options: options(is(String))},
	{Name: "character(n)", oids: oids(OIDBPChar), Options: options(is(String)), Note: "with the blanks that fill it"},
	&unboundedChar,
	{Name: "\"char\"", oids: oids(18), Options: asText},
	{Name: "citext", extension: []string{"citext"}, Options: asLooseText, Note: "case kept"},
	{Name: "bytea", oids: oids(OIDBytea), Options: options(is(Binary), by(FormText, String).ordered()), Note: "declared as `string`: `\\x` and hexadecimal digits"},
	{Name: "date", oids: oids(OIDDate), Options: options(is(Date), by(FormText, String)), Note: timeRange},
	{Name: "timestamp", oids: oids(OIDTimestamp), Options: options(is(Timestamp), is(Long), by(FormText, String)), Note: "microseconds, no zone; " + asMicros + timeRange},
	{Name: "timestamp with time zone", oids: oids(OIDTimestampTZ), Options: options(is(TimestampTZ), is(Long), by(FormText, String)), Note: "microseconds, an instant in UTC; " + asMicros + timeRange},
	{Name: "time", oids: oids(OIDTime), Options: options(is(String), is(Long)), Note: "`HH:MM:SS` with up to six decimals, `24:00:00` too; declared as `long`: microseconds since midnight. Athena has no Iceberg `time`"},
	{Name: "time with time zone", oids: oids(1266), Options: asText, Note: "with its own offset, such as `04:05:06.789-08`"},
	{Name: "interval", oids: oids(1186), Options: asLooseText, Note: "ISO 8601, such as `P1Y2M3DT4H5M6.5S`; months, days and time stay apart"},
	{Name: "uuid", oids: oids(OIDUUID), Options: options(is(String), is(Binary)), Note: "lower case with hyphens; declared as `binary`: its 16 bytes. Athena has no Iceberg `uuid`"},
	{Name: "json", oids: oids(OIDJSON), Options: options(is(String).loose()), Note: "to the letter: blanks, order and repeated keys too"},
	{Name: "jsonb", oids: oids(OIDJSONB), Options: options(is(String).loose()), Note: asWritten + "; numbers keep every digit"},
	{Name: "jsonpath", oids: oids(4072), Options: asLooseText},
	{Name: "xml", oids: oids(142), Options: asLooseText},
	{
		Name: "arrays", class: Array, Options: options(by(FormJSON, String).loose()),
		Note: "JSON as `to_json` writes it: `[1,null]`, `[]`, `[[1],[2]]`; numbers keep every digit, `NaN` and infinities are texts. Subscripts are not kept: an array that begins at 0 lands like one that begins at 1",
	},
	{Name: "int2vector, oidvector", oids: oids(OIDInt2Vector, OIDOIDVector), Options: asText, Note: "numbers with blanks between"},
	{Name: "composite types", class: Composite, Options: options(by(FormJSON, String).loose()), Note: "JSON as `to_json` writes it, a key for each field"},
	{Name: "hstore", extension: []string{"hstore"}, Options: options(by(FormJSON, String)), Note: "JSON, values as texts or `null`"},
	{Name: "enums", class: Enum, Options: asText, Note: "the label"},
	{Name: "int4range, int8range, tsrange, tstzrange, daterange", oids: oids(3904, 3926, 3908, 3910, 3912), Options: asText, Note: asWritten + ", such as `[1,10)`, `(,5]` and `empty`"},
	{Name: "int4multirange, int8multirange, tsmultirange, tstzmultirange, datemultirange", oids: oids(4451, 4536, 4533, 4534, 4535), Options: asText, Note: asWritten + ", such as `{[1,3),[5,7)}`"},
	{Name: "numrange, ranges of your own", class: Range, Options: asLooseText, Note: asWritten + ", such as `[1,10)`, `(,5]` and `empty`"},
	{Name: "nummultirange, multiranges of your own", class: Multirange, Options: asLooseText, Note: asWritten + ", such as `{[1,3),[5,7)}`"},
	{Name: "inet", oids: oids(869), Options: options(by(FormAddress, String)), Note: asWritten + ": `192.0.2.1`, `192.0.2.0/24`, `2001:db8::1`"},
	{Name: "cidr, macaddr, macaddr8", oids: oids(650, 829, 774), Options: asText, Note: asWritten},
	{Name: "bit, bit varying", oids: oids(1560, 1562), Options: asText, Note: "digits 0 and 1"},
	{Name: "point, line, lseg, box, path, polygon, circle", oids: oids(600, 628, 601, 603, 602, 604, 718), Options: asLooseText, Note: asWritten + ", numbers with all digits that tell them apart"},
	{Name: "tsvector, tsquery", oids: oids(3614, 3615), Options: asLooseText, Note: asWritten},
	{Name: "oid, xid, cid", oids: oids(OIDOID, OIDXID, OIDCID), Options: options(is(Long), by(FormText, String)), Note: "0 to 4294967295"},
	{Name: "xid8", oids: oids(OIDXID8), Options: options(is(Decimal), by(FormText, String)), precision: 20, Note: "64 bits without a sign"},
	{
		Name: "regclass, regtype, regproc, regprocedure, regoper, regoperator, regnamespace, regrole, regconfig, regdictionary, regcollation",
		oids: oids(2205, 2206, 24, 2202, 2203, 2204, 4089, 4096, 3734, 3769, 4191), Options: asLooseText,
		Note: "the name, with its schema unless that is pg_catalog; the number where the object is gone",
	},
	{Name: "pg_lsn, tid", oids: oids(3220, 27), Options: asText, Note: asWritten},
	{Name: "pg_snapshot, txid_snapshot, aclitem, refcursor", oids: oids(5038, 2970, 1033, 1790), Options: asLooseText, Note: asWritten},
	{Name: "ltree", extension: []string{"ltree"}, Options: asText, Note: asWritten},
	{Name: "lquery, ltxtquery, cube, seg", extension: []string{"lquery", "ltxtquery", "cube", "seg"}, Options: asLooseText, Note: asWritten},
}

// Default is the logical type that a line's types become, for the documentation: decimal(p,s) where it depends.
func (m *Mapping) Default() string {
	if m.Options[0].ID == Decimal && m.precision == 0 {
		return "decimal(p,s)"
	}
	return Type{ID: m.Options[0].ID, Precision: m.precision, Scale: m.scale}.String()
}

// Mappings is the table of types, in the order of the documentation.
func Mappings() []*Mapping { return append(append([]*Mapping(nil), mappings...), &unknownType) }
