package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/guard"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
)

// SnapshotAge bounds how long a run reads under one snapshot: until that ends, the server can clean up nothing that
// changed since (PostgreSQL documentation, "Routine Vacuuming"). Zero fields take the defaults.
type SnapshotAge struct {
	// Warn is the age from which on the log says so.
	Warn time.Duration
	// Stop is the age at which the run fails.
	Stop time.Duration
}

// Defaults of SnapshotAge.
const (
	DefaultSnapshotWarn = time.Hour
	DefaultSnapshotStop = 6 * time.Hour
)

// readersOf is how many sessions may read beside the one that holds the snapshot: at most wanted, at most what the
// server grants. 0 says that no session can share it: one reads, with a view of its own.
func readersOf(ctx context.Context, snapshot *postgres.Snapshot, wanted int) (int, error) {
	if snapshot.ID == "" || wanted < 1 {
		return 0, nil
	}
	spare, err := snapshot.Spare(ctx)
	return min(wanted, spare), err
}

// read executes units, readers of them at once under the snapshot, or one with a view of its own where there are none.
// It returns what was written also with an error. done is told of results as they come; nil tells nobody.
func read(ctx context.Context, executor Executor, units []Unit, snapshot *postgres.Snapshot, readers int, name string, age SnapshotAge, log *slog.Logger, done func(Result)) ([]Result, error) {
	shared := snapshot
	if readers < 1 {
		snapshot.Close(ctx) // one connection at a time
		shared, readers = nil, 1
	}
	held, release := hold(ctx, shared, name, age, log)
	results, err := executor.Execute(held, units, readers, done)
	if wrong := release(); wrong != nil {
		err = wrong
	}
	return results, err
}

// hold watches over a snapshot while units are read under it. The context that it returns ends, with the cause, when
// the session that holds the snapshot ends, or when the snapshot grows too old; shared is nil where each unit has a view
// of its own. release ends the watch and tells what is wrong: after an error, nothing that was read may be committed.
func hold(ctx context.Context, shared *postgres.Snapshot, name string, age SnapshotAge, log *slog.Logger) (held context.Context, release func() error) {
	held, cancel := context.WithCancelCause(ctx)
	warn := time.AfterFunc(cmp.Or(age.Warn, DefaultSnapshotWarn), func() {
		if log != nil {
			log.Warn("the snapshot grows old: the source cannot clean up (vacuum) what changed since", "table", name, "warned_after", cmp.Or(age.Warn, DefaultSnapshotWarn).String(), "stopped_after", cmp.Or(age.Stop, DefaultSnapshotStop).String())
		}
	})
	stop := time.AfterFunc(cmp.Or(age.Stop, DefaultSnapshotStop), func() {
		cancel(fmt.Errorf("reading %q: its snapshot is older than %s, and the source can clean up (vacuum) nothing that changed since, so the run stops: read fewer rows with a filter, or faster with a higher max_connections or a larger dpu", name, cmp.Or(age.Stop, DefaultSnapshotStop)))
	})
	over := make(chan struct{})
	go func() {
		defer close(over)
		if shared == nil {
			return
		}
		if err := guard.Call(func() error { return shared.Watch(held) }); err != nil {
			cancel(lost(name, err))
		}
	}()
	return held, func() error {
		warn.Stop()
		stop.Stop()
		cancel(nil) // which is no cause where there is one
		<-over
		select {
		case <-ctx.Done(): // it was not the watch that ended the reading
			return nil
		default:
		}
		if cause := context.Cause(held); !errors.Is(cause, context.Canceled) {
			return cause
		}
		if shared == nil {
			return nil
		}
		if err := shared.Alive(ctx); err != nil {
			return lost(name, err)
		}
		if err := shared.Steady(ctx); err != nil {
			return fmt.Errorf("reading %q: %w: the next run reads the table again", name, err)
		}
		return nil
	}
}

func lost(name string, err error) error {
	return fmt.Errorf("reading %q: the session that held its snapshot ended, so all that was read under it is discarded: %w: the next run reads the table again", name, err)
}
