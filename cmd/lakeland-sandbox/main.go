// Command lakeland-sandbox runs a local AWS and a local database for trying Lakeland out and for tests.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// interrupted is the exit status after Ctrl-C, as of a shell.
const interrupted = 130

func main() { os.Exit(run()) }

// run returns the exit status.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	err := newCommand().ExecuteContext(ctx)
	var status exitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &status):
		return int(status)
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		fmt.Fprintln(os.Stderr, "lakeland-sandbox: interrupted")
		return interrupted
	default:
		fmt.Fprintln(os.Stderr, "lakeland-sandbox: "+err.Error())
		return 1
	}
}
