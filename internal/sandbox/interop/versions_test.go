package interop_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// versions is a source whose versions, the pairs of id and seen that runs met, are kept in shown, with the columns given.
func versions(columns string) []string {
	setup := modelled(`CREATE TABLE t (id bigint PRIMARY KEY, name text, seen timestamptz NOT NULL, n int, share real, amount numeric(9,2))`,
		`ALTER TABLE shown `+columns, `ALTER TABLE touched ADD COLUMN seen timestamptz`,
		`CREATE OR REPLACE FUNCTION show() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			DELETE FROM shown WHERE id = NEW.id AND seen = NEW.seen; INSERT INTO shown SELECT NEW.*; RETURN NEW; END $$`)
	return append(setup, `INSERT INTO t SELECT i, 'good ' || i, timestamptz '2026-01-01Z' + i * interval '1 hour', i, sqrt(i), i / 8.0 FROM generate_series(1, 200) i`)
}

// stamps are the columns that Lakeland adds, as a table's model has them.
const stamps = `ADD COLUMN _lk_run_id text, ADD COLUMN _lk_ingested_at timestamptz, ADD COLUMN _lk_op text, ADD COLUMN _lk_seq bigint, ADD COLUMN _lk_source text`

// stamped lands the table, and says in the model which run wrote what is new there; key is what tells rows apart.
func (x *stage) stamped(key string) {
	x.t.Helper()
	x.quiet()
	x.run()
	runs, err := x.tracking.Runs(x.t.Context(), "shop.t", 1)
	x.must(err)
	var to struct {
		Xmin struct {
			Xmin int64 `json:"xmin"`
		} `json:"xmin"`
	}
	x.must(json.Unmarshal([]byte(runs[0].To), &to))
	x.sql(`CREATE TABLE IF NOT EXISTS written AS SELECT `+key+` FROM shown LIMIT 0`,
		fmt.Sprintf(`UPDATE shown SET _lk_run_id = '%s', _lk_ingested_at = '%s', _lk_op = CASE WHEN (%s) IN (SELECT %[3]s FROM written) THEN 'U' ELSE 'I' END, _lk_seq = %d, _lk_source = 'db/public.t'
			WHERE _lk_run_id IS NULL`, runs[0].RunID, runs[0].StartedAt.Truncate(time.Microsecond).Format(time.RFC3339Nano), key, to.Xmin.Xmin),
		`INSERT INTO written SELECT `+key+` FROM shown`)
}

// versionsAreKept: a historical table has each version that a run has met, and says of each which run wrote it.
func versionsAreKept() scenario {
	land := func(x *stage) { x.stamped("id, seen") }
	return scenario{
		name: "versions are kept", setup: versions(stamps),
		document: incremental(func(s *spec.Table) {
			s.StorageMode, s.Ordering, s.AuditColumns = "historical", "seen", slices.Clone(spec.AuditColumns)
		}),
		steps: []step{
			{name: "landed", do: land, want: shown},
			{
				name: "newer versions", want: shown,
				do: func(x *stage) {
					x.sql(`UPDATE t SET seen = seen + interval '1 day', name = upper(name) WHERE id % 10 = 0`, `INSERT INTO t VALUES (201, 'new', '2026-03-01Z', NULL)`)
					land(x)
				},
			},
			{
				name: "versions that are met again", want: shown, end: true, filters: []string{"id = 10", "_lk_op = 'U'", "seen >= timestamp '2026-01-09 00:00:00'"},
				do: func(x *stage) {
					x.sql(`UPDATE t SET n = -1 WHERE id IN (5, 10)`, `DELETE FROM t WHERE id = 6`, `UPDATE t SET seen = '2026-02-01Z' WHERE id = 7`)
					land(x)
				},
			},
		},
	}
}

// rowsSayWhereTheyAreFrom: the columns that Lakeland adds hold what they say, where changes are merged on read too.
func rowsSayWhereTheyAreFrom() scenario {
	land := func(x *stage) { x.stamped("id") }
	return scenario{
		name:  "rows say where they are from",
		setup: append(slices.Clone(visits[:len(visits)-1]), `ALTER TABLE shown `+stamps+`, ADD COLUMN gone boolean DEFAULT false`, visits[len(visits)-1]),
		document: incremental(func(s *spec.Table) {
			s.WriteMode, s.AuditColumns, s.DeletedColumn = "merge_on_read", slices.Clone(spec.AuditColumns), "gone"
		}),
		steps: []step{
			{name: "landed", do: land, want: shown},
			{
				name: "landed again", want: shown, end: true, filters: []string{"_lk_op = 'U'", "gone", "NOT gone AND id < 10"},
				do: func(x *stage) {
					x.sql(`UPDATE t SET n = n + 1 WHERE id % 30 = 0`, `INSERT INTO t (id) VALUES (1000)`, `DELETE FROM t WHERE id = 8`)
					land(x)
					x.marks()
				},
			},
		},
	}
}
