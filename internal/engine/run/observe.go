package run

import (
	"context"
	"fmt"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
)

// observe gives the columns whose decimals are made of their values the type that holds them all, and those that the lake has.
func (a *attempt) observe(ctx context.Context, l *landing, snapshot *postgres.Snapshot, source *schema.Table) error {
	var observed []schema.Column
	var places []int
	for i, c := range source.Columns {
		if c.Source.Observed {
			observed, places = append(observed, c), append(places, i)
		}
	}
	if len(observed) == 0 {
		return nil
	}
	digits, err := snapshot.Observe(ctx, *a.doc.Source.Database, a.doc.Filter, observed)
	if err != nil {
		return err
	}
	for n, c := range observed {
		var before *schema.Type
		for i := range l.head.Schema.Columns {
			if lake := &l.head.Schema.Columns[i]; !l.afresh && lake.Source != nil && same(l.head.Schema.Identity == source.Identity, lake.Source, c.Source) {
				before = &lake.Type
			}
		}
		if source.Columns[places[n]].Type, err = schema.Observe(c, before, digits[n]); err != nil {
			return fmt.Errorf("planning %q: %w", a.name, err)
		}
	}
	return nil
}

// same tells a column by its number where the table is the one that was landed, and by its name where it was made anew.
func same(table bool, a, b *schema.SourceColumn) bool {
	if table {
		return a.Number == b.Number
	}
	return a.Name == b.Name
}
