package run_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// A run that goes on with a load may be killed before or behind any of its calls: the next one lands the table, and there is one
// commit of the load. Every call of it is some sample's.
func TestResumedKilledAnywhere(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	const step = 11
	for n := 2; ; n += step { // the first call is the reading of the layout
		b := l.largeTable(fmt.Sprintf("large%d", n), plainLarge, spec.Extract{}, nil)
		b.killed(recorded(4))
		b.mixed(n)
		calls, h := 0, []harm{killedBefore, killedAfter}[n%2]
		out, net := b.attempt(func(int, call) harm {
			if calls++; calls == n {
				return h
			}
			return unharmed
		})
		if len(net.harms()) == 0 {
			l.must(out.Err)
			return
		}
		why := net.harms()[0]
		b.outwait()
		b.mixed(n + 1)
		out, _ = b.attempt(nil)
		if out.Err != nil {
			t.Fatalf("%s: %v", why, out.Err)
		}
		b.holds(why)
		loads := 0
		for _, c := range b.commits() {
			if string(c.From) == "null" {
				loads++
			}
		}
		if loads != 1 {
			t.Errorf("%s: %d commits of the load", why, loads)
		}
	}
}

// Calls that fail now and then hold up neither a load nor its going on.
func TestResumedThroughFailures(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	r := rand.New(rand.NewPCG(sandbox.Seed(t), 5))
	storm := func(n int, c call) harm {
		if r.IntN(12) > 0 || n == 1 {
			return unharmed
		}
		return []harm{answerLost, throttled, serverError, answerCut}[r.IntN(map[bool]int{true: 4, false: 3}[c.writes])]
	}
	for n := range 4 {
		b := l.largeTable(fmt.Sprintf("large%d", n), plainLarge, spec.Extract{}, nil)
		kill := recorded(3)
		b.killed(func(i int, c call) harm {
			if h := kill(i, c); h != unharmed {
				return h
			}
			if c.operation == "TransactWriteItems" {
				return unharmed // the kill counts them
			}
			return storm(i, c)
		})
		b.mixed(n)
		if out, net := b.attempt(storm); out.Err != nil {
			t.Fatalf("%v: %v", net.harms(), out.Err)
		}
		b.holds("through failures")
		if c := b.commits(); len(c) != 1 {
			t.Errorf("%d commits", len(c))
		}
	}
}

// A tracker that cannot be told of a load, or of its units, does not hold the load up.
func TestResumedWithoutMemory(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	for from, to := range map[int]int{1: 8, 2: 9} { // the load, or one of its units, with all tries
		b := l.largeTable(fmt.Sprintf("large%d", from), plainLarge, spec.Extract{}, nil)
		transactions := 0
		out, net := b.attempt(func(_ int, c call) harm {
			if c.operation == "TransactWriteItems" {
				if transactions++; transactions >= from && transactions <= to {
					return serverError
				}
			}
			return unharmed
		})
		if out.Err != nil || len(net.harms()) != 8 {
			t.Fatalf("%v: %v", net.harms(), out.Err)
		}
		b.holds("without memory")
		if left, _, err := l.tracking.Load(t.Context(), "shop."+b.name); left != nil || err != nil {
			t.Errorf("the tracker has %+v, %v", left, err)
		}
	}
}

// A load whose plan cannot be read at the moment is gone on with later; one that the tracker does not tell of is left alone, and
// starts again where all was read meanwhile.
func TestResumedLater(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	b := l.largeTable("large", plainLarge, spec.Extract{}, nil)
	b.killed(recorded(5))
	gets := 0
	if out, _ := b.attempt(func(_ int, c call) harm {
		if c.service == "S3" && c.operation == "GET" {
			if gets++; gets > 1 { // the first one lists what lies at the location
				return serverError
			}
		}
		return unharmed
	}); out.Err == nil || !strings.Contains(out.Err.Error(), "going on with a load that did not end, last of run") {
		t.Errorf("a plan that cannot be read: %v", out.Err)
	}
	units, done := b.unitsOf()
	if done != 5 {
		t.Errorf("%d units are remembered", done)
	}
	b.mixed(1)
	if r := b.lands("later"); !noted(r, fmt.Sprintf("is gone on with: %d units are left", units-5)) {
		t.Errorf("%q", r.Notes)
	}

	b = l.largeTable("silent", plainLarge, spec.Extract{}, nil)
	b.killed(recorded(5))
	queries := 0
	if out, _ := b.attempt(func(_ int, c call) harm {
		if c.operation == "Query" {
			if queries++; queries > 1 { // the first one is of the configuration
				return serverError
			}
		}
		return unharmed
	}); out.Err != nil {
		t.Fatal(out.Err)
	}
	b.holds("without the tracker's word")
	if _, done := b.unitsOf(); done != 5 {
		t.Errorf("%d units are remembered", done)
	}
	l.change("silent", func(s *spec.Table) { s.Reload = "now" })
	if r := b.lands("the reload"); !noted(r, "the lake's table was made anew since") {
		t.Errorf("%q", r.Notes)
	}
}
