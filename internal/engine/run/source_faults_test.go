package run_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/jackc/pgx/v5"
	parquetgo "github.com/parquet-go/parquet-go"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/run"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	sandboxpostgres "github.com/lakeland/terraform-provider-lakeland/internal/sandbox/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// many is a table of some ten units of unitBytes, each of several batches, and what it holds before and after a change.
const (
	unitBytes = 3 << 20
	manyRows  = 120_000
)

// newMany makes a lake with the table wide, which a first run has landed and which has changed since.
func newMany(t *testing.T) *many {
	t.Helper()
	l := newLake(t)
	return l.many()
}

// many is the source table wide of a lake, in two states: the one that was landed last, and the one that it has.
type many struct {
	*lake
	rows       int
	commit     string
	generation int
	// looking counts the sessions of a run, without a session of its own for each look.
	looking *pgx.Conn
}

func (l *lake) many() *many {
	l.t.Helper()
	return l.manyOf(manyRows, `CREATE TABLE wide (id int PRIMARY KEY, generation int NOT NULL, x text)`, `repeat(md5(i::text), 8)`)
}

// manyOf makes the table wide of rows.
func (l *lake) manyOf(rows int, statement, value string) *many {
	l.t.Helper()
	l.sql(statement, fmt.Sprintf(`INSERT INTO wide SELECT i, 0, %s FROM generate_series(1, %d) i`, value, rows), `ANALYZE wide`)
	l.add("wide")
	m := &many{lake: l, rows: rows}
	m.lands("the first run")
	return m
}

// change makes the source's next generation: every tenth row is another, and one more.
func (m *many) change() {
	m.t.Helper()
	m.generation++
	m.sql(fmt.Sprintf(`UPDATE wide SET generation = %d WHERE id %% 10 = %d`, m.generation, m.generation%10), fmt.Sprintf(`INSERT INTO wide VALUES (%d, %d, 'new')`, m.rows+m.generation, m.generation))
}

// manyRunner reads wide in units; batch is called behind the n-th batch that was written, from 1 on.
func (m *many) manyRunner(log *bytes.Buffer, batch func(n int)) *run.Runner {
	w := m.worker()
	var n atomic.Int32
	w.Progress = func(string, int64, int64) {
		if now := n.Add(1); batch != nil {
			batch(int(now))
		}
	}
	r := m.runner()
	r.UnitBytes = unitBytes
	local := &run.Local{Worker: w, Parallel: 2, Pause: 10 * time.Millisecond}
	if log != nil {
		local.Log = slog.New(slog.NewTextHandler(log, nil))
	}
	r.Executor = local
	return r
}

// lands runs the table undisturbed, and checks that it holds the source's rows, each once.
func (m *many) lands(why string) {
	m.t.Helper()
	out := m.manyRunner(nil, nil).Table(m.t.Context(), "shop.wide")
	if out.Err != nil {
		m.t.Fatalf("%s: %v", why, out.Err)
	}
	m.settled(why, out)
}

func (m *many) settled(why string, out run.Outcome) {
	m.t.Helper()
	if got, want := m.seen(), m.there(); got != want {
		m.t.Errorf("%s: the table holds %s, the source %s", why, got, want)
	}
	m.commit = out.Commit
}

// there is what the source holds.
func (m *many) there() (sum string) {
	m.t.Helper()
	m.query(&sum, `SELECT format('%s rows, %s ids, generations %s', count(*), count(DISTINCT id), sum(generation)) FROM wide`)
	return sum
}

// seen is what a reader of the catalogue sees.
func (m *many) seen() string {
	m.t.Helper()
	ids, generations, rows := map[int64]bool{}, int64(0), 0
	d := &landing{lake: m.lake, name: "wide"}
	metadata, err := d.metadata()
	m.must(err)
	files, _, err := d.filesOf(metadata, metadata.Current)
	m.must(err)
	for _, file := range files {
		m.must(d.readFile(file, func(_ int, row parquetgo.Row) {
			ids[row[0].Int64()], generations, rows = true, generations+row[1].Int64(), rows+1
		}))
	}
	return fmt.Sprintf("%d rows, %d ids, generations %d", rows, len(ids), generations)
}

// fails checks that a run has failed for one of the reasons, that nothing of it is to be seen, and nothing is left.
func (m *many) fails(why string, out run.Outcome, files int, reasons ...string) {
	m.t.Helper()
	if out.Err == nil {
		m.t.Fatalf("%s: the run ended well", why)
	}
	found := false
	for _, reason := range reasons {
		found = found || strings.Contains(out.Err.Error(), reason)
	}
	if !found {
		m.t.Errorf("%s: the error has none of %q: %v", why, reasons, out.Err)
	}
	if now := m.head("wide").Commit; now != m.commit {
		m.t.Errorf("%s: a run that failed has committed %s", why, now)
	}
	if now := len(m.objects("raw/wide/data/")); now != files {
		m.t.Errorf("%s: there were %d data files, and are %d", why, files, now)
	}
}

// endSessions ends sessions of the engine with the source: those of units, or the one that holds the snapshot, which was
// the first to begin.
const (
	endHolder = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'lakeland' ORDER BY backend_start LIMIT 1`
	endUnits  = `SELECT array_agg(pg_terminate_backend(pid)::text) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'lakeland' AND query LIKE 'COPY%' AND state = 'active'`
)

// steps are the batches behind which something happens: of the first units, in the middle, and the last ones. Step 0 is
// behind the planning.
var steps = []int{0, 1, 3, 8, 14}

// When the session ends that holds the snapshot, wherever the run is, all that was read is discarded and nothing is
// committed; the next run lands the table.
func TestSnapshotHolderIsEnded(t *testing.T) {
	t.Parallel()
	m := newMany(t)
	for _, step := range steps {
		m.change()
		why, files := fmt.Sprintf("the holder ends behind batch %d", step), len(m.objects("raw/wide/data/"))
		r := m.manyRunner(nil, func(n int) {
			if n == step {
				m.sql(endHolder)
			}
		})
		if step == 0 {
			r.Started = func(string, int64) { m.sql(endHolder) }
		}
		out := r.Table(t.Context(), "shop.wide")
		reasons := []string{"the session that held its snapshot ended, so all that was read under it is discarded"}
		if step == 0 {
			reasons = []string{"terminating connection"}
		}
		m.fails(why, out, files, reasons...)
	}
	m.lands("behind them")
}

// When the session of a unit ends, that unit is read again under the same snapshot, and no row is lost or comes twice.
func TestUnitIsEndedAtAnyStep(t *testing.T) {
	t.Parallel()
	m := newMany(t)
	for step := 1; step <= 2; step++ {
		m.change()
		var log bytes.Buffer
		var ended []string
		r := m.manyRunner(&log, func(n int) {
			if n == step {
				m.query(&ended, endUnits)
			}
		})
		r.UnitBytes = 1 << 30 // one unit, of more than fits between server and engine
		out := r.Table(t.Context(), "shop.wide")
		m.must(out.Err)
		if again := strings.Count(log.String(), "tried again under the same snapshot"); again != len(ended) || again == 0 {
			t.Errorf("behind batch %d %d sessions were ended and %d units read again: %s", step, len(ended), again, log.String())
		}
		m.settled(fmt.Sprintf("units end behind batch %d", step), out)
	}
}

// A TRUNCATE that waits while a unit's session ends does not come in between, where the unit that is read again would find
// no rows: it waits for the session that holds the snapshot. When it gives up, the unit goes on.
func TestTruncateBehindAUnitThatEnds(t *testing.T) {
	t.Parallel()
	m := newMany(t)
	for _, mode := range []string{"full", "incremental"} {
		m.change()
		doc, err := m.tracking.Table(t.Context(), "shop.wide")
		m.must(err)
		doc.Extract.Mode, doc.PrimaryKey, doc.Reload = mode, []string{"id"}, mode
		m.must(m.tracking.UpdateTable(t.Context(), doc, sandbox.Account))
		want := m.there()
		config, err := pgx.ParseConfig(m.db.ConnString)
		m.must(err)
		config.RuntimeParams["application_name"] = "truncating"
		writer, err := pgx.ConnectConfig(t.Context(), config)
		m.must(err)
		truncated := make(chan error, 1)
		waiting := func(others string) (n int) {
			m.query(&n, `SELECT count(*) FROM pg_locks l JOIN pg_stat_activity USING (pid) WHERE NOT granted AND locktype = 'relation' AND datname = current_database() AND application_name = '`+others+`'`)
			return n
		}
		var log bytes.Buffer
		var watching sync.WaitGroup
		r := m.manyRunner(&log, func(n int) {
			if n != 1 {
				return
			}
			go func() {
				_, err := writer.Exec(t.Context(), `TRUNCATE wide`)
				truncated <- err
			}()
			for waiting("truncating") == 0 {
				continue
			}
			var ended []string
			m.query(&ended, endUnits)
			watching.Go(func() { // until the unit that is read again waits behind it too, or it has come in between
				for len(truncated) == 0 && waiting("lakeland") == 0 {
					continue
				}
				m.sql(`SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'truncating'`)
			})
		})
		r.UnitBytes = 1 << 30 // one unit, of more than fits between server and engine; no other reader keeps the table
		out := r.Table(t.Context(), "shop.wide")
		watching.Wait()
		if err := <-truncated; err == nil {
			t.Errorf("%s: the table was emptied while it was read", mode)
		}
		m.must(writer.Close(t.Context()))
		m.must(out.Err)
		if got := m.seen(); got != want || !strings.Contains(log.String(), "tried again under the same snapshot") {
			t.Errorf("%s: the table holds %s, the source held %s; %s", mode, got, want, log.String())
		}
	}
}

// A connection that breaks in the middle of a row is a unit that is read again.
func TestConnectionBreaksInARow(t *testing.T) {
	t.Parallel()
	m := newMany(t)
	for _, after := range []int64{20_001, 700_003, 1_400_009} {
		for name, do := range map[string]func(*carried){"cut": (*carried).cut, "ended": (*carried).end} {
			m.change()
			var log bytes.Buffer
			direct := 0
			w := m.through(after, func(n int, c *carried) {
				if n == 3 {
					do(c)
				}
			})
			out := m.manyRunner(&log, nil).Table(t.Context(), "shop.wide")
			if out.Err != nil || !strings.Contains(log.String(), "tried again under the same snapshot") {
				t.Fatalf("%s behind %d bytes: %v, %s", name, after, out.Err, log.String())
			}
			m.reconnect(func(c *spec.Connection) { direct, c.Port = c.Port, m.sb.Postgres().Port() })
			if direct != w.port() {
				t.Fatalf("the run did not go through the wire")
			}
			m.settled(fmt.Sprintf("%s behind %d bytes", name, after), out)
		}
	}
}

// on moves the lake's source to a server of the test's own.
func (l *lake) on(s *sandboxpostgres.Server) {
	l.t.Helper()
	l.must(s.CreateDatabase(l.t.Context(), l.db.Name))
	l.db.ConnString = s.ConnString(l.db.Name)
	l.connectTo(s)
}

// connectTo has the engine read from a server that has the lake's database.
func (l *lake) connectTo(s *sandboxpostgres.Server) {
	l.t.Helper()
	login, err := json.Marshal(map[string]string{"username": s.User(), "password": s.Password()})
	l.must(err)
	_, err = l.clients.Secrets.PutSecretValue(l.t.Context(), &secretsmanager.PutSecretValueInput{SecretId: aws.String(l.secret), SecretString: aws.String(string(login))})
	l.must(err)
	l.reconnect(func(c *spec.Connection) { c.Host, c.Port, c.TLS.CA = s.Host(), s.Port(), string(s.CA()) })
}

// ownServer is a server of the test's own.
func (l *lake) ownServer(settings map[string]string) *sandboxpostgres.Server {
	l.t.Helper()
	installation, err := l.sb.PostgresInstallation(l.t.Context())
	l.must(err)
	s, err := sandboxpostgres.Start(l.t.Context(), sandboxpostgres.Options{Installation: installation, Settings: settings})
	l.must(err)
	l.t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			l.t.Error(err)
		}
	})
	return s
}

// When the server crashes, the run fails and leaves nothing; the server recovers, and the next run lands the table.
func TestServerCrashesInTheMiddle(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	server := l.ownServer(nil)
	l.on(server)
	m := l.many()
	for name, crash := range map[string]func() error{
		"immediate shutdown": server.Kill,
		"killed":             func() error { return syscall.Kill(server.PID(), syscall.SIGKILL) },
	} {
		for _, step := range []int{1, 9} {
			m.change()
			why, files := fmt.Sprintf("%s behind batch %d", name, step), len(m.objects("raw/wide/data/"))
			var once sync.Once
			out := m.manyRunner(nil, func(n int) {
				if n == step {
					once.Do(func() { m.must(crash()) })
				}
			}).Table(t.Context(), "shop.wide")
			m.fails(why, out, files, "the session that held its snapshot ended", "connection refused", "unexpected EOF", "terminating connection", "the database system is")
			m.recovers(server)
		}
		m.lands("after " + name)
	}
}

// recovers starts a server again that has crashed, once the last of its sessions has noticed.
func (l *lake) recovers(s *sandboxpostgres.Server) {
	l.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		err := s.Restart(l.t.Context())
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			l.t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}
