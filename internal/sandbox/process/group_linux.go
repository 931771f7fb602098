package process

import (
	"errors"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

func attributes(command Command) *syscall.SysProcAttr {
	attributes := groupAttributes(command)
	attributes.Pdeathsig = command.deathSignal()
	return attributes
}

// wait waits until the child has ended, kills the rest of its group, and only then reaps it: while it is a
// zombie, its process id and with it the id of its group cannot be given to another process.
func (p *Process) wait(cmd *exec.Cmd) error {
	for {
		err := unix.Waitid(unix.P_PID, p.pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	p.retire()
	return cmd.Wait()
}
