package interop_test

// orders is a small table with something of everything.
var orders = []string{
	`CREATE TABLE t (id bigint PRIMARY KEY, uid uuid, state text, amount numeric(12,2), at timestamptz, day date, ratio double precision)`,
	`INSERT INTO t SELECT i, md5(i::text)::uuid, 'state ' || i % 4, i / 8.0, timestamptz '2026-01-01 00:00:00.000001+00' + i * interval '1 hour', date '2026-01-01' + i % 60, sqrt(i)
		FROM generate_series(1, 5000) i`,
}

// change lets the source have newer rows, and lands them.
func landChanges(x *stage) {
	x.sql(`DELETE FROM t WHERE id % 100 = 0`, `UPDATE t SET state = 'newer', amount = amount + 1 WHERE id % 10 = 1`,
		`INSERT INTO t SELECT max(id) + 1, md5('new')::uuid, NULL, NULL, NULL, NULL, NULL FROM t`)
	x.run()
}

// sparkChanges: Spark changes the table in all its ways, and Lakeland goes on behind each.
func sparkChanges() scenario {
	return scenario{
		name: "Spark changes the table", least: usual, setup: orders,
		steps: []step{
			{name: "landed", do: func(x *stage) { x.run() }},
			{
				name: "Spark inserts", end: true,
				do: func(x *stage) {
					x.spark(`INSERT INTO $t SELECT id + 1000000, uid, 'by Spark', amount, at, day, ratio FROM $t WHERE id <= 100`)
				},
				want: `SELECT * FROM t UNION ALL SELECT id + 1000000, uid, 'by Spark', amount, at, day, ratio FROM t WHERE id <= 100`,
			},
			{name: "landed behind the insert", do: landChanges, end: true},
			{
				name: "Spark deletes rows of a file", end: true,
				do:   func(x *stage) { x.spark(`DELETE FROM $t WHERE id % 3 = 0`) },
				want: `SELECT * FROM t WHERE id % 3 <> 0`,
			},
			{name: "landed behind the delete", do: landChanges},
			{
				name: "Spark merges", end: true,
				do: func(x *stage) {
					x.spark(`MERGE INTO $t USING (SELECT id, id % 2 AS odd FROM range(1, 201)) s ON $t.id = s.id
						WHEN MATCHED AND s.odd = 1 THEN UPDATE SET state = 'merged', amount = 0.01 WHEN MATCHED THEN DELETE
						WHEN NOT MATCHED THEN INSERT (id, uid, state, amount, at, day, ratio) VALUES (s.id, NULL, 'made', NULL, NULL, NULL, NULL)`)
				},
				want: `SELECT id, uid, CASE WHEN id <= 200 THEN 'merged' ELSE state END AS state, CASE WHEN id <= 200 THEN 0.01 ELSE amount END::numeric(12,2) AS amount, at, day, ratio
					FROM t WHERE id > 200 OR id % 2 = 1
					UNION ALL SELECT i, NULL, 'made', NULL, NULL, NULL, NULL FROM generate_series(1, 200) i WHERE NOT EXISTS (SELECT FROM t WHERE id = i)`,
			},
			{name: "landed behind the merge", do: landChanges},
			{
				name: "Spark rolls back", end: true,
				do: func(x *stage) {
					x.sql(`CREATE TABLE before AS SELECT * FROM t`)
					snapshot := x.snapshot()
					landChanges(x)
					x.spark(`CALL lake.system.rollback_to_snapshot('$db.t', ` + snapshot + `)`)
				},
				want: `SELECT * FROM before`,
			},
			{name: "landed behind the rollback", do: landChanges, end: true},
			{name: "Spark rewrites manifests", do: func(x *stage) { x.spark(`CALL lake.system.rewrite_manifests('$db.t')`) }, end: true},
			{name: "landed behind the manifests", do: landChanges},
			{
				name: "Spark rewrites files and expires snapshots, the checkpoint's too", end: true,
				do: func(x *stage) {
					x.spark(`CALL lake.system.rewrite_data_files(table => '$db.t', options => map('rewrite-all', 'true'))`,
						`CALL lake.system.expire_snapshots(table => '$db.t', older_than => TIMESTAMP '2100-01-01 00:00:00', retain_last => 1)`)
				},
			},
			{name: "landed behind the upkeep", do: landChanges, end: true},
			{
				name: "Spark updates", end: true,
				do: func(x *stage) {
					x.spark(`DELETE FROM $t WHERE id < 50`, `UPDATE $t SET state = 'updated' WHERE id < 70`)
				},
				want: `SELECT id, uid, CASE WHEN id < 70 THEN 'updated' ELSE state END AS state, amount, at, day, ratio FROM t WHERE id >= 50`,
			},
			{name: "landed at last", do: landChanges, end: true},
		},
	}
}

// trinoChanges: Trino changes the table in its ways, which leave position deletes, and Lakeland goes on behind each.
func trinoChanges() scenario {
	return scenario{
		name: "Trino changes the table", least: usual, setup: orders,
		steps: []step{
			{name: "landed", do: func(x *stage) { x.run() }},
			{
				name: "Trino inserts", end: true,
				do: func(x *stage) {
					x.trino(`INSERT INTO $t SELECT id + 1000000, uid, 'by Trino', amount, at, day, ratio FROM $t WHERE id <= 100`)
				},
				want: `SELECT * FROM t UNION ALL SELECT id + 1000000, uid, 'by Trino', amount, at, day, ratio FROM t WHERE id <= 100`,
			},
			{name: "landed behind the insert", do: landChanges, end: true},
			{
				name: "Trino deletes rows by their positions", end: true,
				do:   func(x *stage) { x.trino(`DELETE FROM $t WHERE id % 3 = 0`) },
				want: `SELECT * FROM t WHERE id % 3 <> 0`,
			},
			{name: "landed behind the deletes", do: landChanges, end: true},
			{
				name: "landed and rolled back by Trino", end: true,
				do: func(x *stage) {
					x.sql(`CREATE TABLE before AS SELECT * FROM t`)
					snapshot := x.snapshot()
					landChanges(x)
					x.trino(`ALTER TABLE $t EXECUTE rollback_to_snapshot(` + snapshot + `)`)
				},
				want: `SELECT * FROM before`,
			},
			{name: "landed behind Trino's rollback", do: landChanges, end: true},
			{
				name: "Trino inserts and expires snapshots, the checkpoint's too", end: true,
				do: func(x *stage) {
					x.trino(`INSERT INTO $t (id) VALUES (-1)`, `ALTER TABLE $t EXECUTE expire_snapshots(retention_threshold => '0s')`)
				},
				want: `SELECT * FROM t UNION ALL SELECT -1, NULL, NULL, NULL, NULL, NULL, NULL`,
			},
			{name: "landed behind the upkeep", do: landChanges, end: true},
			{
				name: "Trino compacts what has position deletes", end: true,
				do:   func(x *stage) { x.trino(`DELETE FROM $t WHERE id % 7 = 0`, `ALTER TABLE $t EXECUTE optimize`) },
				want: `SELECT * FROM t WHERE id % 7 <> 0`,
			},
			{name: "landed behind the compaction", do: landChanges},
			{
				name: "Trino merges", end: true,
				do: func(x *stage) {
					x.trino(`MERGE INTO $t USING (SELECT i AS id, i % 2 AS odd FROM UNNEST(sequence(1, 200)) AS s(i)) s ON $t.id = s.id
						WHEN MATCHED AND s.odd = 1 THEN UPDATE SET state = 'merged', amount = 0.01 WHEN MATCHED THEN DELETE
						WHEN NOT MATCHED THEN INSERT (id, state) VALUES (s.id, 'made')`)
				},
				want: `SELECT id, uid, CASE WHEN id <= 200 THEN 'merged' ELSE state END AS state, CASE WHEN id <= 200 THEN 0.01 ELSE amount END::numeric(12,2) AS amount, at, day, ratio
					FROM t WHERE id > 200 OR id % 2 = 1
					UNION ALL SELECT i, NULL, 'made', NULL, NULL, NULL, NULL FROM generate_series(1, 200) i WHERE NOT EXISTS (SELECT FROM t WHERE id = i)`,
			},
			{name: "landed at last", do: landChanges, end: true},
		},
	}
}
