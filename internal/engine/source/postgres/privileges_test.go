package postgres_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// A role that may read some columns alone reads those, in parts, whole and counted; which columns are closed to it is said
// beforehand, and so is what a horizon needs beside them.
func TestSomeColumnsAreReadable(t *testing.T) {
	t.Parallel()
	c, login, execute := database(t, `CREATE TABLE people (id int PRIMARY KEY, name text, secret text, hidden text, twin int)`,
		`INSERT INTO people SELECT i, 'n' || i, repeat('s', 100), 'h', i / 2 FROM generate_series(1, 20000) i`, `ANALYZE people`,
		`CREATE VIEW seen AS SELECT * FROM people`)
	role := "some" + c.Database
	execute(`CREATE ROLE "`+role+`" LOGIN PASSWORD 'p'`, `GRANT SELECT (id, name, twin) ON people, seen TO "`+role+`"`)
	t.Cleanup(func() { execute(`DROP OWNED BY "`+role+`"`, `DROP ROLE "`+role+`"`) })
	some := postgres.Credentials{Username: role, Password: "p"}
	s, err := postgres.Begin(t.Context(), c, some)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(t.Context())
	skips := map[string]spec.Column{"secret": {Skip: true}, "hidden": {Skip: true}}
	for _, name := range []string{"people", "seen"} {
		source := spec.DatabaseSource{Schema: "public", Table: name}
		if _, err := s.Describe(t.Context(), &source, []string{"id"}, map[string]spec.Column{"hidden": {Skip: true}}); err == nil ||
			!strings.Contains(err.Error(), `the role may not read the columns ["secret"]: GRANT SELECT ON "public"."`+name+`" TO the connection's role, or leave such columns out with columns = { "secret" = { skip = true } }`) {
			t.Errorf("%s: a column that is closed: %v", name, err)
		}
		d, err := s.Describe(t.Context(), &source, []string{"id"}, skips)
		if err != nil {
			t.Fatal(err)
		}
		if len(d.Schema.Columns) != 3 || len(d.Schema.Skipped) != 2 || d.Schema.Skipped[0].Number != 3 {
			t.Errorf("%s: the columns are %+v without %+v", name, d.Schema.Columns, d.Schema.Skipped)
		}
		lists, err := s.Parts(t.Context(), source, []string{"id"}, 200<<10)
		if err != nil {
			t.Fatal(err)
		}
		if len(lists) < 2 {
			t.Errorf("%s is read in %d parts: %v", name, len(lists), lists)
		}
		var ids []int32
		for _, parts := range lists {
			r := postgres.Request{Parts: parts, Columns: d.Schema.Columns, Snapshot: s.ID}
			if _, err := postgres.Extract(t.Context(), c, some, r, func(b *column.Batch) error {
				ids = append(ids, b.Columns[0].Int32s...)
				return nil
			}); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		slices.Sort(ids)
		if rows := len(ids); rows != 20000 || len(slices.Compact(ids)) != 20000 {
			t.Errorf("%s: %d rows are read", name, rows)
		}
		if n, err := s.Count(t.Context(), source, []spec.Predicate{{Column: "id", Op: "<=", Value: "100"}}); n != 100 || err != nil {
			t.Errorf("%s: %d rows counted, %v", name, n, err)
		}
		for column, want := range map[string]bool{"twin": true, "id": false} {
			if twice, err := s.Duplicate(t.Context(), source, nil, []string{column}); twice != want || err != nil {
				t.Errorf("%s: %s twice: %t, %v", name, column, twice, err)
			}
		}
	}
	window := func() error {
		w, err := postgres.OpenWindow(t.Context(), c, some, postgres.Incremental{Source: spec.DatabaseSource{Schema: "public", Table: "people"}, Extract: spec.Extract{Mode: "incremental"}})
		if err == nil {
			w.Close(t.Context())
		}
		return err
	}
	if err := window(); err == nil || !strings.Contains(err.Error(), `GRANT SELECT (xmin, tableoid, ctid) ON "public"."people" TO the connection's role`) {
		t.Errorf("horizon xmin: %v", err)
	}
	execute(`GRANT SELECT (xmin, tableoid, ctid) ON people TO "` + role + `"`)
	if err := window(); err != nil {
		t.Error(err)
	}
	lists, err := s.Parts(t.Context(), spec.DatabaseSource{Schema: "public", Table: "people"}, nil, 200<<10)
	if byPages := !strings.HasPrefix(s.Version(), "13."); err != nil || (lists[0][0].Pages != nil) != byPages {
		t.Errorf("with ctid the parts are %v, %v", lists, err)
	}
	whole, err := postgres.Begin(t.Context(), c, login)
	if err != nil {
		t.Fatal(err)
	}
	defer whole.Close(t.Context())
	for says, declared := range map[string]map[string]spec.Column{
		`it has no column "secrt", which columns names; did you mean "secret"?`:                               {"secrt": {Skip: true}},
		`column "id" is part of its primary key, and columns skips it: leave out skip, or name other columns`: {"id": {Skip: true}},
		`columns skips every column of it: leave one to be read`:                                              {"id": {Skip: true}, "name": {Skip: true}, "secret": {Skip: true}, "hidden": {Skip: true}, "twin": {Skip: true}},
	} {
		if _, err := whole.Describe(t.Context(), &spec.DatabaseSource{Schema: "public", Table: "people"}, nil, declared); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v: %v, want %q", declared, err, says)
		}
	}
}
