package sandbox

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/toolchain"
)

// Prepare fetches and builds what the parts need, without starting them; no parts means all. What is in the
// cache already costs nothing. The first failure ends the rest.
func Prepare(ctx context.Context, tools *toolchain.Toolchain, parts ...Part) error {
	if len(parts) == 0 {
		parts = Parts()
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	needs := map[string]func(context.Context) (string, error){}
	for _, part := range parts {
		switch part {
		case Postgres:
			needs["PostgreSQL"] = func(ctx context.Context) (string, error) {
				return postgresInstallation(ctx, tools, postgresMajor())
			}
		case S3:
			needs["the S3 server"] = tools.Versitygw
		case Moto:
			needs["the Python environment"] = tools.Python
		case Glue:
			needs["the S3 server"] = tools.Versitygw
			needs["the Python environment"] = tools.Python
		default:
			return fmt.Errorf("the sandbox has no %v", part)
		}
	}
	var group sync.WaitGroup
	for name, obtain := range needs {
		group.Go(func() {
			if _, err := obtain(ctx); err != nil {
				cancel(fmt.Errorf("setting up %s: %w", name, err))
			}
		})
	}
	group.Wait()
	if err := context.Cause(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return ctx.Err()
}
