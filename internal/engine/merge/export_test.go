package merge

import (
	"context"
	"math"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// LoadWithin is Load with a budget in bytes; 0 is any.
func LoadWithin(ctx context.Context, s store.Store, t *schema.Table, files, removals []table.DataFile, budget int64) (*Changes, error) {
	if budget == 0 {
		budget = math.MaxInt64
	}
	return load(ctx, s, t, "", files, removals, budget)
}

// LoadOrderedWithin is LoadOrdered with a budget in bytes; 0 is any.
func LoadOrderedWithin(ctx context.Context, s store.Store, t *schema.Table, ordering string, files []table.DataFile, budget int64) (*Changes, error) {
	if budget == 0 {
		budget = math.MaxInt64
	}
	return load(ctx, s, t, ordering, files, nil, budget)
}

// Peak is the most bytes that were held of changes.
func (c *Changes) Peak() int64 { return c.gauge.peak.Load() }

// Spilled reports whether the changes were larger than memory.
func (c *Changes) Spilled() bool { return c.rows == nil }
