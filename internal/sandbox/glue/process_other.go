//go:build unix && !linux

package glue

import (
	"os/exec"
	"syscall"
)

// processAttributes puts the process at the head of a group of its own.
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}

// wait reaps the leader and then kills the rest of the group. In between, in theory, the
// group's id could be given away; package syscall offers no portable wait that does not reap.
func (g *processGroup) wait(cmd *exec.Cmd) error {
	err := cmd.Wait()
	g.sweep()
	return err
}
