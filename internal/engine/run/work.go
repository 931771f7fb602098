package run

import (
	"context"
	"fmt"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/parquet"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
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
	files := &files{ctx: ctx, store: bucket, out: e.Output, schema: &e.Schema, version: w.Version}
	defer func() {
		if err != nil {
			files.discard()
		}
	}()
	request := postgres.Request{Parts: e.Parts, Filter: e.Filter, Snapshot: e.Snapshot, Inline: crowded}
	var absent []int
	for i, c := range e.Schema.Columns {
		if c.Source == nil {
			absent = append(absent, i)
			continue
		}
		request.Columns = append(request.Columns, c)
	}
	spread := newSpread(&e.Schema, absent)
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
	if err := files.end(); err != nil {
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

// spread puts columns of NULLs between those that were read, where the source has dropped a column.
type spread struct {
	whole  *column.Batch
	absent []int
}

func newSpread(t *schema.Table, absent []int) *spread {
	s := &spread{absent: absent}
	if len(absent) > 0 {
		s.whole = column.NewBatch(t.Kinds(), 0)
	}
	return s
}

func (s *spread) over(b *column.Batch) *column.Batch {
	if s.whole == nil {
		return b
	}
	read, next := b.Columns, 0
	for i := range s.whole.Columns {
		if next < len(s.absent) && s.absent[next] == i {
			next++
			v := s.whole.Columns[i]
			v.Reset()
			for range b.Rows() {
				v.AppendNull()
			}
			continue
		}
		s.whole.Columns[i], read = read[0], read[1:]
	}
	return s.whole
}

// files writes batches to one file after another.
type files struct {
	ctx     context.Context
	store   store.Store
	out     Output
	schema  *schema.Table
	version string

	stream store.Writer
	writer *parquet.Writer
	key    string
	done   []table.DataFile
}

func (f *files) write(b *column.Batch) error {
	if f.writer == nil {
		f.key = fmt.Sprintf("%s%04d%s", f.out.KeyPrefix, len(f.done), f.out.KeySuffix)
		var err error
		if f.stream, err = f.store.Create(f.ctx, f.key); err != nil {
			return err
		}
		if f.writer, err = parquet.NewWriter(f.stream, f.schema, f.version, b); err != nil {
			return err
		}
	}
	if err := f.writer.Write(b); err != nil {
		return err
	}
	if f.writer.Size() >= f.out.FileBytes {
		return f.end()
	}
	return nil
}

// end finishes the current file, if there is one.
func (f *files) end() error {
	if f.writer == nil {
		return nil
	}
	file, err := f.writer.Close()
	if err == nil {
		err = f.stream.Close()
	}
	if err != nil {
		return err
	}
	f.done = append(f.done, table.DataFile{Key: f.key, File: *file})
	f.writer, f.stream = nil, nil
	return nil
}

// discard removes what was written. What cannot be removed stays as an orphan that no reader sees.
func (f *files) discard() {
	begun := f.done
	if f.stream != nil {
		f.stream.Abort()
		begun = append(begun, table.DataFile{Key: f.key}) // it is there if only the answer was lost
	}
	_ = deleteFiles(f.ctx, f.store, begun)
}

func deleteFiles(ctx context.Context, s store.Store, done []table.DataFile) error {
	if len(done) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	keys := make([]string, len(done))
	for i, d := range done {
		keys[i] = d.Key
	}
	return s.Delete(ctx, keys...)
}
