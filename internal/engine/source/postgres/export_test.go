package postgres

import (
	"context"
	"net"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// Pausing has a function called behind each of the steps whose order matters.
func (r Incremental) Pausing(pause func(step string)) Incremental {
	r.pause = pause
	return r
}

// ChangedSinceOf is the window of horizon xmin over an expression.
var ChangedSinceOf = changedSinceOf

// RangesOf cuts a relation of the snapshot at bounds by its key, whatever that costs the server.
func (s *Snapshot) RangesOf(ctx context.Context, from spec.DatabaseSource, key []string, bounds ...string) ([][]Part, error) {
	leaves, _, err := s.leaves(ctx, from)
	if err != nil {
		return nil, err
	}
	column, err := s.keyColumn(ctx, &leaves[0], key)
	if err != nil {
		return nil, err
	}
	if ascending, err := column.ascend(ctx, s.conn, bounds); err != nil || !ascending {
		return nil, err
	}
	p := packer{}
	p.byKey(&leaves[0], column.between(bounds))
	return p.done, nil
}

// ExplainCopy adds the next step to what a server answers to who reads.
var ExplainCopy = explainCopy

// Quantiles are the bounds that the statistics of a table's key give.
func (s *Snapshot) Quantiles(ctx context.Context, from spec.DatabaseSource, count int64) ([]string, error) {
	leaves, _, err := s.leaves(ctx, from)
	if err != nil {
		return nil, err
	}
	column, err := s.keyColumn(ctx, &leaves[0], nil)
	if err != nil {
		return nil, err
	}
	return s.bounds(ctx, &leaves[0], column, count, estimate{Cost: 1e12})
}

// Version is the server's own name for what it is.
func (s *Snapshot) Version() string { return s.conn.ParameterStatus("server_version") }

// tardy is a connection whose writes return late, as they do where many want the processor.
type tardy struct {
	net.Conn
	late *atomic.Bool
}

func (c tardy) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if c.late.Load() {
		time.Sleep(60 * time.Millisecond)
	}
	return n, err
}

// CopyAfterTardyWrites runs a COPY over a session whose writes returned late until it was handed over, and returns its data.
func CopyAfterTardyWrites(ctx context.Context, address, statement string) ([]byte, error) {
	config, err := pgconn.ParseConfig(address)
	if err != nil {
		return nil, err
	}
	var late atomic.Bool
	config.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		return tardy{conn, &late}, err
	}
	conn, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	late.Store(true)
	err = execute(ctx, conn, beginReading)
	late.Store(false)
	if err != nil {
		return nil, err
	}
	w, err := handOver(ctx, conn)
	if err != nil {
		return nil, err
	}
	defer w.close()
	var out kept
	err = w.copyOut(ctx, statement, &out)
	return out.Bytes(), err
}
