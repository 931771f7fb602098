package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// digitsOf are, of a numeric column, how many rows have a value that is no number, how many have one, and the most digits before
// and behind the point. A zero before the point is no digit. scale and trunc are exact whatever the value.
const digitsOf = `count(*) FILTER (WHERE %[1]s::pg_catalog.text !~ '^-?[0-9]'), count(%[1]s),
	coalesce(max(CASE WHEN %[1]s::pg_catalog.text ~ '^-?[0-9]' AND pg_catalog.trunc(%[1]s) <> 0 THEN pg_catalog.length(pg_catalog.trunc(pg_catalog.abs(%[1]s))::pg_catalog.text) END), 0),
	coalesce(max(pg_catalog.scale(%[1]s)), 0)`

// Observe looks at the values of numeric columns in this snapshot, of rows that meet a filter: what digits those of each need,
// nil for a column without any. The server reads all rows once.
func (s *Snapshot) Observe(ctx context.Context, from spec.DatabaseSource, filter []spec.Predicate, columns []schema.Column) ([]*schema.Digits, error) {
	wrap := func(err error) ([]*schema.Digits, error) {
		return nil, fmt.Errorf("looking at the digits of columns of %s: %w", quoted(from.Schema, from.Table), err)
	}
	where, err := s.where(ctx, from, filter)
	if err != nil {
		return wrap(err)
	}
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = fmt.Sprintf(digitsOf, quoted(c.Source.Name))
	}
	r, err := queryRow(ctx, s.conn, "SELECT "+strings.Join(list, ", ")+" FROM "+quoted(from.Schema, from.Table)+where)
	if err != nil {
		return wrap(err)
	}
	out := make([]*schema.Digits, len(columns))
	for i, c := range columns {
		odd, values := r.number(4*i), r.number(4*i+1)
		if odd > 0 {
			return wrap(fmt.Errorf("column %q has %d values that are no number, such as NaN, which no decimal holds: declare it as string, or leave such rows out by a filter", c.Source.Name, odd))
		}
		if values > 0 {
			out[i] = &schema.Digits{Before: int(r.number(4*i + 2)), Behind: int(r.number(4*i + 3))}
		}
	}
	return out, r.err
}
