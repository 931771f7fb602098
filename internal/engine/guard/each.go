package guard

import (
	"context"

	"golang.org/x/sync/errgroup"
)

// Each calls do for each number below n, in their order and at most some at once, and returns the first error, after which no
// more begin: the context that do is given has ended then. A panic is an error of Each's. Where ctx ends, Each returns its
// cause once those calls have returned that had begun.
func Each(ctx context.Context, most, n int, do func(ctx context.Context, i int) error) error {
	all, within := errgroup.WithContext(ctx)
	all.SetLimit(max(most, 1))
	for i := 0; i < n && within.Err() == nil; i++ {
		all.Go(func() error { return Call(func() error { return do(within, i) }) })
	}
	if err := all.Wait(); err != nil {
		return err
	}
	return context.Cause(ctx)
}
