package interop_test

import (
	_ "embed" // of gaps.txt
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

//go:embed gaps.txt
var gapsText string

// gap is something that an engine is known not to do, at scenarios and steps whose names hold a text.
type gap struct{ engine, says, where, reason string }

// gaps are those of gaps.txt, with what was met of them.
type gaps struct {
	known []gap

	mu  sync.Mutex
	met map[gap][]string // where
}

var knownGaps = sync.OnceValues(func() (*gaps, error) {
	g := &gaps{met: map[gap][]string{}}
	for line := range strings.Lines(gapsText) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Split(line, " | ")
		if len(fields) != 4 || slices.Contains(fields, "") {
			return nil, fmt.Errorf("gaps.txt: %q is not an engine, a part of what it says, where it does and a reason, with | between them", line)
		}
		g.known = append(g.known, gap{fields[0], fields[1], fields[2], fields[3]})
	}
	return g, nil
})

// meets tells whether what an engine says is a known gap, and remembers where it was met.
func (g *gaps) meets(where, engine, says string) bool {
	for _, known := range g.known {
		if strings.HasPrefix(engine, known.engine) && strings.Contains(says, known.says) && strings.Contains(where, known.where) {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.met[known] = append(g.met[known], where)
			return true
		}
	}
	return false
}

// settle fails for gaps that were not met, and returns a line for each that was.
func (g *gaps) settle(t *testing.T) []string {
	t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	var lines []string
	for _, known := range g.known {
		where := g.met[known]
		if len(where) == 0 {
			t.Errorf("%s does what gaps.txt says it cannot (%s): remove the line", known.engine, known.says)
			continue
		}
		slices.Sort(where)
		where = slices.Compact(where)
		lines = append(lines, fmt.Sprintf("not proved with %s, %d times: %s (%s)", known.engine, len(where), known.reason, strings.Join(where[:min(len(where), 3)], "; ")))
	}
	return lines
}

// report writes lines for people where LAKELAND_INTEROP_REPORT says, and into the test's log.
func report(t *testing.T, lines ...string) {
	t.Helper()
	for _, line := range lines {
		t.Log(line)
	}
	path := os.Getenv("LAKELAND_INTEROP_REPORT")
	if path == "" || len(lines) == 0 {
		return
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err == nil {
		_, err = fmt.Fprintln(file, strings.Join(lines, "\n"))
		err = firstError(err, file.Close())
	}
	if err != nil {
		t.Errorf("writing the report: %v", err)
	}
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
