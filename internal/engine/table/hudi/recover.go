package hudi

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// recoveries bounds how often what attempts left is looked at anew.
const recoveries = 100

// recover finishes what earlier attempts left: claimed commits are completed, or taken back where other writers came between;
// attempts that can commit no more are taken back. It returns the timeline as it is then.
func (t *Table) recover(ctx context.Context) (*timeline, error) {
	for range recoveries {
		if tl, again, err := t.recoverNext(ctx); err != nil || !again {
			return tl, err
		}
	}
	return nil, errors.New("other runs left something each time it was looked at: the next run tries again")
}

// recoverNext looks at what there is once, up to the first attempt of which something was finished: the timeline is another then, and
// is looked at again.
func (t *Table) recoverNext(ctx context.Context) (tl *timeline, again bool, err error) {
	if tl, err = t.readTimeline(ctx); err != nil {
		return nil, false, err
	}
	for _, i := range slices.Sorted(maps.Keys(tl.records)) {
		if again, err = t.recoverOne(ctx, tl, i); err != nil {
			return nil, false, fmt.Errorf("the instant %s: %w", i, err)
		}
		if again {
			return nil, true, nil
		}
	}
	return tl, false, nil
}

// recoverOne looks at one attempt, and says whether it changed the timeline.
func (t *Table) recoverOne(ctx context.Context, tl *timeline, i Instant) (bool, error) {
	if a, err := t.rolledBack(ctx, tl, i); a != nil || err != nil {
		if err == nil {
			err = t.unmake(ctx, tl, a)
		}
		return true, err
	}
	if !tl.unfinished(i) || !tl.leftOf(i) {
		return false, nil // it is over, or was taken back
	}
	r, err := readDocument[record](ctx, t, attemptsFolder+string(i))
	if errors.Is(err, errNoDocument) {
		return true, nil // it came to its end meanwhile
	}
	if err != nil {
		return false, err
	}
	c, err := t.readClaim(ctx, r.Base)
	if err != nil {
		return false, err
	}
	mine := c != nil && c.Instant == i
	if mine && c.State == claimSealed {
		// Its commit was there when it was sealed, which may be later than the timeline was read.
		if tl, err = t.readTimeline(ctx); err != nil {
			return false, err
		}
	}
	a := tl.find(i, r.Action)
	completed := a != nil && a.completed
	switch {
	case mine && (c.State == claimOpen || c.State == claimDecided):
		// Of a commit that is there this seals the claim.
		if err := t.complete(ctx, c); err != nil && !errors.Is(err, errHindered) {
			return false, err
		}
		return true, nil
	case mine && c.State == claimSealed && completed:
		return t.tidied(ctx, tl, i), nil
	case completed && r.Action == actionClean:
		// Spark finishes cleans that are pending, whoever's: what it planned is deleted, and so the instant stays.
		return t.tidied(ctx, tl, i), nil
	case completed && mine && c.State == claimVoid:
		stays, err := t.builtOn(ctx, tl, i)
		switch {
		case err != nil:
			return false, err
		case stays && tl.foreign() != nil:
			return false, nil // it may be a rollback of what was built on it, and nothing is committed over it
		case stays:
			return t.tidied(ctx, tl, i), nil
		}
		return true, t.takeBack(ctx, r, tl)
	case completed && c == nil:
		return false, nil // claims are kept as long as records are
	case completed, mine, older(r.Base, tl.head(i)):
		// A commit whose claim is void, or another's, came too late; all others can be claimed no more.
		return true, t.takeBack(ctx, r, tl)
	default:
		return false, nil // it may be alive
	}
}

// tidied removes what is left of the markers of a commit that is sealed, and empties its record. It reports whether it could.
func (t *Table) tidied(ctx context.Context, tl *timeline, i Instant) bool {
	if keys := tl.markers[i]; len(keys) > 0 {
		if err := t.o.Store.Delete(ctx, keys...); err != nil {
			return false //nolint:nilerr // a later run does it
		}
	}
	return t.finished(ctx, i) == nil
}

// builtOn reports whether others have committed over a commit of ours whose claim is void: its put came between that and the taking back, and
// all saw it. Their files hold its rows then, as they say by the version that they went on from.
func (t *Table) builtOn(ctx context.Context, tl *timeline, i Instant) (bool, error) {
	for _, a := range slices.Backward(tl.actions) {
		if a.instant <= i {
			break
		}
		if !a.completed || !writes(a.name) {
			continue
		}
		c, err := t.readCommit(ctx, a)
		if err != nil {
			return false, err
		}
		for _, of := range c.Stats {
			for _, s := range of {
				if s.PrevCommit == string(i) {
					return true, nil
				}
			}
		}
	}
	return false, nil
}
