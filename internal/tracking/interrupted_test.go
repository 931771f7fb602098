package tracking_test

import (
	"errors"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
	"github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

// What an apply began to create and did not finish can be created anew, even with other values.
func TestCreationsThatWereInterruptedGoOn(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	ctx := t.Context()
	must(t, s.CreateConnection(ctx, connection("db")))
	stored, err := s.Stored(ctx, spec.KindConnection, "db")
	must(t, err)
	if !stored.Unfinished {
		t.Error("a creation that is not finished is not marked")
	}
	other := connection("db")
	other.Host = "elsewhere.example.com"
	must(t, s.CreateConnection(ctx, other))
	must(t, s.Finish(ctx, spec.KindConnection, "db"))
	must(t, s.Finish(ctx, spec.KindConnection, "db"))
	var exists *tracking.ExistsError
	if err := s.CreateConnection(ctx, connection("db")); !errors.As(err, &exists) {
		t.Errorf("a finished one was taken: %v", err)
	}
	if c, err := s.Connection(ctx, "db"); err != nil || c.Host != other.Host {
		t.Errorf("it is %+v, %v", c, err)
	}
	must(t, s.CreateConnection(ctx, other))
	must(t, s.UpdateConnection(ctx, connection("db")))
	if stored, err := s.Stored(ctx, spec.KindConnection, "db"); err != nil || stored.Unfinished {
		t.Errorf("an update leaves the mark: %+v, %v", stored, err)
	}
}

// A removal that was interrupted leaves a mark, which refuses new users; removing goes on, and an update that keeps
// the thing takes the mark away.
func TestRemovalsThatWereInterrupted(t *testing.T) {
	t.Parallel()
	s, f := newStore(t)
	ctx := t.Context()
	must(t, s.CreateConnection(ctx, connection("db")))
	f.fail = once("DeleteItem")
	if err := s.DeleteConnection(ctx, "db"); err == nil {
		t.Fatal("nothing interrupted it")
	}
	stored, err := s.Stored(ctx, spec.KindConnection, "db")
	must(t, err)
	var missing *tracking.MissingError
	if err := s.CreateCadence(ctx, cadence("hourly", "db")); !stored.Leaving || !errors.As(err, &missing) {
		t.Errorf("%+v gets a new user: %v", stored, err)
	}
	must(t, s.UpdateConnection(ctx, connection("db")))
	must(t, s.CreateCadence(ctx, cadence("hourly", "db")))
	must(t, s.DeleteCadence(ctx, "hourly"))
	f.fail = once("DeleteItem")
	if err := s.DeleteConnection(ctx, "db"); err == nil {
		t.Fatal("nothing interrupted it")
	}
	must(t, s.DeleteConnection(ctx, "db"))
	if _, err := s.Stored(ctx, spec.KindConnection, "db"); !errors.Is(err, tracking.ErrNotFound) {
		t.Errorf("it is still there: %v", err)
	}
}

// An update that comes between a removal's mark and its deletion keeps the thing.
func TestRemovalLosesToAnUpdate(t *testing.T) {
	t.Parallel()
	s, f := newStore(t)
	ctx := t.Context()
	must(t, s.CreateConnection(ctx, connection("db")))
	f.before = func(call string) {
		if call == "DeleteItem" {
			must(t, s.UpdateConnection(ctx, connection("db")))
		}
	}
	if err := s.DeleteConnection(ctx, "db"); err == nil {
		t.Error("what was updated meanwhile was removed")
	}
	f.before = nil
	if _, err := s.Connection(ctx, "db"); err != nil {
		t.Error(err)
	}
}

// An update gives a table back what was taken of its target, unless another has it.
func TestOwnershipThatWasLostIsMended(t *testing.T) {
	t.Parallel()
	s, f := newStore(t)
	ctx := t.Context()
	must(t, s.CreateConnection(ctx, connection("db")))
	must(t, s.CreateCadence(ctx, cadence("hourly", "db")))
	doc := table("a", "hourly", "s3://lake/a/", "a")
	must(t, s.CreateTable(ctx, doc, account))
	owners := func(want string) {
		t.Helper()
		location, entry, err := s.Owners(ctx, doc, account)
		if err != nil || location != want || entry != "a" {
			t.Errorf("the location belongs to %q, the entry to %q, %v", location, entry, err)
		}
	}
	owners("a")
	f.remove(t, s, "target", "s3://lake/a/")
	owners("")
	must(t, s.UpdateTable(ctx, doc, account))
	owners("a")
	f.remove(t, s, "target", "s3://lake/a/")
	must(t, s.CreateTable(ctx, table("b", "hourly", "s3://lake/a/", "b"), account))
	var owned *tracking.OwnedError
	if err := s.UpdateTable(ctx, doc, account); !errors.As(err, &owned) || owned.Owner != "b" {
		t.Errorf("a target that another has was taken: %v", err)
	}
}
