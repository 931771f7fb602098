package run

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
)

// Executor executes the units of a run.
type Executor interface {
	// Execute returns the results in the order of the units, or the first error once no unit is at work. At most
	// atOnce units hold a connection to the source at the same time.
	Execute(ctx context.Context, units []Unit, atOnce int) ([]Result, error)
}

// Local executes units on goroutines of this process.
type Local struct {
	Worker *Worker
	// Parallel is how many units are at work at once, whatever the source would allow; at least 1.
	Parallel int
	// Log is told of units that are tried again; nil tells nobody.
	Log *slog.Logger
}

// unitTries is how often a unit is tried whose connection broke, or which a standby's recovery cancelled.
const unitTries = 3

// Execute implements Executor.
func (l *Local) Execute(ctx context.Context, units []Unit, atOnce int) ([]Result, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type answer struct {
		at     int
		result *Result
		err    error
	}
	answers, slots := make(chan answer), make(chan struct{}, max(min(l.Parallel, atOnce), 1))
	for i, u := range units {
		go func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			if ctx.Err() != nil {
				answers <- answer{i, nil, context.Cause(ctx)}
				return
			}
			result, err := l.try(ctx, u)
			answers <- answer{i, result, err}
		}()
	}
	results := make([]Result, len(units))
	var first error
	for range units {
		a := <-answers
		switch {
		case a.err == nil:
			results[a.at] = *a.result
		case first == nil || errors.Is(first, context.Canceled):
			first = a.err
			cancel()
		}
	}
	return results, first
}

// try executes a unit, and again where its own connection failed: a unit joins a snapshot that lives on in another
// session, so what it reads again is the same. One that reads a view of its own is not tried again here, since
// nobody keeps that view.
func (l *Local) try(ctx context.Context, u Unit) (*Result, error) {
	for try := 1; ; try++ {
		result, err := l.Worker.Do(ctx, u)
		if err == nil || ctx.Err() != nil || try == unitTries || u.Extract.Snapshot == "" || !postgres.Interrupted(err) {
			return result, err
		}
		if l.Log != nil {
			l.Log.Warn("a unit's connection failed; it is tried again under the same snapshot", "table", u.Table, "unit", u.ID, "try", try, "error", err)
		}
		// What the first try may still put somewhere never meets what the second writes.
		u.Extract.Output.KeyPrefix = fmt.Sprintf("%sr%d-", u.Extract.Output.KeyPrefix, try)
	}
}
