package postgres_test

import (
	"slices"
	"strings"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

var lookbackPromises = []promise{
	{"lookback finds what its width covers", func(p *place) {
		by := byLookback
		by.Lookback = "10m"
		lateCommit(p, by, "")
	}},
	{"lookback records the longest transaction and warns", func(p *place) {
		t := p.t
		f := p.newFeed(byLookback, timedTable, `INSERT INTO t VALUES (1, 'a')`)
		w := f.round()
		for range 100 { // a session whose statement has just ended may still be shown in it
			if w.Longest == nil || *w.Longest == 0 {
				break
			}
			w = f.round()
		}
		if w.Longest == nil || *w.Longest != 0 || len(w.Warnings) != 1 || !strings.Contains(w.Warnings[0], "not commit-safe") {
			t.Errorf("nothing open: %v, %q", w.Longest, w.Warnings)
		}
		late := p.session()
		late.sql(`BEGIN`, `SELECT 1`)
		if w := f.round(); w.Longest == nil || *w.Longest <= 0 || len(w.Warnings) != 2 || !strings.Contains(w.Warnings[1], "has been open for") {
			t.Errorf("one open: %v, %q", w.Longest, w.Warnings)
		}
		f.request.Extract.Lookback = "1h"
		if w := f.round(); *w.Longest <= 0 || len(w.Warnings) != 1 {
			t.Errorf("one open within the lookback: %v, %q", w.Longest, w.Warnings)
		}
		f.reader(`GRANT SELECT ON t TO reader`)
		if w := f.round(); w.Longest != nil || len(w.Warnings) != 2 || !strings.Contains(w.Warnings[1], "is not known") {
			t.Errorf("without the grant: %v, %q", w.Longest, w.Warnings)
		}
	}},
	{"lookback has no default width", func(p *place) {
		f := p.newFeed(spec.Extract{Horizon: "lookback", Cursor: "at"}, timedTable)
		f.fails("no default width", "15m")
		f.request.Extract.Lookback = "1000"
		f.fails("is a duration")
		f.request.Extract = spec.Extract{Horizon: "lookback", Cursor: "id", Lookback: "15m"}
		f.fails("no whole number")
		f.request.Extract = spec.Extract{Horizon: "lookback", Cursor: "v", Lookback: "1"}
		f.fails("a text has no lookback")
	}},
	{"lookback ends its feed at no row of the future", func(p *place) { future(p, byLookback, "") }},
	{"lookback reads rows without a cursor every run", func(p *place) { nulls(p, byLookback) }},
	{"lookback is exact to the microsecond", func(p *place) {
		t := p.t
		f := p.newFeed(byLookback, timedTable,
			`INSERT INTO t VALUES (1, 'a', '2026-01-01 00:00:00.123455+00'), (2, 'b', '2026-01-01 00:00:00.123456+00')`)
		f.round()
		f.sql(`INSERT INTO t VALUES (3, 'equal', '2026-01-01 00:00:00.123456+00'), (4, 'next', '2026-01-01 00:00:00.123457+00'), (5, 'before', '2026-01-01 00:00:00.123455+00')`)
		f.round()
		f.expect("equal values are read again, the one before is not", "-5")
		if !slices.Equal(f.read, []int32{2, 3, 4}) {
			t.Errorf("read %v", f.read)
		}
		if bound := *f.request.From.Cursor.Bound; bound != "2026-01-01 00:00:00.123457+00" {
			t.Errorf("the bound is %s", bound)
		}
	}},
	{"lookback takes integers", func(p *place) {
		t := p.t
		for _, kind := range []string{"int2", "int4", "int8"} {
			f := p.newFeed(spec.Extract{Horizon: "lookback", Cursor: "at", Lookback: "10"}, `DROP TABLE IF EXISTS t`, `CREATE TABLE t (id int, v text, at `+kind+`)`, `INSERT INTO t VALUES (1, 'a', 100), (2, 'b', -32768)`)
			f.round()
			f.sql(`INSERT INTO t VALUES (3, 'covered', 90), (4, 'not covered', 89), (5, 'd', 32767)`)
			f.round()
			f.expect(kind, "-4")
			if *f.request.From.Cursor.Bound != "32757" {
				t.Errorf("%s: the position is %+v", kind, f.request.From.Cursor)
			}
		}
		f := p.newFeed(spec.Extract{Horizon: "lookback", Cursor: "at", Lookback: "10"}, `DROP TABLE t`, `CREATE TABLE t (id int, v text, at int8)`, `INSERT INTO t VALUES (1, 'a', -9223372036854775808)`)
		f.round()
		f.sql(`INSERT INTO t VALUES (2, 'b', -9223372036854775808)`)
		f.round()
		f.expect("the least integer", "")
	}},
	{"lookback compares text by its bytes", func(p *place) {
		t := p.t
		f := p.newFeed(spec.Extract{Horizon: "lookback", Cursor: "at", Lookback: "0"}, `CREATE COLLATION loud (provider = icu, locale = 'und')`,
			`CREATE TABLE t (id int, v text, at text COLLATE loud)`, `INSERT INTO t VALUES (1, 'a', 'B'), (2, 'b', 'A')`)
		f.round()
		// Under the column's own collation 'a' stands before 'B'; by its bytes behind.
		f.sql(`INSERT INTO t VALUES (3, 'c', 'a'), (4, 'd', 'é'';\')`)
		f.round()
		f.expect("behind by its bytes", "")
		if *f.request.From.Cursor.Bound != `é';\` {
			t.Errorf("the bound is %q", *f.request.From.Cursor.Bound)
		}
		f.sql(`INSERT INTO t VALUES (5, 'e', 'Z'), (6, 'f', 'é'';\')`)
		f.round()
		f.expect("before by its bytes, and equal", "-5")
	}},
	{"lookback takes local times and dates", func(p *place) {
		t := p.t
		for kind, want := range map[string]string{"timestamp": "2026-03-01 11:50:00.000000", "timestamp(0)": "2026-03-01 11:50:00.000000", "date": "2026-02-28", "timestamptz": "2026-03-01 11:50:00.000000+00"} {
			by := typed("lookback", kind)
			by.Lookback = "10m"
			f := p.newFeed(by, `DROP TABLE IF EXISTS t`, `CREATE TABLE t (id int, v text, at `+kind+`)`, `INSERT INTO t VALUES (1, 'a', '2026-03-01 12:00:00')`)
			f.round()
			if *f.request.From.Cursor.Bound != want {
				t.Errorf("%s: the bound is %s", kind, *f.request.From.Cursor.Bound)
			}
			f.sql(`INSERT INTO t VALUES (2, 'b', '2026-03-01 11:55:00'), (3, 'c', '2026-02-27 11:55:00')`)
			f.round()
			f.expect(kind, "-3")
		}
	}},
	{"lookback reads a domain as what it is over", func(p *place) {
		f := p.newFeed(byLookback, `CREATE DOMAIN moment AS timestamptz(0)`, `CREATE DOMAIN when_changed AS moment`, `CREATE TABLE t (id int, v text, at when_changed DEFAULT now())`, `INSERT INTO t VALUES (1, 'a')`)
		f.round()
		f.sql(`INSERT INTO t VALUES (2, 'b')`)
		f.round()
		f.expect("a domain", "")
	}},
	{"lookback reads views", func(p *place) {
		f := p.newFeed(byLookback, timedTable, `CREATE VIEW seen AS SELECT * FROM t`, `INSERT INTO t VALUES (1, 'a')`)
		f.attach(byLookback, "seen")
		f.round()
		f.sql(`UPDATE t SET v = 'b', at = now()`)
		f.round()
		f.expect("a view", "")
	}},
	{"a cursor of another type demands a reload", func(p *place) {
		f := p.newFeed(byLookback, timedTable, `INSERT INTO t VALUES (1, 'a')`)
		f.round()
		f.sql(`ALTER TABLE t ALTER at TYPE date`)
		f.request.Extract.CursorTimeZone = "UTC"
		f.fails("is a date, the position's a timestamptz", "reload")
	}},
	{"a narrower or wider lookback takes effect in the next position", func(p *place) {
		t := p.t
		f := p.newFeed(byLookback, timedTable, `INSERT INTO t VALUES (1, 'a', '2026-01-01 12:00:00+00')`)
		for width, want := range map[string]string{"0s": "2026-01-01 12:00:00.000000+00", "1h": "2026-01-01 11:00:00.000000+00"} {
			f.request.Extract.Lookback = width
			if f.round(); *f.request.From.Cursor.Bound != want || f.request.From.Cursor.Lookback != width || *f.request.From.Cursor.Seen != "2026-01-01 12:00:00.000000+00" {
				t.Errorf("%s: %+v", width, f.request.From.Cursor)
			}
		}
	}},
	{"no horizon by another name", func(p *place) {
		f := p.newFeed(spec.Extract{Horizon: "files"}, timedTable)
		f.fails(`"files" is not known`)
		f.request.Extract = spec.Extract{Cursor: "at"}
		f.fails(`"" is not known`)
		f.request.Extract, f.request.From = byXmin, &postgres.Position{V: 1, Horizon: "xmin"}
		f.fails("reload")
	}},
}
