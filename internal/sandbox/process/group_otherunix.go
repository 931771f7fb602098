//go:build unix && !linux

package process

import (
	"os/exec"
	"syscall"
)

// attributes has no death signal: only Linux has one.
func attributes(command Command) *syscall.SysProcAttr { return groupAttributes(command) }

// wait reaps the child before it kills the group, for want of a portable way to wait without reaping.
func (p *Process) wait(cmd *exec.Cmd) error {
	err := cmd.Wait()
	p.retire()
	return err
}
