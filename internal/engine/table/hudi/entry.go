package hudi

import (
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// How the catalogue's readers know a table of Hudi (Hudi, AWSGlueCatalogSyncClient). Trino goes by the input format alone.
const (
	inputFormat  = "org.apache.hudi.hadoop.HoodieParquetInputFormat"
	outputFormat = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"
	serDe        = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
	external     = "EXTERNAL_TABLE"
	// syncedParameter is the newest commit that the entry shows.
	syncedParameter = "last_commit_time_sync"
	sparkSchema     = "spark.sql.sources.schema."
	// partLength is how long a part of Spark's schema is, in characters.
	partLength = 4000
)

// location is the table's address, without a slash at its end, as Hudi's writers have it.
func (t *Table) location() string { return t.o.Store.Address(strings.TrimSuffix(t.o.Prefix, "/")) }

// ours refuses an entry of another table, or of another kind.
func (t *Table) ours(e *catalog.Table) error {
	const out = "choose another name, or remove that entry"
	if kind := e.Parameters["table_type"]; kind != "" || e.Type != external || e.InputFormat != inputFormat {
		return fmt.Errorf("%w: the Glue table %s is not one of Hudi (%s, table_type %q, input format %q): %s", table.ErrForeign, t.name(), e.Type, kind, e.InputFormat, out)
	}
	if strings.TrimSuffix(e.Location, "/") != t.location() {
		return fmt.Errorf("%w: the Glue table %s lies at %s, not at %s: set the location back, or %s", table.ErrForeign, t.name(), e.Location, t.location(), out)
	}
	return nil
}

// entryOf is the catalogue's entry of a schema. What others have put into the one that there is stays.
func (t *Table) entryOf(current *catalog.Table, before, now schema.Table, form pathForm) (*catalog.Table, error) {
	e := &catalog.Table{
		Database: t.o.Database, Name: t.o.Name, Type: external, Location: t.location(), Parameters: map[string]string{},
		InputFormat: inputFormat, OutputFormat: outputFormat, SerDe: serDe, SerDeParameters: map[string]string{},
	}
	if current != nil {
		e.Description, e.Version, e.Location = current.Description, current.Version, current.Location
		maps.Copy(e.Parameters, current.Parameters)
		maps.Copy(e.SerDeParameters, current.SerDeParameters)
	}
	e.Description = table.Description(e.Description, before, now)
	e.SerDeParameters["serialization.format"], e.SerDeParameters["path"], e.SerDeParameters["hoodie.query.as.ro.table"] = "1", t.location(), "false"
	e.Parameters["EXTERNAL"], e.Parameters["spark.sql.sources.provider"], e.Parameters["hudi.metadata-listing-enabled"] = "TRUE", "hudi", "FALSE"
	e.Columns, e.PartitionKeys = glueColumns(now, form)
	return e, sparkParameters(e.Parameters, now, form)
}

// glueColumns are the entry's: Hudi's own, then the table's, then as keys those of the partitions.
func glueColumns(s schema.Table, form pathForm) (columns, keys []catalog.Column) {
	for _, name := range metaColumns {
		columns = append(columns, catalog.Column{Name: name, Type: "string"})
	}
	of := map[string]catalog.Column{}
	for _, c := range s.Columns {
		if isMeta(c.Name) {
			continue
		}
		of[c.Name] = catalog.Column{Name: c.Name, Type: table.GlueType(c.Type), Comment: table.ColumnComment(c.Comment)}
		if !form.has(c.Name) {
			columns = append(columns, of[c.Name])
		}
	}
	for _, name := range form.columns {
		keys = append(keys, of[name])
	}
	return columns, keys
}

func (f pathForm) has(name string) bool {
	for _, column := range f.columns {
		if column == name {
			return true
		}
	}
	return false
}

// sparkField is a column in Spark's words (Spark, StructField.jsonValue).
type sparkField struct {
	Name     string   `json:"name"`
	Type     string   `json:"type"`
	Nullable bool     `json:"nullable"`
	Metadata struct{} `json:"metadata"`
}

// sparkParameters put the schema into an entry's parameters as Spark reads it, partition columns last, in parts.
func sparkParameters(p map[string]string, s schema.Table, form pathForm) error {
	for name := range p {
		if strings.HasPrefix(name, sparkSchema) {
			delete(p, name)
		}
	}
	var fields, last []sparkField
	for _, name := range metaColumns {
		fields = append(fields, sparkField{Name: name, Type: "string", Nullable: true})
	}
	for _, c := range s.Columns {
		if isMeta(c.Name) {
			continue
		}
		if f := (sparkField{Name: c.Name, Type: sparkType(c.Type), Nullable: true}); form.has(c.Name) {
			last = append(last, f)
		} else {
			fields = append(fields, f)
		}
	}
	data, err := json.Marshal(struct {
		Type   string       `json:"type"`
		Fields []sparkField `json:"fields"`
	}{"struct", append(fields, last...)})
	if err != nil {
		return fmt.Errorf("writing the schema for Spark: %w", err)
	}
	text, parts := string(data), 0
	for ; text != ""; parts++ {
		n := min(partLength, len(text))
		p[sparkSchema+"part."+strconv.Itoa(parts)], text = text[:n], text[n:]
	}
	p[sparkSchema+"numParts"] = strconv.Itoa(parts)
	if len(form.columns) > 0 {
		p[sparkSchema+"numPartCols"] = strconv.Itoa(len(form.columns))
		for i, name := range form.columns {
			p[sparkSchema+"partCol."+strconv.Itoa(i)] = name
		}
	}
	return nil
}

// sparkType is how Spark spells a type.
func sparkType(t schema.Type) string {
	switch t.ID {
	case schema.Int:
		return "integer"
	case schema.Timestamp, schema.TimestampTZ:
		return "timestamp"
	case schema.Decimal:
		return fmt.Sprintf("decimal(%d,%d)", t.Precision, t.Scale)
	default:
		return string(t.ID)
	}
}
