package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// openTransactions computes the window of horizon transactions: the cursor is set by the database's clock inside the
// transaction that writes the row, so a row that is not seen yet has a cursor no less than the start of a transaction
// that is open now, or than the clock now. That rests on the order. First the clock t0, then the start A of the oldest
// open transaction, then the prepared ones, only then the snapshot: a transaction that is shown to have begun behind the
// first reading is not older than t0; one that was shown as open at the second is not older than A; one that was prepared
// by then is still there at the third, or has committed and is seen.
//
// It proves nothing of a transaction that has begun and is not shown yet: a session takes the clock for its transaction
// (SetCurrentStatementTimestamp) before it shows that it has one (pgstat_report_xact_timestamp), and one that is held up
// between the two while t0 and A are read and the snapshot is taken has a cursor older than both. The lookback is for that:
// docs/modes.md says so, and no order of readings ends it.
func openTransactions(ctx context.Context, w *Window) error {
	recovering, err := inRecovery(ctx, w.conn())
	if err != nil {
		return err
	}
	if recovering {
		return errInRecovery
	}
	clock, err := serverClock(ctx, w.conn())
	if err != nil {
		return err
	}
	w.request.pause("clock")
	if err := mayWatch(ctx, w.conn()); err != nil {
		return err
	}
	caps := []time.Time{clock}
	w.Longest = new(time.Duration)
	oldest, err := oldestTransaction(ctx, w.conn())
	if err != nil {
		return err
	}
	if oldest != nil {
		caps = append(caps, *oldest)
		w.Longest = age(clock, *oldest)
	}
	w.request.pause("oldest")
	prepared, err := preparedTransactions(ctx, w.conn())
	if err != nil {
		return err
	}
	if prepared != "" {
		w.Warnings = append(w.Warnings, fmt.Sprintf("the position stays where it is while transactions are prepared, whose start the server does not tell: %s; commit or roll them back if nobody will", prepared))
	}
	w.request.pause("prepared")
	t, err := w.begin(ctx)
	if err != nil {
		return err
	}
	if t.root.kind == "m" {
		return errors.New("horizon \"transactions\" needs rows that appear with the transaction that wrote them, and a materialized view's appear when it is refreshed: read its table, or use mode \"full\"")
	}
	if leaf, ok := t.foreign(); ok {
		return fmt.Errorf("horizon \"transactions\" needs tables of this server, and %s lies on another: connect to that, or use horizon \"lookback\"", leaf.name)
	}
	return w.openCursor(ctx, horizonTransactions, caps, prepared != "")
}

func inRecovery(ctx context.Context, conn *pgconn.PgConn) (bool, error) {
	r, err := queryRow(ctx, conn, "SELECT pg_catalog.pg_is_in_recovery()")
	if err != nil {
		return false, fmt.Errorf("asking whether the server is a replica: %w", err)
	}
	return r.truth(0), nil
}

func serverClock(ctx context.Context, conn *pgconn.PgConn) (time.Time, error) {
	r, err := queryRow(ctx, conn, "SELECT (extract(epoch FROM pg_catalog.clock_timestamp()) * 1000000)::bigint")
	if err != nil {
		return time.Time{}, fmt.Errorf("reading the server's clock: %w", err)
	}
	return time.UnixMicro(r.number(0)).UTC(), r.err
}

// canWatch says whether the server shows this role the transactions of others.
func canWatch(ctx context.Context, conn *pgconn.PgConn) (allowed, tracked bool, err error) {
	r, err := queryRow(ctx, conn, "SELECT pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE'), pg_catalog.current_setting('track_activities') = 'on'")
	if err != nil {
		return false, false, fmt.Errorf("asking what the role may see: %w", err)
	}
	return r.truth(0), r.truth(1), nil
}

func mayWatch(ctx context.Context, conn *pgconn.PgConn) error {
	allowed, tracked, err := canWatch(ctx, conn)
	switch {
	case err != nil:
		return err
	case !allowed:
		return errors.New("horizon \"transactions\" needs to see when the transactions of others began: GRANT pg_read_all_stats TO the connection's role, or use horizon \"xmin\"")
	case !tracked:
		return errHidden
	default:
		return nil
	}
}

var errHidden = errors.New("horizon \"transactions\" needs to see when transactions began, and the server does not track it: set track_activities = on for every role and database, or use horizon \"xmin\"")

// oldestTransaction is when the oldest open transaction of this database began, or nil when there is none. A session that
// has shown its statement and not yet its transaction counts from its statement. Autovacuum writes no rows of tables and
// may run for days. A session for which nothing is tracked is an error: it may have begun at any time.
func oldestTransaction(ctx context.Context, conn *pgconn.PgConn) (*time.Time, error) {
	r, err := queryRow(ctx, conn, `
		SELECT coalesce((extract(epoch FROM min(coalesce(xact_start, CASE WHEN state = 'active' THEN query_start END))) * 1000000)::bigint::text, ''), coalesce(bool_or(state = 'disabled'), false)
		FROM pg_catalog.pg_stat_activity
		WHERE datname = pg_catalog.current_database() AND pid <> pg_catalog.pg_backend_pid() AND backend_type <> 'autovacuum worker'`)
	if err != nil {
		return nil, fmt.Errorf("reading the start of the oldest open transaction: %w", err)
	}
	if r.truth(1) {
		return nil, errHidden
	}
	if r.text(0) == "" {
		return nil, nil
	}
	oldest := time.UnixMicro(r.number(0)).UTC()
	return &oldest, r.err
}

// preparedTransactions lists the transactions of this database that are prepared, "" when there is none.
func preparedTransactions(ctx context.Context, conn *pgconn.PgConn) (string, error) {
	r, err := queryRow(ctx, conn, "SELECT coalesce(pg_catalog.string_agg(pg_catalog.quote_literal(gid), ', ' ORDER BY prepared, gid), '') FROM pg_catalog.pg_prepared_xacts WHERE database = pg_catalog.current_database()")
	if err != nil {
		return "", fmt.Errorf("reading the prepared transactions: %w", err)
	}
	return r.text(0), nil
}

func age(now, since time.Time) *time.Duration {
	d := max(now.Sub(since), 0)
	return &d
}
