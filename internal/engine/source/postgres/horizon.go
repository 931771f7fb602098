package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// The horizons: what an incremental table promises to see.
const (
	horizonXmin         = "xmin"
	horizonTransactions = "transactions"
	horizonLookback     = "lookback"
)

// Incremental is what one run of an incremental table is to read.
type Incremental struct {
	Source  spec.DatabaseSource
	Extract spec.Extract
	Filter  []spec.Predicate
	// From is where the run before came to; nil reads every row.
	From *Position

	// pause, in tests, is called behind each of the steps whose order matters.
	pause func(step string)
}

// Window is what a run reads: parts of a table under one snapshot, from one position to the next.
type Window struct {
	// Parts are read under Snapshot; all of them make the window.
	Parts []Part
	// Snapshot is open until Close; where it has an ID, other sessions may read parts too.
	Snapshot *Snapshot
	// From is where reading begins, nil for the whole table.
	From *Position
	// Whole says that every row is read.
	Whole bool
	// Appeared are the leaves that the position did not know, which are read whole. Gone are those that hold no rows
	// of the table any more; the rows they held are missed.
	Appeared, Gone []Leaf
	// Longest is the age of the oldest open transaction of the database; nil where the server does not tell.
	Longest *time.Duration
	// Warnings are for the run's log and history.
	Warnings []string

	request Incremental
	cursor  *cursor
	// next is the position behind the window, given the greatest value of the cursor that was read, if there was one.
	next func(read *cursorValue) *Position
}

// OpenWindow opens a session, observes the server, takes a snapshot and computes what to read. A server whose past is not
// that of the position, or a table that is not, is an error that is ErrReload.
func OpenWindow(ctx context.Context, c *spec.Connection, as Credentials, r Incremental) (*Window, error) {
	if r.pause == nil {
		r.pause = func(string) {}
	}
	wrap := func(err error) error {
		return fmt.Errorf("opening the changes of %s: %w", quoted(r.Source.Schema, r.Source.Table), err)
	}
	horizon := r.Extract.Horizon
	if horizon == "" && r.Extract.Cursor == "" {
		horizon = horizonXmin
	}
	open, ok := map[string]func(context.Context, *Window) error{horizonXmin: openXmin, horizonTransactions: openTransactions, horizonLookback: openLookback}[horizon]
	switch {
	case !ok:
		return nil, wrap(fmt.Errorf("the horizon %q is not known: write xmin, transactions or lookback", horizon))
	case r.From != nil && r.From.Horizon != horizon:
		return nil, wrap(fmt.Errorf("the table's position is of horizon %q, its configuration names %q: %w", r.From.Horizon, horizon, ErrReload))
	case r.From != nil:
		if err := r.From.Validate(); err != nil {
			return nil, wrap(fmt.Errorf("the table's position: %w: %w", err, ErrReload))
		}
	}
	conn, err := Connect(ctx, c, as)
	if err != nil {
		return nil, err
	}
	w := &Window{Snapshot: &Snapshot{conn: conn}, From: r.From, request: r}
	if err := open(ctx, w); err != nil {
		w.Close(ctx)
		return nil, wrap(err)
	}
	return w, nil
}

// begin takes the window's snapshot, and reads the table and its parts in it; what the window reads of them stays as it is
// there. What has to be observed before the snapshot has been by then; where it is taken once more, that holds all the more.
func (w *Window) begin(ctx context.Context) (t *tree, err error) {
	err = take(ctx, w.conn(), func() ([]spec.DatabaseSource, error) {
		if err := w.Snapshot.begin(ctx); err != nil {
			return nil, fmt.Errorf("taking a snapshot: %w", err)
		}
		w.request.pause("snapshot")
		var err error
		if t, err = relationTree(ctx, w.conn(), w.request.Source); err != nil {
			return nil, err
		}
		if w.From == nil || w.From.Xmin == nil || t.root.kind != "p" || !t.direct() {
			w.Snapshot.from = []spec.DatabaseSource{w.request.Source}
			return w.Snapshot.from, nil
		}
		// The leaves alone: who makes a partition needs the table for itself (PostgreSQL documentation, CREATE TABLE), and
		// those who write wait behind him.
		w.Snapshot.from = nil
		for _, leaf := range t.leaves {
			w.Snapshot.from = append(w.Snapshot.from, leaf.from)
		}
		return w.Snapshot.from, nil
	})
	w.request.pause("kept")
	return t, err
}

// Close ends the snapshot and its session. It may be called more than once.
func (w *Window) Close(ctx context.Context) { closeSession(ctx, w.Snapshot.conn) }

// conditionsWith are the conditions of the request's filter together with another.
func (w *Window) conditionsWith(ctx context.Context, more string) (string, error) {
	wanted, err := conditions(ctx, w.conn(), w.request.Source, w.request.Filter)
	if err != nil {
		return "", err
	}
	return every(append(wanted, more)...), nil
}

func (w *Window) conn() *pgconn.PgConn { return w.Snapshot.conn }

var errInRecovery = errors.New("the server is a replica, and the transactions of its primary cannot be seen there: connect to the primary, or use horizon \"xmin\" or \"lookback\"")
