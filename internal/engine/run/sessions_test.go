package run_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/jackc/pgx/v5"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/run"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// reader is a role that may read wide, on as many sessions at once as a limit says, with which the engine logs in.
func (m *many) reader(limit int) string {
	m.t.Helper()
	role := strings.ReplaceAll(m.sb.NewName(m.t), "-", "_")
	m.sql(fmt.Sprintf(`CREATE ROLE %q LOGIN CONNECTION LIMIT %d PASSWORD 'p'`, role, limit), fmt.Sprintf(`GRANT SELECT ON wide TO %q`, role))
	m.t.Cleanup(func() { m.sqlAfter(fmt.Sprintf(`DROP OWNED BY %q`, role), fmt.Sprintf(`DROP ROLE %q`, role)) })
	_, err := m.clients.Secrets.PutSecretValue(m.t.Context(), &secretsmanager.PutSecretValueInput{SecretId: aws.String(m.secret), SecretString: aws.String(`{"username":"` + role + `","password":"p"}`)})
	m.must(err)
	return role
}

// most watches how many sessions of a role there are behind each batch.
func (m *many) most(role string) (watch func(int), most *int) {
	m.t.Helper()
	most = new(int)
	lock := make(chan struct{}, 1)
	if m.looking == nil {
		config, err := pgx.ParseConfig(m.db.ConnString)
		m.must(err)
		config.Database = "postgres" // where it takes none of the sessions that are counted
		m.looking, err = pgx.ConnectConfig(m.t.Context(), config)
		m.must(err)
		m.t.Cleanup(func() { _ = m.looking.Close(context.Background()) })
	}
	return func(int) {
		lock <- struct{}{}
		defer func() { <-lock }()
		var now int
		if err := m.looking.QueryRow(m.t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE usename = $1`, role).Scan(&now); err != nil {
			m.t.Error(err) // on a unit's goroutine, which must go on
		}
		*most = max(*most, now)
	}, most
}

// A run opens as many sessions as the connection, the role, the database and the server allow, whichever is least, and
// lands the table with those.
func TestSessionsKeepToTheLimits(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	server := l.ownServer(map[string]string{"max_connections": "12", "superuser_reserved_connections": "3", "max_wal_senders": "2"})
	l.on(server)
	m := l.many()
	for _, tc := range []struct {
		name                 string
		connection, role, db int
		taken                int
		units                int
	}{
		{"the connection's", 3, -1, -1, 0, 3},
		{"the role's", 8, 2, -1, 0, 2},
		{"one of the role's", 8, 1, -1, 0, 1},
		{"the database's", 8, -1, 3, 0, 3},
		{"the server's", 8, -1, -1, 6, 3},
	} {
		m.change()
		role := m.reader(tc.role)
		m.reconnect(func(c *spec.Connection) { c.MaxConnections = tc.connection })
		m.sql(fmt.Sprintf(`ALTER DATABASE %q CONNECTION LIMIT %d`, m.db.Name, tc.db))
		var taken []*pgx.Conn
		for range tc.taken {
			conn, err := pgx.Connect(t.Context(), server.ConnString("postgres"))
			m.must(err)
			taken = append(taken, conn)
		}
		watch, most := m.most(role)
		r := m.manyRunner(nil, watch)
		r.Executor.(*run.Local).Parallel = 10
		out := r.Table(t.Context(), "shop.wide")
		for _, conn := range taken {
			m.must(conn.Close(t.Context()))
		}
		if out.Err != nil {
			t.Fatalf("%s: %v", tc.name, out.Err)
		}
		if *most > tc.units || *most == 0 {
			t.Errorf("%s: %d sessions were open at once, and %d may be", tc.name, *most, tc.units)
		}
		m.settled(tc.name, out)
	}
}

// A limit that comes down while a run is under way, as when others take what there was, costs the run sessions and no row.
// Where not one is left beside the one that holds the snapshot, the run fails and says what it lacked, and the next one
// reads in one session.
func TestSessionsAreRefusedInTheMiddle(t *testing.T) {
	t.Parallel()
	m := newMany(t)
	for _, limit := range []int{2, 1} {
		m.change()
		role := m.reader(-1)
		var log bytes.Buffer
		r := m.manyRunner(&log, func(n int) {
			if n != 1 {
				return
			}
			// Those that read end, the holder of the snapshot being the oldest, and others are asked for.
			m.sql(fmt.Sprintf(`ALTER ROLE %q CONNECTION LIMIT %d`, role, limit))
			deadline := time.Now().Add(time.Minute)
			for ended := 0; ended < 2; {
				if time.Now().After(deadline) {
					t.Errorf("%d sessions of readers were to end, and 2 are at work", ended)
					return
				}
				var now int
				m.query(&now, fmt.Sprintf(`SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_stat_activity WHERE usename = '%s' ORDER BY backend_start OFFSET 1) readers`, role))
				ended += now
			}
		})
		r.Executor.(*run.Local).Parallel = 3
		files := len(m.objects("raw/wide/data/"))
		out := r.Table(t.Context(), "shop.wide")
		if !strings.Contains(log.String(), "the source grants no further session") {
			t.Errorf("with a limit of %d none was refused: %s", limit, log.String())
		}
		if limit == 1 {
			m.fails("no session beside the snapshot's", out, files, "a run needs one session, and more to read faster")
			m.lands("in one session")
			continue
		}
		m.must(out.Err)
		m.settled(fmt.Sprintf("a limit of %d in the middle", limit), out)
	}
}
