// Package run takes one source table through one run: plan, units, one commit, a record. It also works through
// the tables of a cadence.
package run

import (
	"encoding/json"

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
	// Schema is the table's; columns without a source are written as NULLs.
	Schema schema.Table `json:"schema"`
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
}
