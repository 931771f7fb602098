// Package interop proves with other people's engines that a table is what Lakeland says: PyIceberg, DuckDB, Spark and
// Trino read what Lakeland landed, and every value is compared with the source; Spark and Trino change the table, and
// Lakeland goes on after them.
//
// It is tests alone. A test is a scenario: a source, and steps after each of which every reader must agree. To prove
// something new, add a step, or a scenario, in a few lines:
//
//	scenario{
//		name:  "Deletes",
//		setup: []string{`CREATE TABLE t (id int PRIMARY KEY, v text)`, `INSERT INTO t ...`},
//		steps: []step{
//			{name: "landed", do: func(x *stage) { x.run() }},
//			{name: "Spark deletes", do: func(x *stage) { x.spark(`DELETE FROM $t WHERE id < 10`) }, want: `SELECT * FROM t WHERE id >= 10`, end: true},
//			{name: "landed again", do: func(x *stage) { x.run() }, end: true},
//		},
//	}
//
// Where the table must hold something else than its source, because others changed it or versions are kept, the source is
// modelled: it keeps what the lake must hold in a table of its own, shown, which the steps compare with.
//
// Plain Parquet is read by DuckDB from the files that the catalogue names, by Trino through the catalogue, and by Spark in
// both ways.
//
// Tables of Hudi are read by DuckDB from the files that the timeline shows, by hudi-rs, by Trino through the catalogue, and by Spark
// with two releases of Hudi, which change them too, travel to what was there before, and ask for what changed.
//
// The light readers, PyIceberg, hudi-rs and DuckDB, look behind every step; Spark and Trino behind those that say end, and behind all
// with FULL=1. make test runs the scenarios that no engine of Java changes, read by PyIceberg and by DuckDB
// from the files that the metadata names; make interop all but those marked full; make interop FULL=1 all. What an engine
// cannot do stands in gaps.txt with its reason.
package interop
