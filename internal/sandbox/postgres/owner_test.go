package postgres

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/process"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/toolchain"
)

// ownerVariable names an installation, and makes the test binary start a server from it and wait.
const ownerVariable = "LAKELAND_POSTGRES_TEST_OWNER"

func TestMain(m *testing.M) {
	if installation := os.Getenv(ownerVariable); installation != "" {
		os.Exit(own(installation))
	}
	os.Exit(m.Run())
}

// own starts a server, prints its process id, address and directory, and stops it when its input ends.
func own(installation string) int {
	server, err := Start(context.Background(), Options{Installation: installation})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Printf("%d %s %s\n", server.PID(), server.ConnString("postgres"), server.scratch.Path())
	_, _ = io.Copy(io.Discard, os.Stdin)
	if err := server.Stop(); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// owner is another process that runs a server.
type owner struct {
	command *exec.Cmd
	input   io.Closer
	pid     int
	address string
	scratch string
}

func startOwner(t *testing.T, program, installation string, credential *syscall.Credential) owner {
	t.Helper()
	command := exec.Command(program)
	command.Dir = "/"
	command.Env = append(os.Environ(), ownerVariable+"="+installation)
	command.SysProcAttr = &syscall.SysProcAttr{Credential: credential}
	input, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
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
	fields := strings.Fields(line)
	pid, err := strconv.Atoi(fields[0])
	if err != nil || len(fields) != 3 {
		t.Fatal(line)
	}
	return owner{command: command, input: input, pid: pid, address: fields[1], scratch: fields[2]}
}

func TestServerDiesWithItsOwner(t *testing.T) {
	t.Parallel()
	owner := startOwner(t, os.Args[0], installation(t, toolchain.Postgres17), nil)
	query[int](t, owner.address, "SELECT 1")
	processes := descendants(t, owner.pid)
	if err := owner.command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	allGone(t, processes)
	_ = owner.command.Wait()
	// Another process that makes a directory now may be removing it already.
	eventually(t, "the removal of the killed server's directory", func() bool {
		scratch, err := process.NewScratch("test")
		if err == nil {
			err = scratch.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		_, err = os.Stat(owner.scratch)
		return errors.Is(err, os.ErrNotExist)
	})
}

// Tests that run as root start the server for an ordinary user too; those of an ordinary user do so anyway.
func TestOrdinaryUser(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("this is not root: the other tests are for an ordinary user already")
	}
	scratch, err := process.NewScratch("test")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := scratch.Close(); err != nil {
			t.Error(err)
		}
	}()
	credential, err := serverCredential()
	if err != nil {
		t.Fatal(err)
	}
	// The test binary and the cache may both be below directories that are closed to other users.
	installation, err := reachableInstallation(installation(t, toolchain.Postgres17), layout{directory: scratch.Path()}, credential)
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(scratch.Path(), "owner")
	copyProgram(t, os.Args[0], program)

	owner := startOwner(t, program, installation, &syscall.Credential{Uid: credential.UID, Gid: credential.GID})
	info, err := os.Stat(owner.scratch)
	if err != nil {
		t.Fatal(err)
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); !ok || stat.Uid != credential.UID || info.Mode().Perm() != 0o700 {
		t.Errorf("the server's directory is %v, %+v", info.Mode(), info.Sys())
	}
	query[int](t, owner.address, "SELECT 1")
	processes := descendants(t, owner.pid)
	if err := owner.input.Close(); err != nil {
		t.Fatal(err)
	}
	if err := owner.command.Wait(); err != nil {
		t.Fatal(err)
	}
	allGone(t, processes)
	if _, err := os.Stat(owner.scratch); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the server's directory is still there: %v", err)
	}
}

func copyProgram(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(to, 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestRootRunsTheServerAsAnotherUser(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("this is not root")
	}
	server := startServer(t, Options{})
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", server.PID()))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(content)) {
		if name, ids, _ := strings.Cut(strings.TrimSpace(line), ":"); name == "Uid" || name == "Gid" {
			for _, id := range strings.Fields(ids) {
				if id == "0" {
					t.Errorf("the server has root's id: %s", line)
				}
			}
		}
	}
}

// An installation in a closed directory is made readable without being changed.
func TestClosedInstallation(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("an ordinary user's server reads what the user can")
	}
	closed := filepath.Join(t.TempDir(), "closed")
	if err := os.Mkdir(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	linked := filepath.Join(closed, "postgresql")
	if err := os.CopyFS(linked, os.DirFS(installation(t, toolchain.Postgres17))); err != nil {
		t.Fatal(err)
	}
	server := startServer(t, Options{Installation: linked})
	if server.installation == linked {
		t.Error("the server runs from a directory that its user cannot reach")
	}
	query[int](t, server.ConnString("postgres"), "SELECT 1")
}
