// Package heap says how far a process's heap grows between collections: by half of what is live, since vectors and pages are
// few, large and without pointers, so that to collect them is cheap; and by some megabytes at least, since a short merge would
// otherwise be collected at each of its first ones.
package heap

import (
	"os"
	"runtime/debug"
)

const (
	// growth is how far the heap grows, in percent of what is live.
	growth = 50
	// held counts as live and is never touched, so that it takes up no memory: half of it is added to how far the heap grows.
	held = 32 << 20
)

var untouched []byte

// Tune has the process's heap grow so. It is called once, before much is allocated; where the environment sets GOGC, that holds.
func Tune() {
	if os.Getenv("GOGC") != "" {
		return
	}
	debug.SetGCPercent(growth)
	untouched = make([]byte, held)
}
