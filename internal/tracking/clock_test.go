package tracking

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Whatever delays the replies have, and whatever the local wall clock says, the clock is never ahead of the
// servers and never more than a second and the quickest recent reply's delay behind them.
func TestClockBounds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		start := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
		elapsed := time.Duration(0)
		wrong := time.Duration(rapid.Int64Range(-int64(time.Hour), int64(time.Hour)).Draw(t, "wall clock off by"))
		c := &Clock{monotonic: func() time.Time { return start.Add(wrong + elapsed) }}
		if !c.Now().IsZero() {
			t.Fatal("a clock without replies tells a time")
		}
		var lags []time.Duration
		for range rapid.IntRange(1, 30).Draw(t, "replies") {
			elapsed += time.Duration(rapid.Int64Range(0, int64(10*time.Second)).Draw(t, "pause"))
			stamped := start.Add(elapsed).Truncate(time.Second)
			part := start.Add(elapsed).Sub(stamped)
			delay := time.Duration(rapid.Int64Range(0, int64(3*time.Second)).Draw(t, "delay"))
			elapsed += delay
			c.Observe(stamped)
			lags = append(lags, part+delay)
		}
		elapsed += time.Duration(rapid.Int64Range(0, int64(time.Minute)).Draw(t, "silence"))
		least := lags[len(lags)-1]
		for _, lag := range lags[max(0, len(lags)-8):] {
			least = min(least, lag)
		}
		if behind := start.Add(elapsed).Sub(c.Now()); behind < 0 || behind > least {
			t.Fatalf("the clock is %s behind, the best reply's lag was %s", behind, least)
		}
	})
}
