package interop_test

import (
	"strings"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/spark"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// theirRows is a query of rows that Spark makes a table of, but for what it and PostgreSQL spell in their own ways.
const theirRows = `SELECT CAST(id AS bigint) AS id, concat('land ', id % 3) AS land, concat('{name} ', id) AS name, CAST(id AS int) AS n, CAST(id - 4.93 AS decimal(12,2)) AS amount,
	{at} AS at, {day} AS day, id % 2 = 0 AS ok, CAST({from} AS double precision) AS ratio FROM {rows} WHERE id > {from}`

// makes has Spark write rows behind some into a table of its own, by its own defaults but for the metadata table, and the model follow.
func (x *stage) makes(version, operation, name, from string, adjust ...func(*spark.Write)) {
	x.t.Helper()
	spelled := func(more ...string) string {
		return strings.NewReplacer(append(more, "{name}", name, "{from}", from)...).Replace(theirRows)
	}
	to := x.hudiWrite(version, operation, nil)
	for _, a := range adjust {
		a(&to)
	}
	x.must(x.heavy.hudi[version].Write(x.t.Context(), spelled("{at}", "timestamp_micros(id * 3600000001 - 100000000000)", "{day}", "date_add(date '1969-12-01', CAST(id AS int))",
		"{rows}", "range(1, 301)", "double precision", "double"), to))
	x.sql(`DELETE FROM shown WHERE id > `+from, `INSERT INTO shown `+spelled("{at}", "timestamptz 'epoch' + (id::bigint * 3600000001 - 100000000000) * interval '1 microsecond'", "{day}", "date '1969-12-01' + id",
		"{rows}", "generate_series(1, 300) AS g(id)"))
}

// adopted: a table that Spark made is taken over: its rows become the source's in one commit, its history stays, and both go on.
func adopted(version string, partitionBy ...string) scenario {
	var moments []moment
	return scenario{
		name: "a table of Hudi " + version + " is adopted", least: usual,
		// What makes other folders is nothing for tables whose writer does not escape values.
		setup:    append(lands[:len(lands):len(lands)], `UPDATE t SET land = 'land 0' WHERE land LIKE '%/%'`, `TRUNCATE shown`),
		document: func(doc *spec.Table) { ofHudi(partitionBy...)(doc); doc.Adopt = true },
		steps: []step{
			{name: "made by Spark", want: shown, uncatalogued: true, do: func(x *stage) {
				x.makes(version, "insert", "made", "0")
				moments = append(moments, moment{x.newest(), x.expected(shown)})
				x.makes(version, "upsert", "upserted", "200")
				moments = append(moments, moment{x.newest(), x.expected(shown)})
			}},
			{name: "adopted", want: shown, end: true, do: func(x *stage) {
				x.sql(`TRUNCATE shown`, `INSERT INTO shown SELECT * FROM t`)
				x.quiet()
				x.run()
				x.sees(moments)
			}},
			{name: "landed again", do: goOnInHudi, want: shown, end: true},
			{name: "upserted", want: shown, end: true, do: func(x *stage) {
				x.theirUpsert(version, "BLOOM", hudiRows("by Spark", "id % 5 = 0")+" UNION ALL "+hudiCopies(3000, "id <= 20"))
			}},
			{name: "landed behind the upsert", do: goOnInHudi, want: shown, end: true},
		},
	}
}
