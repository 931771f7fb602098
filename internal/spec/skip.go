package spec

// checkSkipped refuses to leave a column out that the lake or the reading needs. A column that a filter names is read by the
// source for every row, so that leaving it out would not be what it says: that it is never read.
func (t *Table) checkSkipped(ps *Problems, at Path, name string) {
	if c := t.Columns[name]; c.Name != "" || c.Type != "" {
		ps.add(at, "it is skipped, so that it has neither a name nor a type in the lake: leave out skip, or name and type")
	}
	needed := func(by Path, column string) {
		if column != name {
			return
		}
		ps.add(at.With("skip"), "%s names the column, which has to be read for that: leave out skip, or name another column there", by)
		ps.needing(by)
	}
	for i, column := range t.PrimaryKey {
		needed(At("primary_key", i), column)
	}
	needed(At("extract", "cursor"), t.Extract.Cursor)
	needed(At("ordering"), t.Ordering)
	for i, text := range t.PartitionBy {
		if p, err := ParsePartition(text); err == nil {
			needed(At("partition_by", i), p.Column)
		}
	}
	for i, p := range t.Filter {
		needed(At("filter", i, "column"), p.Column)
	}
}
