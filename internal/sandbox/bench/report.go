package bench

import (
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"
)

// figure is a measured value with its bound: more than that is short of what is wanted, or less.
type figure struct {
	name         string
	value, bound float64
	// least says that the value is wanted to be no less than the bound.
	least bool
}

// atMost and atLeast are figures with bounds above and below.
func atMost(name string, value, bound float64) figure { return figure{name, value, bound, false} }

func atLeast(name string, value, bound float64) figure { return figure{name, value, bound, true} }

func (f figure) verdict() string {
	if !f.least && f.value <= f.bound || f.least && f.value >= f.bound {
		return "ok"
	}
	return "short" // what is not a number too
}

func median[T time.Duration | int64 | float64](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	if len(sorted) == 0 {
		return 0
	}
	return sorted[len(sorted)/2]
}

func pick[T any](samples []sample, of func(sample) T) []T {
	out := make([]T, len(samples))
	for i, s := range samples {
		out[i] = of(s)
	}
	return out
}

func key(t tool) string { return fmt.Sprintf("%s c%d", t.name, t.connections) }

// ratios are those of two tools in the same rounds.
func ratios(a, b []sample, of func(sample) float64) []float64 {
	var out []float64
	for i := range min(len(a), len(b)) {
		out = append(out, of(a[i])/of(b[i]))
	}
	return out
}

const mega = 1 << 20

// figures are the bounded ones of a table, from its samples by tool.
func figures(table string, by map[string][]sample) []figure {
	wall := func(s sample) float64 { return s.wall.Seconds() }
	size := func(s sample) float64 { return float64(s.size) }
	cpu := func(s sample) float64 { return s.client.Seconds() / s.server.Seconds() }
	cpuBounds := map[string][2]float64{"trips": {0.95, 0.85}, "orders": {1.05, 0.90}}[table]
	var out []figure
	for i, c := range []struct {
		ours, peer       string
		wallBound, rssMB float64
	}{{"lakeland c1", "duckdb c1", 0.7, 128}, {"lakeland c2", "duckdb c2", 0.95, 200}} {
		name := fmt.Sprintf("extract.%s.c%d.", table, i+1)
		if len(by[c.ours]) == 0 {
			continue
		}
		if len(by[c.peer]) > 0 {
			out = append(out, atMost(name+"wall_to_duckdb", median(ratios(by[c.ours], by[c.peer], wall)), c.wallBound),
				atMost(name+"size_to_duckdb", median(ratios(by[c.ours], by[c.peer], size)), 1.05))
		}
		out = append(out, atMost(name+"cpu_to_server", median(pick(by[c.ours], cpu)), cpuBounds[i]),
			atMost(name+"rss_mb", float64(median(pick(by[c.ours], func(s sample) int64 { return s.rss })))/mega, c.rssMB))
	}
	return out
}

// table prints the medians of a table's samples as Markdown, which terminals read as well.
func printTable(w io.Writer, table string, order []string, by map[string][]sample) {
	t := tabwriter.NewWriter(w, 0, 0, 1, ' ', 0)
	_, _ = fmt.Fprintf(t, "| %s\t| wall s\t| client CPU s\t| server CPU s\t| client/server\t| peak RSS MB\t| MB out\t|\n", table)
	_, _ = fmt.Fprintln(t, "|---\t|---\t|---\t|---\t|---\t|---\t|---\t|")
	for _, name := range order {
		s := by[name]
		if len(s) == 0 {
			continue
		}
		seconds := func(of func(sample) time.Duration) string { return fmt.Sprintf("%.2f", median(pick(s, of)).Seconds()) }
		_, _ = fmt.Fprintf(t, "| %s\t| %s\t| %s\t| %s\t| %.2f\t| %.0f\t| %.1f\t|\n", name,
			seconds(func(s sample) time.Duration { return s.wall }), seconds(func(s sample) time.Duration { return s.client }), seconds(func(s sample) time.Duration { return s.server }),
			median(pick(s, func(s sample) float64 { return s.client.Seconds() / s.server.Seconds() })),
			float64(median(pick(s, func(s sample) int64 { return s.rss })))/mega, float64(median(pick(s, func(s sample) int64 { return s.size })))/1e6)
	}
	_ = t.Flush()
	_, _ = fmt.Fprintln(w)
}

// printLosses says where a peer was better than Lakeland with as many connections.
func printLosses(w io.Writer, by map[string][]sample) {
	measures := []struct {
		name string
		of   func(sample) float64
	}{
		{"wall", func(s sample) float64 { return s.wall.Seconds() }}, {"client CPU", func(s sample) float64 { return s.client.Seconds() }},
		{"peak RSS", func(s sample) float64 { return float64(s.rss) }}, {"size", func(s sample) float64 { return float64(s.size) }},
	}
	var lost []string
	for _, peer := range slices.Sorted(maps.Keys(by)) {
		name, connections, _ := strings.Cut(peer, " ")
		ours := by["lakeland "+connections]
		if name == "lakeland" || len(ours) == 0 {
			continue
		}
		for _, m := range measures {
			if ratio := median(ratios(ours, by[peer], m.of)); ratio > 1 {
				lost = append(lost, fmt.Sprintf("%s to %s (%.2f times)", m.name, peer, ratio))
			}
		}
	}
	if len(lost) == 0 {
		lost = []string{"nowhere"}
	}
	_, _ = fmt.Fprintf(w, "lakeland loses: %s\n", strings.Join(lost, ", "))
}

// printFigures prints one line for machines per bounded figure, and says how many are short.
func printFigures(w io.Writer, all []figure) (short int) {
	for _, f := range all {
		_, _ = fmt.Fprintf(w, "bench %s %.3f %.3f %s\n", f.name, f.value, f.bound, f.verdict())
		if f.verdict() == "short" {
			short++
		}
	}
	return short
}

// wanted reports whether a glob asks for a benchmark, or for one of its figures.
func wanted(only, name string) bool {
	if only == "" {
		return true
	}
	matched, err := path.Match(only, name)
	return err == nil && matched || strings.HasPrefix(only, name)
}

func rowsText(table string, scale float64) string {
	return humanize.Comma(int64(float64(rows[table]) * scale))
}
