package iceberg

import (
	"encoding/json"
	"fmt"
	"strconv"

	iceberggo "github.com/apache/iceberg-go"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// sourceProperty keeps, beside the schema, which column of the source each field is.
const sourceProperty = "lakeland.source"

type sourceOf struct {
	Identity string `json:"identity"`
	Origin   string `json:"origin,omitempty"`
	// Comment is the source table's.
	Comment string `json:"comment,omitempty"`
	// Columns maps field ids to columns of the source.
	Columns map[int]schema.SourceColumn `json:"columns"`
}

func toIceberg(t schema.Type) (iceberggo.Type, error) {
	switch t.ID {
	case schema.Boolean:
		return iceberggo.PrimitiveTypes.Bool, nil
	case schema.Int:
		return iceberggo.PrimitiveTypes.Int32, nil
	case schema.Long:
		return iceberggo.PrimitiveTypes.Int64, nil
	case schema.Float:
		return iceberggo.PrimitiveTypes.Float32, nil
	case schema.Double:
		return iceberggo.PrimitiveTypes.Float64, nil
	case schema.Date:
		return iceberggo.PrimitiveTypes.Date, nil
	case schema.Timestamp:
		return iceberggo.PrimitiveTypes.Timestamp, nil
	case schema.TimestampTZ:
		return iceberggo.PrimitiveTypes.TimestampTz, nil
	case schema.String:
		return iceberggo.PrimitiveTypes.String, nil
	case schema.Binary:
		return iceberggo.PrimitiveTypes.Binary, nil
	case schema.Decimal:
		return iceberggo.DecimalTypeOf(t.Precision, t.Scale), nil
	default:
		return nil, fmt.Errorf("the type %s has no Iceberg form", t)
	}
}

func fromIceberg(t iceberggo.Type) (schema.Type, error) {
	if d, ok := t.(iceberggo.DecimalType); ok {
		return schema.Type{ID: schema.Decimal, Precision: d.Precision(), Scale: d.Scale()}, nil
	}
	for _, id := range []schema.ID{schema.Boolean, schema.Int, schema.Long, schema.Float, schema.Double, schema.Date, schema.Timestamp, schema.TimestampTZ, schema.String, schema.Binary} {
		if own, err := toIceberg(schema.Type{ID: id}); err == nil && own.Equals(t) {
			return schema.Type{ID: id}, nil
		}
	}
	return schema.Type{}, fmt.Errorf("the type %s is not one that is written here", t)
}

// icebergSchema is the form of a schema whose columns have their field ids.
func icebergSchema(id int, s schema.Table) (*iceberggo.Schema, error) {
	fields := make([]iceberggo.NestedField, len(s.Columns))
	byName := map[string]int{}
	for i, c := range s.Columns {
		t, err := toIceberg(c.Type)
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", c.Name, err)
		}
		fields[i] = iceberggo.NestedField{ID: c.FieldID, Name: c.Name, Type: t, Required: c.Required, Doc: c.Comment}
		byName[c.Name] = c.FieldID
	}
	var key []int
	for _, name := range s.Key {
		c, ok := s.Column(name)
		if !ok {
			return nil, fmt.Errorf("the key column %q is not among the columns", name)
		}
		if c.Required && c.Type.ID != schema.Float && c.Type.ID != schema.Double {
			key = append(key, c.FieldID)
		}
	}
	if len(key) != len(s.Key) {
		key = nil // identifier fields must all be required and never floating ("Identifier Field IDs")
	}
	return iceberggo.NewSchemaWithIdentifiers(id, key, fields...), nil
}

// lakeSchema is a table's current schema in our words, with what its properties say of the source.
func lakeSchema(m *metadata) (schema.Table, error) {
	var source sourceOf
	if text := m.Properties[sourceProperty]; text != "" {
		if err := json.Unmarshal([]byte(text), &source); err != nil {
			return schema.Table{}, fmt.Errorf("the table property %s is damaged: %w", sourceProperty, err)
		}
	}
	current := m.currentSchema()
	out := schema.Table{Identity: source.Identity, Origin: source.Origin, Comment: source.Comment}
	for _, f := range current.Fields() {
		t, err := fromIceberg(f.Type)
		if err != nil {
			return schema.Table{}, fmt.Errorf("%w: its column %q: %w", table.ErrForeign, f.Name, err)
		}
		c := schema.Column{Name: f.Name, Type: t, Required: f.Required, Comment: f.Doc, FieldID: f.ID}
		if from, ok := source.Columns[f.ID]; ok {
			c.Source = &from
		}
		out.Columns = append(out.Columns, c)
	}
	if spec, ok := m.spec(m.DefaultSpecID); ok {
		out.Partition, _ = partitionFields(spec, out.Columns)
	}
	for _, id := range current.IdentifierFieldIDs {
		if name, ok := current.FindColumnName(id); ok {
			out.Key = append(out.Key, name)
		}
	}
	return out, nil
}

func sourceText(s schema.Table) (string, error) {
	source := sourceOf{Identity: s.Identity, Origin: s.Origin, Comment: s.Comment, Columns: map[int]schema.SourceColumn{}}
	for _, c := range s.Columns {
		if c.Source != nil {
			source.Columns[c.FieldID] = *c.Source
		}
	}
	data, err := json.Marshal(source)
	if err != nil {
		return "", fmt.Errorf("writing the table property %s: %w", sourceProperty, err)
	}
	return string(data), nil
}

// glueColumns keeps the catalogue's list of columns in step, with the parameters that other Iceberg writers
// give them.
func glueColumns(s schema.Table) []catalog.Column {
	out := make([]catalog.Column, len(s.Columns))
	for i, c := range s.Columns {
		out[i] = catalog.Column{Name: c.Name, Type: table.GlueType(c.Type), Comment: table.ColumnComment(c.Comment), Parameters: map[string]string{
			"iceberg.field.id": strconv.Itoa(c.FieldID), "iceberg.field.optional": strconv.FormatBool(!c.Required), "iceberg.field.current": "true",
		}}
	}
	return out
}
