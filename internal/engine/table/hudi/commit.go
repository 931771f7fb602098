package hudi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/guard"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// dressedAtOnce bounds the data files that are made at the same time: each holds a row group in memory.
const dressedAtOnce = 4

// Commit implements table.Table. What replaces everything is a replacecommit, all else a commit. An error behind the commit, of
// the catalogue, leaves the commit as it is: Head brings the entry up to it.
func (t *Table) Commit(ctx context.Context, head *table.Head, change table.Change) (*table.Committed, error) {
	on, err := baseOf(head)
	if err != nil {
		return nil, err
	}
	wrap := func(err error) (*table.Committed, error) {
		return nil, fmt.Errorf("committing to %s: %w", t.name(), err)
	}
	if err := t.fits(on, &change); err != nil {
		return wrap(err)
	}
	c := &commit{t: t, head: head, on: on, change: &change, properties: on.properties}
	if c.properties == nil {
		c.properties = t.newProperties(head.TableID, &change.Schema)
	}
	if err := c.ready(ctx); err != nil {
		return wrap(err)
	}
	if on.timeline.first() == "" {
		if err := c.create(ctx); err != nil {
			return wrap(err)
		}
	}
	var document []byte
	r, err := t.land(ctx, on.instant, c.properties, c.write, func(r *record) (claim, error) {
		if document, err = c.document(r); err != nil {
			return claim{}, err
		}
		return c.claim(r, document), nil
	})
	if err != nil {
		return wrap(err)
	}
	if err := t.show(ctx, c, r.Instant); err != nil {
		return nil, fmt.Errorf("the commit %s of %s is made, and readers of the catalogue do not see all of it: %w: the next run brings the entry up to it", r.Instant, t.name(), err)
	}
	at, _ := r.Instant.time()
	return &table.Committed{Commit: string(r.Instant), At: at, BytesWritten: int64(len(document))}, nil
}

// land makes an attempt of what is planned on a base: write writes all that comes before the claim, and gives the record with an error,
// too, once there is one to be taken back; claims says what is left to do then.
func (t *Table) land(ctx context.Context, on Instant, p properties, write func(context.Context, *timeline) (*record, error), claims func(*record) (claim, error)) (*record, error) {
	tl, err := t.readTimeline(ctx)
	if err != nil {
		return nil, err
	}
	if now := tl.head(""); now != on {
		return nil, fmt.Errorf("%w: the head is %s and the commit was planned on %s", table.ErrLostRace, now, on)
	}
	if err := t.touchable(p, tl); err != nil {
		return nil, err
	}
	r, err := write(ctx, tl)
	if err != nil {
		if r != nil {
			t.abandon(ctx, r)
		}
		// Whoever claimed the base meanwhile takes away what others write on it.
		if c, readErr := t.readClaim(ctx, on); readErr == nil && c != nil && c.State != claimVoid {
			err = fmt.Errorf("%w: the attempt %q committed on %s at %s: %w", table.ErrLostRace, c.Attempt, on, c.Instant, err)
		}
		return nil, err
	}
	c, err := claims(r)
	if err != nil {
		t.abandon(ctx, r)
		return nil, err
	}
	h, err := t.claimBase(ctx, c)
	if err != nil {
		if errors.Is(err, table.ErrLostRace) {
			t.abandon(ctx, r)
		}
		return nil, err
	}
	return r, lost(t.complete(ctx, h))
}

// commit is one under way.
type commit struct {
	t          *Table
	head       *table.Head
	on         *base
	change     *table.Change
	properties properties

	form    pathForm
	dress   *dressing
	plan    *plan
	schemas struct{ commit, file string }
}

// ready plans the change, and makes sure of what can be without writing.
func (c *commit) ready(ctx context.Context) (err error) {
	s := &c.change.Schema
	if c.form, err = pathFormOf(c.properties, s); err != nil {
		return err
	}
	if c.schemas.commit, err = avroSchema(c.properties[propertyName], s, false); err != nil {
		return err
	}
	if c.schemas.file, err = avroSchema(c.properties[propertyName], s, true); err != nil {
		return err
	}
	if c.plan, err = c.t.plan(ctx, c.head, c.on, c.form, c.change); err != nil {
		return err
	}
	keys, err := keyFormOf(c.properties, func() (bool, error) { return c.t.bareKeys(ctx, c.head, c.on) })
	if err != nil {
		return err
	}
	c.dress = &dressing{t: c.t, columns: fileColumns(s), avro: c.schemas.file}
	c.dress.keys, err = newKeyWriter(keys, s)
	return err
}

// create makes the table: its properties, which of two runs one makes, and the commit that it begins with, which one of properties and
// no more lacks too.
func (c *commit) create(ctx context.Context) error {
	if c.on.properties == nil {
		if err := c.putProperties(ctx); err != nil {
			return err
		}
	}
	empty, err := json.Marshal(commitFile{PartitionToWriteStats: map[string][]writeStat{}, ExtraMetadata: map[string]string{extraSchema: c.schemas.commit}, OperationType: operationUpsert})
	if err != nil {
		return fmt.Errorf("making the table: %w", err)
	}
	_, err = c.t.o.Store.Put(ctx, c.t.o.Prefix+completedKey(anchor, actionCommit), empty, store.Condition{IfAbsent: true})
	if err != nil && !errors.Is(err, store.ErrExists) {
		return fmt.Errorf("making the table: %w", err)
	}
	return nil
}

func (c *commit) putProperties(ctx context.Context) error {
	_, err := c.t.o.Store.Put(ctx, c.t.o.Prefix+propertiesKey, c.properties.encode(), store.Condition{IfAbsent: true})
	if err == nil {
		return nil
	}
	there, readErr := c.t.properties(ctx)
	switch {
	case readErr == nil && c.t.tableID(there) != c.head.TableID:
		return fmt.Errorf("%w: another run made the table", table.ErrLostRace)
	case readErr != nil || !errors.Is(err, store.ErrExists):
		return fmt.Errorf("making the table: %w", err)
	}
	return nil
}

// action is what the change is in Hudi's words.
func (c *commit) action() string {
	if len(c.plan.replaced) > 0 {
		return actionReplace
	}
	return actionCommit
}

// write writes all that comes before the claim.
func (c *commit) write(ctx context.Context, tl *timeline) (r *record, err error) {
	r, err = c.t.begin(ctx, tl, record{Table: c.head.TableID, Attempt: c.change.Checkpoint.Attempt, Action: c.action(), Base: c.on.instant}, func(i Instant) []string {
		keys := []string{}
		for _, o := range c.plan.outputs {
			o.named(i)
			keys = append(keys, o.key)
		}
		return keys
	}, nil)
	if err != nil {
		return r, err
	}
	if err := c.t.mark(ctx, r); err != nil {
		return r, err
	}
	noted := map[string]bool{}
	for _, o := range c.plan.outputs {
		if noted[o.group.partition] {
			continue
		}
		noted[o.group.partition] = true
		if err := c.t.note(ctx, o.group.partition, r.Instant); err != nil {
			return r, err
		}
	}
	c.dress.instant = r.Instant
	return r, guard.Each(ctx, dressedAtOnce, len(c.plan.outputs), func(ctx context.Context, i int) error {
		return c.dress.dress(ctx, c.plan.outputs[i], i)
	})
}

// document is the file that completes the commit.
func (c *commit) document(r *record) ([]byte, error) {
	rows := c.head.Rows - c.plan.gone
	if !c.head.Exists {
		rows = 0
	}
	f := commitFile{PartitionToWriteStats: map[string][]writeStat{}, OperationType: operationUpsert, ExtraMetadata: map[string]string{extraSchema: c.schemas.commit}}
	for _, o := range c.plan.outputs {
		f.PartitionToWriteStats[o.group.partition] = append(f.PartitionToWriteStats[o.group.partition], o.stat())
		if o.staged != nil {
			rows += o.rows
		}
	}
	if r.Action == actionReplace {
		f.OperationType, f.PartitionToReplaceFileIDs = operationReplace, map[string][]string{}
		for _, g := range c.plan.replaced {
			f.PartitionToReplaceFileIDs[g.partition] = append(f.PartitionToReplaceFileIDs[g.partition], g.fileID)
		}
		for _, ids := range f.PartitionToReplaceFileIDs {
			slices.Sort(ids)
		}
	}
	d := tableDocument{V: documentVersion, Engine: c.t.o.Version, Schema: c.change.Schema, LastColumn: c.on.lastColumn}
	for _, column := range c.change.Schema.Columns {
		if !isMeta(column.Name) {
			d.LastColumn = max(d.LastColumn, column.FieldID)
		}
	}
	for key, document := range map[string]any{extraCheckpoint: c.change.Checkpoint, extraTable: d} {
		text, err := json.Marshal(document)
		if err != nil {
			return nil, fmt.Errorf("writing %s: %w", key, err)
		}
		f.ExtraMetadata[key] = string(text)
	}
	f.ExtraMetadata[extraRows] = strconv.FormatInt(rows, 10)
	data, err := json.Marshal(f)
	if err != nil {
		return nil, fmt.Errorf("writing the commit: %w", err)
	}
	if len(data) > maxCommit {
		return nil, fmt.Errorf("the commit's file has %d bytes, more than %d, which no later run would read: write fewer files", len(data), maxCommit)
	}
	return data, nil
}

// stat is what the commit says of a file. How many rows were inserted and how many updated follows from their numbers alone.
func (o *output) stat() writeStat {
	s := writeStat{
		FileID: o.group.fileID, Path: o.key, PrevCommit: noCommit, PartitionPath: o.group.partition, NumWrites: o.rows,
		TotalWriteBytes: o.size, FileSizeInBytes: o.size, RuntimeStats: &runtimeStats{},
	}
	s.NumInserts, s.NumDeletes = max(o.rows-o.prevRows, 0), max(o.prevRows-o.rows, 0)
	s.NumUpdateWrites = max(o.changed-s.NumInserts, 0)
	if o.prev != nil {
		s.PrevCommit = string(o.prev.instant)
	}
	return s
}

// claim is the attempt's, with all that is left to do.
func (c *commit) claim(r *record, document []byte) claim {
	out := claim{Table: r.Table, Attempt: r.Attempt, Instant: r.Instant, Action: r.Action, Base: r.Base, Files: map[string]int64{}, Document: document, Checkpoint: withoutPositions(&c.change.Checkpoint)}
	for _, o := range c.plan.outputs {
		out.Files[o.key] = o.size
		if o.staged != nil {
			out.Staged = append(out.Staged, o.staged.Key)
		}
	}
	return out
}

// bareKeys says how keys of one column are spelled in a table with several partition columns, whose writers differ: the keys of a
// stored file tell, unless their values themselves look like it. A table without files is ours to decide.
func (t *Table) bareKeys(ctx context.Context, head *table.Head, on *base) (bool, error) {
	if on.properties == nil || on.properties[propertyID] != "" {
		return true, nil
	}
	on.mu.Lock()
	defer on.mu.Unlock()
	if err := t.load(ctx, head, on); err != nil {
		return false, err
	}
	return bareIn(ctx, t, on.files, on.properties.fields(propertyRecordKey)[0])
}
