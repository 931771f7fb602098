package postgres

import (
	"context"
	"errors"
	"strconv"
)

// believed is how many times as large as when the server last looked a table may be for its statistics to be believed:
// keys that came since often lie behind all that they tell of.
const believed = 1.25

// bounds are values of the column, ascending, that cut the relation into about count parts; none where the server knows
// too little of the column.
func (s *Snapshot) bounds(ctx context.Context, l *leaf, c *keyColumn, count int64, all estimate) ([]string, error) {
	known, err := s.quantiles(ctx, l, c, count)
	if err != nil {
		return nil, err
	}
	if c.integer {
		if known, err = s.integers(ctx, l, c, count, all, known); err != nil {
			return nil, err
		}
	}
	if ascending, err := c.ascend(ctx, s.conn, known); !ascending || err != nil {
		return nil, err
	}
	return known, nil
}

// quantiles are bounds from the statistics that the server keeps of a table's column; none without those, or without the
// right to read the column.
func (s *Snapshot) quantiles(ctx context.Context, l *leaf, c *keyColumn, count int64) ([]string, error) {
	value := "u.v::" + c.spelling + c.collate
	rows, err := query(ctx, s.conn, `
		WITH stats AS MATERIALIZED (
			SELECT most_common_vals::text::text[] AS common, most_common_freqs::float8[] AS freqs, histogram_bounds::text::text[] AS bounds, null_frac
			FROM pg_catalog.pg_stats WHERE schemaname = $1 AND tablename = $2 AND attname = $3 AND NOT inherited
		), weighed AS (
			SELECT `+value+` AS v, u.w FROM stats CROSS JOIN LATERAL unnest(common, freqs) u(v, w)
			UNION ALL
			SELECT `+value+`, greatest(1 - null_frac - coalesce((SELECT sum(f) FROM unnest(freqs) f), 0), 0) / cardinality(bounds)
			FROM stats CROSS JOIN LATERAL unnest(bounds) u(v)
		), running AS MATERIALIZED (
			SELECT v, sum(w) OVER (ORDER BY v) / nullif(sum(w) OVER (), 0) AS share FROM weighed
		)
		SELECT b::text FROM (
			SELECT DISTINCT (SELECT v FROM running WHERE share >= i::float8 / $4::float8 ORDER BY v LIMIT 1) AS b FROM generate_series(1, $4::bigint - 1) i
		) found WHERE b IS NOT NULL ORDER BY found.b`, l.source.Schema, l.source.Table, c.name, strconv.FormatInt(count, 10))
	if err != nil {
		return nil, err
	}
	out := make([]string, len(rows))
	for i := range rows {
		out[i] = rows[i].text(0)
	}
	return out, nil
}

// integers are known, where a table has not grown much since they were, or bounds of even width.
func (s *Snapshot) integers(ctx context.Context, l *leaf, c *keyColumn, count int64, all estimate, known []string) ([]string, error) {
	if len(known) > 0 && float64(l.pages) <= believed*float64(l.knownPages) {
		return known, nil
	}
	name := quoted(c.name)
	statement := "SELECT min(" + name + "), max(" + name + ") FROM " + quoted(l.source.Schema, l.source.Table)
	asked, err := s.explain(ctx, statement)
	if err != nil {
		return nil, err
	}
	if asked.Cost*float64(count) > all.Cost {
		return known, nil // there is no index that knows
	}
	r, err := queryRow(ctx, s.conn, statement)
	if errors.Is(err, errNoRow) || err == nil && (r.fields[0] == nil || r.fields[1] == nil) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	low, high := r.number(0), r.number(1)
	if r.err != nil {
		return nil, r.err
	}
	return evenly(low, high, count), nil
}
