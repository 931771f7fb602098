package glue

import (
	"slices"
	"sync"
	"time"
)

// Clock is the time that the sandbox lives in. Schedules, run time-outs, delayed trigger states
// and every timestamp come from it. Implementations are safe for concurrent use.
type Clock interface {
	// Now returns the current time.
	Now() time.Time
	// AfterFunc calls f once when d has passed, in a goroutine of the clock's choice but never
	// from within AfterFunc itself; a d below zero counts as zero. The returned stop reports
	// whether it prevented the call; it does not wait for f.
	AfterFunc(d time.Duration, f func()) (stop func() bool)
}

// RealClock returns the machine's clock.
func RealClock() Clock { return realClock{} }

type realClock struct{}

func (realClock) Now() time.Time { return time.Now() }

func (realClock) AfterFunc(d time.Duration, f func()) func() bool {
	return time.AfterFunc(d, f).Stop
}

// ManualClock is a Clock that stands still until Advance moves it.
type ManualClock struct {
	// advancing lets one Advance run at a time, so that due calls are made in order.
	advancing sync.Mutex

	mu     sync.Mutex
	now    time.Time
	timers []*manualTimer // those not yet called or stopped, in the order they were made
}

type manualTimer struct {
	at time.Time
	f  func()
}

// NewManualClock returns a clock that shows start.
func NewManualClock(start time.Time) *ManualClock { return &ManualClock{now: start} }

// Now returns the time that the clock shows.
func (c *ManualClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// AfterFunc registers f; the Advance that reaches its time calls it, Advance(0) at the earliest.
func (c *ManualClock) AfterFunc(d time.Duration, f func()) func() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &manualTimer{at: c.now.Add(max(d, 0)), f: f}
	c.timers = append(c.timers, t)
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		i := slices.Index(c.timers, t)
		if i < 0 {
			return false
		}
		c.timers = slices.Delete(c.timers, i, i+1)
		return true
	}
}

// Advance moves the clock forward by d. On the way it makes every call that falls due, one
// after the other in the order of their times, with the clock showing each call's own time; calls
// that these register and that fall due within d are made too. It returns when all are made: after
// Advance every schedule due by then has started its runs. It must not be called from such a call.
func (c *ManualClock) Advance(d time.Duration) {
	c.advancing.Lock()
	defer c.advancing.Unlock()
	end := c.Now().Add(d)
	for {
		t := c.next(end)
		if t == nil {
			return
		}
		t.f()
	}
}

// next takes the earliest timer that is due by end and sets the clock to its time; when there
// is none it sets the clock to end and returns nil.
func (c *ManualClock) next(end time.Time) *manualTimer {
	c.mu.Lock()
	defer c.mu.Unlock()
	first := -1
	for i, t := range c.timers {
		if !t.at.After(end) && (first < 0 || t.at.Before(c.timers[first].at)) {
			first = i
		}
	}
	if first < 0 {
		if end.After(c.now) {
			c.now = end
		}
		return nil
	}
	t := c.timers[first]
	c.timers = slices.Delete(c.timers, first, first+1)
	if t.at.After(c.now) {
		c.now = t.at
	}
	return t
}
