package hudi

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// RemoveOrphans implements table.Table: it removes staged files that were not committed, what dead attempts left, with their
// records, and claims that no attempt can come back to.
func (t *Table) RemoveOrphans(ctx context.Context, olderThan time.Duration) (int, error) {
	if olderThan < table.LongestJob {
		return 0, fmt.Errorf("looking for orphans of %s: %s is less than the longest time that a run may still be about to commit its files (%s)", t.name(), olderThan, table.LongestJob)
	}
	tl, err := t.readTimeline(ctx)
	if err != nil {
		return 0, err
	}
	removed, err := t.removeOld(ctx, tl, t.o.Now().Add(-olderThan))
	if err != nil {
		return removed, fmt.Errorf("removing orphans of %s: %w", t.name(), err)
	}
	return removed, nil
}

func (t *Table) removeOld(ctx context.Context, tl *timeline, before time.Time) (removed int, err error) {
	var keys []string
	for _, object := range tl.staged {
		if object.Modified.Before(before) {
			keys = append(keys, object.Key)
		}
	}
	unnamed, err := t.unnamed(ctx, tl, before)
	if err != nil {
		return 0, err
	}
	keys = append(keys, unnamed...)
	for _, i := range slices.Sorted(maps.Keys(tl.records)) {
		if !tl.records[i].Modified.Before(before) {
			continue
		}
		if !tl.unfinished(i) {
			keys = append(keys, tl.records[i].Key)
			continue
		}
		more, err := t.forget(ctx, tl, i)
		if err != nil {
			return 0, fmt.Errorf("the instant %s: %w", i, err)
		}
		keys = append(keys, more...)
	}
	// A claim stands while an attempt may be planned on its base, and as long as any of those that were is not over. The newest
	// stays for what it says of whose the table is.
	head, open, newest := tl.head(""), false, tl.newestClaim()
	for i := range tl.records {
		open = open || tl.unfinished(i)
	}
	for i, object := range tl.claims {
		if i != newest && older(i, head) && object.Modified.Before(before) && !open {
			keys = append(keys, object.Key)
		}
	}
	if len(keys) == 0 {
		return 0, nil
	}
	return len(keys), t.o.Store.Delete(ctx, keys...)
}

// unnamed are the old positions that no commit on the timeline names.
func (t *Table) unnamed(ctx context.Context, tl *timeline, before time.Time) (keys []string, err error) {
	old := map[string]bool{}
	for _, object := range tl.positions {
		if object.Modified.Before(before) {
			old[object.Key] = true
		}
	}
	for _, a := range tl.actions {
		if len(old) == 0 {
			break
		}
		if !a.completed || !writes(a.name) {
			continue
		}
		c, err := t.readCommit(ctx, a)
		if err != nil {
			return nil, err
		}
		of, err := c.checkpoint()
		if err != nil {
			return nil, fmt.Errorf("the instant %s: %w", a.instant, err)
		}
		if of == nil {
			continue
		}
		for _, key := range of.Objects() {
			delete(old, key)
		}
	}
	return slices.Sorted(maps.Keys(old)), nil
}

// forget takes a dead attempt's names back once more, for some of it may have come late, and names its record, which goes last, with
// what was seen of the attempt.
func (t *Table) forget(ctx context.Context, tl *timeline, i Instant) ([]string, error) {
	r, err := readDocument[record](ctx, t, attemptsFolder+string(i))
	if errors.Is(err, errNoDocument) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	c, err := t.readClaim(ctx, r.Base)
	if err != nil || tl.completed(i) {
		return nil, err // the next head sees it through
	}
	if c != nil && c.Instant == i && (c.State == claimOpen || c.State == claimDecided) {
		if tl.leftOf(i) {
			return nil, nil // so does it here
		}
		// Spark took the instant back, or finished and archived it, or the claim came late: no head would look at it any more.
		to := claimVoid
		if c.State == claimDecided {
			to = claimSealed
		}
		if c, err = t.settle(ctx, c, to); err != nil || c != nil && c.State != to {
			return nil, err
		}
	}
	if r.Action == actionClean {
		if over, err := t.finishBegun(ctx, i); over || err != nil {
			return nil, err
		}
	}
	if err := t.takeBack(ctx, r, tl); err != nil {
		return nil, err
	}
	var keys []string
	for _, a := range tl.actions {
		if a.instant == i {
			keys = append(keys, a.keys...)
		}
	}
	keys = append(keys, tl.markers[i]...)
	return append(keys, tl.records[i].Key), nil
}
