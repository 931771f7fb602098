package hive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// Commit implements table.Table. What a change may do depends on the kind of table: replace everything, or add a batch.
func (t *Table) Commit(ctx context.Context, head *table.Head, change table.Change) (*table.Committed, error) {
	on, err := baseOf(head)
	if err != nil {
		return nil, err
	}
	if err := t.fits(head, on, change); err != nil {
		return nil, fmt.Errorf("committing to %s: %w", t.name(), err)
	}
	others, err := t.others(ctx, head.TableID, change)
	if err != nil {
		return nil, fmt.Errorf("committing to %s: %w", t.name(), err)
	}
	now := t.o.Now()
	var name string
	var written int64
	if t.o.Historical {
		name, written, err = t.addBatch(ctx, head, on, change, others)
	} else {
		name, written, err = t.replace(ctx, head, on, change, others, now)
	}
	if err != nil {
		return nil, err
	}
	return &table.Committed{Commit: name, At: now.UTC(), BytesWritten: written}, nil
}

// fits refuses changes that the format has no form for, before anything is written.
func (t *Table) fits(head *table.Head, on *base, change table.Change) error {
	const other = ": use the format iceberg"
	switch {
	case change.Checkpoint.Attempt == "":
		return errors.New("its checkpoint names no attempt")
	case change.Checkpoint.Attempt == on.attempt || change.Checkpoint.Attempt == on.document.Attempt:
		return fmt.Errorf("the attempt %q has committed already", change.Checkpoint.Attempt)
	case len(change.AddDeletes) > 0:
		return errors.New("plain Parquet files know no deleted rows" + other)
	case len(change.Remove) > 0 && t.o.Historical:
		return errors.New("the batches of a historical table stay as they were landed; no file of them is removed" + other)
	case len(change.Remove) > 0:
		return errors.New("a current snapshot of plain Parquet files is replaced as a whole; no single file of it is removed" + other)
	case change.ReplaceAll && t.o.Historical && head.Exists:
		return errors.New("the batches of a historical table stay as they were landed; they are not replaced" + other)
	case !change.ReplaceAll && !t.o.Historical && head.Exists:
		return errors.New("a current snapshot of plain Parquet files is replaced as a whole; nothing is added to it" + other)
	}
	folder := t.folder(head.TableID, change.Checkpoint.Attempt)
	seen := map[string]bool{}
	for _, f := range change.Add {
		base, inside := strings.CutPrefix(f.Key, folder)
		switch {
		case !inside || base == "" || strings.Contains(base, "/"):
			return fmt.Errorf("the file %s does not lie in the folder of its attempt, %s", f.Key, folder)
		case seen[f.Key]:
			return fmt.Errorf("the file %s is added twice", f.Key)
		case len(f.Partition) > 0:
			return fmt.Errorf("the file %s is one of a partition, and the table has none: %w", f.Key, table.ErrPartitioning)
		}
		seen[f.Key] = true
	}
	for _, c := range change.Schema.Columns {
		if c.FieldID == 0 {
			return fmt.Errorf("the column %q has no field id: Prepare gives them", c.Name)
		}
	}
	return nil
}

// others are the objects in the attempt's folder that are not part of the change, such as the file of a unit that was read
// again, or the changes that a batch was merged from. They go by the last call before readers are shown the folder, who take
// whatever lies there: until then the attempt may have to read them again. All files of the change must be there.
func (t *Table) others(ctx context.Context, id string, change table.Change) ([]string, error) {
	missing := map[string]int64{}
	for _, f := range change.Add {
		missing[f.Key] = f.File.Size
	}
	var others []string
	for object, err := range t.o.Store.List(ctx, t.folder(id, change.Checkpoint.Attempt), "") {
		if err != nil {
			return nil, err
		}
		size, part := missing[object.Key]
		switch {
		case !part:
			others = append(others, object.Key)
		case object.Size != size:
			return nil, fmt.Errorf("the file %s has %d bytes, and %d were written", t.o.Store.Address(object.Key), object.Size, size)
		}
		delete(missing, object.Key)
	}
	for key := range missing {
		return nil, fmt.Errorf("the file %s of the change is not there", t.o.Store.Address(key))
	}
	return others, nil
}

// tidy removes objects from an attempt's folder.
func (t *Table) tidy(ctx context.Context, others []string) error {
	if len(others) == 0 {
		return nil
	}
	if err := t.o.Store.Delete(ctx, others...); err != nil {
		return fmt.Errorf("committing to %s: %w", t.name(), err)
	}
	return nil
}

// parameters are those that carry a commit.
func (t *Table) parameters(ctx context.Context, id string, change table.Change) (checkpoint, files string, written int64, err error) {
	data, err := json.Marshal(change.Checkpoint)
	if err != nil {
		return "", "", 0, fmt.Errorf("writing the parameter %s of %s: %w", checkpointParameter, t.name(), err)
	}
	d := filesDocument{V: documentVersion, Table: id, Attempt: change.Checkpoint.Attempt, Files: []table.StoredFile{}}
	for _, f := range change.Add {
		stored := table.StoredFile{Key: path.Base(f.Key), Size: f.File.Size, Rows: f.File.Rows, Lower: map[int][]byte{}, Upper: map[int][]byte{}}
		for _, c := range f.File.Columns {
			if c.Lower != nil {
				stored.Lower[c.FieldID] = c.Lower
			}
			if c.Upper != nil {
				stored.Upper[c.FieldID] = c.Upper
			}
		}
		d.Files = append(d.Files, stored)
	}
	files, written, err = t.encode(ctx, id, change.Checkpoint.Attempt, filesParameter, d)
	return string(data), files, written, err
}

func rowsOf(change table.Change) (rows int64) {
	for _, f := range change.Add {
		rows += f.File.Rows
	}
	return rows
}

// nextDocument is what the entry says of its table from a change on.
func (t *Table) nextDocument(head *table.Head, on *base, change table.Change) tableDocument {
	d := tableDocument{V: documentVersion, ID: head.TableID, Historical: t.o.Historical, Engine: t.o.Version, Schema: change.Schema, LastColumn: on.document.LastColumn}
	for _, c := range change.Schema.Columns {
		d.LastColumn = max(d.LastColumn, c.FieldID)
	}
	return d
}

// keptEarlier is how long an attempt is remembered that was replaced; what it left is an orphan afterwards.
const keptEarlier = 2 * table.LongestJob

// replace makes a change the current snapshot: one call that names its folder instead of the one before.
func (t *Table) replace(ctx context.Context, head *table.Head, on *base, change table.Change, others []string, now time.Time) (name string, written int64, err error) {
	attempt := change.Checkpoint.Attempt
	next := t.nextDocument(head, on, change)
	next.Attempt, next.Rows = attempt, rowsOf(change)
	if on.entry != nil {
		next.Earlier = []earlier{{Attempt: on.document.Attempt, Until: now.UnixMilli()}}
		for _, e := range on.document.Earlier {
			if now.UnixMilli()-e.Until < keptEarlier.Milliseconds() {
				next.Earlier = append(next.Earlier, e)
			}
		}
	}
	entry := t.entry(on.entry, head.Schema, change.Schema, t.location(&next))
	checkpoint, files, written, err := t.parameters(ctx, head.TableID, change)
	if err != nil {
		return "", 0, err
	}
	document, more, err := t.encode(ctx, head.TableID, attempt, tableParameter, next)
	if err != nil {
		return "", 0, err
	}
	entry.Parameters[checkpointParameter], entry.Parameters[filesParameter], entry.Parameters[tableParameter] = checkpoint, files, document
	if err := t.tidy(ctx, others); err != nil {
		return "", 0, err
	}
	return attempt, written + more, t.swap(ctx, on, entry, func(d *tableDocument) bool {
		if d.ID != head.TableID {
			return false
		}
		for _, e := range d.Earlier {
			if e.Attempt == attempt {
				return true
			}
		}
		return d.Attempt == attempt
	})
}

// swap makes an entry current if the one it was planned on still is. mine knows by what an entry says whether it is, or
// came after, this one.
func (t *Table) swap(ctx context.Context, on *base, entry *catalog.Table, mine func(*tableDocument) bool) error {
	return table.Swap(ctx, func(ctx context.Context) error {
		if on.entry == nil {
			return t.o.Catalog.Create(ctx, entry)
		}
		return t.o.Catalog.Update(ctx, entry)
	}, func(ctx context.Context) (ours, moved bool, err error) {
		now, err := t.o.Catalog.Get(ctx, t.o.Database, t.o.Name)
		if errors.Is(err, catalog.ErrNotFound) {
			return false, on.entry != nil, nil
		}
		if err != nil {
			return false, false, err
		}
		moved = on.entry == nil || now.Version != on.entry.Version
		d, err := t.document(ctx, now)
		if errors.Is(err, table.ErrForeign) {
			return false, moved, nil
		}
		return err == nil && mine(&d), moved, err
	})
}
