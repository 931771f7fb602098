package interop_test

import "github.com/lakeland/terraform-provider-lakeland/internal/spec"

// theirMerge updates, deletes and inserts rows, in the SQL that all know.
const theirMerge = `MERGE INTO $t AS x USING (SELECT id, id % 2 AS odd FROM $t WHERE id BETWEEN 20 AND 120 UNION ALL SELECT id + 500, 0 FROM $t WHERE id <= 9) AS s ON (x.id = s.id)
	WHEN MATCHED AND s.odd = 1 THEN UPDATE SET name = 'merged', n = -1 WHEN MATCHED THEN DELETE
	WHEN NOT MATCHED THEN INSERT (id, name, n, amount, at, ratio) VALUES (s.id, 'made', NULL, NULL, NULL, NULL)`

// theirInsert makes rows with keys that the source will come to.
const theirInsert = `INSERT INTO $t SELECT id + 3000, 'theirs', n, amount, at, ratio FROM $t WHERE id <= 20`

// landedBehind lands what the source changed behind a change of others.
func landedBehind(what string, end bool) step {
	return step{name: "landed behind " + what, do: goOn, want: shown, end: end}
}

// sparkChangesMarked: Spark changes, in all its ways, a table whose changes are merged on read; its changes stay until the
// source changes those rows.
func sparkChangesMarked() scenario {
	theirs := func(what string, end bool, statements ...string) step {
		return step{name: "Spark " + what, do: func(x *stage) { x.theirs(x.spark, statements...) }, want: shown, end: end}
	}
	return scenario{
		name: "Spark changes what is merged on read", least: usual, setup: visits,
		document: incremental(func(s *spec.Table) { s.WriteMode, s.PartitionBy = "merge_on_read", []string{"bucket(2, id)"} }),
		steps: []step{
			{name: "landed", do: func(x *stage) { x.run() }},
			{name: "landed with deletes by position", do: func(x *stage) { goOnABit(x); x.marks() }, want: shown, end: true, filters: []string{"id = 1", "n > 300", "name LIKE 'mall%'", "ratio IS NULL"}},
			theirs("inserts, and deletes by rewriting", false, theirInsert, `DELETE FROM $t WHERE id % 3 = 0`),
			landedBehind("the insert and the delete", false),
			theirs("merges by rewriting", false, theirMerge),
			landedBehind("the merge", true),
			{
				name: "Spark deletes, updates and merges by position", want: shown, end: true,
				do: func(x *stage) {
					x.spark(`ALTER TABLE $t SET TBLPROPERTIES ('write.delete.mode' = 'merge-on-read', 'write.update.mode' = 'merge-on-read', 'write.merge.mode' = 'merge-on-read')`)
					x.theirs(x.spark, `DELETE FROM $t WHERE id % 5 = 0`, `UPDATE $t SET name = 'updated' WHERE id % 7 = 0`)
					x.spark(`ALTER TABLE $t SET TBLPROPERTIES ('write.delete.granularity' = 'partition')`) // one file for several
					x.theirs(x.spark, theirMerge)
					x.marks()
				},
			},
			landedBehind("the deletes by position", true),
			{
				name: "Spark rewrites files", want: shown,
				do: func(x *stage) {
					x.spark(`CALL lake.system.rewrite_data_files(table => '$db.t', options => map('rewrite-all', 'true'))`, `CALL lake.system.rewrite_position_delete_files('$db.t')`)
				},
			},
			landedBehind("the rewritten files", false),
			{name: "Spark rewrites manifests", do: func(x *stage) { x.spark(`CALL lake.system.rewrite_manifests('$db.t')`) }, want: shown},
			landedBehind("the rewritten manifests", true),
			{name: "Spark rolls back", do: rollBack, want: shown},
			{name: "landed behind the rollback", do: behindRollBack, want: shown},
			{
				name: "Spark expires snapshots", want: shown, end: true,
				do: func(x *stage) {
					x.spark(`CALL lake.system.expire_snapshots(table => '$db.t', older_than => TIMESTAMP '2100-01-01 00:00:00', retain_last => 1)`)
				},
			},
			landedBehind("the expiry", true),
		},
	}
}

// rollBack lands changes, has Spark take them back, and the model too.
func rollBack(x *stage) {
	x.sql(`CREATE TABLE kept AS TABLE shown`, `TRUNCATE touched`)
	snapshot := x.snapshot()
	goOn(x)
	x.spark(`CALL lake.system.rollback_to_snapshot('$db.t', ` + snapshot + `)`)
	x.sql(`TRUNCATE shown`, `INSERT INTO shown TABLE kept`)
}

// behindRollBack goes on: what was taken back comes again.
func behindRollBack(x *stage) {
	x.sql(`DELETE FROM shown WHERE id IN (SELECT id FROM touched)`, `INSERT INTO shown SELECT * FROM t WHERE id IN (SELECT id FROM touched)`)
	goOn(x)
}

// trinoDeletes: Trino, which deletes by position alone, changes a table that Lakeland writes in one way or the other.
func trinoDeletes(writeMode string, partitionBy ...string) scenario {
	theirs := func(what string, end bool, statements ...string) step {
		return step{name: "Trino " + what, do: func(x *stage) { x.theirs(x.trino, statements...) }, want: shown, end: end}
	}
	return scenario{
		name: "Trino deletes by position, " + writeMode, least: usual, setup: visits,
		document: incremental(func(s *spec.Table) { s.WriteMode, s.PartitionBy = writeMode, partitionBy }),
		steps: []step{
			{name: "landed", do: func(x *stage) { x.run() }},
			{name: "landed again", do: goOnABit, want: shown},
			{name: "Trino deletes", do: func(x *stage) { x.theirs(x.trino, `DELETE FROM $t WHERE id % 3 = 0`); x.marks() }, want: shown, end: true},
			landedBehind("the deletes", true),
			theirs("updates and inserts", false, `UPDATE $t SET name = 'updated', n = -5 WHERE id % 5 = 0`, theirInsert),
			landedBehind("the updates", false),
			theirs("merges", true, theirMerge),
			landedBehind("the merge", true),
			{name: "written the other way", do: otherWay, want: shown, end: true},
		},
	}
}

// otherWay has Lakeland write changes in the other way from here on.
func otherWay(x *stage) {
	x.edit(func(s *spec.Table) {
		if s.WriteMode == "merge_on_read" {
			s.WriteMode = "copy_on_write"
		} else {
			s.WriteMode = "merge_on_read"
		}
	})
	goOn(x)
}
