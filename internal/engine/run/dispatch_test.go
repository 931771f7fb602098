package run_test

import (
	"errors"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/run"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
)

// A table whose connection its cadence no longer names fails by name; the others land.
func TestConnectionThatTheCadenceDoesNotName(t *testing.T) {
	t.Parallel()
	l := newLake(t, `CREATE TABLE a (id int)`, `CREATE TABLE b (id int)`)
	l.add("b")
	connection, err := l.tracking.Connection(t.Context(), "db")
	l.must(err)
	connection.Name = "other"
	l.must(l.tracking.CreateConnection(t.Context(), connection))
	table := l.source("a")
	table.Source.Database.Connection = "other"
	l.must(l.tracking.CreateTable(t.Context(), table, sandbox.Account))
	outcomes, err := l.runner().Dispatch(t.Context(), "c")
	var failed *run.FailedError
	if !errors.As(err, &failed) || len(failed.Failed) != 1 || failed.Of != 2 {
		t.Fatalf("%v, %+v", err, outcomes)
	}
	const want = `the cadence "c" does not name the connection "other" of the source table "shop.a": add it to the cadence's connections and apply`
	if got := failed.Failed[0].Err.Error(); got != want {
		t.Errorf("the error is %q, want %q", got, want)
	}
	l.equal("b")
	cadence, err := l.tracking.Cadence(t.Context(), "c")
	l.must(err)
	cadence.Connections = append(cadence.Connections, "other")
	l.must(l.tracking.UpdateCadence(t.Context(), cadence))
	_, err = l.runner().Dispatch(t.Context(), "c")
	l.must(err)
	l.equal("a", "b")
}
