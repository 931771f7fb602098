// Package guard makes panics errors. A panic is one table's failure and nobody else's, and nothing but a function of the very
// goroutine can catch it: each that works for a table calls what it does by Call.
package guard

import (
	"fmt"
	"runtime/debug"
)

// Call calls a function; its panic is an error that asks for a report.
func Call(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = Failed(p)
		}
	}()
	return do()
}

// Failed is the error of what a deferred function has recovered, with the trace of the panic.
func Failed(recovered any) error {
	return fmt.Errorf("the engine failed (%v); please report this with the trace: %s", recovered, debug.Stack())
}
