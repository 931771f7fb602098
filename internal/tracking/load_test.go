package tracking_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

// A load is remembered unit by unit under the lease, by whoever holds it, and forgotten whole.
func TestLoadsAreRemembered(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	ctx := t.Context()
	if load, units, err := s.Load(ctx, "orders"); load != nil || units != nil || err != nil {
		t.Errorf("nothing is remembered as %+v, %v, %v", load, units, err)
	}
	first, err := s.Acquire(ctx, "orders", "run-1", tracking.MinLease)
	must(t, err)
	want := tracking.Load{ID: "a", Table: "t", Run: "run-1", Tries: 1, Units: 120, Key: "plan", SHA256: "0"}
	must(t, first.Loading(ctx, want))
	var names []string
	for i := range 120 { // more than one transaction holds, and with long keys more than one page of an answer
		names = append(names, fmt.Sprintf("%04d", i))
		must(t, first.Loaded(ctx, tracking.LoadUnit{Load: "a", Unit: names[i], Rows: int64(i), Key: strings.Repeat("k", 1000), SHA256: "1"}))
	}
	load, units, err := s.Load(ctx, "orders")
	must(t, err)
	if *load != want || len(units) != 120 || units[119].Unit != "0119" || units[119].Rows != 119 || len(units[7].Key) != 1000 {
		t.Errorf("%+v and %d units are remembered", load, len(units))
	}
	must(t, first.Release(ctx))
	second, err := s.Acquire(ctx, "orders", "run-2", tracking.MinLease)
	must(t, err)
	defer func() { _ = second.Release(ctx) }()
	other := want
	other.Tries++
	for what, err := range map[string]error{
		"a load": first.Loading(ctx, other), "a unit": first.Loaded(ctx, tracking.LoadUnit{Load: "a", Unit: "0000"}), "its end": first.Unload(ctx, names),
	} {
		if !errors.Is(err, tracking.ErrLeaseLost) {
			t.Errorf("%s by who has lost the lease: %v", what, err)
		}
	}
	must(t, second.Unload(ctx, names))
	if load, units, err := s.Load(ctx, "orders"); load != nil || units != nil || err != nil {
		t.Errorf("what was forgotten is %+v, %d units, %v", load, len(units), err)
	}
	must(t, second.Unload(ctx, names))
}

// A load is recorded once, and forgotten, whatever becomes of the answers.
func TestLoadsAfterLostAnswers(t *testing.T) {
	t.Parallel()
	s, f := newStore(t)
	ctx := t.Context()
	lease, err := s.Acquire(ctx, "orders", "run-1", tracking.MinLease)
	must(t, err)
	defer func() { _ = lease.Release(ctx) }()
	f.lose = once("TransactWriteItems")
	must(t, lease.Loading(ctx, tracking.Load{ID: "a", Run: "run-1", Units: 5}))
	f.lose = once("TransactWriteItems")
	must(t, lease.Loaded(ctx, tracking.LoadUnit{Load: "a", Unit: "0000"}))
	if load, units, err := s.Load(ctx, "orders"); load == nil || len(units) != 1 || err != nil {
		t.Errorf("%+v, %v, %v", load, units, err)
	}
	f.lose = once("TransactWriteItems")
	must(t, lease.Unload(ctx, []string{"0000"}))
	if load, units, err := s.Load(ctx, "orders"); load != nil || units != nil || err != nil {
		t.Errorf("%+v, %v, %v", load, units, err)
	}
}
