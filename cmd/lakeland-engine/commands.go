package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/run"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
	"github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

// maxUnit bounds a unit's document in bytes.
const maxUnit = 16 << 20

func dispatchCommand() *cobra.Command {
	var (
		trackingName, cadence string
		dpu                   float64
		lease                 time.Duration
	)
	c := &cobra.Command{
		Use:   "dispatch --tracking NAME --cadence NAME",
		Short: "Run the tables of a cadence, as its job does",
		Long: `Reads the cadence and its source tables from the tracking tables and runs each table once.

A table that fails stops no other; the command then ends with status 1 and names it. A table that another
dispatch is running is left to it.`,
		Example: "  lakeland-engine dispatch --tracking shop --cadence ten-minutes",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if wrong := spec.CheckTrackingName(trackingName); wrong != "" {
				return misuse{errors.New("--tracking: " + wrong)}
			}
			if lease < tracking.MinLease {
				return misuse{fmt.Errorf("--lease: %s is shorter than %s", lease, tracking.MinLease)}
			}
			limitMemory(dpu)
			show := newDisplay(cmd.OutOrStdout())
			clients, clock, err := connect(cmd.Context())
			if err != nil {
				return err
			}
			runner := clients.runner(show)
			runner.Tracker, runner.Lease, runner.DPU, runner.Now = run.Tracking{Store: clients.tracking(trackingName, clock)}, lease, dpu, clock.Now
			outcomes, err := runner.Dispatch(cmd.Context(), cadence)
			show.finish(outcomes)
			return err
		},
	}
	c.Flags().StringVar(&trackingName, "tracking", "", "name of the tracking (required)")
	c.Flags().StringVar(&cadence, "cadence", "", "name of the cadence (required)")
	c.Flags().Float64Var(&dpu, "dpu", 0, "size of the job, 0.0625 or 1, which bounds memory; 0 takes what the machine has")
	c.Flags().DurationVar(&lease, "lease", tracking.DefaultLease, "how long a table stays taken after its run was killed")
	_ = c.MarkFlagRequired("tracking")
	_ = c.MarkFlagRequired("cadence")
	return c
}

func runCommand() *cobra.Command {
	var folder string
	c := &cobra.Command{
		Use:   "run --documents DIR [TABLE...]",
		Short: "Run tables from a folder of documents, without a tracking",
		Long: `Runs the source tables whose documents are in DIR/tables/*.json, with the connections in
DIR/connections/*.json: the same documents that the provider keeps in the tracking tables. Without names, all
enabled tables are run.

There is no lease and no history; two runs of one table at once are still safe, since only one can commit.`,
		Example: "  lakeland-engine run --documents ./documents\n  lakeland-engine run --documents ./documents shop.orders",
		RunE: func(cmd *cobra.Command, names []string) error {
			documents, err := run.ReadDocuments(folder)
			if err != nil {
				return err
			}
			if len(names) == 0 {
				if names, err = documents.TableNames(cmd.Context(), ""); err != nil {
					return err
				}
			}
			show := newDisplay(cmd.OutOrStdout())
			clients, _, err := connect(cmd.Context())
			if err != nil {
				return err
			}
			runner := clients.runner(show)
			runner.Tracker = documents
			outcomes, err := runner.Tables(cmd.Context(), slices.Compact(names), len(names))
			show.finish(outcomes)
			return err
		},
	}
	c.Flags().StringVar(&folder, "documents", "", "folder of documents (required)")
	_ = c.MarkFlagRequired("documents")
	return c
}

func unitCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "unit",
		Short: "Execute one unit of a run, read from standard input",
		Long: `Reads the document of one unit from standard input, executes it, and writes the document of its result
to standard output. The run that planned the unit commits what it wrote; this command never does.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			data, err := io.ReadAll(io.LimitReader(cmd.InOrStdin(), maxUnit+1))
			if err != nil {
				return fmt.Errorf("reading the unit: %w", err)
			}
			if len(data) > maxUnit {
				return misuse{fmt.Errorf("the unit has more than %d bytes", maxUnit)}
			}
			var unit run.Unit
			if err := json.Unmarshal(data, &unit); err != nil {
				return misuse{fmt.Errorf("reading the unit: %w", err)}
			}
			clients, _, err := connect(cmd.Context())
			if err != nil {
				return err
			}
			worker := clients.worker(nil)
			defer worker.Leave(cmd.Context(), unit)
			result, err := worker.Do(cmd.Context(), unit)
			if err != nil {
				return err
			}
			if err := json.NewEncoder(cmd.OutOrStdout()).Encode(result); err != nil {
				return fmt.Errorf("writing the result: %w", err)
			}
			return nil
		},
	}
}

// limitMemory keeps the collector within what a Python shell job of a size has, the interpreter's share left.
func limitMemory(dpu float64) {
	switch {
	case dpu <= 0:
	case dpu < 1:
		debug.SetMemoryLimit(576 << 20) // beside it count the program itself, stacks, and what the collector works with
	default:
		debug.SetMemoryLimit(12 << 30)
	}
	if dpu > 0 {
		runtime.GOMAXPROCS(max(1, int(math.Ceil(4*dpu))))
	}
}
