package hudi

import (
	"context"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// Clean implements table.Table.
func (t *Table) Clean(ctx context.Context, head *table.Head, keep table.Retention) (*table.Cleaned, error) {
	return &table.Cleaned{}, nil
}
