package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// Process is a running child. Its methods may be called from several goroutines.
type Process struct {
	command Command
	tail    *tail
	done    chan struct{}

	mu     sync.Mutex
	pid    int
	exited bool // set before the child is reaped: its id may belong to a stranger afterwards
	err    error
}

// Start starts the child. It ends with this process at the latest; Stop and Kill end it earlier.
func Start(command Command) (*Process, error) {
	p := &Process{command: command, tail: newTail(command.Tail), done: make(chan struct{})}
	cmd := exec.Command(command.Path, command.Args...)
	cmd.Dir = command.Dir
	cmd.Env = command.Env
	cmd.WaitDelay = outputDelay
	cmd.SysProcAttr = attributes(command)
	var output io.Writer = p.tail
	if command.Output != nil {
		output = io.MultiWriter(p.tail, command.Output)
	}
	cmd.Stdout, cmd.Stderr = output, output
	if command.Answers != nil {
		cmd.Stdout = command.Answers
	}
	if command.Input != nil {
		cmd.Stdin = command.Input
	}

	started := make(chan error, 1)
	go p.supervise(cmd, started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting %s (%s): %w", command.name(), command.Path, err)
	}
	return p, nil
}

// supervise starts the child and waits for its end on one operating system thread. The kernel sends the
// death signal when the *thread* that forked the child exits, and the Go runtime ends a thread whose
// locked goroutine returns; held locked here, this thread lives as long as the child.
func (p *Process) supervise(cmd *exec.Cmd, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		started <- err
		return
	}
	p.mu.Lock()
	p.pid = cmd.Process.Pid
	p.mu.Unlock()
	started <- nil

	if err := p.wait(cmd); !errors.Is(err, exec.ErrWaitDelay) {
		p.err = err
	}
	close(p.done)
}

// retire kills what is left of the child's process group. From here on its id is not used any more.
func (p *Process) retire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	killGroup(p.pid)
	p.exited = true
}

// PID is the child's process id, which is also the id of its process group.
func (p *Process) PID() int { return p.pid }

// Done is closed when the child has ended and its process group with it.
func (p *Process) Done() <-chan struct{} { return p.done }

// Tail is the latest output of the child.
func (p *Process) Tail() string { return p.tail.String() }

// Err is how the child ended: nil while it runs and after exit status 0, else an *EndedError.
func (p *Process) Err() error {
	select {
	case <-p.done:
		return p.ended("ended")
	default:
		return nil
	}
}

// Signal sends a signal to the child alone. A child that has ended takes it silently.
func (p *Process) Signal(signal syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.exited {
		return nil
	}
	if err := sendSignal(p.pid, signal); err != nil {
		return fmt.Errorf("sending %v to %s: %w", signal, p.command.name(), err)
	}
	return nil
}

// Stop asks the child to end, gives it the grace period, and kills its whole process group after that.
// It returns once the child is gone; an error says that it had to be killed.
func (p *Process) Stop(grace time.Duration) error {
	if err := p.Signal(p.command.stopSignal()); err != nil {
		return errors.Join(err, p.Kill())
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-p.done:
		return nil
	case <-timer.C:
	}
	if err := p.Kill(); err != nil {
		return err
	}
	return fmt.Errorf("%s did not end within %s of %v and was killed", p.command.name(), grace, p.command.stopSignal())
}

// Kill kills the child's process group and waits until the child is gone.
func (p *Process) Kill() error {
	p.mu.Lock()
	if !p.exited {
		killGroup(p.pid)
	}
	p.mu.Unlock()
	<-p.done
	return nil
}

// Run runs a command to its end. When the context ends first, the command's process group is killed.
func Run(ctx context.Context, command Command) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	p, err := Start(command)
	if err != nil {
		return err
	}
	select {
	case <-p.done:
		return p.ended("failed")
	case <-ctx.Done():
		return errors.Join(fmt.Errorf("%s was stopped: %w", command.name(), context.Cause(ctx)), p.Kill())
	}
}

func (p *Process) ended(verb string) error {
	if p.err == nil {
		return nil
	}
	return &EndedError{Name: p.command.name(), Verb: verb, Tail: p.Tail(), Err: p.err}
}
