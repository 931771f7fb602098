package run

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/merge"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// incremental brings what changed at the source since the last position into the table, in one commit; the first time, and
// after a reload, it replaces the whole table. A run that finds nothing to apply makes no commit.
func (a *attempt) incremental(ctx context.Context, id string) error {
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
	before, from, err := a.position(ctx, head)
	if err != nil {
		return err
	}
	stage := time.Now()
	window, err := logIn(ctx, a.r.Secrets, a.connection.SecretARN, func(as postgres.Credentials) (*postgres.Window, error) {
		return postgres.OpenWindow(ctx, a.connection, as, postgres.Incremental{Source: *a.doc.Source.Database, Extract: a.doc.Extract, Filter: a.doc.Filter, From: from})
	})
	if err != nil {
		return err
	}
	defer window.Close(ctx)
	planned, err := a.plan(ctx, target, head, window.Snapshot, from == nil)
	if err != nil {
		return err
	}
	if len(planned.Key) == 0 {
		return fmt.Errorf("running %q: the source has no primary key by which changes could be merged: name the columns that identify a row as primary_key, or use mode \"full\"", a.name)
	}
	for _, warning := range window.Warnings {
		a.log.Warn(warning)
		a.notes = append(a.notes, warning)
	}
	results, err := a.readWindow(ctx, target, head, window, planned, id, &stage)
	files := filesOf(results)
	if err != nil {
		_ = deleteFiles(ctx, bucket, files)
		return err
	}
	a.took("extract", &stage)
	position, err := behind(window, results)
	if err == nil {
		err = a.check(before, from, position, planned, id)
	}
	if err != nil {
		_ = deleteFiles(ctx, bucket, files)
		return err
	}
	if from == nil {
		a.checkpoint.Counts.Inserted, a.checkpoint.Counts.Deleted = a.rows, a.before
		err = a.commitOn(ctx, target, head, table.Change{Schema: planned, ReplaceAll: head.Exists, Add: files, Checkpoint: a.checkpoint})
	} else {
		err = a.merge(ctx, target, bucket, head, planned, files, id)
	}
	a.took("commit", &stage)
	switch {
	case err == nil && a.commit != head.CheckpointCommit:
		a.tidy(ctx, target, head.Checkpoint)
	case err != nil && !errors.Is(err, table.ErrOutcomeUnknown):
		_ = deleteFiles(ctx, bucket, files)
	}
	return err
}

// position is where the table's chain of commits has come, and from where this run reads: further on where a run has found
// nothing to apply meanwhile, nil for the whole table.
func (a *attempt) position(ctx context.Context, head *table.Head) (before json.RawMessage, from *postgres.Position, err error) {
	before = json.RawMessage("null")
	c := head.Checkpoint
	if !head.Exists || c == nil {
		return before, nil, nil
	}
	before = c.To
	if a.doc.Reload != "" && a.doc.Reload != c.Reload {
		return before, nil, nil
	}
	hash, err := a.doc.ExtractHash(a.connection.Database)
	if err != nil {
		return nil, nil, err
	}
	if hash != c.ExtractHash {
		return nil, nil, fmt.Errorf("running %q: its configuration reads other rows or columns than the table was landed from (source, columns, filter, primary_key, mode, horizon or cursor changed): %w", a.name, postgres.ErrReload)
	}
	text := c.To
	tracked, err := a.r.Tracker.Position(ctx, a.name)
	if err != nil {
		return nil, nil, err
	}
	// The tracker's position counts only while it names that very commit; otherwise the checkpoint wins, forwards and
	// backwards.
	if tracked != nil && tracked.Commit == head.CheckpointCommit && len(tracked.Position) > 0 {
		text = tracked.Position
	}
	if from, err = postgres.DecodePosition(text); err != nil {
		return nil, nil, fmt.Errorf("running %q: %w", a.name, err)
	}
	return before, from, nil
}

// readWindow reads the parts of a window into files of the table's columns.
func (a *attempt) readWindow(ctx context.Context, target table.Table, head *table.Head, window *postgres.Window, planned schema.Table, id string, stage *time.Time) ([]Result, error) {
	location, err := spec.ParseLocation(a.doc.Target.Location)
	if err != nil {
		return nil, err
	}
	readers, err := readersOf(ctx, window.Snapshot, a.connection.MaxConnections-1)
	if err != nil {
		return nil, err
	}
	lists := [][]postgres.Part{window.Parts}
	if readers > 0 {
		if lists, err = window.Cut(ctx, a.doc.PrimaryKey, cmp.Or(a.r.UnitBytes, DefaultUnitBytes)); err != nil {
			return nil, err
		}
	}
	extract := ExtractUnit{
		Connection: *a.connection, Schema: planned, Watch: window.Watch(),
		Output: Output{Bucket: spec.Location{Bucket: location.Bucket}.String(), FileBytes: fileBytes},
	}
	if readers > 0 {
		identity := window.Snapshot.Identity
		extract.Snapshot, extract.Identity = window.Snapshot.ID, &identity
	}
	units := make([]Unit, len(lists))
	for i, parts := range lists {
		e, name := extract, fmt.Sprintf("%04d", i)
		e.Parts = parts
		e.Output.KeyPrefix, e.Output.KeySuffix = target.DataKeys(head, id, name)
		units[i] = Unit{V: UnitVersion, ID: name, RunID: a.runID, Attempt: id, Table: a.name, Extract: &e}
	}
	a.took("plan", stage)
	results, err := read(ctx, a.r.Executor, units, window.Snapshot, readers, a.name, a.r.SnapshotAge, a.log)
	if err == nil && readers > 0 {
		err = a.sum(results)
	} else if err == nil {
		a.add(results)
	}
	return results, err
}

// behind is the position behind what was read.
func behind(window *postgres.Window, results []Result) (json.RawMessage, error) {
	greatest := make([]*string, len(results))
	for i, r := range results {
		greatest[i] = r.Greatest
	}
	to, err := window.To(greatest)
	if err != nil {
		return nil, err
	}
	return to.Encode()
}

// check makes the checkpoint of what was read.
func (a *attempt) check(before json.RawMessage, from *postgres.Position, to json.RawMessage, planned schema.Table, id string) error {
	hash, err := a.doc.ExtractHash(a.connection.Database)
	if err != nil {
		return err
	}
	readFrom := json.RawMessage("null")
	if from != nil {
		if readFrom, err = from.Encode(); err != nil {
			return err
		}
	}
	fence := a.lease.Fence()
	a.checkpoint = table.Checkpoint{
		V: table.CheckpointVersion, Table: a.name, ExtractHash: hash, Horizon: cmp.Or(a.doc.Extract.Horizon, "xmin"),
		From: before, ReadFrom: readFrom, To: to, RunID: a.runID, Attempt: id, Fence: table.Fence{Epoch: fence.Epoch, N: fence.N},
		Counts: table.Counts{Seen: a.rows}, SchemaHash: planned.Hash(), Reload: a.doc.Reload,
	}
	return nil
}

// merge merges files of changes into the table, anew where foreign commits come first, and removes those that are not part
// of it afterwards.
func (a *attempt) merge(ctx context.Context, target table.Table, bucket store.Store, head *table.Head, planned schema.Table, files []table.DataFile, id string) error {
	if a.rows == 0 && head.Schema.Hash() == planned.Hash() {
		a.commit = head.CheckpointCommit
		return deleteFiles(ctx, bucket, files)
	}
	changes, err := merge.Load(ctx, bucket, &planned, files, nil)
	if err != nil {
		return fmt.Errorf("running %q: %w", a.name, err)
	}
	for try := range recommits {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		stored, err := target.Files(ctx, head)
		if err != nil {
			return err
		}
		m := merge.Merge{
			Store: bucket, Schema: planned, Files: stored, Changes: changes, ChangeFiles: files, Version: a.r.Version, Parallel: max(runtime.GOMAXPROCS(0), 1), FileBytes: fileBytes,
			Keys: func(unit string) (string, string) { return target.DataKeys(head, id, fmt.Sprintf("t%d-%s", try, unit)) },
		}
		outcome, err := m.Run(ctx)
		if err != nil {
			return fmt.Errorf("running %q: %w", a.name, err)
		}
		a.checkpoint.Counts.Inserted, a.checkpoint.Counts.Updated = outcome.Inserted, outcome.Updated
		a.bytes = 0
		for _, f := range outcome.Add {
			a.bytes += f.File.Size
		}
		if len(outcome.Add)+len(outcome.Remove) == 0 && head.Schema.Hash() == planned.Hash() {
			a.commit = head.CheckpointCommit
			return deleteFiles(ctx, bucket, files)
		}
		done, err := target.Commit(ctx, head, table.Change{Schema: planned, Remove: outcome.Remove, Add: outcome.Add, Checkpoint: a.checkpoint})
		if err == nil {
			a.commit = done.Commit
			a.leave(ctx, bucket, slices.Concat(files, outcome.Written), outcome.Add)
			return nil
		}
		if errors.Is(err, table.ErrOutcomeUnknown) {
			return fmt.Errorf("committing %q: %w", a.name, err)
		}
		a.leave(ctx, bucket, outcome.Written, nil)
		if !errors.Is(err, table.ErrLostRace) {
			return fmt.Errorf("committing %q: %w", a.name, err)
		}
		if head, err = a.again(ctx, target, head); err != nil {
			return err
		}
	}
	return fmt.Errorf("committing %q: foreign commits came first %d times: the next run tries again", a.name, recommits)
}

// leave removes files that are not part of the table. What cannot be removed stays as an orphan that no reader sees.
func (a *attempt) leave(ctx context.Context, bucket store.Store, written, added []table.DataFile) {
	useless := slices.DeleteFunc(slices.Clone(written), func(f table.DataFile) bool {
		return slices.ContainsFunc(added, func(o table.DataFile) bool { return o.Key == f.Key })
	})
	if err := deleteFiles(ctx, bucket, useless); err != nil {
		a.log.Warn("files that are not part of the table could not be removed; they stay until orphans are", "files", len(useless), "error", err)
	}
}

// again reads the head behind a lost race, on which the same may be committed unless the source's own chain moved.
func (a *attempt) again(ctx context.Context, target table.Table, head *table.Head) (*table.Head, error) {
	now, err := target.Head(ctx)
	if err != nil {
		return nil, err
	}
	if now.Exists != head.Exists || now.TableID != head.TableID || now.CheckpointCommit != head.CheckpointCommit || now.Schema.Hash() != head.Schema.Hash() {
		return nil, errPlanAnew
	}
	a.log.Info("a foreign commit came first; committing on top of it", "commit", now.Commit)
	return now, nil
}
