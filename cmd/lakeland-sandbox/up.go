package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
)

func newUpCommand() *cobra.Command {
	var names []string
	var limit time.Duration
	command := &cobra.Command{
		Use:   "up",
		Short: "Start the sandbox, print how to reach it, and keep it until Ctrl-C",
		Long: `Start the sandbox and keep it until Ctrl-C, SIGTERM, or the end of the time given with --for.

It prints, on standard output, the environment variables by which the AWS CLI, the AWS SDKs and PostgreSQL's
clients find it, and the provider block for a Terraform configuration. Paste them into another terminal and into
a .tf file. The keys open nothing but this sandbox. Progress goes to standard error.`,
		Example: `  lakeland-sandbox up
  lakeland-sandbox up --for 10m
  lakeland-sandbox up --parts postgres,s3`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			parts, err := parseParts(names)
			if err != nil {
				return err
			}
			return up(command, parts, limit)
		},
	}
	addPartsFlag(command, &names)
	command.Flags().DurationVar(&limit, "for", 0, "end after this time, such as 10m (default: not before Ctrl-C)")
	return command
}

func up(command *cobra.Command, parts []sandbox.Part, limit time.Duration) error {
	ctx := command.Context()
	sb, err := start(command, parts)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprint(command.OutOrStdout(), describe(sb)); err != nil {
		return errors.Join(fmt.Errorf("printing the endpoints: %w", err), sb.Close())
	}
	if limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
		command.PrintErrf("lakeland: the sandbox is up for %s; Ctrl-C ends it\n", limit)
	} else {
		command.PrintErrln("lakeland: the sandbox is up; Ctrl-C ends it")
	}
	<-ctx.Done()
	command.PrintErrln("lakeland: taking the sandbox down")
	return sb.Close()
}

// start starts a sandbox and says what it is doing on standard error.
func start(command *cobra.Command, parts []sandbox.Part) (*sandbox.Sandbox, error) {
	labels := make([]string, 0, len(parts))
	for _, part := range parts {
		labels = append(labels, part.String())
	}
	command.PrintErrf("lakeland: starting %s\n", strings.Join(labels, ", "))
	return sandbox.Start(command.Context(), sandbox.Options{Parts: parts, Progress: command.ErrOrStderr()})
}
