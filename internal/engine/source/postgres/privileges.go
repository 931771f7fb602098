package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
)

// mayRead reports whether the role may read a column of a relation. A role that was granted some columns and not the whole
// relation may read its system columns, such as ctid, only where it was granted them too (PostgreSQL documentation,
// "Privileges").
func mayRead(ctx context.Context, conn *pgconn.PgConn, oid, column string) (bool, error) {
	r, err := queryRow(ctx, conn, "SELECT pg_catalog.has_column_privilege($1::oid, $2, 'SELECT')", oid, column)
	if err != nil {
		return false, fmt.Errorf("asking whether the role may read %s: %w", column, err)
	}
	return r.truth(0), nil
}

// paged reports whether the role may read the relation by its pages.
func (s *Snapshot) paged(ctx context.Context, l *leaf) (bool, error) {
	if l.kind == "v" {
		return false, nil
	}
	return mayRead(ctx, s.conn, l.oid, "ctid")
}

// readable is a list of the columns of a relation that the role may read.
func (s *Snapshot) readable(ctx context.Context, l *leaf) (string, error) {
	r, err := queryRow(ctx, s.conn, `
		SELECT coalesce(pg_catalog.string_agg(pg_catalog.quote_ident(attname), ', ' ORDER BY attnum), '1')
		FROM pg_catalog.pg_attribute WHERE attrelid = $1::oid AND attnum > 0 AND NOT attisdropped AND pg_catalog.has_column_privilege(attrelid, attnum, 'SELECT')`, l.oid)
	if err != nil {
		return "", err
	}
	return r.text(0), nil
}

// mayTell refuses a role that may read the table's columns and not by which transaction its rows were written.
func (t *tree) mayTell(ctx context.Context, conn *pgconn.PgConn) error {
	if t.direct() {
		return nil
	}
	columns := []string{"xmin"}
	if t.root.kind == "p" || len(t.leaves) > 1 {
		columns = append(columns, "tableoid")
	}
	for _, column := range columns {
		may, err := mayRead(ctx, conn, fmt.Sprint(t.root.oid), column)
		if err != nil {
			return err
		}
		if !may {
			return fmt.Errorf("horizon \"xmin\" compares the system columns xmin and tableoid, and the role may read some columns of the table alone: GRANT SELECT (xmin, tableoid, ctid) ON %s TO the connection's role, or use a horizon with a cursor, or mode \"full\"", quoted(t.root.from.Schema, t.root.from.Table))
		}
	}
	return nil
}
