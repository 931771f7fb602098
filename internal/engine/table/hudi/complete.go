package hudi

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/guard"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// errHindered says that a claimed commit cannot be made, since other writers did something meanwhile.
var errHindered = errors.New("another writer came between")

// complete makes a claimed commit, for its own attempt or one that died. Where it cannot be made the claim becomes void, and what
// the attempt wrote is taken back: errHindered then. ErrOutcomeUnknown says that neither could be found out.
func (t *Table) complete(ctx context.Context, h *held) error {
	if h.State == claimSealed {
		return nil // somebody else did, and what came since is not this claim's matter
	}
	tl, err := t.readTimeline(ctx)
	if err != nil {
		return unknown(err)
	}
	if a, err := t.rolledBack(ctx, tl, h.Instant); err != nil {
		return unknown(err)
	} else if a != nil {
		return t.void(ctx, tl, h, fmt.Errorf("%w: the commit of the instant %s was rolled back before it came", errHindered, h.Instant))
	}
	if a := tl.find(h.Instant, h.Action); a == nil || !a.completed {
		if h.State == claimDecided {
			return t.carryOut(ctx, tl, h)
		}
		gave, err := t.giveWay(ctx, tl, h)
		if err == nil && gave {
			tl, err = t.readTimeline(ctx)
		}
		if err != nil {
			return unknown(err)
		}
		hindered, err := t.hindered(ctx, tl, &h.claim)
		switch {
		case err != nil:
			return unknown(err)
		case hindered != nil:
			return t.void(ctx, tl, h, hindered)
		case h.Action == actionClean:
			return t.decide(ctx, tl, h)
		}
		if err := t.putCompleted(ctx, h.Instant, h.Action, h.Document); err != nil {
			return unknown(err)
		}
		tl.find(h.Instant, h.Action).completed = true
	}
	return t.seal(ctx, tl, h)
}

// putCompleted writes the file that completes an instant. That it is there already is no error: nobody else writes another.
func (t *Table) putCompleted(ctx context.Context, i Instant, action string, document []byte) error {
	key := t.o.Prefix + completedKey(i, action)
	var last error
	for try := range tries {
		if err := pause(ctx, try); err != nil {
			return err
		}
		if _, last = t.o.Store.Put(ctx, key, document, store.Condition{IfAbsent: true}); last == nil || errors.Is(last, store.ErrExists) {
			return nil
		}
		if _, err := t.o.Store.Head(ctx, key); err == nil {
			return nil
		}
	}
	return fmt.Errorf("completing the instant %s: %w", i, last)
}

// seal says of a claim that its commit is there, and removes what it was made of. A claim that became void meanwhile takes the
// commit back.
func (t *Table) seal(ctx context.Context, tl *timeline, h *held) error {
	now, err := t.settle(ctx, h, claimSealed)
	if err != nil {
		return unknown(err)
	}
	if now == nil || now.State == claimVoid {
		over, err := t.takeBackInstant(ctx, tl, h)
		switch {
		case err != nil:
			return unknown(err)
		case over:
			return nil
		}
		return fmt.Errorf("%w: the commit of the instant %s was given up by a run that found other writers' work", errHindered, h.Instant)
	}
	keys := append([]string{t.markerKey(h.Instant, markersType), t.markerKey(h.Instant, markersFile)}, h.Staged...)
	keys = append(keys, tl.markers[h.Instant]...)
	if err := t.o.Store.Delete(ctx, keys...); err != nil {
		return nil //nolint:nilerr // the commit is made; what is left is removed as an orphan
	}
	_ = t.finished(ctx, h.Instant) // last, for by the record the others are found
	return nil
}

// finished empties the record of an attempt of which nothing is left to do.
func (t *Table) finished(ctx context.Context, i Instant) error {
	_, err := t.o.Store.Put(ctx, t.o.Prefix+attemptsFolder+string(i), nil, store.Condition{})
	return err
}

// void gives a claimed commit up.
func (t *Table) void(ctx context.Context, tl *timeline, h *held, why error) error {
	now, err := t.settle(ctx, h, claimVoid)
	switch {
	case err != nil:
		return unknown(err)
	case now != nil && now.State == claimSealed:
		return nil
	case now != nil && now.State == claimDecided:
		return t.carryOut(ctx, tl, now)
	}
	over, err := t.takeBackInstant(ctx, tl, h)
	switch {
	case err != nil:
		return unknown(err)
	case over:
		return nil
	}
	return why
}

// takeBackInstant takes back what a claim's attempt wrote, unless that is over: a run found its commit there, and others' built on it.
func (t *Table) takeBackInstant(ctx context.Context, tl *timeline, h *held) (over bool, err error) {
	r, err := readDocument[record](ctx, t, attemptsFolder+string(h.Instant))
	if errors.Is(err, errNoDocument) {
		_, err := t.o.Store.Head(ctx, t.o.Prefix+completedKey(h.Instant, h.Action))
		if errors.Is(err, store.ErrNotExist) {
			return false, nil
		}
		return err == nil, err
	}
	if err != nil {
		return false, err
	}
	return false, t.takeBack(ctx, r, tl)
}

// older reports whether a base came before another one.
func older(a, b Instant) bool { return a != b && b != initial && (a == initial || a < b) }

// giveWay takes back our other pending attempts that were planned on the claim's base, or an older one: they can commit no more, and
// a pending instant below a completed one stops Spark's writers for good. One whose base is newer may be alive. It reports whether
// there were any.
func (t *Table) giveWay(ctx context.Context, tl *timeline, h *held) (bool, error) {
	gave := false
	for _, i := range slices.Sorted(maps.Keys(tl.records)) {
		if i == h.Instant || tl.completed(i) || !tl.unfinished(i) || !tl.leftOf(i) {
			continue
		}
		r, err := readDocument[record](ctx, t, attemptsFolder+string(i))
		if errors.Is(err, errNoDocument) {
			continue
		}
		if err != nil {
			return gave, err
		}
		switch {
		case r.Base != h.Base && !older(r.Base, h.Base):
			continue
		case r.Base != h.Base:
			c, err := t.dispossess(ctx, tl, r)
			if err != nil {
				return gave, err
			}
			if c != nil && c.State == claimDecided {
				if err := t.carryOut(ctx, tl, c); err != nil {
					return gave, err
				}
				gave = true
				continue
			}
		}
		if err := t.takeBack(ctx, r, tl); err != nil {
			return gave, err
		}
		gave = true
	}
	return gave, nil
}

// dispossess makes the claim void that an attempt has on a base that others have committed on, and returns it as it is then; nil where it has none.
// A clean that is decided stays so.
func (t *Table) dispossess(ctx context.Context, tl *timeline, r *record) (*held, error) {
	if _, there := tl.claims[r.Base]; !there {
		return nil, nil
	}
	c, err := t.readClaim(ctx, r.Base)
	if err != nil || c == nil || c.Instant != r.Instant {
		return nil, err
	}
	return t.settle(ctx, c, claimVoid)
}

// leftOf reports whether something of an instant is left but its record.
func (tl *timeline) leftOf(i Instant) bool {
	if len(tl.markers[i]) > 0 {
		return true
	}
	for _, a := range tl.actions {
		if a.instant == i {
			return true
		}
	}
	return false
}

// hindered says why a claimed commit cannot be made; nil where it can.
func (t *Table) hindered(ctx context.Context, tl *timeline, c *claim) (why, err error) {
	if now := tl.head(c.Instant); now != c.Base {
		return fmt.Errorf("%w: the head is %s and the commit was planned on %s", errHindered, now, c.Base), nil
	}
	a := tl.find(c.Instant, c.Action)
	if a == nil || !a.requested {
		return fmt.Errorf("%w: the pending instant %s was taken back: another writer, such as Spark, wrote to the table at the same time; let one write at a time", errHindered, c.Instant), nil
	}
	p, err := t.properties(ctx)
	if err != nil {
		return nil, err
	}
	if refused := t.touchable(p, tl); refused != nil {
		return fmt.Errorf("%w: %w", errHindered, refused), nil
	}
	var keys []string
	for key := range c.Files {
		keys = append(keys, key)
	}
	missing := make([]bool, len(keys))
	if err := guard.Each(ctx, footersAtOnce, len(keys), func(ctx context.Context, i int) error {
		object, err := t.o.Store.Head(ctx, t.o.Prefix+keys[i])
		if errors.Is(err, store.ErrNotExist) {
			missing[i] = true
			return nil
		}
		missing[i] = err == nil && object.Size != c.Files[keys[i]]
		return err
	}); err != nil {
		return nil, err
	}
	for i, gone := range missing {
		if gone {
			return fmt.Errorf("%w: the data file %s is not as it was written: another writer, such as Spark, took the pending instant %s back; let one write at a time", errHindered, t.o.Store.Address(t.o.Prefix+keys[i]), c.Instant), nil
		}
	}
	return nil, nil
}

// lost is what a commit's error is to who planned it.
func lost(err error) error {
	if errors.Is(err, errHindered) {
		return fmt.Errorf("%w: %w", table.ErrLostRace, err)
	}
	return err
}
