package main

import (
	"github.com/spf13/cobra"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/bench"
)

func newBenchCommand() *cobra.Command {
	var o bench.Options
	command := &cobra.Command{
		Use:   "bench --engine FILE",
		Short: "Measure the engine beside its peers",
		Long: `Makes the benchmark's tables in a PostgreSQL server of its own and lets the engine and its peers (DuckDB's scanner,
ADBC and ConnectorX with pyarrow, as their users install them) extract them in turns. It prints medians, and one line
for machines per bounded figure: bench NAME VALUE BOUND ok|short.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Out = cmd.OutOrStdout()
			return bench.Run(cmd.Context(), o)
		},
	}
	command.Flags().StringVar(&o.Engine, "engine", "dist/lakeland-engine", "the engine's binary")
	command.Flags().StringVar(&o.Only, "only", "", "which benchmarks, as a glob over their names (extract.trips, extract.orders)")
	command.Flags().IntVar(&o.Rounds, "rounds", 5, "how often each tool runs on each table")
	command.Flags().Float64Var(&o.Scale, "scale", 1, "share of the tables' rows")
	command.Flags().BoolVar(&o.Strict, "strict", false, "fail when a figure is short of its bound")
	command.Flags().StringVar(&o.Report, "report", "", "file that the figures are written to as well")
	return command
}
