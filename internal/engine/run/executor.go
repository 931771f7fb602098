package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/guard"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
)

// Executor executes the units of a run.
type Executor interface {
	// Execute returns the results in the order of the units, or the first error once no unit is at work. At most
	// atOnce units hold a connection to the source at the same time. done, unless nil, is told of each result as it comes,
	// one at a time; it does not wait for anything.
	Execute(ctx context.Context, units []Unit, atOnce int, done func(Result)) ([]Result, error)
}

// Local executes units on goroutines of this process. Where the source refuses a session because it has too many, as
// many units go on as it granted, while at least one is at work.
type Local struct {
	Worker *Worker
	// Parallel is how many units are at work at once, whatever the source would allow; at least 1.
	Parallel int
	// Pause is how long is waited before something is tried a second time, and twice as long before each further
	// time; 0 is half a second.
	Pause time.Duration
	// Log is told of units that are tried again; nil tells nobody.
	Log *slog.Logger
}

const (
	// unitTries is how often a unit is tried whose session broke, and which joins a snapshot that another session keeps.
	unitTries = 3
	// viewTries is how often a unit is tried that reads a view of its own, and how often one that was refused a session
	// while no other unit had one.
	viewTries = 6
	// firstPause is Local.Pause where none is given.
	firstPause = 500 * time.Millisecond
)

// Execute implements Executor.
func (l *Local) Execute(ctx context.Context, units []Unit, atOnce int, done func(Result)) ([]Result, error) {
	defer l.Worker.Leave(ctx, units...)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type answer struct {
		at     int
		result *Result
		err    error
	}
	answers := make(chan answer)
	waiting := make([]int, len(units))
	for i := range units {
		waiting[i] = i
	}
	results := make([]Result, len(units))
	limit, atWork, refusals := max(min(l.Parallel, atOnce), 1), 0, 0
	var first error
	for {
		for first == nil && ctx.Err() == nil && atWork < limit && len(waiting) > 0 {
			at := waiting[0]
			waiting, atWork = waiting[1:], atWork+1
			crowded := min(limit, atWork+len(waiting)) >= runtime.GOMAXPROCS(0)
			go func() {
				a := answer{at: at}
				a.err = guard.Call(func() (err error) {
					a.result, err = l.try(ctx, units[at], crowded)
					return err
				})
				answers <- a
			}()
		}
		if atWork == 0 {
			break
		}
		a := <-answers
		atWork--
		switch {
		case a.err == nil:
			if results[a.at], refusals = *a.result, 0; done != nil {
				done(*a.result)
			}
		case first == nil && postgres.TooManySessions(a.err) && (atWork > 0 || refusals+1 < viewTries):
			limit, waiting = max(atWork, 1), append([]int{a.at}, waiting...)
			l.warn("the source grants no further session; the run goes on with fewer", units[a.at], "sessions", limit, "error", a.err)
			if atWork == 0 {
				refusals++
				l.pause(ctx, refusals)
			}
		case first == nil || errors.Is(first, context.Canceled):
			first = a.err
			cancel()
		}
	}
	if first == nil && len(waiting) > 0 {
		first = context.Cause(ctx)
	}
	return results, first
}

// try executes a unit, and again where its own session failed. A unit that joins a snapshot reads the same again, for
// that lives on in another session. One that has a view of its own begins anew with another view: nothing else was read
// under the first, and what was written of it is gone.
func (l *Local) try(ctx context.Context, u Unit, crowded bool) (*Result, error) {
	tries, how := unitTries, "it is tried again under the same snapshot"
	if u.Extract != nil && u.Extract.Snapshot == "" {
		tries, how = viewTries, "it is read anew, under a new view"
	}
	prefix := ""
	if u.Extract != nil {
		prefix = u.Extract.Output.KeyPrefix
	}
	for try := 1; ; try++ {
		result, err := l.Worker.do(ctx, u, crowded)
		if err == nil || ctx.Err() != nil || !postgres.Interrupted(err) {
			return result, err
		}
		if try == tries {
			return nil, fmt.Errorf("%w (tried %d times)", err, tries)
		}
		l.warn("a unit's session failed; "+how, u, "try", try, "error", err)
		if l.pause(ctx, try); ctx.Err() != nil {
			return nil, err
		}
		// What the first try may still put somewhere never meets what the second writes.
		e := *u.Extract
		e.Output.KeyPrefix = fmt.Sprintf("%sr%d-", prefix, try)
		u.Extract = &e
	}
}

// pause waits before the next try, or until the context ends.
func (l *Local) pause(ctx context.Context, tried int) {
	timer := time.NewTimer(cmp.Or(l.Pause, firstPause) << (tried - 1))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

func (l *Local) warn(what string, u Unit, more ...any) {
	if l.Log != nil {
		l.Log.Warn(what, append([]any{"table", u.Table, "unit", u.ID}, more...)...)
	}
}
