package postgres_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// rewrites take the rows of the table or view t from under snapshots that were taken before (PostgreSQL documentation,
// "Caveats" of "Concurrency Control"), or give its name to another.
var rewrites = []struct {
	name       string
	made       []string
	statements []string
	// rows are those that it leaves.
	rows []string
}{
	{"TRUNCATE and reload", plainT, []string{`TRUNCATE t`, `INSERT INTO t VALUES (7, 'new'), (8, 'new')`}, []string{"7=new", "8=new"}},
	{"ALTER TABLE", plainT, []string{`ALTER TABLE t ALTER COLUMN v TYPE varchar(20) USING v || '!'`}, []string{"101=b!", "1=a!"}},
	{"another table of the name", plainT, []string{`ALTER TABLE t RENAME TO t_before`, `CREATE TABLE t (id int, v text)`, `INSERT INTO t VALUES (9, 'other')`}, []string{"9=other"}},
	{"DROP and CREATE", plainT, []string{`DROP TABLE t`, `CREATE TABLE t (id int, v text)`, `INSERT INTO t VALUES (9, 'other')`}, []string{"9=other"}},
	{"TRUNCATE of an heir", append(slices.Clone(plainT), `CREATE TABLE heir () INHERITS (t)`, `INSERT INTO heir VALUES (2, 'c')`), []string{`TRUNCATE heir`, `INSERT INTO heir VALUES (3, 'new')`}, []string{"101=b", "1=a", "3=new"}},
	{"TRUNCATE of all partitions", partedT, []string{`TRUNCATE t`, `INSERT INTO t VALUES (7, 'new'), (107, 'new')`}, []string{"107=new", "7=new"}},
	{"TRUNCATE of a partition", partedT, []string{`TRUNCATE low`, `INSERT INTO t VALUES (3, 'new')`}, []string{"101=b", "3=new"}},
	{"another partition of the name", partedT, []string{
		`ALTER TABLE t DETACH PARTITION low`, `ALTER TABLE low RENAME TO low_before`, `CREATE TABLE low (id int, v text)`, `INSERT INTO low VALUES (2, 'other')`,
		`ALTER TABLE t ATTACH PARTITION low FOR VALUES FROM (0) TO (100)`,
	}, []string{"101=b", "2=other"}},
	{"TRUNCATE below a view", []string{`CREATE TABLE b (id int, v text)`, `INSERT INTO b VALUES (1, 'a')`, `CREATE VIEW t AS SELECT id, v FROM b`}, []string{`TRUNCATE b`, `INSERT INTO b VALUES (7, 'new')`}, []string{"7=new"}},
	{"a materialized view", []string{`CREATE TABLE b (id int, v text)`, `CREATE MATERIALIZED VIEW t AS SELECT id, v FROM b`}, []string{`INSERT INTO b VALUES (7, 'new')`, `REFRESH MATERIALIZED VIEW t`}, []string{"7=new"}},
}

var (
	plainT  = []string{`CREATE TABLE t (id int, v text)`, `INSERT INTO t VALUES (1, 'a'), (101, 'b')`}
	partedT = []string{
		`CREATE TABLE t (id int, v text) PARTITION BY RANGE (id)`, `CREATE TABLE low PARTITION OF t FOR VALUES FROM (0) TO (100)`,
		`CREATE TABLE high PARTITION OF t FOR VALUES FROM (100) TO (200)`, `INSERT INTO t VALUES (1, 'a'), (101, 'b')`,
	}
)

// throughRewrites has t read while each of the rewrites is under way, which commits once the reader waits for it, or has come
// to its end without.
func throughRewrites(t *testing.T, horizon bool, read func(p *place) ([]string, error)) {
	t.Helper()
	c, login, execute := database(t)
	p := &place{t: t, connection: c, login: login, server: sandbox.ForTest(t, sandbox.Postgres).Postgres()}
	writer, look := p.session(), p.session()
	for _, rewrite := range rewrites {
		if horizon && strings.Contains(rewrite.name, "view") {
			continue // it has no transactions
		}
		execute(`DROP SCHEMA public CASCADE`, `CREATE SCHEMA public`)
		execute(rewrite.made...)
		writer.sql(`BEGIN`)
		writer.sql(rewrite.statements...)
		var got []string
		var err error
		done := make(chan struct{})
		go func() {
			defer close(done)
			got, err = read(p)
		}()
		for waiting := "0"; waiting == "0"; {
			waiting = look.ask(`SELECT count(*)::text FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`)
			select {
			case <-done:
				waiting = "none"
			default:
			}
		}
		writer.sql(`COMMIT`)
		<-done
		if slices.Sort(got); err != nil || !slices.Equal(got, rewrite.rows) {
			t.Errorf("%s: %q was read (%v), and t holds %q", rewrite.name, got, err, rewrite.rows)
		}
	}
}

// rowsOf reads lists of parts of t, in a session each.
func (p *place) rowsOf(snapshot string, lists ...[]postgres.Part) (rows []string, err error) {
	r := postgres.Request{Snapshot: snapshot, Columns: []schema.Column{
		{Name: "id", Type: schema.Type{ID: schema.Int}, Source: &schema.SourceColumn{Name: "id", Number: 1, OID: schema.OIDInt4}},
		{Name: "v", Type: schema.Type{ID: schema.String}, Source: &schema.SourceColumn{Name: "v", Number: 2, OID: schema.OIDText}},
	}}
	for _, r.Parts = range lists {
		_, err = postgres.Extract(p.t.Context(), p.connection, p.login, r, func(b *column.Batch) error {
			for i := range b.Rows() {
				rows = append(rows, fmt.Sprintf("%d=%s", b.Columns[0].Int32s[i], b.Columns[1].Bytes(i)))
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return rows, nil
}

var sourceT = spec.DatabaseSource{Connection: "db", Schema: "public", Table: "t"}

// A snapshot that sessions share shows the rows of a table that is rewritten while it is taken, and not an empty table.
func TestTruncateBetweenSnapshotAndRead(t *testing.T) {
	t.Parallel()
	throughRewrites(t, false, func(p *place) ([]string, error) {
		s, err := postgres.Begin(t.Context(), p.connection, p.login, sourceT)
		if err != nil {
			return nil, err
		}
		defer s.Close(t.Context())
		lists, err := s.Parts(t.Context(), sourceT, nil, 1)
		if err != nil {
			return nil, err
		}
		return p.rowsOf(s.ID, lists...)
	})
}

// So does a session's own view, as of a replica or over one connection.
func TestTruncateBetweenOwnViewAndRead(t *testing.T) {
	t.Parallel()
	throughRewrites(t, false, func(p *place) ([]string, error) {
		return p.rowsOf("", []postgres.Part{{Source: sourceT}})
	})
}

// So does a window, whose parts are those of the snapshot that is read.
func TestTruncateBetweenWindowAndRead(t *testing.T) {
	t.Parallel()
	throughRewrites(t, true, func(p *place) ([]string, error) {
		w, err := postgres.OpenWindow(t.Context(), p.connection, p.login, postgres.Incremental{Source: sourceT, Extract: spec.Extract{Mode: "incremental", Horizon: "xmin"}})
		if err != nil {
			return nil, err
		}
		defer w.Close(t.Context())
		return p.rowsOf(w.Snapshot.ID, w.Parts)
	})
}

// While a snapshot lives, nothing rewrites its tables, and what does not take rows from under it goes on.
func TestSnapshotKeepsItsTables(t *testing.T) {
	t.Parallel()
	c, login, execute := database(t, partedT...)
	s, err := postgres.Begin(t.Context(), c, login, sourceT)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(t.Context())
	p := &place{t: t, connection: c, login: login, server: sandbox.ForTest(t, sandbox.Postgres).Postgres()}
	writer := p.session()
	writer.sql(`SET lock_timeout = '50ms'`)
	for _, statement := range []string{`TRUNCATE t`, `TRUNCATE low`, `VACUUM FULL high`, `ALTER TABLE t ALTER COLUMN v TYPE varchar(9)`, `ALTER TABLE t DETACH PARTITION low`, `DROP TABLE high`} {
		if _, err := writer.conn.Exec(t.Context(), statement); err == nil || !strings.Contains(err.Error(), "lock timeout") {
			t.Errorf("%s: %v", statement, err)
		}
	}
	execute(`UPDATE t SET v = 'later'`, `VACUUM t`, `CREATE INDEX ON low (v)`, `CREATE TABLE higher (LIKE t)`, `ALTER TABLE t ATTACH PARTITION higher FOR VALUES FROM (200) TO (300)`)
	lists, err := s.Parts(t.Context(), sourceT, nil, 1)
	if err != nil {
		t.Fatal(err)
	}
	if rows, err := p.rowsOf(s.ID, lists...); err != nil || strings.Join(rows, " ") != "101=b 1=a" {
		t.Errorf("%q, %v", rows, err)
	}
}

// A window of changes keeps the partitions in their places, and nobody from making another.
func TestWindowKeepsItsLeaves(t *testing.T) {
	t.Parallel()
	c, login, execute := database(t, partedT...)
	p := &place{t: t, connection: c, login: login, server: sandbox.ForTest(t, sandbox.Postgres).Postgres()}
	f := p.newFeed(byXmin)
	f.round()
	execute(`UPDATE t SET v = 'later'`)
	w, err := postgres.OpenWindow(t.Context(), c, login, f.request)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close(t.Context())
	execute(`CREATE TABLE higher PARTITION OF t FOR VALUES FROM (200) TO (300)`)
	if _, err := f.conn.Exec(t.Context(), `SET lock_timeout = '50ms'; TRUNCATE low`); err == nil || !strings.Contains(err.Error(), "lock timeout") {
		t.Errorf("TRUNCATE of a leaf: %v", err)
	}
	if rows, err := p.rowsOf(w.Snapshot.ID, w.Parts); err != nil || len(rows) != 2 {
		t.Errorf("%q, %v", rows, err)
	}
}

// A table that is emptied each time its snapshot is taken is an error that says so, and so is one that somebody else holds.
func TestTablesThatCannotBeKept(t *testing.T) {
	t.Parallel()
	c, login, _ := database(t, plainT...)
	p := &place{t: t, connection: c, login: login, server: sandbox.ForTest(t, sandbox.Postgres).Postgres()}
	f := p.newFeed(byXmin)
	taken := 0
	f.request = f.request.Pausing(func(step string) {
		if step == "snapshot" {
			taken++
			f.sql(`TRUNCATE t`)
		}
	})
	f.fails(`public.t was rewritten while its snapshot was taken, and so it was 5 times: let the run begin when nobody does that`)
	if taken != 5 {
		t.Errorf("the snapshot was taken %d times", taken)
	}
	f.sql(`BEGIN`, `LOCK TABLE t`)
	other := p.session()
	other.sql(`SET lock_timeout = '10ms'`)
	_, err := other.conn.Exec(t.Context(), `SELECT FROM t`)
	if err = postgres.ExplainCopy(err); !strings.Contains(err.Error(), "another session holds the table for itself, or waits to") {
		t.Error(err)
	}
}

// Who may read each column, and not the table as such, keeps it all the same.
func TestTableIsKeptByPrivilegesOnColumns(t *testing.T) {
	t.Parallel()
	p := newPlace(t, sandbox.ForTest(t, sandbox.Postgres).Postgres())
	f := p.newFeed(byXmin, append(slices.Clone(plainT), `CREATE VIEW seen AS SELECT * FROM t`)...)
	f.reader(`GRANT SELECT (id, v) ON t TO reader`, `GRANT SELECT (id) ON seen TO reader`)
	s, err := postgres.Begin(t.Context(), p.connection, f.login, sourceT, spec.DatabaseSource{Schema: "public", Table: "seen"}, spec.DatabaseSource{Schema: "public", Table: "absent"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(t.Context())
	if _, err := f.conn.Exec(t.Context(), `SET lock_timeout = '50ms'; TRUNCATE t`); err == nil || !strings.Contains(err.Error(), "lock timeout") {
		t.Error(err)
	}
	p.login = f.login
	if rows, err := p.rowsOf(s.ID, []postgres.Part{{Source: sourceT}}); err != nil || len(rows) != 2 {
		t.Errorf("%q, %v", rows, err)
	}
}

// A partition that is being detached, and stays so since who detaches it was stopped, is no part of the table to anybody.
func TestPartitionThatIsBeingDetached(t *testing.T) {
	t.Parallel()
	c, login, _ := database(t, partedT...)
	p := &place{t: t, connection: c, login: login, server: sandbox.ForTest(t, sandbox.Postgres).Postgres()}
	f, reader := p.newFeed(byXmin), p.session()
	if strings.HasPrefix(f.ask(`SHOW server_version`), "13.") {
		t.Skip("partitions are detached concurrently from PostgreSQL 14 on")
	}
	reader.sql(`BEGIN`, `SELECT FROM t`)
	f.sql(`SET lock_timeout = '100ms'`)
	if _, err := f.conn.Exec(t.Context(), `ALTER TABLE t DETACH PARTITION low CONCURRENTLY`); err == nil || !strings.Contains(err.Error(), "lock timeout") {
		t.Fatalf("it did not wait for who reads: %v", err)
	}
	reader.sql(`COMMIT`)
	if f.round(); len(f.read) != 1 {
		t.Errorf("horizon xmin reads %v", f.read)
	}
	f.expect("the first round", "")
	f.full()
	f.expect("mode full", "")
	f.sql(`SET lock_timeout = 0`, `ALTER TABLE t DETACH PARTITION low FINALIZE`, `ALTER TABLE t ATTACH PARTITION low FOR VALUES FROM (0) TO (100)`)
	f.rows = map[int32]string{101: "b"}
	if w := f.round(); leaves(w.Appeared) != "public.low" {
		t.Errorf("appeared: %v", w.Appeared)
	}
	f.expect("attached again", "")
}

// A column that gets another's name while the snapshot is taken is described and read as the one that it is.
func TestColumnsRenamedBehindTheSnapshot(t *testing.T) {
	t.Parallel()
	c, login, _ := database(t, plainT...)
	p := &place{t: t, connection: c, login: login, server: sandbox.ForTest(t, sandbox.Postgres).Postgres()}
	f, taken := p.newFeed(byXmin), 0
	f.request = f.request.Pausing(func(step string) {
		if step != "snapshot" {
			return
		}
		if taken++; taken == 1 {
			f.sql(`ALTER TABLE t RENAME v TO before`, `ALTER TABLE t ADD v text DEFAULT 'new'`)
		}
	})
	w, err := postgres.OpenWindow(t.Context(), c, login, f.request)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close(t.Context())
	d, err := w.Snapshot.Describe(t.Context(), &sourceT, nil, nil)
	if err != nil || len(d.Schema.Columns) != 3 || d.Schema.Columns[1].Name != "before" || d.Schema.Columns[2].Source.Number != 3 {
		t.Errorf("%+v, %v", d, err)
	}
	if rows, err := p.rowsOf(w.Snapshot.ID, w.Parts); err != nil || strings.Join(rows, " ") != "1=new 101=new" {
		t.Errorf("%q, %v", rows, err)
	}
}
