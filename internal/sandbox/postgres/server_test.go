package postgres

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/toolchain"
)

func installation(t *testing.T, version string) string {
	t.Helper()
	tools, err := toolchain.New(toolchain.Options{})
	if err != nil {
		t.Fatal(err)
	}
	directory, err := tools.Postgres(t.Context(), version)
	if err != nil {
		t.Fatal(err)
	}
	return directory
}

func startServer(t *testing.T, options Options) *Server {
	t.Helper()
	if options.Installation == "" {
		options.Installation = installation(t, toolchain.Postgres17)
	}
	server, err := Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	return server
}

func query[T any](t *testing.T, address, statement string) T {
	t.Helper()
	connection, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close(t.Context()) }()
	var result T
	if err := connection.QueryRow(t.Context(), statement).Scan(&result); err != nil {
		t.Fatal(err)
	}
	return result
}

func TestVersions(t *testing.T) {
	t.Parallel()
	for _, version := range []string{toolchain.Postgres13, toolchain.Postgres17, toolchain.Postgres18} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			server := startServer(t, Options{Installation: installation(t, version)})
			if got := query[string](t, server.ConnString("postgres"), "SHOW server_version"); got != strings.TrimSuffix(version, ".0") {
				t.Errorf("the server is PostgreSQL %s", got)
			}
		})
	}
}

func TestServer(t *testing.T) {
	t.Parallel()
	server := startServer(t, Options{User: "the owner", Settings: map[string]string{"max_connections": "20", "search_path": `public, "a'b"`}})

	t.Run("settings", func(t *testing.T) {
		t.Parallel()
		for name, want := range map[string]string{
			"max_connections": "20", "search_path": `public, "a'b"`, "max_prepared_transactions": "10", "wal_level": "logical",
			"server_encoding": "UTF8", "TimeZone": "UTC", "listen_addresses": "127.0.0.1", "ssl": "on",
		} {
			if got := query[string](t, server.ConnString("postgres"), "SHOW "+name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		if got := query[string](t, server.ConnString("postgres"), "SELECT current_user"); got != "the owner" {
			t.Errorf("the user is %s", got)
		}
	})

	t.Run("the connection is verified TLS", func(t *testing.T) {
		t.Parallel()
		const version = "SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
		if got := query[string](t, server.ConnString("postgres"), version); got != "TLSv1.3" {
			t.Errorf("TLS is %s", got)
		}
		config := parse(t, server.ConnString("postgres"))
		if config.TLSConfig.InsecureSkipVerify || config.TLSConfig.ServerName != server.Host() {
			t.Error("the connection string does not verify the server")
		}
		stranger := startStranger(t)
		config.TLSConfig.RootCAs = stranger
		connection, err := pgx.ConnectConfig(t.Context(), config)
		if err == nil {
			_ = connection.Close(t.Context())
			t.Fatal("a server that another authority signed for was accepted")
		}
		var unknown x509.UnknownAuthorityError
		if !errors.As(err, &unknown) {
			t.Errorf("got %v", err)
		}
	})

	t.Run("localhost is in the certificate too", func(t *testing.T) {
		t.Parallel()
		config := parse(t, server.ConnString("postgres"))
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(server.CA()) {
			t.Fatal("CA is no certificate")
		}
		config.TLSConfig = &tls.Config{ServerName: "localhost", RootCAs: roots, MinVersion: tls.VersionTLS12}
		connection, err := pgx.ConnectConfig(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		_ = connection.Close(t.Context())
	})

	t.Run("plaintext is refused", func(t *testing.T) {
		t.Parallel()
		address := strings.Replace(server.ConnString("postgres"), "verify-full", "disable", 1)
		refused(t, address, "28000", "no encryption")
	})

	t.Run("a wrong password is refused", func(t *testing.T) {
		t.Parallel()
		refused(t, strings.Replace(server.ConnString("postgres"), server.Password(), "wrong", 1), "28P01", "")
	})

	t.Run("the socket takes the password", func(t *testing.T) {
		t.Parallel()
		if server.SocketDirectory() == "" {
			t.Skip("the path of the directory for temporary files is too long for sockets")
		}
		account := url.UserPassword(server.User(), server.Password())
		address := fmt.Sprintf("postgres://%s@/postgres?host=%s&port=%d", account, url.QueryEscape(server.SocketDirectory()), server.Port())
		if got := query[bool](t, address, "SELECT inet_client_addr() IS NULL"); !got {
			t.Error("the connection is not on the socket")
		}
		refused(t, strings.Replace(address, server.Password(), "wrong", 1), "28P01", "")
	})

	t.Run("databases", func(t *testing.T) {
		t.Parallel()
		const name = `odd "name"`
		if err := server.CreateDatabase(t.Context(), name); err != nil {
			t.Fatal(err)
		}
		if got := query[string](t, server.ConnString(name), "SELECT current_database()"); got != name {
			t.Errorf("connected to %s", got)
		}
		var duplicate *pgconn.PgError
		if err := server.CreateDatabase(t.Context(), name); !errors.As(err, &duplicate) || !strings.Contains(err.Error(), "creating database") {
			t.Errorf("creating it twice: %v", err)
		}
		if err := server.DropDatabase(t.Context(), name); err != nil {
			t.Error(err)
		}
	})
}

func parse(t *testing.T, address string) *pgx.ConnConfig {
	t.Helper()
	config, err := pgx.ParseConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	return config
}

// startStranger returns the roots of an authority that signed nothing.
func startStranger(t *testing.T) *x509.CertPool {
	t.Helper()
	authority, _, _, err := newCertificates(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	return roots
}

func refused(t *testing.T, address, code, text string) {
	t.Helper()
	connection, err := pgx.Connect(t.Context(), address)
	if err == nil {
		_ = connection.Close(t.Context())
		t.Fatal("the connection was accepted")
	}
	var refusal *pgconn.PgError
	if !errors.As(err, &refusal) || refusal.Code != code || !strings.Contains(refusal.Message, text) {
		t.Errorf("got %v", err)
	}
}

func TestServersAreApart(t *testing.T) {
	t.Parallel()
	first, second := startServer(t, Options{}), startServer(t, Options{})
	if first.Port() == second.Port() || first.Password() == second.Password() || string(first.CA()) == string(second.CA()) {
		t.Error("two servers share a port, a password or an authority")
	}
	const identifier = "SELECT system_identifier::text FROM pg_control_system()"
	if query[string](t, first.ConnString("postgres"), identifier) == query[string](t, second.ConnString("postgres"), identifier) {
		t.Error("two servers share a system identifier")
	}
}

func TestStopLeavesNothing(t *testing.T) {
	t.Parallel()
	server := startServer(t, Options{})
	busy(t, server)
	processes := descendants(t, server.PID())
	if len(processes) < 3 {
		t.Fatalf("the server has only the processes %v", processes)
	}
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	allGone(t, processes)
	if _, err := os.Stat(server.scratch.Path()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its directory is still there: %v", err)
	}
	if err := server.Stop(); err != nil {
		t.Errorf("stopping twice: %v", err)
	}
}

func TestKillAndRestart(t *testing.T) {
	t.Parallel()
	server := startServer(t, Options{})
	address := server.ConnString("postgres")
	execute(t, address, "CREATE TABLE orders AS SELECT generate_series(1, 1000) AS id")
	busy(t, server)
	processes := descendants(t, server.PID())
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	allGone(t, processes)
	if server.PID() != 0 {
		t.Error("a killed server has a process id")
	}
	for _, how := range []string{"after a crash", "while it runs"} {
		if err := server.Restart(t.Context()); err != nil {
			t.Fatalf("restarting %s: %v", how, err)
		}
		if got := query[int](t, address, "SELECT count(*)::int FROM orders"); got != 1000 {
			t.Errorf("restarted %s, the table has %d rows", how, got)
		}
	}
}

func TestStartFailureSaysWhy(t *testing.T) {
	t.Parallel()
	server, err := Start(t.Context(), Options{
		Installation: installation(t, toolchain.Postgres17), Settings: map[string]string{"max_connections": "many"},
	})
	if err == nil {
		_ = server.Stop()
		t.Fatal("it started")
	}
	for _, part := range []string{
		"starting PostgreSQL: ", "ended before it was ready (exit status 1)", `invalid value for parameter "max_connections"`,
	} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error lacks %q: %v", part, err)
		}
	}
	if _, err := Start(t.Context(), Options{Installation: t.TempDir()}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without an installation: %v", err)
	}
}

func execute(t *testing.T, address, statement string) {
	t.Helper()
	connection, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close(t.Context()) }()
	if _, err := connection.Exec(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// busy occupies the server with a statement that does not end by itself.
func busy(t *testing.T, server *Server) {
	t.Helper()
	connection, err := pgx.Connect(t.Context(), server.ConnString("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = connection.Exec(ctx, "SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b")
		_ = connection.Close(ctx)
	}()
	t.Cleanup(func() { cancel(); <-ended })
	eventually(t, "a busy session", func() bool {
		return query[int](t, server.ConnString("postgres"),
			"SELECT count(*)::int FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid()") == 1
	})
}

func eventually(t *testing.T, what string, check func() bool) {
	t.Helper()
	const patience = 20 * time.Second
	for deadline := time.Now().Add(patience); !check(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", patience, what)
		}
	}
}

// descendants are a process and its children.
func descendants(t *testing.T, pid int) []int {
	t.Helper()
	found := []int{pid}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		child, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if fields := status(child); len(fields) > 1 && fields[1] == strconv.Itoa(pid) {
			found = append(found, child)
		}
	}
	return found
}

// status is a process's state, its parent and more, nil when there is no such process.
func status(pid int) []string {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	_, rest, _ := strings.Cut(string(content), ") ")
	return strings.Fields(rest)
}

// allGone waits until the processes have ended; what only waits to be reaped has.
func allGone(t *testing.T, pids []int) {
	t.Helper()
	eventually(t, fmt.Sprintf("the end of the processes %v", pids), func() bool {
		for _, pid := range pids {
			if fields := status(pid); fields != nil && fields[0] != "Z" && fields[0] != "X" {
				return false
			}
		}
		return true
	})
}
