package run

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"

	"github.com/oklog/ulid/v2"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// Extraction reads one table of a database into Parquet files and commits nothing: the units of a run without the
// run, for trying and for measuring.
type Extraction struct {
	Connection spec.Connection
	Source     spec.DatabaseSource
	Output     Output
	// Plan makes the files' columns of those that are read; nil numbers these.
	Plan func(schema.Table) (schema.Table, error)
	// Readers is how many sessions read at once; with more than one, another holds the snapshot that they share.
	Readers int
	// UnitBytes is about how much of the table one unit reads; 0 is DefaultUnitBytes.
	UnitBytes int64
	Executor  Executor
	Secrets   Secrets
	// Stores opens the object store of Output.
	Stores func(address string) (store.Store, error)
	// SnapshotAge bounds how long the table is read under one snapshot.
	SnapshotAge SnapshotAge
	// Log is told of what holds up the reading; nil tells nobody.
	Log *slog.Logger
	// Warned is told, before anything is read, what columns become that one might not expect, a sentence each; nil tells nobody.
	Warned func(sentence string)
	// Started is told of the table and of how many rows the source expects, -1 where it does not know.
	Started func(table string, rows int64)
}

// Run reads the table. Files that were written before an error are removed.
func (e *Extraction) Run(ctx context.Context) ([]Result, error) {
	snapshot, err := logIn(ctx, e.Secrets, e.Connection.SecretARN, func(as postgres.Credentials) (*postgres.Snapshot, error) {
		return postgres.Begin(ctx, &e.Connection, as, e.Source)
	})
	if err != nil {
		return nil, err
	}
	defer snapshot.Close(ctx)
	described, err := snapshot.Describe(ctx, &e.Source, nil, nil)
	if err != nil {
		return nil, err
	}
	if e.Warned != nil {
		for _, sentence := range described.Warnings {
			e.Warned(sentence)
		}
	}
	name := e.Source.Schema + "." + e.Source.Table
	if e.Started != nil {
		e.Started(name, described.EstimatedRows)
	}
	planned := numbered(described.Schema)
	if e.Plan != nil {
		if planned, err = e.Plan(described.Schema); err != nil {
			return nil, err
		}
	}
	readers := 0
	if e.Readers > 1 {
		if readers, err = readersOf(ctx, snapshot, e.Readers); err != nil {
			return nil, err
		}
	}
	id := ulid.Make().String()
	base := Unit{RunID: id, Attempt: id, Table: name, Extract: &ExtractUnit{Connection: e.Connection, Schema: planned, Output: e.Output}}
	units, err := cut(ctx, snapshot, e.Source, nil, readers > 0, cmp.Or(e.UnitBytes, DefaultUnitBytes), base, func(unit string) (string, string) {
		return e.Output.KeyPrefix + id + "-" + unit + "-", e.Output.KeySuffix
	})
	if err != nil {
		return nil, err
	}
	results, err := read(ctx, e.Executor, units, snapshot, readers, name, e.SnapshotAge, e.Log, nil)
	if err == nil {
		return results, nil
	}
	bucket, storeErr := e.Stores(e.Output.Bucket)
	if storeErr == nil {
		storeErr = deleteFiles(ctx, bucket, filesOf(results))
	}
	return nil, errors.Join(err, storeErr)
}

// numbered gives the columns of files without a table their identities: their places.
func numbered(t schema.Table) schema.Table {
	t.Columns = slices.Clone(t.Columns)
	for i := range t.Columns {
		t.Columns[i].FieldID = i + 1
	}
	return t
}
