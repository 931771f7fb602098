package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/guard"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// Request is what one session reads.
type Request struct {
	// Parts are read one after the other; all have the columns.
	Parts []Part
	// Columns are those to read, all of them with a Source, in the order of the batches' vectors.
	Columns []schema.Column
	// Filter is what rows must meet, all of it; the server evaluates it.
	Filter []spec.Predicate
	// Snapshot is the ID of a snapshot that is still open, or "" for a view of the session's own.
	Snapshot string
	// Inline hands each batch on before the next is decoded, on one goroutine. Where other requests keep the processors
	// busy anyhow, that costs less than handing batches from one to another.
	Inline bool
}

// Extracted says what a session has read.
type Extracted struct {
	// Identity is the snapshot's that was read.
	Identity Identity
	Rows     int64
	// Bytes counts the COPY data.
	Bytes int64
}

// batchesInFlight is how many batches there are: one is decoded into while another is written from. The others keep the
// server at work while the pages of many columns end at once.
const batchesInFlight = 6

// Extract reads a request in a session of its own.
func Extract(ctx context.Context, c *spec.Connection, as Credentials, r Request, write func(*column.Batch) error) (*Extracted, error) {
	s, err := Join(ctx, c, as, r.Snapshot)
	if err != nil {
		return nil, err
	}
	defer s.Close(ctx)
	return s.Extract(ctx, r, write)
}

// handOver makes a session that is idle a stream. A session whose writing was slow, as on a busy machine, may have begun to
// read ahead of who asks; unless it is told to end that, it swallows the beginning of what the stream waits for.
func handOver(ctx context.Context, conn *pgconn.PgConn) (*stream, error) {
	if err := conn.SyncConn(ctx); err != nil {
		return nil, fmt.Errorf("taking over the session: %w", err)
	}
	return takeOver(conn)
}

// closeSession ends a session also when its context is over; a COPY under way is cancelled by that.
func closeSession(ctx context.Context, conn *pgconn.PgConn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_ = conn.Close(ctx)
}

func copyOut(parent context.Context, w *stream, r Request, write func(*column.Batch) error) (*Extracted, error) {
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	table := schema.Table{Columns: r.Columns}
	if r.Inline {
		return copyInline(parent, w, r, &table, write)
	}
	full, free := make(chan *column.Batch), make(chan *column.Batch, batchesInFlight)
	for range batchesInFlight {
		free <- column.NewBatch(table.Kinds(), 0)
	}
	emit := func(b *column.Batch) (*column.Batch, error) {
		select {
		case full <- b:
		case <-ctx.Done():
			return b, context.Cause(ctx)
		}
		select {
		case next := <-free:
			return next, nil
		case <-ctx.Done():
			return b, context.Cause(ctx)
		}
	}
	out := &Extracted{}
	read := make(chan error, 1)
	go func() {
		defer close(full)
		read <- guard.Call(func() error { return readParts(ctx, w, r, <-free, emit, out) })
	}()
	var writeErr error
	for b := range full {
		if writeErr == nil {
			if writeErr = write(b); writeErr != nil {
				cancel(writeErr)
			}
		}
		b.Reset()
		free <- b
	}
	if err := errors.Join(writeErr, <-read); err != nil {
		if writeErr != nil {
			return nil, writeErr
		}
		return nil, err
	}
	return out, nil
}

// copyInline reads and writes on one goroutine.
func copyInline(ctx context.Context, w *stream, r Request, t *schema.Table, write func(*column.Batch) error) (*Extracted, error) {
	out := &Extracted{}
	var writeErr error
	err := readParts(ctx, w, r, column.NewBatch(t.Kinds(), 0), func(b *column.Batch) (*column.Batch, error) {
		writeErr = write(b)
		b.Reset()
		return b, writeErr
	}, out)
	if writeErr != nil {
		return nil, writeErr // not the session's
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

// readParts reads one part after the other into batches, which may hold rows of several.
func readParts(ctx context.Context, w *stream, r Request, batch *column.Batch, emit func(*column.Batch) (*column.Batch, error), out *Extracted) error {
	list, err := selectionOf(r.Columns)
	if err != nil {
		return err
	}
	for _, part := range r.Parts {
		d, err := newDecoder(r.Columns, batch, emit)
		if err != nil {
			return err
		}
		err = w.copyOut(ctx, copyStatement(list, part), d)
		if err == nil {
			err = d.finish()
		}
		if err != nil {
			return &SessionError{fmt.Errorf("reading %s: %w", quoted(part.Source.Schema, part.Source.Table), explainCopy(err))}
		}
		batch, out.Rows, out.Bytes = d.batch, out.Rows+d.rows, out.Bytes+d.bytes
	}
	if batch.Rows() == 0 {
		return nil
	}
	_, err = emit(batch)
	return err
}

func copyStatement(list string, p Part) string {
	statement := "SELECT " + list + " FROM "
	if p.Only {
		statement += "ONLY "
	}
	statement += quoted(p.Source.Schema, p.Source.Table)
	if where := every(p.Where, p.pages()); where != "" {
		statement += " WHERE " + where
	}
	return "COPY (" + statement + ") TO STDOUT (FORMAT binary)"
}

func explainCopy(err error) error {
	var server *pgconn.PgError
	if !errors.As(err, &server) {
		return err
	}
	switch {
	case server.Code == "42501" && strings.Contains(server.Message, "row-level security"):
		return fmt.Errorf("%w: row-level security hides rows from the connection's role: give it BYPASSRLS, or read as the table's owner", err)
	case server.Code == "42501":
		return fmt.Errorf("%w: GRANT SELECT on it to the connection's role", err)
	case server.Code == "40001": // nothing else conflicts with a transaction that reads
		return fmt.Errorf("%w: the server is a replica whose recovery had to remove rows that were being read: set hot_standby_feedback = on there, or raise its max_standby_streaming_delay (max_standby_archive_delay where it is fed from an archive), or read the primary", err)
	case server.Code == "57P01", server.Code == "57P02", server.Code == "57P05":
		return fmt.Errorf("%w: the server ended the session: the next run reads the table again", err)
	case server.Code == "55P03":
		return fmt.Errorf("%w: another session holds the table for itself, or waits to (TRUNCATE, ALTER TABLE, VACUUM FULL and the like), and who reads waits behind it: the next run reads the table again; look in pg_stat_activity who waits", err)
	case server.Code == "40P01":
		return fmt.Errorf("%w: another session locks the table's parts in another order (TRUNCATE, ALTER TABLE and the like): the next run reads the table again", err)
	case server.Code == "53100":
		return fmt.Errorf("%w: the database server's disk is full: free space there; the next run reads the table again", err)
	default:
		return err
	}
}
