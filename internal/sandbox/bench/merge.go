package bench

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

//go:embed merge.sql
var mergeTables string

const (
	mergeKey = "pk_id"
	// unitBytes is about how much of trips, at its source, becomes one file.
	unitBytes = 32 << 20
)

// Those that merge. onRead is lakeland, but that it names replaced rows instead of writing their files anew; all others
// must come to the same rows as the reference.
const (
	lakeland  = "lakeland"
	onRead    = "on read"
	reference = "duckdb"
	spark     = "spark"
)

// scenario is a kind of change to trips.
type scenario struct {
	name, says string
	// mergers take part beside the reference.
	mergers []string
}

var scenarios = []scenario{
	{"uniform", "1 % of the rows, anywhere, with all columns changed", []string{lakeland, onRead, spark}},
	{"three_columns", "the same rows, with 3 of 20 columns changed", []string{lakeland}},
	{"recent", "the 1 % with the highest keys, all columns changed", []string{lakeland}},
	{"hundred", "100 rows with neighbouring keys", []string{lakeland}},
}

// lake is what is merged into: a folder with the table, which has the changes too.
type lake struct {
	folder string
	// files are the table's; full is the length in bytes of the longest.
	files []string
	full  int64
}

// listed are the paths of the files that hold a table's rows, and of those that name deleted ones.
type listed struct {
	Files   []string `json:"files"`
	Deletes []string `json:"deletes"`
}

func (l *lake) changes(s scenario) string { return filepath.Join(l.folder, "changes", s.name) }

// landCommand lands trips in a folder.
func (b *bench) landCommand(ctx context.Context, folder string, more ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, b.Merger, append([]string{"land", "--lake", folder, "--table", "trips", "--unit-bytes", fmt.Sprint(int64(unitBytes * b.Scale))}, more...)...)
	command.Env = append(os.Environ(), b.source.environment()...)
	return command
}

// land makes the lake, once: trips as the engine lands it, and the changes as it extracts them.
func (b *bench) land(ctx context.Context) (*lake, error) {
	if b.lake != nil {
		return b.lake, nil
	}
	l := &lake{folder: filepath.Join(b.folder, "lake")}
	for statement := range strings.SplitSeq(mergeTables, ";\n") {
		if _, err := b.source.control.PgConn().Exec(ctx, statement).ReadAll(); err != nil {
			return nil, fmt.Errorf("making changes to trips: %w in %.80q", err, statement)
		}
	}
	if _, _, err := measured(b.landCommand(ctx, l.folder)); err != nil {
		return nil, fmt.Errorf("landing trips: %w", err)
	}
	for _, s := range scenarios {
		command := exec.CommandContext(ctx, b.Engine, "extract", "--from", "postgresql:///", "--table", "public.trips_"+s.name, "--to", l.changes(s))
		command.Env = append(os.Environ(), b.source.environment()...)
		if _, _, err := measured(command); err != nil {
			return nil, fmt.Errorf("extracting changes: %w", err)
		}
	}
	landed, err := b.filesOf(ctx, l.folder)
	if err != nil {
		return nil, err
	}
	l.files = landed.Files
	for _, path := range l.files {
		info, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("looking at the lake's files: %w", err)
		}
		l.full = max(l.full, info.Size())
	}
	b.lake = l
	return l, nil
}

// filesOf are the files of the table in a lake.
func (b *bench) filesOf(ctx context.Context, folder string, more ...string) (out listed, err error) {
	_, printed, err := measured(exec.CommandContext(ctx, b.Merger, append([]string{"files", "--lake", folder}, more...)...))
	if err == nil {
		err = json.Unmarshal(printed, &out)
	}
	if err != nil {
		return listed{}, fmt.Errorf("listing the files of a lake: %w", err)
	}
	return out, nil
}

// merges measures changing a table that is in the lake.
func (b *bench) merges(ctx context.Context, out io.Writer) ([]figure, error) {
	var all []figure
	var taken []scenario
	for _, s := range scenarios {
		// What others are compared with is measured beside them.
		if wanted(b.Only, "merge."+s.name) || s.name == "uniform" && (wanted(b.Only, "merge.spark") || wanted(b.Only, "merge.on_read") || wanted(b.Only, "merge.recent")) {
			taken = append(taken, s)
		}
	}
	if len(taken) > 0 {
		l, err := b.land(ctx)
		if err != nil {
			return nil, err
		}
		by, err := b.mergeRounds(ctx, l, taken)
		if err != nil {
			return nil, err
		}
		_, _ = fmt.Fprintln(out)
		for _, s := range taken {
			printMerges(out, fmt.Sprintf("%s rows of trips in %d files: %s", rowsText("trips", b.Scale), len(l.files), s.says), append(slices.Clone(s.mergers), reference), by[s.name])
			if err := b.profileMerge(ctx, out, l, s); err != nil {
				return nil, err
			}
		}
		all = append(all, mergeFigures(by)...)
	}
	for _, more := range []struct {
		name string
		run  func(context.Context, io.Writer) ([]figure, error)
	}{{"merge.commits", func(ctx context.Context, out io.Writer) ([]figure, error) { return b.commits(ctx, out, "merge") }}, {"merge.large", b.large}} {
		if !wanted(b.Only, more.name) {
			continue
		}
		if more.name == "merge.large" && !b.Large {
			_, _ = fmt.Fprintf(out, "merge.large, a merge into 100 million rows, was not measured: LARGE=1 does\n\n")
			continue
		}
		figures, err := more.run(ctx, out)
		if err != nil {
			return nil, err
		}
		all = append(all, figures...)
	}
	return all, nil
}

// mergeRounds lets everyone merge in turns, each on what was there before, and compares what they have come to the first
// time. The samples are by scenario and merger.
func (b *bench) mergeRounds(ctx context.Context, l *lake, taken []scenario) (map[string]map[string][]sample, error) {
	mergers, err := b.mergers(ctx, l)
	if err != nil {
		return nil, err
	}
	by := map[string]map[string][]sample{}
	for _, s := range taken {
		by[s.name] = map[string][]sample{}
	}
	for round := range b.Rounds + 1 { // the first warms up what is read
		for _, s := range taken {
			if err := b.mergeRound(ctx, l, mergers, s, round, by[s.name]); err != nil {
				return nil, fmt.Errorf("merging %s: %w", s.name, err)
			}
		}
	}
	return by, nil
}

// mergeRound is one scenario's part of a round.
func (b *bench) mergeRound(ctx context.Context, l *lake, mergers map[string]*merger, s scenario, round int, by map[string][]sample) error {
	var expected listed
	for _, name := range append([]string{reference}, s.mergers...) {
		m := mergers[name]
		if m == nil || round < m.from || round >= m.to {
			continue
		}
		took, printed, err := measured(m.command(s))
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		added, size, err := m.before.added()
		if err != nil {
			return err
		}
		if took.size = size; round > 0 {
			by[name] = append(by[name], took)
			_, _ = fmt.Fprintf(b.Out, "round %d  %-14s %-9s %6.2f s  CPU %6.2f s  %4d MB  %6.1f MB out\n", round, s.name, name, took.wall.Seconds(), took.client.Seconds(), took.rss/mega, float64(took.size)/1e6)
		}
		var got listed
		if m.lake {
			got, err = b.filesOf(ctx, l.folder)
		} else {
			got.Files, err = m.files(added, printed)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if name == reference {
			expected = got
			continue
		}
		if round == m.from {
			err = b.compareFiles(ctx, expected, got)
		}
		if err = errors.Join(err, m.before.restore()); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return mergers[reference].before.restore()
}

// compareFiles makes sure that files hold the same rows as others.
func (b *bench) compareFiles(ctx context.Context, sides ...listed) error {
	arguments := []string{b.script("compare")}
	for _, side := range sides {
		text, err := json.Marshal(side)
		if err != nil {
			return fmt.Errorf("comparing files: %w", err)
		}
		arguments = append(arguments, string(text))
	}
	if _, out, err := measured(exec.CommandContext(ctx, b.python, arguments...)); err != nil {
		return fmt.Errorf("other rows than the first's: %w %s", err, out)
	}
	return nil
}
