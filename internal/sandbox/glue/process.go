//go:build unix

package glue

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// drainTime is how long output is still read after a run's process group is gone: a process
// that has left the group may hold the pipes open.
const drainTime = time.Second

// runScript runs the script in dir to its end and returns its exit code; a death by signal N
// counts as 128+N, as in a shell. When ctx ends, the run's process group gets SIGTERM and, after
// the grace time or when the server closes, SIGKILL. When it returns, no process of the group is
// left.
func (s *Server) runScript(ctx context.Context, r *run, dir string) (int, error) {
	python, err := exec.LookPath(s.opts.Python)
	if err == nil {
		python, err = filepath.Abs(python) // the script runs in another directory
	}
	if err != nil {
		return 0, fmt.Errorf("find the Python interpreter: %w", err)
	}
	// #nosec G204 -- running the job's script is what the sandbox is for.
	cmd := exec.Command(python, append([]string{scriptName}, r.argv()...)...)
	cmd.Dir = dir
	cmd.Env = s.environment(r, dir)
	cmd.SysProcAttr = processAttributes()

	out, err := newCapture(r.log.stdout, s.output.prefixed(r, "stdout"))
	if err != nil {
		return 0, err
	}
	defer out.close()
	errs, err := newCapture(r.log.stderr, s.output.prefixed(r, "stderr"))
	if err != nil {
		return 0, err
	}
	defer errs.close()
	cmd.Stdout, cmd.Stderr = out.write, errs.write

	// The parent-death signal is tied to the thread that forks: it must live as long as the child.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		return 0, fmt.Errorf("start %s: %w", python, err)
	}
	out.begin()
	errs.begin()
	return exitCode(s.supervise(ctx, cmd))
}

// supervise waits for the process and signals its group when it is to end early.
func (s *Server) supervise(ctx context.Context, cmd *exec.Cmd) error {
	group := &processGroup{id: cmd.Process.Pid}
	ended := make(chan error, 1)
	go func() { ended <- group.wait(cmd) }()

	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	group.signal(syscall.SIGTERM)
	grace := time.NewTimer(s.opts.KillGrace)
	defer grace.Stop()
	select {
	case err := <-ended:
		return err
	case <-grace.C:
	case <-s.ctx.Done():
	}
	group.signal(syscall.SIGKILL)
	return <-ended
}

// environment returns the variables of a run: few, with every path inside its directory.
func (s *Server) environment(r *run, dir string) []string {
	env := []string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=" + filepath.Join(dir, "home"),
		"TMPDIR=" + filepath.Join(dir, "tmp"),
		"LANG=C.UTF-8",
		"PYTHONUNBUFFERED=1",
	}
	if s.opts.Environment != nil {
		env = append(env, s.opts.Environment(deref(r.definition.Role))...)
	}
	return env
}

// exitCode turns the result of waiting into an exit code.
func exitCode(err error) (int, error) {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0, nil
	case !errors.As(err, &exit):
		return 0, fmt.Errorf("wait for the script: %w", err)
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return exit.ExitCode(), nil
}

// processGroup is the group that a run's process leads; its id is that process's.
type processGroup struct {
	id int

	mu sync.Mutex
	// gone is set before the leader is reaped: from then on the id may belong to others.
	gone bool
}

func (g *processGroup) signal(sig syscall.Signal) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.gone {
		_ = syscall.Kill(-g.id, sig) // ESRCH: nobody is left, which is what is wanted
	}
}

// sweep kills what is left of the group and lets nobody signal it any more.
func (g *processGroup) sweep() {
	g.signal(syscall.SIGKILL)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.gone = true
}

// capture carries one output stream of a process into its log.
type capture struct {
	read, write *os.File
	to          []flushWriter
	started     bool
	drained     chan struct{}
}

// flushWriter is a writer that holds back the last, unfinished line until it is flushed.
type flushWriter interface {
	Write(p []byte) (int, error)
	flush()
}

func newCapture(to ...flushWriter) (*capture, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make a pipe for a run's output: %w", err)
	}
	return &capture{read: read, write: write, to: to, drained: make(chan struct{})}, nil
}

// begin starts copying; the process has its own copy of the writing end by now.
func (c *capture) begin() {
	c.started = true
	_ = c.write.Close()
	go func() {
		defer close(c.drained)
		buffer := make([]byte, 32<<10)
		for {
			n, err := c.read.Read(buffer)
			for _, w := range c.to {
				_, _ = w.Write(buffer[:n]) // these writers cannot fail
			}
			if err != nil {
				break
			}
		}
		for _, w := range c.to {
			w.flush()
		}
	}()
}

// close waits until all output is copied, but not longer than drainTime.
func (c *capture) close() {
	if c.started {
		_ = c.read.SetReadDeadline(time.Now().Add(drainTime))
		<-c.drained
	} else {
		_ = c.write.Close()
	}
	_ = c.read.Close()
}
