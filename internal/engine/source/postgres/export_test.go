package postgres

import (
	"context"

	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// Pausing has a function called behind each of the steps whose order matters.
func (r Incremental) Pausing(pause func(step string)) Incremental {
	r.pause = pause
	return r
}

// ChangedSinceOf is the window of horizon xmin over an expression.
var ChangedSinceOf = changedSinceOf

// RangesOf cuts a relation of the snapshot at bounds by its key, whatever that costs the server.
func (s *Snapshot) RangesOf(ctx context.Context, from spec.DatabaseSource, key []string, bounds ...string) ([][]Part, error) {
	leaves, _, err := s.leaves(ctx, from)
	if err != nil {
		return nil, err
	}
	column, err := s.keyColumn(ctx, &leaves[0], key)
	if err != nil {
		return nil, err
	}
	if ascending, err := column.ascend(ctx, s.conn, bounds); err != nil || !ascending {
		return nil, err
	}
	p := packer{}
	p.byKey(&leaves[0], column.between(bounds))
	return p.done, nil
}

// Quantiles are the bounds that the statistics of a table's key give.
func (s *Snapshot) Quantiles(ctx context.Context, from spec.DatabaseSource, count int64) ([]string, error) {
	leaves, _, err := s.leaves(ctx, from)
	if err != nil {
		return nil, err
	}
	column, err := s.keyColumn(ctx, &leaves[0], nil)
	if err != nil {
		return nil, err
	}
	return s.bounds(ctx, &leaves[0], column, count, estimate{Cost: 1e12})
}

// Version is the server's own name for what it is.
func (s *Snapshot) Version() string { return s.conn.ParameterStatus("server_version") }
