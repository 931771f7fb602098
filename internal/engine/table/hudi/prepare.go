package hudi

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// Prepare implements table.Table. It refuses what Hudi's readers know no way for: a column that was renamed, one that becomes of
// another type but by int to long, other keys or partitions than those that the table was made with. Columns that the schema
// does not have any more stay, with NULLs from now on. Behind all others stand those of Hudi's own that rows keep.
func (t *Table) Prepare(head *table.Head, s schema.Table) (schema.Table, error) {
	on, err := baseOf(head)
	if err != nil {
		return schema.Table{}, err
	}
	s.Layout = schema.LayoutHudi
	s.Columns = slices.DeleteFunc(slices.Clone(s.Columns), func(c schema.Column) bool { return isMeta(c.Name) && c.Source == nil })
	if err := t.writable(on, &s); err != nil {
		return schema.Table{}, fmt.Errorf("planning %s: %w", t.name(), err)
	}
	if head.Exists {
		if err := follow(&s, &head.Schema); err != nil {
			return schema.Table{}, fmt.Errorf("planning %s: %w", t.name(), err)
		}
	}
	last := on.lastColumn
	for i := range s.Columns {
		if s.Columns[i].FieldID == 0 {
			last++
			s.Columns[i].FieldID = last
		}
	}
	s.Columns = append(s.Columns, carried()...)
	return s, nil
}

// writable refuses schemas that no table of Hudi can have, or not this one.
func (t *Table) writable(on *base, s *schema.Table) error {
	taken := map[string]string{}
	for _, c := range s.Columns {
		folded := strings.ToLower(c.Name)
		switch other, twice := taken[folded]; {
		case isMeta(folded):
			return fmt.Errorf("the column %q has the name of one that Hudi keeps for itself: give it another name in columns", c.Name)
		case twice:
			return fmt.Errorf("the columns %q and %q are one to the catalogue's readers: give one of them another name in columns", other, c.Name)
		}
		taken[folded] = c.Name
	}
	if _, err := avroSchema(t.o.Name, s, false); err != nil {
		return err
	}
	if len(s.Key) == 0 {
		return fmt.Errorf("the table has no key, by which Hudi names rows: name its columns in key, or use the format iceberg")
	}
	for _, f := range s.Partition {
		if f.Transform != schema.Identity {
			return fmt.Errorf("%w: Hudi has partitions by the values of columns alone, not by %s: add a column of that value at the source, or use the format iceberg", table.ErrPartitioning, f)
		}
	}
	p := on.properties
	if p == nil {
		p = t.newProperties("", s)
	}
	if t.o.Precombine != "" {
		if _, ok := s.Column(t.o.Precombine); !ok {
			return fmt.Errorf("the column %q that orders rows of one key (ordering) is not among the table's: name one of its columns", t.o.Precombine)
		}
	}
	if have := p[propertyPrecombine]; have != "" && t.o.Precombine != "" && have != t.o.Precombine {
		return fmt.Errorf("the table was made with the precombine field %q, by which Spark's writers order rows of one key, and ordering is %q now: set ordering back, leave it out, or land into a new target", have, t.o.Precombine)
	}
	if have, want := strings.Join(p.fields(propertyRecordKey), ", "), strings.Join(s.Key, ", "); have != want {
		return fmt.Errorf("the table was made with the record key (%s), and the source's is (%s), by which Hudi would take known rows for new ones: set the key back, or land into a new target", have, want)
	}
	if have, want := p.fields(propertyPartition), columnsOf(s.Partition); !slices.Equal(have, want) {
		return fmt.Errorf("%w: it was made with the partitions (%s), and not (%s); Hudi never changes them: set partition_by back, or land into a new target", table.ErrPartitioning, strings.Join(have, ", "), strings.Join(want, ", "))
	}
	if _, err := pathFormOf(p, s); err != nil {
		return err
	}
	form, err := keyFormOf(p, func() (bool, error) { return true, nil })
	if err != nil {
		return err
	}
	_, err = newKeyWriter(form, s)
	return err
}

func columnsOf(fields []schema.PartitionField) []string {
	var out []string
	for _, f := range fields {
		out = append(out, f.Column)
	}
	return out
}

// follow fits a schema to what the table has.
func follow(s, before *schema.Table) error {
	kept := map[int]bool{}
	for i := range s.Columns {
		c := &s.Columns[i]
		if err := continues(c, before); err != nil {
			return err
		}
		kept[c.FieldID] = true
	}
	for _, c := range before.Columns {
		if kept[c.FieldID] || isMeta(c.Name) {
			continue
		}
		c.Required, c.Source = false, nil
		s.Columns = append(s.Columns, c)
	}
	return nil
}

// continues makes a column one with that of its name, or refuses it: readers find columns by name. One that has another name and
// another type than before is a new one, which is how types change in ways that Hudi's writers do not follow: where its configuration
// changes all rows are landed anew.
func continues(c *schema.Column, before *schema.Table) error {
	for _, known := range before.Columns {
		if c.FieldID != 0 && known.FieldID == c.FieldID && known.Name != c.Name {
			if !follows(c.Type, known.Type) {
				c.FieldID = 0
				break
			}
			return fmt.Errorf("column %q is called %q in the table, where readers find it by name: keep that name in columns, or land into a new target", c.Name, known.Name)
		}
	}
	was, there := before.Column(c.Name)
	if !there {
		return nil
	}
	if !follows(c.Type, was.Type) {
		return fmt.Errorf("column %q is %s, and the table has it as %s, from which Hudi's writers do not bring rows over: give it another name in columns, or land into a new target", c.Name, c.Type, was.Type)
	}
	c.FieldID = was.FieldID
	c.Required = c.Required && was.Required
	return nil
}

// follows reports whether Hudi's writers bring rows over from a type.
func follows(now, was schema.Type) bool {
	return now == was || was.ID == schema.Int && now.ID == schema.Long || spelledAlike(now, was)
}

// newProperties are those of a table that is made.
func (t *Table) newProperties(id string, s *schema.Table) properties {
	p := properties{
		propertyName: t.o.Name, propertyDatabase: t.o.Database, propertyType: "COPY_ON_WRITE", propertyVersion: "6", propertyLayout: "1",
		propertyRecordKey: strings.Join(s.Key, ","), propertyKeyGenerator: generatorFor(len(s.Key), len(s.Partition)),
		propertyHiveStyle: "true", propertyURLEncode: "true", propertyDropColumns: "false", propertyArchive: "archived",
		// What a run reads is the source's newest state, so a row replaces the stored one whatever orders them.
		propertyPayload:  "org.apache.hudi.common.model.OverwriteWithLatestAvroPayload",
		propertyTimezone: "UTC", propertyBaseFormat: "PARQUET", propertyMetaFields: "true", propertyID: id,
	}
	if t.o.Precombine != "" {
		p[propertyPrecombine] = t.o.Precombine
	}
	if len(s.Partition) > 0 {
		p[propertyPartition] = strings.Join(columnsOf(s.Partition), ",")
	}
	p[propertyChecksum] = p.checksum()
	return p
}
