package toolchain

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Variables that make the test binary another process that asks for the repository's archive.
const (
	fillerVariable = "LAKELAND_TOOLCHAIN_TEST_FILLER" // the archive's checksum
	fillerBase     = "LAKELAND_TOOLCHAIN_TEST_BASE"
)

func TestMain(m *testing.M) {
	if checksum := os.Getenv(fillerVariable); checksum != "" {
		os.Exit(fill(checksum))
	}
	os.Exit(m.Run())
}

func fill(checksum string) int {
	tools, err := New(Options{Progress: io.Discard})
	if err == nil {
		tools.maven = os.Getenv(fillerBase)
		r := repository{}
		a := r.archive()
		a.sha256 = checksum
		tools.archives = []archive{a}
		var directory string
		if directory, err = tools.Postgres(context.Background(), a.version); err == nil {
			var content []byte
			if content, err = os.ReadFile(filepath.Join(directory, "bin", "postgres")); err == nil && string(content) != program {
				err = fmt.Errorf("the program is %q", content)
			}
		}
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

func TestProcessesFillOnce(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	cache := t.TempDir()
	var group sync.WaitGroup
	for range 6 {
		group.Go(func() {
			command := exec.Command(os.Args[0])
			command.Env = append(os.Environ(), fillerVariable+"="+r.archive().sha256, fillerBase+"="+r.URL, CacheVariable+"="+cache)
			if output, err := command.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, output)
			}
		})
	}
	group.Wait()
	if n := r.requests.Load(); n != 1 {
		t.Errorf("it was fetched %d times", n)
	}
}

func newCache(t *testing.T) cache {
	t.Helper()
	return cache{directory: t.TempDir(), progress: newProgress(io.Discard)}
}

func TestFillClearsWhatAKilledProcessLeft(t *testing.T) {
	t.Parallel()
	c := newCache(t)
	left := filepath.Join(c.directory, "partial", "key")
	if err := os.MkdirAll(left, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(left, "half"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	entry, err := c.fill(t.Context(), "key", "a part", func(_ context.Context, directory string) error {
		return os.WriteFile(filepath.Join(directory, "whole"), nil, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(entry)
	if err != nil || len(entries) != 1 || entries[0].Name() != "whole" {
		t.Errorf("the entry holds %v, %v", entries, err)
	}
}

func TestFillAfterAFailure(t *testing.T) {
	t.Parallel()
	c := newCache(t)
	failure := errors.New("the disk is full")
	_, err := c.fill(t.Context(), "key", "a part", func(_ context.Context, directory string) error {
		return errors.Join(os.WriteFile(filepath.Join(directory, "half"), nil, 0o644), failure)
	})
	if !errors.Is(err, failure) {
		t.Errorf("got %v", err)
	}
	nothingCached(t, c.directory)
	if _, err := c.fill(t.Context(), "key", "a part", func(context.Context, string) error { return nil }); err != nil {
		t.Errorf("the next try: %v", err)
	}
}

func TestFillWaitsForItsTurn(t *testing.T) {
	t.Parallel()
	c := newCache(t)
	var shown lockedBuffer
	c.progress = newProgress(&shown)
	unlock, err := c.lock(t.Context(), "key", "a part")
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := c.fill(ctx, "key", "a part", func(context.Context, string) error { return errors.New("it did not wait") })
		done <- err
	}()
	for !strings.Contains(shown.String(), "waiting for another process: a part") {
		select {
		case err := <-done:
			t.Fatal(err)
		default:
		}
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestCacheThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c := cache{directory: filepath.Join(file, "cache"), progress: newProgress(io.Discard)}
	_, err := c.fill(t.Context(), "key", "a part", func(context.Context, string) error { return nil })
	if err == nil || !strings.Contains(err.Error(), CacheVariable) {
		t.Errorf("got %v", err)
	}
}

func TestCacheDirectory(t *testing.T) {
	t.Setenv(CacheVariable, "/somewhere/else")
	tools, err := New(Options{Progress: io.Discard})
	if err != nil || tools.Cache() != "/somewhere/else" {
		t.Errorf("%v, %v", tools, err)
	}
	t.Setenv(CacheVariable, "")
	t.Setenv("XDG_CACHE_HOME", "/home/someone/.cache")
	tools, err = New(Options{Progress: io.Discard})
	if err != nil || tools.Cache() != "/home/someone/.cache/lakeland" {
		t.Errorf("%v, %v", tools, err)
	}
}

func TestRepositoryIsFound(t *testing.T) {
	tools, err := New(Options{Progress: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(tools.repository, "tools", "versitygw", "go.mod")); err != nil {
		t.Error(err)
	}
	t.Chdir(t.TempDir())
	if _, err := New(Options{Progress: io.Discard}); err == nil || !strings.Contains(err.Error(), "inside a clone of the repository") {
		t.Errorf("outside of the repository: %v", err)
	}
}

// lockedBuffer is a buffer for several goroutines.
type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(data []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(data)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}
