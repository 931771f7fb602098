package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/guard"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
	"github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

const (
	// fileBytes is the size from which on a data file is ended and the next begun.
	fileBytes = 256 << 20
	// replans bounds how often a run starts over because another commit of the same source came first.
	replans = 3
	// recommits bounds how often the same files are committed again on top of foreign commits.
	recommits = 5
)

// Runner runs tables. It is safe for concurrent use.
type Runner struct {
	Tracker  Tracker
	Catalog  catalog.Catalog
	Stores   func(address string) (store.Store, error)
	Secrets  Secrets
	Executor Executor
	// Lease is how long a lease holds without a heartbeat.
	Lease   time.Duration
	Version string
	Log     *slog.Logger
	// Started is told when the reading of a table begins, with the planner's estimate of its rows, or -1.
	Started func(table string, rows int64)
	// DPU is the size of the job, for the price of a run; 0 outside one.
	DPU float64
	// Now is the time of commits, and the one by which snapshots and files are old; nil is the machine's clock.
	Now func() time.Time
	// UnitBytes is about how much of a table at the source is one unit's work; 0 is DefaultUnitBytes.
	UnitBytes int64
	// ResumeRows is how many rows may have changed since a load began that did not end; beyond them it starts again. 0 is as
	// many as can be merged at once.
	ResumeRows int64
	// SnapshotAge bounds how long a table is read under one snapshot.
	SnapshotAge SnapshotAge

	// cadence is the one whose dispatch this is; nil outside one.
	cadence *spec.Cadence
}

// Outcome says how a table's run ended.
type Outcome struct {
	Table string
	RunID string
	State tracking.RunState
	Rows  int64
	// Bytes counts the data files.
	Bytes   int64
	Seconds float64
	Commit  string
	Err     error
}

// Table runs one table: lease, head, snapshot, units, commit, record. A *tracking.HeldError in Outcome.Err says
// that another run has the table; nothing is recorded then.
func (r *Runner) Table(ctx context.Context, name string) Outcome {
	started := time.Now()
	a := &attempt{
		r: r, name: name, runID: ulid.Make().String(), started: started.UTC(),
		log: r.Log.With("table", name), seconds: map[string]float64{},
	}
	err := a.run(ctx)
	out := Outcome{Table: name, RunID: a.runID, State: tracking.RunSucceeded, Rows: a.rows, Bytes: a.bytes, Seconds: time.Since(started).Seconds(), Commit: a.commit, Err: err}
	if err != nil {
		out.State = tracking.RunFailed
	}
	return out
}

// attempt is one run under way.
type attempt struct {
	r       *Runner
	name    string
	runID   string
	started time.Time
	log     *slog.Logger
	seconds map[string]float64

	doc        *spec.Table
	connection *spec.Connection
	lease      Lease

	rows, bytes, bytesRead int64
	commit                 string
	checkpoint             table.Checkpoint
	before                 int64
	comparison             comparison
	// notes are sentences about the table for the history of the run.
	notes []string
	// longest is the age of the oldest transaction that was open at the source; nil where that is not known.
	longest *time.Duration
	// outdated removes what the tracker's position named before this run was recorded and nothing names afterwards; nil where
	// there is nothing.
	outdated func(context.Context) error
}

func (a *attempt) run(ctx context.Context) error {
	lease, err := a.r.Tracker.Acquire(ctx, a.name, a.runID, a.r.Lease)
	if err != nil {
		if heldBy(err) == nil {
			err = errors.Join(err, a.record(ctx, err))
		}
		return err
	}
	a.lease = lease
	a.log = a.log.With("run", a.runID)
	defer func() {
		if err := lease.Release(context.WithoutCancel(ctx)); err != nil {
			a.log.Warn("the lease could not be given back; it ends by itself", "error", err)
		}
	}()
	a.recordDead(ctx)
	err = a.land(lease.Context())
	if cause := context.Cause(lease.Context()); err != nil && cause != nil && ctx.Err() == nil {
		err = cause // the lease ended, which is why the rest failed
	}
	if recordErr := a.record(ctx, err); recordErr != nil {
		err = errors.Join(err, recordErr)
	}
	return err
}

// land reads the document and brings the table up to date, starting over when another run of the same source
// table committed meanwhile.
//
// A panic is this table's failure and nobody else's, also one of the goroutines that work for it.
func (a *attempt) land(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("running %q: %w", a.name, guard.Failed(p))
		}
	}()
	if err := a.readDocuments(ctx); err != nil {
		return err
	}
	for try := range replans {
		land := a.full
		if a.doc.Extract.Mode == "incremental" {
			land = a.incremental
		}
		err := land(ctx, ulid.Make().String())
		if !errors.Is(err, errPlanAnew) {
			return err
		}
		a.log.Info("another commit changed what this run was planned on; planning anew", "try", try+1)
	}
	return fmt.Errorf("running %q: other commits came first %d times: the next run tries again", a.name, replans)
}

func (a *attempt) readDocuments(ctx context.Context) error {
	doc, err := a.r.Tracker.Table(ctx, a.name)
	if err != nil {
		return err
	}
	if err := doc.Unsupported().Err(spec.KindTable, a.name); err != nil {
		return err
	}
	if err := a.r.Tracker.CheckNesting(ctx, doc); err != nil {
		return err
	}
	if err := a.r.shares(doc); err != nil {
		return err
	}
	connection, err := a.r.Tracker.Connection(ctx, doc.Source.Database.Connection)
	if err != nil {
		return err
	}
	if err := connection.Unsupported().Err(spec.KindConnection, connection.Name); err != nil {
		return err
	}
	a.doc, a.connection = doc, connection
	return nil
}

// errPlanAnew says that what was extracted must be discarded: the head it was planned on is gone.
var errPlanAnew = errors.New("the table's checkpoint or schema moved")

// full reads the whole table in one snapshot of the source, and replaces the lake's by it in one commit; to a historical
// table it adds the versions that are new.
func (a *attempt) full(ctx context.Context, id string) error {
	l, err := a.begin(ctx, id)
	if err != nil {
		return err
	}
	if err := a.stand(ctx, l); err != nil {
		return err
	}
	stage := time.Now()
	snapshot, err := logIn(ctx, a.r.Secrets, a.connection.SecretARN, func(as postgres.Credentials) (*postgres.Snapshot, error) {
		return postgres.Begin(ctx, a.connection, as, *a.doc.Source.Database)
	})
	if err != nil {
		return err
	}
	defer snapshot.Close(ctx)
	if err := a.plan(ctx, l, snapshot); err != nil {
		return err
	}
	readers, err := readersOf(ctx, snapshot, a.connection.MaxConnections-1) // one holds the snapshot
	if err != nil {
		return err
	}
	if _, err := a.takeUp(ctx, l, nil, readers > 0); err != nil {
		return err
	}
	units, err := a.units(ctx, l, snapshot, readers > 0)
	if err != nil {
		return err
	}
	l.load = a.remember(ctx, l, nil, readers > 0, len(units), nil)
	a.took("plan", &stage)
	results, err := read(ctx, a.r.Executor, units, snapshot, readers, a.name, a.r.SnapshotAge, a.log, l.load.done(ctx))
	l.load.wait()
	l.files = filesOf(results)
	if err == nil {
		err = a.sum(results)
	}
	if err == nil {
		err = a.examine(ctx, l, snapshot, readers > 0)
	}
	a.took("extract", &stage)
	if err == nil {
		err = a.check(ctx, l, "full", nil, results[0].Snapshot)
	}
	return a.finish(ctx, l, err, &stage)
}

func (a *attempt) took(stage string, since *time.Time) {
	now := time.Now()
	a.seconds[stage] += now.Sub(*since).Seconds()
	*since = now
}

// note keeps what a run meets for its history, and says it in the log.
func (a *attempt) note(notes []string) {
	a.notes = notes
	for _, n := range notes {
		a.log.Warn(n)
	}
}

// DefaultUnitBytes is small enough that a lost connection costs little, large enough that a unit's file is not small.
const DefaultUnitBytes = 128 << 20

// extractUnit is what all units have in common that read a snapshot.
func (a *attempt) extractUnit(l *landing, snapshot *postgres.Snapshot) (ExtractUnit, error) {
	location, err := spec.ParseLocation(a.doc.Target.Location)
	if err != nil {
		return ExtractUnit{}, err
	}
	source := a.doc.Source.Database
	return ExtractUnit{
		Connection: *a.connection, Schema: l.planned,
		Stamps: Stamps{RunID: a.runID, Time: a.started.UnixMicro(), Sequence: snapshot.Identity.Xmin, Source: source.Connection + "/" + source.Schema + "." + source.Table},
		Output: Output{Bucket: spec.Location{Bucket: location.Bucket}.String(), FileBytes: fileBytes},
	}, nil
}

// units cuts the work.
func (a *attempt) units(ctx context.Context, l *landing, snapshot *postgres.Snapshot, shared bool) ([]Unit, error) {
	extract, err := a.extractUnit(l, snapshot)
	if err != nil {
		return nil, err
	}
	extract.Filter = a.doc.Filter
	base := Unit{RunID: a.runID, Attempt: l.id, Table: a.name, Extract: &extract}
	return cut(ctx, snapshot, *a.doc.Source.Database, a.doc.PrimaryKey, shared, cmp.Or(a.r.UnitBytes, DefaultUnitBytes), base, func(unit string) (string, string) {
		return l.target.DataKeys(l.head, l.id, unit)
	})
}

// sum adds up the results and refuses units that did not read one and the same snapshot.
func (a *attempt) sum(results []Result) error {
	for _, result := range results {
		if string(result.Snapshot) != string(results[0].Snapshot) {
			return fmt.Errorf("running %q: its units read different snapshots (%s and %s), which one commit must not join", a.name, results[0].Snapshot, result.Snapshot)
		}
	}
	a.add(results)
	return nil
}

// add adds up the results.
func (a *attempt) add(results []Result) {
	a.rows, a.bytes, a.bytesRead = 0, 0, 0
	for _, result := range results {
		a.rows += result.Rows
		a.bytesRead += result.BytesRead
		for _, f := range result.Files {
			a.bytes += f.File.Size
		}
	}
}

func filesOf(results []Result) []table.DataFile {
	var files []table.DataFile
	for _, result := range results {
		files = append(files, result.Files...)
	}
	return files
}
