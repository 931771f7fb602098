package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// keptTries is how often a snapshot is taken whose tables were rewritten behind it, before somebody has to look who rewrites
// them without a pause.
const keptTries = 5

// take takes a snapshot by begin, which says what is to be read under it: that is what the snapshot shows, and stays so until
// the transaction ends. TRUNCATE and an ALTER TABLE that rewrites a table leave an empty one to snapshots that were taken
// before (PostgreSQL documentation, "Caveats" of "Concurrency Control"), without any error; another table may have got the
// name. So the tables are locked behind the snapshot, and compared with what it shows: where something came between the two,
// another is taken.
func take(ctx context.Context, conn *pgconn.PgConn, begin func() ([]spec.DatabaseSource, error)) error {
	for try := 1; ; try++ {
		from, err := begin()
		if err != nil {
			return err
		}
		moved, err := keep(ctx, conn, from)
		switch {
		case err != nil:
			return err
		case moved == "":
			return nil
		case try == keptTries:
			return fmt.Errorf("%s while its snapshot was taken, and so it was %d times: let the run begin when nobody does that", moved, keptTries)
		}
		if err := execute(ctx, conn, "ROLLBACK"); err != nil {
			return err
		}
	}
}

// keep locks tables and views, and all whose rows are also theirs, against what would rewrite them, drop them or detach a
// part, until the transaction ends. It says what is not as the transaction's snapshot shows it, "" where all is. What is
// not there, or may not be read, or lies on another server, is passed over, and said where it is described or read.
//
// A policy by which rows are hidden from the role is an error, whichever part of a table has it: the way by which rows are
// read, through the table or by its parts, is chosen for speed, and must not decide which rows there are.
func keep(ctx context.Context, conn *pgconn.PgConn, from []spec.DatabaseSource) (moved string, err error) {
	locked, err := lockAll(ctx, conn, from)
	var server *pgconn.PgError
	switch {
	case errors.As(err, &server) && (server.Code == "42P01" || server.Code == "3F000" || server.Code == "42809"):
		return "it was dropped or renamed (" + server.Message + ")", nil
	case err != nil:
		return "", fmt.Errorf("keeping it from being rewritten while it is read: %w", explainCopy(err))
	case len(locked) == 0:
		return "", nil
	}
	parameter, err := namesOf(locked)
	if err != nil {
		return "", err
	}
	// The catalogues' rows are as the snapshot has them; functions, and what is locked, tell what is there now. A partition
	// that is being detached concurrently is no part of the table any more (that column came with PostgreSQL 14).
	r, err := queryRow(ctx, conn, `
		WITH RECURSIVE named AS (
			SELECT c.oid FROM pg_catalog.jsonb_array_elements($1::jsonb) named
				JOIN pg_catalog.pg_namespace n ON n.nspname = named->>0 JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = named->>1
		), tree AS (
			SELECT oid FROM named
			UNION SELECT i.inhrelid FROM tree JOIN pg_catalog.pg_inherits i ON i.inhparent = tree.oid
				WHERE NOT coalesce((pg_catalog.to_jsonb(i)->>'inhdetachpending')::boolean, false)
		), locked AS (
			SELECT DISTINCT relation AS oid FROM pg_catalog.pg_locks
			WHERE locktype = 'relation' AND pid = pg_catalog.pg_backend_pid() AND database IN (0, (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()))
		), judged AS (
			SELECT CASE WHEN c.oid IS NULL THEN 'a part of it' ELSE pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) END AS name,
				tree.oid IS NOT NULL AND pg_catalog.row_security_active(tree.oid) AS hidden,
				CASE WHEN locked.oid IS NULL THEN 'was dropped, detached or renamed'
					WHEN c.oid IS NULL THEN 'was made'
					WHEN c.relkind IN ('r', 'm') AND c.relfilenode <> 0 AND c.relfilenode IS DISTINCT FROM pg_catalog.pg_relation_filenode(c.oid) THEN 'was rewritten'
					WHEN tree.oid IS NOT NULL AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
						AND pg_catalog.to_regclass(pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname))::oid IS DISTINCT FROM c.oid THEN 'was renamed'
					WHEN c.oid IN (SELECT oid FROM named) AND EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
						AND (pg_catalog.pg_identify_object_as_address('pg_catalog.pg_class'::pg_catalog.regclass, c.oid, a.attnum)).object_names[3] IS DISTINCT FROM a.attname::text) THEN 'had its columns changed'
				END AS moved
			FROM tree FULL JOIN locked USING (oid) LEFT JOIN pg_catalog.pg_class c USING (oid) LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		)
		SELECT name, hidden, moved FROM judged WHERE hidden OR moved IS NOT NULL ORDER BY hidden DESC, name LIMIT 1`, parameter)
	switch {
	case errors.Is(err, errNoRow):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("looking whether it is as its snapshot shows it: %w", err)
	case r.truth(1):
		return "", hides(r.text(0))
	default:
		return r.text(0) + " " + r.text(2), nil
	}
}

// hides is the error of rows that a policy hides.
func hides(name string) error {
	return fmt.Errorf("row-level security hides rows of %s from the connection's role: give it BYPASSRLS, or read as the table's owner", name)
}

// Steady reports, behind the last reading, whether the names that were read led to the snapshot's tables all the time. A
// table that is kept is not renamed, but its schema may be, without a lock, and another schema get the name.
func (s *Snapshot) Steady(ctx context.Context) error {
	parameter, err := namesOf(s.from)
	if err != nil {
		return err
	}
	r, err := queryRow(ctx, s.conn, `
		WITH RECURSIVE tree AS (
			SELECT c.oid FROM pg_catalog.jsonb_array_elements($1::jsonb) named
				JOIN pg_catalog.pg_namespace n ON n.nspname = named->>0 JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = named->>1
			UNION SELECT i.inhrelid FROM tree JOIN pg_catalog.pg_inherits i ON i.inhparent = tree.oid
		), named AS (
			SELECT c.oid, pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS name
			FROM tree JOIN pg_catalog.pg_class c USING (oid) JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
			WHERE coalesce(pg_catalog.has_schema_privilege(n.oid, 'USAGE'), true)
		)
		SELECT name FROM named WHERE pg_catalog.to_regclass(name)::oid IS DISTINCT FROM oid ORDER BY 1 LIMIT 1`, parameter)
	switch {
	case errors.Is(err, errNoRow):
		return nil
	case err != nil:
		return fmt.Errorf("looking whether names still lead to the tables that were to be read: %w", err)
	default:
		return fmt.Errorf("the name %s leads to another table than the snapshot's: its schema was renamed while it was read", r.text(0))
	}
}

// namesOf are the names of tables as a parameter of queries.
func namesOf(from []spec.DatabaseSource) (string, error) {
	names := make([][2]string, len(from)) // a list, where there is none too
	for i, source := range from {
		names[i] = [2]string{source.Schema, source.Table}
	}
	parameter, err := json.Marshal(names)
	if err != nil {
		return "", fmt.Errorf("writing names of tables: %w", err)
	}
	return string(parameter), nil
}

// lockAll locks what there is to lock, in the mode of those who read, and returns that.
func lockAll(ctx context.Context, conn *pgconn.PgConn, from []spec.DatabaseSource) ([]spec.DatabaseSource, error) {
	parameter, err := namesOf(from)
	if err != nil {
		return nil, err
	}
	// A privilege on what is gone meanwhile is NULL.
	rows, err := query(ctx, conn, `
		SELECT DISTINCT n.nspname, c.relname, c.relkind::text, coalesce(pg_catalog.has_table_privilege(c.oid, 'SELECT'), true)
		FROM pg_catalog.jsonb_array_elements($1::jsonb) named
			JOIN pg_catalog.pg_namespace n ON n.nspname = named->>0 JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = named->>1
		WHERE c.relkind IN ('r', 'p', 'v', 'm')
			AND coalesce(pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND (pg_catalog.has_table_privilege(c.oid, 'SELECT') OR pg_catalog.has_any_column_privilege(c.oid, 'SELECT')), true)
		ORDER BY 1, 2`, parameter)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	locked := make([]spec.DatabaseSource, len(rows))
	var tables, statements []string
	for i := range rows {
		r := &rows[i]
		locked[i] = spec.DatabaseSource{Schema: r.text(0), Table: r.text(1)}
		name, kind, whole := quoted(r.text(0), r.text(1)), r.text(2), r.truth(3)
		switch {
		case whole && (kind == "r" || kind == "p"):
			tables = append(tables, name)
		case whole: // planning locks what a view reads, as LOCK TABLE would, which takes no materialized view
			statements = append(statements, "EXPLAIN SELECT * FROM "+name)
		default: // LOCK TABLE asks for the privilege to read all columns
			statements = append(statements, "SELECT FROM "+name+" LIMIT 0")
		}
	}
	if len(tables) > 0 {
		statements = append(statements, "LOCK TABLE "+strings.Join(tables, ", ")+" IN ACCESS SHARE MODE")
	}
	return locked, execute(ctx, conn, strings.Join(statements, "; "))
}
