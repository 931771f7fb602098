package hudi

import (
	"context"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// keptCommits is how many commits stay on the timeline, for readers of increments.
const keptCommits = 30

// trim removes the oldest instants from the timeline. Readers take what is older than the first commit on it for archived, and so for
// part of the table: instants go only from the front, none where a file of an attempt that never committed lies before the cut, and no
// replacement while a file is there that it replaced. Nothing goes that a job may still be about to work with.
func (t *Table) trim(ctx context.Context, head *table.Head, keep table.Retention) error {
	tl, err := t.readTimeline(ctx)
	if err != nil {
		return err
	}
	commits := tl.commits()
	if len(commits) <= keptCommits {
		return nil
	}
	age := keep.MaxAge
	if age == 0 {
		age = table.DefaultMaxAge
	}
	before := min(commits[len(commits)-keptCommits].instant, Instant(head.CheckpointCommit), instantOf(t.o.Now().Add(-max(age, table.LongestJob+time.Hour))))
	for i := range tl.records {
		if !tl.unfinished(i) {
			continue
		}
		before = min(before, tl.commitBefore(i))
	}
	v, err := t.readView(ctx)
	if err != nil {
		return err
	}
	replaced, err := t.replacedGroups(ctx, tl)
	if err != nil {
		return err
	}
	return t.drop(ctx, tl.front(v.hindrance(tl, replaced, before)))
}

// hindrance is the first instant up to another that must stay: with it rows would come back that are no part of the table, or
// not any more.
func (v *view) hindrance(tl *timeline, replaced map[group]Instant, before Instant) Instant {
	for g, of := range v.slices {
		at, gone := replaced[g]
		for _, s := range of {
			switch {
			case gone && tl.visible(s.instant):
				before = min(before, at)
			case !tl.visible(s.instant):
				before = min(before, tl.commitBefore(s.instant))
			}
		}
	}
	return before
}

// commitBefore is the commit in front of an instant: while it is on the timeline, readers do not take a file of the instant for one of an
// archived commit.
func (tl *timeline) commitBefore(i Instant) Instant {
	var out Instant
	for _, a := range tl.actions {
		if a.completed && writes(a.name) && a.instant < i {
			out = a.instant
		}
	}
	return out
}

// front are the completed instants from the oldest on that lie before another, up to one that is pending or of an action that this
// package does not know.
func (tl *timeline) front(before Instant) []*action {
	var out []*action
	for _, a := range tl.actions {
		known := writes(a.name) || a.name == actionClean || a.name == actionRollback
		if a.instant >= before || !a.completed || !known {
			break
		}
		out = append(out, a)
	}
	return out
}

// drop removes instants, oldest first, each as one that is completed until its last object is gone.
func (t *Table) drop(ctx context.Context, gone []*action) error {
	for _, a := range gone {
		completed := t.o.Prefix + completedKey(a.instant, a.name)
		var keys []string
		for _, key := range a.keys {
			if key != completed {
				keys = append(keys, key)
			}
		}
		if len(keys) > 0 {
			if err := t.o.Store.Delete(ctx, keys...); err != nil {
				return err
			}
		}
		if err := t.o.Store.Delete(ctx, completed); err != nil {
			return err
		}
	}
	return nil
}
