// Package run takes one source table through one run: plan, units, one commit, a record. It also works through
// the tables of a cadence.
package run

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// UnitVersion is the version of units and results that this build knows.
const UnitVersion = 1

// Unit is one piece of a run's work, as a plain document. It needs nothing but itself, its source and its
// object store, so it may be executed anywhere, and again: what it writes has names that no other attempt has.
// It names its connection's secret and holds none.
type Unit struct {
	V       int    `json:"v"`
	ID      string `json:"id"`
	RunID   string `json:"run_id"`
	Attempt string `json:"attempt"`
	Table   string `json:"table"`
	// Extract is the work of a unit that reads a database. Exactly one kind of work is given.
	Extract *ExtractUnit `json:"extract,omitempty"`
}

// ExtractUnit reads rows from a database into Parquet files.
type ExtractUnit struct {
	Connection spec.Connection `json:"connection"`
	// Parts are what the unit reads, one after the other.
	Parts []postgres.Part `json:"parts"`
	// Filter is what rows must meet, all of it; the database evaluates it.
	Filter []spec.Predicate `json:"filter,omitempty"`
	// Snapshot joins the view that the run was planned on; "" takes one of the unit's own.
	Snapshot string `json:"snapshot,omitempty"`
	// Identity is that view's; nil for a view of the unit's own. A session that joins a view has a clock of its own.
	Identity *postgres.Identity `json:"identity,omitempty"`
	// Watch is the cursor whose greatest value the result tells; nil for none.
	Watch *postgres.Watch `json:"watch,omitempty"`
	// Schema is the table's; columns without a source are written as their stamp says, and as NULLs without one.
	Schema schema.Table `json:"schema"`
	Stamps Stamps       `json:"stamps"`
	Output Output       `json:"output"`
}

// Output says where a unit's files go.
type Output struct {
	// Bucket is the address of the object store's root, such as "s3://acme-lake/".
	Bucket string `json:"bucket"`
	// KeyPrefix begins the keys of the unit's files; KeySuffix ends them.
	KeyPrefix string `json:"key_prefix"`
	KeySuffix string `json:"key_suffix"`
	// FileBytes is the size from which on a file is ended and the next begun.
	FileBytes int64 `json:"file_bytes"`
}

// Result is a unit's answer.
type Result struct {
	V    int    `json:"v"`
	Unit string `json:"unit"`
	// Snapshot is the identity of the view that was read, as it stands in a checkpoint.
	Snapshot  json.RawMessage  `json:"snapshot"`
	Files     []table.DataFile `json:"files"`
	Rows      int64            `json:"rows"`
	BytesRead int64            `json:"bytes_read"`
	Seconds   float64          `json:"seconds"`
	// Greatest is the greatest value of the cursor that was watched; nil where none was met.
	Greatest *string `json:"greatest,omitempty"`
}

// cut makes the units of reading a source: one that takes a view of its own, or, where sessions share the snapshot,
// one for about every size bytes. key names the columns that
// identify a row, where the source has no primary key. base is what all units have in common; keys names a unit's files.
func cut(ctx context.Context, snapshot *postgres.Snapshot, source spec.DatabaseSource, key []string, shared bool, size int64, base Unit, keys func(unit string) (prefix, suffix string)) ([]Unit, error) {
	extract := *base.Extract
	lists := [][]postgres.Part{{{Source: source}}}
	if shared {
		var err error
		if lists, err = snapshot.Parts(ctx, source, key, size); err != nil {
			return nil, err
		}
		identity := snapshot.Identity
		extract.Snapshot, extract.Identity = snapshot.ID, &identity
	}
	units := make([]Unit, len(lists))
	for i, parts := range lists {
		e := extract
		base.V, base.ID, base.Extract, e.Parts = UnitVersion, fmt.Sprintf("%04d", i), &e, parts
		e.Output.KeyPrefix, e.Output.KeySuffix = keys(base.ID)
		units[i] = base
	}
	return units, nil
}
