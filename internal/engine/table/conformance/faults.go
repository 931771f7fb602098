package conformance

import (
	"errors"
	"sync/atomic"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

func lostAfter(b *bench) {
	for round := range int64(2) {
		h := b.head()
		want := b.behind(round)
		b.after(once(catalog.ErrUnknown))
		b.commit(h, b.change(h, Columns(), round))
		b.expect(want...)
	}
	// Somebody committed on top before the answer was missed.
	h := b.head()
	other := b.format.Open(b.store, b.catalog, "lake/orders/", "orders", nil)
	want := b.behind(5)
	b.after(func(call) error {
		b.after(nil)
		b.expect(want...)
		want = b.behind(99)
		now := b.head()
		if _, err := other.Commit(b.t.Context(), now, b.change(now, Columns(), 99)); err != nil {
			b.t.Error(err)
		}
		return catalog.ErrUnknown
	})
	b.commit(h, b.change(h, Columns(), 5))
	b.expect(want...)
}

func once(err error) asked { return nth(1, err, new(atomic.Bool)) }

// nth is an error of the n-th write, which says that it came.
func nth(n int64, err error, came *atomic.Bool) asked {
	var asked atomic.Int64
	return func(call) error {
		if asked.Add(1) == n {
			came.Store(true)
			return err
		}
		return nil
	}
}

// from is an error of the n-th write and all behind it.
func from(n int64, err error, came *atomic.Bool) asked {
	var asked atomic.Int64
	return func(call) error {
		if asked.Add(1) < n {
			return nil
		}
		came.Store(true)
		return err
	}
}

func lostBefore(b *bench) {
	for round := range int64(2) {
		h := b.head()
		want := b.behind(round)
		b.before(once(catalog.ErrUnknown))
		b.commit(h, b.change(h, Columns(), round))
		b.expect(want...)
	}
}

// one makes the table of one row that some tests change.
func (b *bench) one() *table.Head {
	b.t.Helper()
	h := b.head()
	b.commit(h, b.change(h, Columns(), 1))
	b.expect(1)
	return b.head()
}

func silent(b *bench) {
	h := b.one()
	b.before(func(call) error { return catalog.ErrUnknown })
	if _, err := b.table.Commit(b.t.Context(), h, b.change(h, Columns(), 2)); !errors.Is(err, table.ErrOutcomeUnknown) {
		b.t.Errorf("got %v", err)
	}
	b.expect(1)
}

func refused(b *bench) {
	h := b.one()
	denied := errors.New("not allowed")
	b.before(func(call) error { return denied })
	if _, err := b.table.Commit(b.t.Context(), h, b.change(h, Columns(), 2)); !errors.Is(err, denied) || b.decisions == nil && errors.Is(err, table.ErrOutcomeUnknown) {
		b.t.Errorf("got %v", err)
	}
	b.expect(1)
}

func throttled(b *bench) {
	for round := range int64(2) {
		h := b.head()
		want := b.behind(round)
		b.before(once(catalog.ErrThrottled))
		b.commit(h, b.change(h, Columns(), round))
		b.expect(want...)
	}
	h := b.head()
	if b.decisions != nil {
		return // a store names no such error, and asks again itself
	}
	b.before(func(call) error { return catalog.ErrThrottled })
	if _, err := b.table.Commit(b.t.Context(), h, b.change(h, Columns(), 2)); !errors.Is(err, catalog.ErrThrottled) || errors.Is(err, table.ErrOutcomeUnknown) {
		b.t.Errorf("nothing was done, and the error is %v", err)
	}
	b.expect(b.seen...)
}

func refusedAfterSilence(b *bench) {
	h := b.one()
	silent := once(catalog.ErrUnknown)
	b.before(func(c call) error {
		if err := silent(c); err != nil {
			return err
		}
		return errors.New("not allowed")
	})
	if _, err := b.table.Commit(b.t.Context(), h, b.change(h, Columns(), 2)); !errors.Is(err, table.ErrOutcomeUnknown) {
		b.t.Errorf("the first try may still take effect, and the error is %v", err)
	}
	b.expect(1)
}

// late lets a try without an answer take effect only after a second one was told to try again.
func late(b *bench) {
	h := b.one()
	want := b.behind(2)
	var first call
	tries := 0
	b.before(func(c call) error {
		switch tries++; tries {
		case 1:
			first = c
			return catalog.ErrUnknown
		case 2:
			return catalog.ErrConflict
		default:
			b.before(nil)
			return first.apply()
		}
	})
	b.commit(h, b.change(h, Columns(), 2))
	b.expect(want...)
}
