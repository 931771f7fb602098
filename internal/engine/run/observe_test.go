package run_test

import (
	"fmt"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// A column whose decimal is made of its values widens with them, while changes are merged and where all rows are landed; what
// cannot be followed says what is the way out.
func TestObservedDecimals(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"full", "incremental"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			l := newLake(t, `CREATE DOMAIN money_like AS numeric`, `CREATE TABLE t (id int PRIMARY KEY, x numeric, y money_like, keep bool DEFAULT true)`)
			doc := l.source("t")
			doc.Extract.Mode, doc.PrimaryKey = mode, []string{"id"}
			doc.Filter = []spec.Predicate{{Column: "keep", Op: "=", Value: "true"}}
			doc.Columns = map[string]spec.Column{"x": {Type: "decimal(observed)"}, "y": {Type: "decimal(observed)"}}
			l.must(l.tracking.CreateTable(t.Context(), doc, sandbox.Account))
			l.refused("t", nil, `column "x" has no value of which its decimal could be made: declare it as decimal(p,s)`)
			l.sql(`INSERT INTO t VALUES (1, 12.50, -0.125), (2, NULL, 0), (3, -7, NULL), (4, 0.0, 1e3)`, `INSERT INTO t VALUES (5, 'NaN', 1e37, false)`)
			reload := func() { l.change("t", func(s *spec.Table) { s.Reload += "again " }) }
			for _, step := range []struct{ does, x, y, refused string }{
				{`SELECT`, "decimal(4,2)", "decimal(7,3)", ""},
				{`INSERT INTO t VALUES (10, 123456789012345678.9, 1)`, "decimal(20,2)", "decimal(7,3)", ""},
				{`UPDATE t SET y = 99999.9 WHERE id = 2`, "decimal(20,2)", "decimal(8,3)", ""},
				{`INSERT INTO t VALUES (11, 1.125, 1)`, "decimal(21,3)", "decimal(8,3)", `column "x" was numeric (decimal(20,2)) and is numeric (decimal(21,3)) now, which old rows cannot follow: change it back, or set reload to a new value to land the table afresh`},
				{`UPDATE t SET x = 1e30 WHERE id = 3`, "decimal(34,3)", "decimal(8,3)", ""},
				{`UPDATE t SET x = 1e36 WHERE id = 3`, "", "", `column "x" needs 37 digits before the point and 3 behind it, and a decimal has 38: declare it as string`},
				{`UPDATE t SET x = 'NaN' WHERE id = 3`, "", "", `column "x" has 1 values that are no number, such as NaN, which no decimal holds: declare it as string, or leave such rows out by a filter`},
				{`UPDATE t SET x = NULL WHERE id IN (3, 10)`, "decimal(34,3)", "decimal(8,3)", ""},
			} {
				l.sql(step.does)
				if step.refused != "" {
					l.refused("t", nil, step.refused)
					if step.x == "" {
						continue
					}
					reload()
				}
				l.round("t")
				l.columnsAre("t", step.x, step.y)
			}
			reload()
			l.round("t")
			l.columnsAre("t", "decimal(5,3)", "decimal(8,3)")
			l.change("t", func(s *spec.Table) { s.Columns["keep"] = spec.Column{Type: "decimal(observed)"} })
			reload()
			l.refused("t", nil, `column "keep" of type boolean: decimals are made of the values of numeric columns alone`)
		})
	}
}

// columnsAre checks the types of a table's columns x and y, and its rows.
func (l *lake) columnsAre(name, x, y string) {
	l.t.Helper()
	for column, want := range map[string]string{"x": x, "y": y} {
		if c, _ := l.head(name).Schema.Column(column); c.Type.String() != want {
			l.t.Errorf("%s is %s, not %s", column, c.Type, want)
		}
	}
	l.sql(`DROP VIEW IF EXISTS shown`)
	l.shows(name, fmt.Sprintf(`SELECT id, x::%s AS x, y::%s AS y, keep FROM t WHERE keep`, numeric(x), numeric(y)))
}

// numeric is a decimal type as PostgreSQL spells it.
func numeric(decimal string) string { return "numeric" + decimal[len("decimal"):] }
