package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// openLookback computes the window of horizon lookback: the greatest cursor seen less a width that the configuration
// chose. It sees what that width covers, whoever sets the cursor, on a replica too, and is not commit-safe: a row that
// commits later than its cursor by more than the width is missed. The longest open transaction is measured where the
// server tells, so that the width can be judged.
func openLookback(ctx context.Context, w *Window) error {
	if w.request.Extract.Lookback == "" {
		return errors.New("horizon \"lookback\" has no default width: write extract.lookback, such as \"15m\" for a time or \"1000\" for a number")
	}
	clock, err := serverClock(ctx, w.conn())
	if err != nil {
		return err
	}
	w.request.pause("clock")
	if err := w.measureLongest(ctx, clock); err != nil {
		return err
	}
	if _, err := w.begin(ctx); err != nil {
		return err
	}
	if err := w.openCursor(ctx, horizonLookback, []time.Time{clock}, false); err != nil {
		return err
	}
	w.Warnings = append(w.Warnings, "horizon \"lookback\" is not commit-safe: what commits later than its cursor by more than the lookback is missed")
	switch c := w.cursor; {
	case w.Longest == nil:
		w.Warnings = append(w.Warnings, "how long transactions stay open is not known: the server is a replica, or the role lacks pg_read_all_stats")
	case c.kind.temporal() && w.Longest.Microseconds() > c.width:
		w.Warnings = append(w.Warnings, fmt.Sprintf("a transaction has been open for %s, longer than the lookback of %s: its rows are missed unless it commits soon; widen extract.lookback, or use horizon \"xmin\"", w.Longest.Round(time.Millisecond), c.extract.Lookback))
	case !c.kind.temporal() && *w.Longest > 0:
		w.Warnings = append(w.Warnings, fmt.Sprintf("a transaction has been open for %s: its rows are missed where the lookback of %s values does not reach back to them", w.Longest.Round(time.Millisecond), c.extract.Lookback))
	}
	return nil
}

// measureLongest measures the longest open transaction, and leaves it unknown where it cannot.
func (w *Window) measureLongest(ctx context.Context, clock time.Time) error {
	recovering, err := inRecovery(ctx, w.conn())
	if err != nil || recovering {
		return err
	}
	allowed, tracked, err := canWatch(ctx, w.conn())
	if err != nil || !allowed || !tracked {
		return err
	}
	oldest, err := oldestTransaction(ctx, w.conn())
	switch {
	case errors.Is(err, errHidden):
		return nil
	case err != nil:
		return err
	case oldest == nil:
		w.Longest = new(time.Duration)
	default:
		w.Longest = age(clock, *oldest)
	}
	prepared, err := preparedTransactions(ctx, w.conn())
	if err == nil && prepared != "" {
		w.Warnings = append(w.Warnings, fmt.Sprintf("transactions are prepared, whose start the server does not tell: %s; their rows are missed where the lookback does not reach back to them", prepared))
	}
	return err
}
