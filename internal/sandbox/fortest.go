package sandbox

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"testing"
)

// shared is the one sandbox of a test binary.
var shared struct {
	once    sync.Once
	inMain  bool
	sandbox *Sandbox
	err     error
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
	if shared.sandbox == nil {
		return nil
	}
	return shared.sandbox.Close()
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
