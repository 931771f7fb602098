package run

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// incremental brings what changed at the source since the last position into the table, in one commit; the first time, and
// after a reload, it replaces the whole table. A run that finds nothing to apply makes no commit, unless it is the one that
// honours a reload or takes the table over.
func (a *attempt) incremental(ctx context.Context, id string) error {
	l, err := a.begin(ctx, id)
	if err != nil {
		return err
	}
	if err := a.stand(ctx, l); err != nil {
		return err
	}
	from, err := a.position(ctx, l)
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
	a.longest = window.Longest
	if err := a.plan(ctx, l, window.Snapshot); err != nil {
		return err
	}
	if len(l.planned.Key) == 0 {
		return fmt.Errorf("running %q: the source has no primary key by which changes could be merged: name the columns that identify a row as primary_key, or use mode \"full\"", a.name)
	}
	for _, warning := range window.Warnings {
		a.log.Warn(warning)
		a.notes = append(a.notes, warning)
	}
	results, shared, err := a.readWindow(ctx, l, window, &stage)
	l.files = filesOf(results)
	if err == nil {
		if err = a.examine(ctx, l, window.Snapshot, shared); err != nil && a.keysHaveValues(l) != nil {
			l.load.forget(ctx) // what was read is what cannot be landed
		}
	}
	a.took("extract", &stage)
	if err == nil {
		var to json.RawMessage
		if to, err = behind(window, results); err == nil {
			err = a.check(ctx, l, cmp.Or(a.doc.Extract.Horizon, "xmin"), from, to)
		}
	}
	if err = a.finish(ctx, l, err, &stage); err == nil {
		a.outdate(l)
	}
	return err
}

// position is from where this run reads: further on than the chain's own position where a run has found nothing to apply
// meanwhile, nil for the whole table.
func (a *attempt) position(ctx context.Context, l *landing) (from *postgres.Position, err error) {
	c := l.head.Checkpoint
	if l.head.Exists && c != nil && !l.afresh {
		l.before = c.To
	}
	if l.whole {
		return nil, nil
	}
	hash, err := a.doc.ExtractHash(a.connection.Database)
	if err != nil {
		return nil, err
	}
	if hash != c.ExtractHash {
		return nil, fmt.Errorf("running %q: its configuration reads other rows or columns than the table was landed from (source, columns, filter, primary_key, mode, horizon or cursor changed): %w", a.name, postgres.ErrReload)
	}
	text, err := a.stored(ctx, l)
	if err != nil {
		return nil, err
	}
	if from, err = postgres.DecodePosition(text); err != nil {
		return nil, fmt.Errorf("running %q: %w", a.name, err)
	}
	return from, nil
}

// readWindow reads the parts of a window into files of the table's columns; shared says that sessions read one snapshot.
func (a *attempt) readWindow(ctx context.Context, l *landing, window *postgres.Window, stage *time.Time) (_ []Result, shared bool, _ error) {
	readers, err := readersOf(ctx, window.Snapshot, a.connection.MaxConnections-1)
	if err != nil {
		return nil, false, err
	}
	lists := [][]postgres.Part{window.Parts}
	if l.whole {
		if l.load, err = a.takeUp(ctx, l, window, readers > 0); err != nil {
			return nil, false, err
		}
	}
	if readers > 0 && !l.load.joined() {
		if lists, err = window.Cut(ctx, a.doc.PrimaryKey, cmp.Or(a.r.UnitBytes, DefaultUnitBytes)); err != nil {
			return nil, false, err
		}
	}
	if l.whole && !l.load.joined() {
		l.load = a.remember(ctx, l, window, readers > 0, len(lists), lists)
	}
	extract, err := a.extractUnit(l, window.Snapshot)
	if err != nil {
		return nil, false, err
	}
	extract.Watch = window.Watch()
	if readers > 0 {
		identity := window.Snapshot.Identity
		extract.Snapshot, extract.Identity = window.Snapshot.ID, &identity
	}
	pieces := l.load.pieces(lists, readers)
	units := make([]Unit, len(pieces))
	for i, p := range pieces {
		e := extract
		e.Parts = p.parts
		e.Output.KeyPrefix, e.Output.KeySuffix = l.target.DataKeys(l.head, l.id, p.name)
		units[i] = Unit{V: UnitVersion, ID: p.name, RunID: a.runID, Attempt: l.id, Table: a.name, Extract: &e}
	}
	a.took("plan", stage)
	results, err := read(ctx, a.r.Executor, units, window.Snapshot, readers, a.name, a.r.SnapshotAge, a.log, l.load.done(ctx))
	l.load.wait()
	if err == nil && readers > 0 {
		err = a.sum(results)
	} else if err == nil {
		a.add(results)
	}
	if err == nil {
		results = l.load.join(results)
	}
	return results, readers > 0, err
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
func (a *attempt) check(ctx context.Context, l *landing, horizon string, from *postgres.Position, to json.RawMessage) error {
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
	positions := []json.RawMessage{l.before, readFrom, to}
	for i, position := range positions {
		if positions[i], err = table.StorePosition(ctx, l.target, l.bucket, l.head, position); err != nil {
			return fmt.Errorf("running %q: %w", a.name, err)
		}
	}
	fence := a.lease.Fence()
	a.checkpoint = table.Checkpoint{
		V: table.CheckpointVersion, Table: a.name, ExtractHash: hash, Horizon: horizon,
		From: positions[0], ReadFrom: positions[1], To: positions[2], RunID: a.runID, Attempt: l.id, Fence: table.Fence{Epoch: fence.Epoch, N: fence.N},
		Counts: table.Counts{Seen: a.rows}, SchemaHash: l.planned.Hash(), Reload: a.doc.Reload,
	}
	return nil
}
