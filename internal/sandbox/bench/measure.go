package bench

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// sample is one extraction or merge by one tool.
type sample struct {
	wall, client, server time.Duration
	// rss is the most memory that the tool held, in bytes; size is what it wrote.
	rss, size int64
}

// tool is something that extracts a table into a folder.
type tool struct {
	name string
	// connections is how many it reads over.
	connections int
	command     func(table, folder string) *exec.Cmd
}

// run runs a tool once.
func (b *bench) run(ctx context.Context, t tool, table string) (sample, error) {
	folder, err := os.MkdirTemp(b.folder, "out-")
	if err != nil {
		return sample{}, fmt.Errorf("making a folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	columns, err := b.source.columns(ctx, table)
	if err != nil {
		return sample{}, err
	}
	before, err := b.source.cpu(ctx)
	if err != nil {
		return sample{}, err
	}
	command := t.command(table, folder)
	command.Env = append(append(os.Environ(), b.source.environment()...), "BENCH_COLUMNS="+columns)
	s, _, err := measured(command)
	if err != nil {
		return sample{}, fmt.Errorf("%s over %d connections, %s: %w", t.name, t.connections, table, err)
	}
	after, err := b.source.cpu(ctx)
	if err != nil {
		return sample{}, err
	}
	s.server = after - before
	return s, filepath.Walk(folder, func(_ string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() {
			s.size += info.Size()
		}
		return err
	})
}

// tools are Lakeland and its peers.
func (b *bench) tools(ctx context.Context) []tool {
	engine := func(connections int) tool {
		return tool{"lakeland", connections, func(table, folder string) *exec.Cmd {
			return exec.CommandContext(ctx, b.Engine, "extract", "--from", "postgresql:///", "--table", "public."+table, "--to", folder, "--readers", fmt.Sprint(connections))
		}}
	}
	peer := func(name string, connections int) tool {
		return tool{name, connections, func(table, folder string) *exec.Cmd {
			return exec.CommandContext(ctx, b.python, b.script("peers"), name, fmt.Sprint(connections), table, folder)
		}}
	}
	return []tool{engine(1), engine(2), peer("duckdb", 1), peer("duckdb", 2), peer("adbc", 1), peer("connectorx", 1)}
}

// measured runs a process from its start to its end, and returns what it printed.
func measured(command *exec.Cmd) (sample, []byte, error) {
	var out, problems bytes.Buffer
	command.Stdout, command.Stderr = &out, &problems
	began := time.Now()
	if err := command.Run(); err != nil {
		return sample{}, nil, fmt.Errorf("%w: %s%s", err, out.Bytes(), problems.Bytes())
	}
	s := sample{wall: time.Since(began), client: command.ProcessState.UserTime() + command.ProcessState.SystemTime()}
	if usage, ok := command.ProcessState.SysUsage().(*syscall.Rusage); ok {
		s.rss = usage.Maxrss << 10
	}
	return s, out.Bytes(), nil
}
