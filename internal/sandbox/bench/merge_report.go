package bench

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"text/tabwriter"
)

// Measures of a sample.
func wallOf(s sample) float64 { return s.wall.Seconds() }

func cpuOf(s sample) float64 { return s.client.Seconds() }

func sizeOf(s sample) float64 { return float64(s.size) }

func rssOf(s sample) float64 { return float64(s.rss) / mega }

// mergeFigures are the bounded ones, from the samples by scenario and merger. Ratios are of the same rounds.
func mergeFigures(by map[string]map[string][]sample) []figure {
	ours := func(scenario string) []sample { return by[scenario][lakeland] }
	var out []figure
	// ratio adds how one compares with another, where both were measured.
	ratio := func(name string, a, b []sample, of func(sample) float64, bound float64, bounded func(string, float64, float64) figure) {
		if len(a) > 0 && len(b) > 0 {
			out = append(out, bounded("merge."+name, median(ratios(a, b, of)), bound))
		}
	}
	value := func(name string, s []sample, of func(sample) float64, bound float64) {
		if len(s) > 0 {
			out = append(out, atMost("merge."+name, median(pick(s, of)), bound))
		}
	}
	ratio("uniform.wall_to_duckdb", ours("uniform"), by["uniform"][reference], wallOf, 0.85, atMost)
	ratio("uniform.cpu_to_duckdb", ours("uniform"), by["uniform"][reference], cpuOf, 0.85, atMost)
	value("uniform.rss_mb", ours("uniform"), rssOf, 300)
	ratio("three_columns.wall_to_duckdb", ours("three_columns"), by["three_columns"][reference], wallOf, 0.5, atMost)
	ratio("three_columns.cpu_to_duckdb", ours("three_columns"), by["three_columns"][reference], cpuOf, 0.5, atMost)
	ratio("recent.speedup", ours("uniform"), ours("recent"), wallOf, 10, atLeast)
	value("hundred.wall_s", ours("hundred"), wallOf, 2)
	ratio("on_read.wall_to_cow", by["uniform"][onRead], ours("uniform"), wallOf, 0.3, atMost)
	ratio("on_read.bytes_to_cow", by["uniform"][onRead], ours("uniform"), sizeOf, 0.3, atMost)
	ratio("spark.wall_speedup", by["uniform"][spark], ours("uniform"), wallOf, 8, atLeast)
	ratio("spark.cpu_saving", by["uniform"][spark], ours("uniform"), cpuOf, 15, atLeast)
	return out
}

// printMerges prints the medians of a scenario's samples as Markdown.
func printMerges(w io.Writer, title string, order []string, by map[string][]sample) {
	_, _ = fmt.Fprintf(w, "%s:\n\n", title)
	t := tabwriter.NewWriter(w, 0, 0, 1, ' ', 0)
	_, _ = fmt.Fprintln(t, "| \t| wall s\t| CPU s\t| peak RSS MB\t| MB written\t| rounds\t|")
	_, _ = fmt.Fprintln(t, "|---\t|---\t|---\t|---\t|---\t|---\t|")
	for _, name := range order {
		s := by[name]
		if len(s) == 0 {
			continue
		}
		_, _ = fmt.Fprintf(t, "| %s\t| %.2f\t| %.2f\t| %.0f\t| %.1f\t| %d\t|\n", name, median(pick(s, wallOf)), median(pick(s, cpuOf)), median(pick(s, rssOf)),
			float64(median(pick(s, func(s sample) int64 { return s.size })))/1e6, len(s))
	}
	_ = t.Flush()
	var lost []string
	for _, name := range order {
		if name == lakeland || name == onRead {
			continue
		}
		for _, m := range []struct {
			name string
			of   func(sample) float64
		}{{"wall", wallOf}, {"CPU", cpuOf}, {"peak RSS", rssOf}} {
			if a, b := by[lakeland], by[name]; len(a) > 0 && len(b) > 0 && median(ratios(a, b, m.of)) > 1 {
				lost = append(lost, fmt.Sprintf("%s to %s (%.2f times)", m.name, name, median(ratios(a, b, m.of))))
			}
		}
	}
	if len(lost) == 0 {
		lost = []string{"nowhere"}
	}
	_, _ = fmt.Fprintf(w, "\nlakeland loses: %s\n", strings.Join(lost, ", "))
}

// profileMerge merges once more, and says what the engine was at work on.
func (b *bench) profileMerge(ctx context.Context, out io.Writer, l *lake, s scenario) error {
	before, err := remember(l.folder)
	if err != nil {
		return err
	}
	path := filepath.Join(b.folder, "merge.pprof")
	command := b.mergeCommand(ctx, l, s)
	command.Args = append(command.Args, "--cpuprofile", path)
	if _, _, err := measured(command); err != nil {
		return fmt.Errorf("profiling a merge: %w", err)
	}
	if err := before.restore(); err != nil {
		return err
	}
	return printProfile(out, "CPU of lakeland", path, mergeShares)
}

// around is the median of what lies next to a place, which one slow commit does not move.
func around(values []float64, place int) float64 {
	const each = 4
	return median(values[max(place-each, 0):min(place+each+1, len(values))])
}
