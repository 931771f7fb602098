// Package postgres reads tables of PostgreSQL servers: their columns, a consistent view of them, and their rows
// by COPY in binary form, decoded field by field straight into column vectors.
package postgres

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// connectTimeout bounds the opening of a connection, TLS and authentication included.
const connectTimeout = 15 * time.Second

// Credentials log a connection in. They are never written anywhere.
type Credentials struct {
	Username, Password string
}

// String keeps the password out of every message.
func (Credentials) String() string { return "(credentials)" }

// GoString keeps the password out of every message.
func (Credentials) GoString() string { return "(credentials)" }

// pinned are the settings that every session has, whatever server, database and role say: the same row always
// comes out as the same bytes, and a policy that would hide rows is an error. The statement's time-out comes first: a role's
// own may be shorter than the rest takes. Two of the time-outs came with PostgreSQL 14 and 17, and naming one that a server
// does not know is an error there, so those that it knows are asked for.
const pinned = `SET statement_timeout = 0; ` +
	`SELECT pg_catalog.set_config(name, '0', false) FROM pg_catalog.pg_settings WHERE name IN ('idle_session_timeout', 'transaction_timeout'); ` +
	`SET row_security = off; SET search_path = ''; SET timezone = 'UTC'; SET datestyle = 'ISO, YMD'; ` +
	`SET intervalstyle = 'iso_8601'; SET extra_float_digits = 1; SET client_encoding = 'UTF8'; ` +
	`SET lock_timeout = '30s'; SET idle_in_transaction_session_timeout = 0; ` +
	`SET default_transaction_read_only = on; SET bytea_output = 'hex'; SET application_name = 'lakeland'`

// Connect opens a session. The caller closes it.
func Connect(ctx context.Context, c *spec.Connection, as Credentials) (*pgconn.PgConn, error) {
	config, err := pgconn.ParseConfig("")
	if err != nil {
		return nil, fmt.Errorf("preparing the connection %q: %w", c.Name, err)
	}
	if config.TLSConfig, err = tlsConfig(c); err != nil {
		return nil, fmt.Errorf("preparing the connection %q: %w", c.Name, err)
	}
	config.Host, config.Port, config.Database = c.Host, uint16(c.Port), c.Database
	config.User, config.Password = as.Username, as.Password
	config.Fallbacks, config.RuntimeParams, config.ConnectTimeout = nil, map[string]string{}, connectTimeout
	config.DialFunc = dialGathering
	conn, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connecting to the database %q at %s:%d: %w", c.Database, c.Host, c.Port, explain(err))
	}
	if err := pin(ctx, conn, config); err != nil {
		_ = conn.Close(context.WithoutCancel(ctx))
		return nil, fmt.Errorf("setting up a session with the database %q at %s:%d: %w", c.Database, c.Host, c.Port, err)
	}
	return conn, nil
}

// untime switches a role's own statement_timeout off. It may be so short that it ends the very statement that does so,
// which is tried again then.
func untime(ctx context.Context, conn *pgconn.PgConn) error {
	const tries = 10
	for try := 1; ; try++ {
		err := execute(ctx, conn, "SET statement_timeout = 0")
		var server *pgconn.PgError
		if !errors.As(err, &server) || server.Code != "57014" || try == tries {
			return err
		}
	}
}

// Plaintext is the mode of a connection without TLS. No document may say it; the command line may, to a server on the
// same machine or by choice.
const Plaintext = "disable"

func tlsConfig(c *spec.Connection) (*tls.Config, error) {
	if c.TLS.Mode == Plaintext {
		return nil, nil
	}
	config := &tls.Config{ServerName: c.Host, MinVersion: tls.VersionTLS12}
	if c.TLS.CA != "" {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM([]byte(c.TLS.CA)) {
			return nil, errors.New("tls.ca holds no certificate")
		}
	}
	switch c.TLS.Mode {
	case "verify-full":
	case "verify-ca":
		roots := config.RootCAs
		config.InsecureSkipVerify = true //nolint:gosec // the chain is checked below, the name on purpose not
		config.VerifyConnection = func(state tls.ConnectionState) error {
			if len(state.PeerCertificates) == 0 {
				return errors.New("the server showed no certificate")
			}
			between := x509.NewCertPool()
			for _, certificate := range state.PeerCertificates[1:] {
				between.AddCert(certificate)
			}
			_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between})
			return err
		}
	case "require":
		config.InsecureSkipVerify = true //nolint:gosec // what the mode says, chosen by name
	default:
		return nil, fmt.Errorf("tls.mode %q is not known", c.TLS.Mode)
	}
	return config, nil
}

// explain adds the next step to errors that many meet.
func explain(err error) error {
	var (
		unknown x509.UnknownAuthorityError
		name    x509.HostnameError
		invalid x509.CertificateInvalidError
		server  *pgconn.PgError
		lookup  *net.DNSError
		timeout net.Error
	)
	if errors.As(err, &server) {
		return explainRefusal(err, server.Code)
	}
	switch {
	case errors.As(err, &unknown):
		return fmt.Errorf("%w: the server's certificate descends from no trusted one: give the authority's certificates as tls.ca (Amazon RDS publishes a bundle per Region)", err)
	case errors.As(err, &name):
		return fmt.Errorf("%w: connect by a name that the server's certificate has, or use tls.mode = \"verify-ca\"", err)
	case errors.As(err, &invalid):
		return fmt.Errorf("%w: renew the server's certificate, or correct tls.ca", err)
	case errors.As(err, &lookup):
		return fmt.Errorf("%w: check the connection's host, and that the job's network resolves it", err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%w: nothing listens there: check the connection's host and port, and that the server runs", err)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("%w: the server did not answer: check routes and security groups between the job and the server", err)
	default:
		return err
	}
}

// explainRefusal adds the next step to what the server itself answers to a login.
func explainRefusal(err error, code string) error {
	switch code {
	case "28P01", "28000":
		return fmt.Errorf("%w: check username and password in the connection's secret, and pg_hba.conf", err)
	case "3D000":
		return fmt.Errorf("%w: check the connection's database", err)
	case "42501":
		return fmt.Errorf("%w: GRANT CONNECT on the database to the connection's role", err)
	case "53300":
		return fmt.Errorf("%w: a run needs one session, and more to read faster: free some, or raise the role's or the database's CONNECTION LIMIT or the server's max_connections", err)
	case "57P03":
		return fmt.Errorf("%w: the server is starting, stopping or recovering: the next run tries again", err)
	default:
		return err
	}
}

// AuthenticationFailed reports whether the opening of a session failed because the login was refused, as it is
// when a password was rotated.
func AuthenticationFailed(err error) bool {
	var (
		opening *pgconn.ConnectError
		server  *pgconn.PgError
	)
	return errors.As(err, &opening) && errors.As(err, &server) && (server.Code == "28P01" || server.Code == "28000")
}

// SessionError is a failure of a session with the source, not of what was done with its rows.
type SessionError struct{ Err error }

func (e *SessionError) Error() string { return e.Err.Error() }

// Unwrap returns the failure.
func (e *SessionError) Unwrap() error { return e.Err }

// Interrupted reports whether a session failed for a reason that is its own and not its query's: the connection
// broke, the server ended it, or a standby's recovery needed what it was reading (PostgreSQL documentation,
// "Handling Query Conflicts").
//
// A refusal because there are too many sessions is none: see TooManySessions.
func Interrupted(err error) bool {
	var session *SessionError
	if !errors.As(err, &session) {
		return false
	}
	var server *pgconn.PgError
	if errors.As(err, &server) {
		switch server.Code {
		case "57P01", "57P02", "57P03", "57P05", "40001", "08000", "08003", "08006":
			return true
		}
		return false
	}
	var network net.Error
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.As(err, &network)
}

// TooManySessions reports whether the server refused to open a session because it, the database or the role has as many
// as are allowed.
func TooManySessions(err error) bool {
	var (
		opening *pgconn.ConnectError
		server  *pgconn.PgError
	)
	return errors.As(err, &opening) && errors.As(err, &server) && server.Code == "53300"
}
