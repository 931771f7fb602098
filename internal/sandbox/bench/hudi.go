package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/toolchain"
)

// Those that bring changes into trips as a table of Hudi, and what they are compared with.
const (
	inIceberg = "iceberg"
	inHudi    = "hudi"
	recentIn  = "hudi, recent keys"
	sparkHudi = "spark"
)

// hudiBenchmarks are measured beside one another.
var hudiBenchmarks = []string{"hudi.upsert", "hudi.spark", "hudi.first_load", "hudi.recent"}

// upserter brings one kind of changes into a table.
type upserter struct {
	name   string
	from   int // the round in which it takes part first
	folder string
	// format is of the engine's table in the folder; "" is Spark's.
	format  string
	before  *state
	command func() *exec.Cmd
}

// hudi measures tables of Hudi beside those of Iceberg.
func (b *bench) hudi(ctx context.Context, out io.Writer) ([]figure, error) {
	var all []figure
	if slices.ContainsFunc(hudiBenchmarks, func(name string) bool { return wanted(b.Only, name) }) {
		l, err := b.land(ctx)
		if err != nil {
			return nil, err
		}
		loads, err := b.hudiLoads(ctx, l)
		if err != nil {
			return nil, err
		}
		by, err := b.hudiRounds(ctx, l)
		if err != nil {
			return nil, err
		}
		maps.Copy(by, loads)
		_, _ = fmt.Fprintln(out)
		printMerges(out, fmt.Sprintf("%s rows of trips in %d files, 1 %% of the rows changed", rowsText("trips", b.Scale), len(l.files)), []string{inHudi, inIceberg, recentIn, sparkHudi}, by)
		_, _ = fmt.Fprintln(out)
		printMerges(out, "the first load, by two sessions", []string{loadOf(inHudi), loadOf(inIceberg)}, by)
		_, _ = fmt.Fprintln(out)
		all = append(all, hudiFigures(by)...)
	}
	if wanted(b.Only, "hudi.commits") {
		figures, err := b.commits(ctx, out, "hudi")
		if err != nil {
			return nil, err
		}
		all = append(all, figures...)
	}
	return all, nil
}

func loadOf(format string) string { return "load into " + format }

// hudiLoads lands trips in either format in turns; the last of each stays.
func (b *bench) hudiLoads(ctx context.Context, l *lake) (map[string][]sample, error) {
	by := map[string][]sample{}
	for round := range b.Rounds + 1 {
		for _, format := range []string{inIceberg, inHudi} {
			folder := filepath.Join(b.folder, "load-"+format)
			if err := os.RemoveAll(folder); err != nil {
				return nil, fmt.Errorf("removing a folder: %w", err)
			}
			took, _, err := measured(b.landCommand(ctx, folder, "--format", format))
			if err != nil {
				return nil, fmt.Errorf("landing trips in %s: %w", format, err)
			}
			before := state{folder: folder}
			if _, took.size, err = before.added(); err != nil {
				return nil, err
			}
			if round > 0 {
				by[loadOf(format)] = append(by[loadOf(format)], took)
				b.printRound(round, loadOf(format), took)
			}
		}
	}
	for _, format := range []string{inIceberg, inHudi} {
		for _, s := range []string{"uniform", "recent"} {
			if err := linkAll(filepath.Join(l.folder, "changes", s), filepath.Join(b.folder, "load-"+format, "changes", s)); err != nil {
				return nil, err
			}
		}
	}
	return by, nil
}

// linkAll makes the files of a folder those of another too.
func linkAll(from, to string) error {
	entries, err := os.ReadDir(from)
	if err == nil {
		err = os.MkdirAll(to, 0o755)
	}
	for i := 0; err == nil && i < len(entries); i++ {
		err = os.Link(filepath.Join(from, entries[i].Name()), filepath.Join(to, entries[i].Name()))
	}
	if err != nil {
		return fmt.Errorf("linking the files of %s: %w", from, err)
	}
	return nil
}

func (b *bench) printRound(round int, name string, took sample) {
	_, _ = fmt.Fprintf(b.Out, "round %d  %-18s %6.2f s  CPU %6.2f s  %4d MB  %6.1f MB out\n", round, name, took.wall.Seconds(), took.client.Seconds(), took.rss/mega, float64(took.size)/1e6)
}

// upserters are those that the benchmark asks for, in the order of their turns.
func (b *bench) upserters(ctx context.Context, l *lake) ([]*upserter, error) {
	ours := func(name, format, changes string) *upserter {
		folder := filepath.Join(b.folder, "load-"+format)
		return &upserter{name: name, folder: folder, format: format, command: func() *exec.Cmd {
			return exec.CommandContext(ctx, b.Merger, "merge", "--lake", folder, "--format", format, "--changes", "changes/"+changes, "--file-bytes", fmt.Sprint(l.full))
		}}
	}
	all := []*upserter{ours(inIceberg, inIceberg, "uniform"), ours(inHudi, inHudi, "uniform"), ours(recentIn, inHudi, "recent")}
	if b.SparkRounds > 0 && wanted(b.Only, "hudi.spark") {
		s, err := b.sparkUpserter(ctx, l)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	for _, u := range all {
		var err error
		if u.before, err = remember(u.folder); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// sparkUpserter makes Spark's table, of the lake's files.
func (b *bench) sparkUpserter(ctx context.Context, l *lake) (*upserter, error) {
	installation, err := b.toolchain.SparkHudi(ctx, toolchain.HudiVersion)
	if err != nil {
		return nil, err
	}
	files, folder, scratch := filepath.Join(b.folder, "hudi-files"), filepath.Join(b.folder, "hudi-spark"), filepath.Join(b.folder, "hudi-scratch")
	for _, made := range []string{files, folder, scratch} {
		if err := os.MkdirAll(made, 0o755); err != nil {
			return nil, fmt.Errorf("making a folder: %w", err)
		}
	}
	for _, path := range l.files {
		if err := os.Link(path, filepath.Join(files, filepath.Base(path))); err != nil {
			return nil, fmt.Errorf("making Spark's table: %w", err)
		}
	}
	own := sparkSettings(installation, folder, scratch)
	maps.DeleteFunc(own, func(name, _ string) bool { return strings.HasPrefix(name, "spark.sql.catalog.lake") })
	maps.Copy(own, map[string]string{
		"spark.sql.extensions": "org.apache.spark.sql.hudi.HoodieSparkSessionExtension", "spark.serializer": "org.apache.spark.serializer.KryoSerializer",
		"spark.kryo.registrator": "org.apache.spark.HoodieSparkKryoRegistrar", "spark.sql.parquet.inferTimestampNTZ.enabled": "false", // Hudi has none
	})
	settings, err := json.Marshal(own)
	if err != nil {
		return nil, fmt.Errorf("making Spark's settings: %w", err)
	}
	command := func(arguments ...string) *exec.Cmd {
		return b.sparkCommand(ctx, installation, scratch, append([]string{b.script("hudi_spark"), string(settings), "file://" + filepath.Join(folder, "trips")}, arguments...)...)
	}
	_, _ = fmt.Fprintf(b.Out, "making Spark's table of Hudi %s; Spark takes part in %d rounds\n", toolchain.HudiVersion, min(b.SparkRounds, b.Rounds))
	if _, _, err := measured(command("create", files)); err != nil {
		return nil, fmt.Errorf("making Spark's table: %w", err)
	}
	return &upserter{name: sparkHudi, from: 1, folder: folder, command: func() *exec.Cmd { return command("upsert", filepath.Join(l.folder, "changes", "uniform")) }}, nil
}

// hudiRounds lets everyone bring changes in in turns, each into what was there before, and compares what those have come to who
// bring in the same ones.
func (b *bench) hudiRounds(ctx context.Context, l *lake) (map[string][]sample, error) {
	all, err := b.upserters(ctx, l)
	if err != nil {
		return nil, err
	}
	by := map[string][]sample{}
	for round := range b.Rounds + 1 { // the first warms up what is read
		var expected listed
		for _, u := range all {
			if round < u.from || u.name == sparkHudi && round > b.SparkRounds {
				continue
			}
			took, _, err := measured(u.command())
			if err != nil {
				return nil, fmt.Errorf("%s: %w", u.name, err)
			}
			added, size, err := u.before.added()
			if err != nil {
				return nil, err
			}
			if took.size = size; round > 0 {
				by[u.name] = append(by[u.name], took)
				b.printRound(round, u.name, took)
			}
			// All of Spark's files hold changed keys, so that those of its commit are the table.
			got := listed{Files: slices.DeleteFunc(added, func(path string) bool { return !data(path) })}
			if u.format != "" {
				if got, err = b.filesOf(ctx, u.folder, "--format", u.format); err != nil {
					return nil, err
				}
			}
			switch {
			case u.name == inIceberg:
				expected = got
			case round == u.from && u.name != recentIn:
				if err := b.compareFiles(ctx, expected, got); err != nil {
					return nil, fmt.Errorf("%s: %w", u.name, err)
				}
			}
			if u.name == inIceberg {
				continue // until it is compared with
			}
			if err := u.before.restore(); err != nil {
				return nil, fmt.Errorf("%s: %w", u.name, err)
			}
		}
		if err := all[0].before.restore(); err != nil {
			return nil, err
		}
	}
	return by, nil
}

// hudiFigures are the bounded ones. Ratios are of the same rounds.
func hudiFigures(by map[string][]sample) []figure {
	var out []figure
	ratio := func(name, a, b string, of func(sample) float64, bound float64, bounded func(string, float64, float64) figure) {
		if len(by[a]) > 0 && len(by[b]) > 0 {
			out = append(out, bounded("hudi."+name, median(ratios(by[a], by[b], of)), bound))
		}
	}
	ratio("upsert.wall_to_iceberg", inHudi, inIceberg, wallOf, 1.5, atMost)
	ratio("spark.wall_speedup", sparkHudi, inHudi, wallOf, 8, atLeast)
	ratio("spark.cpu_saving", sparkHudi, inHudi, cpuOf, 15, atLeast)
	ratio("first_load.wall_to_iceberg", loadOf(inHudi), loadOf(inIceberg), wallOf, 1.6, atMost)
	ratio("recent.speedup", inHudi, recentIn, wallOf, 10, atLeast)
	return out
}
