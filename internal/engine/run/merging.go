package run

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/merge"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// merge merges the files of changes into the table, anew where foreign commits come first, and removes those that are not
// part of it afterwards.
func (a *attempt) merge(ctx context.Context, l *landing) error {
	head, planned, files := l.head, l.planned, l.files
	replaces := l.replaces(a.doc)
	if !replaces && !l.owed && a.rows == 0 && head.Schema.Hash() == planned.Hash() {
		a.commit = head.CheckpointCommit
		return deleteFiles(ctx, l.bucket, files)
	}
	var changes *merge.Changes
	var err error
	if order := a.order(&planned); order != "" {
		changes, err = merge.LoadOrdered(ctx, l.bucket, &planned, order, files)
	} else {
		changes, err = merge.Load(ctx, l.bucket, &planned, files, nil)
	}
	if err != nil {
		return fmt.Errorf("running %q: %w", a.name, err)
	}
	for try := range recommits {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		var stored []table.StoredFile
		if !replaces {
			if stored, err = l.target.Files(ctx, head); err != nil {
				return err
			}
		}
		m := a.merger(l, stored, changes, files)
		m.Keys = func(unit string) (string, string) {
			return l.target.DataKeys(head, l.id, fmt.Sprintf("t%d-%s", try, unit))
		}
		m.OnRead, m.InsertOnly = a.doc.WriteMode == "merge_on_read", a.doc.Target.Format == "parquet"
		for _, c := range planned.Columns {
			if c.Stamp == schema.StampOp {
				m.Op = c.Name
			}
		}
		outcome, err := m.Run(ctx)
		if err != nil {
			return fmt.Errorf("running %q: %w", a.name, err)
		}
		a.checkpoint.Counts.Inserted, a.checkpoint.Counts.Updated, a.checkpoint.Counts.Deleted = outcome.Inserted, outcome.Updated, outcome.Deleted
		if replaces {
			a.checkpoint.Counts.Deleted = a.before
		}
		a.bytes = 0
		for _, f := range outcome.Add {
			a.bytes += f.File.Size
		}
		if !replaces && !l.owed && len(outcome.Add)+len(outcome.AddDeletes)+len(outcome.Remove) == 0 && head.Schema.Hash() == planned.Hash() {
			a.commit = head.CheckpointCommit
			return deleteFiles(ctx, l.bucket, files)
		}
		done, err := l.target.Commit(ctx, head, table.Change{Schema: planned, ReplaceAll: replaces && head.Exists, Remove: outcome.Remove, Add: outcome.Add, AddDeletes: outcome.AddDeletes, Checkpoint: a.checkpoint})
		if err == nil {
			a.commit = done.Commit
			a.leave(ctx, l.bucket, slices.Concat(files, outcome.Written), nil, outcome.Add)
			return nil
		}
		if errors.Is(err, table.ErrOutcomeUnknown) {
			return fmt.Errorf("committing %q: %w", a.name, err)
		}
		a.leave(ctx, l.bucket, outcome.Written, outcome.AddDeletes, nil)
		if !errors.Is(err, table.ErrLostRace) {
			return fmt.Errorf("committing %q: %w", a.name, err)
		}
		if head, err = a.again(ctx, l.target, head); err != nil {
			return err
		}
	}
	return fmt.Errorf("committing %q: foreign commits came first %d times: the next run tries again", a.name, recommits)
}

// order is the column of the table by which the greater of two changes of one key counts; "" where each key has one.
func (a *attempt) order(t *schema.Table) string {
	if a.doc.Ordering == "" || a.doc.StorageMode == "historical" {
		return ""
	}
	for _, c := range t.Columns {
		if c.Source != nil && c.Source.Name == a.doc.Ordering {
			return c.Name
		}
	}
	return ""
}

// merger is what merges of a landing have in common.
func (a *attempt) merger(l *landing, stored []table.StoredFile, changes *merge.Changes, files []table.DataFile) *merge.Merge {
	m := &merge.Merge{
		Store: l.bucket, Schema: l.planned, Files: stored, Changes: changes, ChangeFiles: files, Version: a.r.Version, Parallel: max(runtime.GOMAXPROCS(0), 1), FileBytes: fileBytes,
		SoftDelete: a.doc.DeletedColumn,
	}
	for _, c := range l.planned.Columns {
		if c.Source == nil && c.Stamp != schema.SoftDeleted {
			m.Audit = append(m.Audit, c.Name) // what only the lake has does not make a row another
		}
	}
	return m
}

// mergeInto merges the files of changes into others that are no table's yet: every row is new to the lake.
func (a *attempt) mergeInto(ctx context.Context, l *landing, files, changed []table.DataFile) (*merge.Outcome, error) {
	if len(changed) == 0 {
		return &merge.Outcome{}, nil
	}
	changes, err := merge.Load(ctx, l.bucket, &l.planned, changed, nil)
	if err != nil {
		return nil, err
	}
	stored := make([]table.StoredFile, len(files))
	for i, f := range files {
		stored[i] = table.StoredFile{Key: f.Key, Size: f.File.Size, Rows: f.File.Rows, Partition: f.Partition, Lower: map[int][]byte{}, Upper: map[int][]byte{}}
		for _, c := range f.File.Columns {
			if c.Lower != nil {
				stored[i].Lower[c.FieldID] = c.Lower
			}
			if c.Upper != nil {
				stored[i].Upper[c.FieldID] = c.Upper
			}
		}
	}
	m := a.merger(l, stored, changes, changed)
	m.Keys = func(unit string) (string, string) { return l.target.DataKeys(l.head, l.id, "j-"+unit) }
	return m.Run(ctx)
}

// leave removes files that are not part of the table. What cannot be removed stays as an orphan that no reader sees.
func (a *attempt) leave(ctx context.Context, bucket store.Store, written []table.DataFile, deletes []table.DeleteFile, added []table.DataFile) {
	useless := slices.DeleteFunc(slices.Clone(written), func(f table.DataFile) bool {
		return slices.ContainsFunc(added, func(o table.DataFile) bool { return o.Key == f.Key })
	})
	for _, d := range deletes {
		useless = append(useless, table.DataFile{Key: d.Key})
	}
	if err := deleteFiles(ctx, bucket, useless); err != nil {
		a.log.Warn("files that are not part of the table could not be removed; they stay until orphans are", "files", len(useless), "error", err)
	}
}
