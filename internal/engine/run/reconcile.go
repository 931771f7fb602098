package run

import (
	"context"
	"fmt"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
	"github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

// The results of comparing source and lake.
const (
	equal         = "equal"
	differs       = "differs"
	notComparable = "not comparable"
)

// comparison is what a run finds out about source and lake.
type comparison struct {
	// due says that this run compares.
	due bool
	// source is the number of rows that the source has in the run's snapshot.
	source  int64
	counted bool
	result  string
	why     string
}

// countSource counts the source's rows where a comparison is due.
func (a *attempt) countSource(ctx context.Context, snapshot *postgres.Snapshot, shared bool) error {
	a.comparison = comparison{}
	due, err := a.compares(ctx)
	if err != nil || !due {
		return err
	}
	a.comparison.due = true
	if !shared {
		a.comparison.why = "each session of a replica has a view of its own"
		return nil
	}
	a.comparison.source, err = snapshot.Count(ctx, *a.doc.Source.Database, a.doc.Filter)
	a.comparison.counted = err == nil
	return err
}

// compares reports whether the last comparison is as long ago as the document says.
func (a *attempt) compares(ctx context.Context) (bool, error) {
	if a.doc.Reconcile == nil {
		return false, nil
	}
	every, err := spec.ParseDuration(a.doc.Reconcile.Every)
	if err != nil {
		return false, fmt.Errorf("running %q: reconcile.every: %w", a.name, err)
	}
	summary, err := a.r.Tracker.Summary(ctx, a.name)
	if err != nil {
		return false, err
	}
	return summary.Reconciled.Add(every).Before(a.started.Add(time.Second)), nil
}

// compare compares what the source had with what the table has after the commit.
func (a *attempt) compare(ctx context.Context, l *landing) {
	c := &a.comparison
	if !c.due {
		return
	}
	c.result = notComparable
	if !c.counted {
		return
	}
	head, err := l.target.Head(ctx)
	switch {
	case err != nil:
		c.why = "the table could not be read after the commit: " + bounded(err.Error())
	case head.CheckpointCommit != a.commit:
		c.why = "another run committed meanwhile"
	case head.Commit != a.commit:
		c.why = "another engine has changed the table since"
	case a.doc.StorageMode == "historical":
		c.why = "a historical table holds versions"
	default:
		var rows int64
		if rows, c.why = countLake(ctx, l.target, head); c.why == "" {
			c.result, c.why = judge(c.source, rows, a.checkpoint.Horizon, len(a.doc.Filter) > 0)
		}
	}
	a.log.Info("source and lake are compared", "result", c.result, "why", c.why)
}

// countLake counts the rows of a table, or says why they cannot be counted without reading them.
func countLake(ctx context.Context, target table.Table, head *table.Head) (rows int64, why string) {
	if head.Rows >= 0 {
		return head.Rows, ""
	}
	files, err := target.Files(ctx, head)
	if err != nil {
		return 0, "the table's files could not be listed: " + bounded(err.Error())
	}
	for _, f := range files {
		rows += f.Rows
		for _, d := range f.Deletes {
			if !d.Only {
				return 0, "another engine has marked rows of several files as deleted, and such marks are not counted"
			}
			rows -= d.Rows
		}
	}
	return rows, ""
}

// judge says what two numbers of rows mean. Horizons of a database do not see rows that are gone, so the lake may have more;
// rows that it lacks were lost, but where the horizon reads them again later.
func judge(source, lake int64, horizon string, filtered bool) (result, why string) {
	switch {
	case source == lake:
		return equal, ""
	case horizon == "full":
		return differs, fmt.Sprintf("the source has %d rows and the lake %d", source, lake)
	case lake > source && filtered:
		return notComparable, fmt.Sprintf("the lake has %d rows more than the source's %d: horizon %q sees neither deletions nor rows that leave the filter", lake-source, source, horizon)
	case lake > source:
		return notComparable, fmt.Sprintf("the lake has %d rows more than the source's %d: horizon %q does not see deletions", lake-source, source, horizon)
	case horizon == "lookback":
		return notComparable, fmt.Sprintf("the lake has %d rows less than the source's %d: horizon %q is not commit-safe, and its lookback may still bring them", source-lake, source, horizon)
	default:
		return differs, fmt.Sprintf("the lake has %d rows less than the source's %d", source-lake, source)
	}
}

// into writes the comparison into the run's history and the table's summary.
func (c *comparison) into(run *tracking.Run, summary *tracking.Summary) {
	if !c.due || c.result == "" {
		run.Reconcile, run.ReconcileWhy = notComparable, "no comparison was due"
		return
	}
	run.Reconcile, run.ReconcileWhy = c.result, c.why
	if c.counted {
		run.SourceRows = c.source
	}
	summary.Reconciled, summary.Reconcile, summary.ReconcileWhy = run.StartedAt, c.result, c.why
}
