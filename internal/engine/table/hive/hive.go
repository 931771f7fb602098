// Package hive is the plain Parquet format: Parquet files in folders that an entry of the Glue catalogue names, as Athena,
// Spark and Trino read them with their Hive connectors. Whatever lies in such a folder is part of the table, so each attempt
// has a folder of its own, and readers are shown it by one call to the catalogue, the commit.
//
// A table is of one of two kinds. One of the current snapshot is not partitioned; a commit replaces everything, by one
// update of the entry that names another folder. One that is historical is partitioned by a number, BatchColumn; a commit
// adds the partition with the next number. What a table was landed from, and which files it holds, stands in the parameters
// of entry and partitions.
//
// Readers find a file's columns by their names. Where a column was widened, the partitions say of what type it is in their
// files: Athena and Trino read it as the entry's type, and so does Spark from version 4 on, or where
// spark.sql.hive.convertMetastoreParquet is false. Timestamps with and without zone are both Hive's timestamp, in UTC; Spark 3
// reads those before 1900, and dates before 1582, where spark.sql.parquet.datetimeRebaseModeInRead is CORRECTED.
package hive

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// BatchColumn is the partition key of historical tables: the number of the batch, the first being 1.
const BatchColumn = "_lk_batch"

// KeptFor is how long the files of a current snapshot stay that another has replaced: queries that began before read them
// still.
const KeptFor = 24 * time.Hour

// Options say where a table is.
type Options struct {
	Store   store.Store
	Catalog catalog.Catalog
	// Prefix is the table's folder in the store, with a slash at its end.
	Prefix string
	// Database and Name are the table's entry in the catalogue.
	Database, Name string
	// Version is the engine's, for the entries it writes.
	Version string
	// Historical says that commits add batches; otherwise each replaces the current snapshot.
	Historical bool
	// Since is a batch that a historical table is known to have had (see Batch): the head is looked for from it on, instead
	// of among all batches. 0 is none. Head.Rows is then not known.
	Since int64
	// Now is the time of commits, and the one by which files are too old; nil means the machine's clock. No commit's outcome
	// is decided by it.
	Now func() time.Time
}

// Table is one table of plain Parquet files; it implements table.Table.
type Table struct {
	o Options
}

// New makes no call.
func New(o Options) *Table {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Table{o: o}
}

func (t *Table) name() string { return t.o.Database + "." + t.o.Name }

// foreign is the error of what stands at the target and is not this table.
func (t *Table) foreign(format string, arguments ...any) error {
	return fmt.Errorf("%w: the Glue table %s %s", table.ErrForeign, t.name(), fmt.Sprintf(format, arguments...))
}

// folder is the key in front of an attempt's data files. The folder's name holds the table's id and the attempt, so no other
// attempt has files in it.
func (t *Table) folder(id, attempt string) string {
	return t.o.Prefix + "data/" + id + "-" + attempt + "/"
}

// notes is the key in front of an attempt's other objects, which no reader lists.
func (t *Table) notes(id, attempt string) string {
	return t.o.Prefix + "metadata/" + id + "-" + attempt + "/"
}

// DataKeys implements table.Table. The folder is what readers list once it is committed: a commit removes from it what is
// not part of the change, last of all, and nothing may be written to it afterwards. Of a batch that lost a race to somebody
// who changed the entry nothing has been removed. Files that a run needs only for itself belong under the keys of another
// attempt's name, unless they may go with the commit.
func (t *Table) DataKeys(head *table.Head, attempt, unit string) (prefix, suffix string) {
	return t.folder(head.TableID, attempt) + head.TableID + "-" + attempt + "-" + unit + "-", ".parquet"
}

// PositionKey implements table.Table.
func (t *Table) PositionKey(head *table.Head, sum string) string {
	return t.o.Prefix + "metadata/" + head.TableID + "-positions/" + sum + ".json"
}

// Prepare implements table.Table. Of a historical table it refuses what the batches that are there cannot follow, for their
// files stay as they are: a column that the source renamed, and one that becomes of another type but by int to long and to more
// digits of a decimal. Columns of such batches that the schema does not have any more are added to it, with NULLs from now on.
func (t *Table) Prepare(head *table.Head, s schema.Table) (schema.Table, error) {
	on, err := baseOf(head)
	if err != nil {
		return schema.Table{}, err
	}
	if len(s.Partition) > 0 {
		return schema.Table{}, fmt.Errorf("planning %s: %w: plain Parquet files have partitions of their own: use the format iceberg for partition_by", t.name(), table.ErrPartitioning)
	}
	s.Columns = append([]schema.Column(nil), s.Columns...)
	last := 0
	if head.Exists {
		last = on.document.LastColumn
		if t.o.Historical {
			if err := t.follow(&s, head.Schema); err != nil {
				return schema.Table{}, fmt.Errorf("planning %s: %w", t.name(), err)
			}
		}
	}
	for i := range s.Columns {
		if s.Columns[i].FieldID == 0 {
			last++
			s.Columns[i].FieldID = last
		}
	}
	return s, t.writable(s)
}

// follow fits a schema to the batches that there are.
func (t *Table) follow(s *schema.Table, before schema.Table) error {
	kept := map[int]bool{}
	for i := range s.Columns {
		c := &s.Columns[i]
		if err := continues(c, before); err != nil {
			return err
		}
		kept[c.FieldID] = true
	}
	for _, c := range before.Columns {
		if kept[c.FieldID] {
			continue
		}
		c.Required, c.Source = false, nil
		s.Columns = append(s.Columns, c)
	}
	return nil
}

// continues makes a column one with that of its name in the batches that there are, or refuses it. A column whose name in
// the lake was changed, and not its name at the source, is a new one beside the old.
func continues(c *schema.Column, before schema.Table) error {
	was, there := before.Column(c.Name)
	if known, ok := withID(before, c.FieldID); ok && known.Name != c.Name {
		if there || known.Source == nil || c.Source == nil || known.Source.Name != c.Source.Name {
			return fmt.Errorf("column %q is called %q in the batches that are there, whose files readers read by name: keep that name in columns, or land the table into another target", c.Name, known.Name)
		}
		c.FieldID, c.Required = 0, false
		return nil
	}
	switch {
	case !there:
		return nil
	case c.FieldID == 0 && was.Type != c.Type, was.Type.ID == schema.Float && c.Type.ID == schema.Double:
		// Trino and Athena fail on filters of doubles where a file has floats ("Corrupted statistics").
		return fmt.Errorf("column %q is %s, and the batches that are there have it as %s, which readers do not read as one column: give it another name in columns, or land the table into another target", c.Name, c.Type, was.Type)
	case c.FieldID == 0:
		c.FieldID = was.FieldID // to readers, who know names alone, it is the same column
	}
	c.Required = c.Required && was.Required
	return nil
}

func withID(s schema.Table, id int) (schema.Column, bool) {
	for _, c := range s.Columns {
		if id != 0 && c.FieldID == id {
			return c, true
		}
	}
	return schema.Column{}, false
}

// writable refuses what the catalogue and its readers cannot tell apart or have no form for.
func (t *Table) writable(s schema.Table) error {
	taken := map[string]string{}
	for _, c := range s.Columns {
		folded := strings.ToLower(c.Name)
		switch other, twice := taken[folded]; {
		case twice:
			return fmt.Errorf("planning %s: the columns %q and %q are one to readers of plain Parquet files: give one of them another name in columns", t.name(), other, c.Name)
		case folded == BatchColumn && t.o.Historical:
			return fmt.Errorf("planning %s: a historical table has a column %q of its own: give the source's another name in columns", t.name(), c.Name)
		case c.Name == "" || strings.ContainsAny(c.Name, ",:;"):
			return fmt.Errorf("planning %s: readers of plain Parquet files know no column of the name %q: give it another name in columns", t.name(), c.Name)
		}
		taken[folded] = c.Name
		if err := readable(c.Type); err != nil {
			return fmt.Errorf("planning %s: column %q: %w", t.name(), c.Name, err)
		}
	}
	return nil
}

// readable says whether a type has a form in Hive's words.
func readable(t schema.Type) error {
	switch t.ID {
	case schema.Boolean, schema.Int, schema.Long, schema.Float, schema.Double, schema.Decimal, schema.Date, schema.Timestamp, schema.TimestampTZ, schema.String, schema.Binary:
		return nil
	default:
		return fmt.Errorf("the type %s has no form in plain Parquet files that Hive's readers know: declare it as string in columns", t)
	}
}

func baseOf(head *table.Head) (*base, error) {
	if on, ok := head.Base.(*base); ok {
		return on, nil
	}
	return nil, errors.New("the head is not one of a table of plain Parquet files")
}
