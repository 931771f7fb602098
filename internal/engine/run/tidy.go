package run

import (
	"context"
	"errors"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// OrphanAge is how old an object without a place in the table is before it is removed.
const OrphanAge = 3 * 24 * time.Hour

// CleanEvery is how often old snapshots are forgotten. To forget is a commit of its own, which reads what those that are kept
// share with the ones that go, and is as costly for one as for many.
const CleanEvery = 6 * time.Hour

// due says what a commit at a time is followed by, one before it having been made by some run: old snapshots are forgotten
// with the first commit of a quarter of a day, and orphans removed with the first of a day.
func due(before *table.Checkpoint, now time.Time) (clean, orphans bool) {
	if before == nil {
		return false, false
	}
	run, err := ulid.ParseStrict(before.RunID)
	if err != nil {
		return true, true
	}
	last := ulid.Time(run.Time()).UTC()
	quarter, day := last.Truncate(CleanEvery), last.Truncate(24*time.Hour)
	return !now.UTC().Truncate(CleanEvery).Equal(quarter), !now.UTC().Truncate(24 * time.Hour).Equal(day)
}

// tidy keeps the table small behind a commit. What fails is tried again with a later one.
func (a *attempt) tidy(ctx context.Context, target table.Table, before *table.Checkpoint) {
	clean, orphans := due(before, a.started)
	if !clean {
		return
	}
	head, err := target.Head(ctx)
	if err == nil {
		var done *table.Cleaned
		if done, err = target.Clean(ctx, head, table.Retention{}); err == nil && done.Snapshots > 0 {
			a.log.Info("old snapshots are forgotten", "snapshots", done.Snapshots, "files_removed", done.Files)
		}
	}
	if err == nil && orphans {
		var removed int
		if removed, err = target.RemoveOrphans(ctx, OrphanAge); removed > 0 {
			a.log.Info("files without a place in the table are removed", "files", removed)
		}
	}
	if err != nil && !errors.Is(err, table.ErrLostRace) {
		a.log.Warn("the table could not be cleaned; a later run tries again", "error", err)
	}
}
