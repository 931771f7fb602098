// Package table is what all table formats have in common: one commit at a time, each a compare-and-swap on the
// head that it was planned on, each carrying the checkpoint that makes a run exactly once.
package table

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/parquet"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

// ErrLostRace says that another commit came between planning and committing. Nothing was changed; the files of
// the attempt are not part of the table.
var ErrLostRace = errors.New("another commit came first")

// ErrForeign says that what stands at the target is not a table of this tracking's source table.
var ErrForeign = errors.New("the target is not ours")

// ErrOutcomeUnknown says that a commit was sent, got no answer, and reading back could not settle whether it
// took effect. Nothing may be deleted; the next run finds out.
var ErrOutcomeUnknown = errors.New("the outcome of the commit is not known")

// ErrPartitioning says that a change's partition fields are not those of the table's files. Nothing was changed; a change
// that replaces everything may bring new ones.
var ErrPartitioning = errors.New("the table is partitioned otherwise")

// Fence orders the writers of a table.
type Fence struct {
	Epoch int64 `json:"epoch"`
	N     int64 `json:"n"`
}

// Counts are the rows of one commit.
type Counts struct {
	Seen     int64 `json:"seen"`
	Inserted int64 `json:"inserted"`
	Updated  int64 `json:"updated"`
	Deleted  int64 `json:"deleted"`
}

// CheckpointVersion is the version of checkpoints that this build writes.
const CheckpointVersion = 1

// Checkpoint says how far the source has been read when a commit was made; every commit carries one. In a
// table's chain of commits each From equals its predecessor's To. From, ReadFrom and To stand there as StorePosition returns them.
type Checkpoint struct {
	V int `json:"v"`
	// Table is the name of the source table in its tracking.
	Table       string `json:"table"`
	ExtractHash string `json:"extract_hash"`
	// Horizon is "full", or what an incremental table promises to see.
	Horizon  string          `json:"horizon"`
	From     json.RawMessage `json:"from"`
	ReadFrom json.RawMessage `json:"read_from"`
	To       json.RawMessage `json:"to"`
	RunID    string          `json:"run_id"`
	// Attempt is unlike every other attempt's, also of the same run.
	Attempt    string `json:"attempt"`
	Fence      Fence  `json:"fence"`
	Counts     Counts `json:"counts"`
	SchemaHash string `json:"schema_hash"`
	// Reload is the reload text that was honoured last.
	Reload string `json:"reload,omitempty"`
}

// ParseCheckpoint reads a checkpoint; a newer version than this build's is an error.
func ParseCheckpoint(data []byte) (*Checkpoint, error) {
	c := &Checkpoint{}
	if err := json.Unmarshal(data, c); err != nil {
		return nil, fmt.Errorf("reading the checkpoint of a commit: %w", err)
	}
	if c.V != CheckpointVersion {
		return nil, fmt.Errorf("reading the checkpoint of a commit: it has version %d and this engine reads %d: apply the cadence so that its job carries the newer engine", c.V, CheckpointVersion)
	}
	return c, nil
}

// Head is the state of a table that a run is planned on.
type Head struct {
	// Commit identifies the newest commit of anyone; "" for a table without one.
	Commit string
	// Exists says whether there is a table.
	Exists bool
	// TableID is the table's own identity, which every name of its files holds.
	TableID string
	Schema  schema.Table
	// Checkpoint is the newest one among the head's ancestors, nil when there is none; CheckpointCommit is the
	// commit that carries it.
	Checkpoint       *Checkpoint
	CheckpointCommit string
	// Lost is a checkpoint that the table keeps although its commit is none of the head's known ancestors: it says whose the
	// table is, not how far it has come. It is nil where there is a Checkpoint.
	Lost *Checkpoint
	// Rows is the number of rows, or -1 where the format does not count them.
	Rows int64
	// Base is the format's own, for Commit.
	Base any
}

// DataFile is a file to be added.
type DataFile struct {
	// Key is the object's key in the target's store.
	Key  string       `json:"key"`
	File parquet.File `json:"file"`
	// Partition is the value of each of the table's partition fields, the same for all rows; empty where the table has
	// no such fields.
	Partition schema.PartitionValues `json:"partition,omitempty"`
	// Replaces is the key of the stored file whose rows go on in this one, where there is such: one that the change removes. Some
	// formats keep versions of a file together.
	Replaces string `json:"replaces,omitempty"`
}

// DeleteFile is a file to be added that names rows of one data file which are no longer there, by their positions: a
// Parquet file of DeleteColumns, sorted by position.
type DeleteFile struct {
	Key string `json:"key"`
	// Data is the key of the data file, which the head holds.
	Data string       `json:"data"`
	File parquet.File `json:"file"`
	// Partition is the data file's.
	Partition schema.PartitionValues `json:"partition,omitempty"`
}

// DeleteColumns are the columns of files of deleted rows (Iceberg specification, "Position Delete Files"): the address of
// the data file, as the store's Address gives it, and a row's number in it, the first being 0.
func DeleteColumns() schema.Table {
	return schema.Table{Columns: []schema.Column{
		{Name: "file_path", Type: schema.Type{ID: schema.String}, Required: true, FieldID: 2147483546},
		{Name: "pos", Type: schema.Type{ID: schema.Long}, Required: true, FieldID: 2147483545},
	}}
}

// StoredFile is a data file that a table holds.
type StoredFile struct {
	Key string `json:"key"`
	// Size is the file's length in bytes. Rows counts those that it holds, deleted or not.
	Size int64 `json:"size"`
	Rows int64 `json:"rows"`
	// Partition is the value of each of the head's partition fields, the same for all rows.
	Partition schema.PartitionValues `json:"partition,omitempty"`
	// OtherSpec says that the file was partitioned by other fields than the head's, by another engine: Partition is empty,
	// and the file may hold rows of any partition.
	OtherSpec bool `json:"other_spec,omitempty"`
	// Lower and Upper bound a column's values, by its field id, in Iceberg's single-value serialization; what is not there
	// is not known.
	Lower map[int][]byte `json:"lower,omitempty"`
	Upper map[int][]byte `json:"upper,omitempty"`
	// Deletes are files that name rows which are no longer there.
	Deletes []StoredDelete `json:"deletes,omitempty"`
}

// StoredDelete is a file of positions that a table holds.
type StoredDelete struct {
	Key  string `json:"key"`
	Size int64  `json:"size"`
	Rows int64  `json:"rows"`
	// Only says that the file names rows of one data file alone, so that it goes with that.
	Only bool `json:"only,omitempty"`
}

// Change is what a commit does.
type Change struct {
	// Schema is the table's from this commit on, its columns with the field ids that Prepare gave.
	Schema schema.Table
	// ReplaceAll removes everything that the table held. It goes neither with Remove nor with AddDeletes.
	ReplaceAll bool
	// Remove are the keys of data files that are no longer part of the table, with the files of positions that name rows
	// of no file which stays. One that the head does not hold is an error.
	Remove []string
	Add    []DataFile
	// AddDeletes name rows of data files that the head holds and that stay; rows that are added later they never name.
	AddDeletes []DeleteFile
	Checkpoint Checkpoint
}

// Committed is the outcome of a commit.
type Committed struct {
	Commit string
	At     time.Time
	// BytesWritten counts the format's own files: manifests, metadata.
	BytesWritten int64
}

// LongestJob is the longest that a job of Glue may run, and so the age from which on nobody is about to commit a file any
// more that is not part of a table.
const LongestJob = 48 * time.Hour

// Retention says which snapshots stay when a table is cleaned. The table's own properties win over it.
type Retention struct {
	// KeepAtLeast snapshots of each branch stay, whatever their age; 0 is DefaultKeepAtLeast.
	KeepAtLeast int
	// MaxAge is how long a snapshot stays; 0 is DefaultMaxAge.
	MaxAge time.Duration
}

// The retention of tables of which nothing else is said.
const (
	DefaultKeepAtLeast = 10
	DefaultMaxAge      = 5 * 24 * time.Hour
)

// Cleaned says what a cleaning did.
type Cleaned struct {
	// Snapshots is how many were expired, Files how many objects were deleted for them.
	Snapshots, Files int
	// Left is how many objects are part of the table no longer and were not deleted: names that are not ours, or too young.
	Left int
}

// Table is one table in one format. It is used by one run at a time.
type Table interface {
	// Head reads the newest state. ErrForeign when something else stands at the target.
	Head(ctx context.Context) (*Head, error)
	// Prepare gives field ids to the columns that need one, before files are written, and refuses columns that the format or
	// the rows that stay cannot have. It changes nothing.
	Prepare(head *Head, s schema.Table) (schema.Table, error)
	// Files are the data files that the head holds, with the files of deleted rows that name rows of theirs. They are read
	// once per head; the slice is the caller's, what its elements refer to is not to be changed. A file that cannot be
	// merged into (not Parquet, equality deletes) is an error that says what to do.
	Files(ctx context.Context, head *Head) ([]StoredFile, error)
	// DataKeys begins and ends the keys of an attempt's data files; a number that the writer chooses stands
	// between. No other attempt's keys begin like these. In some formats readers take all that lies there for part of the
	// table: a commit removes there what it does not add, and nothing is written there behind it. What a run writes for
	// itself and needs behind the commit goes under the keys of another attempt.
	DataKeys(head *Head, attempt, unit string) (prefix, suffix string)
	// PositionKey is the key of the object of a position, by the SHA-256 of what it holds: under the table's location, where
	// no reader looks for rows, and with the table's id in it. RemoveOrphans keeps those that checkpoints of kept commits name.
	PositionKey(head *Head, sum string) string
	// Commit makes a change on the head it was planned on: ErrLostRace, ErrOutcomeUnknown, or done. Readers see
	// the table before or after it. A change that the format does not do is refused before anything is written.
	Commit(ctx context.Context, head *Head, change Change) (*Committed, error)
	// Clean forgets old snapshots, and then deletes the files that were theirs alone. The snapshot that carries the newest
	// checkpoint stays, and so do those that were committed on top of it, and all branches and tags. It changes the head,
	// and may lose a race as Commit does; nothing is deleted then.
	Clean(ctx context.Context, head *Head, keep Retention) (*Cleaned, error)
	// RemoveOrphans deletes files under the table's own names that no kept snapshot refers to, and that are older than an
	// age, LongestJob at least. It returns their number.
	RemoveOrphans(ctx context.Context, olderThan time.Duration) (int, error)
}
