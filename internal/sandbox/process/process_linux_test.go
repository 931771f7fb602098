package process

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// helperVariable makes the test binary play a part in a test instead of running tests.
const helperVariable = "LAKELAND_PROCESS_TEST_HELPER"

const patience = 20 * time.Second

func TestMain(m *testing.M) {
	switch os.Getenv(helperVariable) {
	case "":
		os.Exit(m.Run())
	case "parent":
		fmt.Println(helpAsParent())
	case "scratch":
		fmt.Println(helpAsScratchOwner())
	}
}

// helpAsParent starts a child, says its id, and waits to be killed.
func helpAsParent() error {
	child, err := Start(Command{Path: "/bin/sh", Args: []string{"-c", "sleep 1000 & wait"}})
	if err != nil {
		return err
	}
	fmt.Println(child.PID())
	<-child.Done()
	return child.Err()
}

func helpAsScratchOwner() error {
	scratch, err := NewScratch("test")
	if err != nil {
		return err
	}
	fmt.Println(scratch.Path())
	for {
		time.Sleep(patience) // the runtime ends a process in which every goroutine waits for another
		runtime.KeepAlive(scratch)
	}
}

// helper runs the test binary as a helper and returns it with the first line it wrote.
func helper(t *testing.T, part string) (*exec.Cmd, string) {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), helperVariable+"="+part)
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Process.Kill() })
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return command, strings.TrimSpace(line)
}

func shell(t *testing.T, script string) *Process {
	t.Helper()
	child, err := Start(Command{Name: "the script", Path: "/bin/sh", Args: []string{"-c", script}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = child.Kill() })
	return child
}

// wrote is a probe for a line of output.
func wrote(child *Process, text string) func(context.Context) error {
	return func(context.Context) error {
		if !strings.Contains(child.Tail(), text) {
			return fmt.Errorf("it has not written %q", text)
		}
		return nil
	}
}

func eventually(t *testing.T, what string, check func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !check(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", patience, what)
		}
	}
}

// gone tells whether a process has ended; one that only waits to be reaped has.
func gone(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(state, "Z") || strings.HasPrefix(state, "X")
}

func TestReady(t *testing.T) {
	t.Parallel()
	child := shell(t, "echo listening; sleep 1000")
	if err := child.Ready(t.Context(), patience, wrote(child, "listening")); err != nil {
		t.Fatal(err)
	}
	if err := child.Err(); err != nil {
		t.Errorf("a running child's error is %v", err)
	}
	if err := child.Stop(patience); err != nil {
		t.Error(err)
	}
	if err := child.Signal(syscall.SIGTERM); err != nil {
		t.Errorf("a signal to a child that has ended: %v", err)
	}
	if err := errors.Join(child.Stop(patience), child.Kill()); err != nil {
		t.Errorf("stopping twice: %v", err)
	}
}

func TestReadySeesAnEarlyEnd(t *testing.T) {
	t.Parallel()
	child := shell(t, "echo the port is taken >&2; exit 3")
	err := child.Ready(t.Context(), patience, func(context.Context) error { return errors.New("no answer") })
	var ended *EndedError
	if !errors.As(err, &ended) {
		t.Fatalf("%T: %v", err, err)
	}
	const want = "the script ended before it was ready (exit status 3); its last output:\n  the port is taken"
	if err.Error() != want {
		t.Errorf("got  %s\nwant %s", err, want)
	}
}

func TestReadyGivesUp(t *testing.T) {
	t.Parallel()
	child := shell(t, "echo starting; sleep 1000")
	if err := child.Ready(t.Context(), patience, wrote(child, "starting")); err != nil {
		t.Fatal(err)
	}
	never := func(context.Context) error { return errors.New("no answer yet") }
	err := child.Ready(t.Context(), 30*time.Millisecond, never)
	const want = "the script was not ready after 30ms: no answer yet; its last output:\n  starting"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := child.Ready(ctx, patience, never); !errors.Is(err, context.Canceled) {
		t.Errorf("after the context's end: %v", err)
	}
}

func TestStopKillsAfterTheGracePeriod(t *testing.T) {
	t.Parallel()
	child := shell(t, `trap "" TERM; echo armed; while :; do sleep 0.05; done`)
	if err := child.Ready(t.Context(), patience, wrote(child, "armed")); err != nil {
		t.Fatal(err)
	}
	err := child.Stop(50 * time.Millisecond)
	if err == nil || !strings.Contains(err.Error(), "did not end within 50ms of terminated and was killed") {
		t.Errorf("got %v", err)
	}
	if !gone(child.PID()) {
		t.Error("the child still runs")
	}
}

func TestGrandchildrenDie(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]struct {
		script string
		stop   func(*Process) error
	}{
		"when the child ends by itself": {"sleep 1000 & echo pid $!; read line < /dev/null; exit 0", func(*Process) error { return nil }},
		"when the child is stopped":     {"sleep 1000 & echo pid $!; wait", func(p *Process) error { return p.Stop(patience) }},
		"when the child is killed":      {"sleep 1000 & echo pid $!; wait", (*Process).Kill},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			child := shell(t, end.script)
			eventually(t, "the grandchild's id", func() bool { return strings.Contains(child.Tail(), "\n") })
			pid, err := strconv.Atoi(strings.TrimPrefix(strings.TrimSpace(child.Tail()), "pid "))
			if err != nil {
				t.Fatal(err)
			}
			if err := end.stop(child); err != nil {
				t.Fatal(err)
			}
			<-child.Done()
			eventually(t, "the grandchild's end", func() bool { return gone(pid) })
		})
	}
}

func TestChildDiesWithItsParent(t *testing.T) {
	t.Parallel()
	parent, line := helper(t, "parent")
	pid, err := strconv.Atoi(line)
	if err != nil {
		t.Fatal(line)
	}
	if gone(pid) {
		t.Fatal("the child does not run")
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the child's end", func() bool { return gone(pid) })
}

// The death signal comes with the end of the thread that started the child, which need not be the process's.
func TestChildSurvivesTheStartersThread(t *testing.T) {
	t.Parallel()
	thread, children := make(chan int), make(chan *Process, 1)
	var begin func()
	begin = func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		if unix.Gettid() == os.Getpid() {
			go begin() // the main thread does not end; keep it from being chosen again
			<-t.Context().Done()
			runtime.UnlockOSThread()
			return
		}
		child, err := Start(Command{Path: "/bin/sleep", Args: []string{"1000"}})
		if err != nil {
			t.Error(err)
		}
		children <- child
		thread <- unix.Gettid()
	}
	go begin()
	task := fmt.Sprintf("/proc/self/task/%d", <-thread)
	child := <-children
	if child == nil {
		return
	}
	t.Cleanup(func() { _ = child.Kill() })
	eventually(t, "the thread's end", func() bool {
		_, err := os.Stat(task)
		return errors.Is(err, os.ErrNotExist)
	})
	select {
	case <-child.Done():
		t.Error("the child was killed with the thread that asked for it")
	case <-time.After(200 * time.Millisecond):
	}
}

func TestRun(t *testing.T) {
	t.Parallel()
	if err := Run(t.Context(), Command{Path: "/bin/sh", Args: []string{"-c", "exit 0"}}); err != nil {
		t.Error(err)
	}
	err := Run(t.Context(), Command{Name: "initdb", Path: "/bin/sh", Args: []string{"-c", "echo no space; exit 1"}})
	if want := "initdb failed (exit status 1); its last output:\n  no space"; err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	err = Run(ctx, Command{Name: "a build", Path: "/bin/sh", Args: []string{"-c", "sleep 1000"}})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if err := Run(t.Context(), Command{Path: "/nonexistent"}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestCredential(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can start a child as another user")
	}
	var output strings.Builder
	err := Run(t.Context(), Command{
		Path: "/bin/sh", Args: []string{"-c", "id -u; id -g; id -G"}, Dir: "/", Output: &output,
		Credential: &Credential{UID: 54321, GID: 54322},
	})
	if err != nil {
		t.Fatal(err)
	}
	if output.String() != "54321\n54322\n54322\n" {
		t.Errorf("the child was %q", output.String())
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	t.Parallel()
	tail := newTail(10)
	for i := range 1000 {
		if _, err := fmt.Fprintf(tail, "%03d,", i); err != nil {
			t.Fatal(err)
		}
	}
	if got := tail.String(); got != "7,998,999,"[:10] {
		t.Errorf("kept %q", got)
	}
	if cap(tail.data) > 64 {
		t.Errorf("holds %d bytes", cap(tail.data))
	}
}

// A child that is spoken to answers on its standard output, apart from what it says on standard error.
func TestInputAndAnswers(t *testing.T) {
	t.Parallel()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	var answers strings.Builder
	child, err := Start(Command{Path: "/bin/sh", Args: []string{"-c", `while read line; do echo "heard $line"; echo "note $line" >&2; done`}, Input: reader, Answers: &answers})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := writer.WriteString("one\ntwo\n"); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(reader.Close(), writer.Close()); err != nil {
		t.Fatal(err)
	}
	<-child.Done()
	if err := child.Err(); err != nil || answers.String() != "heard one\nheard two\n" || child.Tail() != "note one\nnote two\n" {
		t.Errorf("%v: it answered %q and said %q", err, answers.String(), child.Tail())
	}
}
