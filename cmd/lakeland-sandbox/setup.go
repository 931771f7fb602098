package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/toolchain"
)

func newSetupCommand() *cobra.Command {
	var names []string
	var terraform, tests, interop bool
	command := &cobra.Command{
		Use:   "setup",
		Short: "Fetch and build the sandbox's parts without starting them",
		Long: `Fetch and build what the sandbox needs, check it, and put it into the cache. What is there already takes no time,
and any number of these commands may run at once.

With --tests it fetches what only the repository's tests start as well: other versions of PostgreSQL. With --interop
it fetches the engines of make interop, Spark with Iceberg and with two versions of Hudi, and Trino, with their Java:
some 1.8 GB. With --terraform it prints the path of a terraform program; where neither terraform nor tofu is on PATH, it
builds OpenTofu first, which takes some minutes.`,
		Example: `  lakeland-sandbox setup
  lakeland-sandbox setup --tests --terraform`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			parts, err := parseParts(names)
			if err != nil {
				return err
			}
			return setup(command, parts, tests, interop, terraform)
		},
	}
	command.Flags().StringSliceVar(&names, "parts", sortedPartNames, "the parts to prepare")
	command.Flags().BoolVar(&tests, "tests", false, "prepare what only the tests need too")
	command.Flags().BoolVar(&interop, "interop", false, "prepare the engines that read and change tables beside ours: Spark, Trino")
	command.Flags().BoolVar(&terraform, "terraform", false, "prepare a terraform program too, and print its path")
	return command
}

func setup(command *cobra.Command, parts []sandbox.Part, tests, interop, terraform bool) error {
	tools, err := toolchain.New(toolchain.Options{Progress: command.ErrOrStderr()})
	if err != nil {
		return err
	}
	if err := sandbox.Prepare(command.Context(), tools, parts...); err != nil {
		return err
	}
	if tests {
		for _, version := range []string{toolchain.Postgres13, toolchain.Postgres18} {
			if _, err := tools.Postgres(command.Context(), version); err != nil {
				return err
			}
		}
	}
	if interop {
		if _, err := tools.Spark(command.Context()); err != nil {
			return err
		}
		for _, version := range []string{toolchain.HudiVersion, toolchain.HudiNextVersion} {
			if _, err := tools.SparkHudi(command.Context(), version); err != nil {
				return err
			}
		}
		if _, err := tools.Trino(command.Context()); err != nil {
			return err
		}
	}
	if terraform {
		path, err := tools.Terraform(command.Context())
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintln(command.OutOrStdout(), path); err != nil {
			return err
		}
	}
	command.PrintErrf("lakeland: the sandbox's parts are ready in %s\n", tools.Cache())
	return nil
}
