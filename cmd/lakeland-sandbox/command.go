package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/toolchain"
)

const longHelp = `lakeland-sandbox runs what Lakeland works with on this machine alone: a PostgreSQL 17 server, an S3 server
(versitygw), moto for DynamoDB, STS, IAM, Secrets Manager, SNS, SQS, EventBridge and CloudWatch Logs, and an AWS
Glue that really runs Python shell jobs. No AWS account and no container is involved.

Everything listens on 127.0.0.1, on ports that were free, with random keys and passwords, so any number of
sandboxes run side by side. When it ends nothing is left: no process, no file.

The parts are fetched from the package registries and built on first use, checked against the pins in this
repository, and kept in a cache outside of it. "setup" does that alone.`

const variablesHelp = `
Environment:
  ` + toolchain.CacheVariable + `             where fetched and built parts are kept (default: lakeland in the user's cache directory)
  ` + toolchain.MavenVariable + `  base address of the Maven repository PostgreSQL comes from
  ` + toolchain.PythonVariable + `            the Python 3.11 or later to use (default: python3 from PATH)
  ` + toolchain.TerraformVariable + `         the terraform or tofu to use (default: from PATH, else OpenTofu is built; tofu: never Terraform)
  GOPROXY, PIP_INDEX_URL     as Go and pip read them, for the other parts
`

func newCommand() *cobra.Command {
	command := &cobra.Command{
		Use:           "lakeland-sandbox",
		Short:         "A local AWS and a local database for trying Lakeland out",
		Long:          longHelp,
		Example:       "  lakeland-sandbox up\n  lakeland-sandbox exec -- terraform plan\n  lakeland-sandbox demo --provider dist/terraform-provider-lakeland",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	command.CompletionOptions.DisableDefaultCmd = true
	command.SetUsageTemplate(command.UsageTemplate() + variablesHelp)
	command.AddCommand(newUpCommand(), newExecCommand(), newSetupCommand(), newDemoCommand(), newBenchCommand())
	return command
}

// partNames are the parts as the command line spells them.
var partNames = map[string]sandbox.Part{
	"postgres": sandbox.Postgres,
	"s3":       sandbox.S3,
	"moto":     sandbox.Moto,
	"glue":     sandbox.Glue,
}

var sortedPartNames = []string{"postgres", "s3", "moto", "glue"}

func addPartsFlag(command *cobra.Command, names *[]string) {
	command.Flags().StringSliceVar(names, "parts", sortedPartNames, "the parts to start; glue brings s3 and moto with it")
}

// parseParts reads part names, in the order of the parts.
func parseParts(names []string) ([]sandbox.Part, error) {
	var parts []sandbox.Part
	for _, name := range names {
		part, ok := partNames[name]
		if !ok {
			return nil, fmt.Errorf("there is no part %q: the parts are %s", name, strings.Join(sortedPartNames, ", "))
		}
		if !slices.Contains(parts, part) {
			parts = append(parts, part)
		}
	}
	slices.Sort(parts)
	return parts, nil
}
