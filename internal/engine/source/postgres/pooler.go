package postgres

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// sessionMark is a setting of our own with which each session is marked, and the key of the mark in a connection's
	// data. A session that lacks its mark is another one.
	sessionMark = "lakeland.session"
	// probes is how often a second session looks for the first one's mark: a pooler that takes its server sessions in
	// turn shows it within as many as it holds, or gives the first session another one behind them.
	probes = 8
	// probeTimeout bounds the waiting for a pooler without a free server session.
	probeTimeout = 5 * time.Second
)

const readMark = "coalesce(pg_catalog.current_setting('" + sessionMark + "', true), '')"

var errPooled = errors.New("the connection goes through a pooler that gives each transaction another session of the server (PgBouncer with pool_mode = transaction or statement, or a proxy like it), so neither settings nor snapshots hold: " +
	"connect to the server itself, or to a pool with pool_mode = session")

// pin gives a session its settings and its mark, and refuses one that a pooler shares out.
func pin(ctx context.Context, conn *pgconn.PgConn, config *pgconn.Config) error {
	random := make([]byte, 16)
	if _, err := rand.Read(random); err != nil {
		return fmt.Errorf("making a mark for the session: %w", err)
	}
	mark := hex.EncodeToString(random)
	if err := untime(ctx, conn); err != nil {
		return err
	}
	results, err := conn.Exec(ctx, pinned+"; SET "+sessionMark+" = '"+mark+"'; SELECT pg_catalog.pg_backend_pid()").ReadAll()
	if err != nil {
		return err
	}
	conn.CustomData()[sessionMark] = mark
	last := results[len(results)-1]
	if len(last.Rows) == 1 && string(last.Rows[0][0]) == fmt.Sprint(conn.PID()) {
		return nil // who answers is who greeted: nothing stands between
	}
	shared, err := isShared(ctx, conn, config, mark)
	if err == nil && shared {
		err = errPooled
	}
	return err
}

// isShared looks whether what stands between shares the server's session out: whether a second session comes upon the
// first one's mark, or the first loses it while the second is in a transaction. Where no second session can be had the
// answer is no: checkMark decides then, in each transaction.
func isShared(ctx context.Context, conn *pgconn.PgConn, config *pgconn.Config, mark string) (bool, error) {
	limited, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	second, err := pgconn.ConnectConfig(limited, config)
	if err != nil {
		return false, ctx.Err()
	}
	defer closeSession(ctx, second)
	for range probes {
		r, err := queryRow(limited, second, "SELECT "+readMark)
		if err != nil {
			return false, fmt.Errorf("looking for a pooler: %w", err)
		}
		if r.text(0) == mark {
			return true, nil
		}
	}
	if err := execute(limited, second, "BEGIN"); err != nil {
		return false, fmt.Errorf("looking for a pooler: %w", err)
	}
	r, err := queryRow(limited, conn, "SELECT "+readMark)
	if err == nil {
		err = execute(limited, second, "ROLLBACK") // a session goes back as it came
	}
	if err != nil {
		return false, fmt.Errorf("looking for a pooler: %w", err)
	}
	return r.text(0) != mark, nil
}

// checkMark refuses a transaction that runs in another session than the connection was given.
func checkMark(conn *pgconn.PgConn, found string) error {
	if mark, _ := conn.CustomData()[sessionMark].(string); mark == "" || found != mark {
		return errPooled
	}
	return nil
}
