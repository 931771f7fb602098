package run

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table/hive"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table/hudi"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table/iceberg"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
	"github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

// landing is one attempt to bring what was read into the table.
type landing struct {
	// id is the attempt's, in the names of its files.
	id     string
	target table.Table
	bucket store.Store
	// prefix is the table's folder in the bucket, with a slash at its end.
	prefix string
	head   *table.Head
	// whole says that all rows of the source are read, afresh that nothing of the lake's table need be kept but its name.
	whole, afresh bool
	// adopted says that the table was another's, and that what it held is not taken for what this source table would have read.
	adopted bool
	// owed says that there is a commit to be made whatever was read, for only a commit can say that a reload was honoured, or
	// whose the table is from now on.
	owed bool
	// before is the position of the table's chain of commits, null where this commit begins one: the first, and one that lands
	// afresh.
	before json.RawMessage
	// planned are the table's columns from this commit on.
	planned schema.Table
	// keyUnique says that the source keeps keys apart.
	keyUnique bool
	// tracked is the tracker's position; nil for none.
	tracked *tracking.Position
	// files are what was read.
	files []table.DataFile
	// load is what the tracker is told of the reading of all rows; nil where it is told nothing.
	load *load
	// untold says that the tracker is to be told nothing.
	untold bool
}

// replaces reports whether the commit removes what the table held.
func (l *landing) replaces(doc *spec.Table) bool {
	return l.whole && (doc.StorageMode != "historical" || !l.head.Exists)
}

// formats are the table formats there are. newest is the commit that the tracker knows last, "" for none.
var formats = map[string]func(r *Runner, t *spec.Table, bucket store.Store, prefix, newest string) table.Table{
	"iceberg": func(r *Runner, t *spec.Table, bucket store.Store, prefix, _ string) table.Table {
		return iceberg.New(iceberg.Options{Store: bucket, Catalog: r.Catalog, Prefix: prefix, Database: t.Target.Database, Name: t.Target.Table, Version: r.Version, Now: r.Now})
	},
	"parquet": func(r *Runner, t *spec.Table, bucket store.Store, prefix, newest string) table.Table {
		return hive.New(hive.Options{
			Store: bucket, Catalog: r.Catalog, Prefix: prefix, Database: t.Target.Database, Name: t.Target.Table, Version: r.Version, Now: r.Now,
			Historical: t.StorageMode == "historical", Since: hive.Batch(newest),
		})
	},
	"hudi": func(r *Runner, t *spec.Table, bucket store.Store, prefix, _ string) table.Table {
		return hudi.New(hudi.Options{
			Store: bucket, Catalog: r.Catalog, Prefix: prefix, Database: t.Target.Database, Name: t.Target.Table, Version: r.Version, Now: r.Now,
			Source: t.Name, Precombine: inLake(t, t.Ordering),
		})
	},
}

// inLake is the name that a column of the source has in the lake; "" for none.
func inLake(t *spec.Table, name string) string {
	if name == "" {
		return ""
	}
	return cmp.Or(t.Columns[name].Name, spec.LakeName(name))
}

// begin opens the table of the document's format over the target's bucket and reads its head.
func (a *attempt) begin(ctx context.Context, id string) (*landing, error) {
	location, err := spec.ParseLocation(a.doc.Target.Location)
	if err != nil {
		return nil, err
	}
	bucket, err := a.r.Stores(spec.Location{Bucket: location.Bucket}.String())
	if err != nil {
		return nil, err
	}
	l := &landing{id: id, bucket: bucket, prefix: location.Prefix, before: json.RawMessage("null")}
	format, ok := formats[a.doc.Target.Format]
	if !ok {
		return nil, fmt.Errorf("the format %q has no writer in this engine", a.doc.Target.Format)
	}
	newest := ""
	switch tracked, err := a.r.Tracker.Position(ctx, a.name); {
	case err != nil:
		return nil, err
	case tracked != nil:
		newest, l.tracked = tracked.Commit, tracked
	}
	l.target = format(a.r, a.doc, bucket, location.Prefix, newest)
	l.head, err = l.target.Head(ctx)
	return l, err
}

// stand says where the table stands to this source table: new, its own, to be landed afresh, to be taken over. What is
// another's is refused.
func (a *attempt) stand(ctx context.Context, l *landing) error {
	c := l.head.Checkpoint
	if !l.head.Exists {
		l.whole = true
		return a.vacant(ctx, l)
	}
	if c == nil {
		c = l.head.Lost
	}
	name := a.doc.Target.Database + "." + a.doc.Target.Table
	reload := a.doc.Reload != "" && (c == nil || a.doc.Reload != c.Reload)
	switch {
	case c == nil && !a.doc.Adopt:
		return fmt.Errorf("%w: the table %s exists and no commit of it carries a checkpoint of lakeland: choose another target, remove the table, or set adopt = true to take it over", table.ErrForeign, name)
	case c != nil && c.Table != a.name && !a.doc.Adopt:
		return fmt.Errorf("%w: the table %s was landed by the source table %q: choose another target, remove the table, or set adopt = true to take it over", table.ErrForeign, name, c.Table)
	case c == nil || c.Table != a.name:
		hash, err := a.doc.ExtractHash(a.connection.Database)
		if err != nil {
			return err
		}
		if l.adopted = c == nil || c != l.head.Checkpoint || hash != c.ExtractHash; l.adopted {
			a.log.Info("the table is taken over, and all rows are read", "table", name)
		} else {
			a.log.Info("the table is taken over where the source table before came to", "table", name, "before", c.Table)
		}
	case l.head.Checkpoint == nil && !reload:
		return fmt.Errorf("running %q: the commits of the table %s that say how far it has come are gone (its newest known checkpoint is of run %s; other engines' commits came after it, or it was rolled back, and its snapshots were expired): %w",
			a.name, name, c.RunID, postgres.ErrReload)
	}
	l.afresh = reload || l.adopted
	l.owed = l.afresh || c.Table != a.name
	l.whole = l.afresh || a.doc.Extract.Mode == "full"
	return nil
}

// finish commits what was read, unless reading it failed, and removes files that are not part of the table.
func (a *attempt) finish(ctx context.Context, l *landing, failed error, stage *time.Time) error {
	if failed != nil {
		_ = deleteFiles(ctx, l.bucket, l.load.useless(l.files))
		return failed
	}
	err := a.commitIt(ctx, l)
	a.took("commit", stage)
	if err == nil {
		l.load.forget(ctx)
		a.compare(ctx, l)
	}
	switch {
	case err == nil && a.commit != l.head.CheckpointCommit:
		a.tidy(ctx, l.target, l.head.Checkpoint)
	case err != nil && !errors.Is(err, table.ErrOutcomeUnknown):
		_ = deleteFiles(ctx, l.bucket, l.load.useless(l.files))
	}
	return err
}

func (a *attempt) commitIt(ctx context.Context, l *landing) error {
	if !l.replaces(a.doc) || a.keyed() && !l.keyUnique && a.order(&l.planned) != "" {
		return a.merge(ctx, l)
	}
	if l.load.joined() {
		return a.commitJoined(ctx, l)
	}
	a.checkpoint.Counts.Inserted, a.checkpoint.Counts.Deleted = a.rows, a.before
	return a.commitOn(ctx, l, table.Change{Schema: l.planned, ReplaceAll: l.head.Exists, Add: l.files, Checkpoint: a.checkpoint})
}

// commitOn commits, and commits the same files again when foreign commits came first that left checkpoint and
// schema as they were.
func (a *attempt) commitOn(ctx context.Context, l *landing, change table.Change) error {
	head := l.head
	for range recommits {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		done, err := l.target.Commit(ctx, head, change)
		if err == nil {
			a.commit = done.Commit
			return nil
		}
		if !errors.Is(err, table.ErrLostRace) {
			return fmt.Errorf("committing %q: %w", a.name, err)
		}
		if head, err = a.again(ctx, l.target, head); err != nil {
			return err
		}
	}
	return fmt.Errorf("committing %q: foreign commits came first %d times: the next run tries again", a.name, recommits)
}

// again reads the head behind a lost race, on which the same may be committed unless the source's own chain moved.
func (a *attempt) again(ctx context.Context, target table.Table, head *table.Head) (*table.Head, error) {
	now, err := target.Head(ctx)
	if err != nil {
		return nil, err
	}
	if now.Exists != head.Exists || now.TableID != head.TableID || now.CheckpointCommit != head.CheckpointCommit || now.Schema.Hash() != head.Schema.Hash() {
		return nil, errPlanAnew
	}
	a.log.Info("a foreign commit came first; committing on top of it", "commit", now.Commit)
	return now, nil
}
