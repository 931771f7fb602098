package tracking

import (
	"sync"
	"time"
)

// Clock tells the time of DynamoDB's servers: the Date headers of its replies, carried forward by the local
// monotonic clock. No worker's wall clock decides anything.
//
// A Date counts whole seconds and arrives late, so each reply gives a lower bound of the servers' time, and Now
// is the highest of the bounds that the last replies gave: never ahead of the servers, behind them by less than
// a second plus the fastest of those replies' way back. Whoever adds a span to Now adds Slack as well.
//
// A Clock is safe for concurrent use. Its zero value has not seen a reply; Now is then the zero time.
type Clock struct {
	mu      sync.Mutex
	samples [8]sample
	next    int
	// monotonic is replaced in tests.
	monotonic func() time.Time
}

// Slack covers the part of a second that a Date leaves out.
const Slack = time.Second

type sample struct {
	server time.Time
	local  time.Time
}

// Observe takes note of the Date of a reply that just came in.
func (c *Clock) Observe(server time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.samples[c.next%len(c.samples)] = sample{server: server, local: c.local()}
	c.next++
}

// Now is the servers' time, or the zero time before the first reply.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	var now time.Time
	local := c.local()
	for _, s := range c.samples {
		if s.server.IsZero() {
			continue
		}
		if bound := s.server.Add(local.Sub(s.local)); bound.After(now) {
			now = bound
		}
	}
	return now
}

func (c *Clock) local() time.Time {
	if c.monotonic != nil {
		return c.monotonic()
	}
	return time.Now()
}
