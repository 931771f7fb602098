package bench

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/pprof/profile"
)

// share is a part of the work, by prefixes of the names of functions that do it.
type share struct {
	name string
	of   []string
}

// extractShares and mergeShares are what the engine's CPU time goes to, by the innermost function of a stack that names a
// part of the work. What matches none is the runtime's.
var (
	extractShares = []share{
		{"read", []string{"internal/poll.", "net.", "syscall.", "crypto/", "internal/runtime/syscall"}},
		{"decode", []string{ours + "source/postgres."}},
		{"encode", []string{ours + "parquet.", "github.com/parquet-go/"}},
		{"compress", []string{"github.com/klauspost/compress/", ours + "parquet.(*recordCompressor)"}},
	}
	mergeShares = []share{
		{"read and write", []string{"internal/poll.", "syscall.", "internal/runtime/syscall"}},
		{"decompress", []string{ours + "parquet.decompress"}},
		{"decode", []string{ours + "parquet.(*ChunkReader)", ours + "parquet.(*Reader)", ours + "parquet.(*plainValues)", ours + "parquet.placed", ours + "parquet.spread", ours + "parquet.decode", ours + "parquet.unpack", ours + "parquet.Open"}},
		{"merge", []string{ours + "merge.", ours + "column."}},
		{"compress", []string{ours + "parquet.(*scratch).compress", ours + "parquet.(*recordCompressor)"}},
		{"encode", []string{ours + "parquet."}},
		{"commit", []string{ours + "table/"}},
	}
)

const ours = "github.com/lakeland/terraform-provider-lakeland/internal/engine/"

// profile extracts a table once more, and says what the engine was at work on.
func (b *bench) profile(ctx context.Context, out io.Writer, table string) error {
	path := filepath.Join(b.folder, "cpu.pprof")
	profiled := b.tools(ctx)[0]
	command := profiled.command
	profiled.command = func(table, folder string) *exec.Cmd {
		c := command(table, folder)
		c.Args = append(c.Args, "--cpuprofile", path)
		return c
	}
	if _, err := b.run(ctx, profiled, table); err != nil {
		return err
	}
	return printProfile(out, fmt.Sprintf("CPU of lakeland c1 on %s", table), path, extractShares)
}

// printProfile says what a profile's CPU time went to.
func printProfile(out io.Writer, what, path string, shares []share) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("reading the engine's profile: %w", err)
	}
	defer func() { _ = file.Close() }()
	p, err := profile.Parse(file)
	if err != nil {
		return fmt.Errorf("reading the engine's profile: %w", err)
	}
	_, _ = fmt.Fprintf(out, "%s: %s\n\n", what, strings.Join(split(p, shares), ", "))
	return nil
}

// split divides a profile's samples among the shares, in percent.
func split(p *profile.Profile, shares []share) []string {
	total, by := int64(0), map[string]int64{}
	for _, s := range p.Sample {
		value := s.Value[len(s.Value)-1]
		total += value
		by[shareOf(s, shares)] += value
	}
	var out []string
	for _, part := range append(slices.Clone(shares), share{name: "rest"}) {
		out = append(out, fmt.Sprintf("%s %.0f %%", part.name, 100*float64(by[part.name])/float64(max(total, 1))))
	}
	return out
}

// shareOf finds what a sample belongs to. Locations go outwards, and so do the lines of one.
func shareOf(s *profile.Sample, shares []share) string {
	for _, location := range s.Location {
		for _, line := range location.Line {
			if line.Function == nil {
				continue
			}
			for _, share := range shares {
				for _, prefix := range share.of {
					if strings.HasPrefix(line.Function.Name, prefix) {
						return share.name
					}
				}
			}
		}
	}
	return "rest"
}
