package sandbox_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
)

// heldVariable makes TestHeld start parts and wait, in a test binary that another test runs.
const heldVariable = "LAKELAND_SANDBOX_TEST_HELD"

func TestHeld(t *testing.T) { //nolint:paralleltest // the body runs in a child process
	how := os.Getenv(heldVariable)
	if how == "" {
		t.Skip("this is the other half of TestNothingIsLeft")
	}
	sb := sandbox.ForTest(t, sandbox.Postgres, sandbox.S3)
	fmt.Printf("up %d\n", sb.Postgres().PID())
	switch how {
	case "hold":
		select {}
	case "panic":
		go panic("as after a time-out")
		select {}
	}
}

// However a test binary ends, its processes end, and its files are removed, if need be by the next.
func TestNothingIsLeft(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		how    string
		signal os.Signal
		dirty  bool // files may stay until the next sandbox starts
	}{
		"after the tests": {how: "end"},
		"after Ctrl-C":    {how: "hold", signal: os.Interrupt},
		"after SIGKILL":   {how: "hold", signal: syscall.SIGKILL, dirty: true},
		"after a panic":   {how: "panic", dirty: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			directory := t.TempDir()
			for _, path := range []string{directory, directory + "/.."} { // root's sandbox runs its server as another user
				if err := os.Chmod(path, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			server := runHeld(t, directory, test.how, test.signal)
			deadline := time.Now().Add(20 * time.Second)
			for ; running(server); time.Sleep(10 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatal("its server still runs")
				}
			}
			if test.dirty {
				runHeld(t, directory, "end", nil)
			}
			if entries, err := os.ReadDir(directory); err != nil || len(entries) != 0 {
				t.Errorf("there are still %v, %v", entries, err)
			}
		})
	}
}

// runHeld runs this test binary's TestHeld to its end and returns the process id of its PostgreSQL server.
func runHeld(t *testing.T, directory, how string, signal os.Signal) string {
	t.Helper()
	command := exec.Command(os.Args[0], "-test.run=^TestHeld$", "-test.v")
	command.Env = append(os.Environ(), heldVariable+"="+how, "TMPDIR="+directory)
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Process.Kill() })
	var pid string
	var lines strings.Builder
	for scanner := bufio.NewScanner(output); scanner.Scan(); {
		fmt.Fprintln(&lines, scanner.Text())
		if up, ok := strings.CutPrefix(scanner.Text(), "up "); ok {
			pid = up
			if signal != nil {
				if err := command.Process.Signal(signal); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if err := command.Wait(); pid == "" || (err != nil) != (how != "end") {
		t.Fatalf("%v: %s", err, lines.String())
	}
	return pid
}

func running(pid string) bool {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	_, state, _ := strings.Cut(string(stat), ") ")
	return err == nil && !strings.HasPrefix(state, "Z") && !strings.HasPrefix(state, "X")
}
