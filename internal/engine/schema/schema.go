// Package schema holds the logical types of columns, how the types of sources become them, and which changes of
// a table's columns the lake follows.
package schema

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
)

// ID names a logical type, in the words that configurations use.
type ID string

// The logical types. Timestamps count microseconds; Timestamp has no zone, TimestampTZ is an instant in UTC.
const (
	Boolean     ID = "boolean"
	Int         ID = "int"
	Long        ID = "long"
	Float       ID = "float"
	Double      ID = "double"
	Decimal     ID = "decimal"
	Date        ID = "date"
	Timestamp   ID = "timestamp"
	TimestampTZ ID = "timestamptz"
	String      ID = "string"
	Binary      ID = "binary"
)

// Type is a logical type. Precision and Scale belong to Decimal: 1 to 38 digits, of which Scale stand behind
// the point.
type Type struct {
	ID        ID  `json:"id"`
	Precision int `json:"precision,omitempty"`
	Scale     int `json:"scale,omitempty"`
}

func (t Type) String() string {
	if t.ID == Decimal {
		return fmt.Sprintf("decimal(%d,%d)", t.Precision, t.Scale)
	}
	return string(t.ID)
}

// ParseType reads a type as configurations write it.
func ParseType(text string) (Type, error) {
	for _, id := range []ID{Boolean, Int, Long, Float, Double, Date, Timestamp, TimestampTZ, String, Binary} {
		if text == string(id) {
			return Type{ID: id}, nil
		}
	}
	t := Type{ID: Decimal}
	if _, err := fmt.Sscanf(text, "decimal(%d,%d)", &t.Precision, &t.Scale); err != nil || t.String() != text ||
		t.Precision < 1 || t.Precision > MaxPrecision || t.Scale < 0 || t.Scale > t.Precision {
		return Type{}, fmt.Errorf("%q is not a type of the lake", text)
	}
	return t, nil
}

// Kind is how vectors hold the type: dates as days and timestamps as microseconds since 1970, decimals as
// their unscaled value.
func (t Type) Kind() column.Kind {
	switch t.ID {
	case Boolean:
		return column.Bool
	case Int, Date:
		return column.Int32
	case Long, Timestamp, TimestampTZ:
		return column.Int64
	case Float:
		return column.Float32
	case Double:
		return column.Float64
	case Decimal:
		if t.Precision > 18 {
			return column.Int128
		}
		return column.Int64
	default:
		return column.Bytes
	}
}

// Column is a column of a table in the lake.
type Column struct {
	// Name is the target's: lower case.
	Name string `json:"name"`
	Type Type   `json:"type"`
	// Required says that the column has no NULLs.
	Required bool   `json:"required,omitempty"`
	Comment  string `json:"comment,omitempty"`
	// Source is the column at the source, or nil for one that only the lake has.
	Source *SourceColumn `json:"source,omitempty"`
	// Stamp says what the engine writes into a column without a source; "" is NULL.
	Stamp Stamp `json:"stamp,omitempty"`
	// FieldID is the column's identity in the lake, given out by the table format; 0 until then.
	FieldID int `json:"field_id,omitempty"`
	// Carried says that the column is the table format's own, which files that wait for their commit carry over from those they
	// replace: they are short rather than read by others.
	Carried bool `json:"carried,omitempty"`
}

// SourceColumn is a column's identity and type at the source.
type SourceColumn struct {
	Name string `json:"name"`
	// Number is the source's own number of the column, which outlives renames (PostgreSQL: attnum).
	Number int `json:"number"`
	// Type is the source's spelling of the type, for messages.
	Type string `json:"type"`
	// OID is PostgreSQL's number of the type, a domain's being that of the type below it.
	OID uint32 `json:"oid,omitempty"`
	// Form is how the column is asked for.
	Form Form `json:"form,omitempty"`
	// Observed says that the column's type is to be made of its values: Observe gives it.
	Observed bool `json:"-"`
	// Default says what rows have that were there before the column was added, in words for messages; "" is NULL.
	Default string `json:"-"`
	// Comparison says of what use the column is in keys and orderings, as it is read.
	Comparison Comparison `json:"-"`
}

// Table is the columns of a table, in the source's order.
type Table struct {
	Columns []Column `json:"columns"`
	// Key names the primary key's columns by their target names.
	Key []string `json:"key,omitempty"`
	// Identity tells this source table from one recreated under its name (PostgreSQL: its oid).
	Identity string `json:"identity,omitempty"`
	// Origin is the place of the source table: its server, database and name. A table with another Identity in the
	// same place was created anew there; "" is a place that is not known.
	Origin  string `json:"origin,omitempty"`
	Comment string `json:"comment,omitempty"`
	// Skipped are the columns of a source that the configuration leaves out; none in a table of the lake.
	Skipped []SourceColumn `json:"-"`
	// Partition is how the table's files are partitioned; nil is not at all.
	Partition []PartitionField `json:"partition,omitempty"`
	// Layout is how files spell the columns, given by the table format.
	Layout Layout `json:"layout,omitempty"`
}

// Layout is how a table's Parquet files spell its columns.
type Layout string

// The layouts. Iceberg's is that of all formats that have none of their own.
const (
	// LayoutIceberg has field ids, decimals as short as they may be, and columns without NULLs as such.
	LayoutIceberg Layout = ""
	// LayoutHudi is that of Hudi's own writers, which read what they rewrite by Avro's types: no field ids, all columns
	// optional, decimals of fixed length whatever their precision, all times instants in UTC.
	LayoutHudi Layout = "hudi"
)

// Kinds are the kinds of the columns' vectors.
func (t *Table) Kinds() []column.Kind {
	kinds := make([]column.Kind, len(t.Columns))
	for i, c := range t.Columns {
		kinds[i] = c.Type.Kind()
	}
	return kinds
}

// Column finds a column by its target name.
func (t *Table) Column(name string) (Column, bool) {
	for _, c := range t.Columns {
		if c.Name == name {
			return c, true
		}
	}
	return Column{}, false
}

// Hash identifies names, types and order of the columns.
func (t *Table) Hash() string {
	type shape struct {
		Name     string
		Type     Type
		Required bool
	}
	shapes := make([]shape, len(t.Columns))
	for i, c := range t.Columns {
		shapes[i] = shape{c.Name, c.Type, c.Required}
	}
	data, err := json.Marshal(shapes)
	if err != nil {
		return "" // strings, numbers and booleans always marshal
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
