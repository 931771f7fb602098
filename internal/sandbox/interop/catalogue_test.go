package interop_test

// catalogue: engines list, describe and measure what the catalogue holds beside ours, and make tables of their own in it.
func catalogue() scenario {
	return scenario{
		name: "the catalogue", least: usual, setup: orders,
		steps: []step{
			{name: "landed", do: func(x *stage) { x.run() }},
			{
				name: "Spark lists, describes and copies", end: true,
				do: func(x *stage) {
					x.spark(`SHOW NAMESPACES IN lake`, `SHOW TABLES IN lake.$db`, `DESCRIBE TABLE EXTENDED $t`, `SHOW CREATE TABLE $t`, `SELECT * FROM $t.history`, `SELECT * FROM $t.files`,
						`SELECT * FROM $t.all_manifests`, `CREATE TABLE lake.$db.copied USING iceberg LOCATION '$bucket/copied' AS SELECT * FROM $t`, `DROP TABLE lake.$db.copied`)
				},
			},
			{
				name: "Trino lists, describes and copies", end: true,
				do: func(x *stage) {
					x.trino(`SHOW SCHEMAS FROM lake`, `SHOW TABLES FROM lake.$db`, `DESCRIBE $t`, `SHOW CREATE TABLE $t`, `SHOW STATS FOR $t`, `SELECT * FROM lake.information_schema.columns WHERE table_schema = '$db'`,
						`SELECT * FROM lake.$db."t$snapshots"`, `SELECT * FROM lake.$db."t$files"`, `CREATE TABLE lake.$db.copied WITH (location = '$bucket/copied2') AS SELECT * FROM $t`, `DROP TABLE lake.$db.copied`)
				},
			},
			{name: "Trino measures columns", do: func(x *stage) { x.trino(`ANALYZE $t`) }, end: true},
			{name: "landed behind the statistics", do: landChanges, end: true},
			{name: "Trino measures columns again", do: func(x *stage) { x.trino(`SHOW STATS FOR $t`, `ANALYZE $t`) }, end: true},
		},
	}
}
