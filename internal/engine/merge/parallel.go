package merge

import (
	"context"
	"errors"
	"sync"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/guard"
)

// each does something for every number up to n, several at once, until one fails.
func (w *work) each(ctx context.Context, n int, do func(ctx context.Context, i int) error) error {
	return abreast(ctx, w.Parallel, n, do)
}

// abreast does something for every number up to n, in their order, up to some at once, until one fails.
func abreast(ctx context.Context, some, n int, do func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wait sync.WaitGroup
	next := make(chan int)
	errs := make(chan error, max(some, 1))
	for range min(max(some, 1), n) {
		wait.Go(func() {
			for i := range next {
				if err := guard.Call(func() error { return do(ctx, i) }); err != nil {
					errs <- err
					cancel(err)
					return
				}
			}
		})
	}
	for i := 0; i < n && ctx.Err() == nil; i++ {
		select {
		case next <- i:
		case <-ctx.Done():
		}
	}
	close(next)
	wait.Wait()
	close(errs)
	var all error
	for err := range errs {
		if all == nil || errors.Is(all, context.Canceled) {
			all = err
		}
	}
	if all == nil {
		all = context.Cause(ctx)
	}
	return all
}
