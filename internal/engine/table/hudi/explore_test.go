package hudi_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// actor is somebody who works on a table in steps: each write goes ahead when it is let, and again behind it, so that others come
// between a write and what is read after it. It is the code itself that is explored, not a model of it.
type actor struct {
	name string
	// steps are granted one by one; closed, all are.
	steps chan struct{}
	// at is sent to when the actor waits for a step, closed when it is done.
	at chan struct{}
	// held says that the actor waits for a step and has said so.
	held bool
	// kill says that what it does from now on fails, and has no effect.
	kill bool
	mu   sync.Mutex
	err  error
}

func (a *actor) wait() error {
	a.at <- struct{}{}
	<-a.steps
	return a.alive()
}

func (a *actor) alive() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.kill {
		return errKilled
	}
	return nil
}

// gated is a store whose writes an actor makes in its steps.
type gated struct {
	store.Store
	a *actor
}

func (g *gated) Put(ctx context.Context, key string, data []byte, when store.Condition) (store.Object, error) {
	if err := g.a.wait(); err != nil {
		return store.Object{}, err
	}
	o, err := g.Store.Put(ctx, key, data, when)
	if died := g.a.wait(); died != nil {
		return store.Object{}, died
	}
	return o, err
}

func (g *gated) Delete(ctx context.Context, keys ...string) error {
	if err := g.a.wait(); err != nil {
		return err
	}
	err := g.Store.Delete(ctx, keys...)
	if died := g.a.wait(); died != nil {
		return died
	}
	return err
}

func (g *gated) Create(ctx context.Context, key string) (store.Writer, error) {
	if err := g.a.alive(); err != nil {
		return nil, err
	}
	w, err := g.Store.Create(ctx, key)
	return &gatedWriter{w, g.a}, err
}

type gatedWriter struct {
	store.Writer
	a *actor
}

func (w *gatedWriter) Close() error {
	if err := w.a.wait(); err != nil {
		return err
	}
	err := w.Writer.Close()
	if died := w.a.wait(); died != nil {
		return died
	}
	return err
}

// actor is one that begins with its first step.
func (b *bench) actor(name string, do func(t table.Table) error) *actor {
	a := &actor{name: name, steps: make(chan struct{}), at: make(chan struct{})}
	t := openTable(&gated{b.store, a}, b.catalog, "lake/orders/", "orders", func() time.Time { return time.Now().Add(b.ahead) })
	go func() {
		defer close(a.at)
		if a.err = a.wait(); a.err == nil {
			a.err = do(t)
		}
	}()
	return a
}

// arrives waits until the actor waits for a step, or is done.
func (a *actor) arrives() bool {
	if !a.held {
		_, a.held = <-a.at
	}
	return a.held
}

// run lets an actor make some steps, up to where it waits for the next, and reports whether it is done.
func (a *actor) run(steps int) (done bool) {
	for range steps {
		if !a.arrives() {
			return true
		}
		a.held = false
		a.steps <- struct{}{}
	}
	return !a.arrives()
}

// finish lets an actor come to its end, or has it die where it is.
func (a *actor) finish(dies bool) {
	a.mu.Lock()
	a.kill = dies
	a.mu.Unlock()
	for a.arrives() {
		a.held = false
		a.steps <- struct{}{}
	}
}

// world is a table that is the same at the beginning of each exploration.
type world struct {
	store   *memory
	catalog func() *catalog.Memory
	attempt int
}

func newWorld(t *testing.T) *world {
	t.Helper()
	b := newBench(t, shop())
	m := newMemory()
	b.store = m
	b.reopen()
	b.load(false, goods("de", 1, 2))
	b.ahead = 50 * time.Hour
	b.reopen()
	changed := goods("de", 1)
	changed[0]["name"] = "changed"
	b.upsert(changed)
	entry, err := b.catalog.Get(t.Context(), "raw", "orders")
	if err != nil {
		t.Fatal(err)
	}
	return &world{m, func() *catalog.Memory {
		c := catalog.NewMemory("raw")
		if err := c.Create(t.Context(), entry); err != nil {
			t.Error(err)
		}
		return c
	}, b.attempt}
}

func (w *world) bench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, store: w.store.clone(), catalog: w.catalog(), columns: shop(), attempt: w.attempt, ahead: 80 * time.Hour}
	b.reopen()
	return b
}

// writer is an attempt that adds a row of its own, or changes one and adds it.
func (b *bench) writer(h *table.Head, id int64, merges bool) *actor {
	b.t.Helper()
	var change table.Change
	if merges {
		rows := goods("de", 1, id)
		rows[0]["name"] = fmt.Sprint("by ", id)
		change = b.planMerge(h, rows)
	} else {
		change = b.begin(h)
		change.Add = b.stage(h, &change, "u", goods("de", id))
	}
	return b.actor(fmt.Sprint("writer ", id), func(t table.Table) error {
		_, err := t.Commit(context.Background(), h, change)
		return err
	})
}

// check holds what readers see against what the writers were told. ids are the writers' rows.
func (b *bench) check(what string, final bool, writers map[int64]*actor, spark bool) {
	b.t.Helper()
	rows, err := all(b.t.Context(), b.store, b.catalog, "orders")
	if err != nil {
		b.t.Errorf("%s: %v", what, err)
		return
	}
	var got []string
	for _, r := range rows {
		got = append(got, r["id"])
	}
	slices.Sort(got)
	if len(slices.Compact(slices.Clone(got))) != len(got) || !slices.Contains(got, "1") || !slices.Contains(got, "2") {
		b.t.Errorf("%s: a reader sees %v", what, got)
	}
	if !final {
		return
	}
	committed := 0
	for id, a := range writers {
		there := slices.Contains(got, fmt.Sprint(id))
		switch {
		case a.err == nil && !there:
			b.t.Errorf("%s: the commit of %s was made and is lost", what, a.name)
		case errors.Is(a.err, table.ErrLostRace) && there:
			b.t.Errorf("%s: the commit of %s lost, and is there: %v", what, a.name, a.err)
		case a.err != nil && !errors.Is(a.err, table.ErrLostRace) && !errors.Is(a.err, table.ErrOutcomeUnknown) && !errors.Is(a.err, errKilled):
			b.t.Errorf("%s: %s: %v", what, a.name, a.err)
		}
		if there {
			committed++
		}
	}
	if committed > 1 || committed == 0 && !spark && !slices.ContainsFunc(mapValues(writers), func(a *actor) bool { return a.err != nil && !errors.Is(a.err, table.ErrLostRace) }) {
		b.t.Errorf("%s: %d attempts on one head committed: %v", what, committed, got)
	}
}

func mapValues(m map[int64]*actor) []*actor {
	var out []*actor
	for _, a := range m {
		out = append(out, a)
	}
	return out
}

// others are what comes between the steps of a writer. Each makes as many steps as it is let, and comes to its end later.
var others = map[string]func(b *bench, h *table.Head, writers map[int64]*actor) *actor{
	"another append": func(b *bench, h *table.Head, writers map[int64]*actor) *actor {
		writers[60] = b.writer(h, 60, false)
		return writers[60]
	},
	"another upsert": func(b *bench, h *table.Head, writers map[int64]*actor) *actor {
		writers[60] = b.writer(h, 60, true)
		return writers[60]
	},
	"a recoverer": func(b *bench, _ *table.Head, _ map[int64]*actor) *actor {
		return b.actor("recoverer", func(t table.Table) error {
			_, err := t.Head(context.Background())
			return err
		})
	},
	"a cleaning": func(b *bench, h *table.Head, _ map[int64]*actor) *actor {
		return b.actor("cleaning", func(t table.Table) error {
			_, err := t.Clean(context.Background(), h, table.Retention{KeepAtLeast: 1, MaxAge: time.Hour})
			return err
		})
	},
}

// Two actors, each paused anywhere, in both orders, where one may die; then whoever comes next. Or one that died anywhere,
// another that is paused anywhere, and a third that commits meanwhile.
func TestTwoAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, other := range others {
		for _, dies := range []string{"", "first", "second", "first, before a third commits"} {
			if name == "another upsert" && dies != "" {
				continue // to the protocol it is an append
			}
			t.Run(strings.TrimSpace(name+" "+dies), func(t *testing.T) {
				t.Parallel()
				runs, stride := 0, stride(t)
				for i, over := 0, false; !over; i++ {
					for j, done := i%stride, false; !done; j += stride {
						over, done = w.explore(t, i, j, dies, other)
						if runs++; t.Failed() {
							t.Fatalf("in run %d", runs)
						}
					}
				}
				if runs < 60/stride {
					t.Errorf("%d runs", runs)
				}
			})
		}
	}
}

// stride is of how many interleavings one is explored: a part of them, spread evenly, unless LAKELAND_EXPLORE is 1.
func stride(t *testing.T) int {
	t.Helper()
	text, told := os.LookupEnv("LAKELAND_EXPLORE")
	if !told {
		return usualStride
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("LAKELAND_EXPLORE is %q, and not of how many interleavings one is explored", text)
	}
	return n
}

// explore lets a writer make i steps and somebody else j, and says which of them were done by then.
func (w *world) explore(t *testing.T, i, j int, dies string, other func(b *bench, h *table.Head, writers map[int64]*actor) *actor) (first, second bool) {
	t.Helper()
	b := w.bench(t)
	h := b.head()
	writers := map[int64]*actor{50: b.writer(h, 50, true)}
	them := other(b, h, writers)
	what := fmt.Sprintf("%d steps of the first, %d of the second", i, j)
	third := strings.Contains(dies, "third")
	first = writers[50].run(i)
	if third {
		writers[50].finish(true)
	}
	second = them.run(j)
	b.check(what, false, writers, false)
	if third {
		b.load(false, goods("de", 98))
	} else {
		writers[50].finish(dies == "first")
	}
	them.finish(dies == "second")
	if _, err := b.table.Head(t.Context()); err != nil {
		t.Errorf("%s: the next head: %v", what, err)
	}
	b.check(what, true, writers, third || len(writers) == 1)
	b.load(false, goods("de", 99))
	b.check(what+", and the next commit", false, writers, false)
	if left := b.keys(".hoodie/.temp/", ""); len(left) > 0 {
		t.Errorf("%s left %v", what, left)
	}
	return first, second
}
