package postgres_test

import (
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// turns counts how often a client begins to speak to a server: the round trips that its statements take.
type turns struct {
	port  int
	count atomic.Int64
}

func newTurns(t *testing.T, to string) *turns {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	w := &turns{port: listener.Addr().(*net.TCPAddr).Port}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", to)
			if err != nil {
				_ = client.Close()
				return
			}
			var clientSpoke atomic.Bool
			go func() {
				defer func() { _ = server.Close() }()
				_, _ = io.Copy(io.MultiWriter(heard(func() {
					if !clientSpoke.Swap(true) {
						w.count.Add(1)
					}
				}), server), client)
			}()
			go func() {
				defer func() { _ = client.Close() }()
				_, _ = io.Copy(io.MultiWriter(heard(func() { clientSpoke.Store(false) }), client), server)
			}()
		}
	}()
	return w
}

// heard is called with whatever passes.
type heard func()

func (h heard) Write(p []byte) (int, error) {
	h()
	return len(p), nil
}

// 1,500 tables take about as many round trips as one: their number does not matter, but for what does not fit into one packet.
func TestDiscoverManyTables(t *testing.T) {
	t.Parallel()
	const many = 1500
	c, login, execute := database(t)
	var statements strings.Builder
	for i := range many {
		fmt.Fprintf(&statements, `CREATE TABLE t%04d (id int PRIMARY KEY, a text, b numeric(10,2), c timestamptz, d int[]);`, i)
	}
	execute(statements.String())
	watched := *c
	wire := newTurns(t, net.JoinHostPort(c.Host, strconv.Itoa(c.Port)))
	watched.Host, watched.Port = "127.0.0.1", wire.port
	one := discover(t, &watched, login, "public.t0001")
	first := wire.count.Load()
	all := discover(t, &watched, login)
	if second := wire.count.Load() - first; len(one.Tables) != 1 || len(all.Tables) != many || first == 0 || second > first+8 {
		t.Errorf("%d tables took %d round trips, %d took %d", len(one.Tables), first, len(all.Tables), second)
	}
	for i, found := range all.Tables {
		if want := fmt.Sprintf("t%04d", i); found.Table != want || len(found.Columns) != 5 || found.Columns[2].LakeType != "decimal(10,2)" || found.PrimaryKey[0] != "id" {
			t.Fatalf("table %d is %+v", i, found)
		}
	}
}

// A selection that is too wide is refused before anything of its tables is read.
func TestDiscoverIsBounded(t *testing.T) {
	t.Parallel()
	if err := spec.CheckTableCount(spec.MaxDiscoveredTables); err != nil {
		t.Error(err)
	}
	if err := spec.CheckTableCount(spec.MaxDiscoveredTables + 1); err == nil || !strings.Contains(err.Error(), "20001 tables are meant, and at most 20000 fit into one discovery: narrow include") {
		t.Error(err)
	}
	c, login, _ := database(t)
	if d := discover(t, c, login); len(d.Tables) != 0 {
		t.Errorf("an empty database holds %+v", d.Tables)
	}
	wrong := login
	wrong.Password = "sesame"
	if _, err := postgres.Begin(t.Context(), c, wrong); err == nil || strings.Contains(err.Error(), "sesame") {
		t.Errorf("a wrong password: %v", err)
	}
}
