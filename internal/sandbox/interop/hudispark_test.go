package interop_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/spark"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/toolchain"
)

// hudiSettings are what Spark's writers are told, of whatever release, for a table that Lakeland writes too: no metadata table,
// and the version that the table has. They take their small share of two cores.
func hudiSettings(version string) map[string]string {
	out := map[string]string{
		"hoodie.metadata.enable": "false", "hoodie.upsert.shuffle.parallelism": "2", "hoodie.insert.shuffle.parallelism": "2", "hoodie.bulkinsert.shuffle.parallelism": "2",
		"hoodie.delete.shuffle.parallelism": "2", "hoodie.bloom.index.parallelism": "2", "hoodie.simple.index.parallelism": "2", "hoodie.finalize.write.parallelism": "2",
		"hoodie.markers.delete.parallelism": "2", "hoodie.rollback.parallelism": "2", "hoodie.cleaner.parallelism": "2", "hoodie.clean.automatic": "false",
	}
	if version == toolchain.HudiVersion {
		// Where a table has no column that orders rows of one key, 0.15.0 would look for one called ts.
		out["hoodie.combine.before.upsert"] = "false"
	}
	if version == toolchain.HudiNextVersion {
		out["hoodie.write.table.version"], out["hoodie.write.auto.upgrade"] = "6", "false"
	}
	return out
}

// writeHudi has Spark write what a query of the table, $t, finds into the table's folder.
func (x *stage) writeHudi(version, operation, query string, options map[string]string) {
	x.t.Helper()
	h := x.heavy.hudi[version]
	view := "w_" + x.database
	x.must(h.Execute(x.t.Context(), x.viewed(view, nil)))
	x.must(h.Write(x.t.Context(), strings.ReplaceAll(query, "$t", view), x.hudiWrite(version, operation, options)))
}

// hudiWrite is a write into the table's folder, which takes from the table what it is told nothing of.
func (x *stage) hudiWrite(version, operation string, options map[string]string) spark.Write {
	all := hudiSettings(version)
	maps.Copy(all, map[string]string{
		"hoodie.table.name": "t", "hoodie.datasource.write.recordkey.field": "id", "hoodie.datasource.write.partitionpath.field": strings.Join(x.partitionBy, ","),
		"hoodie.datasource.write.operation": operation,
	})
	maps.Copy(all, options)
	return spark.Write{Format: "hudi", Mode: "append", Path: x.folder(), Options: all}
}

// theirUpsert has Spark upsert what a query of the table finds, which PostgreSQL knows too, and the model follow.
func (x *stage) theirUpsert(version, index, query string) {
	x.t.Helper()
	x.writeHudi(version, "upsert", query, map[string]string{"hoodie.index.type": index})
	x.sql(`CREATE TABLE delta AS `+strings.ReplaceAll(query, "$t", "shown"), `DELETE FROM shown WHERE id IN (SELECT id FROM delta)`, `INSERT INTO shown SELECT * FROM delta`, `DROP TABLE delta`)
}

// theirDelete has Spark delete the rows under a condition, by their keys, and the model follow.
func (x *stage) theirDelete(version, index, condition string) {
	x.t.Helper()
	x.writeHudi(version, "delete", `SELECT * FROM $t WHERE `+condition, map[string]string{"hoodie.index.type": index})
	x.sql(`DELETE FROM shown WHERE ` + condition)
}

// rollsBack has Spark take back the newest commit, by 0.15.0: the procedure of 1.0.2 knows of none of its session's settings and
// takes a table of version 6 for one of version 8. CREATE TABLE of 1.0.2 on a table's folder writes its properties anew, without
// the key generator's class and what it does not know; behind a rollback of 0.15.0 on such a table hudi-rs finds no rows, which
// all others find, so the two are not brought together.
func (x *stage) rollsBack() {
	x.t.Helper()
	x.hudiSQL(toolchain.HudiVersion, fmt.Sprintf(`CALL rollback_to_instant(table => '$t', instant_time => '%s')`, x.newest()))
}

// hudiSQL has Spark execute statements on the table, $t, which stands in a catalogue of its own as it was first.
func (x *stage) hudiSQL(version string, statements ...string) {
	x.t.Helper()
	h := x.heavy.hudi[version]
	h.mu.Lock()
	defer h.mu.Unlock()
	name := x.database + ".t"
	all := []string{"CREATE DATABASE IF NOT EXISTS " + x.database, "CREATE TABLE IF NOT EXISTS " + name + " USING hudi LOCATION '" + x.folder() + "'"}
	settings := hudiSettings(version)
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		all = append(all, "SET "+key+"="+settings[key])
	}
	for _, statement := range append(all, statements...) {
		x.must(h.Execute(x.t.Context(), strings.ReplaceAll(statement, "$t", name)))
	}
}

// theirSQL is hudiSQL of statements that PostgreSQL knows too, and the model follows.
func (x *stage) theirSQL(version string, statements ...string) {
	x.t.Helper()
	x.theirs(func(all ...string) { x.hudiSQL(version, all...) }, statements...)
}

// hudiRows is a query of rows of the table, some of them others than they were.
func hudiRows(name, condition string) string {
	return `SELECT id, land, '` + name + `' AS name, n, CAST(amount + 1 AS decimal(12,2)) AS amount, at, day, ok, ratio FROM $t WHERE ` + condition
}

// hudiCopies is a query of rows with keys that the table has not.
func hudiCopies(by int, condition string) string {
	return fmt.Sprintf(`SELECT id + %d AS id, land, 'theirs' AS name, n, amount, at, day, ok, ratio FROM $t WHERE %s`, by, condition)
}

// goOnInHudi lets the source change rows that others changed, rows that they did not, and the keys of rows that they made, and
// lands them. What was landed and taken back since comes again.
func goOnInHudi(x *stage) {
	x.t.Helper()
	x.again()
	x.sql(`UPDATE t SET n = n + 1, name = CASE WHEN id % 8 = 1 THEN 'mall ' || n % 2 ELSE name END, ok = NOT ok WHERE id % 4 = 1`,
		`INSERT INTO t SELECT id + 1000 * (SELECT 1 + max(id) / 1000 FROM t), land, 'new', n, amount, at, day, ok, NULL FROM t WHERE id <= 10`)
	x.quiet()
	x.run()
}

// again lets the model have what runs will meet again.
func (x *stage) again() {
	x.t.Helper()
	x.sql(`CREATE TABLE IF NOT EXISTS again (id bigint)`, `DELETE FROM shown WHERE id IN (SELECT id FROM again)`,
		`INSERT INTO shown SELECT * FROM t WHERE id IN (SELECT id FROM again)`, `TRUNCATE again`, `TRUNCATE touched`)
}

// takenBack lands changes, has Spark roll that commit back, and the model too.
func (x *stage) takenBack() {
	x.t.Helper()
	x.again()
	x.sql(`DROP TABLE IF EXISTS kept`, `CREATE TABLE kept AS TABLE shown`)
	before := x.newest()
	goOnInHudi(x)
	if x.newest() == before {
		x.t.Fatalf("%s: nothing was landed", x.step)
	}
	x.rollsBack()
	if x.newest() != before {
		x.t.Fatalf("%s: the newest commit is %s, behind a rollback to %s", x.step, x.newest(), before)
	}
	x.sql(`INSERT INTO again SELECT id FROM touched`, `TRUNCATE shown`, `INSERT INTO shown TABLE kept`)
}

// loadedAnew has Lakeland replace all that is there by all that the source has.
func loadedAnew(x *stage) {
	x.t.Helper()
	x.sql(`DELETE FROM t WHERE id % 29 = 0`, `TRUNCATE shown`, `INSERT INTO shown SELECT * FROM t`, `DROP TABLE IF EXISTS again`)
	x.reload()
	x.quiet()
	x.run()
}

// sparkCleans has Spark remove all versions of files but the newest.
func (x *stage) sparkCleans(version string) {
	x.t.Helper()
	x.hudiSQL(version, `CALL run_clean(table => '$t', retain_commits => 1)`)
}

// sparkChangesHudi: Spark changes a table in all its ways, and Lakeland goes on behind each.
func sparkChangesHudi(least form, version, kind string, partitionBy ...string) scenario {
	behind := func(what string, end bool) step {
		return step{name: "landed behind " + what, do: goOnInHudi, want: shown, end: end}
	}
	const columns = `id, land, name, n, amount, at, day, ok, ratio`
	s := scenario{
		name: "Spark with Hudi " + version + " changes a table " + kind, least: least, setup: lands, document: ofHudi(partitionBy...),
		steps: []step{
			{name: "landed", do: func(x *stage) { x.run() }},
			{name: "upserted, by the index SIMPLE", want: shown, end: true, do: func(x *stage) {
				x.theirUpsert(version, "SIMPLE", hudiRows("by Spark", "id % 5 = 0")+" UNION ALL "+hudiCopies(3000, "id <= 20"))
			}},
			behind("the upsert", true),
			{name: "upserted, by the index BLOOM", want: shown, do: func(x *stage) {
				x.theirUpsert(version, "BLOOM", hudiRows("by Spark again", "id % 3 = 0")+" UNION ALL "+hudiCopies(5000, "id <= 20"))
			}},
			{name: "deleted, by the index BLOOM", want: shown, do: func(x *stage) { x.theirDelete(version, "BLOOM", "id % 7 = 0") }},
			behind("the delete", false),
			{name: "deleted, by the index SIMPLE", want: shown, do: func(x *stage) { x.theirDelete(version, "SIMPLE", "id % 7 = 1") }, end: true},
			{name: "cleaned", do: func(x *stage) { x.sparkCleans(version) }, want: shown},
			behind("the cleaning", true),
			{name: "updated, deleted and merged by SQL", want: shown, do: func(x *stage) {
				x.theirSQL(version, `UPDATE $t SET name = 'updated', n = -5 WHERE id % 11 = 0`, `DELETE FROM $t WHERE id % 11 = 1`,
					`MERGE INTO $t AS x USING (SELECT CAST(k AS bigint) AS id, place AS land, v FROM (VALUES (20, 'a/b=c d', 'a'), (21, 'land 1', 'b'), (23, 'land 3', 'c'), (24, 'a/b=c d', 'd'),
						(25, 'land 1', 'e'), (401, 'land 1', 'f')) AS w(k, place, v)) AS s ON x.id = s.id
						WHEN MATCHED AND s.v < 'd' THEN UPDATE SET land = s.land, name = s.v, n = -1 WHEN MATCHED THEN DELETE`)
			}},
			behind("the SQL", true),
			{name: "landed and rolled back", do: (*stage).takenBack, want: shown, end: true},
			behind("the rollback", false),
			{name: "upserted and rolled back", want: shown, do: func(x *stage) {
				x.sql(`DROP TABLE kept`, `CREATE TABLE kept AS TABLE shown`)
				x.theirUpsert(version, "SIMPLE", hudiRows("nobody", "id % 2 = 0"))
				x.rollsBack()
				x.sql(`TRUNCATE shown`, `INSERT INTO shown TABLE kept`)
			}},
			behind("their rollback", true),
			{name: "loaded anew", do: loadedAnew, want: shown},
			{name: "upserted behind the load", want: shown, end: true, do: func(x *stage) {
				x.theirUpsert(version, "BLOOM", hudiRows("by Spark", "id % 5 = 0")+" UNION ALL "+hudiCopies(9000, "id <= 20"))
			}},
			{name: "overwritten", want: shown, do: func(x *stage) {
				x.writeHudi(version, "insert_overwrite_table", `SELECT `+columns+` FROM $t WHERE id % 2 = 0`, nil)
				x.sql(`DELETE FROM shown WHERE id % 2 <> 0`)
			}},
			behind("the overwriting", true),
			{name: "one more column", uncatalogued: true, want: shown, do: func(x *stage) {
				x.sql(`ALTER TABLE shown ADD COLUMN extra text`)
				x.theirUpsert(version, "SIMPLE", `SELECT `+columns+`, CASE WHEN id > 0 THEN 'more' END AS extra FROM $t WHERE id % 3 = 0`)
			}},
			behind("the column", true),
		},
	}
	if version != toolchain.HudiVersion {
		s.steps = slices.DeleteFunc(s.steps, func(one step) bool {
			return strings.Contains(one.name, "rollback") || strings.Contains(one.name, "rolled back")
		})
	}
	return s
}
