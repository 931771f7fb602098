package postgres

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

const (
	// streamBuffer is how much is read from the server at once: its messages are rows of some hundred bytes, and each
	// read costs as much as decoding a dozen of them.
	streamBuffer = 256 << 10
	// maxMessage bounds a message; a row can have a gigabyte.
	maxMessage = 1<<30 + 1<<20
)

// stream speaks the part of the frontend/backend protocol that COPY TO STDOUT needs, over a session that was set up by
// pgconn (PostgreSQL documentation, "Message Flow, COPY Operations" and "Message Formats"). It is used by one
// goroutine, and serves one COPY after another until one fails.
type stream struct {
	conn net.Conn
	buf  []byte
	// from and to bound what was read and not used yet.
	from, to int
}

// takeOver takes the connection from a session that is idle. The caller closes the stream.
func takeOver(conn *pgconn.PgConn) (*stream, error) {
	taken, err := conn.Hijack()
	if err != nil {
		return nil, fmt.Errorf("taking over the session: %w", err)
	}
	streaming(taken.Conn)
	return &stream{conn: taken.Conn, buf: make([]byte, streamBuffer)}, nil
}

// close ends the session.
func (w *stream) close() {
	_ = w.conn.SetDeadline(time.Now().Add(time.Second))
	_, _ = w.conn.Write([]byte{'X', 0, 0, 0, 4}) // Terminate
	_ = w.conn.Close()
}

// sink takes COPY data.
type sink interface {
	// take takes the data of a message: buf from from up to but without to. It stays as it is until settle.
	take(buf []byte, from, to int) error
	// settle is called before the memory of what was taken serves something else, and when there is no more.
	settle() error
}

// copyOut runs one COPY TO STDOUT and hands on its data, message by message. When the context ends, the connection is
// broken, which ends the query at the server with its next row.
func (w *stream) copyOut(ctx context.Context, statement string, to sink) error {
	stop := context.AfterFunc(ctx, func() { _ = w.conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	message, err := (&pgproto3.Query{String: statement}).Encode(nil)
	if err == nil {
		_, err = w.conn.Write(message)
	}
	if err == nil {
		err = w.receive(to)
	}
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return cause
	}
	return err
}

// receive reads until the server is ready for the next query.
func (w *stream) receive(to sink) error {
	var refused error
	for {
		kind, body, err := w.next(to)
		switch {
		case err != nil && refused != nil:
			return refused // a server that ends a session says so, and hangs up
		case err != nil:
			return err
		}
		switch kind {
		case 'd': // CopyData
			if err := to.take(w.buf, w.from-len(body), w.from); err != nil {
				return err
			}
		case 'E':
			var response pgproto3.ErrorResponse
			if err := response.Decode(body); err != nil {
				return fmt.Errorf("%w: an error that cannot be read: %w", errMalformed, err)
			}
			refused = pgconn.ErrorResponseToPgError(&response)
		case 'H': // CopyOutResponse
			if len(body) < 1 || body[0] != 1 {
				return fmt.Errorf("%w: it is not in binary form", errMalformed)
			}
		case 'Z': // ReadyForQuery
			if refused != nil {
				return refused
			}
			return to.settle()
		case 'c', 'C', 'N', 'S', 'A': // CopyDone, CommandComplete, notices, parameters, notifications
		default:
			return fmt.Errorf("%w: a message of type %q", errMalformed, kind)
		}
	}
}

// next is the next message. Its body is good until the next call; what was taken is settled where its memory is needed.
func (w *stream) next(taken sink) (kind byte, body []byte, err error) {
	if err := w.fill(5, taken); err != nil {
		return 0, nil, err
	}
	kind = w.buf[w.from]
	length := int(int32(binary.BigEndian.Uint32(w.buf[w.from+1:])))
	if length < 4 || length > maxMessage {
		return 0, nil, fmt.Errorf("%w: a message of %d bytes", errMalformed, length)
	}
	if err := w.fill(1+length, taken); err != nil {
		return 0, nil, err
	}
	body = w.buf[w.from+5 : w.from+1+length]
	w.from += 1 + length
	return kind, body, nil
}

// fill reads until n bytes are there. The buffer grows with what has come, not with what a message claims.
func (w *stream) fill(n int, taken sink) error {
	if w.to-w.from >= n {
		return nil
	}
	if err := taken.settle(); err != nil {
		return err
	}
	if w.from > 0 && len(w.buf)-w.from < max(n, streamBuffer/2) {
		w.to = copy(w.buf, w.buf[w.from:w.to])
		w.from = 0
	}
	for w.to-w.from < n {
		if w.to == len(w.buf) {
			w.buf = append(w.buf, make([]byte, len(w.buf))...)
		}
		got, err := w.conn.Read(w.buf[w.to:])
		w.to += got
		if err != nil && w.to-w.from < n {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return fmt.Errorf("reading from the server: %w", err)
		}
	}
	return nil
}
