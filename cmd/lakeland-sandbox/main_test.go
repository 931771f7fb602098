package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
)

// mainVariable makes the test binary the command itself.
const mainVariable = "LAKELAND_SANDBOX_COMMAND_TEST"

func TestMain(m *testing.M) {
	if os.Getenv(mainVariable) != "" {
		os.Exit(run())
	}
	os.Exit(m.Run())
}

func command(t *testing.T, arguments ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	command := exec.CommandContext(ctx, os.Args[0], arguments...)
	command.Env = append(os.Environ(), mainVariable+"=1", "AWS_PROFILE=production", "AWS_ENDPOINT_URL_DYNAMODB=https://elsewhere.invalid",
		"AWS_PAGER=cat", "PGHOST=elsewhere.invalid")
	return command
}

// status runs a command and returns its exit status and what it wrote.
func status(t *testing.T, arguments ...string) (int, string, string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	command := command(t, arguments...)
	command.Stdout, command.Stderr = &stdout, &stderr
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return command.ProcessState.ExitCode(), stdout.String(), stderr.String()
}

func TestExec(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		script string
		want   int
	}{"success": {"exit 0", 0}, "failure": {"exit 7", 7}, "a signal": {"kill -KILL $$", 128 + 9}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, _, stderr := status(t, "exec", "--parts", "s3", "--", "sh", "-c", test.script); got != test.want {
				t.Errorf("the status is %d, want %d: %s", got, test.want, stderr)
			}
		})
	}
	t.Run("the environment", func(t *testing.T) {
		t.Parallel()
		got, stdout, stderr := status(t, "exec", "--parts=s3,postgres", "sh", "-c", "env | sort")
		if got != 0 {
			t.Fatal(stderr)
		}
		for _, want := range []string{"AWS_ENDPOINT_URL_S3=http://127.0.0.1:", "AWS_PAGER=cat\n", "PGHOST=127.0.0.1\n", "PGSSLMODE=verify-full\n",
			"AWS_ENDPOINT_URL=http://127.0.0.1:1/the-sandbox-did-not-start-moto\n", postgresURLVariable + "=postgres://lakeland:"} {
			if !strings.Contains(stdout, want) {
				t.Errorf("the environment lacks %s:\n%s", want, stdout)
			}
		}
		for _, unwanted := range []string{"production", "elsewhere.invalid"} {
			if strings.Contains(stdout, unwanted) {
				t.Errorf("the environment has %s:\n%s", unwanted, stdout)
			}
		}
	})
	t.Run("input", func(t *testing.T) {
		t.Parallel()
		command := command(t, "exec", "--parts", "s3", "cat")
		command.Stdin = strings.NewReader("through")
		if output, err := command.Output(); err != nil || string(output) != "through" {
			t.Errorf("%v: %s", err, output)
		}
	})
	t.Run("no such command", func(t *testing.T) {
		t.Parallel()
		got, _, stderr := status(t, "exec", "no-such-program")
		if got != 1 || !strings.Contains(stderr, "no-such-program") || strings.Contains(stderr, "starting") {
			t.Errorf("the status is %d: %s", got, stderr)
		}
	})
}

func TestExecPassesSignalsOn(t *testing.T) {
	t.Parallel()
	command := command(t, "exec", "--parts", "s3", "--", "sh", "-c", `trap "exit 5" TERM; echo ready; while :; do sleep 0.05; done`)
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(output).ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("%q, %v", line, err)
	}
	if err := command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = command.Wait()
	if got := command.ProcessState.ExitCode(); got != 5 {
		t.Errorf("the status is %d", got)
	}
}

func TestUp(t *testing.T) {
	t.Parallel()
	command := command(t, "up")
	var stderr bytes.Buffer
	command.Stderr = &stderr
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	exports := map[string]string{}
	var block strings.Builder
	for scanner := bufio.NewScanner(output); scanner.Scan(); {
		line := scanner.Text()
		if export, ok := strings.CutPrefix(line, "export "); ok {
			name, value, _ := strings.Cut(export, "=")
			exports[name] = strings.Trim(value, "'")
		}
		if block.Len() > 0 || strings.HasPrefix(line, "provider ") {
			block.WriteString(line + "\n")
		}
		if line == "}" {
			break
		}
	}
	connection, err := pgx.Connect(t.Context(), exports[postgresURLVariable])
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	_ = connection.Close(t.Context())
	for _, name := range []string{"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_GLUE"} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, exports[name], nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		_ = response.Body.Close()
	}
	for _, want := range []string{
		`  secret_key = "` + exports["AWS_SECRET_ACCESS_KEY"] + `"`,
		`    glue           = "` + exports["AWS_ENDPOINT_URL_GLUE"] + `"`,
		`    s3             = "` + exports["AWS_ENDPOINT_URL_S3"] + `"`,
		`    secretsmanager = "` + exports["AWS_ENDPOINT_URL"] + `"`,
	} {
		if !strings.Contains(block.String(), want+"\n") {
			t.Errorf("the provider block lacks %s:\n%s", want, block.String())
		}
	}
	if err := command.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, output)
	if err := command.Wait(); err != nil {
		t.Errorf("%v: %s", err, stderr.String())
	}
	if !strings.Contains(stderr.String(), "taking the sandbox down") {
		t.Errorf("got %s", stderr.String())
	}
	if _, err := os.Stat(exports["PGSSLROOTCERT"]); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its files are still there: %v", err)
	}
}

func TestUpForAWhile(t *testing.T) {
	t.Parallel()
	got, stdout, stderr := status(t, "up", "--for", "1ms", "--parts", "s3")
	if got != 0 || !strings.Contains(stdout, "export AWS_REGION="+sandbox.Region+"\n") || !strings.Contains(stderr, "up for 1ms") {
		t.Errorf("the status is %d: %s%s", got, stdout, stderr)
	}
}

func TestSetup(t *testing.T) {
	t.Parallel()
	got, _, stderr := status(t, "setup")
	if got != 0 || !strings.Contains(stderr, "the sandbox's parts are ready in ") {
		t.Errorf("the status is %d: %s", got, stderr)
	}
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		arguments []string
		want      string
	}{
		"an unknown part":    {[]string{"up", "--parts", "mysql"}, `there is no part "mysql": the parts are postgres, s3, moto, glue`},
		"an unknown command": {[]string{"down"}, `unknown command "down"`},
		"no command to run":  {[]string{"exec"}, "requires at least 1 arg"},
	} {
		if got, _, stderr := status(t, test.arguments...); got != 1 || !strings.Contains(stderr, test.want) {
			t.Errorf("%s: the status is %d: %s", name, got, stderr)
		}
	}
	if got, stdout, _ := status(t, "up", "--help"); got != 0 || !strings.Contains(stdout, "LAKELAND_MAVEN_REPOSITORY") {
		t.Errorf("help: the status is %d: %s", got, stdout)
	}
}

func TestShellQuote(t *testing.T) {
	t.Parallel()
	values := []string{"", "plain", "a b", "it's", "$HOME", "`id`", `a"b\c`, "x&y;z", "über", "-n", "a\nb"}
	for _, value := range values {
		output, err := exec.CommandContext(t.Context(), "sh", "-c", "printf %s "+shellQuote(value)).Output()
		if err != nil || string(output) != value {
			t.Errorf("%q is read back as %q, %v", value, output, err)
		}
	}
}
