package guard_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/guard"
)

// All is done, and no more at once than may be.
func TestEach(t *testing.T) {
	t.Parallel()
	const n, most = 200, 3
	var done [n]atomic.Int32
	var now, highest atomic.Int32
	if err := guard.Each(t.Context(), most, n, func(_ context.Context, i int) error {
		at := now.Add(1)
		for h := highest.Load(); at > h && !highest.CompareAndSwap(h, at); h = highest.Load() {
		}
		done[i].Add(1)
		now.Add(-1)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for i := range done {
		if got := done[i].Load(); got != 1 {
			t.Errorf("%d was done %d times", i, got)
		}
	}
	if h := highest.Load(); h > most {
		t.Errorf("%d at once", h)
	}
}

// The first error, a panic's too, ends what is under way, and nothing begins behind it.
func TestEachStopsAtTheFirstError(t *testing.T) {
	t.Parallel()
	wrong := errors.New("wrong")
	for name, fails := range map[string]func() error{"error": func() error { return wrong }, "panic": func() error { panic("wrong") }} {
		var begun atomic.Int32
		err := guard.Each(t.Context(), 2, 1000, func(ctx context.Context, i int) error {
			begun.Add(1)
			if i == 1 {
				return fails()
			}
			<-ctx.Done()
			return ctx.Err()
		})
		if err == nil || !strings.Contains(err.Error(), "wrong") || begun.Load() > 4 {
			t.Errorf("%s: %v, %d begun", name, err, begun.Load())
		}
	}
}

func TestEachEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("why")
	cancel(why)
	if err := guard.Each(ctx, 2, 10, func(context.Context, int) error { return nil }); !errors.Is(err, why) {
		t.Errorf("got %v", err)
	}
}
