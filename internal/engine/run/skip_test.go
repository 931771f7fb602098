package run_test

import (
	"slices"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// A column that is skipped is never read: a role that may read only the others lands the table, in each mode, with its rows
// counted and its keys compared.
func TestSkippedColumnsAreNeverRead(t *testing.T) {
	t.Parallel()
	const rest = `SELECT id, name, at FROM numbers`
	l := newLake(t, `CREATE TABLE numbers (id bigint NOT NULL, name text, secret_note text, at timestamptz DEFAULT clock_timestamp())`,
		`INSERT INTO numbers SELECT i, 'n' || i, 'do not read' FROM generate_series(1, 500) i`)
	role := l.role("sesame")
	l.sql(`REVOKE SELECT ON numbers FROM "`+role+`"`, `GRANT SELECT (id, name, at) ON numbers TO "`+role+`"`)
	for name, edit := range map[string]func(*spec.Table){
		"full": func(s *spec.Table) {},
		"changes": func(s *spec.Table) {
			s.Extract = spec.Extract{Mode: "incremental", Horizon: "lookback", Cursor: "at", Lookback: "1h"}
		},
	} {
		doc := l.source(name)
		doc.Source.Database.Table, doc.PrimaryKey, doc.Reconcile = "numbers", []string{"id"}, &spec.Reconcile{Every: "1h", How: "count"}
		edit(doc)
		l.must(l.tracking.CreateTable(t.Context(), doc, sandbox.Account))
		l.refused(name, nil, `the role may not read the columns ["secret_note"]`)
		l.change(name, func(s *spec.Table) { s.Columns = map[string]spec.Column{"secret_note": {Skip: true}} })
		if _, ran := l.round(name); ran.Reconcile != "equal" {
			t.Errorf("%s: source and lake are %q: %s", name, ran.Reconcile, ran.ReconcileWhy)
		}
		l.shows(name, rest)
	}
	l.sql(`INSERT INTO numbers SELECT i, 'new', 'do not read' FROM generate_series(501, 510) i`, `UPDATE numbers SET name = 'changed', at = clock_timestamp() WHERE id = 1`)
	if _, ran := l.round("changes"); ran.Inserted != 10 || ran.Updated != 1 {
		t.Errorf("%d inserted, %d updated", ran.Inserted, ran.Updated)
	}
	l.shows("changes", rest)
	l.sql(`INSERT INTO numbers SELECT 1, 'twin', 'do not read'`)
	l.change("changes", func(s *spec.Table) { s.Reload = "1" })
	l.refused("changes", nil, `the source has several rows with equal values in ["id"]`)
}

// A column that is skipped after it was landed stays with NULLs, as one does that the source drops, and is landed again by a
// reload; while changes are merged another choice of columns needs one in either direction.
func TestColumnsAreSkippedLater(t *testing.T) {
	t.Parallel()
	const skipped = `SELECT id, name, NULL::text AS note FROM t`
	l := newLake(t, `CREATE TABLE t (id int PRIMARY KEY, note text NOT NULL, name text)`, `INSERT INTO t SELECT i, 'secret', 'n' || i FROM generate_series(1, 50) i`)
	for name, mode := range map[string]string{"whole": "full", "merged": "incremental"} {
		doc := l.source(name)
		doc.Source.Database.Table, doc.PrimaryKey, doc.Extract = "t", []string{"id"}, spec.Extract{Mode: mode}
		l.must(l.tracking.CreateTable(t.Context(), doc, sandbox.Account))
		l.round(name)
	}
	skip := func(s *spec.Table) { s.Columns = map[string]spec.Column{"note": {Skip: true}} }
	l.change("whole", func(s *spec.Table) { s.Columns = map[string]spec.Column{"nte": {Skip: true}} })
	l.refused("whole", nil, `it has no column "nte", which columns names; did you mean "note"?`)
	l.change("whole", skip)
	for round, want := range [][]string{{`column "note" is skipped: it stays, with NULLs in all rows written from now on`}, nil} {
		if _, ran := l.round("whole"); !slices.Equal(ran.Notes, want) {
			t.Errorf("round %d says %q", round, ran.Notes)
		}
		l.shows("whole", skipped)
	}
	l.change("whole", func(s *spec.Table) { s.Columns = nil })
	l.refused("whole", nil, `the source has a column "note" to land under that name: set reload to a new value to land the table afresh`)
	l.change("whole", func(s *spec.Table) { s.Reload = "1" })
	l.round("whole")
	l.sql(`DROP VIEW shown`)
	l.shows("whole", `SELECT id, note, name FROM t`)
	l.sql(`DROP VIEW shown`)

	l.change("merged", skip)
	l.refused("merged", nil, "its configuration reads other rows or columns than the table was landed from")
	l.change("merged", func(s *spec.Table) { s.Reload = "1" })
	l.round("merged")
	l.shows("merged", `SELECT id, name FROM t`)
	l.change("merged", func(s *spec.Table) { s.Columns = nil })
	l.refused("merged", nil, "its configuration reads other rows or columns than the table was landed from")
}
