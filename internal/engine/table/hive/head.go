package hive

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/google/uuid"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// base is what a commit compares with.
type base struct {
	// entry is nil where there is none, and document then empty.
	entry    *catalog.Table
	document tableDocument
	// number is the newest batch's and attempt who made it; 0 is none. A current snapshot has none.
	number  int64
	attempt string

	// batches are all there are up to number, in their order; nil where they were not all listed.
	batches []batch

	mu sync.Mutex // guards files and read
	// files are the head's, once they are read.
	files []table.StoredFile
	read  bool
}

// Head implements table.Table. A historical table whose entry is there and which has no batch yet does not exist: its
// first commit did not come to its end.
func (t *Table) Head(ctx context.Context) (*table.Head, error) {
	entry, err := t.o.Catalog.Get(ctx, t.o.Database, t.o.Name)
	if errors.Is(err, catalog.ErrNotFound) {
		if err := t.o.Catalog.Database(ctx, t.o.Database); err != nil {
			return nil, fmt.Errorf("%w: create the database first; engine and provider never do", err)
		}
		return &table.Head{TableID: uuid.NewString(), Base: &base{}}, nil
	}
	if err != nil {
		return nil, err
	}
	on := &base{entry: entry}
	if on.document, err = t.document(ctx, entry); err != nil {
		return nil, err
	}
	head := &table.Head{Exists: true, TableID: on.document.ID, Schema: on.document.Schema, Rows: -1, Base: on}
	if t.o.Historical {
		return head, t.newest(ctx, head, on)
	}
	head.Commit, head.CheckpointCommit, head.Rows = on.document.Attempt, on.document.Attempt, on.document.Rows
	head.Checkpoint, err = t.checkpoint(entry.Parameters[checkpointParameter], on.document.Attempt)
	return head, err
}

// document is what an entry says of its table, if the table is this one and as it was written.
func (t *Table) document(ctx context.Context, entry *catalog.Table) (tableDocument, error) {
	var d tableDocument
	if err := t.ours(entry); err != nil {
		return d, err
	}
	if err := t.decode(ctx, tableParameter, entry.Parameters[tableParameter], &d); err != nil {
		return d, err
	}
	return d, t.unchanged(entry, &d, t.location(&d))
}

// location is the address that an entry names: readers list the folder of a current snapshot, and of a historical table those
// of its partitions. The slash at the end keeps readers from folders whose names only begin alike.
func (t *Table) location(d *tableDocument) string {
	if t.o.Historical {
		return t.o.Store.Address(t.o.Prefix)
	}
	return t.o.Store.Address(t.folder(d.ID, d.Attempt))
}

// checkpoint reads the checkpoint that an attempt's commit carries.
func (t *Table) checkpoint(text, attempt string) (*table.Checkpoint, error) {
	if text == "" {
		return nil, t.foreign("carries no checkpoint of lakeland: choose another name, or remove that entry")
	}
	c, err := table.ParseCheckpoint([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("the Glue table %s: %w", t.name(), err)
	}
	if c.Attempt != attempt {
		return nil, t.damaged(checkpointParameter, fmt.Errorf("it is of the attempt %q, and the files are of %q", c.Attempt, attempt))
	}
	return c, nil
}

// list reads the files of a snapshot or batch.
func (t *Table) list(ctx context.Context, id, attempt, text string) (*filesDocument, error) {
	var d filesDocument
	if err := t.decode(ctx, filesParameter, text, &d); err != nil {
		return nil, err
	}
	if d.Table != id || d.Attempt != attempt {
		return nil, t.foreign("has the files of the attempt %q of the table %q where those of %q of %q belong: restore its parameter %s, or remove that entry to land the table anew", d.Attempt, d.Table, attempt, id, filesParameter)
	}
	for i := range d.Files {
		d.Files[i].Key = t.folder(id, attempt) + d.Files[i].Key
	}
	return &d, nil
}

// batch is a partition as it is listed.
type batch struct {
	number int64
	batchDocument
	partition *catalog.Partition
}

// newest completes the head of a historical table by its newest batch.
func (t *Table) newest(ctx context.Context, head *table.Head, on *base) error {
	all := t.o.Since <= 0
	batches, err := t.batches(ctx, on, t.o.Since)
	if err == nil && len(batches) == 0 && !all {
		all = true
		batches, err = t.batches(ctx, on, 0)
	}
	if err != nil {
		return err
	}
	if all {
		on.batches, head.Rows = batches, 0
		for _, b := range batches {
			head.Rows += b.Rows
		}
	}
	if len(batches) == 0 {
		head.Exists, head.Schema = false, schema.Table{}
		return nil
	}
	last := batches[len(batches)-1]
	on.number, on.attempt = last.number, last.Attempt
	head.Commit = commitName(last.number, last.Attempt)
	head.CheckpointCommit = head.Commit
	head.Checkpoint, err = t.checkpoint(last.partition.Parameters[checkpointParameter], last.Attempt)
	return err
}

// batches lists the batches from a number on, in their order. Partitions that are not batches of this table are refused.
func (t *Table) batches(ctx context.Context, on *base, from int64) ([]batch, error) {
	var since *catalog.AtLeast
	if from > 0 {
		since = &catalog.AtLeast{Key: BatchColumn, Value: from}
	}
	var out []batch
	for p, err := range t.o.Catalog.Partitions(ctx, t.o.Database, t.o.Name, since) {
		if err != nil {
			return nil, err
		}
		b, err := t.batch(p, on.document.ID)
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	slices.SortFunc(out, func(a, b batch) int { return cmp.Compare(a.number, b.number) })
	return out, nil
}

// batch checks that a partition is a batch of this table whose files are where they were written.
func (t *Table) batch(p *catalog.Partition, id string) (batch, error) {
	out := batch{partition: p, batchDocument: madeBy(p, id)}
	var err error
	if len(p.Values) == 1 {
		out.number, err = strconv.ParseInt(p.Values[0], 10, 64)
	}
	if err != nil || out.number < 1 || strconv.FormatInt(out.number, 10) != p.Values[0] || out.Attempt == "" {
		return out, t.foreign("has the partition %v, which lakeland did not land: drop that partition", p.Values)
	}
	if at := t.o.Store.Address(t.folder(id, out.Attempt)); p.Location != at {
		return out, t.foreign("has the batch %d at %s, and it was landed at %s: set the partition's location back", out.number, p.Location, at)
	}
	return out, nil
}

// madeBy is what a partition says of the attempt that made it, and nothing where that is not one of the table's.
func madeBy(p *catalog.Partition, id string) batchDocument {
	var made batchDocument
	if err := json.Unmarshal([]byte(p.Parameters[batchParameter]), &made); err != nil || made.Table != id {
		return batchDocument{}
	}
	return made
}

// commitName names the commit of a batch. The attempt tells it from another one of its number, which may come where somebody
// drops the newest partition.
func commitName(number int64, attempt string) string {
	return strconv.FormatInt(number, 10) + "-" + attempt
}

// Batch is the number of the batch that a commit of a historical table made, and 0 for names that are not of such commits.
func Batch(commit string) int64 {
	digits, _, found := strings.Cut(commit, "-")
	number, err := strconv.ParseInt(digits, 10, 64)
	if !found || err != nil || number < 1 {
		return 0
	}
	return number
}

// Files implements table.Table. A historical table's batches are listed for it.
func (t *Table) Files(ctx context.Context, head *table.Head) ([]table.StoredFile, error) {
	on, err := baseOf(head)
	if err != nil {
		return nil, err
	}
	on.mu.Lock()
	defer on.mu.Unlock()
	if !on.read {
		if on.files, err = t.files(ctx, on); err != nil {
			return nil, fmt.Errorf("listing the files of %s: %w", t.name(), err)
		}
		on.read = true
	}
	return slices.Clone(on.files), nil
}

func (t *Table) files(ctx context.Context, on *base) ([]table.StoredFile, error) {
	if on.entry == nil {
		return nil, nil
	}
	if !t.o.Historical {
		d, err := t.list(ctx, on.document.ID, on.document.Attempt, on.entry.Parameters[filesParameter])
		if err != nil {
			return nil, err
		}
		return d.Files, nil
	}
	batches := on.batches
	if batches == nil && on.number > 0 {
		var err error
		if batches, err = t.batches(ctx, on, 0); err != nil {
			return nil, err
		}
	}
	var out []table.StoredFile
	for _, b := range batches {
		if b.number > on.number {
			break // it came after the head
		}
		d, err := t.list(ctx, on.document.ID, b.Attempt, b.partition.Parameters[filesParameter])
		if err != nil {
			return nil, fmt.Errorf("batch %d: %w", b.number, err)
		}
		out = append(out, d.Files...)
	}
	return out, nil
}
