package conformance

import (
	"context"
	"errors"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// kind makes a change to a table that holds one file of the rows 1 and 2 and one of 3 and 4, and says what is there then.
type kind func(b *bench, h *table.Head) (change table.Change, after []int64)

// kinds are all kinds of changes, each of which meets all faults.
var kinds = map[string]kind{
	"an append": func(b *bench, h *table.Head) (table.Change, []int64) {
		change := b.begin(h, Columns())
		b.add(h, &change, 5)
		return change, []int64{1, 2, 3, 4, 5}
	},
	"an exchange": func(b *bench, h *table.Head) (table.Change, []int64) {
		change := b.begin(h, Columns())
		change.Remove = []string{b.sorted(h)[0].Key}
		b.add(h, &change, 1, 6)
		return change, []int64{1, 3, 4, 6}
	},
	"a removal": func(b *bench, h *table.Head) (table.Change, []int64) {
		change := b.begin(h, Columns())
		change.Remove = []string{b.sorted(h)[1].Key}
		return change, []int64{1, 2}
	},
	"deleted positions": func(b *bench, h *table.Head) (table.Change, []int64) {
		change := b.begin(h, Columns())
		b.deleteRows(h, &change, b.sorted(h)[1], 0)
		b.add(h, &change, 7)
		return change, []int64{1, 2, 4, 7}
	},
	"a replacement": func(b *bench, h *table.Head) (table.Change, []int64) {
		return b.change(h, Columns(), 8, 9), []int64{8, 9}
	},
}

// faults are what may go wrong with a change.
var faults = map[string]func(b *bench, planned kind){
	"answer lost after it took effect": func(b *bench, planned kind) {
		h := b.two()
		change, after := planned(b, h)
		b.catalog.After = once(catalog.ErrUnknown)
		b.commit(h, change)
		b.expect(after...)
	},
	"answer lost, no effect": func(b *bench, planned kind) {
		h := b.two()
		change, after := planned(b, h)
		b.catalog.Before = once(catalog.ErrUnknown)
		b.commit(h, change)
		b.expect(after...)
	},
	"no answer at all": func(b *bench, planned kind) {
		h := b.two()
		change, after := planned(b, h)
		b.catalog.Before = func(string, *catalog.Table) error { return catalog.ErrUnknown }
		if _, err := b.table.Commit(b.t.Context(), h, change); !errors.Is(err, table.ErrOutcomeUnknown) {
			b.t.Errorf("got %v", err)
		}
		b.expect(1, 2, 3, 4)
		b.catalog.Before = nil
		change, _ = planned(b, h)
		b.commit(h, change)
		b.expect(after...)
	},
	"refused": func(b *bench, planned kind) {
		h := b.two()
		change, _ := planned(b, h)
		denied := errors.New("not allowed")
		b.catalog.Before = func(string, *catalog.Table) error { return denied }
		if _, err := b.table.Commit(b.t.Context(), h, change); !errors.Is(err, denied) || errors.Is(err, table.ErrOutcomeUnknown) {
			b.t.Errorf("got %v", err)
		}
		b.expect(1, 2, 3, 4)
	},
	"somebody else came first": func(b *bench, planned kind) {
		h := b.two()
		change, after := planned(b, h)
		b.format.Touch(b.t, b.store, b.catalog, "orders")
		if _, err := b.table.Commit(b.t.Context(), h, change); !errors.Is(err, table.ErrLostRace) {
			b.t.Errorf("got %v", err)
		}
		b.expect(1, 2, 3, 4)
		b.commit(b.head(), change)
		b.expect(after...)
	},
	"a crash at any step": func(b *bench, planned kind) {
		h := b.two()
		died := errors.New("killed")
		for step := 1; ; step++ {
			for _, effect := range []bool{false, true} {
				change, after := planned(b, h)
				t := b.format.Open(&countdown{Store: b.store, left: step, err: died, effect: effect}, b.catalog, "lake/orders/", "orders", nil)
				_, err := t.Commit(b.t.Context(), h, change)
				if err == nil {
					b.expect(after...)
					if step < 3 {
						b.t.Errorf("a commit made %d writes", step-1)
					}
					return
				}
				if !errors.Is(err, died) {
					b.t.Fatal(err)
				}
				b.expect(1, 2, 3, 4)
			}
		}
	},
}

// two makes the table that kinds change.
func (b *bench) two() *table.Head {
	b.t.Helper()
	h := b.head()
	change := b.begin(h, Columns())
	b.add(h, &change, 1, 2)
	b.add(h, &change, 3, 4)
	b.commit(h, change)
	return b.head()
}

// countdown is a store whose n-th write fails, with or without effect. It counts on below zero.
type countdown struct {
	store.Store
	left   int
	err    error
	effect bool
}

func (c *countdown) Put(ctx context.Context, key string, data []byte, when store.Condition) (store.Object, error) {
	if c.left--; c.left != 0 || c.err == nil {
		return c.Store.Put(ctx, key, data, when)
	}
	if c.effect {
		if _, err := c.Store.Put(ctx, key, data, when); err != nil {
			return store.Object{}, err
		}
	}
	return store.Object{}, c.err
}
