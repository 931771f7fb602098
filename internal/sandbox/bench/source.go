package bench

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/postgres"
)

//go:embed tables.sql
var tables string

const database = "bench"

// rows are those of the tables as tables.sql makes them.
var rows = map[string]int{"trips": 5_000_000, "orders": 2_000_000}

// settings are for reading what lies in memory: nothing else may use the two cores meanwhile. Tools connect over TCP, as
// from a job, and without TLS, which not every one of them can leave out of its figures otherwise.
var settings = map[string]string{
	"ssl":            "off",
	"shared_buffers": "2GB", "jit": "off", "autovacuum": "off", "max_parallel_workers_per_gather": "0", "fsync": "off", "synchronous_commit": "off",
	"full_page_writes": "off", "max_wal_size": "4GB", "checkpoint_timeout": "1h",
}

// source is a server with the two tables.
type source struct {
	server  *postgres.Server
	control *pgx.Conn
	// resident is how many processes the server has while nobody but the benchmark is connected.
	resident int
}

// load starts a server and makes the tables, with scale times their rows.
func load(ctx context.Context, installation string, scale float64) (_ *source, err error) {
	server, err := postgres.Start(ctx, postgres.Options{Installation: installation, Settings: settings})
	if err != nil {
		return nil, err
	}
	s := &source{server: server}
	defer func() {
		if err != nil {
			_ = s.close()
		}
	}()
	if err := server.CreateDatabase(ctx, database); err != nil {
		return nil, err
	}
	if s.control, err = pgx.Connect(ctx, server.ConnString(database)); err != nil {
		return nil, fmt.Errorf("connecting to the benchmark's server: %w", err)
	}
	script := tables
	for _, n := range rows {
		script = strings.ReplaceAll(script, strconv.Itoa(n), strconv.Itoa(int(float64(n)*scale)))
	}
	for statement := range strings.SplitSeq(script, ";\n") {
		if strings.TrimSpace(statement) == "" {
			continue
		}
		if _, err := s.control.PgConn().Exec(ctx, statement).ReadAll(); err != nil {
			return nil, fmt.Errorf("making the benchmark's tables: %w in %.80q", err, statement)
		}
	}
	time.Sleep(time.Second) // what was used to make the tables ends
	s.resident, err = s.children()
	return s, err
}

// children counts the server's processes below its first (proc(5), /proc/pid/task/tid/children).
func (s *source) children() (int, error) {
	list, err := os.ReadFile(fmt.Sprintf("/proc/%[1]d/task/%[1]d/children", s.server.PID()))
	if err != nil {
		return 0, fmt.Errorf("counting the server's processes: %w", err)
	}
	return len(strings.Fields(string(list))), nil
}

func (s *source) close() error {
	if s.control != nil {
		_ = s.control.Close(context.Background())
	}
	return s.server.Stop()
}

// environment is libpq's.
func (s *source) environment() []string {
	return []string{
		"PGHOST=" + s.server.Host(), "PGSSLMODE=disable", "PGPORT=" + strconv.Itoa(s.server.Port()), "PGUSER=" + s.server.User(), "PGPASSWORD=" + s.server.Password(),
		"PGDATABASE=" + database, "BENCH_URL=" + s.server.ConnString(database),
	}
}

// columns lists a table's columns as SQL that every peer can read: what some have no type for is cast to text.
func (s *source) columns(ctx context.Context, table string) (string, error) {
	var list string
	err := s.control.QueryRow(ctx, `SELECT string_agg(CASE WHEN format_type(atttypid, NULL) IN ('uuid', 'jsonb') THEN format('%1$I::text AS %1$I', attname) ELSE quote_ident(attname) END, ', ' ORDER BY attnum)
		FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0`, "public."+table).Scan(&list)
	if err != nil {
		return "", fmt.Errorf("listing the columns of %s: %w", table, err)
	}
	return list, nil
}

// cpu is the time that the server's ended sessions have used, once none but the benchmark's own is left.
func (s *source) cpu(ctx context.Context) (time.Duration, error) {
	for {
		var others int
		if err := s.control.QueryRow(ctx, `SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`).Scan(&others); err != nil {
			return 0, fmt.Errorf("waiting for the end of a tool's sessions: %w", err)
		}
		// A session is gone from the view before its process has ended, and only then do its times count.
		if left, err := s.children(); err != nil || others == 0 && left <= s.resident {
			if err != nil {
				return 0, err
			}
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.server.PID()))
	if err != nil {
		return 0, fmt.Errorf("reading the server's times: %w", err)
	}
	// The name in parentheses may hold spaces; behind it come the state and then numbers (proc(5), cutime and cstime).
	_, numbers, _ := strings.Cut(string(content), ") ")
	fields := strings.Fields(numbers)
	var ticks int64
	for _, at := range []int{13, 14} {
		n, err := strconv.ParseInt(fields[at], 10, 64)
		if err != nil {
			return 0, fmt.Errorf("reading the server's times: %w", err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond, nil
}
