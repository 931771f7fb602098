package run

import (
	"context"
	"fmt"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/guard"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
)

// Worker executes units. It is safe for concurrent use.
type Worker struct {
	// Stores opens the object store whose root has an address such as "s3://acme-lake/".
	Stores func(address string) (store.Store, error)
	// Secrets reads the login that a connection's secret holds.
	Secrets Secrets
	// Version is the engine's, for the files it writes.
	Version string
	// Progress is told of rows as they are written; nil tells nobody.
	Progress func(table string, rows, bytes int64)

	sessions sessions
}

// Do executes one unit. After an error nothing that it wrote is of use, and it has removed what it could.
func (w *Worker) Do(ctx context.Context, u Unit) (*Result, error) { return w.do(ctx, u, false) }

// do executes a unit; crowded says that others keep the processors busy.
func (w *Worker) do(ctx context.Context, u Unit, crowded bool) (*Result, error) {
	if u.V != UnitVersion || u.Extract == nil {
		return nil, fmt.Errorf("executing unit %q of run %s: its version is %d and this engine knows %d, or it holds no work", u.ID, u.RunID, u.V, UnitVersion)
	}
	started := time.Now()
	result, err := w.extract(ctx, u, crowded)
	if err != nil {
		return nil, fmt.Errorf("executing unit %q of %s: %w", u.ID, u.Table, err)
	}
	result.V, result.Unit, result.Seconds = UnitVersion, u.ID, time.Since(started).Seconds()
	return result, nil
}

func (w *Worker) extract(ctx context.Context, u Unit, crowded bool) (_ *Result, err error) {
	e := u.Extract
	bucket, err := w.Stores(e.Output.Bucket)
	if err != nil {
		return nil, err
	}
	files, err := newFiles(ctx, bucket, e.Output, &e.Schema, w.Version)
	if err != nil {
		return nil, err
	}
	defer func() {
		if p := recover(); p != nil {
			err = guard.Failed(p)
		}
		if err != nil {
			files.discard()
		}
	}()
	request := postgres.Request{Parts: e.Parts, Filter: e.Filter, Snapshot: e.Snapshot, Inline: crowded}
	for _, c := range e.Schema.Columns {
		if c.Source != nil {
			request.Columns = append(request.Columns, c)
		}
	}
	spread := newSpread(&e.Schema, e.Stamps)
	var greatest *postgres.Greatest
	if e.Watch != nil {
		greatest = e.Watch.Greatest()
		request.Columns = append(request.Columns, e.Watch.Column)
	}
	read, err := w.read(ctx, e, request, func(b *column.Batch) error {
		if greatest != nil {
			last := len(b.Columns) - 1
			if err := greatest.See(b.Columns[last]); err != nil {
				return err
			}
			b = &column.Batch{Columns: b.Columns[:last]}
		}
		if err := files.write(spread.over(b)); err != nil {
			return err
		}
		if w.Progress != nil {
			w.Progress(u.Table, int64(b.Rows()), int64(b.Size()))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := files.finish(); err != nil {
		return nil, err
	}
	identity := read.Identity
	if planned := e.Identity; planned != nil {
		if planned.Xmin != identity.Xmin {
			return nil, fmt.Errorf("the view that was joined shows transactions from %d on, not from %d as the one that was planned on", identity.Xmin, planned.Xmin)
		}
		identity = *planned
	}
	position, err := identity.Position()
	if err != nil {
		return nil, err
	}
	var written int64
	for _, f := range files.done {
		written += f.File.Rows
	}
	if written != read.Rows {
		return nil, fmt.Errorf("%d rows were read and %d written", read.Rows, written)
	}
	result := &Result{Snapshot: position, Files: files.done, Rows: read.Rows, BytesRead: read.Bytes}
	if greatest != nil {
		result.Greatest = greatest.Text()
	}
	return result, nil
}
