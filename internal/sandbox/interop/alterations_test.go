package interop_test

// sparkAlters: Spark changes what a table is rather than its rows, and Lakeland goes on behind each change.
func sparkAlters() scenario {
	s := scenario{
		name: "Spark alters the table", least: full, setup: orders,
		steps: []step{{name: "landed", do: func(x *stage) { x.run() }}},
	}
	for _, alter := range []struct {
		name string
		sql  []string
	}{
		{"an order of columns", []string{`ALTER TABLE $t ALTER COLUMN ratio FIRST`}},
		{"an order of rows", []string{`ALTER TABLE $t WRITE ORDERED BY day, id`}},
		{"identifier fields", []string{`ALTER TABLE $t SET IDENTIFIER FIELDS id`}},
		{"a renamed column", []string{`ALTER TABLE $t DROP IDENTIFIER FIELDS id`, `ALTER TABLE $t RENAME COLUMN state TO status`}},
		{"a dropped column", []string{`ALTER TABLE $t DROP COLUMN amount`}},
		{"deletes by position", []string{`ALTER TABLE $t SET TBLPROPERTIES ('write.delete.mode' = 'merge-on-read', 'their.own' = 'y')`, `DELETE FROM $t WHERE id % 3 = 0`}},
		{"compressed metadata", []string{`ALTER TABLE $t SET TBLPROPERTIES ('write.metadata.compression-codec' = 'gzip')`}},
		{"a branch and a tag", []string{`ALTER TABLE $t CREATE BRANCH b`, `ALTER TABLE $t CREATE TAG tagged`, `INSERT INTO lake.$db.t.branch_b SELECT * FROM $t WHERE id = 1`}},
		{"no rows", []string{`TRUNCATE TABLE $t`}},
	} {
		s.steps = append(s.steps, step{name: "landed behind " + alter.name, do: func(x *stage) { x.spark(alter.sql...); landChanges(x) }, end: true})
	}
	return s
}
