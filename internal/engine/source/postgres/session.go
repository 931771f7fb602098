package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// Session reads parts of tables under one view, one request after another: opening one costs the server as much as reading
// some ten thousand rows. It is used by one goroutine at a time, and of no use after an error.
type Session struct {
	// conn is nil once the session streams.
	conn     *pgconn.PgConn
	stream   *stream
	identity Identity
	// own says that the session has a view of its own, which it takes with its first request.
	own bool
	// conditions are those of the filter of the requests, once the first was read.
	conditions []string
}

// Join opens a session that sees what the snapshot of an ID shows; for "" it takes a view of its own for the first request,
// whose tables stay what that shows, as Begin says. The caller closes it.
func Join(ctx context.Context, c *spec.Connection, as Credentials, snapshot string) (*Session, error) {
	if snapshot == "" {
		conn, err := Connect(ctx, c, as)
		if err != nil {
			return nil, &SessionError{err}
		}
		return &Session{conn: conn, own: true}, nil
	}
	conn, identity, err := join(ctx, c, as, snapshot)
	if err != nil {
		return nil, &SessionError{err}
	}
	return &Session{conn: conn, identity: identity}, nil
}

// Extract reads the rows of a request and hands them to write, batch by batch, on the caller's goroutine, while the next
// batch is decoded on another. A batch belongs to write until it returns. All requests of a session have
// its snapshot and one filter; those with a filter are of one table.
func (s *Session) Extract(ctx context.Context, r Request, write func(*column.Batch) error) (*Extracted, error) {
	if s.stream == nil {
		if err := s.begin(ctx, r); err != nil {
			return nil, &SessionError{err}
		}
	}
	if len(s.conditions) > 0 {
		parts := make([]Part, len(r.Parts))
		for i, part := range r.Parts {
			part.Where = every(append(s.conditions[:len(s.conditions):len(s.conditions)], part.Where)...)
			parts[i] = part
		}
		r.Parts = parts
	}
	out, err := copyOut(ctx, s.stream, r, write)
	if err != nil {
		return nil, err
	}
	out.Identity = s.identity
	return out, nil
}

// begin takes the session's own view, if it is to have one, makes the filter's conditions, and turns the session into a stream.
func (s *Session) begin(ctx context.Context, r Request) error {
	if s.own {
		if err := s.view(ctx, r.Parts); err != nil {
			return err
		}
	}
	if len(r.Filter) > 0 && len(r.Parts) > 0 {
		var err error
		if s.conditions, err = conditions(ctx, s.conn, r.Parts[0].Source, r.Filter); err != nil {
			return fmt.Errorf("reading %s: %w", quoted(r.Parts[0].Source.Schema, r.Parts[0].Source.Table), err)
		}
	}
	var err error
	if s.stream, err = handOver(ctx, s.conn); err != nil {
		return err
	}
	s.conn = nil
	return nil
}

// view takes a view of the session's own in which the tables of parts are what it shows.
func (s *Session) view(ctx context.Context, parts []Part) error {
	from := make([]spec.DatabaseSource, len(parts))
	for i, part := range parts {
		from[i] = part.Source
	}
	err := take(ctx, s.conn, func() (_ []spec.DatabaseSource, err error) {
		if err = execute(ctx, s.conn, beginReading); err == nil {
			s.identity, err = identify(ctx, s.conn)
		}
		return from, err
	})
	if err != nil && len(from) > 0 {
		return fmt.Errorf("taking a view of %s: %w", quoted(from[0].Schema, from[0].Table), err)
	}
	return err
}

// Close ends the session. It may be called more than once.
func (s *Session) Close(ctx context.Context) {
	if s.conn != nil {
		closeSession(ctx, s.conn)
	}
	if s.stream != nil {
		s.stream.close()
	}
	s.conn = nil
}
