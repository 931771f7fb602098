package run_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/run"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
	"github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

// largeUnit is the size of a unit of a large table, in bytes.
const largeUnit = 64 << 10

// large is a source table of some eight units, and what was deleted from it.
type large struct {
	*landing
	// edit changes each runner before it runs.
	edit func(*run.Runner)
}

// largeTable makes a large table of a definition with the columns id and v first; what is deleted from it is noted.
func (l *lake) largeTable(name, definition string, extract spec.Extract, change func(*spec.Table)) *large {
	l.t.Helper()
	var version int
	if l.query(&version, `SELECT current_setting('server_version_num')::int`); version < 140000 {
		l.t.Skip("servers before 14 are not cut by pages, and so small a table is one unit")
	}
	l.sql(`CREATE TABLE `+name+` `+definition,
		`INSERT INTO `+name+` (id, v, pad) SELECT i, i % 10, repeat('x', 90) FROM generate_series(1, 3600) i`,
		`CREATE TABLE `+name+`_gone (id int)`, `CREATE FUNCTION `+name+`_goes() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO `+name+`_gone VALUES (OLD.id); RETURN OLD; END $$`,
		`CREATE TRIGGER goes AFTER DELETE ON `+name+` FOR EACH ROW EXECUTE FUNCTION `+name+`_goes()`)
	l.changing(name, extract, change)
	return &large{landing: &landing{lake: l, name: name}}
}

const plainLarge = `(id int PRIMARY KEY, v int, pad text) WITH (fillfactor = 90)`

// attempt runs the table with a worker whose network follows a plan.
func (b *large) attempt(plan func(int, call) harm) (run.Outcome, *network) {
	b.t.Helper()
	w, n := b.workerOver(plan)
	b.must(w.tracking.CheckLayout(b.t.Context()))
	r := w.runner()
	r.Lease, r.UnitBytes = longLease, largeUnit
	if b.edit != nil {
		b.edit(r)
	}
	return r.Table(b.t.Context(), "shop."+b.name), n
}

// recorded is a plan that kills a worker once n units of it are recorded.
func recorded(n int) func(int, call) harm {
	transactions := 0
	return func(_ int, c call) harm {
		if c.operation != "TransactWriteItems" {
			return unharmed
		}
		if transactions++; transactions == n+2 { // the first one is the load's own
			return killedBefore
		}
		return unharmed
	}
}

// committing is a plan that kills a worker at its commit.
func committing(_ int, c call) harm {
	if c.service == "Glue" && c.writes {
		return killedBefore
	}
	return unharmed
}

// killed runs the table with a worker that must be killed.
func (b *large) killed(plan func(int, call) harm) {
	b.t.Helper()
	if out, n := b.attempt(plan); out.Err == nil || len(n.harms()) == 0 {
		b.t.Fatalf("the run was to be killed: %v", out.Err)
	}
	b.outwait()
}

// lands runs the table undisturbed and checks what became of it; it returns its history.
func (b *large) lands(why string) tracking.Run {
	b.t.Helper()
	out, _ := b.attempt(nil)
	if out.Err != nil {
		b.t.Fatalf("%s: %v", why, out.Err)
	}
	b.holds(why)
	runs, err := b.tracking.Runs(b.t.Context(), "shop."+b.name, 1)
	b.must(err)
	load, units, err := b.tracking.Load(b.t.Context(), "shop."+b.name)
	b.must(err)
	if load != nil || len(units) > 0 {
		b.t.Errorf("%s: the tracker still has the load %+v and %d units", why, load, len(units))
	}
	return runs[0]
}

// holds checks that the lake has every row of the source as it is, once, and beside them rows that were deleted alone.
func (b *large) holds(why string) {
	b.t.Helper()
	text, err := b.read()
	b.must(err)
	var want, gone string
	b.query(&want, `SELECT coalesce(string_agg(id || '=' || v, ' '), '') FROM `+b.name)
	b.query(&gone, `SELECT coalesce(string_agg(id::text, ' '), '') FROM `+b.name+`_gone`)
	deleted := map[string]bool{}
	for _, id := range strings.Fields(gone) {
		deleted[id] = true
	}
	lake := map[string]string{}
	for _, row := range strings.Fields(text) {
		id, v, _ := strings.Cut(row, "=")
		if _, twice := lake[id]; twice {
			b.t.Fatalf("%s: row %s is there twice", why, id)
		}
		lake[id] = v
	}
	missing := 0
	for _, row := range strings.Fields(want) {
		id, v, _ := strings.Cut(row, "=")
		if got, ok := lake[id]; !ok || got != v {
			if missing++; missing < 5 {
				b.t.Errorf("%s: row %s has v = %s at the source, and %q in the lake", why, id, v, got)
			}
		}
		delete(lake, id)
	}
	for id := range lake {
		if !deleted[id] {
			b.t.Errorf("%s: the lake has row %s, which the source never deleted", why, id)
		}
	}
	if missing > 0 {
		b.t.Fatalf("%s: %d rows are not as at the source", why, missing)
	}
}

// commits are the checkpoints of the table's snapshots.
func (b *large) commits() []*table.Checkpoint {
	b.t.Helper()
	m, err := b.metadata()
	b.must(err)
	if m == nil {
		return nil
	}
	var out []*table.Checkpoint
	for _, s := range m.Snapshots {
		c, err := table.ParseCheckpoint([]byte(s.Summary["lakeland.checkpoint"]))
		b.must(err)
		out = append(out, c)
	}
	return out
}

// mixed changes rows in many ways: in their pages and out of them, from one range of pages to another, new ones, deleted ones,
// aborted ones and frozen ones. n tells one time from another.
func (b *large) mixed(n int) {
	b.t.Helper()
	t := b.name
	b.sql(
		fmt.Sprintf(`UPDATE %s SET v = v + 100 WHERE id %% 97 = %d`, t, n%97),                          // some within their pages
		fmt.Sprintf(`UPDATE %s SET v = v + 1000, pad = repeat('y', 400) WHERE id %% 53 = %d`, t, n%53), // many out of them
		fmt.Sprintf(`DELETE FROM %s WHERE id %% 71 = %d`, t, n%71),                                     // and room for others
		fmt.Sprintf(`INSERT INTO %s (id, v, pad) SELECT i, %d, 'new' FROM generate_series(%d, %[3]d + 60) i ON CONFLICT (id) DO NOTHING`, t, n, 10_000+100*n),
		fmt.Sprintf(`INSERT INTO %s (id, v, pad) SELECT i, 5000 + %d, 'back again' FROM generate_series(%[2]d, 3600, 142) i ON CONFLICT (id) DO UPDATE SET v = excluded.v`, t, 71+n%71),
		`BEGIN`, fmt.Sprintf(`UPDATE %s SET v = 7777 WHERE id %% 3 = 0`, t), fmt.Sprintf(`INSERT INTO %s (id, v) SELECT i, 7777 FROM generate_series(90001, 90500) i`, t), `ROLLBACK`,
		`VACUUM `+t, fmt.Sprintf(`UPDATE %s SET v = v + 1 WHERE id %% 41 = %d`, t, n%41), `VACUUM (FREEZE) `+t,
		fmt.Sprintf(`UPDATE %s SET v = v + 5 WHERE id %% 101 = %d`, t, n%101),
	)
}

// unitsOf is into how many units the load is cut that did not end, and how many are recorded.
func (b *large) unitsOf() (units, recorded int) {
	b.t.Helper()
	load, done, err := b.tracking.Load(b.t.Context(), "shop."+b.name)
	b.must(err)
	if load == nil {
		b.t.Fatal("the tracker has no load")
	}
	return load.Units, len(done)
}

func noted(r tracking.Run, sentence string) bool {
	return slices.ContainsFunc(r.Notes, func(n string) bool { return strings.Contains(n, sentence) })
}

// A first load that is killed behind any of its units is gone on with: the next run reads what is missing and what has changed,
// and makes one commit of all.
func TestResumedBehindEachUnit(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	units := 8
	for k := 0; k <= units; k++ {
		b := l.largeTable(fmt.Sprintf("large%d", k), plainLarge, spec.Extract{}, nil)
		plan := recorded(k)
		if k == units {
			plan = committing
		}
		b.killed(plan)
		cut, done := b.unitsOf()
		if units = cut; done != k || units < 6 {
			t.Fatalf("%d of %d units are recorded, not %d", done, cut, k)
		}
		if head := b.head(b.name); head.Exists {
			t.Fatal("a run that was killed has made a table")
		}
		b.mixed(k)
		var bytes int64
		l.query(&bytes, `SELECT sum(length(pad) + 20) FROM `+b.name)
		why := fmt.Sprintf("behind %d of %d units", k, units)
		r := b.lands(why)
		if !noted(r, fmt.Sprintf("had come to %d of %d units", k, units)) || !noted(r, fmt.Sprintf("is gone on with: %d units are left", units-k)) {
			t.Errorf("%s: the notes are %q", why, r.Notes)
		}
		if most := bytes*int64(units-k)/int64(units) + bytes/4; r.BytesRead > most {
			t.Errorf("%s: %d bytes were read, of about %d in all; at most %d are worth it", why, r.BytesRead, bytes, most)
		}
		commits := b.commits()
		if len(commits) != 1 || commits[0].RunID != r.RunID || string(commits[0].From) != "null" || commits[0].Counts.Inserted <= 0 {
			t.Errorf("%s: the commits are %+v", why, commits)
		}
		b.mixed(k + 1)
		if r := b.lands(why + ", the run behind it"); r.From != string(commits[0].To) {
			t.Errorf("%s: the chain goes from %s to %s", why, commits[0].To, r.From)
		}
	}
}

// A run that goes on with a load may be killed as well, and the one after it: what any of them has read is read once.
func TestResumedAgainAndAgain(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	b := l.largeTable("large", plainLarge, spec.Extract{}, nil)
	b.killed(recorded(2))
	for n := range 3 {
		b.mixed(n)
		b.killed(recorded(1))
		if _, done := b.unitsOf(); done != 3+n {
			t.Errorf("%d units are recorded, not %d", done, 3+n)
		}
	}
	b.mixed(3)
	b.killed(committing)
	units, done := b.unitsOf()
	if units != done {
		t.Errorf("%d of %d units are recorded at the commit", done, units)
	}
	b.mixed(4)
	r := b.lands("the last run")
	if !noted(r, fmt.Sprintf("had come to %d of %d units", units, units)) || !noted(r, "0 units are left") || len(b.commits()) != 1 {
		t.Errorf("%q, %d commits", r.Notes, len(b.commits()))
	}
}
