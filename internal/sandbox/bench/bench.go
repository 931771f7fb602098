package bench

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/toolchain"
)

//go:embed peers.py
var peers string

// Options say what is measured.
type Options struct {
	// Out is where the figures go.
	Out io.Writer
	// Only is a glob over the names of benchmarks, such as "extract.trips"; "" measures everything.
	Only string
	// Engine is the engine's binary.
	Engine string
	// Rounds is how often each tool runs on each table.
	Rounds int
	// Scale is the share of the tables' rows, for trying.
	Scale float64
	// Strict makes a figure that is short of its bound an error.
	Strict bool
	// Report is a file that the figures are written to as well; "" writes none.
	Report string
}

type bench struct {
	Options
	source         *source
	folder         string
	python, script string
}

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
	b := &bench{Options: o}
	if b.python, err = tools.Peers(ctx); err != nil {
		return err
	}
	if b.folder, err = os.MkdirTemp("", "lakeland-bench-"); err != nil {
		return fmt.Errorf("making a folder for the benchmark: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.folder)) }()
	b.script = filepath.Join(b.folder, "peers.py")
	if err := os.WriteFile(b.script, []byte(peers), 0o600); err != nil {
		return fmt.Errorf("writing the peers' script: %w", err)
	}
	_, _ = fmt.Fprintf(o.Out, "making trips (%s rows) and orders (%s rows)\n", rowsText("trips", o.Scale), rowsText("orders", o.Scale))
	if b.source, err = load(ctx, installation, o.Scale); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.source.close()) }()
	var report strings.Builder
	out := io.MultiWriter(o.Out, &report)
	var all []figure
	for _, table := range []string{"trips", "orders"} {
		if !wanted(o.Only, "extract."+table) {
			continue
		}
		figures, err := b.extract(ctx, out, table)
		if err != nil {
			return err
		}
		all = append(all, figures...)
	}
	if wanted(o.Only, "extract.memory") {
		figures, err := b.memory(ctx, out)
		if err != nil {
			return err
		}
		all = append(all, figures...)
	}
	if len(all) == 0 {
		return fmt.Errorf("no benchmark is named %q: there are extract.trips, extract.orders and extract.memory", o.Only)
	}
	short := printFigures(out, all)
	if o.Report != "" {
		if err := writeReport(o, report.String()); err != nil {
			return err
		}
	}
	if o.Strict && short > 0 {
		return fmt.Errorf("%d of %d figures are short of their bounds", short, len(all))
	}
	return nil
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

// writeReport keeps the figures with the machine and the date.
func writeReport(o Options, figures string) error {
	text := fmt.Sprintf(`# Benchmarks

What `+"`make bench`"+` printed on %s: %d rounds, medians, %d cores that the server shares, %s. Ratios of one run count, not
seconds: machines differ and are noisy. "c1" and "c2" are one and two connections. Tools read PostgreSQL 17 over loopback TCP without
TLS and write Parquet with zstd; "server" is the CPU time of the sessions that served the tool.

%s`, time.Now().UTC().Format("2006-01-02"), o.Rounds, runtime.NumCPU(), runtime.GOOS+"/"+runtime.GOARCH, wrapFigures(figures))
	if err := os.WriteFile(o.Report, []byte(text), 0o644); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

// wrapFigures sets the machines' lines apart from the tables.
func wrapFigures(text string) string {
	at := strings.Index(text, "bench ")
	if at < 0 {
		return text
	}
	return text[:at] + "```\n" + text[at:] + "```\n"
}
