package hive

import (
	"maps"
	"strings"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// How Hive's readers are told that files are Parquet.
const (
	inputFormat  = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
	outputFormat = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"
	serDe        = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
	external     = "EXTERNAL_TABLE"
)

// counted are parameters in which others keep numbers about the files of an entry; Hive answers questions from them. They go
// when the files do.
var counted = []string{
	"numRows", "rawDataSize", "totalSize", "numFiles", "COLUMN_STATS_ACCURATE", "STATS_GENERATED_VIA_STATS_TASK", "STATS_GENERATED",
	"recordCount", "averageRecordSize", "sizeKey", "objectCount",
}

// entry is the catalogue's entry of a schema. What others have put into the one that there is stays.
func (t *Table) entry(current *catalog.Table, before, now schema.Table, location string) *catalog.Table {
	e := &catalog.Table{
		Database: t.o.Database, Name: t.o.Name, Type: external, Parameters: map[string]string{}, Location: location, Columns: columns(now), PartitionKeys: t.partitionKeys(),
		InputFormat: inputFormat, OutputFormat: outputFormat, SerDe: serDe, SerDeParameters: map[string]string{},
	}
	if current != nil {
		e.Description, e.Version = current.Description, current.Version
		maps.Copy(e.Parameters, current.Parameters)
		maps.Copy(e.SerDeParameters, current.SerDeParameters)
		if current.Location != location {
			for _, name := range counted {
				delete(e.Parameters, name)
			}
		}
	}
	e.Description = table.Description(e.Description, before, now)
	e.Parameters["EXTERNAL"], e.Parameters["classification"] = "TRUE", "parquet"
	e.SerDeParameters["serialization.format"] = "1"
	return e
}

func columns(s schema.Table) []catalog.Column {
	out := make([]catalog.Column, len(s.Columns))
	for i, c := range s.Columns {
		out[i] = catalog.Column{Name: c.Name, Type: table.GlueType(c.Type), Comment: table.ColumnComment(c.Comment)}
	}
	return out
}

func (t *Table) partitionKeys() []catalog.Column {
	if !t.o.Historical {
		return nil
	}
	return []catalog.Column{{Name: BatchColumn, Type: "bigint", Comment: "the batch that brought the row, numbered from 1"}}
}

// ours refuses an entry that is not one of this table, or that others have changed so that readers read something else.
func (t *Table) ours(e *catalog.Table) error {
	const out = "choose another name, or remove that entry"
	if kind := e.Parameters["table_type"]; kind != "" {
		return t.foreign("is not one of plain Parquet files (table_type %q): %s", kind, out)
	}
	if e.Type != external || e.SerDe != serDe || e.InputFormat != inputFormat {
		return t.foreign("is not one of plain Parquet files (%s, SerDe %q, input format %q): %s", e.Type, e.SerDe, e.InputFormat, out)
	}
	if e.Parameters[tableParameter] == "" {
		return t.foreign("was not landed by lakeland (it has no parameter %s): %s", tableParameter, out)
	}
	return nil
}

// unchanged refuses an entry whose columns, keys or location are not those that were written.
func (t *Table) unchanged(e *catalog.Table, d *tableDocument, location string) error {
	if d.Historical != t.o.Historical {
		return t.foreign("holds %s, and its source table wants %s: choose another target, or set storage_mode back", kindText(d.Historical), kindText(t.o.Historical))
	}
	if e.Location != location {
		return t.foreign("lies at %s, not at %s: set the location back, choose another name, or remove that entry", e.Location, location)
	}
	for _, list := range []struct {
		what       string
		have, want []catalog.Column
	}{{"columns", e.Columns, columns(d.Schema)}, {"partition keys", e.PartitionKeys, t.partitionKeys()}} {
		if have, want := columnsText(list.have), columnsText(list.want); have != want {
			return t.foreign("has the %s %s, and %s were landed: somebody changed them; set them back, or remove that entry to land the table anew", list.what, have, want)
		}
	}
	return nil
}

func kindText(historical bool) string {
	if historical {
		return "batches (historical)"
	}
	return "a current snapshot"
}

func columnsText(list []catalog.Column) string {
	var out []string
	for _, c := range list {
		out = append(out, strings.ToLower(c.Name)+" "+strings.ToLower(c.Type))
	}
	return "(" + strings.Join(out, ", ") + ")"
}
