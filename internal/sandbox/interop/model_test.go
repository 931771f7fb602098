package interop_test

import (
	"strings"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// shown is what the lake must hold where that is not what the source holds: the source's rows as runs met them, with what
// other engines did to them since. A source that is modelled keeps it.
const shown = `SELECT * FROM shown`

// visits is a modelled source of a few rows whose days, names and numbers make partitions.
var visits = modelled(
	`CREATE TABLE t (id bigint PRIMARY KEY, name text, n int, amount numeric(12,2), at timestamptz, ratio double precision)`,
	`INSERT INTO t SELECT i, CASE WHEN i % 50 > 0 THEN 'shop ' || i % 3 || ' in the street' END, i, i / 8.0,
		CASE WHEN i % 60 > 0 THEN timestamptz '2026-01-01 00:00:00.000001+00' + (i % 3) * interval '1 day' + i * interval '1 minute' END, sqrt(i) FROM generate_series(1, 400) i`,
)

// modelled is a source whose table t keeps its rows, each as it was when it was last inserted or updated, in the table
// shown, and which rows those were in the table touched. Deletions leave shown as it is: no horizon finds them.
func modelled(create string, more ...string) []string {
	return append([]string{
		create, `CREATE TABLE shown (LIKE t)`, `CREATE INDEX ON shown (id)`, `CREATE TABLE touched (id bigint)`,
		`CREATE FUNCTION show() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			DELETE FROM shown WHERE id = NEW.id; INSERT INTO shown SELECT NEW.*; INSERT INTO touched VALUES (NEW.id); RETURN NEW; END $$`,
		`CREATE TRIGGER show AFTER INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION show()`,
	}, more...)
}

// incremental makes documents of tables that changes are merged into.
func incremental(more func(*spec.Table)) func(*spec.Table) {
	return func(s *spec.Table) {
		s.Extract.Mode, s.PrimaryKey = "incremental", []string{"id"}
		if more != nil {
			more(s)
		}
	}
}

// theirs has an engine change the table by statements that PostgreSQL knows too, and the model follow.
func (x *stage) theirs(by func(...string), statements ...string) {
	x.t.Helper()
	for _, statement := range statements {
		by(statement)
		if !x.stopped {
			x.sql(strings.ReplaceAll(statement, "$t", "shown"))
		}
	}
}

// goOn lets the source change rows that others changed, rows that they did not, and the keys of rows that they made, and
// lands them.
func goOn(x *stage) {
	x.sql(`UPDATE t SET n = n + 1, name = CASE WHEN id % 8 = 1 THEN 'mall ' || n % 2 ELSE name END WHERE id % 4 = 1`,
		`INSERT INTO t SELECT id + 1000 * (SELECT 1 + max(id) / 1000 FROM t), 'new', n, amount, at, NULL FROM t WHERE id <= 10`)
	x.quiet()
	x.run()
}

// goOnABit is goOn with so few rows that a table whose changes are merged on read has them deleted by position.
func goOnABit(x *stage) {
	x.sql(`UPDATE t SET n = n + 1, name = 'mall' WHERE id % 40 = 1`, `INSERT INTO t SELECT id + 1000, 'new', n, amount, at, NULL FROM t WHERE id <= 10`)
	x.quiet()
	x.run()
}

// quiet waits until no transaction of another test hides what was changed so far: until then each run reads it again, and
// puts the source's rows over what others made of them meanwhile.
func (x *stage) quiet() {
	x.t.Helper()
	x.sql(`CREATE TABLE IF NOT EXISTS waited (until xid8)`, `TRUNCATE waited`, `INSERT INTO waited SELECT pg_current_xact_id()`,
		`DO $$ BEGIN FOR i IN 1 .. 600 LOOP
			EXIT WHEN pg_snapshot_xmin(pg_current_snapshot()) > (SELECT max(until) FROM waited); PERFORM pg_sleep(0.05); END LOOP; END $$`)
}

// edit changes the document of the source table.
func (x *stage) edit(how func(*spec.Table)) {
	x.t.Helper()
	doc, err := x.tracking.Table(x.t.Context(), "shop.t")
	x.must(err)
	how(doc)
	x.must(x.tracking.UpdateTable(x.t.Context(), doc, sandbox.Account))
}
