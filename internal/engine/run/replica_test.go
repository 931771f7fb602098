package run_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	sandboxpostgres "github.com/lakeland/terraform-provider-lakeland/internal/sandbox/postgres"
)

// replica is a server in recovery from which a lake's table is read, while it is written on the primary.
type replica struct {
	*many
	*sandboxpostgres.Server
}

// newReplica makes the table wide on a primary that cleans up nothing by itself, and has the engine read from its replica,
// which puts its primary's changes before its readers.
func newReplica(t *testing.T) *replica {
	t.Helper()
	l := newLake(t)
	primary := l.ownServer(map[string]string{"autovacuum": "off"})
	l.on(primary)
	server, err := primary.Replica(t.Context(), map[string]string{"max_standby_streaming_delay": "0", "max_standby_archive_delay": "0"})
	l.must(err)
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	r := &replica{many: l.many(), Server: server}
	l.connectTo(server)
	return r
}

// ask reads one value from the replica.
func (r *replica) ask(into any, statement string, arguments ...any) {
	r.t.Helper()
	conn, err := pgx.Connect(r.t.Context(), r.ConnString(r.db.Name))
	r.must(err)
	defer func() { _ = conn.Close(r.t.Context()) }()
	r.must(conn.QueryRow(r.t.Context(), statement, arguments...).Scan(into))
}

// until waits until the replica has what the primary has, or is kept from it by those who read.
func (r *replica) until(conflicts bool) {
	r.t.Helper()
	var written string
	r.query(&written, `SELECT pg_current_wal_lsn()::text`)
	last := ""
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		var now string
		r.ask(&now, `SELECT pg_last_wal_replay_lsn() || CASE WHEN pg_last_wal_replay_lsn() >= $1::pg_lsn THEN ' there' WHEN pg_last_wal_receive_lsn() >= $1::pg_lsn THEN ' held' ELSE ' underway' END`, written)
		if strings.HasSuffix(now, "there") || conflicts && strings.HasSuffix(now, "held") && now == last {
			return // it has all, or does not come on with what it has
		}
		last = now
		time.Sleep(20 * time.Millisecond)
	}
	r.t.Error("the replica does not come after its primary")
}

// conflict removes rows on the primary that readers of the replica still see.
func (r *replica) conflict() {
	r.t.Helper()
	r.sql(`DELETE FROM wide WHERE id IN (SELECT id FROM wide ORDER BY id LIMIT 100)`, `VACUUM wide`)
	r.until(true)
}

// A replica is read in one session. What its recovery takes away from under a reader is read anew, under a view that is
// whole; where that happens every time, the run fails, says what to set, and leaves nothing.
func TestRecoveryConflicts(t *testing.T) {
	t.Parallel()
	r := newReplica(t)
	r.until(false)
	r.lands("undisturbed")

	for _, step := range []int{1, 3} {
		r.change()
		r.until(false)
		var log bytes.Buffer
		most := 0
		runner := r.manyRunner(&log, func(n int) {
			var now int
			r.ask(&now, `SELECT count(*) FROM pg_stat_activity WHERE application_name = 'lakeland'`)
			if most = max(most, now); n == step {
				r.conflict()
			}
		})
		out := runner.Table(t.Context(), "shop.wide")
		if out.Err != nil || !strings.Contains(log.String(), "it is read anew, under a new view") || most != 1 {
			t.Fatalf("behind batch %d: %v, %d sessions, %s", step, out.Err, most, log.String())
		}
		r.settled(fmt.Sprintf("a conflict behind batch %d", step), out)
	}

	r.change()
	r.until(false)
	files := len(r.objects("raw/wide/data/"))
	out := r.manyRunner(nil, func(int) { r.conflict() }).Table(t.Context(), "shop.wide")
	r.fails("conflicts without end", out, files, "conflict with recovery")
	for _, want := range []string{"hot_standby_feedback", "max_standby_streaming_delay", "tried 6 times"} {
		if out.Err != nil && !strings.Contains(out.Err.Error(), want) {
			t.Errorf("the error lacks %q: %v", want, out.Err)
		}
	}
	r.until(false)
	r.lands("when the conflicts are over")
}
