package table

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
)

// swapTries is how often a commit goes out that gets no answer.
const swapTries = 4

// Swap makes the call to the catalogue that is a commit, and settles its outcome: nil, ErrLostRace, ErrOutcomeUnknown, or
// an error of a call that had no effect.
//
// send must be conditional: of all calls that were planned on one head at most one takes effect, so that sending it again is
// harmless. After a lost answer holds looks for what is the commit's own before anything is concluded: ours says that the
// commit took effect, also where others have come on top since, moved that it cannot any more. A try without an answer may
// take effect until that has moved, so until then nothing but success is certain.
func Swap(ctx context.Context, send func(context.Context) error, holds func(context.Context) (ours, moved bool, err error)) error {
	var err error
	open := false // whether a try of ours may still take effect
	for try := range swapTries {
		if try > 0 {
			select {
			case <-ctx.Done():
				return unsettled(open, context.Cause(ctx))
			case <-time.After(time.Duration(try) * 200 * time.Millisecond):
			}
		}
		err = send(ctx)
		lost := errors.Is(err, catalog.ErrConflict) || errors.Is(err, catalog.ErrExists) || errors.Is(err, catalog.ErrNotFound)
		open = open || errors.Is(err, catalog.ErrUnknown)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, catalog.ErrThrottled):
			continue
		case !lost && !open:
			return err
		}
		ours, moved, readErr := holds(ctx)
		switch {
		case readErr != nil:
			open, err = true, fmt.Errorf("%w; reading back: %w", err, readErr)
		case ours:
			return nil
		case moved || lost && !open:
			return fmt.Errorf("%w: %w", ErrLostRace, err)
		}
	}
	return unsettled(open, err)
}

// unsettled is the error of a commit that was given up.
func unsettled(open bool, err error) error {
	if open {
		return fmt.Errorf("%w: %w", ErrOutcomeUnknown, err)
	}
	return err
}
