package process

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

const (
	firstProbePause = 5 * time.Millisecond
	lastProbePause  = 100 * time.Millisecond
	messageLines    = 20
)

// EndedError says that a child ended, and shows the last it wrote.
type EndedError struct {
	Name string
	Verb string // "ended before it was ready", "failed"
	Tail string
	Err  error // how it ended; nil means exit status 0
}

// Error names the program, how it ended, and its last lines.
func (e *EndedError) Error() string {
	how := "exit status 0"
	if e.Err != nil {
		how = e.Err.Error()
	}
	return fmt.Sprintf("%s %s (%s)%s", e.Name, e.Verb, how, lastLines(e.Tail))
}

// Unwrap returns how the program ended.
func (e *EndedError) Unwrap() error { return e.Err }

// Ready calls the probe until it answers nil. It gives up when the child ends, when the limit has passed,
// or when the context ends, and says which and what the child wrote last. It does not stop the child.
func (p *Process) Ready(ctx context.Context, limit time.Duration, probe func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var last error
	for pause := firstProbePause; ; pause = min(2*pause, lastProbePause) {
		if last = probe(ctx); last == nil {
			return nil
		}
		timer := time.NewTimer(pause)
		select {
		case <-p.done:
			timer.Stop()
			return &EndedError{Name: p.command.name(), Verb: "ended before it was ready", Tail: p.Tail(), Err: p.err}
		case <-ctx.Done():
			timer.Stop()
			if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return fmt.Errorf("waiting for %s: %w", p.command.name(), ctx.Err())
			}
			return fmt.Errorf("%s was not ready after %s: %w%s", p.command.name(), limit, last, lastLines(p.Tail()))
		case <-timer.C:
		}
	}
}

// lastLines renders the end of a child's output for an error message.
func lastLines(text string) string {
	text = strings.TrimSpace(text)
	if text == "" {
		return "; it wrote nothing"
	}
	lines := strings.Split(text, "\n")
	if len(lines) > messageLines {
		lines = lines[len(lines)-messageLines:]
	}
	return "; its last output:\n  " + strings.Join(lines, "\n  ")
}
