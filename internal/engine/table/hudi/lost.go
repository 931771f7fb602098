package hudi

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// withoutPositions is what a checkpoint says beside how far its source has been read.
func withoutPositions(c *table.Checkpoint) *table.Checkpoint {
	if c == nil {
		return nil
	}
	out := *c
	null := json.RawMessage("null")
	out.From, out.ReadFrom, out.To = null, null, null
	return &out
}

// claimed are the bases of claims, the newest first.
func (tl *timeline) claimed() []Instant {
	out := slices.Collect(maps.Keys(tl.claims))
	slices.SortFunc(out, func(a, b Instant) int {
		switch {
		case older(a, b):
			return 1
		case older(b, a):
			return -1
		default:
			return 0
		}
	})
	return out
}

// newestClaim is the newest base that was claimed, "" for none.
func (tl *timeline) newestClaim() Instant {
	if of := tl.claimed(); len(of) > 0 {
		return of[0]
	}
	return ""
}

// lastKnown is the checkpoint of a table of ours of which no commit on the timeline has one any more: Spark archives instants whoever made
// them. Nobody knows from it how far the table has come.
func (t *Table) lastKnown(ctx context.Context, tl *timeline) (*table.Checkpoint, error) {
	for _, i := range tl.claimed() {
		c, err := t.readClaim(ctx, i)
		if err != nil {
			return nil, err
		}
		if c != nil && c.State == claimSealed && c.Checkpoint != nil {
			return c.Checkpoint, nil
		}
	}
	return nil, nil
}
