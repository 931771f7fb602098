package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
)

// exitError is the status of a command that was run, to end with as well.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// harmless are the AWS variables that a command keeps: none of them says where AWS is or who calls it.
var harmless = []string{"AWS_PAGER", "AWS_CA_BUNDLE", "AWS_MAX_ATTEMPTS", "AWS_RETRY_MODE"}

// signalled is added to a signal's number for the status of a command that it ended, as shells do.
const signalled = 128

func newExecCommand() *cobra.Command {
	var names []string
	command := &cobra.Command{
		Use:   "exec [flags] [--] COMMAND [ARGUMENT...]",
		Short: "Run a command in a sandbox of its own and end with its exit status",
		Long: `Start the sandbox, run the command with the environment variables that "up" prints, take the sandbox down, and
end with the command's exit status.

The command has this terminal. Of the present environment's AWS and PostgreSQL variables it sees none that would
lead elsewhere.`,
		Example: `  lakeland-sandbox exec -- aws s3 ls
  lakeland-sandbox exec --parts postgres -- sh -c 'psql -c "select version()"'`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(command *cobra.Command, arguments []string) error {
			parts, err := parseParts(names)
			if err != nil {
				return err
			}
			// Before anything is started: a command that does not exist should cost nothing.
			program, err := exec.LookPath(arguments[0])
			if err != nil {
				return err
			}
			sb, err := start(command, parts)
			if err != nil {
				return err
			}
			return errors.Join(execute(command, sb, program, arguments[1:]), sb.Close())
		},
	}
	addPartsFlag(command, &names)
	command.Flags().SetInterspersed(false) // what follows the command's name is the command's
	return command
}

// execute runs the command in the foreground: it gets the terminal's own signals, and those sent to this process
// are passed on. The sandbox outlives it in any case.
func execute(command *cobra.Command, sb *sandbox.Sandbox, program string, arguments []string) error {
	child := exec.Command(program, arguments...)
	child.Env = append(cleaned(os.Environ(), sb.Postgres() != nil), environment(sb)...)
	child.Stdin, child.Stdout, child.Stderr = command.InOrStdin(), command.OutOrStdout(), command.ErrOrStderr()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	if err := child.Start(); err != nil {
		return fmt.Errorf("running %s: %w", program, err)
	}
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		for {
			select {
			case <-ended:
				return
			case received := <-signals:
				if received != os.Interrupt { // the terminal sends that to the child as well
					_ = child.Process.Signal(received)
				}
			}
		}
	}()
	err := child.Wait()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &exit):
		return fmt.Errorf("running %s: %w", program, err)
	case exit.ExitCode() >= 0:
		return exitError(exit.ExitCode())
	default:
		status, _ := exit.Sys().(syscall.WaitStatus)
		return exitError(signalled + int(status.Signal()))
	}
}

// cleaned is the environment without the variables that would lead clients out of the sandbox.
func cleaned(variables []string, database bool) []string {
	return slices.DeleteFunc(variables, func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return strings.HasPrefix(name, "AWS_") && !slices.Contains(harmless, name) || database && strings.HasPrefix(name, "PG")
	})
}
