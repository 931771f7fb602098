package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// Identity says which state of the database a snapshot shows.
type Identity struct {
	// Clock is the database's own time when the snapshot was taken.
	Clock time.Time `json:"clock"`
	// Xmin is the oldest transaction that was still running then, in 64 bits.
	Xmin int64 `json:"xmin"`
}

// Position is the identity as it stands in a checkpoint.
func (i Identity) Position() (json.RawMessage, error) {
	data, err := json.Marshal(i)
	if err != nil {
		return nil, fmt.Errorf("writing a snapshot's identity: %w", err)
	}
	return data, nil
}

// Snapshot is a consistent view of the database, open until Close. Other sessions may join it by its ID while
// it is. It is used by one goroutine.
type Snapshot struct {
	conn *pgx.Conn
	// ID joins other sessions to the view. It is "" on a server in recovery, whose exported snapshots can lose
	// transactions in progress: each session there has a view of its own, so a run uses one.
	ID       string
	Identity Identity
}

// Begin opens a session and takes a snapshot.
func Begin(ctx context.Context, c *spec.Connection, as Credentials) (*Snapshot, error) {
	conn, err := Connect(ctx, c, as)
	if err != nil {
		return nil, err
	}
	s := &Snapshot{conn: conn}
	if err := s.begin(ctx); err != nil {
		s.Close(ctx)
		return nil, fmt.Errorf("taking a snapshot of the database %q at %s:%d: %w", c.Database, c.Host, c.Port, err)
	}
	return s, nil
}

func (s *Snapshot) begin(ctx context.Context) error {
	if _, err := s.conn.Exec(ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"); err != nil {
		return err
	}
	var recovering bool
	if err := s.conn.QueryRow(ctx, "SELECT pg_catalog.pg_is_in_recovery()").Scan(&recovering); err != nil {
		return err
	}
	if !recovering {
		if err := s.conn.QueryRow(ctx, "SELECT pg_catalog.pg_export_snapshot()").Scan(&s.ID); err != nil {
			return err
		}
	}
	var err error
	s.Identity, err = identify(ctx, s.conn)
	return err
}

// join opens a session that sees what the snapshot of the ID shows, or a view of its own for "".
func join(ctx context.Context, c *spec.Connection, as Credentials, id string) (*pgx.Conn, Identity, error) {
	conn, err := Connect(ctx, c, as)
	if err != nil {
		return nil, Identity{}, err
	}
	_, err = conn.Exec(ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
	if err == nil && id != "" {
		// The id comes from the server and is quoted all the same; parameters are not allowed here.
		_, err = conn.Exec(ctx, "SET TRANSACTION SNAPSHOT "+quoteLiteral(id))
	}
	var identity Identity
	if err == nil {
		identity, err = identify(ctx, conn)
	}
	if err != nil {
		_ = conn.Close(context.WithoutCancel(ctx))
		return nil, Identity{}, fmt.Errorf("joining the snapshot %q of the database %q: %w", id, c.Database, err)
	}
	return conn, identity, nil
}

func identify(ctx context.Context, conn *pgx.Conn) (Identity, error) {
	var i Identity
	err := conn.QueryRow(ctx, "SELECT pg_catalog.transaction_timestamp(), pg_catalog.txid_snapshot_xmin(pg_catalog.txid_current_snapshot())").Scan(&i.Clock, &i.Xmin)
	i.Clock = i.Clock.UTC()
	return i, err
}

// Close ends the view and its session.
func (s *Snapshot) Close(ctx context.Context) {
	_ = s.conn.Close(context.WithoutCancel(ctx))
}

// Description is what the catalogues say of a table.
type Description struct {
	Schema schema.Table
	// EstimatedRows is the planner's estimate, or -1.
	EstimatedRows int64
}

// Describe reads a table's columns in this snapshot. Names are exact. A column whose type has no exact mapping
// is an error that names it.
func (s *Snapshot) Describe(ctx context.Context, from *spec.DatabaseSource, key []string) (*Description, error) {
	wrap := func(err error) (*Description, error) {
		return nil, fmt.Errorf("reading the columns of %s: %w", quoted(from.Schema, from.Table), err)
	}
	var (
		oid      uint32
		kind     string
		readable bool
		d        Description
	)
	err := s.conn.QueryRow(ctx, `
		SELECT c.oid, c.relkind::text, pg_catalog.has_table_privilege(c.oid, 'SELECT') OR pg_catalog.has_any_column_privilege(c.oid, 'SELECT'), c.reltuples::bigint
		FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = $1 AND c.relname = $2`, from.Schema, from.Table).Scan(&oid, &kind, &readable, &d.EstimatedRows)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return wrap(s.notThere(ctx, from))
	case err != nil:
		return wrap(err)
	case kind != "r" && kind != "p" && kind != "v" && kind != "m" && kind != "f":
		return wrap(fmt.Errorf("it is not a table or view (relkind %q)", kind))
	case !readable:
		return wrap(fmt.Errorf("the role may not read it: GRANT SELECT ON %s TO the connection's role", quoted(from.Schema, from.Table)))
	}
	columns, err := s.columns(ctx, oid)
	if err != nil {
		return wrap(err)
	}
	d.Schema = schema.Table{Identity: fmt.Sprint(oid), Columns: columns}
	if d.Schema.Key, err = targetKey(columns, key); err != nil {
		return wrap(err)
	}
	return &d, nil
}

func (s *Snapshot) notThere(ctx context.Context, from *spec.DatabaseSource) error {
	rows, err := s.conn.Query(ctx, `
		SELECT n.nspname || '.' || c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
		ORDER BY 1 LIMIT 5000`)
	if err != nil {
		return err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	if near := spec.Nearest(from.Schema+"."+from.Table, names); near != "" {
		return fmt.Errorf("there is no such table; did you mean %s? Names are exact, case included", near)
	}
	return fmt.Errorf("there is no such table among the %d of the database that the role can see; names are exact, case included", len(names))
}

func (s *Snapshot) columns(ctx context.Context, oid uint32) ([]schema.Column, error) {
	rows, err := s.conn.Query(ctx, `
		SELECT a.attnum, a.attname, a.atttypid, a.atttypmod, a.attnotnull, pg_catalog.format_type(a.atttypid, a.atttypmod),
			coalesce(pg_catalog.col_description(a.attrelid, a.attnum), '')
		FROM pg_catalog.pg_attribute a WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`, oid)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var columns []schema.Column
	for rows.Next() {
		var (
			c        schema.Column
			source   schema.SourceColumn
			number   int16
			modifier int32
		)
		if err := rows.Scan(&number, &source.Name, &source.OID, &modifier, &c.Required, &source.Type, &c.Comment); err != nil {
			return nil, err
		}
		if c.Type, err = schema.FromPostgres(source.OID, modifier); err != nil {
			return nil, fmt.Errorf("column %q of type %s: %w", source.Name, source.Type, err)
		}
		source.Number = int(number)
		c.Source = &source
		columns = append(columns, c)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return columns, schema.NameTargets(columns)
}

func targetKey(columns []schema.Column, key []string) ([]string, error) {
	var out []string
	for _, name := range key {
		found := false
		for _, c := range columns {
			if c.Source.Name == name {
				out, found = append(out, c.Name), true
			}
		}
		if !found {
			names := make([]string, len(columns))
			for i, c := range columns {
				names[i] = c.Source.Name
			}
			if near := spec.Nearest(name, names); near != "" {
				return nil, fmt.Errorf("it has no column %q, which primary_key names; did you mean %q?", name, near)
			}
			return nil, fmt.Errorf("it has no column %q, which primary_key names", name)
		}
	}
	return out, nil
}
