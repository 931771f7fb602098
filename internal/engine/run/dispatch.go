package run

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
	"github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

// FailedError names the tables of a dispatch that failed.
type FailedError struct {
	Failed []Outcome
	Of     int
}

func (e *FailedError) Error() string {
	names := make([]string, len(e.Failed))
	for i, o := range e.Failed {
		names[i] = o.Table
	}
	return fmt.Sprintf("%d of %d tables failed: %s", len(e.Failed), e.Of, strings.Join(names, ", "))
}

// Dispatch works through the enabled tables of a cadence, batch by batch. One failing table stops no other; a
// table that another run holds is tried again after the others. The error is a *FailedError when tables
// failed.
func (r *Runner) Dispatch(ctx context.Context, cadence string) ([]Outcome, error) {
	if err := r.Tracker.CheckLayout(ctx); err != nil {
		return nil, err
	}
	c, err := r.Tracker.Cadence(ctx, cadence)
	if err != nil {
		return nil, err
	}
	if err := c.Unsupported().Err(spec.KindCadence, cadence); err != nil {
		return nil, err
	}
	if !c.Enabled {
		r.Log.Info("the cadence is disabled; nothing is run", "cadence", cadence)
		return nil, nil
	}
	names, err := r.Tracker.TableNames(ctx, cadence)
	if err != nil {
		return nil, err
	}
	r.Log.Info("dispatch begins", "cadence", cadence, "tables", len(names), "batch_size", c.BatchSize)
	of := *r
	of.cadence = c
	return of.Tables(ctx, names, c.BatchSize)
}

// shares refuses a table whose connection its cadence does not name: the cadence's job need not lie in that
// connection's network. A table that moved to another cadence meanwhile is run all the same.
func (r *Runner) shares(t *spec.Table) error {
	if c := r.cadence; c == nil || c.Name != t.Cadence || slices.Contains(c.Connections, t.Source.Database.Connection) {
		return nil
	}
	return fmt.Errorf("the cadence %q does not name the connection %q of the source table %q: add it to the cadence's connections and apply", t.Cadence, t.Source.Database.Connection, t.Name)
}

// Tables runs tables in batches, in the order of the names.
func (r *Runner) Tables(ctx context.Context, names []string, batch int) ([]Outcome, error) {
	var outcomes []Outcome
	held := map[string]*tracking.HeldError{}
	var waiting []string
	for start := 0; start < len(names); start += batch {
		part := names[start:min(start+batch, len(names))]
		for _, name := range part {
			if ctx.Err() != nil {
				return outcomes, context.Cause(ctx)
			}
			out := r.Table(ctx, name)
			if h := heldBy(out.Err); h != nil {
				r.Log.Info("another run has the table; it is tried again after the others", "table", name, "holder", h.Run)
				held[name], waiting = h, append(waiting, name)
				continue
			}
			outcomes = append(outcomes, r.tell(out))
		}
		r.Log.Info("batch done", "batch", start/batch+1, "of", (len(names)+batch-1)/batch)
	}
	for _, name := range waiting {
		out, left := r.await(ctx, name, held[name])
		if left {
			continue
		}
		outcomes = append(outcomes, r.tell(out))
	}
	var failed []Outcome
	for _, o := range outcomes {
		if o.Err != nil {
			failed = append(failed, o)
		}
	}
	if len(failed) > 0 {
		return outcomes, &FailedError{Failed: failed, Of: len(names)}
	}
	return outcomes, context.Cause(ctx)
}

// await tries a held table again until it is free, or until its holder has renewed the lease for a whole lease
// since: then the holder lives, and the table is its own.
func (r *Runner) await(ctx context.Context, name string, first *tracking.HeldError) (out Outcome, left bool) {
	for {
		out = r.Table(ctx, name)
		h := heldBy(out.Err)
		if h == nil {
			return out, false
		}
		if h.Run != first.Run || h.Until.Sub(first.Until) >= r.Lease {
			r.Log.Info("another run has the table and is alive; the table is left to it", "table", name, "holder", h.Run)
			return out, true
		}
		timer := time.NewTimer(r.Lease / 12)
		select {
		case <-ctx.Done():
			timer.Stop()
			out.Err = context.Cause(ctx)
			return out, false
		case <-timer.C:
		}
	}
}

func (r *Runner) tell(o Outcome) Outcome {
	if o.Err != nil {
		r.Log.Error("table failed", "table", o.Table, "run", o.RunID, "error", o.Err.Error())
		return o
	}
	r.Log.Info("table landed", "table", o.Table, "run", o.RunID, "rows", o.Rows, "bytes", o.Bytes, "seconds", o.Seconds, "commit", o.Commit)
	return o
}
