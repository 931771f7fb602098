package sandbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/process"
)

// shared is the one sandbox of a test binary.
var shared struct {
	once    sync.Once
	inMain  bool
	sandbox *Sandbox
	err     error
	mu      sync.Mutex // guards closers
	closers []func() error
}

// Main is the body of TestMain in packages that use ForTest. It runs the tests, closes the sandbox, also when
// the tests are interrupted, and exits.
func Main(m *testing.M) {
	shared.inMain = true
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-interrupted
		_ = closeShared()
		os.Exit(1)
	}()
	code := m.Run()
	if err := closeShared(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

func closeShared() error {
	shared.once.Do(func() { shared.err = errClosed })
	shared.mu.Lock()
	closers := shared.closers
	shared.closers = nil
	shared.mu.Unlock()
	var errs []error
	for _, closer := range slices.Backward(closers) {
		errs = append(errs, closer())
	}
	if shared.sandbox != nil {
		errs = append(errs, shared.sandbox.Close())
	}
	return errors.Join(errs...)
}

// TestFolder makes a directory that lasts as long as the test binary, for what its tests share.
func TestFolder(part string) (string, error) {
	folder, err := process.NewScratch(part)
	if err != nil {
		return "", err
	}
	AtEnd(folder.Close)
	return folder.Path(), nil
}

// AtEnd has a function called when the tests of the binary have ended, or were interrupted, before the sandbox is closed;
// what was named last is called first.
func AtEnd(closer func() error) {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	shared.closers = append(shared.closers, closer)
}

// ForTest returns the test binary's sandbox and starts the parts named, where no test has before. The methods
// that make something new, such as NewDatabase, start their part themselves.
func ForTest(tb testing.TB, parts ...Part) *Sandbox {
	tb.Helper()
	if !shared.inMain {
		tb.Fatal("the package's TestMain must call sandbox.Main(m), which closes the sandbox after the tests")
	}
	shared.once.Do(func() {
		shared.sandbox, shared.err = Start(context.Background(), Options{Parts: []Part{}})
	})
	if shared.err != nil {
		tb.Fatal(shared.err)
	}
	shared.sandbox.require(tb, parts...)
	return shared.sandbox
}

// Shared is the sandbox that ForTest has returned, for what the tests of a binary share beside it.
func Shared() *Sandbox { return shared.sandbox }

// seedVariable holds a seed for random tests.
const seedVariable = "LAKELAND_SEED"

// Seed is where a random test begins: 1, so that a failure is the change's and not the day's, or LAKELAND_SEED, with
// which people look further. It is logged.
func Seed(tb testing.TB) uint64 {
	tb.Helper()
	seed, err := strconv.ParseUint(cmp.Or(os.Getenv(seedVariable), "1"), 10, 64)
	if err != nil {
		tb.Fatalf("%s: %v", seedVariable, err)
	}
	tb.Logf("%s=%d", seedVariable, seed)
	return seed
}
