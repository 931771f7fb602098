package sourcetable

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lakeland/terraform-provider-lakeland/internal/resources/lifecycle"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
	"github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

// lookForTarget looks for the Glue database and the bucket that a new table lands in. They may be made by the same
// apply, so that one is missing is a warning at plan and an error when the table is created.
func (r *Resource) lookForTarget(ctx context.Context, t *spec.Table) []*lifecycle.Finding {
	return []*lifecycle.Finding{
		r.LookForDatabase(ctx, spec.At("target", "database"), t.Target.Database),
		r.LookForBucket(ctx, spec.At("target", "location"), t.Target.Location),
	}
}

// sharesConnection refuses a table whose connection its cadence does not name: the cadence's job need not lie in that
// connection's network. It is judged when the table is written, for at plan the cadence may still be about to name it.
func (r *Resource) sharesConnection(ctx context.Context, store *tracking.Store, t *spec.Table) error {
	if t.Source.Database == nil {
		return nil
	}
	c, err := store.Cadence(ctx, t.Cadence)
	if errors.Is(err, tracking.ErrNotFound) {
		return nil // the write itself names what is missing
	}
	if err != nil || slices.Contains(c.Connections, t.Source.Database.Connection) {
		return err
	}
	return spec.Problems{{
		Path:    spec.At("source", "database", "connection"),
		Message: fmt.Sprintf("the cadence %q does not name the connection %q: add it to the cadence's connections, or use one that it names (%s)", c.Name, t.Source.Database.Connection, strings.Join(c.Connections, ", ")),
	}}.Err(spec.KindTable, t.Name)
}
