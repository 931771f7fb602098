package bench

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/google/pprof/profile"
)

// shares are what the engine's CPU time goes to, by the innermost function of a stack that names a part of the work.
// What matches none is the runtime's.
var shares = []struct {
	name string
	// of are prefixes of functions' names.
	of []string
}{
	{"read", []string{"internal/poll.", "net.", "syscall.", "crypto/", "internal/runtime/syscall"}},
	{"compress", []string{"github.com/klauspost/compress/", ours + "parquet.(*recordCompressor)"}},
	{"decode", []string{ours + "source/postgres."}},
	{"encode", []string{ours + "parquet.", "github.com/parquet-go/"}},
}

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
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("reading the engine's profile: %w", err)
	}
	defer func() { _ = file.Close() }()
	p, err := profile.Parse(file)
	if err != nil {
		return fmt.Errorf("reading the engine's profile: %w", err)
	}
	_, _ = fmt.Fprintf(out, "CPU of lakeland c1 on %s: %s\n\n", table, strings.Join(split(p), ", "))
	return nil
}

// split divides a profile's samples among the shares, in percent.
func split(p *profile.Profile) []string {
	total, by := int64(0), map[string]int64{}
	for _, s := range p.Sample {
		value := s.Value[len(s.Value)-1]
		total += value
		by[shareOf(s)] += value
	}
	var out []string
	for _, name := range []string{"read", "decode", "encode", "compress", "rest"} {
		out = append(out, fmt.Sprintf("%s %.0f %%", name, 100*float64(by[name])/float64(max(total, 1))))
	}
	return out
}

// shareOf finds what a sample belongs to. Locations go outwards, and so do the lines of one.
func shareOf(s *profile.Sample) string {
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
