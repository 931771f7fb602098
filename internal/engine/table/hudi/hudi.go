// Package hudi is the Hudi format: copy on write, table version 6 with timeline layout 1, which Athena, Glue, EMR, Trino and all
// releases of Spark's bundle since 0.14 read. A table is its folder: hoodie.properties, the timeline of instants beside it, and
// in a folder per partition the data files, each of which is one version of a file group.
//
// A commit is a compare-and-swap without a catalogue. The head is the newest completed instant of anyone. An attempt writes,
// in this order: its record, the pending instant, markers, notes of partitions, data files; then the claim of its base, which
// one attempt gets, and which holds all that is left to do; then the file that completes the instant. Whoever finds a claim
// whose commit is not there completes it, or makes it void where that cannot be: other writers came meanwhile, or took its
// files away. A claim is sealed once its commit is known to be there, and only one that is open can become void, so that a
// commit and its being given up never both come about. A commit's file that comes when another writer has rolled its instant
// back already is no commit. Pending instants without a record are other writers', over whose no commit is made: Spark and this
// engine take turns.
//
// What a run writes are plain Parquet files in a folder beside the timeline, for their instant is not known before the commit,
// and Hudi's files carry it. The commit dresses them: it copies their columns as they are and puts Hudi's in front.
package hudi

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// Options say where a table is.
type Options struct {
	Store   store.Store
	Catalog catalog.Catalog
	// Prefix is the table's folder in the store, with a slash at its end.
	Prefix string
	// Database and Name are the table's entry in the catalogue.
	Database, Name string
	// Version is the engine's, for the files it writes.
	Version string
	// Source is the source table of which newest commits are brought to the catalogue's entry where that does not show them yet;
	// "" is any. A table that another source table landed gets no entry by being looked at.
	Source string
	// Precombine is the column by which Spark orders rows of one key, "" for none. It is asked for when a table is made. Of a
	// table that has one it may be left out, and is not to be another.
	Precombine string
	// Now is the time of instants, and the one by which they are too old; nil means the machine's clock. No commit's outcome is
	// decided by it.
	Now func() time.Time
}

// Table is one table of Hudi; it implements table.Table.
type Table struct {
	o Options
}

// New makes no call.
func New(o Options) *Table {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Table{o: o}
}

func (t *Table) name() string { return t.o.Database + "." + t.o.Name }

// foreign is the error of what stands at the target and is not this table.
func (t *Table) foreign(format string, arguments ...any) error {
	return fmt.Errorf("%w: %s at %s %s", table.ErrForeign, t.name(), t.o.Store.Address(t.o.Prefix), fmt.Sprintf(format, arguments...))
}

// staging is the key in front of an attempt's files before they are committed.
func (t *Table) staging(attempt string) string { return t.o.Prefix + stagingFolder + attempt + "/" }

// DataKeys implements table.Table. The files are not those that readers read: a commit makes them of these.
func (t *Table) DataKeys(_ *table.Head, attempt, unit string) (prefix, suffix string) {
	return t.staging(attempt) + unit + "-", ".parquet"
}

// PositionKey implements table.Table.
func (t *Table) PositionKey(head *table.Head, sum string) string {
	return t.o.Prefix + positionsFolder + head.TableID + "-" + sum + ".json"
}

// tableID is a table's identity: the one that its properties hold, or where another engine made it, one that follows from its
// place.
func (t *Table) tableID(p properties) string {
	if id := p[propertyID]; id != "" {
		return id
	}
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte(t.o.Store.Address(t.o.Prefix)+"\x00"+p[propertyName])).String()
}

// plainName reports whether an attempt's name can be a folder's: with a slash it would be in that of another.
func plainName(attempt string) bool { return attempt != "" && !strings.Contains(attempt, "/") }

func baseOf(head *table.Head) (*base, error) {
	if on, ok := head.Base.(*base); ok {
		return on, nil
	}
	return nil, errors.New("the head is not one of a table of Hudi")
}

// read reads an object below the table's prefix.
func (t *Table) read(ctx context.Context, key string, limit int64) ([]byte, error) {
	return store.Read(ctx, t.o.Store, t.o.Prefix+key, limit)
}
