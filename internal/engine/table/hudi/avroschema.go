package hudi

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/parquet"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

// avroName is what Avro takes for a name (Avro specification, "Names"). Readers fail on the whole table where a column has another.
var avroName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// maxAvroSchema bounds the schema of a commit, in bytes.
const maxAvroSchema = 16 << 20

// avroField is a field of a record.
type avroField struct {
	Name    string          `json:"name"`
	Type    json.RawMessage `json:"type"`
	Doc     string          `json:"doc,omitempty"`
	Default json.RawMessage `json:"default"`
}

type avroRecord struct {
	Type      string      `json:"type"`
	Name      string      `json:"name"`
	Namespace string      `json:"namespace,omitempty"`
	Fields    []avroField `json:"fields"`
}

// avroLogical is a type that stands for another.
type avroLogical struct {
	Type        json.RawMessage `json:"type"`
	Name        string          `json:"name,omitempty"`
	Namespace   string          `json:"namespace,omitempty"`
	Size        int             `json:"size,omitempty"`
	LogicalType string          `json:"logicalType,omitempty"`
	Precision   int             `json:"precision,omitempty"`
	Scale       int             `json:"scale"`
}

// recordName is a table's name as Avro takes it.
func recordName(table string) string {
	name := strings.Map(func(r rune) rune {
		if r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, table)
	if name == "" || name[0] >= '0' && name[0] <= '9' {
		name = "_" + name
	}
	return name
}

// avroSchema is the schema of a table as commits have it, or with the meta columns, as files do (Hudi, HoodieAvroUtils). It holds
// all columns but those of names that are Hudi's.
func avroSchema(tableName string, s *schema.Table, meta bool) (string, error) {
	record := avroRecord{Type: "record", Name: recordName(tableName) + "_record", Namespace: "hoodie." + recordName(tableName)}
	null := json.RawMessage("null")
	if meta {
		for _, name := range metaColumns {
			record.Fields = append(record.Fields, avroField{Name: name, Type: json.RawMessage(`["null","string"]`), Default: null})
		}
	}
	for _, c := range s.Columns {
		if isMeta(c.Name) {
			continue
		}
		if !avroName.MatchString(c.Name) {
			return "", fmt.Errorf("the column %q has a name that Avro does not take, and with it no reader of Hudi: give it another name in columns, of letters, digits and underscores", c.Name)
		}
		typ, err := avroType(c, record.Namespace+"."+record.Name)
		if err != nil {
			return "", err
		}
		record.Fields = append(record.Fields, avroField{Name: c.Name, Type: typ, Default: null})
	}
	text, err := json.Marshal(record)
	if err != nil {
		return "", fmt.Errorf("writing the schema of %s: %w", tableName, err)
	}
	return string(text), nil
}

// avroType is a column's type, which may be NULL.
func avroType(c schema.Column, namespace string) (json.RawMessage, error) {
	var of any
	logical := func(typ, name string) any {
		return struct {
			Type        string `json:"type"`
			LogicalType string `json:"logicalType"`
		}{typ, name}
	}
	switch c.Type.ID {
	case schema.Boolean, schema.Int, schema.Long, schema.Float, schema.Double, schema.String:
		of = string(c.Type.ID)
	case schema.Binary:
		of = "bytes"
	case schema.Date:
		of = logical("int", "date")
	case schema.Timestamp, schema.TimestampTZ:
		of = logical("long", "timestamp-micros")
	case schema.Decimal:
		of = avroLogical{
			Type: json.RawMessage(`"fixed"`), Name: "fixed", Namespace: namespace + "." + c.Name, Size: parquet.DecimalBytes(c.Type.Precision),
			LogicalType: "decimal", Precision: c.Type.Precision, Scale: c.Type.Scale,
		}
	default:
		return nil, fmt.Errorf("the column %q: the type %s has no form in Hudi: declare it as string in columns", c.Name, c.Type)
	}
	return json.Marshal([]any{"null", of})
}

// parseAvro reads the columns of a commit's schema, meta columns left out. Types that no column of lakeland has are errors.
func parseAvro(text string) ([]schema.Column, error) {
	if len(text) > maxAvroSchema {
		return nil, fmt.Errorf("the schema has %d bytes, more than %d", len(text), maxAvroSchema)
	}
	var record avroRecord
	if err := json.Unmarshal([]byte(text), &record); err != nil {
		return nil, fmt.Errorf("reading the schema of a commit: %w", err)
	}
	var out []schema.Column
	for _, f := range record.Fields {
		if isMeta(f.Name) {
			continue
		}
		typ, err := typeOf(f.Type)
		if err != nil {
			return nil, fmt.Errorf("the column %q: %w", f.Name, err)
		}
		out = append(out, schema.Column{Name: f.Name, Type: typ})
	}
	return out, nil
}

// typeOf reads a type of Avro: a name, a union with null, or one with a logical type.
func typeOf(data json.RawMessage) (schema.Type, error) {
	var union []json.RawMessage
	if json.Unmarshal(data, &union) == nil {
		for _, one := range union {
			if string(one) != `"null"` {
				return typeOf(one)
			}
		}
	}
	var name string
	if json.Unmarshal(data, &name) == nil {
		return plainType(name, avroLogical{})
	}
	var l avroLogical
	if err := json.Unmarshal(data, &l); err != nil {
		return schema.Type{}, fmt.Errorf("its type %s is not one that is read here: %w", data, err)
	}
	if err := json.Unmarshal(l.Type, &name); err != nil {
		return typeOf(l.Type)
	}
	return plainType(name, l)
}

func plainType(name string, l avroLogical) (schema.Type, error) {
	switch {
	case l.LogicalType == "decimal" && (name == "fixed" || name == "bytes") && l.Precision >= 1 && l.Precision <= schema.MaxPrecision && l.Scale >= 0 && l.Scale <= l.Precision:
		return schema.Type{ID: schema.Decimal, Precision: l.Precision, Scale: l.Scale}, nil
	case name == "int" && l.LogicalType == "date":
		return schema.Type{ID: schema.Date}, nil
	case name == "long" && l.LogicalType == "timestamp-micros":
		return schema.Type{ID: schema.TimestampTZ}, nil
	case l.LogicalType != "" && l.LogicalType != "uuid":
		return schema.Type{}, fmt.Errorf("its type is %s of %s, which this engine does not write: land into a new target", l.LogicalType, name)
	case name == "boolean" || name == "int" || name == "long" || name == "float" || name == "double" || name == "string":
		return schema.Type{ID: schema.ID(name)}, nil
	case name == "bytes":
		return schema.Type{ID: schema.Binary}, nil
	default:
		return schema.Type{}, fmt.Errorf("its type is %s, which no column of lakeland has: land into a new target", name)
	}
}
