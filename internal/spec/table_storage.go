package spec

import "slices"

func (t *Table) checkStorage(ps *Problems) {
	if !slices.Contains(StorageModes, t.StorageMode) {
		ps.add(At("storage_mode"), "%s", notOneOf(t.StorageMode, StorageModes))
	}
	if t.StorageMode == "historical" && t.Ordering == "" {
		ps.add(At("ordering"), "storage_mode \"historical\" keeps a row per key and ordering: name the ordering column")
		ps.needing(At("storage_mode"))
	}
	if by := t.needsKey(); by != "" && len(t.PrimaryKey) == 0 {
		ps.add(At("primary_key"), "it is empty: %s needs the columns that identify a row", by)
		ps.needing(At("storage_mode"), At("extract", "mode"), At("target", "format"))
	}
	if t.Target.Format == "parquet" {
		if len(t.PartitionBy) > 0 {
			ps.add(At("partition_by"), "format \"parquet\" has its own partitions: use iceberg")
			ps.needing(At("target", "format"))
		}
		if t.Extract.Mode == "incremental" && t.StorageMode == "current_snapshot" {
			ps.add(At("target", "format"), "\"parquet\" cannot merge changes into a current snapshot: use iceberg or hudi, or storage_mode = \"historical\"")
			ps.needing(At("storage_mode"), At("extract", "mode"))
		}
	}
	if t.Ordering != "" {
		checkIdentifier(ps, At("ordering"), t.Ordering, "column")
	}
	for i, column := range t.PrimaryKey {
		checkIdentifier(ps, At("primary_key", i), column, "column")
	}
	if duplicate := firstDuplicate(t.PrimaryKey); duplicate != "" {
		ps.add(At("primary_key"), "%q stands twice", duplicate)
	}
	t.checkPartitions(ps)
	t.checkWriting(ps)
	t.checkAdded(ps)
	t.checkHudi(ps)
}

// needsKey is what needs a key by which rows are told apart; "" where nothing does.
func (t *Table) needsKey() string {
	switch {
	case t.StorageMode == "historical":
		return "storage_mode \"historical\""
	case t.Extract.Mode == "incremental":
		return "mode \"incremental\""
	case t.Target.Format == "hudi":
		return "format \"hudi\""
	default:
		return ""
	}
}

func (t *Table) checkWriting(ps *Problems) {
	switch {
	case t.WriteMode == "":
	case !slices.Contains(WriteModes, t.WriteMode):
		ps.add(At("write_mode"), "%s", notOneOf(t.WriteMode, WriteModes))
	case t.WriteMode == "merge_on_read" && t.Target.Format != "iceberg":
		ps.add(At("write_mode"), "\"merge_on_read\" is for format \"iceberg\": leave it out")
		ps.needing(At("target", "format"))
	case t.WriteMode == "merge_on_read" && t.Extract.Mode == "full" && t.StorageMode == "current_snapshot":
		ps.add(At("write_mode"), "mode \"full\" replaces the whole table and merges nothing: leave it out, or use mode \"incremental\"")
		ps.needing(At("extract", "mode"), At("storage_mode"))
	}
}

// checkAdded looks at the columns that the engine adds.
func (t *Table) checkAdded(ps *Problems) {
	for i, name := range t.AuditColumns {
		if !slices.Contains(AuditColumns, name) {
			ps.add(At("audit_columns", i), "%s", notOneOf(name, AuditColumns))
		}
	}
	if duplicate := firstDuplicate(t.AuditColumns); duplicate != "" {
		ps.add(At("audit_columns"), "%q stands twice", duplicate)
	}
	switch {
	case t.DeletedColumn == "":
	case !catalogueName.MatchString(t.DeletedColumn) || slices.Contains(AuditColumns, t.DeletedColumn):
		ps.add(At("deleted_column"), "%q is not a name for a column of its own: write lower-case letters, digits and underscores, such as \"is_deleted\"", t.DeletedColumn)
	case t.StorageMode == "historical":
		ps.add(At("deleted_column"), "storage_mode \"historical\" keeps a deletion as a row of its own: leave it out")
		ps.needing(At("storage_mode"))
	case t.Extract.Mode == "full":
		ps.add(At("deleted_column"), "mode \"full\" replaces the whole table, deleted rows included: leave it out, or use mode \"incremental\"")
		ps.needing(At("extract", "mode"))
	}
}
