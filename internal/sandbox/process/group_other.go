//go:build !unix

package process

import (
	"os"
	"os/exec"
	"syscall"
)

// attributes does nothing where there are no process groups: the sandbox's programs run on Linux.
func attributes(Command) *syscall.SysProcAttr { return nil }

func (p *Process) wait(cmd *exec.Cmd) error {
	err := cmd.Wait()
	p.retire()
	return err
}

func killGroup(pid int) {
	_ = sendSignal(pid, syscall.SIGKILL)
}

func sendSignal(pid int, _ syscall.Signal) error {
	child, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	return child.Kill()
}
