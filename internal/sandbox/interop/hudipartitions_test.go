package interop_test

import (
	"fmt"
	"strings"
)

// oddLands are values of a text column with all that Hudi and Hive spell in some other way in a folder's name, but for NULL.
var oddLands = []string{
	"a b", " lead", "x,y+z|<>}", "%41", "50%", "a/b/c", "a=b", "a:b", `a"b`, "a#b", "a'b", "a*b", "a?b", `a\b`, "a{b", "a[b]", "a^b", "a\tb", "a\nb", "a\x01b", "a\x7fb", "é", "日本",
	"__HIVE", "s3://x/y", "..", "NULL", "default",
}

// oddPartitions: partitions of odd values, of dates and of numbers are found by all, before and behind changes of their rows by
// both Lakeland and Spark.
func oddPartitions() scenario {
	var rows []string
	for i, land := range oddLands {
		rows = append(rows, fmt.Sprintf("(%d, '%s', date '0001-01-01' + %d, %d)", 7700+i, strings.ReplaceAll(land, "'", "''"), i%3*400000, i%2-1))
	}
	update := func(version, name string) func(x *stage) {
		return func(x *stage) {
			x.writesWhere(version, name, `id = 7722`)
			x.theirWrite(version, oddRows(name, `id % 2 = 0 AND id <> 7722`), map[string]string{"hoodie.index.type": "SIMPLE"})
		}
	}
	return scenario{
		name: "partitions of odd values, Hudi", least: usual, document: ofHudi("land", "day", "part"),
		setup: modelled(`CREATE TABLE t (id bigint PRIMARY KEY, land text, day date, part int, name text)`, `INSERT INTO t VALUES `+strings.Join(rows, ", ")),
		steps: []step{
			{name: "landed", do: func(x *stage) { x.run() }, want: shown, end: true, filters: []string{"land = 'a/b/c'", "day = date '0001-01-01'", "part = -1", "land = '日本'", "land LIKE 'a%' AND part >= 0", "land <> '日本'"}},
			{name: "changed", do: func(x *stage) { x.sql(`UPDATE t SET name = 'changed'`); x.quiet(); x.run() }, want: shown},
			{name: "upserted by Hudi " + hudiVersions[0], do: update(hudiVersions[0], "by Spark"), want: shown},
			{name: "upserted by Hudi " + hudiVersions[1], do: update(hudiVersions[1], "by Spark again"), want: shown, end: true},
			{name: "changed again", do: func(x *stage) { x.sql(`UPDATE t SET name = 'again' WHERE id % 3 = 0`); x.quiet(); x.run() }, want: shown, end: true},
		},
	}
}

func oddRows(name, condition string) string {
	return `SELECT id, land, day, part, '` + name + `' AS name FROM $t WHERE ` + condition
}

// writesWhere has Spark upsert rows under a condition, unless it is a known gap that it cannot.
func (x *stage) writesWhere(version, name, condition string) {
	x.t.Helper()
	h := x.heavy.hudi[version]
	view := "w_" + x.database
	x.must(h.Execute(x.t.Context(), x.viewed(view, nil)))
	err := h.Write(x.t.Context(), strings.ReplaceAll(oddRows(name, condition), "$t", view), x.hudiWrite(version, "upsert", nil))
	switch {
	case err == nil:
		x.sql(`UPDATE shown SET name = '` + name + `' WHERE ` + condition)
	case !x.gaps.meets(x.scenario+", "+x.step, "Spark with Hudi "+version, err.Error()):
		x.t.Fatalf("%s: %v", x.step, err)
	}
}

// partitionOfNull: rows without a value in the partition's column are found by all.
func partitionOfNull() scenario {
	return scenario{
		name: "a partition of NULL, Hudi", least: usual, document: ofHudi("land"),
		setup: modelled(`CREATE TABLE t (id bigint PRIMARY KEY, land text, n int)`, `INSERT INTO t VALUES (1, 'land', 1), (7771, NULL, 2)`),
		steps: []step{
			{name: "landed", do: func(x *stage) { x.run() }, want: shown, end: true},
			{name: "changed", do: func(x *stage) { x.sql(`UPDATE t SET n = n + 1`); x.quiet(); x.run() }, want: shown, end: true},
		},
	}
}
