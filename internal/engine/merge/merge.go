// Package merge brings changes, found by key, into a table's data files. It knows no table format: it reads and writes
// files of Parquet, and says which files of the table give way to which.
package merge

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// Merge brings changes into the data files of a table: rows of known keys take the changes' values where they stand, or in
// the files of the partition that they are of now; other changes are new rows; rows whose keys are removed go.
type Merge struct {
	Store store.Store
	// Schema is the table's from this merge on, with its key and its partition fields.
	Schema schema.Table
	// Files are the table's.
	Files   []table.StoredFile
	Changes *Changes
	// ChangeFiles are those that the changes were loaded from. Where the table is partitioned and their Partition is set, all
	// of a file's rows are of that partition.
	ChangeFiles []table.DataFile
	// Keys begins and ends the keys of a unit's files.
	Keys func(unit string) (prefix, suffix string)
	// Version is the engine's, for the files it writes.
	Version string
	// Parallel is how many files are at work at once; at least 1.
	Parallel int
	// FileBytes is the size up to which files are filled; 0 is DefaultFileBytes.
	FileBytes int64
	// SoftDelete names a boolean column that removals set to true in stored rows, which stay; changes bring false. "" removes
	// the rows.
	SoftDelete string
	// Audit names columns that do not count when a change is compared with the stored row: one that is otherwise equal is no
	// change, and the row keeps its values; one that differs brings these too.
	Audit []string
	// Op names a column of text that says what became of a row: changes bring OpInserted, which those that replace a stored
	// row get OpUpdated for, and a row that is softly deleted gets OpDeleted. It does not count as a difference. "" is none.
	Op string
	// InsertOnly leaves stored files as they are: changes whose keys are stored already are passed over.
	InsertOnly bool
	// OnRead writes in proportion to the changes: stored rows that a change replaces are named in files of positions, and
	// their new versions are written to new files. Only files of which much is deleted are rewritten, and small ones joined.
	OnRead bool
	// Spill is a directory for temporary files, of what memory does not hold; "" is the system's.
	Spill string
}

// What Op says of rows.
const (
	OpInserted = schema.OpInserted
	OpUpdated  = schema.OpUpdated
	OpDeleted  = schema.OpDeleted
)

// DefaultFileBytes is the size up to which files are filled where nothing else is said.
const DefaultFileBytes = 512 << 20

// Outcome is what a merge comes to. Without files to remove or to add, of data or of positions, the table is as the changes
// would have it.
type Outcome struct {
	Remove []string
	Add    []table.DataFile
	// AddDeletes are files of positions, of data files that stay. Like those in Written they are of no use where they are not
	// committed.
	AddDeletes []table.DeleteFile
	// Written are the data files that were written, whether they are to be added or not: those that are not to be are of no
	// use.
	Written []table.DataFile
	// Inserted, Updated and Deleted count rows; those that are softly deleted are Deleted.
	Inserted, Updated, Deleted int64
}

// Run merges. After an error it has removed what it wrote, as far as it could. An ErrKey is of changes that are larger than
// memory.
func (m *Merge) Run(ctx context.Context) (_ *Outcome, err error) {
	w, err := m.begin()
	if err != nil {
		return nil, fmt.Errorf("merging changes: %w", err)
	}
	defer w.end()
	defer func() {
		if err != nil {
			w.remove(ctx)
		}
	}()
	for _, step := range []struct {
		doing string
		do    func(context.Context) error
	}{
		{"finding changed keys", w.locate}, {"sorting changes", w.distribute}, {"comparing changes with stored rows", w.examine},
		{"choosing files", w.decide}, {"moving rows", w.move}, {"", w.write},
	} {
		switch err := step.do(ctx); {
		case err != nil && step.doing == "":
			return nil, err
		case err != nil:
			return nil, fmt.Errorf("%s: %w", step.doing, err)
		}
	}
	return &w.out, nil
}

// begin makes sure of what a merge is told.
func (m *Merge) begin() (*work, error) {
	w := &work{Merge: m, gauge: &m.Changes.gauge, partitions: partitions{numbers: map[string]int32{}}, soft: -1, op: -1}
	if w.fileBytes = m.FileBytes; w.fileBytes <= 0 {
		w.fileBytes = DefaultFileBytes
	}
	if _, err := w.partitions.sorter(&m.Schema); err != nil {
		return nil, err
	}
	w.passive, w.isKey = make([]bool, len(m.Schema.Columns)), make([]bool, len(m.Schema.Columns))
	w.differed = make([]atomic.Bool, len(m.Schema.Columns))
	for i, c := range m.Schema.Columns {
		w.isKey[i] = slices.Contains(m.Schema.Key, c.Name)
	}
	for _, name := range m.Audit {
		if _, err := w.column("audit", name, ""); err != nil {
			return nil, err
		}
	}
	var err error
	if m.SoftDelete != "" {
		if w.soft, err = w.column("soft delete", m.SoftDelete, schema.Boolean); err != nil {
			return nil, err
		}
		w.passive[w.soft] = false
	}
	if m.Op != "" {
		if w.op, err = w.column("op", m.Op, schema.String); err != nil {
			return nil, err
		}
	}
	for _, f := range m.Schema.Partition {
		if f.Column == m.SoftDelete || f.Column == m.Op {
			return nil, fmt.Errorf("the table is partitioned by %s, whose column is the merge's own: leave it out of partition_by", f)
		}
	}
	if m.InsertOnly && (m.OnRead || m.Changes.removals() > 0) {
		return nil, fmt.Errorf("a merge that leaves stored files as they are takes no row away")
	}
	w.begun()
	return w, nil
}

// column finds a column that has a part in the merge, and that is not compared.
func (w *work) column(part, name string, typ schema.ID) (int, error) {
	at := slices.IndexFunc(w.Schema.Columns, func(c schema.Column) bool { return c.Name == name })
	switch {
	case at < 0:
		return 0, fmt.Errorf("the %s column %q is not among the table's", part, name)
	case w.isKey[at]:
		return 0, fmt.Errorf("the %s column %q is part of the key, which never changes", part, name)
	case typ != "" && w.Schema.Columns[at].Type.ID != typ:
		return 0, fmt.Errorf("the %s column %q is %s, not %s", part, name, w.Schema.Columns[at].Type, typ)
	}
	w.passive[at] = true
	return at, nil
}

// remove deletes what was written, which is of no use. What cannot be removed stays as an orphan that no reader sees.
func (w *work) remove(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	for _, key := range w.written {
		_ = w.Store.Delete(ctx, key)
	}
}
