package postgres

import (
	"strings"
	"testing"

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
