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
ADBC and ConnectorX with pyarrow, as their users install them) extract them in turns; then the engine, DuckDB and Spark
merge changes into one of them in turns. It prints medians, and one line for machines per bounded figure:
bench NAME VALUE BOUND ok|short. A section of the report is replaced when all of it was measured.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Out = cmd.OutOrStdout()
			return bench.Run(cmd.Context(), o)
		},
	}
	command.Flags().StringVar(&o.Engine, "engine", "dist/lakeland-engine", "the engine's binary")
	command.Flags().StringVar(&o.Merger, "merger", "dist/lakeland-bench", "the binary of lakeland-bench")
	command.Flags().StringVar(&o.Only, "only", "", "which benchmarks, as a glob over their names (extract.trips, merge*)")
	command.Flags().IntVar(&o.Rounds, "rounds", 5, "how often each tool runs on each table")
	command.Flags().IntVar(&o.SparkRounds, "spark-rounds", 5, "in how many of the rounds Spark takes part")
	command.Flags().BoolVar(&o.Large, "large", false, "measure merge.large too, which takes minutes and some gigabytes of disk")
	command.Flags().Float64Var(&o.Scale, "scale", 1, "share of the tables' rows")
	command.Flags().BoolVar(&o.Strict, "strict", false, "fail when a figure is short of its bound")
	command.Flags().StringVar(&o.Report, "report", "", "file that the figures are written to as well")
	return command
}
