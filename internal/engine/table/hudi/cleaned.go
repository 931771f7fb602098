package hudi

import (
	"context"
	"errors"
	"fmt"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
)

// Files that are gone cannot be brought back: once the first of them may be, a clean can be completed alone, or readers of older
// commits would find rows missing and nothing on the timeline that says so. Its claim is decided first, which makes it void for nobody any more, and
// whoever finds it so goes on, whatever others did meanwhile. Spark needs no claim to carry out a clean of ours that it finds pending: one that is given
// up is looked at for that.

// decide carries a claimed clean out that nothing hinders.
func (t *Table) decide(ctx context.Context, tl *timeline, h *held) error {
	now, err := t.settle(ctx, h, claimDecided)
	switch {
	case err != nil:
		return unknown(err)
	case now != nil && now.State == claimSealed:
		return nil
	case now == nil || now.State == claimVoid:
		return t.void(ctx, tl, h, fmt.Errorf("%w: the instant %s was given up by a run that found other writers' work", errHindered, h.Instant))
	}
	return t.cleaned(ctx, tl, now, t.remove(ctx, now.Delete, nil))
}

// carryOut goes on with a decided clean.
func (t *Table) carryOut(ctx context.Context, tl *timeline, h *held) error {
	return t.cleaned(ctx, tl, h, t.sweep(ctx, tl, h.Delete))
}

// cleaned completes a clean of which the files went, or not.
func (t *Table) cleaned(ctx context.Context, tl *timeline, h *held, deleted error) error {
	if deleted != nil {
		return unknown(fmt.Errorf("deleting what the instant %s cleans: %w", h.Instant, deleted))
	}
	if err := t.putCompleted(ctx, h.Instant, h.Action, h.Document); err != nil {
		return unknown(err)
	}
	return t.seal(ctx, tl, h)
}

// sweep deletes files, but for what readers see: somebody may have taken back what followed it.
func (t *Table) sweep(ctx context.Context, tl *timeline, planned []string) error {
	p, err := t.properties(ctx)
	if err != nil {
		return err
	}
	if err := t.supported(p, tl); err != nil {
		return err
	}
	v, err := t.readView(ctx)
	if err != nil {
		return err
	}
	replaced, err := t.replacedGroups(ctx, tl)
	if err != nil {
		return err
	}
	shown := map[string]bool{}
	for _, s := range v.latest(tl, replaced) {
		shown[s.key] = true
	}
	return t.remove(ctx, planned, shown)
}

// remove deletes files by their keys below the table's prefix, but for some.
func (t *Table) remove(ctx context.Context, planned []string, but map[string]bool) error {
	var keys []string
	for _, key := range planned {
		if !but[key] {
			keys = append(keys, t.o.Prefix+key)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	return t.o.Store.Delete(ctx, keys...)
}

// finishBegun looks at a clean of ours that can be claimed no more, or whose claim is void. Where files are gone that it planned to delete
// somebody has begun to carry it out, and it is completed. over says that it is.
func (t *Table) finishBegun(ctx context.Context, i Instant) (over bool, err error) {
	tl, err := t.readTimeline(ctx)
	if err != nil {
		return false, err
	}
	a := tl.find(i, actionClean)
	if a == nil || a.completed {
		return a != nil, nil
	}
	p, err := t.cleanPlan(ctx, i)
	if p == nil || err != nil {
		return false, err // without its plan nobody carries it out
	}
	v, err := t.readView(ctx)
	if err != nil {
		return false, err
	}
	there := map[string]bool{}
	for _, of := range v.slices {
		for _, s := range of {
			there[s.key] = true
		}
	}
	planned := p.keys()
	begun := false
	for _, key := range planned {
		begun = begun || !there[key]
	}
	if !begun {
		return false, nil
	}
	done, err := p.done(i)
	if err == nil {
		err = t.sweep(ctx, tl, planned)
	}
	if err == nil {
		err = t.putCompleted(ctx, i, actionClean, done)
	}
	return err == nil, err
}

// cleanPlan reads the plan of a pending clean, which both of its objects hold; nil where there is none.
func (t *Table) cleanPlan(ctx context.Context, i Instant) (*cleanPlan, error) {
	for _, key := range []string{requestedKey(i, actionClean), inflightKey(i, actionClean)} {
		data, err := t.read(ctx, key, maxCommit)
		if errors.Is(err, store.ErrNotExist) || err == nil && len(data) == 0 {
			continue
		}
		if err != nil {
			return nil, err
		}
		p, err := parseCleanPlan(data)
		if err != nil {
			return nil, fmt.Errorf("the instant %s: %w: restore it, or land the table into a new target", i, err)
		}
		return p, nil
	}
	return nil, nil
}
