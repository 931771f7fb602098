package run_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/run"
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

// processes executes units with the engine's own command, a process each.
type processes struct{ l *lake }

func (p processes) Execute(_ context.Context, units []run.Unit, _ int, done func(run.Result)) ([]run.Result, error) {
	results := make([]run.Result, len(units))
	for i, u := range units {
		document, err := json.Marshal(u)
		if err != nil {
			return nil, err
		}
		command := p.l.engine("unit")
		var errors bytes.Buffer
		command.Stdin, command.Stderr = bytes.NewReader(document), &errors
		out, err := command.Output()
		if err != nil {
			return results, fmt.Errorf("%w: %s", err, errors.String())
		}
		if err := json.Unmarshal(out, &results[i]); err != nil {
			return results, err
		}
		if done != nil {
			done(results[i])
		}
	}
	return results, nil
}

// Units lean on nothing of their planner: executed in processes of their own, they give the same table.
func TestUnitsInSeparateProcesses(t *testing.T) {
	t.Parallel()
	l := newLake(t, append([]string{everyType}, extremes...)...)
	l.add("every")
	r := l.runner()
	r.Executor, r.UnitBytes = processes{l}, 1<<20
	out := r.Table(t.Context(), "shop.every")
	l.must(out.Err)
	l.equal("every")
}
