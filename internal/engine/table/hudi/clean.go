package hudi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// keptFor is how long a version of a file stays at the least that another has replaced, whatever the retention: queries that began
// before read it still.
const keptFor = 24 * time.Hour

// Clean implements table.Table: it deletes versions of files that no kept commit shows, by an instant of its own, which tells
// readers of older commits that these are gone. Then it forgets the oldest instants of the timeline, where that brings no row
// back.
func (t *Table) Clean(ctx context.Context, head *table.Head, keep table.Retention) (*table.Cleaned, error) {
	on, err := baseOf(head)
	if err != nil {
		return nil, err
	}
	out := &table.Cleaned{}
	if on.properties == nil || head.Checkpoint == nil {
		return out, nil
	}
	if err := t.clean(ctx, head, on, keep, out); err != nil {
		return nil, fmt.Errorf("cleaning %s: %w", t.name(), err)
	}
	if err := t.trim(ctx, head, keep); err != nil {
		return nil, fmt.Errorf("trimming the timeline of %s: %w", t.name(), err)
	}
	return out, nil
}

func (t *Table) clean(ctx context.Context, head *table.Head, on *base, keep table.Retention, out *table.Cleaned) error {
	from, last := retained(on.timeline, Instant(head.CheckpointCommit), t.o.Now(), keep)
	if from == nil {
		return nil
	}
	on.mu.Lock()
	err := t.list(ctx, on)
	on.mu.Unlock()
	if err != nil {
		return err
	}
	gone := on.view.superseded(on.timeline, on.replaced, from.instant)
	if len(gone) == 0 {
		return nil
	}
	tl, err := t.readTimeline(ctx)
	if err != nil {
		return err
	}
	if now := tl.head(""); now != on.instant {
		return fmt.Errorf("%w: the head is %s and the cleaning was planned on %s", table.ErrLostRace, now, on.instant)
	}
	if err := t.touchable(on.properties, tl); err != nil {
		return err
	}
	p := t.cleanPlanOf(gone, from, last)
	plan, err := encodeAvro(cleanPlanSchema, p)
	if err != nil {
		return err
	}
	r, err := t.begin(ctx, tl, record{Table: head.TableID, Attempt: "clean of " + head.CheckpointCommit, Action: actionClean, Base: on.instant}, func(Instant) []string { return []string{} }, plan)
	if err == nil {
		err = t.claimClean(ctx, r, head.Checkpoint, p)
	}
	if err != nil {
		if r != nil && !errors.Is(err, table.ErrOutcomeUnknown) {
			t.abandon(ctx, r)
		}
		return lost(err)
	}
	commits := map[Instant]bool{}
	for _, s := range gone {
		commits[s.instant] = true
	}
	out.Snapshots, out.Files = len(commits), len(gone)
	return nil
}

// claimClean makes a clean, as a commit is made.
func (t *Table) claimClean(ctx context.Context, r *record, newest *table.Checkpoint, p *cleanPlan) error {
	document, err := p.done(r.Instant)
	if err != nil {
		return err
	}
	h, err := t.claimBase(ctx, claim{Table: r.Table, Attempt: r.Attempt, Instant: r.Instant, Action: r.Action, Base: r.Base, Document: document, Delete: p.keys(), Checkpoint: withoutPositions(newest)})
	if err != nil {
		return err
	}
	return t.complete(ctx, h)
}

// retained are the oldest commit that a retention keeps, and the newest there is; nil where it keeps all. The newest
// checkpoint's commit is kept, those on top of it, and what a savepoint of Spark's holds.
func retained(tl *timeline, checkpoint Instant, now time.Time, keep table.Retention) (from, last *action) {
	atLeast, age := keep.KeepAtLeast, keep.MaxAge
	if atLeast == 0 {
		atLeast = table.DefaultKeepAtLeast
	}
	if age == 0 {
		age = table.DefaultMaxAge
	}
	oldest, replaced := instantOf(now.Add(-age)), instantOf(now.Add(-keptFor))
	commits := tl.commits()
	if len(commits) <= atLeast {
		return nil, nil
	}
	last = commits[len(commits)-1]
	at := len(commits) - atLeast
	for at > 0 && (commits[at].instant > min(checkpoint, replaced) || commits[at-1].instant > oldest) {
		at--
	}
	for _, a := range tl.actions {
		if a.name != actionSave {
			continue
		}
		for at > 0 && commits[at].instant > a.instant {
			at--
		}
	}
	if at == 0 {
		return nil, nil
	}
	return commits[at], last
}

// commits are the completed instants that wrote files, in their order, but for the anchor.
func (tl *timeline) commits() []*action {
	var out []*action
	for _, a := range tl.actions {
		if a.completed && writes(a.name) && a.instant != anchor {
			out = append(out, a)
		}
	}
	return out
}

// superseded are the versions of files that no commit from an instant on shows. Files of attempts are none of them.
func (v *view) superseded(tl *timeline, replaced map[group]Instant, from Instant) []*slice {
	var out []*slice
	for g, of := range v.slices {
		if at, gone := replaced[g]; gone && at <= from {
			for _, s := range of {
				if tl.visible(s.instant) {
					out = append(out, s)
				}
			}
			continue
		}
		var shown *slice // what the commit from shows, or the last before it
		for _, s := range of {
			if s.instant > from || !tl.visible(s.instant) {
				continue
			}
			if shown != nil {
				out = append(out, shown)
			}
			shown = s
		}
	}
	slices.SortFunc(out, func(a, b *slice) int { return strings.Compare(a.key, b.key) })
	return out
}
