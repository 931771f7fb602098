package postgres

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/process"
)

const (
	host = "127.0.0.1"
	// DefaultUser is the superuser's name when Options.User is empty.
	DefaultUser = "lakeland"

	readyLimit    = 60 * time.Second
	stopGrace     = 30 * time.Second
	killGrace     = 10 * time.Second
	connectLimit  = 10 * time.Second
	randomSecrets = 24 // bytes
)

// Options configure a Server.
type Options struct {
	// Installation is the directory of a PostgreSQL installation: bin, lib and share.
	Installation string
	// User is the superuser; empty means DefaultUser.
	User string
	// Settings are put over the server's configuration, for example {"max_connections": "20"}. With "ssl" off the server
	// speaks without TLS.
	Settings map[string]string
	// Locales is a folder of locales as localedef compiles them, which the server looks for there (locale(7), LOCPATH); empty
	// means those of the system. The server's user must be able to read it.
	Locales string
}

// Server is a running PostgreSQL server.
type Server struct {
	installation string
	user         string
	password     string
	port         int
	authority    []byte
	plain        bool
	locales      string
	scratch      *process.Scratch
	layout       layout
	credential   *process.Credential

	mu    sync.Mutex
	child *process.Process
}

// Start initialises a cluster and starts its server on a free port. Run by root, which PostgreSQL refuses
// to run as, the server gets another user.
func Start(ctx context.Context, options Options) (*Server, error) {
	scratch, err := process.NewScratch("postgres")
	if err != nil {
		return nil, err
	}
	s := &Server{user: options.User, plain: options.Settings["ssl"] == "off", locales: options.Locales, scratch: scratch, layout: layout{directory: scratch.Path()}}
	if s.user == "" {
		s.user = DefaultUser
	}
	if err := s.start(ctx, options); err != nil {
		return nil, errors.Join(fmt.Errorf("starting PostgreSQL: %w", err), s.Stop())
	}
	return s, nil
}

func (s *Server) start(ctx context.Context, options Options) error {
	var err error
	if s.credential, err = serverCredential(); err != nil {
		return err
	}
	if s.installation, err = reachableInstallation(options.Installation, s.layout, s.credential); err != nil {
		return err
	}
	if s.password, err = randomPassword(); err != nil {
		return err
	}
	if s.authority, err = s.layout.writeTLS(s.credential); err != nil {
		return err
	}
	if err := s.layout.writeConfiguration(options.Settings); err != nil {
		return err
	}
	if err := s.initialise(ctx); err != nil {
		return err
	}
	return process.OnFreePort(ctx, func(port int) error {
		s.port = port
		return s.launch(ctx)
	})
}

// initialise runs initdb.
func (s *Server) initialise(ctx context.Context) error {
	passwordFile, err := s.layout.writePassword(s.password, s.credential)
	if err != nil {
		return err
	}
	err = process.Run(ctx, process.Command{
		Name: "initdb",
		Path: filepath.Join(s.installation, "bin", "initdb"),
		Args: []string{
			"--pgdata", s.layout.data(), "--username", s.user, "--pwfile", passwordFile, "--auth", "scram-sha-256",
			"--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync",
		},
		Dir:        s.layout.directory,
		Env:        serverEnvironment,
		Credential: s.credential,
	})
	if err != nil {
		return fmt.Errorf("initialising a cluster in %s: %w%s", s.layout.data(), err, hint(err))
	}
	return s.layout.removePassword()
}

// launch starts the server on the port chosen before and waits until it takes connections.
func (s *Server) launch(ctx context.Context) error {
	environment := serverEnvironment
	if s.locales != "" {
		environment = append(slices.Clone(environment), "LOCPATH="+s.locales)
	}
	child, err := process.Start(process.Command{
		Name: "PostgreSQL",
		Path: filepath.Join(s.installation, "bin", "postgres"),
		Args: []string{
			"-D", s.layout.data(), "-c", "config_file=" + s.layout.configuration(), "-c", "hba_file=" + s.layout.access(),
			"-h", host, "-p", strconv.Itoa(s.port), "-k", s.layout.sockets(),
		},
		Dir:        s.layout.directory,
		Env:        environment,
		Credential: s.credential,
		StopSignal: syscall.SIGINT, // the fast shutdown: sessions are ended, data is written
		// The immediate shutdown: its backends are in process groups of their own, only it can end them.
		DeathSignal: syscall.SIGQUIT,
	})
	if err != nil {
		return err
	}
	if err := child.Ready(ctx, readyLimit, s.probe); err != nil {
		return errors.Join(err, crash(child))
	}
	s.mu.Lock()
	s.child = child
	s.mu.Unlock()
	return nil
}

// probe connects the way clients do. Another server that took the port has another password.
func (s *Server) probe(ctx context.Context) error {
	if !s.layout.acceptsConnections() {
		return errors.New("it has not reported that it takes connections")
	}
	return s.with(ctx, "postgres", func(context.Context, *pgx.Conn) error { return nil })
}

// with runs a function on a connection of its own.
func (s *Server) with(ctx context.Context, database string, use func(context.Context, *pgx.Conn) error) (err error) {
	ctx, cancel := context.WithTimeout(ctx, connectLimit)
	defer cancel()
	connection, err := pgx.Connect(ctx, s.ConnString(database))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, connection.Close(context.WithoutCancel(ctx))) }()
	return use(ctx, connection)
}

// CreateDatabase creates an empty database.
func (s *Server) CreateDatabase(ctx context.Context, name string) error {
	return s.execute(ctx, "creating", "CREATE DATABASE "+pgx.Identifier{name}.Sanitize(), name)
}

// DropDatabase drops a database and ends the sessions in it.
func (s *Server) DropDatabase(ctx context.Context, name string) error {
	return s.execute(ctx, "dropping", "DROP DATABASE IF EXISTS "+pgx.Identifier{name}.Sanitize()+" WITH (FORCE)", name)
}

func (s *Server) execute(ctx context.Context, doing, statement, database string) error {
	err := s.with(ctx, "postgres", func(ctx context.Context, connection *pgx.Conn) error {
		_, err := connection.Exec(ctx, statement)
		return err
	})
	if err != nil {
		return fmt.Errorf("%s database %q: %w", doing, database, err)
	}
	return nil
}

// Stop shuts the server down and removes all its files. It may be called more than once.
func (s *Server) Stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	if s.child != nil {
		err = s.child.Stop(stopGrace)
		s.child = nil
	}
	return errors.Join(err, s.scratch.Close())
}

// Kill ends the server at once, without a checkpoint, as a crash does. Its files stay: Restart recovers
// them, Stop removes them.
func (s *Server) Kill() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.child == nil {
		return nil
	}
	child := s.child
	s.child = nil
	return crash(child)
}

// crash has the server end its backends at once and end itself. Killed outright it would leave them behind, and its
// segment of shared memory.
func crash(child *process.Process) error {
	if err := child.Signal(syscall.SIGQUIT); err != nil {
		return errors.Join(err, child.Kill())
	}
	timer := time.NewTimer(killGrace)
	defer timer.Stop()
	select {
	case <-child.Done():
		return nil
	case <-timer.C:
		return child.Kill()
	}
}

// Restart starts the server again on the same port and data, after shutting it down where it runs.
func (s *Server) Restart(ctx context.Context) error {
	s.mu.Lock()
	child := s.child
	s.child = nil
	s.mu.Unlock()
	if child != nil {
		if err := child.Stop(stopGrace); err != nil {
			return err
		}
	}
	if err := s.launch(ctx); err != nil {
		return fmt.Errorf("restarting PostgreSQL on port %d: %w", s.port, err)
	}
	return nil
}

// ConnString is the address of a database for the superuser, with TLS and verification of the server where it has TLS.
func (s *Server) ConnString(database string) string {
	query := url.Values{"sslmode": {"verify-full"}, "sslrootcert": {s.layout.authority()}}
	if s.plain {
		query = url.Values{"sslmode": {"disable"}}
	}
	address := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(s.user, s.password),
		Host:     net.JoinHostPort(host, strconv.Itoa(s.port)),
		Path:     "/" + database,
		RawQuery: query.Encode(),
	}
	return address.String()
}

// Host is the address that the server listens on. The certificate is for it and for "localhost".
func (s *Server) Host() string { return host }

// Port is the port that the server listens on.
func (s *Server) Port() int { return s.port }

// User is the superuser's name.
func (s *Server) User() string { return s.user }

// Password is the superuser's password.
func (s *Server) Password() string { return s.password }

// CA is the certificate of the authority that signed the server's certificate, in PEM.
func (s *Server) CA() []byte { return append([]byte(nil), s.authority...) }

// CAFile is a file that holds CA, for as long as the server is not stopped.
func (s *Server) CAFile() string { return s.layout.authority() }

// SocketDirectory is where the server's Unix socket lies. It is empty, and the server has none, where the
// directory for temporary files has so long a path that a socket below it could not be opened.
func (s *Server) SocketDirectory() string { return s.layout.sockets() }

// PID is the process id of the server, 0 when it does not run.
func (s *Server) PID() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.child == nil {
		return 0
	}
	return s.child.PID()
}

func randomPassword() (string, error) {
	secret := make([]byte, randomSecrets)
	if _, err := rand.Read(secret); err != nil {
		return "", fmt.Errorf("making a password: %w", err)
	}
	return hex.EncodeToString(secret), nil
}
