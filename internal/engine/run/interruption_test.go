package run_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/run"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/readback"
	"github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

// Two dispatches at once: each table is landed once by one of them, the other leaves it or finds it free, and
// both end well.
func TestTwoDispatchesAtOnce(t *testing.T) {
	t.Parallel()
	l := newLake(t, `CREATE TABLE a AS SELECT i AS id FROM generate_series(1, 50000) i`, `CREATE TABLE b AS SELECT i AS id FROM generate_series(1, 50000) i`)
	l.add("a", "b")
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			outcomes, err := l.runner().Dispatch(t.Context(), "c")
			if err != nil {
				t.Errorf("%v: %+v", err, outcomes)
			}
		})
	}
	all.Wait()
	l.equal("a", "b")
	for _, name := range []string{"shop.a", "shop.b"} {
		runs, err := l.tracking.Runs(t.Context(), name, 10)
		l.must(err)
		for _, r := range runs {
			if r.State != tracking.RunSucceeded {
				t.Errorf("%s: %+v", name, r)
			}
		}
	}
}

// A table whose holder lives is left to it once the holder has renewed for a whole lease; the dispatch ends well.
func TestHeldTableIsLeftToALivingHolder(t *testing.T) {
	t.Parallel()
	l := newLake(t, `CREATE TABLE a (id int)`, `CREATE TABLE b (id int)`)
	l.add("a", "b")
	l.must(l.tracking.CheckLayout(t.Context()))
	lease, err := l.tracking.Acquire(t.Context(), "shop.a", "another", tracking.MinLease)
	l.must(err)
	defer func() { _ = lease.Release(context.WithoutCancel(t.Context())) }()
	outcomes, err := l.runner().Dispatch(t.Context(), "c")
	if err != nil || len(outcomes) != 1 || outcomes[0].Table != "shop.b" {
		t.Errorf("%+v, %v", outcomes, err)
	}
	runs, err := l.tracking.Runs(t.Context(), "shop.a", 10)
	l.must(err)
	if len(runs) != 0 {
		t.Errorf("something was recorded of a table that was not run: %+v", runs)
	}
}

// A run killed in the middle leaves the old table; the next one waits for its lease, takes over, says so, and
// lands exactly the source's rows.
func TestKilledRun(t *testing.T) {
	t.Parallel()
	l := newLake(t, `CREATE VIEW big AS SELECT i AS id, 'first' AS pad FROM generate_series(1, 1000) i`)
	l.add("big")
	dispatch := func() ([]byte, error) {
		return l.engine("dispatch", "--tracking", l.tracking.Tracking(), "--cadence", "c", "--lease", "6s").CombinedOutput()
	}
	if out, err := dispatch(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	before := l.head("big").Commit
	l.sql(slowly)
	victim := l.engine("dispatch", "--tracking", l.tracking.Tracking(), "--cadence", "c", "--lease", "6s")
	l.must(victim.Start())
	l.untilReading(victim.Process.Pid)
	l.must(victim.Process.Signal(syscall.SIGKILL))
	_ = victim.Wait()
	if now := l.head("big").Commit; now != before {
		t.Fatalf("the killed run had committed; it was to be killed while it read")
	}
	l.sql(`CREATE OR REPLACE VIEW big AS SELECT i AS id, 'third' AS pad FROM generate_series(1, 5000) i`)
	if out, err := dispatch(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	l.equal("big")
	runs, err := l.tracking.Runs(t.Context(), "shop.big", 10)
	l.must(err)
	var states []string
	for _, r := range runs {
		states = append(states, string(r.State))
	}
	if got := strings.Join(states, " "); got != "succeeded died succeeded" {
		t.Errorf("the history is %q", got)
	}
}

// slowly is a view whose rows take some ten seconds to come.
const slowly = `CREATE OR REPLACE VIEW big AS SELECT i AS id, CASE WHEN i % 1000 = 0 THEN 'slow' || pg_sleep(0.02) ELSE repeat('x', 100) END AS pad FROM generate_series(1, 500000) i`

// untilReading waits until a session of the engine is copying rows out of the source.
func (l *lake) untilReading(pid int) {
	l.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for time.Now().Before(deadline) {
		var copying int
		l.query(&copying, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'lakeland' AND query LIKE 'COPY%' AND state = 'active'`)
		if copying > 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	l.t.Fatalf("process %d never read", pid)
}

// A termination ends a run at once and cleanly: the lease is free, the run recorded as failed, no file left.
func TestTerminatedRun(t *testing.T) {
	t.Parallel()
	l := newLake(t, slowly)
	l.add("big")
	victim := l.engine("dispatch", "--tracking", l.tracking.Tracking(), "--cadence", "c")
	var out bytes.Buffer
	victim.Stdout, victim.Stderr = &out, &out
	l.must(victim.Start())
	l.untilReading(victim.Process.Pid)
	l.must(victim.Process.Signal(syscall.SIGTERM))
	if err := victim.Wait(); victim.ProcessState.ExitCode() != 1 {
		t.Errorf("%v: %s", err, out.String())
	}
	l.must(l.tracking.CheckLayout(t.Context()))
	lease, err := l.tracking.Acquire(t.Context(), "shop.big", "next", tracking.MinLease)
	if err != nil {
		t.Fatalf("the lease was not given back: %v\n%s", err, out.String())
	}
	if run, _ := lease.Dead(); run != "" {
		t.Errorf("run %s counts as dead", run)
	}
	l.must(lease.Release(t.Context()))
	runs, err := l.tracking.Runs(t.Context(), "shop.big", 10)
	l.must(err)
	if len(runs) != 1 || runs[0].State != tracking.RunFailed {
		t.Errorf("history: %+v", runs)
	}
	if left := l.objects("raw/big/"); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// processes executes units with the engine's own command, a process each, two at once.
type processes struct {
	l *lake
	// between is called with all units when the first two have ended.
	between func(units []run.Unit)
}

func (p processes) Execute(_ context.Context, units []run.Unit, _ int, done func(run.Result)) ([]run.Result, error) {
	results, errs := make([]run.Result, len(units)), make([]error, len(units))
	for at := 0; at < len(units); at += 2 {
		var both sync.WaitGroup
		for i := at; i < min(at+2, len(units)); i++ {
			both.Go(func() { errs[i] = p.unit(units[i], &results[i]) })
		}
		both.Wait()
		if at == 0 {
			p.between(units)
		}
		for i := at; i < min(at+2, len(units)); i++ {
			if errs[i] == nil && done != nil {
				done(results[i])
			}
		}
	}
	return results, errors.Join(errs...)
}

func (p processes) unit(u run.Unit, result *run.Result) error {
	document, err := json.Marshal(u)
	if err != nil {
		return err
	}
	command := p.l.engine("unit")
	var said bytes.Buffer
	command.Stdin, command.Stderr = bytes.NewReader(document), &said
	out, err := command.Output()
	if err != nil {
		return fmt.Errorf("%w: %s", err, said.String())
	}
	return json.Unmarshal(out, result)
}

// Units lean on nothing of their planner: executed in processes of their own, two at once, they give the table that the
// snapshot they share shows, whatever becomes of the source meanwhile.
func TestUnitsInSeparateProcesses(t *testing.T) {
	t.Parallel()
	l := newLake(t, append([]string{everyType}, extremes...)...)
	l.sql(`ALTER TABLE every SET (fillfactor = 10)`, `INSERT INTO every SELECT 1000000 + i, i % 2 = 0, i % 100, -i, i * 1000003::bigint, i / 7.0, NULL, i, i, date '2024-01-01' + i, now()::timestamp, now(), repeat(md5(i::text), 10), NULL, 'x' FROM generate_series(1, 2000) i`, `ANALYZE every`)
	l.add("every")
	want, err := readback.Postgres(t.Context(), l.db.ConnString, "public", "every")
	l.must(err)
	count := 0
	r := l.runner()
	r.UnitBytes = 4 << 20
	r.Executor = processes{l, func(units []run.Unit) {
		count = len(units)
		for _, u := range units {
			if u.Extract.Snapshot == "" || u.Extract.Snapshot != units[0].Extract.Snapshot {
				t.Errorf("unit %s reads the snapshot %q, and the first %q", u.ID, u.Extract.Snapshot, units[0].Extract.Snapshot)
			}
		}
		l.sql(`UPDATE every SET note = 'later', small = 7`, `DELETE FROM every WHERE id % 3 = 0`, `INSERT INTO every (id, medium) VALUES (5000000, 1), (5000001, 2)`, `VACUUM every`)
	}}
	out := r.Table(t.Context(), "shop.every")
	l.must(out.Err)
	if count < 4 {
		t.Errorf("the table was cut into %d units, and two processes were to have units behind the change", count)
	}
	got, err := l.reader().Iceberg(t.Context(), l.database+".every")
	l.must(err)
	for _, difference := range readback.Differences(want, &got[0]) {
		t.Error(difference)
	}
}
