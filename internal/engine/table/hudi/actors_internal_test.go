package hudi

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// program is what an actor does, in code of this package: then is what it goes on with, of which alone it depends what follows.
// Two of one name do the same.
type program struct {
	name string
	run  func(ctx context.Context, t *Table) (then *program, err error)
}

// node is how far an actor has come: a program, and the answers that it has had so far. The code asks for the same each time
// that it has had the same answers, so it need not be kept standing where it waits: it is run up to there once, and from then on
// known by what it asks for.
type node struct {
	n      int32
	of     *program
	before *node
	had    *answer
	// asks is the call that it makes next; nil where it has come to its end, with some outcome.
	asks    *call
	outcome string
	then    map[*answer]*node
}

// The outcomes of programs. One that failed knows that it did nothing.
const (
	outcomeDone    = "done"
	outcomeLost    = "lost the race"
	outcomeUnknown = "does not know"
	outcomeFailed  = "failed"
	outcomeCrashed = "crashed"
)

func outcomeOf(err error) string {
	switch {
	case err == nil:
		return outcomeDone
	case errors.Is(err, table.ErrOutcomeUnknown):
		return outcomeUnknown
	case errors.Is(err, table.ErrLostRace):
		return outcomeLost
	default:
		return outcomeFailed
	}
}

// weakening changes what a program's calls come to, so that a rule of the protocol is not kept.
type weakening func(program string, ask func(call) *answer) func(call) *answer

// actors are the nodes that an explorer knows.
type actors struct {
	ctx      context.Context
	roots    map[string]*node
	ends     map[string]*node
	of       []*node
	fail     func(format string, arguments ...any)
	weakened weakening
}

func (a *actors) add(n *node) *node {
	n.n, n.then = int32(len(a.of)), map[*answer]*node{}
	a.of = append(a.of, n)
	return n
}

// end is where all are that came to their end with an outcome.
func (a *actors) end(outcome string) *node {
	if a.ends[outcome] == nil {
		a.ends[outcome] = a.add(&node{outcome: outcome})
	}
	return a.ends[outcome]
}

// root is where a program begins.
func (a *actors) root(p *program) *node {
	n, known := a.roots[p.name]
	if !known {
		n = a.arrive(&node{of: p})
		a.roots[p.name] = n
	}
	return n
}

// next is how far an actor has come when it has had an answer.
func (a *actors) next(n *node, had *answer) *node {
	out, known := n.then[had]
	if !known {
		out = a.arrive(&node{of: n.of, before: n, had: had})
		n.then[had] = out
	}
	return out
}

// arrive runs the code up to where a node is.
func (a *actors) arrive(n *node) *node {
	var path []*node
	for at := n; at.before != nil; at = at.before {
		path = append(path, at)
	}
	slices.Reverse(path)
	ctx, cancel := context.WithCancel(a.ctx)
	defer cancel()
	at := 0
	ask := func(c call) *answer {
		switch {
		case n.asks != nil:
		case at < len(path):
			if of := path[at].before.asks; of.verb != c.verb || of.key != c.key {
				a.fail("%s asks for something else each time: %s, %s", n.of.name, of, &c)
			}
			at++
			return path[at-1].had
		default:
			n.asks = &c
			cancel()
		}
		return &answer{err: errUnheard}
	}
	if a.weakened != nil && n.of.name[0] != spark {
		ask = a.weakened(n.of.name, ask)
	}
	then, err := n.of.run(ctx, tableOn(ask, clocks[n.of.name[0]]))
	switch {
	case n.asks != nil:
		return a.add(n)
	case then != nil && err == nil:
		return a.root(then)
	default:
		return a.end(outcomeOf(err))
	}
}

func tableOn(ask func(call) *answer, now time.Time) *Table {
	return New(Options{Store: asking{ask}, Prefix: "lake/", Database: "raw", Name: "orders", Now: func() time.Time { return now }})
}

// The actors, by the letters that their programs' names begin with. The two writers' clocks say the same, so that they choose one instant.
const (
	first, second, recoverer, cleaner, spark, later = 'A', 'B', 'R', 'C', 'S', 'Z'
)

var clocks = map[byte]time.Time{
	first: written.Add(10 * time.Second), second: written.Add(10 * time.Second), recoverer: written.Add(time.Minute), cleaner: written.Add(10 * time.Second), spark: written.Add(time.Minute), later: written.Add(2 * time.Minute),
}
