package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/demo"
)

func newDemoCommand() *cobra.Command {
	options := demo.Options{}
	command := &cobra.Command{
		Use:   "demo --provider FILE",
		Short: "Land a small database once, from terraform apply to the comparison of lake and source",
		Long: `Brings up the sandbox, loads the HR sample schema and 200,000 taxi trips into PostgreSQL, applies the example
with Terraform or OpenTofu, lets the cadence's trigger fire, reads the lake back with PyIceberg, compares every
value, plans again, and destroys. "make demo" builds the provider and calls this.`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			options.Out = command.OutOrStdout()
			err := demo.Run(command.Context(), options)
			if options.Keep && errors.Is(err, context.Canceled) {
				return nil // Ctrl-C is how a kept demo ends
			}
			return err
		},
	}
	command.Flags().StringVar(&options.Provider, "provider", "dist/terraform-provider-lakeland", "the provider's binary, with the engine in it")
	command.Flags().StringVar(&options.Example, "example", "examples/demo", "the configuration to apply")
	command.Flags().BoolVar(&options.Keep, "keep", false, "leave everything up until Ctrl-C, and print how to look around")
	return command
}
