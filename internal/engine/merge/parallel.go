package merge

import (
	"context"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/guard"
)

// each does something for every number below n, several at once, until one fails.
func (w *work) each(ctx context.Context, n int, do func(ctx context.Context, i int) error) error {
	return guard.Each(ctx, w.Parallel, n, do)
}
