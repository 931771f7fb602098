package interop_test

import (
	"slices"
	"strings"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table/hudi"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/readback"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// lands is a modelled source of a few rows of most types, which may be parted by land.
var lands = modelled(
	`CREATE TABLE t (id bigint PRIMARY KEY, land text NOT NULL, name text, n int, amount numeric(12,2), at timestamptz, day date, ok boolean, ratio double precision)`,
	`INSERT INTO t SELECT i, CASE i % 4 WHEN 0 THEN 'a/b=c d' ELSE 'land ' || i % 4 END, CASE WHEN i % 50 > 0 THEN 'shop ' || i % 3 || ' in the street' END, i, -4.93 + i / 8.0,
		CASE WHEN i % 60 > 0 THEN timestamptz '1969-12-31 00:00:00.000001+00' + i * interval '7 minutes' END, date '1969-12-01' + i, i % 2 = 0, sqrt(i) FROM generate_series(1, 400) i`,
)

// ofHudi makes documents of tables of Hudi.
func ofHudi(partitionBy ...string) func(*spec.Table) {
	return incremental(func(s *spec.Table) { s.Target.Format, s.PartitionBy = "hudi", partitionBy })
}

// landFilters reach single partitions, some, and single files.
var landFilters = []string{
	"id = 7", "land = 'land 1'", "land <> 'land 1' AND id < 20", "land LIKE 'land%' AND id < 40", "land = 'a/b=c d'", "name IS NULL", "amount < 0", "day < date '1970-01-01'", "at >= timestamp '1970-01-01 00:00:00' AND at < timestamp '1970-01-01 12:00:00'", "at IS NULL", "ok AND n > 300",
}

// moment is a commit, and what the table held behind it.
type moment struct {
	instant string
	want    *readback.Table
}

// changesReachHudi: merges into a table of Hudi leave each row once, where readers look for it, whatever moved and however columns
// changed meanwhile; so do cleaning and a full load, and Spark reads what was there before.
func changesReachHudi(kind string, partitionBy ...string) scenario {
	var moments []moment
	kept := func(do func(x *stage)) func(x *stage) {
		return func(x *stage) {
			do(x)
			moments = append(moments, moment{x.newest(), x.expected(shown)})
		}
	}
	both := func(x *stage, alter string) {
		for _, table := range []string{"shown", "t"} {
			x.sql(`ALTER TABLE ` + table + ` ` + alter)
		}
	}
	return scenario{
		name: "changes reach Hudi, " + kind, setup: lands, document: ofHudi(partitionBy...),
		steps: []step{
			{name: "landed", do: kept(func(x *stage) { x.ago = month; x.run() }), want: shown, filters: landFilters},
			{name: "inserts and updates", do: kept(func(x *stage) {
				x.sql(`UPDATE t SET n = n + 1, amount = -amount WHERE id % 40 = 1`, `INSERT INTO t SELECT id + 1000, land, 'new', n, amount, at, day, ok, NULL FROM t WHERE id <= 10`)
				x.quiet()
				x.run()
			}), want: shown},
			{name: "rows move to other partitions", end: true, want: shown, filters: landFilters, do: kept(func(x *stage) {
				x.sql(`UPDATE t SET land = 'land 9' WHERE id % 5 = 0`, `UPDATE t SET land = 'land 2' WHERE land = 'land 3'`, `DELETE FROM t WHERE id = 12`)
				x.quiet()
				x.run()
			})},
			{name: "one more column, and a wider one", end: true, want: shown, do: kept(func(x *stage) {
				both(x, `ADD COLUMN more date, ADD COLUMN flag boolean`)
				both(x, `ALTER COLUMN n TYPE bigint`)
				x.sql(`UPDATE t SET more = '2026-02-01', flag = n % 2 = 0 WHERE id % 6 = 0`, `UPDATE t SET n = 9223372036854775807 WHERE id % 40 = 3`)
				x.quiet()
				x.run()
			})},
			{name: "what was changed, and what was there", want: shown, do: func(x *stage) {
				x.sql(`TRUNCATE touched`, `UPDATE t SET name = 'shop 4' WHERE id % 90 = 4`, `INSERT INTO t (id, land) VALUES (2000, 'land 1')`)
				x.quiet()
				x.run()
				x.sees(moments)
				x.changedSince(moments[len(moments)-1].instant, `SELECT * FROM shown WHERE id IN (SELECT id FROM touched)`)
			}},
			{name: "cleaned", do: func(x *stage) { x.cleanHudi(); x.ago = 0 }, want: shown, end: true},
			{name: "landed behind the cleaning", want: shown, do: func(x *stage) {
				x.cleaned(moments[0].instant)
				x.sql(`UPDATE t SET name = 'shop 2 is closed' WHERE id % 9 = 0`)
				x.quiet()
				x.run()
			}},
			{name: "loaded anew", end: true, filters: landFilters, do: func(x *stage) {
				x.sql(`DELETE FROM t WHERE id % 4 = 0`)
				x.reload()
				before := moment{x.newest(), x.expected(shown)}
				x.run()
				x.sees([]moment{before})
				x.changedSince(before.instant, `SELECT * FROM t`)
			}},
			{name: "landed behind the load", end: true, do: func(x *stage) {
				x.sql(`UPDATE t SET land = 'land 1', ratio = 'NaN' WHERE id % 10 = 7`)
				x.quiet()
				x.run()
			}},
		},
	}
}

// reload has the next run land the table afresh.
func (x *stage) reload() {
	x.t.Helper()
	x.edit(func(s *spec.Table) { s.Reload = x.step })
}

// newest is the table's newest commit.
func (x *stage) newest() string {
	x.t.Helper()
	all := x.instants()
	if len(all) == 0 {
		x.t.Fatalf("%s: there is no commit", x.step)
	}
	return all[len(all)-1]
}

// sees has Spark, by each version of Hudi, travel to moments.
func (x *stage) sees(moments []moment) {
	x.t.Helper()
	if x.heavy == nil {
		return
	}
	for i, m := range moments {
		for n, version := range hudiVersions {
			if i != 0 && i != len(moments)-1 && i%len(hudiVersions) != n {
				continue // the first and the last are read by all
			}
			got, err := x.bySparkHudi(x.t.Context(), version, map[string]string{"as.of.instant": m.instant}, nil)
			x.same(m.want, got, err, "as of "+m.instant+", Spark with Hudi "+version)
		}
	}
}

// changedSince has Spark, by each version of Hudi, ask for the rows that commits behind an instant wrote.
func (x *stage) changedSince(instant, query string) {
	x.t.Helper()
	if x.heavy == nil {
		return
	}
	want := x.expected(query)
	for _, version := range hudiVersions {
		got, err := x.bySparkHudi(x.t.Context(), version, map[string]string{"hoodie.datasource.query.type": "incremental", "hoodie.datasource.read.begin.instanttime": instant}, nil)
		x.same(want, got, err, "since "+instant+", Spark with Hudi "+version)
	}
}

// cleaned has Spark travel to where it must be told that what was there is gone.
func (x *stage) cleaned(instant string) {
	x.t.Helper()
	if x.heavy == nil {
		return
	}
	for _, version := range hudiVersions {
		_, err := x.bySparkHudi(x.t.Context(), version, map[string]string{"as.of.instant": instant}, nil)
		if err == nil || !strings.Contains(err.Error(), "Cleaner cleaned up the timestamp of interest") {
			x.t.Errorf("%s: Spark with Hudi %s, as of %s, which is cleaned away: %v", x.step, version, instant, err)
		}
	}
}

func (x *stage) same(want, got *readback.Table, err error, what string) {
	x.t.Helper()
	if err != nil {
		x.t.Errorf("%s: %s: %v", x.step, what, err)
		return
	}
	for _, difference := range readback.Differences(want, arranged(want, got)) {
		x.t.Errorf("%s: %s: %.500s", x.step, what, difference)
	}
}

// month is long enough for what is older to be cleaned away.
const month = 31 * 24 * time.Hour

// cleanHudi removes all versions of files but those that must stay. Runs before it must have been a month ago.
func (x *stage) cleanHudi() {
	x.t.Helper()
	x.forgets(hudi.New(hudi.Options{
		Store: store.NewS3(x.clients.S3, x.bucket), Catalog: x.runner().Catalog, Prefix: "raw/t/", Database: x.database, Name: "t", Version: "test",
	}))
}

// hudiTypes: every type arrives with its extremes and NULLs.
func hudiTypes() scenario {
	s := types()
	s.name, s.setup = "every type, Hudi", slices.Clone(s.setup)
	s.document = func(doc *spec.Table) { doc.Target.Format, doc.PrimaryKey = "hudi", []string{"id"} }
	return s
}
