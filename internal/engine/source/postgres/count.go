package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// Count counts the rows of a table or view that meet a filter, in this snapshot. The server reads all of them.
func (s *Snapshot) Count(ctx context.Context, from spec.DatabaseSource, filter []spec.Predicate) (int64, error) {
	where, err := s.where(ctx, from, filter)
	if err != nil {
		return 0, fmt.Errorf("counting the rows of %s: %w", quoted(from.Schema, from.Table), err)
	}
	r, err := queryRow(ctx, s.conn, "SELECT count(*) FROM "+quoted(from.Schema, from.Table)+where)
	if err != nil {
		return 0, fmt.Errorf("counting the rows of %s: %w", quoted(from.Schema, from.Table), err)
	}
	return r.number(0), r.err
}

// Duplicate reports whether two rows that meet a filter have equal values, and no NULL, in some columns. The server reads
// and groups all of them.
func (s *Snapshot) Duplicate(ctx context.Context, from spec.DatabaseSource, filter []spec.Predicate, columns []string) (bool, error) {
	where, err := s.where(ctx, from, filter)
	if err != nil {
		return false, fmt.Errorf("looking for rows of one key in %s: %w", quoted(from.Schema, from.Table), err)
	}
	names := make([]string, len(columns))
	valued := make([]string, len(columns))
	for i, c := range columns {
		names[i], valued[i] = quoted(c), quoted(c)+" IS NOT NULL"
	}
	list := strings.Join(names, ", ")
	rows, err := query(ctx, s.conn, "SELECT 1 FROM "+quoted(from.Schema, from.Table)+where+" GROUP BY "+list+" HAVING count(*) > 1 AND "+strings.Join(valued, " AND ")+" LIMIT 1")
	if err != nil {
		return false, fmt.Errorf("looking for rows of one key in %s: %w", quoted(from.Schema, from.Table), err)
	}
	return len(rows) > 0, nil
}

func (s *Snapshot) where(ctx context.Context, from spec.DatabaseSource, filter []spec.Predicate) (string, error) {
	wanted, err := conditions(ctx, s.conn, from, filter)
	if err != nil || len(wanted) == 0 {
		return "", err
	}
	return " WHERE " + every(wanted...), nil
}

// unique reports whether the server sees to it that no two rows of a table have equal values, and no NULL, in some columns:
// by an index over all or some of them that holds for all rows.
func (s *Snapshot) unique(ctx context.Context, oid string, columns []string) (bool, error) {
	wanted := map[string]bool{}
	for _, c := range columns {
		wanted[c] = true
	}
	rows, err := query(ctx, s.conn, `
		SELECT i.indexrelid, a.attname FROM pg_catalog.pg_index i CROSS JOIN LATERAL pg_catalog.unnest(i.indkey) WITH ORDINALITY k(attnum, place)
		LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
		WHERE i.indrelid = $1 AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL AND k.place <= i.indnkeyatts`, oid)
	if err != nil {
		return false, err
	}
	holds := map[string]bool{}
	for i := range rows {
		index, within := rows[i].text(0), wanted[rows[i].text(1)]
		if before, met := holds[index]; met {
			within = within && before
		}
		holds[index] = within
	}
	for _, all := range holds {
		if all {
			return true, nil
		}
	}
	return false, nil
}
