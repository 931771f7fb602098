package postgres_test

import (
	"strings"

	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// typed is the extraction by a cursor of some type, in Berlin's time where that needs a zone.
func typed(horizon, kind string) spec.Extract {
	e := spec.Extract{Horizon: horizon, Cursor: "at", Lookback: "0s"}
	if kind == "date" || strings.HasPrefix(kind, "timestamp(") || kind == "timestamp" {
		e.CursorTimeZone = "Europe/Berlin"
	}
	return e
}

var transactionPromises = []promise{
	{"transactions finds long transactions over many rounds", func(p *place) {
		f := p.newFeed(byTransactions, timedTable, `INSERT INTO t VALUES (1, 'a'), (2, 'b')`)
		late := p.session()
		late.sql(`BEGIN`, `UPDATE t SET v = 'late', at = now() WHERE id = 1`)
		for i := range 3 {
			f.sql(`INSERT INTO t VALUES (` + string(rune('3'+i)) + `, 'c')`)
			f.round()
			f.expect("while it is open", "")
		}
		late.sql(`SAVEPOINT a`, `INSERT INTO t VALUES (20, 'deep')`, `RELEASE a`, `COMMIT`)
		f.round()
		f.expect("after its commit", "")
	}},
	{"transactions reads the clock before the transactions", func(p *place) {
		// A transaction that begins behind the clock and is not open when the oldest is looked for: its cursor is not
		// older than the clock that was read first.
		f := p.newFeed(byTransactions, timedTable, `INSERT INTO t VALUES (1, 'a')`)
		f.round()
		late, quick := p.session(), p.session()
		f.request = f.request.Pausing(func(step string) {
			if step == "oldest" {
				late.sql(`BEGIN`, `INSERT INTO t VALUES (2, 'late')`)
				quick.sql(`INSERT INTO t VALUES (3, 'behind it')`)
			}
		})
		f.round()
		f.request = f.request.Pausing(nil)
		late.sql(`COMMIT`)
		f.round()
		f.expect("began between the oldest transaction and the snapshot", "")
	}},
	{"transactions looks for the oldest before the snapshot", func(p *place) {
		f := p.newFeed(byTransactions, timedTable, `INSERT INTO t VALUES (1, 'a')`)
		f.round()
		late := p.session()
		late.sql(`BEGIN`, `INSERT INTO t VALUES (2, 'late')`)
		f.sql(`INSERT INTO t VALUES (3, 'behind it')`)
		f.request = f.request.Pausing(func(step string) {
			if step == "snapshot" {
				late.sql(`COMMIT`)
			}
		})
		f.round()
		f.expect("committed behind the snapshot", "-2")
		f.request = f.request.Pausing(nil)
		f.round()
		f.expect("the next round", "")
	}},
	{"transactions looks for prepared ones behind the open ones", func(p *place) {
		f := p.newFeed(byTransactions, timedTable, `INSERT INTO t VALUES (1, 'a')`)
		f.round()
		gid := "'" + p.connection.Database + "'"
		for i, prepare := range []string{"clock", "oldest", "prepared"} {
			late, id := p.session(), string(rune('2'+2*i))
			late.sql(`BEGIN`, `INSERT INTO t VALUES (`+id+`, 'late')`)
			f.sql(`INSERT INTO t VALUES (` + string(rune('3'+2*i)) + `, 'behind it')`)
			f.request = f.request.Pausing(func(step string) {
				if step == prepare {
					late.sql(`PREPARE TRANSACTION ` + gid)
				}
			})
			f.round()
			f.request = f.request.Pausing(nil)
			f.expect("prepared behind "+prepare, "")
			late.sql(`COMMIT PREPARED ` + gid)
			f.round()
			f.expect("prepared behind "+prepare+", committed", "")
		}
	}},
	{"transactions does not move past prepared ones", func(p *place) {
		t := p.t
		f := p.newFeed(byTransactions, timedTable, `INSERT INTO t VALUES (1, 'a')`)
		gid := "'" + p.connection.Database + "'"
		f.sql(`BEGIN`, `INSERT INTO t VALUES (2, 'prepared')`, `PREPARE TRANSACTION `+gid, `INSERT INTO t VALUES (3, 'c')`)
		w := f.round()
		if f.request.From.Cursor.Bound != nil || len(w.Warnings) != 1 || !strings.Contains(w.Warnings[0], gid) {
			t.Errorf("the first position is %+v, with %q", f.request.From.Cursor, w.Warnings)
		}
		f.sql(`COMMIT PREPARED ` + gid)
		if f.round(); f.request.From.Cursor.Bound == nil {
			t.Error("the position does not move without prepared transactions")
		}
		f.expect("committed", "")
		before := *f.request.From.Cursor.Bound
		f.sql(`BEGIN`, `INSERT INTO t VALUES (4, 'prepared')`, `PREPARE TRANSACTION `+gid, `INSERT INTO t VALUES (5, 'c')`)
		if f.round(); *f.request.From.Cursor.Bound != before {
			t.Errorf("the position went from %s to %s", before, *f.request.From.Cursor.Bound)
		}
		f.sql(`ROLLBACK PREPARED ` + gid)
		if f.round(); *f.request.From.Cursor.Bound == before {
			t.Error("the position does not move any more")
		}
		f.expect("rolled back", "")
	}},
	{"transactions needs pg_read_all_stats", func(p *place) {
		t := p.t
		f := p.newFeed(byTransactions, timedTable, `INSERT INTO t VALUES (1, 'a')`)
		f.reader(`GRANT SELECT ON t TO reader`)
		f.fails("GRANT pg_read_all_stats TO the connection's role")
		f.sql(`GRANT pg_read_all_stats TO ` + f.login.Username)
		late := p.session()
		late.sql(`BEGIN`, `INSERT INTO t VALUES (2, 'late')`)
		f.sql(`INSERT INTO t VALUES (3, 'c')`)
		if w := f.round(); w.Longest == nil || *w.Longest <= 0 {
			t.Errorf("the longest transaction is %v", w.Longest)
		}
		late.sql(`COMMIT`)
		f.round()
		f.expect("with the grant", "")
	}},
	{"transactions refuses a server that hides them", func(p *place) {
		f := p.newFeed(byTransactions, timedTable)
		hidden := p.session()
		hidden.sql(`SET track_activities = off`, `BEGIN`)
		f.fails("set track_activities = on")
	}},
	{"transactions ends its feed at no row of the future", func(p *place) { future(p, byTransactions, "") }},
	{"transactions reads rows without a cursor every run", func(p *place) { nulls(p, byTransactions) }},
	{"transactions holds for coarse and local cursors", func(p *place) {
		for _, kind := range []string{"timestamptz", "timestamptz(0)", "timestamptz(3)", "timestamp", "timestamp(0)", "date"} {
			value := "now()"
			if e := typed("transactions", kind); e.CursorTimeZone != "" {
				value = "now() AT TIME ZONE 'Europe/Berlin'"
			}
			f := p.newFeed(typed("transactions", kind), `DROP TABLE IF EXISTS t`, `CREATE TABLE t (id int PRIMARY KEY, v text, at `+kind+` NOT NULL DEFAULT (`+value+`)::`+kind+`)`, `INSERT INTO t VALUES (1, 'a')`)
			f.round()
			late := p.session()
			late.sql(`BEGIN`, `INSERT INTO t VALUES (10, 'late')`)
			f.sql(`INSERT INTO t VALUES (2, 'b')`)
			f.round()
			late.sql(`COMMIT`)
			f.round()
			f.expect(kind, "")
		}
	}},
	{"transactions needs a cursor that is a time", func(p *place) {
		f := p.newFeed(spec.Extract{Horizon: "transactions", Cursor: "id"}, timedTable, `CREATE TABLE local (id int, v text, at timestamp, day date)`, `CREATE MATERIALIZED VIEW kept AS SELECT * FROM t`)
		f.fails(`"id" has the type integer`, "lookback")
		f.request.Extract.Cursor = "att"
		f.fails(`no column "att"`)
		f.attach(byTransactions, "local")
		f.fails("cursor_time_zone", "UTC")
		f.request.Extract.Cursor = "day"
		f.fails("cursor_time_zone")
		f.attach(byTransactions, "kept")
		f.fails("materialized view")
		f.attach(spec.Extract{Horizon: "transactions", Cursor: "at", CursorTimeZone: "UTC"}, "t")
		f.fails("no need of extract.cursor_time_zone")
	}},
}

// future shows that a row dated 2999 does not end the feed.
func future(p *place, by spec.Extract, zone string) {
	p.t.Helper()
	by.CursorTimeZone = zone
	f := p.newFeed(by, timedTable, `INSERT INTO t VALUES (1, 'a', '2999-01-01')`)
	f.round()
	f.sql(`INSERT INTO t VALUES (2, 'b')`)
	f.round()
	f.expect("a row behind one of 2999", "")
	f.sql(`UPDATE t SET v = 'c', at = now() WHERE id = 2`)
	f.round()
	f.expect("and another", "")
}

// nulls shows that rows without a cursor are read every run, and that the others are not.
func nulls(p *place, by spec.Extract) {
	p.t.Helper()
	t := p.t
	f := p.newFeed(by, `CREATE TABLE t (id int PRIMARY KEY, v text, at timestamptz)`, `INSERT INTO t VALUES (1, 'a', NULL), (2, 'b', NULL)`)
	for range 2 {
		f.round()
		f.expect("nothing but NULL", "")
	}
	f.sql(`INSERT INTO t VALUES (3, 'c', now() - interval '1 hour'), (4, 'd', now())`)
	f.round()
	f.sql(`UPDATE t SET v = 'changed' WHERE id = 1`, `INSERT INTO t VALUES (5, 'e', NULL)`)
	f.round()
	f.expect("changed without a cursor", "")
	for _, id := range f.read {
		if id == 3 {
			t.Errorf("a row of an hour ago was read again: %v", f.read)
		}
	}
}
