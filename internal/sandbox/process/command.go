package process

import (
	"io"
	"os"
	"syscall"
	"time"
)

// Defaults of a Command.
const (
	// DefaultTail is how much of a child's latest output is kept for error messages.
	DefaultTail = 16 << 10
	// outputDelay bounds the wait for a child's output after it ended: a descendant that left the
	// process group may hold the pipe open.
	outputDelay = 2 * time.Second
)

// Command describes a child process.
type Command struct {
	// Name is what messages call the program, for example "PostgreSQL 17.6.0". Without it, Path is used.
	Name string
	// Path is the program, Args its arguments without the program's own name.
	Path string
	Args []string
	// Dir is the working directory; empty means this process's.
	Dir string
	// Env is the whole environment of the child; nil means this process's.
	Env []string
	// Credential makes the child run as another user. It takes root to set it.
	Credential *Credential
	// Output receives a copy of everything the child writes to its standard output and error.
	Output io.Writer
	// Input is the child's standard input; nil is an empty one.
	Input *os.File
	// Answers receives what the child writes to its standard output, which then is no part of Output and of messages.
	Answers io.Writer
	// Tail is the number of bytes of output kept for messages; 0 means DefaultTail.
	Tail int
	// StopSignal asks the child to end; 0 means SIGTERM.
	StopSignal syscall.Signal
	// DeathSignal is sent to the child when this process dies; 0 means SIGKILL. A program that has
	// children in process groups of their own wants a signal that it can still act on. Linux only.
	DeathSignal syscall.Signal
}

// Credential is the user and group that a child runs as, without supplementary groups.
type Credential struct {
	UID uint32
	GID uint32
}

func (c Command) name() string {
	if c.Name != "" {
		return c.Name
	}
	return c.Path
}

func (c Command) stopSignal() syscall.Signal {
	if c.StopSignal != 0 {
		return c.StopSignal
	}
	return syscall.SIGTERM
}

func (c Command) deathSignal() syscall.Signal {
	if c.DeathSignal != 0 {
		return c.DeathSignal
	}
	return syscall.SIGKILL
}
