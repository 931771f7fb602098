// Command lakeland-bench is the engine's part in the benchmark of merges: every command is one process, to be measured
// from start to end. It lands, merges and commits with the engine's packages as a run does, in a folder and without AWS.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/heap"
)

// version is what files and snapshots say of their writer.
const version = "bench"

func main() {
	heap.Tune() // as lakeland-engine does
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := &cobra.Command{Use: "lakeland-bench", Short: "The engine's part in the benchmark of merges", SilenceUsage: true, SilenceErrors: true}
	root.AddCommand(landCommand(), mergeCommand(), filesCommand(), commitsCommand(), generateCommand())
	if err := root.ExecuteContext(ctx); err != nil {
		fmt.Fprintf(os.Stderr, "lakeland-bench: %v\n", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop has been called
	}
}
