package glue

import (
	"errors"
	"os/exec"
	"syscall"
	"unsafe"
)

// processAttributes puts the process at the head of a group of its own. Should this program
// die without closing its servers, the kernel kills the process.
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// wait waits for the leader's end, then kills the rest of the group, and only then reaps the
// leader: until it is reaped nobody else can have the group's id.
func (g *processGroup) wait(cmd *exec.Cmd) error {
	awaitExit(g.id)
	g.sweep()
	return cmd.Wait()
}

// awaitExit returns when the child has ended, and leaves it to be reaped.
func awaitExit(pid int) {
	const (
		byPID   = 1       // P_PID
		exited  = 0x4     // WEXITED
		noReap  = 1 << 24 // WNOWAIT
		infoLen = 128     // sizeof(siginfo_t)
	)
	var info [infoLen / 8]uint64
	for {
		// #nosec G103 -- waitid has no wrapper in package syscall; info outlives the call.
		_, _, errno := syscall.Syscall6(syscall.SYS_WAITID, byPID, uintptr(pid),
			uintptr(unsafe.Pointer(&info)), exited|noReap, 0, 0)
		if !errors.Is(errno, syscall.EINTR) {
			return
		}
	}
}
