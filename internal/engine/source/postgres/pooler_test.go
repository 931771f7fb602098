package postgres_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// A pooler that shares sessions out by transactions is refused by name; one that keeps a session for each client is not.
func TestPoolersByTransactionAreNamed(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		pooler  *pooler
		refused bool
	}{
		{"the session last used first", &pooler{sessions: 3}, true},
		{"sessions in turn", &pooler{sessions: 3, inTurn: true}, true},
		{"more sessions than are probed, in turn", &pooler{sessions: 12, inTurn: true}, true},
		{"one session", &pooler{sessions: 1}, true},
		{"under the server's own ids, in turn", &pooler{sessions: 2, inTurn: true, ownIDs: true}, true},
		{"a session a client", &pooler{sessions: 3, whole: true}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, sandbox.ForTest(t, sandbox.Postgres).Postgres())
			p.session().sql(timedTable, `INSERT INTO t VALUES (1, 'a')`)
			through := tc.pooler.start(t, p)
			// Under the server's own ids a session seems the server's until a transaction runs in another one.
			if conn, err := postgres.Connect(t.Context(), through, p.login); err == nil {
				_ = conn.Close(t.Context())
				if tc.refused && !tc.pooler.ownIDs {
					t.Error("a session was opened")
				}
			}
			s, err := postgres.Begin(t.Context(), through, p.login)
			if err == nil {
				defer s.Close(t.Context())
				request := requestOf(t, p.connection, p.login, "t", "id")
				request.Snapshot = s.ID
				var out *postgres.Extracted
				out, err = postgres.Extract(t.Context(), through, p.login, request, func(*column.Batch) error { return nil })
				if err == nil && out.Rows != 1 {
					t.Errorf("%d rows were read", out.Rows)
				}
			}
			if tc.refused != (err != nil && strings.Contains(err.Error(), "PgBouncer with pool_mode = transaction")) || !tc.refused && err != nil {
				t.Errorf("got %v", err)
			}
		})
	}
}

// pooler is as much of PgBouncer as shows what pooling does: it holds sessions with the server and gives one to a client
// for a transaction, or for as long as the client stays.
type pooler struct {
	sessions int
	inTurn   bool // otherwise the session that was used last
	ownIDs   bool // tells clients the server's process ids
	whole    bool // keeps a session for the client

	mu   sync.Mutex
	turn *sync.Cond
	free []*pgconn.HijackedConn
}

// start runs the pooler in front of a place until the test ends and returns the connection through it.
func (p *pooler) start(t *testing.T, to *place) *spec.Connection {
	t.Helper()
	p.turn = sync.NewCond(&p.mu)
	var closing []net.Conn
	for range p.sessions {
		conn, err := pgconn.Connect(t.Context(), to.server.ConnString(to.connection.Database))
		if err != nil {
			t.Fatal(err)
		}
		held, err := conn.Hijack()
		if err != nil {
			t.Fatal(err)
		}
		p.free, closing = append(p.free, held), append(closing, held.Conn)
	}
	config, authority := certificate(t)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var clients sync.WaitGroup
	var mu sync.Mutex
	clients.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			closing = append(closing, conn)
			mu.Unlock()
			clients.Go(func() { p.serve(conn, config) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		mu.Lock()
		for _, conn := range closing {
			_ = conn.Close()
		}
		mu.Unlock()
		clients.Wait()
	})
	through := *to.connection
	through.Port, through.TLS.CA = listener.Addr().(*net.TCPAddr).Port, authority
	return &through
}

func (p *pooler) take() *pgconn.HijackedConn {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.free) == 0 {
		p.turn.Wait()
	}
	at := len(p.free) - 1
	if p.inTurn {
		at = 0
	}
	taken := p.free[at]
	p.free = append(p.free[:at], p.free[at+1:]...)
	return taken
}

func (p *pooler) give(s *pgconn.HijackedConn) {
	p.mu.Lock()
	p.free = append(p.free, s)
	p.mu.Unlock()
	p.turn.Signal()
}

// serve speaks with a client: TLS, a login without a password, then messages to and from the session it has.
func (p *pooler) serve(conn net.Conn, config *tls.Config) {
	defer func() { _ = conn.Close() }()
	greeting := pgproto3.NewBackend(conn, conn)
	if message, err := greeting.ReceiveStartupMessage(); err != nil {
		return
	} else if _, ok := message.(*pgproto3.SSLRequest); !ok {
		return
	}
	if _, err := conn.Write([]byte("S")); err != nil {
		return
	}
	secure := tls.Server(conn, config)
	client := pgproto3.NewBackend(secure, secure)
	if _, err := client.ReceiveStartupMessage(); err != nil {
		return
	}
	id := uint32(4_000_000_000)
	if p.ownIDs {
		p.mu.Lock()
		id = p.free[0].PID // of the session that the client gets first
		p.mu.Unlock()
	}
	client.Send(&pgproto3.AuthenticationOk{})
	client.Send(&pgproto3.BackendKeyData{ProcessID: id, SecretKey: []byte{1, 2, 3, 4}})
	client.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	if client.Flush() != nil {
		return
	}
	var held *pgconn.HijackedConn
	defer func() {
		if held != nil {
			p.give(held)
		}
	}()
	for {
		message, err := client.Receive()
		if err != nil {
			return
		}
		if _, ok := message.(*pgproto3.Terminate); ok {
			return
		}
		if held == nil {
			held = p.take()
		}
		held.Frontend.Send(message)
		switch message.(type) {
		case *pgproto3.Query, *pgproto3.Sync:
		default:
			continue
		}
		if held.Frontend.Flush() != nil {
			return
		}
		for {
			answer, err := held.Frontend.Receive()
			if err != nil {
				return
			}
			client.Send(answer)
			ready, ok := answer.(*pgproto3.ReadyForQuery)
			if !ok {
				continue
			}
			if ready.TxStatus == 'I' && !p.whole {
				p.give(held)
				held = nil
			}
			break
		}
		if client.Flush() != nil {
			return
		}
	}
}

// certificate is a server's for 127.0.0.1, signed by itself.
func certificate(t *testing.T) (*tls.Config, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "a pooler"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}, string(authority)
}
