package schema

import (
	"fmt"
	"slices"
	"strings"
)

// MaxPrecision is the number of digits that decimals have in Parquet, Iceberg and their readers.
const MaxPrecision = 38

// firstOwnOID is the first oid of what users and extensions create (src/include/access/transam.h,
// FirstNormalObjectId): below it oids are the same on every server.
const firstOwnOID = 16384

// Class is what PostgreSQL's catalogues say a type is made as.
type Class string

// The classes of types. A domain is none of them: it stands for the type below it.
const (
	Base       Class = "base"
	Array      Class = "array"
	Enum       Class = "enum"
	Composite  Class = "composite"
	Range      Class = "range"
	Multirange Class = "multirange"
)

// PostgresType is the type of a column as PostgreSQL's catalogues describe it, domains resolved.
type PostgresType struct {
	OID      uint32
	Modifier int32
	// Name is the type's name without its schema (pg_type.typname).
	Name  string
	Class Class
}

// Form is how a column is asked for, so that what comes can be decoded exactly.
type Form string

// The forms. All but the binary one have the server itself write the value, under the session's pinned settings.
const (
	// FormBinary is the type's own binary form.
	FormBinary Form = ""
	// FormText is the value cast to text.
	FormText Form = "text"
	// FormJSON is the value as PostgreSQL's to_json writes it.
	FormJSON Form = "json"
	// FormNumeric is the value cast to numeric, in its binary form.
	FormNumeric Form = "numeric"
	// FormAddress is an address as psql shows it; the cast to text would add the mask of a single host.
	FormAddress Form = "address"
)

// Reading is how a column is read, and what it becomes.
type Reading struct {
	Type Type
	Form Form
	// Unknown says that the type stands in no line of the table of types.
	Unknown bool
	// Comparison says of what use the values are in keys and orderings.
	Comparison Comparison
}

// FromPostgres is how a column is read whose configuration declares no type.
func FromPostgres(t PostgresType) Reading {
	m := MappingOf(t)
	r := Reading{Type: Type{ID: m.Options[0].ID}, Form: m.Options[0].Form, Unknown: m == &unknownType, Comparison: m.comparison(0)}
	switch {
	case m == &boundedNumeric:
		r.Type.Precision, r.Type.Scale, _ = decimalOf(t.Modifier)
	case r.Type.ID == Decimal:
		r.Type.Precision, r.Type.Scale = m.precision, m.scale
	}
	return r
}

// Declare is how a column is read that the configuration declares to be of a type.
func Declare(t PostgresType, declared Type) (Reading, error) {
	m := MappingOf(t)
	at := slices.IndexFunc(m.Options, func(o Option) bool { return o.ID == declared.ID })
	if at < 0 {
		words := make([]string, len(m.Options))
		for i, o := range m.Options {
			words[i] = string(o.ID)
			if o.ID == Decimal {
				words[i] = "decimal(p,s)"
			}
		}
		return Reading{}, fmt.Errorf("it cannot be declared as %s, which would not hold its values exactly: declare it as %s, or read a view that casts it", declared, strings.Join(words, " or "))
	}
	return Reading{Type: declared, Form: m.Options[at].Form, Unknown: m == &unknownType, Comparison: m.comparison(at)}, nil
}

// MappingOf is the line of the table of types that a type belongs to.
func MappingOf(t PostgresType) *Mapping {
	if t.OID == OIDNumeric {
		if _, _, ok := decimalOf(t.Modifier); ok {
			return &boundedNumeric
		}
	}
	if t.OID == OIDBPChar && t.Modifier < 0 {
		return &unboundedChar
	}
	for _, m := range mappings {
		switch {
		case slices.Contains(m.oids, t.OID),
			t.Class == Base && t.OID >= firstOwnOID && slices.Contains(m.extension, t.Name),
			m.class != "" && m.class == t.Class && t.OID != OIDInt2Vector && t.OID != OIDOIDVector:
			return m
		}
	}
	return &unknownType
}

// decimalOf is the decimal type that holds every value of a numeric with a type modifier; ok is false for one
// without precision and for one that needs more than 38 digits.
//
// The modifier is ((precision << 16) | (scale & 0x7ff)) + 4, the scale having 11 bits and a sign
// (src/backend/utils/adt/numeric.c). A negative scale stands for zeros before the point: numeric(5,-2) has up to
// seven digits there. A scale above the precision stands for zeros behind it: numeric(3,5) has five digits there.
func decimalOf(modifier int32) (precision, scale int, ok bool) {
	if modifier < 4 {
		return 0, 0, false
	}
	packed := modifier - 4
	precision, scale = int(packed>>16)&0xffff, int(packed&0x7ff)
	if scale > 1023 {
		scale -= 2048
	}
	if scale < 0 {
		precision, scale = precision-scale, 0
	}
	precision = max(precision, scale)
	return precision, scale, precision <= MaxPrecision
}
