package toolchain

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"
)

const (
	redrawEvery = 150 * time.Millisecond
	// remindEvery is how often a long step is named again where there is no terminal to redraw.
	remindEvery = 30 * time.Second
	barWidth    = 20
	mebibyte    = 1 << 20
	clearLine   = "\r\x1b[K"
)

// progress tells a person what is being fetched and built. On a terminal one status line shows the running
// steps with a bar or the time they have taken; elsewhere each step is a plain line when it begins and one
// when it ends.
type progress struct {
	output io.Writer
	width  func() int // nil where the output is not a terminal

	mu      sync.Mutex
	running []*step
}

// step is one piece of work in progress.
type step struct {
	title string
	begun time.Time

	mu          sync.Mutex
	note        string
	done, total int64
}

func newProgress(output io.Writer) *progress {
	p := &progress{output: output}
	if file, ok := output.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		p.width = func() int {
			if width, _, err := term.GetSize(int(file.Fd())); err == nil && width > 0 {
				return width
			}
			return 80
		}
	}
	return p
}

// step runs the work and shows it while it runs.
func (p *progress) step(ctx context.Context, title string, work func(context.Context, *step) error) error {
	s := &step{title: title, begun: time.Now()}
	p.mu.Lock()
	p.running = append(p.running, s)
	p.mu.Unlock()
	if p.width == nil {
		p.printf("lakeland: %s\n", title)
	}
	shown, hide := context.WithCancel(ctx)
	var drawing sync.WaitGroup
	drawing.Go(func() { p.show(shown, s) })

	err := work(ctx, s)

	hide()
	drawing.Wait()
	p.finish(s, err)
	return err
}

func (p *progress) finish(s *step, err error) {
	p.mu.Lock()
	for i, running := range p.running {
		if running == s {
			p.running = append(p.running[:i], p.running[i+1:]...)
			break
		}
	}
	p.mu.Unlock()
	outcome := "done"
	if err != nil {
		outcome = "failed"
	}
	prefix := ""
	if p.width != nil {
		prefix = clearLine
	}
	p.printf("%slakeland: %s: %s after %s\n", prefix, s.title, outcome, elapsed(s.begun))
}

// show redraws the status line, or repeats the step's name, until the context ends.
func (p *progress) show(ctx context.Context, s *step) {
	every := remindEvery
	if p.width != nil {
		every = redrawEvery
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if p.width == nil {
				p.printf("lakeland: %s: still at it after %s\n", s.title, elapsed(s.begun))
				continue
			}
			p.printf("%s%s", clearLine, p.status())
		}
	}
}

func (p *progress) status() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	parts := make([]string, 0, len(p.running))
	for _, s := range p.running {
		parts = append(parts, s.status())
	}
	line := []rune(strings.Join(parts, " | "))
	if limit := p.width() - 1; len(line) > limit {
		line = line[:limit]
	}
	return string(line)
}

// printf writes in one piece. What cannot be shown is not worth failing for.
func (p *progress) printf(format string, arguments ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, _ = fmt.Fprintf(p.output, format, arguments...)
}

// detail says what a step is at.
func (s *step) detail(note string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.note = note
	s.total = 0
}

// amount says how much of a step is done; the total may be unknown, which is 0 or less.
func (s *step) amount(done, total int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done, s.total = done, total
}

// Write shows the last line written as what the step is at: the step is the output of a child process.
func (s *step) Write(data []byte) (int, error) {
	lines := strings.Split(strings.TrimRight(string(data), "\r\n"), "\n")
	s.detail(strings.TrimSpace(lines[len(lines)-1]))
	return len(data), nil
}

func (s *step) status() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	line := s.title + " " + elapsed(s.begun)
	if s.total > 0 {
		full := int(min(barWidth, barWidth*s.done/s.total))
		return fmt.Sprintf("%s [%s%s] %.1f/%.1f MiB", line, strings.Repeat("=", full), strings.Repeat(" ", barWidth-full),
			float64(s.done)/mebibyte, float64(s.total)/mebibyte)
	}
	if s.note != "" {
		line += " (" + s.note + ")"
	}
	return line
}

// elapsed is the time since, as exact as a person wants it.
func elapsed(since time.Time) string {
	taken := time.Since(since)
	if taken < 10*time.Second {
		return taken.Round(100 * time.Millisecond).String()
	}
	return taken.Round(time.Second).String()
}
