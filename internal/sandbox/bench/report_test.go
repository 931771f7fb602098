package bench

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestVerdictsOfBoundsAboveAndBelow(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	short := printFigures(&out, []figure{
		atMost("a.at", 0.85, 0.85), atMost("a.above", 0.851, 0.85), atLeast("b.at", 8, 8), atLeast("b.below", 7.9, 8), atMost("c.none", math.NaN(), 1), atLeast("d.none", math.NaN(), 1),
	})
	want := `bench a.at 0.850 0.850 ok
bench a.above 0.851 0.850 short
bench b.at 8.000 8.000 ok
bench b.below 7.900 8.000 short
bench c.none NaN 1.000 short
bench d.none NaN 1.000 short
`
	if out.String() != want || short != 4 {
		t.Errorf("%d short:\n%s", short, out.String())
	}
}

// The bounded figures of merges are ratios of the same rounds, and none is of what was not measured.
func TestMergeFigures(t *testing.T) {
	t.Parallel()
	of := func(walls ...float64) (out []sample) {
		for _, s := range walls {
			wall := time.Duration(s * float64(time.Second))
			out = append(out, sample{wall: wall, client: 2 * wall, rss: 100 * mega, size: int64(s * mega)})
		}
		return out
	}
	by := map[string]map[string][]sample{
		"uniform": {"lakeland": of(1, 2, 3), "on read": of(0.1, 0.2, 3), "duckdb": of(2, 2, 2), "spark": of(10, 30)},
		"recent":  {"lakeland": of(0.1, 0.1, 0.2)},
	}
	var out bytes.Buffer
	printFigures(&out, mergeFigures(by))
	want := `bench merge.uniform.wall_to_duckdb 1.000 0.850 short
bench merge.uniform.cpu_to_duckdb 1.000 0.850 short
bench merge.uniform.rss_mb 100.000 300.000 ok
bench merge.recent.speedup 15.000 10.000 ok
bench merge.on_read.wall_to_cow 0.100 0.300 ok
bench merge.on_read.bytes_to_cow 0.100 0.300 ok
bench merge.spark.wall_speedup 15.000 8.000 ok
bench merge.spark.cpu_saving 15.000 15.000 ok
`
	if out.String() != want {
		t.Errorf("got\n%s", out.String())
	}
}

// A section that was measured takes the place of its predecessor, and the other stays as it was.
func TestReportKeepsOtherSections(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "benchmarks.md")
	for _, made := range []map[string]string{
		{"Merging": sections[1].text(5, "old merges\nbench m 1 1 ok\n")},
		{"Extraction": sections[0].text(5, "extracts\n\n| a |\n\nbench e 1 1 ok\n")},
		{"Merging": sections[1].text(3, "new merges\nbench m 2 1 short\n")},
	} {
		if err := writeReport(path, made); err != nil {
			t.Fatal(err)
		}
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(content)
	if !strings.HasPrefix(text, reportHead+"\n## Extraction\n") || strings.Count(text, "\n## ") != 2 || strings.Contains(text, "old merges") {
		t.Errorf("got\n%s", text)
	}
	for _, part := range []string{"extracts\n\n| a |\n\n```\nbench e 1 1 ok\n```\n\n## Merging\n", "3 rounds", "new merges\n```\nbench m 2 1 short\n```\n"} {
		if !strings.Contains(text, part) {
			t.Errorf("without %q:\n%s", part, text)
		}
	}
	if again := mergeReport(text, nil); again != text {
		t.Errorf("without anything new it became\n%s", again)
	}
}

func TestSectionsThatAGlobTakesWhole(t *testing.T) {
	t.Parallel()
	for only, want := range map[string][2]bool{"": {true, true}, "merge*": {false, true}, "extract.*": {true, false}, "extract.trips": {}, "merge.uniform.rss_mb": {}} {
		if got := [2]bool{sections[0].whole(only), sections[1].whole(only)}; got != want {
			t.Errorf("%q takes %v whole, not %v", only, got, want)
		}
	}
}
