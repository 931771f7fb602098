package postgres

import (
	"syscall"
	"time"
)

// pause blocks the thread: the runtime's own timers are coarser where nothing else is to do.
func pause(d time.Duration) {
	ts := syscall.NsecToTimespec(d.Nanoseconds())
	_ = syscall.Nanosleep(&ts, nil) // a signal ends it early
}
