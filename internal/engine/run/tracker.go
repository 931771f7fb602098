package run

import (
	"context"
	"errors"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
	"github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

// Tracker is what a run needs of the tracking tables.
type Tracker interface {
	CheckLayout(ctx context.Context) error
	Cadence(ctx context.Context, name string) (*spec.Cadence, error)
	Connection(ctx context.Context, name string) (*spec.Connection, error)
	Table(ctx context.Context, name string) (*spec.Table, error)
	// TableNames lists the enabled tables of a cadence.
	TableNames(ctx context.Context, cadence string) ([]string, error)
	CheckNesting(ctx context.Context, t *spec.Table) error
	Acquire(ctx context.Context, table, run string, length time.Duration) (Lease, error)
	Position(ctx context.Context, table string) (*tracking.Position, error)
	Summary(ctx context.Context, table string) (tracking.Summary, error)
	// Load reads the load of a table that did not end, nil when there is none.
	Load(ctx context.Context, table string) (*tracking.Load, []tracking.LoadUnit, error)
	RecordOutside(ctx context.Context, r tracking.Run) error
}

// Lease is the right to run a table.
type Lease interface {
	Fence() tracking.Fence
	Context() context.Context
	Dead() (run string, since time.Time)
	Record(ctx context.Context, r tracking.Record) error
	Release(ctx context.Context) error
}

// Memory is a lease under which loads are remembered: that one is under way, that a unit of it is complete, that it is over.
type Memory interface {
	Loading(ctx context.Context, load tracking.Load) error
	Loaded(ctx context.Context, unit tracking.LoadUnit) error
	Unload(ctx context.Context, units []string) error
}

// Tracking is a Tracker over a tracking's tables.
type Tracking struct{ *tracking.Store }

// Acquire implements Tracker.
func (t Tracking) Acquire(ctx context.Context, table, run string, length time.Duration) (Lease, error) {
	lease, err := t.Store.Acquire(ctx, table, run, length)
	if err != nil {
		return nil, err
	}
	return lease, nil
}

// heldBy tells whether a table could not be run because another run holds it.
func heldBy(err error) *tracking.HeldError {
	var held *tracking.HeldError
	if errors.As(err, &held) {
		return held
	}
	return nil
}
