package run

import (
	"context"
	"fmt"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

// recordTimeout bounds the last writes of a run that is being stopped.
const recordTimeout = 20 * time.Second

// smoothing is the weight of the newest run in a table's smoothed seconds.
const smoothing = 0.3

// recordDead writes the history of a predecessor that ended without a word.
func (a *attempt) recordDead(ctx context.Context) {
	run, since := a.lease.Dead()
	if run == "" {
		return
	}
	a.log.Warn("the run before this one ended without a word; its table is taken over", "dead_run", run)
	err := a.r.Tracker.RecordOutside(ctx, tracking.Run{
		Table: a.name, RunID: run, State: tracking.RunDied, StartedAt: since.UTC(), EndedAt: a.started,
		Error: "the run was killed or lost its machine; whatever it had not committed was done again by run " + a.runID,
	})
	if err != nil {
		a.log.Warn("that could not be recorded", "error", err)
	}
}

// record writes position, summary and history, under the lease where there is one.
func (a *attempt) record(ctx context.Context, failed error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	run := a.history(failed)
	if a.lease == nil {
		return a.r.Tracker.RecordOutside(ctx, run)
	}
	summary, err := a.r.Tracker.Summary(ctx, a.name)
	if err != nil {
		return err
	}
	seconds := run.EndedAt.Sub(run.StartedAt).Seconds()
	summary.State, summary.RunID, summary.Error = run.State, run.RunID, run.Error
	record := tracking.Record{Run: run}
	if failed != nil {
		summary.Failures++
	} else {
		summary.Failures, summary.LastSuccess, summary.Rows, summary.Horizon = 0, run.EndedAt, a.rows, a.checkpoint.Horizon
		if summary.Seconds == 0 {
			summary.Seconds = seconds
		}
		a.comparison.into(&record.Run, &summary)
		summary.Seconds += smoothing * (seconds - summary.Seconds)
		record.Position = &tracking.Position{Commit: a.commit, Position: a.checkpoint.To}
	}
	record.Summary = summary
	if err := a.lease.Record(ctx, record); err != nil {
		if failed == nil {
			return fmt.Errorf("the table %q is committed (%s), but that could not be recorded; the next run finds the commit: %w", a.name, a.commit, err)
		}
		return a.r.Tracker.RecordOutside(ctx, run)
	}
	if a.outdated != nil {
		if err := a.outdated(ctx); err != nil {
			a.log.Warn("the object of the position before this one could not be removed; it stays until orphans are", "error", err)
		}
	}
	return nil
}

func (a *attempt) history(failed error) tracking.Run {
	run := tracking.Run{
		Table: a.name, RunID: a.runID, State: tracking.RunSucceeded, StartedAt: a.started, EndedAt: time.Now().UTC(),
		Seconds: a.seconds, EngineVersion: a.r.Version, BytesRead: a.bytesRead, Notes: make([]string, len(a.notes)),
	}
	for i, note := range a.notes {
		run.Notes[i] = bounded(note)
	}
	if a.longest != nil {
		seconds := a.longest.Seconds()
		run.LongestTransaction = &seconds
	}
	run.DPUSeconds = run.EndedAt.Sub(run.StartedAt).Seconds() * a.r.DPU
	if a.doc != nil {
		run.Cadence = a.doc.Cadence
	}
	if failed != nil {
		run.State, run.Error = tracking.RunFailed, bounded(failed.Error())
		return run
	}
	c := &a.checkpoint
	run.Horizon, run.From, run.To, run.Commit = c.Horizon, string(c.From), string(c.To), a.commit
	run.Seen, run.Inserted, run.Updated, run.Deleted, run.Net = c.Counts.Seen, c.Counts.Inserted, c.Counts.Updated, c.Counts.Deleted, c.Counts.Inserted-c.Counts.Deleted
	run.SourceRows, run.BytesWritten = a.rows, a.bytes
	return run
}

// bounded keeps a text, such as an error's, within what an item can hold.
func bounded(text string) string {
	const most = 8 << 10
	if len(text) > most {
		return text[:most] + " (cut)"
	}
	return text
}
