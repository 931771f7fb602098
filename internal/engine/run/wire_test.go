package run_test

import (
	"io"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// wire carries the connections between engine and database server, and does harm to some.
type wire struct {
	listener net.Listener
	server   string
	// harm is called for the n-th connection, from 1 on, once the server has sent after bytes through it.
	after int64
	harm  func(n int, c *carried)
	count atomic.Int32

	mu   sync.Mutex
	open []*carried
	all  sync.WaitGroup
}

// carried is one connection that a wire carries.
type carried struct{ client, server net.Conn }

// cut ends the connection as a broken network does.
func (c *carried) cut() {
	_ = c.client.(*net.TCPConn).SetLinger(0)
	_ = c.client.Close()
	_ = c.server.Close()
}

// end ends the connection as if both sides had wanted it.
func (c *carried) end() {
	_ = c.client.Close()
	_ = c.server.Close()
}

// newWire carries connections to a server until the test ends.
func newWire(t *testing.T, host string, port int, after int64, harm func(n int, c *carried)) *wire {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{listener: listener, server: net.JoinHostPort(host, strconv.Itoa(port)), after: after, harm: harm}
	w.all.Go(w.accept)
	t.Cleanup(func() {
		_ = listener.Close()
		w.mu.Lock()
		open := w.open
		w.mu.Unlock()
		for _, c := range open {
			c.end()
		}
		w.all.Wait()
	})
	return w
}

func (w *wire) port() int { return w.listener.Addr().(*net.TCPAddr).Port }

func (w *wire) accept() {
	for {
		client, err := w.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", w.server)
		if err != nil {
			_ = client.Close()
			continue
		}
		c, n := &carried{client, server}, int(w.count.Add(1))
		w.mu.Lock()
		w.open = append(w.open, c)
		w.mu.Unlock()
		w.all.Go(func() {
			_, _ = io.Copy(server, client)
			_ = server.(*net.TCPConn).CloseWrite()
		})
		w.all.Go(func() {
			if _, err := io.CopyN(client, server, w.after); err == nil {
				w.harm(n, c)
				_, _ = io.Copy(client, server)
			}
			_ = client.(*net.TCPConn).CloseWrite()
		})
	}
}

// through has the engine reach the source by a wire.
func (l *lake) through(after int64, harm func(n int, c *carried)) *wire {
	l.t.Helper()
	var w *wire
	l.reconnect(func(c *spec.Connection) {
		w = newWire(l.t, c.Host, c.Port, after, harm)
		c.Port = w.port()
	})
	return w
}

// reconnect changes the connection's document.
func (l *lake) reconnect(edit func(*spec.Connection)) {
	l.t.Helper()
	c, err := l.tracking.Connection(l.t.Context(), "db")
	l.must(err)
	edit(c)
	l.must(l.tracking.UpdateConnection(l.t.Context(), c))
}
