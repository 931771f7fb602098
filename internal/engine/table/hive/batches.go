package hive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// batchParameter is the parameter of a partition that says who made it.
const batchParameter = "lakeland.batch"

type batchDocument struct {
	Table   string `json:"table"`
	Attempt string `json:"attempt"`
	Rows    int64  `json:"rows"`
}

// addBatch commits a batch: it makes the partition with the number behind the head's, which only one can.
//
// The entry comes first, where it is not there or its columns are not yet the change's. Should the partition then not come
// about, readers see columns that are NULL everywhere, or wider types than there are values: no row, and nothing that the
// next commit does not take on. A partition has the columns that its own files have, so one that was planned before the
// entry's columns changed is read as well.
func (t *Table) addBatch(ctx context.Context, head *table.Head, on *base, change table.Change, others []string) (name string, written int64, err error) {
	attempt := change.Checkpoint.Attempt
	checkpoint, files, written, err := t.parameters(ctx, head.TableID, change)
	if err != nil {
		return "", 0, err
	}
	made, err := json.Marshal(batchDocument{Table: head.TableID, Attempt: attempt, Rows: rowsOf(change)})
	if err != nil {
		return "", 0, fmt.Errorf("writing the parameter %s of %s: %w", batchParameter, t.name(), err)
	}
	changed, more, err := t.prepareEntry(ctx, head, on, change)
	if err != nil {
		return "", 0, err
	}
	if err := t.unmoved(ctx, head, on, changed); err != nil {
		return "", 0, err
	}
	number := on.number + 1
	p := &catalog.Partition{
		Values:   []string{strconv.FormatInt(number, 10)},
		Location: t.o.Store.Address(t.folder(head.TableID, attempt)), Columns: columns(change.Schema),
		InputFormat: inputFormat, OutputFormat: outputFormat, SerDe: serDe, SerDeParameters: map[string]string{"serialization.format": "1"},
		Parameters: map[string]string{"classification": "parquet", checkpointParameter: checkpoint, filesParameter: files, batchParameter: string(made)},
	}
	noted, err := t.record(ctx, head.TableID, attempt, number, p)
	if err == nil {
		err = t.tidy(ctx, others)
	}
	if err != nil {
		return "", 0, err
	}
	err = table.Swap(ctx, func(ctx context.Context) error {
		return t.o.Catalog.CreatePartition(ctx, t.o.Database, t.o.Name, p)
	}, func(ctx context.Context) (ours, moved bool, err error) {
		there, err := t.o.Catalog.Partition(ctx, t.o.Database, t.o.Name, p.Values)
		if errors.Is(err, catalog.ErrNotFound) {
			moved, err := t.gone(ctx)
			return false, moved, err
		}
		if err != nil {
			return false, false, err
		}
		return madeBy(there, head.TableID).Attempt == attempt, true, nil
	})
	return commitName(number, attempt), written + more + noted, err
}

// gone reports whether the entry is not there any more, so that no partition of it can be made.
func (t *Table) gone(ctx context.Context) (bool, error) {
	_, err := t.o.Catalog.Get(ctx, t.o.Database, t.o.Name)
	if errors.Is(err, catalog.ErrNotFound) {
		return true, nil
	}
	return false, err
}

// prepareEntry gives the entry the change's columns, and reports whether it had not had them.
func (t *Table) prepareEntry(ctx context.Context, head *table.Head, on *base, change table.Change) (changed bool, written int64, err error) {
	next := t.nextDocument(head, on, change)
	if on.entry != nil {
		next.Engine = on.document.Engine // an engine's version alone is no reason to change the entry
	}
	text, err := json.Marshal(next)
	if err != nil {
		return false, 0, fmt.Errorf("writing the parameter %s of %s: %w", tableParameter, t.name(), err)
	}
	if on.entry != nil {
		before, err := json.Marshal(on.document)
		if err != nil {
			return false, 0, fmt.Errorf("writing the parameter %s of %s: %w", tableParameter, t.name(), err)
		}
		if string(before) == string(text) {
			return false, 0, nil
		}
	}
	document, written, err := t.encode(ctx, head.TableID, change.Checkpoint.Attempt, tableParameter, next)
	if err != nil {
		return false, 0, err
	}
	entry := t.entry(on.entry, on.document.Schema, change.Schema, t.location(&next))
	entry.Parameters[tableParameter] = document
	return true, written, t.swap(ctx, on, entry, func(d *tableDocument) bool {
		// An entry that says the same came from an attempt with the same columns, and is as good.
		now, err := json.Marshal(d)
		return err == nil && string(now) == string(text)
	})
}

// unmoved checks that the head is still what the change was planned on: that nobody has dropped its batch, or the table.
// changed says that the entry is the one that this commit wrote.
func (t *Table) unmoved(ctx context.Context, head *table.Head, on *base, changed bool) error {
	if on.number > 0 {
		p, err := t.o.Catalog.Partition(ctx, t.o.Database, t.o.Name, []string{strconv.FormatInt(on.number, 10)})
		if errors.Is(err, catalog.ErrNotFound) || err == nil && madeBy(p, head.TableID).Attempt != on.attempt {
			return fmt.Errorf("%w: the batch %d of %s, on which the change was planned, is not there any more", table.ErrLostRace, on.number, t.name())
		}
		return err
	}
	if changed {
		return nil
	}
	entry, err := t.o.Catalog.Get(ctx, t.o.Database, t.o.Name)
	if errors.Is(err, catalog.ErrNotFound) || err == nil && entry.Version != on.entry.Version {
		return fmt.Errorf("%w: the entry of %s changed", table.ErrLostRace, t.name())
	}
	return err
}
