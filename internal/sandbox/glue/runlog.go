package glue

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
)

// maxLine bounds a line that is streamed to Options.Output, in bytes; longer ones are broken.
const maxLine = 64 << 10

// runLog keeps the ends of a run's output streams. It is safe for concurrent use.
type runLog struct {
	stdout, stderr *tail
}

func newRunLog(limit int) runLog {
	return runLog{stdout: &tail{limit: limit}, stderr: &tail{limit: limit}}
}

// tail keeps the last limit bytes of what is written to it.
type tail struct {
	limit int

	mu      sync.Mutex
	data    []byte // up to twice the limit, so that cutting is rare
	dropped bool
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.data = append(t.data, p...)
	if len(t.data) > 2*t.limit {
		t.data = append([]byte(nil), t.data[len(t.data)-t.limit:]...)
		t.dropped = true
	}
	return len(p), nil
}

func (t *tail) flush() {}

// text returns what is kept; where something was dropped it begins with "[...]".
func (t *tail) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.data) <= t.limit && !t.dropped {
		return string(t.data)
	}
	return "[...]" + strings.ToValidUTF8(string(t.data[max(0, len(t.data)-t.limit):]), "")
}

// lineWriter writes the lines of many runs to one writer, one at a time.
type lineWriter struct {
	mu sync.Mutex
	w  io.Writer // nil: nothing is written
}

// prefixed returns a writer for one stream of a run.
func (l *lineWriter) prefixed(r *run, stream string) *prefixWriter {
	return &prefixWriter{to: l, prefix: fmt.Sprintf("[%s %s %s] ", r.JobName, r.ID, stream)}
}

func (l *lineWriter) line(prefix string, line []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	// One Write a line keeps lines whole; where they go is the caller's affair.
	_, _ = l.w.Write(append(append([]byte(prefix), line...), '\n'))
}

// prefixWriter cuts a stream into lines. It is used by one goroutine.
type prefixWriter struct {
	to      *lineWriter
	prefix  string
	pending []byte
}

func (p *prefixWriter) Write(data []byte) (int, error) {
	if p.to.w == nil {
		return len(data), nil
	}
	p.pending = append(p.pending, data...)
	for {
		end := bytes.IndexByte(p.pending, '\n')
		switch {
		case end >= 0:
			p.to.line(p.prefix, p.pending[:end])
			p.pending = p.pending[end+1:]
		case len(p.pending) >= maxLine:
			p.to.line(p.prefix, p.pending)
			p.pending = nil
		default:
			return len(data), nil
		}
	}
}

// flush writes the last line, which no newline ended.
func (p *prefixWriter) flush() {
	if len(p.pending) > 0 {
		p.to.line(p.prefix, p.pending)
		p.pending = nil
	}
}
