package run

import (
	"context"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// Discover reads what the database of a connection holds, with the login of its secret. Nothing of the login is in it.
func Discover(ctx context.Context, c *spec.Connection, secrets Secrets, meant *spec.Selection) (*spec.Discovery, error) {
	if err := c.Unsupported().Err(spec.KindConnection, c.Name); err != nil {
		return nil, err
	}
	snapshot, err := logIn(ctx, secrets, c.SecretARN, func(as postgres.Credentials) (*postgres.Snapshot, error) {
		return postgres.Begin(ctx, c, as)
	})
	if err != nil {
		return nil, err
	}
	defer snapshot.Close(ctx)
	return snapshot.Discover(ctx, c, meant)
}
