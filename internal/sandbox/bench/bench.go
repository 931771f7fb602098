package bench

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/toolchain"
)

var (
	//go:embed peers.py
	peers string
	//go:embed merge_duckdb.py
	mergeDuckDB string
	//go:embed merge_spark.py
	mergeSpark string
	//go:embed hudi_spark.py
	hudiSpark string
	//go:embed compare.py
	compare string
	// scripts are for the peers' interpreter, by their names.
	scripts = map[string]string{"peers": peers, "merge_duckdb": mergeDuckDB, "merge_spark": mergeSpark, "hudi_spark": hudiSpark, "compare": compare}
)

// Options say what is measured.
type Options struct {
	// Out is where the figures go.
	Out io.Writer
	// Only is a glob over the names of benchmarks, such as "extract.trips" or "merge*"; "" measures everything.
	Only string
	// Engine is the engine's binary, and Merger that of lakeland-bench, which merges.
	Engine, Merger string
	// Rounds is how often each tool runs on each table.
	Rounds int
	// Scale is the share of the tables' rows, for trying.
	Scale float64
	// Strict makes a figure that is short of its bound an error.
	Strict bool
	// SparkRounds is in how many of the rounds Spark takes part, which is slow.
	SparkRounds int
	// Large measures merge.large too, which takes minutes and some gigabytes.
	Large bool
	// Report is a file that the figures are written to as well; "" writes none.
	Report string
}

type bench struct {
	Options
	toolchain *toolchain.Toolchain
	source    *source
	folder    string
	// python is the interpreter that has the peers.
	python string
	// lake is what merges are measured on, once it is made.
	lake *lake
}

// script is the path of one of the scripts.
func (b *bench) script(name string) string { return filepath.Join(b.folder, name+".py") }

// Run measures, prints, and leaves nothing behind but the report.
func Run(ctx context.Context, o Options) (err error) {
	tools, err := toolchain.New(toolchain.Options{Progress: o.Out})
	if err != nil {
		return err
	}
	installation, err := tools.Postgres(ctx, toolchain.Postgres17)
	if err != nil {
		return err
	}
	b := &bench{Options: o, toolchain: tools}
	if b.python, err = tools.Peers(ctx); err != nil {
		return err
	}
	if b.folder, err = os.MkdirTemp("", "lakeland-bench-"); err != nil {
		return fmt.Errorf("making a folder for the benchmark: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.folder)) }()
	for name, text := range scripts {
		if err := os.WriteFile(b.script(name), []byte(text), 0o600); err != nil {
			return fmt.Errorf("writing the peers' scripts: %w", err)
		}
	}
	_, _ = fmt.Fprintf(o.Out, "making trips (%s rows) and orders (%s rows)\n", rowsText("trips", o.Scale), rowsText("orders", o.Scale))
	if b.source, err = load(ctx, installation, o.Scale); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.source.close()) }()
	return b.measure(ctx)
}

// measure goes through the sections, and writes those to the report that were measured whole.
func (b *bench) measure(ctx context.Context) error {
	made := map[string]string{}
	measured, short := 0, 0
	for i, family := range []func(context.Context, io.Writer) ([]figure, error){b.extracts, b.merges, b.hudi} {
		var text strings.Builder
		out := io.MultiWriter(b.Out, &text)
		all, err := family(ctx, out)
		if err != nil {
			return err
		}
		measured, short = measured+len(all), short+printFigures(out, all)
		if s := &sections[i]; s.whole(b.Only) {
			made[s.title] = s.text(b.Rounds, text.String())
		}
	}
	if measured == 0 {
		return fmt.Errorf("no benchmark is named %q: there are %s", b.Only, strings.Join(benchmarks(), ", "))
	}
	if b.Report != "" && len(made) > 0 {
		if err := writeReport(b.Report, made); err != nil {
			return err
		}
	}
	if b.Strict && short > 0 {
		return fmt.Errorf("%d of %d figures are short of their bounds", short, measured)
	}
	return nil
}

// extracts measures reading a database.
func (b *bench) extracts(ctx context.Context, out io.Writer) ([]figure, error) {
	var all []figure
	for _, table := range []string{"trips", "orders"} {
		if !wanted(b.Only, "extract."+table) {
			continue
		}
		figures, err := b.extract(ctx, out, table)
		if err != nil {
			return nil, err
		}
		all = append(all, figures...)
	}
	if wanted(b.Only, "extract.memory") {
		figures, err := b.memory(ctx, out)
		if err != nil {
			return nil, err
		}
		all = append(all, figures...)
	}
	return all, nil
}

// extract measures all tools on one table, one after the other in each round. What a tool cannot read is said and left
// out.
func (b *bench) extract(ctx context.Context, out io.Writer, table string) ([]figure, error) {
	by := map[string][]sample{}
	failed := map[string]error{}
	var order []string
	tools := b.tools(ctx)
	for _, t := range tools {
		order = append(order, key(t))
	}
	for round := range b.Rounds + 1 { // the first warms up what is read
		for _, t := range tools {
			if failed[key(t)] != nil {
				continue
			}
			s, err := b.run(ctx, t, table)
			switch {
			case err != nil && t.name == "lakeland", ctx.Err() != nil:
				return nil, errors.Join(err, ctx.Err())
			case err != nil:
				failed[key(t)] = err
				_, _ = fmt.Fprintf(b.Out, "%s cannot take part: %v\n", key(t), err)
			case round > 0:
				by[key(t)] = append(by[key(t)], s)
				_, _ = fmt.Fprintf(b.Out, "round %d  %-14s %6.2f s  client %5.2f s  server %5.2f s  %4d MB  %6.1f MB out\n", round, key(t), s.wall.Seconds(), s.client.Seconds(), s.server.Seconds(), s.rss/mega, float64(s.size)/1e6)
			}
		}
	}
	_, _ = fmt.Fprintln(out)
	printTable(out, fmt.Sprintf("%s, %s rows", table, rowsText(table, b.Scale)), order, by)
	printLosses(out, by)
	if err := b.profile(ctx, out, table); err != nil {
		return nil, err
	}
	return figures(table, by), nil
}
