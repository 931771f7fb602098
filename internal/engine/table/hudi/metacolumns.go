package hudi

import (
	"slices"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

// The columns in front of every row (Hudi, HoodieRecord). Time and sequence number stay when a row is only copied; the name of
// the file never does.
const (
	commitTimeColumn = "_hoodie_commit_time"
	sequenceColumn   = "_hoodie_commit_seqno"
	recordKeyColumn  = "_hoodie_record_key"
	partitionColumn  = "_hoodie_partition_path"
	fileNameColumn   = "_hoodie_file_name"
)

var metaColumns = []string{commitTimeColumn, sequenceColumn, recordKeyColumn, partitionColumn, fileNameColumn}

// metaFieldID is the field id of the first of the meta columns, far from those that columns of tables have.
const metaFieldID = 1_000_000_001

func isMeta(name string) bool { return slices.Contains(metaColumns, name) }

// carried are the columns of a table that only the lake has: what merges bring into rows is NULL, for the instant is not known
// until the commit, and rows that are only copied keep what they have.
func carried() []schema.Column {
	out := make([]schema.Column, 2)
	for i, name := range []string{commitTimeColumn, sequenceColumn} {
		out[i] = schema.Column{Name: name, Type: schema.Type{ID: schema.String}, FieldID: metaFieldID + i, Carried: true}
	}
	return out
}

// fileColumns are the columns of a file: Hudi's, then the table's.
func fileColumns(s *schema.Table) *schema.Table {
	out := &schema.Table{Layout: schema.LayoutHudi}
	for i, name := range metaColumns {
		out.Columns = append(out.Columns, schema.Column{Name: name, Type: schema.Type{ID: schema.String}, FieldID: metaFieldID + i})
	}
	for _, c := range s.Columns {
		if !isMeta(c.Name) {
			out.Columns = append(out.Columns, c)
		}
	}
	// Readers skip by the bounds of keys of text, too.
	out.Key = append([]string{recordKeyColumn}, s.Key...)
	return out
}
