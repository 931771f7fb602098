package hudi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
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
	first, second, recoverer, spark, later = 'A', 'B', 'R', 'S', 'Z'
)

var clocks = map[byte]time.Time{
	first: written.Add(10 * time.Second), second: written.Add(10 * time.Second), recoverer: written.Add(time.Minute), spark: written.Add(time.Minute), later: written.Add(2 * time.Minute),
}

// planned is a change that a writer has planned on a head.
type planned struct {
	who  byte
	base Instant
	// from is the checkpoint that it goes on from, and rows what is in the file group that it writes anew.
	from, group, rows string
}

// adds is the key in commits' extra metadata of the row that a commit adds.
const adds = "adds"

// heldProperties are those of the table.
func heldProperties() properties {
	t := New(Options{Database: "raw", Name: "orders"})
	return t.newProperties("id", tableOfNumbers())
}

func tableOfNumbers() *schema.Table {
	return &schema.Table{Layout: schema.LayoutHudi, Key: []string{"id"}, Columns: []schema.Column{{Name: "id", Type: schema.Type{ID: schema.Long}, FieldID: 1}}}
}

func dataKey(of string, i Instant) string { return fmt.Sprintf("%s_0-0-0_%s.parquet", of, i) }

// commitDocument is the file of a commit that adds a row of its own name, and is a checkpoint where it goes on from one.
func commitDocument(name, from string) []byte {
	f := commitFile{ExtraMetadata: map[string]string{adds: name}}
	if from != "" {
		f.ExtraMetadata[extraCheckpoint], f.ExtraMetadata["from"] = name, from
	}
	data, err := json.Marshal(f)
	if err != nil {
		panic(err)
	}
	return data
}

// lands is a writer's commit of what it planned: all of it is the engine's own, but for what stands in its files.
func (p planned) lands() *program {
	name := string(p.who)
	return &program{fmt.Sprintf("%s lands on %s from %s, with %s in %s", name, p.base, p.from, p.rows, p.group), func(ctx context.Context, t *Table) (*program, error) {
		_, err := t.land(ctx, p.base, heldProperties(), func(ctx context.Context, tl *timeline) (*record, error) {
			r, err := t.begin(ctx, tl, record{Table: "id", Attempt: name, Action: actionCommit, Base: p.base}, func(i Instant) []string { return []string{dataKey(p.group, i)} }, nil)
			if err != nil {
				return r, err
			}
			if err := t.mark(ctx, r); err != nil {
				return r, err
			}
			_, err = t.o.Store.Put(ctx, t.o.Prefix+r.Files[0], []byte(p.rows), store.Condition{})
			return r, err
		}, func(r *record) (claim, error) {
			return claim{Table: r.Table, Attempt: name, Instant: r.Instant, Action: r.Action, Base: r.Base, Files: map[string]int64{r.Files[0]: int64(len(p.rows))}, Document: commitDocument(name, p.from)}, nil
		})
		return nil, err
	}}
}

// runs is a whole run: it finishes what others left, plans on the head that there is then, and lands.
func runs(who byte, in string) *program {
	p := &program{name: string(who) + " looks for the head"}
	p.run = func(ctx context.Context, t *Table) (*program, error) {
		tl, again, err := t.recoverNext(ctx)
		if again || err != nil {
			return p, err
		}
		of, err := t.properties(ctx)
		if err != nil {
			return nil, err
		}
		if err := t.touchable(of, tl); err != nil {
			return nil, err
		}
		change := planned{who: who, base: tl.head(""), group: in}
		for _, a := range slices.Backward(tl.commits()) {
			c, err := t.readCommit(ctx, a)
			if err != nil {
				return nil, err
			}
			if change.from = c.extra(extraCheckpoint); change.from != "" {
				break
			}
		}
		v, err := t.readView(ctx)
		if err != nil {
			return nil, err
		}
		if s := v.latest(tl, nil)[group{"", in}]; s != nil {
			data, err := t.read(ctx, s.key, 1<<10)
			if err != nil {
				return nil, err
			}
			change.rows = string(data) + " "
		}
		change.rows += string(who)
		return change.lands(), nil
	}
	return p
}

// recovers is what every run begins with, alone.
func recovers() *program {
	p := &program{name: string(recoverer) + " recovers"}
	p.run = func(ctx context.Context, t *Table) (*program, error) {
		_, again, err := t.recoverNext(ctx)
		if again {
			return p, err
		}
		return nil, err
	}
	return p
}
