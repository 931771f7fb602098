//go:build unix

package process

import (
	"errors"
	"syscall"
)

func groupAttributes(command Command) *syscall.SysProcAttr {
	attributes := &syscall.SysProcAttr{Setpgid: true}
	if c := command.Credential; c != nil {
		attributes.Credential = &syscall.Credential{Uid: c.UID, Gid: c.GID}
	}
	return attributes
}

// killGroup kills a process group; one that is empty already is no error.
func killGroup(pid int) {
	_ = syscall.Kill(-pid, syscall.SIGKILL)
}

func sendSignal(pid int, signal syscall.Signal) error {
	if err := syscall.Kill(pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	return nil
}
