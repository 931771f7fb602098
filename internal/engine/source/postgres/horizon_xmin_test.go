package postgres_test

import (
	"errors"
	"slices"
	"strings"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

var xminPromises = []promise{
	{"xmin reads only what changed", func(p *place) {
		t := p.t
		f := p.newFeed(byXmin, timedTable, `INSERT INTO t SELECT i, 'a' FROM generate_series(1, 100) i`)
		if w := f.round(); !w.Whole || w.From != nil || len(f.read) != 100 {
			t.Errorf("the first round read %d rows, whole %t", len(f.read), w.Whole)
		}
		first := *f.request.From.Xmin
		f.sql(`UPDATE t SET v = 'b' WHERE id = 50`, `INSERT INTO t VALUES (101, 'c')`)
		if w := f.round(); w.Whole || w.From == nil || !slices.Contains(f.read, 50) || !slices.Contains(f.read, 101) {
			t.Errorf("the second round read %v, whole %t", f.read, w.Whole)
		}
		f.expect("the second round", "")
		if second := *f.request.From.Xmin; second.Xmin < first.Xmin || second.System != first.System || second.Timeline != 1 || second.Table != first.Table {
			t.Errorf("from %+v to %+v", first, second)
		}
	}},
	{"xmin finds subtransactions", func(p *place) {
		f := p.newFeed(byXmin, timedTable, `INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c')`)
		f.round()
		late := p.session()
		late.sql(`BEGIN`, `UPDATE t SET v = 'top' WHERE id = 1`, `SAVEPOINT a`, `UPDATE t SET v = 'kept' WHERE id = 2`, `RELEASE a`, `SAVEPOINT b`, `UPDATE t SET v = 'undone' WHERE id = 3`)
		f.sql(`INSERT INTO t VALUES (4, 'd')`)
		f.round()
		f.expect("while the transaction is open", "")
		late.sql(`SAVEPOINT c`, `INSERT INTO t VALUES (5, 'deep')`)
		f.round()
		late.sql(`RELEASE c`, `ROLLBACK TO b`, `SAVEPOINT d`, `INSERT INTO t VALUES (6, 'behind')`, `COMMIT`)
		f.round()
		f.expect("after its commit", "")
	}},
	{"xmin waits for prepared transactions", func(p *place) {
		t := p.t
		f := p.newFeed(byXmin, timedTable, `INSERT INTO t VALUES (1, 'a')`)
		f.round()
		gid := "'" + p.connection.Database + "'"
		f.sql(`BEGIN`, `INSERT INTO t VALUES (2, 'prepared')`, `PREPARE TRANSACTION `+gid, `INSERT INTO t VALUES (3, 'c')`)
		waiting := int64(atoi(t, f.ask(`SELECT transaction::text FROM pg_prepared_xacts WHERE gid = `+gid)))
		for _, id := range []string{"4", "5"} {
			if f.round(); f.request.From.Xmin.Xmin > waiting {
				t.Errorf("the position is %d, past the prepared transaction %d", f.request.From.Xmin.Xmin, waiting)
			}
			f.sql(`INSERT INTO t VALUES (` + id + `, 'd')`)
		}
		f.sql(`COMMIT PREPARED ` + gid)
		f.round()
		f.expect("after COMMIT PREPARED", "")
	}},
	{"xmin reads rows that were frozen since", func(p *place) {
		f := p.newFeed(byXmin, timedTable, `INSERT INTO t VALUES (1, 'a')`)
		f.round()
		f.sql(`INSERT INTO t VALUES (2, 'b')`, `VACUUM (FREEZE) t`)
		f.round()
		f.expect("a row frozen before it was read", "")
		f.sql(`BEGIN`, `TRUNCATE t`, `COMMIT`, `CREATE TABLE other (id int, v text)`, `INSERT INTO t VALUES (1, 'again'), (2, 'again')`, `CLUSTER t USING t_pkey`)
		f.round()
		f.expect("a table rewritten", "")
	}},
	{"xmin refuses another history", func(p *place) {
		t := p.t
		f := p.newFeed(byXmin, timedTable, `INSERT INTO t VALUES (1, 'a')`)
		f.round()
		good := *f.request.From.Xmin
		for want, edit := range map[string]func(x *postgres.XminPosition){
			"another cluster":      func(x *postgres.XminPosition) { x.System = "7" },
			"on timeline 1":        func(x *postgres.XminPosition) { x.Timeline = 2 },
			"it was recreated":     func(x *postgres.XminPosition) { x.Table++ },
			"restored from a copy": func(x *postgres.XminPosition) { x.Xmin += 1 << 33 },
		} {
			bad := good
			edit(&bad)
			f.request.From = &postgres.Position{V: 1, Horizon: "xmin", Xmin: &bad}
			if err := f.fails(want, `set "reload"`); !errors.Is(err, postgres.ErrReload) {
				t.Errorf("%s: %v is not ErrReload", want, err)
			}
		}
		f.request.From = &postgres.Position{V: 1, Horizon: "xmin", Xmin: &good}
		f.request.Extract = byTransactions
		f.fails(`is of horizon "xmin", its configuration names "transactions"`)
		f.request.Extract = byXmin
		f.sql(`DROP TABLE t`, timedTable)
		f.fails("it was recreated", `set "reload"`)
	}},
	{"xmin needs a table", func(p *place) {
		f := p.newFeed(byXmin, timedTable, `CREATE VIEW seen AS SELECT id, v, 5 AS xmin FROM t`, `CREATE MATERIALIZED VIEW kept AS SELECT id, v FROM t`)
		f.attach(byXmin, "seen")
		f.fails("needs a table", "lookback")
		f.attach(byXmin, "kept")
		f.fails("needs a table", "lookback")
	}},
	{"xmin needs no privilege but SELECT", func(p *place) {
		f := p.newFeed(byXmin, timedTable, `INSERT INTO t VALUES (1, 'a')`)
		f.reader(`GRANT SELECT ON t TO reader`)
		f.round()
		f.sql(`UPDATE t SET v = 'b'`)
		f.round()
		f.expect("as a role that may SELECT", "")
	}},
	{"row level security is an error of every horizon", func(p *place) {
		f := p.newFeed(byXmin, timedTable, `INSERT INTO t VALUES (1, 'a'), (2, 'b')`, `ALTER TABLE t ENABLE ROW LEVEL SECURITY`, `CREATE POLICY p ON t USING (id = 1)`)
		f.reader(`GRANT SELECT ON t TO reader`, `GRANT pg_read_all_stats TO reader`)
		for _, by := range []spec.Extract{byXmin, byTransactions, byLookback} {
			f.request.Extract = by
			f.fails("row-level security")
			if len(f.read) != 0 {
				f.place.t.Errorf("%s: rows were read: %v", by.Horizon, f.read)
			}
		}
	}},
	{"a policy of any part of a table is an error of every horizon", func(p *place) {
		f := p.newFeed(byXmin, parted...)
		f.reader(`GRANT SELECT ON t, low, high, "high 1" TO reader`, `GRANT pg_read_all_stats TO reader`)
		for _, by := range []spec.Extract{byXmin, byTransactions, byLookback} {
			for _, part := range []string{`t`, `low`, `high`, `"high 1"`} {
				f.request.Extract, f.request.From = by, nil
				f.round()
				from := f.request.From
				f.sql(`ALTER TABLE `+part+` ENABLE ROW LEVEL SECURITY`, `CREATE POLICY p ON `+part+` USING (id = 1)`, `UPDATE t SET v = v || '!', at = now()`)
				for _, f.request.From = range []*postgres.Position{nil, from} {
					f.fails("row-level security hides rows of public."+strings.Trim(part, `"`), "BYPASSRLS")
					if len(f.read) != 0 {
						p.t.Errorf("%s, %s: rows were read: %v", by.Horizon, part, f.read)
					}
				}
				f.sql(`ALTER TABLE `+part+` DISABLE ROW LEVEL SECURITY`, `DROP POLICY p ON `+part)
			}
		}
	}},
	{"hostile names are inert", func(p *place) {
		const hostile = `t"; DROP TABLE t; --`
		f := p.newFeed(byXmin, timedTable, `INSERT INTO t VALUES (1, 'a')`,
			`CREATE TABLE "t""; DROP TABLE t; --" (id int PRIMARY KEY, v text, "c""; DROP TABLE t; --" text, "x'y\" timestamptz DEFAULT now())`,
			`INSERT INTO "t""; DROP TABLE t; --" VALUES (1, 'a', '''; DROP TABLE t; --')`)
		for _, by := range []spec.Extract{byXmin, {Horizon: "lookback", Cursor: `c"; DROP TABLE t; --`, Lookback: "0"}, {Horizon: "transactions", Cursor: `x'y\`}} {
			f.rows = map[int32]string{}
			f.attach(by, hostile)
			f.request.Filter = nil
			for range 2 {
				f.round()
			}
			f.expect(by.Horizon, "")
		}
		f.attach(byXmin, "t")
		f.round()
		f.expect("the table is still there", "")
	}},
	{"the window goes around with the ids", func(p *place) {
		t := p.t
		s := p.session()
		const epoch = int64(1) << 32
		for _, tc := range []struct {
			p, x int64
			in   []string
			out  []string
		}{
			{100, 200, []string{"100", "101", "199"}, []string{"99", "200", "4294967295", "0", "1", "2", "3"}},
			{100, 100, nil, []string{"99", "100", "101", "1", "2", "3"}},
			{3, 4, []string{"3"}, []string{"0", "1", "2", "4"}},
			{epoch - 2, epoch + 5, []string{"4294967294", "4294967295", "3", "4"}, []string{"4294967293", "0", "1", "2", "5", "100"}},
			{epoch + 100, epoch + 200, []string{"100", "199"}, []string{"99", "200", "1", "2"}},
			{5*epoch - 1, 5*epoch + 3, []string{"4294967295"}, []string{"4294967294", "0", "1", "2", "3"}},
			{7 * epoch, 7*epoch + 1<<31 - 1, []string{"3", "2147483646"}, []string{"2147483647", "4294967295", "1", "2"}},
		} {
			for _, side := range []struct {
				ids  []string
				want string
			}{{tc.in, "true"}, {tc.out, "false"}} {
				for _, id := range side.ids {
					if got := s.ask("SELECT (" + postgres.ChangedSinceOf("'"+id+"'::xid", tc.p, tc.x) + ")::text"); got != side.want {
						t.Errorf("xmin %s in [%d, %d) is %s", id, tc.p, tc.x, got)
					}
				}
			}
		}
	}},
}

// reader has the feed read as a role without privileges but those of the statements, in which it is called reader.
func (f *feed) reader(statements ...string) {
	f.place.t.Helper()
	role := "reader_" + f.connection.Database
	f.sql(`CREATE ROLE ` + role + ` LOGIN PASSWORD 'p'`)
	f.place.t.Cleanup(func() { f.sql(`DROP OWNED BY `+role, `DROP ROLE `+role) })
	for _, statement := range statements {
		f.sql(strings.ReplaceAll(statement, "reader", role))
	}
	f.login = postgres.Credentials{Username: role, Password: "p"}
}
