package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

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
	conn *pgconn.PgConn
	// ID joins other sessions to the view. It is "" on a server in recovery, whose exported snapshots can lose
	// transactions in progress: each session there has a view of its own, so a run uses one.
	ID       string
	Identity Identity

	// from are the tables that are kept as the snapshot shows them.
	from []spec.DatabaseSource
}

// Begin opens a session and takes a snapshot. The tables of from, and their partitions and heirs, are those that it shows,
// and nothing rewrites or drops them, or detaches a part, until Close: that waits. A policy that hides rows of them from
// the role is an error.
func Begin(ctx context.Context, c *spec.Connection, as Credentials, from ...spec.DatabaseSource) (*Snapshot, error) {
	conn, err := Connect(ctx, c, as)
	if err != nil {
		return nil, err
	}
	s := &Snapshot{conn: conn, from: from}
	if err := take(ctx, conn, func() ([]spec.DatabaseSource, error) { return from, s.begin(ctx) }); err != nil {
		s.Close(ctx)
		return nil, fmt.Errorf("taking a snapshot of the database %q at %s:%d: %w", c.Database, c.Host, c.Port, err)
	}
	return s, nil
}

func (s *Snapshot) begin(ctx context.Context) error {
	if err := execute(ctx, s.conn, beginReading); err != nil {
		return err
	}
	state, err := queryRow(ctx, s.conn, "SELECT pg_catalog.pg_is_in_recovery()")
	if err != nil {
		return err
	}
	if !state.truth(0) {
		exported, err := queryRow(ctx, s.conn, "SELECT pg_catalog.pg_export_snapshot()")
		if err != nil {
			return err
		}
		s.ID = exported.text(0)
	}
	s.Identity, err = identify(ctx, s.conn)
	return err
}

// join opens a session that sees what the snapshot of the ID shows.
func join(ctx context.Context, c *spec.Connection, as Credentials, id string) (*pgconn.PgConn, Identity, error) {
	conn, err := Connect(ctx, c, as)
	if err != nil {
		return nil, Identity{}, err
	}
	err = execute(ctx, conn, beginReading)
	if err == nil {
		// The id comes from the server and is quoted all the same; parameters are not allowed here.
		err = execute(ctx, conn, "SET TRANSACTION SNAPSHOT "+quoteLiteral(id))
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

func identify(ctx context.Context, conn *pgconn.PgConn) (Identity, error) {
	r, err := queryRow(ctx, conn, `
		SELECT (extract(epoch FROM pg_catalog.transaction_timestamp()) * 1000000)::bigint, pg_catalog.txid_snapshot_xmin(pg_catalog.txid_current_snapshot()), `+readMark)
	if err != nil {
		return Identity{}, err
	}
	if err := checkMark(conn, r.text(2)); err != nil {
		return Identity{}, err
	}
	return Identity{Clock: time.UnixMicro(r.number(0)).UTC(), Xmin: r.number(1)}, r.err
}

const (
	// heartbeat is how often the session that holds a view is asked whether it lives, so that a connection which broke
	// without a word is noticed, and one that a gateway would drop for its silence is not.
	heartbeat = 30 * time.Second
	// heartbeatTimeout bounds the waiting for its answer.
	heartbeatTimeout = 30 * time.Second
)

// Watch returns when the session that holds the view ends, with the reason, or nil when the context ends. Nothing else
// may use the snapshot meanwhile, but for sessions that join it.
func (s *Snapshot) Watch(ctx context.Context) error {
	for {
		silence, cancel := context.WithTimeout(ctx, heartbeat)
		err := s.conn.WaitForNotification(silence)
		cancel()
		if err != nil && !s.conn.IsClosed() {
			if ctx.Err() != nil {
				return nil //nolint:nilerr // the waiting was ended, not the session
			}
			err = s.Alive(ctx)
		}
		if err != nil {
			return err
		}
	}
}

// Alive asks the session that holds the view; an error says that the view has ended.
func (s *Snapshot) Alive(ctx context.Context) error {
	// A context that ends in the middle of the question would end the session.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), heartbeatTimeout)
	defer cancel()
	if err := s.conn.Ping(ctx); err != nil {
		return err
	}
	if s.conn.TxStatus() != 'T' {
		return errors.New("its transaction has ended")
	}
	return nil
}

// Spare is how many further sessions the server grants the snapshot's role at this moment: by the server's
// max_connections less what is reserved, and by the limits of the role and the database, of which others may take their
// share at any time. A superuser is bound by the server's alone.
func (s *Snapshot) Spare(ctx context.Context) (int, error) {
	// Who may not see what other sessions do sees that they are, and from which role into which database.
	r, err := queryRow(ctx, s.conn, `
		WITH session AS (
			SELECT usesysid, datid FROM pg_catalog.pg_stat_activity
			WHERE usesysid IS NOT NULL AND datid IS NOT NULL AND coalesce(backend_type, 'client backend') = 'client backend'
		)
		SELECT least(
			CASE WHEN r.rolconnlimit >= 0 AND NOT r.rolsuper THEN r.rolconnlimit - (SELECT count(*) FROM session WHERE usesysid = r.oid) END,
			CASE WHEN d.datconnlimit >= 0 AND NOT r.rolsuper THEN d.datconnlimit - (SELECT count(*) FROM session WHERE datid = d.oid) END,
			pg_catalog.current_setting('max_connections')::bigint - (SELECT count(*) FROM session) - CASE WHEN r.rolsuper THEN 0 ELSE
				pg_catalog.current_setting('superuser_reserved_connections')::bigint + coalesce(pg_catalog.current_setting('reserved_connections', true), '0')::bigint END)
		FROM pg_catalog.pg_roles r CROSS JOIN pg_catalog.pg_database d WHERE r.rolname = current_user AND d.datname = pg_catalog.current_database()`)
	if err != nil {
		return 0, fmt.Errorf("counting the sessions that the server still grants: %w", err)
	}
	return int(max(r.number(0), 0)), r.err
}

// Close ends the view and its session. It may be called more than once.
func (s *Snapshot) Close(ctx context.Context) {
	_ = s.conn.Close(context.WithoutCancel(ctx))
}

// Description is what the catalogues say of a table.
type Description struct {
	Schema schema.Table
	// PrimaryKey names the columns of the source's own primary key; nil where it has none.
	PrimaryKey []string
	// KeyUnique says that the server sees to it that no two rows have one key. A deferred constraint does too by the end of
	// a transaction, and is not known as such.
	KeyUnique bool
	// EstimatedRows is the planner's estimate, or -1.
	EstimatedRows int64
	// Warnings are sentences for the log and the history of the run.
	Warnings []string
}

// Describe reads a table's columns in this snapshot. Names are exact. declared holds the types and names that
// the configuration gives columns, by their names at the source, and which of them it leaves out; key names the columns that identify a row, by
// default those of the primary key. A type that cannot hold a column's values
// exactly is an error that names both.
func (s *Snapshot) Describe(ctx context.Context, from *spec.DatabaseSource, key []string, declared map[string]spec.Column) (*Description, error) {
	wrap := func(err error) (*Description, error) {
		return nil, fmt.Errorf("reading the columns of %s: %w", quoted(from.Schema, from.Table), err)
	}
	r, err := queryRow(ctx, s.conn, `
		SELECT c.oid, c.relkind::text, pg_catalog.has_table_privilege(c.oid, 'SELECT') OR pg_catalog.has_any_column_privilege(c.oid, 'SELECT'), c.reltuples::bigint,
			pg_catalog.has_schema_privilege(n.oid, 'USAGE'), coalesce(pg_catalog.obj_description(c.oid, 'pg_class'), ''),
			c.relkind <> 'p' AND EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhparent = c.oid)
		FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = $1 AND c.relname = $2`, from.Schema, from.Table)
	if errors.Is(err, errNoRow) {
		return wrap(s.notThere(ctx, from))
	}
	if err != nil {
		return wrap(err)
	}
	oid, kind, readable := r.text(0), r.text(1), r.truth(2)
	switch {
	case kind != "r" && kind != "p" && kind != "v" && kind != "m" && kind != "f":
		return wrap(fmt.Errorf("it is not a table or view (relkind %q)", kind))
	case !r.truth(4):
		return wrap(fmt.Errorf("the role may not use its schema: GRANT USAGE ON SCHEMA %s TO the connection's role", quoted(from.Schema)))
	case !readable:
		return wrap(fmt.Errorf("the role may not read it: GRANT SELECT ON %s TO the connection's role", quoted(from.Schema, from.Table)))
	}
	f, err := s.columns(ctx, oid, from, declared)
	if err != nil {
		return wrap(err)
	}
	d := Description{Schema: schema.Table{Identity: oid, Columns: f.columns, Skipped: f.skipped, Comment: r.text(5)}, EstimatedRows: r.number(3), Warnings: f.warnings}
	if r.err != nil {
		return wrap(r.err)
	}
	if d.Schema.Origin, err = s.origin(ctx, from); err != nil {
		return wrap(err)
	}
	if d.PrimaryKey, err = s.primaryKey(ctx, oid); err != nil {
		return wrap(err)
	}
	if len(key) == 0 {
		key = d.PrimaryKey
	}
	if d.Schema.Key, err = targetKey(f, key); err != nil {
		return wrap(err)
	}
	heirs := r.truth(6) // over whose rows its indexes do not hold (PostgreSQL documentation, "Inheritance", "Caveats")
	if d.KeyUnique = !heirs && len(key) > 0 && slices.Equal(key, d.PrimaryKey); !heirs && !d.KeyUnique {
		if d.KeyUnique, err = s.unique(ctx, oid, key); err != nil {
			return wrap(err)
		}
	}
	return &d, nil
}

func (s *Snapshot) notThere(ctx context.Context, from *spec.DatabaseSource) error {
	rows, err := query(ctx, s.conn, `
		SELECT n.nspname || '.' || c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
		ORDER BY 1 LIMIT 5000`)
	if err != nil {
		return err
	}
	names := make([]string, len(rows))
	for i := range rows {
		names[i] = rows[i].text(0)
	}
	if near := spec.Nearest(from.Schema+"."+from.Table, names); near != "" {
		return fmt.Errorf("there is no such table; did you mean %s? Names are exact, case included", near)
	}
	return fmt.Errorf("there is no such table among the %d of the database that the role can see; names are exact, case included", len(names))
}

// targetKey is a key by the names that its columns have in the lake.
func targetKey(f *found, key []string) ([]string, error) {
	var out []string
	for _, name := range key {
		there := false
		for _, c := range f.columns {
			if c.Source.Name == name {
				out, there = append(out, c.Name), true
			}
		}
		if !there {
			if slices.ContainsFunc(f.skipped, func(c schema.SourceColumn) bool { return c.Name == name }) {
				return nil, fmt.Errorf("column %q is part of its primary key, and columns skips it: leave out skip, or name other columns that identify a row as primary_key", name)
			}
			names := make([]string, len(f.columns))
			for i, c := range f.columns {
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
