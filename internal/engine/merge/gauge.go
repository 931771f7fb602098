package merge

import "sync/atomic"

// gauge counts the bytes that a merge holds of changes, and the most that it held at once. It is safe for concurrent use.
type gauge struct{ held, peak atomic.Int64 }

func (g *gauge) take(bytes int) {
	now := g.held.Add(int64(bytes))
	for peak := g.peak.Load(); now > peak && !g.peak.CompareAndSwap(peak, now); {
		peak = g.peak.Load()
	}
}

func (g *gauge) give(bytes int) { g.held.Add(-int64(bytes)) }
