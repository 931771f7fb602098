package conformance

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// kind is a kind of change.
type kind struct {
	// fresh says that the change is the table's first; otherwise it is made to one that holds a file of the rows 1 and 2 and
	// one of 3 and 4.
	fresh bool
	// change plans the change, and says what is there behind it.
	change func(b *bench, h *table.Head) (change table.Change, after []int64)
	needs  func(Format) bool
}

// kinds are all kinds of changes, each of which meets all faults.
var kinds = map[string]kind{
	"a creation": {fresh: true, change: func(b *bench, h *table.Head) (table.Change, []int64) {
		return b.change(h, Columns(), 8, 9), []int64{8, 9}
	}},
	"an append": {needs: appending, change: func(b *bench, h *table.Head) (table.Change, []int64) {
		change := b.begin(h, Columns())
		b.add(h, &change, 5)
		return change, []int64{1, 2, 3, 4, 5}
	}},
	"a column": {change: func(b *bench, h *table.Head) (table.Change, []int64) {
		return b.change(h, wider(), 8, 9), b.behind(8, 9)
	}},
	"an exchange": {needs: exchanging, change: func(b *bench, h *table.Head) (table.Change, []int64) {
		change := b.begin(h, Columns())
		change.Remove = []string{b.sorted(h)[0].Key}
		b.add(h, &change, 1, 6)
		return change, []int64{1, 3, 4, 6}
	}},
	"a removal": {needs: exchanging, change: func(b *bench, h *table.Head) (table.Change, []int64) {
		change := b.begin(h, Columns())
		change.Remove = []string{b.sorted(h)[1].Key}
		return change, []int64{1, 2}
	}},
	"deleted positions": {needs: deletes, change: func(b *bench, h *table.Head) (table.Change, []int64) {
		change := b.begin(h, Columns())
		b.deleteRows(h, &change, b.sorted(h)[1], 0)
		b.add(h, &change, 7)
		return change, []int64{1, 2, 4, 7}
	}},
	"a replacement": {needs: replaces, change: func(b *bench, h *table.Head) (table.Change, []int64) {
		return b.change(h, Columns(), 8, 9), []int64{8, 9}
	}},
}

// start makes the table that a change of the kind is made to.
func (k kind) start(b *bench) *table.Head {
	b.t.Helper()
	if k.fresh {
		b.expect()
		return b.head()
	}
	h := b.head()
	change := b.begin(h, Columns())
	b.add(h, &change, 1, 2)
	b.add(h, &change, 3, 4)
	b.commit(h, change)
	b.expect(1, 2, 3, 4)
	return b.head()
}

// atEach runs a test for the first call to the catalogue, the second, and so on until came says that there are no more, each
// time with a table of its own.
func (b *bench) atEach(planned kind, test func(b *bench, h *table.Head, n int64) (came bool)) {
	for n := int64(1); ; n++ {
		one := b.format.bench(b.t)
		if !test(one, planned.start(one), n) {
			if n == 1 {
				b.t.Error("a commit called nobody")
			}
			return
		}
	}
}

// faults are what may go wrong with a change.
var faults = map[string]func(b *bench, planned kind){
	"answer lost after it took effect": func(b *bench, planned kind) {
		b.atEach(planned, func(b *bench, h *table.Head, n int64) bool {
			change, after := planned.change(b, h)
			var came atomic.Bool
			b.after(nth(n, catalog.ErrUnknown, &came))
			b.commit(h, change)
			b.expect(after...)
			return came.Load()
		})
	},
	"answer lost, no effect": func(b *bench, planned kind) {
		b.atEach(planned, func(b *bench, h *table.Head, n int64) bool {
			change, after := planned.change(b, h)
			var came atomic.Bool
			b.before(nth(n, catalog.ErrUnknown, &came))
			b.commit(h, change)
			b.expect(after...)
			return came.Load()
		})
	},
	"no answer at all": func(b *bench, planned kind) {
		b.atEach(planned, func(b *bench, h *table.Head, n int64) bool {
			change, after := planned.change(b, h)
			var came atomic.Bool
			b.before(from(n, catalog.ErrUnknown, &came))
			_, err := b.table.Commit(b.t.Context(), h, change)
			if !came.Load() {
				return false
			}
			if !errors.Is(err, table.ErrOutcomeUnknown) {
				b.t.Errorf("got %v", err)
			}
			b.expect(b.seen...)
			b.before(nil)
			h = b.head()
			if h.Checkpoint != nil && h.Checkpoint.Attempt == change.Checkpoint.Attempt {
				b.expect(after...) // the commit was seen through
				return true
			}
			change, after = planned.change(b, h)
			b.commit(h, change)
			b.expect(after...)
			return true
		})
	},
	"refused": func(b *bench, planned kind) {
		b.atEach(planned, func(b *bench, h *table.Head, n int64) bool {
			change, _ := planned.change(b, h)
			var came atomic.Bool
			denied := errors.New("not allowed")
			b.before(from(n, denied, &came))
			_, err := b.table.Commit(b.t.Context(), h, change)
			if !came.Load() {
				return false
			}
			if !errors.Is(err, denied) || b.decisions == nil && errors.Is(err, table.ErrOutcomeUnknown) {
				b.t.Errorf("got %v", err)
			}
			b.expect(b.seen...)
			return true
		})
	},
	"somebody else came first": func(b *bench, planned kind) {
		if planned.fresh || b.format.Touch == nil {
			return // nobody can
		}
		h := planned.start(b)
		change, after := planned.change(b, h)
		b.format.Touch(b.t, b.store, b.catalog, "orders")
		if _, err := b.table.Commit(b.t.Context(), h, change); !errors.Is(err, table.ErrLostRace) {
			b.t.Errorf("got %v", err)
		}
		b.expect(1, 2, 3, 4)
		b.commit(b.head(), change)
		b.expect(after...)
	},
	"a crash at any step": func(b *bench, planned kind) {
		for step := 1; ; step++ {
			for _, effect := range []bool{false, true} {
				if over := b.format.bench(b.t).crash(planned, step, effect); over {
					if step <= b.format.Writes+1 {
						b.t.Errorf("a commit made %d writes", step-1)
					}
					return
				}
			}
		}
	},
}

// crash kills a commit at one of its steps, which are the objects that it writes and its calls to the catalogue, and lets
// the next one go on from there. It reports whether the commit was over before.
func (b *bench) crash(planned kind, step int, effect bool) (over bool) {
	b.t.Helper()
	h := planned.start(b)
	change, after := planned.change(b, h)
	died := errors.New("killed")
	dying := &countdown{Store: b.store, left: step, err: died, effect: effect}
	b.catalog.Before = func(catalog.Write) error {
		if dying.left--; dying.left > 0 || dying.left == 0 && effect {
			return nil
		}
		return died
	}
	b.catalog.After = func(catalog.Write) error {
		if dying.left == 0 && effect {
			return died
		}
		return nil
	}
	_, err := b.format.Open(dying, b.catalog, "lake/orders/", "orders", nil).Commit(b.t.Context(), h, change)
	b.catalog.Before, b.catalog.After = nil, nil
	if err == nil {
		b.expect(after...)
		return true
	}
	if !errors.Is(err, died) {
		b.t.Fatal(err)
	}
	// Readers see old or new, and the head's checkpoint says which.
	h = b.head()
	committed := h.Checkpoint != nil && h.Checkpoint.Attempt == change.Checkpoint.Attempt
	want := b.seen
	if committed {
		want = after
	}
	if diff := cmp.Diff(want, b.rows(), cmpopts.EquateEmpty()); diff != "" {
		b.t.Errorf("killed at step %d (with effect: %t), committed: %t: a reader sees other rows: %s", step, effect, committed, diff)
	}
	if committed && !effect && b.decisions == nil {
		b.t.Errorf("killed at step %d: what was not sent took effect", step)
	}
	b.seen = slices.Clone(want)
	want = b.behind(50)
	b.commit(h, b.change(h, Columns(), 50))
	b.expect(want...)
	return false
}

// countdown is a store whose n-th write fails, with or without effect, and all behind it. It counts on below zero.
type countdown struct {
	store.Store
	left   int
	err    error
	effect bool
}

func (c *countdown) Put(ctx context.Context, key string, data []byte, when store.Condition) (store.Object, error) {
	if c.left--; c.left > 0 || c.err == nil {
		return c.Store.Put(ctx, key, data, when)
	}
	if c.left == 0 && c.effect {
		if _, err := c.Store.Put(ctx, key, data, when); err != nil {
			return store.Object{}, err
		}
	}
	return store.Object{}, c.err
}
