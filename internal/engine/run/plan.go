package run

import (
	"context"
	"fmt"
	"slices"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// plan reads the source's columns and decides how the table follows them.
func (a *attempt) plan(ctx context.Context, l *landing, snapshot *postgres.Snapshot) error {
	described, err := snapshot.Describe(ctx, a.doc.Source.Database, a.doc.PrimaryKey, a.doc.Columns)
	if err != nil {
		return err
	}
	l.keyUnique = described.KeyUnique
	wanted := described.Schema
	if err := a.observe(ctx, l, snapshot, &wanted); err != nil {
		return err
	}
	if wanted.Partition, err = partitionsOf(a.doc.PartitionBy, wanted.Columns); err != nil {
		return fmt.Errorf("planning %q: %w", a.name, err)
	}
	if err := a.orderKey(&wanted); err != nil {
		return fmt.Errorf("planning %q: %w", a.name, err)
	}
	if err := a.comparable(&wanted); err != nil {
		return fmt.Errorf("planning %q: %w", a.name, err)
	}
	if !l.head.Exists {
		a.note(described.Warnings)
	} else {
		lake := l.head.Schema
		if l.adopted {
			lake = schema.Adopted(lake, wanted)
		}
		landing := l.follows(a.doc)
		evolved, err := schema.Evolve(lake, wanted, landing)
		if err == nil && a.keyed() && !l.replaces(a.doc) {
			err = a.sameTexts(lake, evolved.Table)
		}
		if err != nil {
			return fmt.Errorf("following the columns of %q: %w", a.name, err)
		}
		a.note(slices.Concat(described.Warnings, evolved.Sentences()))
		wanted = evolved.Table
	}
	if wanted, err = schema.Stamped(wanted, a.stamps()); err != nil {
		return fmt.Errorf("planning %q: %w", a.name, err)
	}
	if err := a.checkPartitions(l, wanted); err != nil {
		return err
	}
	if a.r.Started != nil {
		a.r.Started(a.name, described.EstimatedRows)
	}
	if a.before = max(l.head.Rows, 0); l.replaces(a.doc) && l.head.Rows < 0 {
		a.countBefore(ctx, l)
	}
	l.planned, err = l.target.Prepare(l.head, wanted)
	return err
}

// countBefore counts the rows that a commit will take away, where the head does not say how many there are. It is for the
// history alone, and holds nothing up.
func (a *attempt) countBefore(ctx context.Context, l *landing) {
	rows, why := countLake(ctx, l.target, l.head)
	if why != "" {
		a.notes = append(a.notes, "the rows that were there before are not counted: "+why)
	}
	a.before = rows
}

// follows says which rows of the lake's table have columns of before.
func (l *landing) follows(doc *spec.Table) schema.Landing {
	switch {
	case !l.replaces(doc) && l.afresh:
		return schema.Whole // all that the source has is read, and versions of before stay
	case !l.replaces(doc):
		return schema.Changed
	case l.afresh:
		return schema.Afresh
	default:
		return schema.Whole
	}
}

// orderKey makes the ordering part of a historical table's key: a row is a version.
func (a *attempt) orderKey(t *schema.Table) error {
	if a.doc.Ordering == "" {
		return nil
	}
	at := slices.IndexFunc(t.Columns, func(c schema.Column) bool { return c.Source.Name == a.doc.Ordering })
	if at < 0 {
		return fmt.Errorf("the source has no column %q, which ordering names; names are exact, case included", a.doc.Ordering)
	}
	if a.doc.StorageMode == "historical" && !slices.Contains(t.Key, t.Columns[at].Name) {
		t.Key = append(slices.Clone(t.Key), t.Columns[at].Name)
	}
	return nil
}

// comparable refuses columns that identify or order rows at the source, and would not as they land.
func (a *attempt) comparable(t *schema.Table) error {
	for _, c := range t.Columns {
		if a.keyed() && c.Source.Name == a.doc.Ordering {
			if err := schema.CheckOrdering(c); err != nil {
				return fmt.Errorf("ordering: %w", err)
			}
		}
		if a.keyed() && slices.Contains(t.Key, c.Name) {
			if err := schema.CheckKey(c); err != nil {
				return fmt.Errorf("the key: %w", err)
			}
		}
	}
	return nil
}

// sameTexts refuses a key of which rows that stay would have other texts than those that come.
func (a *attempt) sameTexts(before, now schema.Table) error {
	err := schema.CheckTexts(before, now)
	switch {
	case err == nil:
		return nil
	case a.doc.StorageMode == "historical":
		return fmt.Errorf("%w: change it back, or land the table into another target", err)
	default:
		return fmt.Errorf("%w: %w", err, postgres.ErrReload)
	}
}

// stamps are the columns that the document adds.
func (a *attempt) stamps() []schema.Column {
	var out []schema.Column
	for _, c := range schema.Stamps {
		if slices.Contains(a.doc.AuditColumns, c.Name) {
			out = append(out, c)
		}
	}
	if a.doc.DeletedColumn != "" {
		out = append(out, schema.Column{Name: a.doc.DeletedColumn, Type: schema.Type{ID: schema.Boolean}, Stamp: schema.SoftDeleted, Comment: "whether the source has deleted the row"})
	}
	return out
}

// partitionsOf are the partition fields that a configuration names by columns of the source.
func partitionsOf(texts []string, columns []schema.Column) ([]schema.PartitionField, error) {
	var out []schema.PartitionField
	for _, text := range texts {
		p, err := spec.ParsePartition(text)
		if err != nil {
			return nil, fmt.Errorf("partition_by: %w", err)
		}
		at := slices.IndexFunc(columns, func(c schema.Column) bool { return c.Source.Name == p.Column })
		if at < 0 {
			return nil, fmt.Errorf("the source has no column %q, which partition_by names; names are exact, case included", p.Column)
		}
		out = append(out, schema.PartitionField{Column: columns[at].Name, Transform: schema.TransformID(p.Transform), Width: p.Width})
	}
	return out, nil
}

// checkPartitions refuses to write rows beside others that are partitioned by other fields.
func (a *attempt) checkPartitions(l *landing, wanted schema.Table) error {
	if _, err := wanted.PartitionTypes(); err != nil {
		return fmt.Errorf("planning %q: %w", a.name, err)
	}
	if l.replaces(a.doc) || !l.head.Exists || slices.Equal(l.head.Schema.Partition, wanted.Partition) {
		return nil
	}
	wayOut := postgres.ErrReload
	if a.doc.StorageMode == "historical" || a.doc.Target.Format == "hudi" {
		wayOut = fmt.Errorf("land into a new target: %w", table.ErrPartitioning)
	}
	return fmt.Errorf("planning %q: the lake's table is partitioned by %s and partition_by says %s: have partition_by say what the table is partitioned by, or %w", a.name, named(l.head.Schema.Partition), named(wanted.Partition), wayOut)
}

func named(fields []schema.PartitionField) string {
	if len(fields) == 0 {
		return "nothing"
	}
	text := ""
	for i, f := range fields {
		if i > 0 {
			text += ", "
		}
		text += f.String()
	}
	return text
}

// examine looks at what was read before it is committed: rows of a table with a key have one each. Where the source does
// not keep keys apart, it is asked. A comparison of source and lake counts the source's rows here, while its snapshot is open.
func (a *attempt) examine(ctx context.Context, l *landing, snapshot *postgres.Snapshot, shared bool) error {
	if err := a.keysHaveValues(l); err != nil {
		return err
	}
	source := *a.doc.Source.Database
	if l.replaces(a.doc) && a.keyed() && !l.keyUnique && shared && a.order(&l.planned) == "" {
		names := make([]string, len(l.planned.Key))
		for i, key := range l.planned.Key {
			c, _ := l.planned.Column(key)
			names[i] = c.Source.Name
		}
		twice, err := snapshot.Duplicate(ctx, source, a.doc.Filter, names)
		if err != nil {
			return err
		}
		if twice {
			otherwise := "use mode \"full\" and storage_mode \"current_snapshot\""
			if a.doc.Target.Format == "hudi" {
				otherwise = "use the format \"iceberg\" with mode \"full\""
			}
			return fmt.Errorf("running %q: the source has several rows with equal values in %q, by which changes are merged: name columns that identify a row as primary_key, name the column that says which of them is newest as ordering, or %s", a.name, names, otherwise)
		}
	}
	return a.countSource(ctx, snapshot, shared)
}

// keyed reports whether rows are told apart by their key. In Hudi they always are: each holds it.
func (a *attempt) keyed() bool {
	return a.doc.Extract.Mode == "incremental" || a.doc.StorageMode == "historical" || a.doc.Target.Format == "hudi"
}

// keysHaveValues refuses rows whose key has a part without a value.
func (a *attempt) keysHaveValues(l *landing) error {
	if !a.keyed() {
		return nil
	}
	for _, name := range l.planned.Key {
		c, _ := l.planned.Column(name)
		var nulls int64
		for _, f := range l.files {
			for _, written := range f.File.Columns {
				if written.FieldID == c.FieldID {
					nulls += written.Nulls
				}
			}
		}
		if nulls > 0 {
			return fmt.Errorf("running %q: %d rows have NULL in column %q, which is part of the key: leave such rows out by a filter (%q is_not_null), or name other columns as primary_key", a.name, nulls, c.Source.Name, c.Source.Name)
		}
	}
	return nil
}
