package conformance

import (
	"errors"
	"sync"
	"sync/atomic"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

func lostAfter(b *bench) {
	for round := range int64(2) {
		h := b.head()
		b.catalog.After = once(catalog.ErrUnknown)
		b.commit(h, b.change(h, Columns(), round))
		b.expect(round)
	}
	// Somebody committed on top before the answer was missed.
	h := b.head()
	other := b.format.Open(b.store, b.catalog, "lake/orders/", "orders", nil)
	var top sync.Once
	b.catalog.After = func(string, *catalog.Table) error {
		b.catalog.After = nil
		top.Do(func() {
			now := b.head()
			if _, err := other.Commit(b.t.Context(), now, b.change(now, Columns(), 99)); err != nil {
				b.t.Error(err)
			}
		})
		return catalog.ErrUnknown
	}
	b.commit(h, b.change(h, Columns(), 5))
	b.expect(99)
}

func once(err error) func(string, *catalog.Table) error {
	var asked atomic.Bool
	return func(string, *catalog.Table) error {
		if asked.CompareAndSwap(false, true) {
			return err
		}
		return nil
	}
}

func lostBefore(b *bench) {
	for round := range int64(2) {
		h := b.head()
		b.catalog.Before = once(catalog.ErrUnknown)
		b.commit(h, b.change(h, Columns(), round))
		b.expect(round)
	}
}

func silent(b *bench) {
	h := b.head()
	b.commit(h, b.change(h, Columns(), 1))
	h = b.head()
	b.catalog.Before = func(string, *catalog.Table) error { return catalog.ErrUnknown }
	if _, err := b.table.Commit(b.t.Context(), h, b.change(h, Columns(), 2)); !errors.Is(err, table.ErrOutcomeUnknown) {
		b.t.Errorf("got %v", err)
	}
	b.expect(1)
}

func refused(b *bench) {
	h := b.head()
	b.commit(h, b.change(h, Columns(), 1))
	h = b.head()
	denied := errors.New("not allowed")
	b.catalog.Before = func(string, *catalog.Table) error { return denied }
	if _, err := b.table.Commit(b.t.Context(), h, b.change(h, Columns(), 2)); !errors.Is(err, denied) || errors.Is(err, table.ErrOutcomeUnknown) {
		b.t.Errorf("got %v", err)
	}
	b.expect(1)
}

func throttled(b *bench) {
	for round := range int64(2) {
		h := b.head()
		b.catalog.Before = once(catalog.ErrThrottled)
		b.commit(h, b.change(h, Columns(), round))
		b.expect(round)
	}
	h := b.head()
	b.catalog.Before = func(string, *catalog.Table) error { return catalog.ErrThrottled }
	if _, err := b.table.Commit(b.t.Context(), h, b.change(h, Columns(), 2)); !errors.Is(err, catalog.ErrThrottled) || errors.Is(err, table.ErrOutcomeUnknown) {
		b.t.Errorf("nothing was done, and the error is %v", err)
	}
	b.expect(1)
}

func refusedAfterSilence(b *bench) {
	h := b.head()
	b.commit(h, b.change(h, Columns(), 1))
	h = b.head()
	silent := once(catalog.ErrUnknown)
	b.catalog.Before = func(call string, t *catalog.Table) error {
		if err := silent(call, t); err != nil {
			return err
		}
		return errors.New("not allowed")
	}
	if _, err := b.table.Commit(b.t.Context(), h, b.change(h, Columns(), 2)); !errors.Is(err, table.ErrOutcomeUnknown) {
		b.t.Errorf("the first try may still take effect, and the error is %v", err)
	}
	b.expect(1)
}

// late lets a try without an answer take effect only after a second one was told to try again.
func late(b *bench) {
	h := b.head()
	b.commit(h, b.change(h, Columns(), 1))
	h = b.head()
	var first *catalog.Table
	tries := 0
	b.catalog.Before = func(_ string, t *catalog.Table) error {
		switch tries++; tries {
		case 1:
			first = t
			return catalog.ErrUnknown
		case 2:
			return catalog.ErrConflict
		default:
			b.catalog.Before = nil
			return b.catalog.Update(b.t.Context(), first)
		}
	}
	b.commit(h, b.change(h, Columns(), 2))
	b.expect(2)
}

// crashes lets the n-th write of a commit fail, for every n, and looks at what readers see in between.
func crashes(b *bench) {
	h := b.head()
	b.commit(h, b.change(h, Columns(), 1))
	died := errors.New("killed")
	for step := 1; ; step++ {
		h := b.head()
		change := b.change(h, Columns(), int64(100+step))
		counting := &countdown{Store: b.store, left: step, err: died}
		t := b.format.Open(counting, b.catalog, "lake/orders/", "orders", nil)
		_, err := t.Commit(b.t.Context(), h, change)
		if err == nil {
			if step < 3 {
				b.t.Errorf("a commit made %d writes", step-1)
			}
			b.expect(int64(100 + step))
			return
		}
		if !errors.Is(err, died) {
			b.t.Fatal(err)
		}
		b.expect(1)
	}
}
