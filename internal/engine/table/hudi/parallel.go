package hudi

import (
	"context"
	"sync"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/guard"
)

// inParallel calls do for each number below n, some at once, and returns the first error, after which no more begin.
func inParallel(ctx context.Context, n, most int, do func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan int)
	var all sync.WaitGroup
	for range min(n, most) {
		all.Go(func() {
			for i := range next {
				if err := guard.Call(func() error { return do(ctx, i) }); err != nil {
					cancel(err)
				}
			}
		})
	}
feed:
	for i := range n {
		select {
		case next <- i:
		case <-ctx.Done():
			break feed
		}
	}
	close(next)
	all.Wait()
	return context.Cause(ctx)
}
