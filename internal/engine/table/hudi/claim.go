package hudi

import (
	"context"
	"errors"
	"fmt"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// held is a claim as it was read, with the tag by which it is changed.
type held struct {
	claim
	tag string
}

// readClaim reads the claim of a base; nil where there is none. The tag is read first: what changes meanwhile is not changed by it.
func (t *Table) readClaim(ctx context.Context, on Instant) (*held, error) {
	object, err := t.o.Store.Head(ctx, t.o.Prefix+claimsFolder+string(on))
	if errors.Is(err, store.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	c, err := readDocument[claim](ctx, t, claimsFolder+string(on))
	if errors.Is(err, errNoDocument) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &held{*c, object.Tag}, nil
}

// claimBase claims a base for an attempt: ErrLostRace where another has it, ErrOutcomeUnknown where that could not be found out.
func (t *Table) claimBase(ctx context.Context, c claim) (*held, error) {
	c.V, c.State = documentVersion, claimOpen
	when := store.Condition{IfAbsent: true}
	open := false // whether a put of ours may still take effect
	var last error
	for try := range tries {
		if err := pause(ctx, try); err != nil {
			last = err
			break
		}
		object, err := putDocument(ctx, t, claimsFolder+string(c.Base), &c, when)
		if err == nil {
			return &held{c, object.Tag}, nil
		}
		last = err
		open = open || !errors.Is(err, store.ErrExists) && !errors.Is(err, store.ErrChanged)
		now, readErr := t.readClaim(ctx, c.Base)
		switch {
		case readErr != nil:
			open, last = true, fmt.Errorf("%w; reading back: %w", err, readErr)
		case now == nil:
			when = store.Condition{IfAbsent: true}
		case now.Instant == c.Instant && now.State != claimVoid:
			return now, nil
		case now.Instant == c.Instant:
			return nil, fmt.Errorf("%w: somebody gave up the instant %s meanwhile", table.ErrLostRace, c.Instant)
		case now.State == claimVoid:
			when = store.Condition{IfMatch: now.tag}
		default:
			return nil, fmt.Errorf("%w: the attempt %q committed on %s at %s", table.ErrLostRace, now.Attempt, c.Base, now.Instant)
		}
	}
	if !open {
		return nil, fmt.Errorf("%w: claims of %s came and went: %w", table.ErrLostRace, c.Base, last)
	}
	return nil, unknown(fmt.Errorf("claiming %s: %w", c.Base, last))
}

// stands reports whether a claim's state is not changed to another any more.
func (c *claim) stands(against string) bool {
	return c.State == claimVoid || c.State == claimSealed || c.State == claimDecided && against != claimSealed
}

// settle makes a claim void, decided or sealed where its state allows it, and returns it as it is then, which may be another: whichever came
// first stays. nil is a claim that another attempt has now, so this one was void.
func (t *Table) settle(ctx context.Context, h *held, state string) (*held, error) {
	if h.stands(state) {
		return h, nil
	}
	next := claim{V: documentVersion, State: state, Table: h.Table, Attempt: h.Attempt, Instant: h.Instant, Action: h.Action, Base: h.Base, Checkpoint: h.Checkpoint}
	if state == claimDecided {
		next = h.claim // all of it is left to do
		next.State = state
	}
	var last error
	for try := range tries {
		if err := pause(ctx, try); err != nil {
			return nil, err
		}
		object, err := putDocument(ctx, t, claimsFolder+string(h.Base), &next, store.Condition{IfMatch: h.tag})
		if err == nil {
			return &held{next, object.Tag}, nil
		}
		last = err
		now, readErr := t.readClaim(ctx, h.Base)
		switch {
		case readErr != nil:
			last = fmt.Errorf("%w; reading back: %w", err, readErr)
		case now == nil || now.Instant != h.Instant:
			return nil, nil
		case now.stands(state):
			return now, nil
		default:
			h = now
		}
	}
	return nil, fmt.Errorf("settling the claim of %s by the attempt %q: %w", h.Base, h.Attempt, last)
}
