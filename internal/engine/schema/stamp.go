package schema

import (
	"fmt"
	"slices"
)

// Stamp says what the engine writes into a column that the source does not have.
type Stamp string

// The stamps. Their columns' names are those of Stamps, but for SoftDeleted, which the configuration names.
const (
	// StampRun is the id of the run that wrote the row.
	StampRun Stamp = "run"
	// StampTime is when that run began.
	StampTime Stamp = "time"
	// StampOp says how the row came to be as it is: OpInserted, OpUpdated or OpDeleted.
	StampOp Stamp = "op"
	// StampSequence orders the rows of a source: for PostgreSQL the oldest transaction that the snapshot did not see.
	StampSequence Stamp = "sequence"
	// StampSource names connection and table.
	StampSource Stamp = "source"
	// SoftDeleted says whether the source has deleted the row.
	SoftDeleted Stamp = "deleted"
)

// The values of StampOp.
const (
	OpInserted = "I"
	OpUpdated  = "U"
	OpDeleted  = "D"
)

// Stamps are the audit columns, by the names that configurations and lake give them.
var Stamps = []Column{
	{Name: "_lk_run_id", Type: Type{ID: String}, Stamp: StampRun, Comment: "run that wrote the row"},
	{Name: "_lk_ingested_at", Type: Type{ID: TimestampTZ}, Stamp: StampTime, Comment: "when that run began"},
	{Name: "_lk_op", Type: Type{ID: String}, Stamp: StampOp, Comment: "I inserted, U updated, D deleted"},
	{Name: "_lk_seq", Type: Type{ID: Long}, Stamp: StampSequence, Comment: "order of the source's snapshots"},
	{Name: "_lk_source", Type: Type{ID: String}, Stamp: StampSource, Comment: "connection and table of the row"},
}

// Stamped is a table with columns of stamps behind those of its source. A column of the lake that has a stamp's name and no
// source is that stamp's, with its field id; one that is wanted no longer stays as it is, with NULLs from now on. A column
// of the source by such a name, and one of another type in the lake, are errors.
func Stamped(t Table, wanted []Column) (Table, error) {
	out := t
	out.Columns = slices.Clone(t.Columns)
	for i := range out.Columns {
		out.Columns[i].Stamp = "" // some formats keep what a column was stamped with
	}
	for _, w := range wanted {
		at := slices.IndexFunc(out.Columns, func(c Column) bool { return c.Name == w.Name })
		switch {
		case at < 0:
			out.Columns = append(out.Columns, w)
		case out.Columns[at].Source != nil:
			return Table{}, fmt.Errorf("the source has a column that is named %q in the lake, as one that the engine writes: give it another name in columns", w.Name)
		case out.Columns[at].Type != w.Type:
			return Table{}, fmt.Errorf("the table has a column %q of type %s, and the engine writes %s into it: choose another name, or land into a new target", w.Name, out.Columns[at].Type, w.Type)
		default:
			out.Columns[at].Stamp = w.Stamp
		}
	}
	return out, nil
}
