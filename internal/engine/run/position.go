package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// stored is the position that a table goes on from. The tracker's counts only while it names the commit that carries the
// checkpoint, and while its object, if it is one, is there: a tracker that was restored may name one that was outdated.
// Otherwise the checkpoint wins, forwards and backwards.
func (a *attempt) stored(ctx context.Context, l *landing) (json.RawMessage, error) {
	tracked := l.tracked
	if tracked != nil && tracked.Commit == l.head.CheckpointCommit && len(tracked.Position) > 0 {
		text, err := table.LoadPosition(ctx, l.bucket, tracked.Position)
		if !errors.Is(err, table.ErrPosition) {
			return text, err
		}
		a.log.Warn("the tracker's position cannot be read; the run goes on from the table's own", "error", err)
	}
	text, err := table.LoadPosition(ctx, l.bucket, l.head.Checkpoint.To)
	switch {
	case errors.Is(err, table.ErrPosition):
		return nil, fmt.Errorf("running %q: %w: %w", a.name, err, postgres.ErrReload)
	case err != nil:
		return nil, fmt.Errorf("running %q: %w", a.name, err)
	}
	return text, nil
}

// outdate notes the object of the tracker's position before this run, which no commit names where runs between this commit
// and the next only moved the tracker: a table that never changes would gather one with every run.
func (a *attempt) outdate(l *landing) {
	a.outdated = nil
	if l.tracked == nil || l.tracked.Commit != l.head.CheckpointCommit || a.commit != l.head.CheckpointCommit {
		return
	}
	key := table.PositionObject(l.tracked.Position)
	if key == "" || key == table.PositionObject(a.checkpoint.To) || slices.Contains(l.head.Checkpoint.Objects(), key) {
		return
	}
	a.outdated = func(ctx context.Context) error { return l.bucket.Delete(ctx, key) }
}
