package postgres

import (
	"context"
	"crypto/tls"
	"net"
	"time"
)

const (
	// gatherPause is how long a stream lets data come together, once a read has brought less than gatherLow: a server
	// hands over eight kilobytes at a time, and waking up for each costs both sides as much as what is done with them.
	// Where processors are busy with other work, data comes together by itself. The pause is short enough for no
	// socket's buffer to fill meanwhile at the pace of one server process.
	gatherPause = 200 * time.Microsecond
	gatherLow   = 12 << 10
	// gatherDirect is from which size on what is asked for is read without a buffer between.
	gatherDirect = 64 << 10
)

// gathering is a connection that reads in large pieces once a COPY streams over it. It lies below TLS, whose records
// are small.
type gathering struct {
	net.Conn
	streams bool
	// last is what the last read from the network brought.
	last int
	// buf holds what was read from the network and not from here: from from up to but without to.
	buf      []byte
	from, to int
}

// dialGathering opens a connection as pgconn does by default.
func dialGathering(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &gathering{Conn: conn}, nil
}

// streaming makes a connection of dialGathering gather from now on.
func streaming(conn net.Conn) {
	if secured, ok := conn.(*tls.Conn); ok {
		conn = secured.NetConn()
	}
	if g, ok := conn.(*gathering); ok {
		g.streams = true
	}
}

// Read implements net.Conn.
func (g *gathering) Read(p []byte) (int, error) {
	if g.from < g.to {
		n := copy(p, g.buf[g.from:g.to])
		g.from += n
		return n, nil
	}
	if !g.streams {
		return g.Conn.Read(p)
	}
	if g.last < gatherLow {
		pause(gatherPause)
	}
	if len(p) >= gatherDirect {
		n, err := g.Conn.Read(p)
		g.last = n
		return n, err
	}
	if g.buf == nil {
		g.buf = make([]byte, streamBuffer)
	}
	n, err := g.Conn.Read(g.buf)
	g.last, g.to = n, n
	g.from = copy(p, g.buf[:n])
	return g.from, err
}
