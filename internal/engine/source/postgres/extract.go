package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// Request is what one session reads.
type Request struct {
	Source spec.DatabaseSource
	// Columns are those to read, all of them with a Source, in the order of the batches' vectors.
	Columns []schema.Column
	// Filter is what rows must meet, all of it; the server evaluates it.
	Filter []spec.Predicate
	// Snapshot is the ID of a snapshot that is still open, or "" for a view of the session's own.
	Snapshot string
}

// Extracted says what a session has read.
type Extracted struct {
	// Identity is the snapshot's that was read.
	Identity Identity
	Rows     int64
	// Bytes counts the COPY data.
	Bytes int64
}

// batchesInFlight is how many batches there are: one is decoded into while another is written from.
const batchesInFlight = 3

// Extract reads the rows of a request and hands them to write, batch by batch, on the caller's goroutine, while
// the next batch is decoded on another. A batch belongs to write until it returns.
func Extract(ctx context.Context, c *spec.Connection, as Credentials, r Request, write func(*column.Batch) error) (*Extracted, error) {
	conn, identity, err := join(ctx, c, as, r.Snapshot)
	if err != nil {
		return nil, err
	}
	defer func() { closeSession(ctx, conn) }()
	wanted, err := conditions(ctx, conn, r.Source, r.Filter)
	var out *Extracted
	if err == nil {
		out, err = copyOut(ctx, conn, r.Columns, copyStatement(r.Columns, Part{Source: r.Source, Where: every(wanted...)}), write)
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", quoted(r.Source.Schema, r.Source.Table), explainCopy(err))
	}
	out.Identity = identity
	return out, nil
}

// closeSession ends a session also when its context is over; a COPY under way is cancelled by that.
func closeSession(ctx context.Context, conn *pgconn.PgConn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_ = conn.Close(ctx)
}

// copyOut runs a COPY of the columns and hands on its batches.
func copyOut(parent context.Context, conn *pgconn.PgConn, columns []schema.Column, statement string, write func(*column.Batch) error) (*Extracted, error) {
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	table := schema.Table{Columns: columns}
	full, free := make(chan *column.Batch), make(chan *column.Batch, batchesInFlight)
	for range batchesInFlight {
		free <- column.NewBatch(table.Kinds(), 0)
	}
	d := &decoder{columns: columns, batch: <-free, emit: func(b *column.Batch) (*column.Batch, error) {
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
	}}
	read := make(chan error, 1)
	go func() {
		defer close(full)
		_, err := conn.CopyTo(ctx, d, statement)
		if err == nil {
			err = d.finish()
		}
		read <- err
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
	return &Extracted{Rows: d.rows, Bytes: d.bytes}, nil
}

// Part is a piece of what a run reads: a relation, or rows of it. It is a plain document.
type Part struct {
	Source spec.DatabaseSource `json:"source"`
	// Only leaves out what inherits from the relation.
	Only bool `json:"only,omitempty"`
	// Where is SQL that rows must meet, made by this package from names and values that it quoted; "" is every row.
	Where string `json:"where,omitempty"`
}

func copyStatement(columns []schema.Column, p Part) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = quoted(c.Source.Name)
	}
	statement := "SELECT " + strings.Join(names, ", ") + " FROM "
	if p.Only {
		statement += "ONLY "
	}
	statement += quoted(p.Source.Schema, p.Source.Table)
	if p.Where != "" {
		statement += " WHERE " + p.Where
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
	case server.Code == "57P01", server.Code == "57P02", server.Code == "57P05":
		return fmt.Errorf("%w: the server ended the session: the next run reads the table again", err)
	case server.Code == "53100":
		return fmt.Errorf("%w: the database server's disk is full: free space there; the next run reads the table again", err)
	default:
		return err
	}
}
