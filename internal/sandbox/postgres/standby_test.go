package postgres

import (
	"strings"
	"testing"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/toolchain"
)

// A standby has what its primary had when it was copied, in recovery, and the primary goes on where it was.
func TestStandby(t *testing.T) {
	t.Parallel()
	primary := startServer(t, Options{})
	address := primary.ConnString("postgres")
	execute(t, address, "CREATE TABLE orders AS SELECT generate_series(1, 1000) AS id")
	standby, err := primary.Standby(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := standby.Stop(); err != nil {
			t.Error(err)
		}
	})
	execute(t, address, "INSERT INTO orders VALUES (1001)")
	for _, s := range []struct {
		address    string
		rows       int
		recovering bool
	}{{address, 1001, false}, {standby.ConnString("postgres"), 1000, true}} {
		if rows, recovering := query[int](t, s.address, "SELECT count(*)::int FROM orders"), query[bool](t, s.address, "SELECT pg_is_in_recovery()"); rows != s.rows || recovering != s.recovering {
			t.Errorf("%d rows, in recovery %t; want %d, %t", rows, recovering, s.rows, s.recovering)
		}
	}
}

// A replica has what its primary is given, on every version.
func TestReplica(t *testing.T) {
	t.Parallel()
	for _, version := range []string{toolchain.Postgres13, toolchain.Postgres17, toolchain.Postgres18} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			primary := startServer(t, Options{Installation: installation(t, version)})
			replica, err := primary.Replica(t.Context(), map[string]string{"hot_standby_feedback": "on"})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := replica.Stop(); err != nil {
					t.Error(err)
				}
			})
			execute(t, primary.ConnString("postgres"), "CREATE TABLE orders AS SELECT generate_series(1, 1000) AS id")
			deadline := time.Now().Add(20 * time.Second)
			for query[int](t, replica.ConnString("postgres"), "SELECT count(*)::int FROM pg_class WHERE relname = 'orders'") == 0 {
				if time.Now().After(deadline) {
					t.Fatal("nothing reaches the replica")
				}
			}
			if on := query[string](t, replica.ConnString("postgres"), "SHOW hot_standby_feedback"); on != "on" {
				t.Errorf("hot_standby_feedback is %s", on)
			}
		})
	}
}

// Without pg_resetwal the next transaction cannot be set, and the server goes on.
func TestSetNextXIDNeedsItsProgram(t *testing.T) {
	t.Parallel()
	server := startServer(t, Options{Installation: installation(t, toolchain.Postgres17)})
	if err := server.SetNextXID(t.Context(), 1<<30); err == nil || !strings.Contains(err.Error(), "pg_resetwal") {
		t.Errorf("got %v", err)
	}
	if got := query[int](t, server.ConnString("postgres"), "SELECT 1"); got != 1 {
		t.Errorf("got %d", got)
	}
}
