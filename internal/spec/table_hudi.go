package spec

import (
	"maps"
	"slices"
	"strings"
)

// unspelled are the types that tables of Hudi have neither in record keys nor in partitions: Spark itself writes times there in two
// ways, by which one row would be two, and for the others no two writers agree.
var unspelled = []string{"timestamp", "timestamptz", "float", "double", "binary"}

// hudiNames are the columns that Hudi puts in front of a table's own.
var hudiNames = []string{"_hoodie_commit_time", "_hoodie_commit_seqno", "_hoodie_record_key", "_hoodie_partition_path", "_hoodie_file_name"}

// avroName is what Avro takes for a name, in lower case.
var avroName = formOf(`^[a-z_][a-z0-9_]*$`)

// checkHudi refuses what no table of Hudi can be.
func (t *Table) checkHudi(ps *Problems) {
	if t.Target.Format != "hudi" {
		return
	}
	format := At("target", "format")
	for i, text := range t.PartitionBy {
		if p, err := ParsePartition(text); err == nil && p.Transform != "identity" {
			ps.add(At("partition_by", i), "format \"hudi\" has partitions by the values of columns alone, not by %q: write a column, such as one that the source computes, or use iceberg", text)
			ps.needing(format)
		}
	}
	named := t.namedColumns()
	for _, c := range named {
		declared := t.Columns[c.name].Type
		if c.spelled && slices.Contains(unspelled, declared) {
			instead := "choose a column of whole numbers, text, dates or decimals"
			if strings.HasPrefix(declared, "timestamp") {
				instead = "declare it as \"long\", which is microseconds since 1970, or " + instead
			}
			ps.add(At("columns", Key(c.name), "type"), "%s names the column, and values of type %q have no one spelling in the record keys and partitions of format \"hudi\", so that one row may become two: %s", c.by, declared, instead)
			ps.needing(format, c.by)
		}
	}
	t.checkHudiNames(ps, named)
	for _, name := range slices.Sorted(maps.Keys(t.Columns)) {
		if t.Columns[name].Type == ObservedDecimal {
			ps.add(At("columns", Key(name), "type"), "%q grows with the column's values, and a column of format \"hudi\" keeps its type: write a decimal that holds all that may come, such as \"decimal(38,9)\"", ObservedDecimal)
			ps.needing(format)
		}
	}
}

// checkHudiNames refuses names that Avro does not take, and those of Hudi's own columns.
func (t *Table) checkHudiNames(ps *Problems, named []namedColumn) {
	format, seen := At("target", "format"), map[string]bool{}
	wrong := func(at Path, name, lake string) {
		switch {
		case slices.Contains(hudiNames, lake):
			ps.add(at, "%q is the name of a column that Hudi keeps for itself: give it another, such as columns = { %q = { name = %q } }", lake, name, "source"+lake)
			ps.needing(format)
		case !avroName.MatchString(lake):
			ps.add(at, "%q would be %q in the lake, a name that Avro does not take, and with it no reader of Hudi: give it another, such as columns = { %q = { name = %q } }", name, lake, name, suggest(name, '_', 128))
			ps.needing(format)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(t.Columns)) {
		if c := t.Columns[name]; c.Name != "" {
			if seen[name] = true; slices.Contains(hudiNames, c.Name) {
				wrong(At("columns", Key(name), "name"), name, c.Name)
			}
		} else if !c.Skip {
			seen[name] = true
			wrong(At("columns", Key(name)), name, LakeName(name))
		}
	}
	for _, c := range named {
		if !seen[c.name] {
			seen[c.name] = true
			wrong(c.by, c.name, LakeName(c.name))
		}
	}
	if slices.Contains(hudiNames, t.DeletedColumn) {
		ps.add(At("deleted_column"), "%q is the name of a column that Hudi keeps for itself: write another, such as \"is_deleted\"", t.DeletedColumn)
		ps.needing(format)
	}
}

// namedColumn is a column of the source that a document names, and where.
type namedColumn struct {
	name string
	by   Path
	// spelled says that its values are part of record keys or of partitions.
	spelled bool
}

// namedColumns are the columns that the lake needs, which a document names.
func (t *Table) namedColumns() []namedColumn {
	var out []namedColumn
	for i, name := range t.PrimaryKey {
		out = append(out, namedColumn{name, At("primary_key", i), true})
	}
	for i, text := range t.PartitionBy {
		if p, err := ParsePartition(text); err == nil {
			out = append(out, namedColumn{p.Column, At("partition_by", i), true})
		}
	}
	for _, c := range []namedColumn{{t.Ordering, At("ordering"), t.StorageMode == "historical"}, {t.Extract.Cursor, At("extract", "cursor"), false}} {
		if c.name != "" {
			out = append(out, c)
		}
	}
	return out
}
