package run

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table/iceberg"
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
	// notes are sentences about the table for the history of the run.
	notes []string
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
// A panic is this table's failure and nobody else's.
func (a *attempt) land(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("running %q: the engine failed (%v); please report this with the trace: %s", a.name, p, debug.Stack())
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

// full replaces the whole table by one snapshot of the source, in one commit.
func (a *attempt) full(ctx context.Context, id string) error {
	target, bucket, err := a.open()
	if err != nil {
		return err
	}
	head, err := target.Head(ctx)
	if err != nil {
		return err
	}
	if err := a.checkOwner(head); err != nil {
		return err
	}
	stage := time.Now()
	snapshot, err := logIn(ctx, a.r.Secrets, a.connection.SecretARN, func(as postgres.Credentials) (*postgres.Snapshot, error) {
		return postgres.Begin(ctx, a.connection, as)
	})
	if err != nil {
		return err
	}
	defer snapshot.Close(ctx)
	planned, err := a.plan(ctx, target, head, snapshot, true)
	if err != nil {
		return err
	}
	readers, err := readersOf(ctx, snapshot, a.connection.MaxConnections-1) // one holds the snapshot
	if err != nil {
		return err
	}
	units, err := a.units(ctx, target, head, snapshot, readers > 0, planned, id)
	if err != nil {
		return err
	}
	a.took("plan", &stage)
	results, err := read(ctx, a.r.Executor, units, snapshot, readers, a.name, a.r.SnapshotAge, a.log)
	files := filesOf(results)
	if err == nil {
		err = a.sum(results)
	}
	if err != nil {
		_ = deleteFiles(ctx, bucket, files)
		return err
	}
	a.took("extract", &stage)
	change, err := a.change(head, planned, results, files, id)
	if err == nil {
		err = a.commitOn(ctx, target, head, change)
	}
	a.took("commit", &stage)
	switch {
	case err == nil:
		a.tidy(ctx, target, head.Checkpoint)
	case !errors.Is(err, table.ErrOutcomeUnknown):
		_ = deleteFiles(ctx, bucket, files)
	}
	return err
}

func (a *attempt) took(stage string, since *time.Time) {
	now := time.Now()
	a.seconds[stage] += now.Sub(*since).Seconds()
	*since = now
}

// open makes the table of the document's format over the target's bucket.
func (a *attempt) open() (table.Table, store.Store, error) {
	location, err := spec.ParseLocation(a.doc.Target.Location)
	if err != nil {
		return nil, nil, err
	}
	bucket, err := a.r.Stores(spec.Location{Bucket: location.Bucket}.String())
	if err != nil {
		return nil, nil, err
	}
	format, ok := formats[a.doc.Target.Format]
	if !ok {
		return nil, nil, fmt.Errorf("the format %q has no writer in this engine", a.doc.Target.Format)
	}
	return format(a.r, a.doc, bucket, location.Prefix), bucket, nil
}

// formats are the table formats there are.
var formats = map[string]func(r *Runner, t *spec.Table, bucket store.Store, prefix string) table.Table{
	"iceberg": func(r *Runner, t *spec.Table, bucket store.Store, prefix string) table.Table {
		return iceberg.New(iceberg.Options{Store: bucket, Catalog: r.Catalog, Prefix: prefix, Database: t.Target.Database, Name: t.Target.Table, Version: r.Version, Now: r.Now})
	},
}

// checkOwner refuses a table that this source table did not land.
func (a *attempt) checkOwner(head *table.Head) error {
	switch c := head.Checkpoint; {
	case !head.Exists:
		return nil
	case c == nil:
		return fmt.Errorf("%w: the table %s.%s exists and no commit of it carries a checkpoint of lakeland: choose another target, or remove the table", table.ErrForeign, a.doc.Target.Database, a.doc.Target.Table)
	case c.Table != a.name:
		return fmt.Errorf("%w: the table %s.%s was landed by the source table %q: choose another target, or remove the table", table.ErrForeign, a.doc.Target.Database, a.doc.Target.Table, c.Table)
	default:
		return nil
	}
}

// plan reads the source's columns and decides how the table follows them; whole says that all its rows are written anew.
func (a *attempt) plan(ctx context.Context, target table.Table, head *table.Head, snapshot *postgres.Snapshot, whole bool) (schema.Table, error) {
	described, err := snapshot.Describe(ctx, a.doc.Source.Database, a.doc.PrimaryKey, a.doc.Columns)
	if err != nil {
		return schema.Table{}, err
	}
	wanted := described.Schema
	if !head.Exists {
		a.note(described.Warnings)
	} else {
		landing := schema.Changed
		if whole {
			landing = schema.Whole
		}
		if head.Checkpoint.Reload != a.doc.Reload && a.doc.Reload != "" {
			landing = schema.Afresh
		}
		evolved, err := schema.Evolve(head.Schema, described.Schema, landing)
		if err != nil {
			return schema.Table{}, fmt.Errorf("following the columns of %q: %w", a.name, err)
		}
		a.note(slices.Concat(described.Warnings, evolved.Sentences()))
		wanted = evolved.Table
	}
	if a.r.Started != nil {
		a.r.Started(a.name, described.EstimatedRows)
	}
	a.before = max(head.Rows, 0)
	return target.Prepare(head, wanted)
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

// units cuts the work.
func (a *attempt) units(ctx context.Context, target table.Table, head *table.Head, snapshot *postgres.Snapshot, shared bool, planned schema.Table, id string) ([]Unit, error) {
	location, err := spec.ParseLocation(a.doc.Target.Location)
	if err != nil {
		return nil, err
	}
	base := Unit{RunID: a.runID, Attempt: id, Table: a.name, Extract: &ExtractUnit{
		Connection: *a.connection, Filter: a.doc.Filter, Schema: planned,
		Output: Output{Bucket: spec.Location{Bucket: location.Bucket}.String(), FileBytes: fileBytes},
	}}
	return cut(ctx, snapshot, *a.doc.Source.Database, a.doc.PrimaryKey, shared, cmp.Or(a.r.UnitBytes, DefaultUnitBytes), base, func(unit string) (string, string) {
		return target.DataKeys(head, id, unit)
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

func (a *attempt) change(head *table.Head, planned schema.Table, results []Result, files []table.DataFile, id string) (table.Change, error) {
	hash, err := a.doc.ExtractHash(a.connection.Database)
	if err != nil {
		return table.Change{}, err
	}
	fence := a.lease.Fence()
	a.checkpoint = table.Checkpoint{
		V: table.CheckpointVersion, Table: a.name, ExtractHash: hash, Horizon: "full",
		From: json.RawMessage("null"), ReadFrom: json.RawMessage("null"), To: results[0].Snapshot,
		RunID: a.runID, Attempt: id, Fence: table.Fence{Epoch: fence.Epoch, N: fence.N},
		Counts:     table.Counts{Seen: a.rows, Inserted: a.rows, Deleted: a.before},
		SchemaHash: planned.Hash(), Reload: a.doc.Reload,
	}
	return table.Change{Schema: planned, ReplaceAll: head.Exists, Add: files, Checkpoint: a.checkpoint}, nil
}

// commitOn commits, and commits the same files again when foreign commits came first that left checkpoint and
// schema as they were.
func (a *attempt) commitOn(ctx context.Context, target table.Table, head *table.Head, change table.Change) error {
	for range recommits {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		done, err := target.Commit(ctx, head, change)
		if err == nil {
			a.commit = done.Commit
			return nil
		}
		if !errors.Is(err, table.ErrLostRace) {
			return fmt.Errorf("committing %q: %w", a.name, err)
		}
		if head, err = a.again(ctx, target, head); err != nil {
			return err
		}
	}
	return fmt.Errorf("committing %q: foreign commits came first %d times: the next run tries again", a.name, recommits)
}
