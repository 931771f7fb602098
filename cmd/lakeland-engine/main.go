// Command lakeland-engine lands source tables in the lake. The provider uploads it as the payload of a cadence's
// Glue job, whose script runs "lakeland-engine dispatch"; it is also a tool of its own.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/heap"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/run"
)

// version is set at build.
var version = "0.0.0-dev"

// The exit codes, which the job script hands on.
const (
	exitFailed  = 1
	exitMisused = 2
)

func main() { os.Exit(execute()) }

// execute runs the command line and returns the exit code.
func execute() int {
	heap.Tune()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := rootCommand().ExecuteContext(ctx)
	var wrong misuse
	var failed *run.FailedError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &wrong):
		fmt.Fprintf(os.Stderr, "lakeland-engine: %v\nSee lakeland-engine --help.\n", err)
		return exitMisused
	case errors.As(err, &failed):
		fmt.Fprintf(os.Stderr, "lakeland-engine: %v\n", err)
		for _, o := range failed.Failed {
			fmt.Fprintf(os.Stderr, "  %s: %v\n", o.Table, o.Err)
		}
		return exitFailed
	default:
		fmt.Fprintf(os.Stderr, "lakeland-engine: %v\n", err)
		return exitFailed
	}
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "lakeland-engine",
		Short: "Lands tables of operational databases in an AWS data lake",
		Long: `Lands tables of operational databases in an AWS data lake.

Each table's run ends in one atomic commit that carries how far the source has been read; a run that is
killed anywhere leaves the table as it was. Credentials and Region come from where every AWS SDK takes them:
AWS_PROFILE, AWS_REGION, the role of the job or machine; AWS_ENDPOINT_URL_<SERVICE> points at other endpoints.

On a terminal, progress and results are shown for people; otherwise as lines of JSON.`,
		Version: version, SilenceUsage: true, SilenceErrors: true,
	}
	root.AddCommand(dispatchCommand(), runCommand(), extractCommand(), discoverCommand(), unitCommand())
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return misuse{err} })
	return root
}

// misuse is an error of the command line.
type misuse struct{ error }

func (m misuse) Unwrap() error { return m.error }
