package postgres_test

import (
	"testing"

	sandboxpostgres "github.com/lakeland/terraform-provider-lakeland/internal/sandbox/postgres"
)

// A server in recovery is read on one connection, by the horizons that hold there.
func TestStandby(t *testing.T) {
	t.Parallel()
	primary := ownServer(t)
	home := newPlace(t, primary)
	home.newFeed(byXmin, timedTable, `INSERT INTO t VALUES (1, 'a'), (2, 'b')`, `BEGIN`, `INSERT INTO t VALUES (3, 'prepared')`, `PREPARE TRANSACTION 'p'`, `INSERT INTO t VALUES (4, 'd')`)
	first := standbyOf(t, primary)
	away := func(s *sandboxpostgres.Server) *place { return placeOn(t, s, home.connection.Database) }

	byNumber := away(first).newFeed(byXmin)
	w := byNumber.round()
	if w.Snapshot.ID != "" {
		t.Errorf("a snapshot of a server in recovery was exported: %s", w.Snapshot.ID)
	}
	byNumber.expect("xmin, with a transaction that is prepared", "")
	onFirst := byNumber.request.From
	byWidth := away(first).newFeed(byLookback)
	if w := byWidth.round(); w.Longest != nil {
		t.Errorf("the longest transaction of a replica is %s", *w.Longest)
	}
	byWidth.expect("lookback", "")
	away(first).newFeed(byTransactions).fails("the server is a replica", "xmin")

	back := home.newFeed(byXmin, `COMMIT PREPARED 'p'`, `UPDATE t SET v = 'changed' WHERE id = 1`, `INSERT INTO t VALUES (5, 'e')`)
	back.request.From, back.rows = onFirst, byNumber.rows
	back.round()
	back.expect("a position of the replica goes on at its primary", "")

	second := standbyOf(t, primary)
	later := away(second).newFeed(byXmin)
	later.request.From, later.rows = onFirst, map[int32]string{1: "a", 2: "b", 4: "d"}
	later.round()
	later.expect("the replica, when it has caught up", "")

	ahead := home.newFeed(byXmin, `INSERT INTO t VALUES (6, 'f')`)
	ahead.round()
	later.request.From = ahead.request.From
	later.fails("a replica that lags")
}

func standbyOf(t *testing.T, primary *sandboxpostgres.Server) *sandboxpostgres.Server {
	t.Helper()
	s, err := primary.Standby(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}
