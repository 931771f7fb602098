// Package catalog is the Glue Data Catalog as table formats need it: one entry a table, changed by
// compare-and-swap, and its partitions, each made by one who comes first.
package catalog

import (
	"context"
	"errors"
)

// ErrNotFound says that a partition, table or database does not exist.
var ErrNotFound = errors.New("it does not exist in the catalogue")

// ErrExists says that a table of that name, or a partition of those values, exists already.
var ErrExists = errors.New("it exists in the catalogue already")

// ErrConflict says that the table changed since its Version was read.
var ErrConflict = errors.New("the catalogue entry changed meanwhile")

// ErrUnknown says that a call got no answer and may have taken effect. The caller reads back.
var ErrUnknown = errors.New("the catalogue gave no answer")

// ErrThrottled says that a call was turned away unread, because there were too many. It may be repeated.
var ErrThrottled = errors.New("the catalogue asked to be called less often")

// Column is a column of an entry.
type Column struct {
	Name, Type, Comment string
	Parameters          map[string]string
}

// Table is an entry of the catalogue.
type Table struct {
	Database, Name string
	Description    string
	// Type is EXTERNAL_TABLE for all tables of a lake.
	Type       string
	Parameters map[string]string
	Location   string
	Columns    []Column
	// PartitionKeys, the formats and the SerDe are for formats that readers find by directory.
	PartitionKeys             []Column
	InputFormat, OutputFormat string
	SerDe                     string
	SerDeParameters           map[string]string
	// Version changes with every change of the entry; set by Get.
	Version string
}

// Catalog is safe for concurrent use. Create and Update go out once: a retry could meet what the first try
// wrote. Their errors are the named ones, or say that nothing was done.
type Catalog interface {
	// Database checks that a database exists, or is ErrNotFound.
	Database(ctx context.Context, name string) error
	// Get reads an entry, or is ErrNotFound.
	Get(ctx context.Context, database, name string) (*Table, error)
	// Create makes an entry: ErrExists, ErrNotFound (the database), ErrThrottled or ErrUnknown when it did not.
	Create(ctx context.Context, t *Table) error
	// Update replaces the entry whose Version is t's: ErrConflict, ErrNotFound, ErrThrottled or ErrUnknown when it
	// did not.
	Update(ctx context.Context, t *Table) error
	Partitioned
}
