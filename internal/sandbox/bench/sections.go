package bench

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// section is a part of the report, measured and replaced as a whole.
type section struct {
	title string
	// says is what was measured and how, behind date and machine.
	says string
	// benchmarks are the names of what it holds; it is written only when all of them were measured.
	benchmarks []string
}

// sections are in the report's order.
var sections = []section{
	{"Extraction", `"c1" and "c2" are one and two connections. Tools read PostgreSQL 17 over loopback TCP and write Parquet with zstd;
"server" is the CPU time of the sessions that served the tool.`, []string{"extract.trips", "extract.orders", "extract.memory"}},
	{"Merging", `Changes, rows with their keys, are brought into the rows of trips, which lie in Parquet files as the
engine lands them, in the order of their keys. Every process is measured from its start to its end. lakeland reads the Iceberg table's
metadata and manifests, merges, and commits; "on read" is the same, but that it names replaced rows and leaves their files. DuckDB rewrites the files that hold changed keys, with two threads, by one
statement into one file per thread, and knows no table. Spark 3.5 runs MERGE INTO on an Iceberg table of the same files, local[2]. All rows were compared, once per scenario.
The small table of the thousand commits lies in memory, where the machine has a folder there, and a second time so that each request takes 10 ms longer, as S3's take at the least.`,
		[]string{"merge.uniform", "merge.three_columns", "merge.recent", "merge.hundred", "merge.on_read", "merge.spark", "merge.commits"}},
	{"Hudi", `The same changes of 1 % of the rows, anywhere, are brought into trips as a table of Hudi and as one of Iceberg, both as the
engine lands them, copied on write; "recent keys" are the 1 % with the highest keys. Spark 3.5 with Hudi 0.15.0, local[2], upserts the same into a table of its own of the
same rows in as many files. All rows were compared, once. The first load reads PostgreSQL by two sessions and commits.
A commit lists the timeline, of which two to five days stay: in memory each of its objects takes its time, while S3 tells of a thousand in one answer, so that commits are measured both ways.`, append(slices.Clone(hudiBenchmarks), "hudi.commits")},
}

const reportHead = `# Benchmarks

What ` + "`make bench`" + ` printed: medians of rounds in which all tools took turns. Ratios of one run count, not seconds: machines differ and
are noisy.
`

// benchmarks are the names of all, those that are measured only when asked for included.
func benchmarks() []string {
	var names []string
	for _, s := range sections {
		names = append(names, s.benchmarks...)
	}
	return append(names, "merge.large")
}

// whole reports whether a glob asks for all that the section holds.
func (s *section) whole(only string) bool {
	for _, name := range s.benchmarks {
		if !wanted(only, name) {
			return false
		}
	}
	return true
}

// text is the section with its figures, the machine and the date.
func (s *section) text(rounds int, figures string) string {
	return fmt.Sprintf("## %s\n\nOn %s, %d rounds, %s, %s. %s\n\n%s\n", s.title, time.Now().UTC().Format("2006-01-02"), rounds, processors(), runtime.GOOS+"/"+runtime.GOARCH,
		s.says, strings.TrimSpace(wrapFigures(figures)))
}

// processors says how many there are, and of what kind where the system tells (proc(5), /proc/cpuinfo).
func processors() string {
	out := fmt.Sprintf("%d cores", runtime.NumCPU())
	text, _ := os.ReadFile("/proc/cpuinfo") // what other systems do not have
	for line := range strings.Lines(string(text)) {
		if name, model, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return out + " of " + strings.TrimSpace(model)
		}
	}
	return out
}

// writeReport replaces sections of the report, by their titles, and keeps its others.
func writeReport(path string, made map[string]string) error {
	before, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("reading the report: %w", err)
	}
	if err := os.WriteFile(path, []byte(mergeReport(string(before), made)), 0o644); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

// mergeReport is a report with some sections replaced.
func mergeReport(before string, made map[string]string) string {
	kept := map[string]string{}
	for _, part := range strings.Split("\n"+before, "\n## ")[1:] {
		title, _, _ := strings.Cut(part, "\n")
		kept[title] = "## " + strings.TrimRight(part, "\n") + "\n"
	}
	var out strings.Builder
	out.WriteString(reportHead)
	for _, s := range sections {
		text, ok := made[s.title]
		if !ok {
			text, ok = kept[s.title]
		}
		if ok {
			out.WriteString("\n" + text)
		}
	}
	return out.String()
}

// wrapFigures sets the machines' lines apart from the tables.
func wrapFigures(text string) string {
	at := strings.Index(text, "bench ")
	if at < 0 {
		return text
	}
	return text[:at] + "```\n" + text[at:] + "```\n"
}
