package toolchain

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func newTools(t *testing.T, options Options) *Toolchain {
	t.Helper()
	if options.Progress == nil {
		options.Progress = io.Discard
	}
	tools, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	return tools
}

// fakeProgram writes a shell script into the directory.
func fakeProgram(t *testing.T, directory, name, script string) string {
	t.Helper()
	path := filepath.Join(directory, name)
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPythonEnvironment(t *testing.T) {
	t.Parallel()
	python, err := newTools(t, Options{Progress: os.Stderr}).Python(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	output, err := exec.CommandContext(t.Context(), python, "-I", "-c", `
import boto3, duckdb, moto, pyarrow, pyiceberg, sys
print(moto.__version__, boto3.__version__, pyiceberg.__version__, sys.prefix)`).CombinedOutput()
	want := "5.2.3 1.44.5 0.12.0 " + filepath.Dir(filepath.Dir(python)) + "\n"
	if err != nil || string(output) != want {
		t.Errorf("%v: %s", err, output)
	}
	entries, err := os.ReadDir(filepath.Dir(python))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), "python") {
			t.Errorf("the environment has the script %s, which names the directory it was made in", entry.Name())
		}
	}
}

func TestVersitygw(t *testing.T) {
	t.Parallel()
	program, err := newTools(t, Options{Progress: os.Stderr}).Versitygw(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if output, err := exec.CommandContext(t.Context(), program, "--version").CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, output)
	}
}

// Programs that are wanted are looked for on a PATH of the test's own.
func TestPythonThatIsNotThere(t *testing.T) {
	directory := t.TempDir()
	t.Setenv("PATH", directory)
	check := func(parts ...string) {
		t.Helper()
		_, err := newTools(t, Options{Cache: t.TempDir()}).Python(t.Context())
		if err == nil {
			t.Fatal("an interpreter was found")
		}
		for _, part := range append(parts, "Python 3.11 or later", "apt install python3-venv") {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("the error lacks %q: %v", part, err)
			}
		}
	}
	check("no python3 is on PATH")
	old := fakeProgram(t, directory, "python3",
		`echo '{"minor": 9, "version": "3.9.18 (main)", "base": "/", "machine": "x", "venv": true}'`)
	check(old + " is Python 3.9.18")
	fakeProgram(t, directory, "python3",
		`echo '{"minor": 12, "version": "3.12.1 (main)", "base": "/", "machine": "x", "venv": false}'`)
	check("python3.12-venv")
	fakeProgram(t, directory, "python3", "exit 127")
	check("python3 does not run")

	newer := fakeProgram(t, directory, "python3.13",
		`echo '{"minor": 13, "version": "3.13.0 (main)", "base": "/", "machine": "x", "venv": true}'`)
	found, err := findPython(t.Context())
	if err != nil || found.Path != newer {
		t.Errorf("found %+v, %v", found, err)
	}
	t.Setenv(PythonVariable, old)
	if _, err := findPython(t.Context()); err == nil || !strings.Contains(err.Error(), PythonVariable+"="+old) {
		t.Errorf("the one that was named: %v", err)
	}
}

func TestPipFailure(t *testing.T) {
	t.Parallel()
	repository := t.TempDir()
	directory := filepath.Join(repository, "tools", "python")
	if err := os.MkdirAll(directory, 0o755); err != nil {
		t.Fatal(err)
	}
	// A requirement without a hash is refused before anything is looked up.
	if err := os.WriteFile(filepath.Join(directory, "requirements.txt"), []byte("boto3==1.44.5\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cache := t.TempDir()
	_, err := newTools(t, Options{Cache: cache, Repository: repository}).Python(t.Context())
	if err == nil || !strings.Contains(err.Error(), "require-hashes") {
		t.Errorf("got %v", err)
	}
	nothingCached(t, cache)
}

func TestGoThatIsNotThere(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := newTools(t, Options{Cache: t.TempDir()}).Versitygw(t.Context())
	if err == nil || !strings.Contains(err.Error(), "install Go 1.26 or later") {
		t.Errorf("got %v", err)
	}
}

func TestGoBuildFailure(t *testing.T) {
	directory := t.TempDir()
	fakeProgram(t, directory, "go", `echo 'go: dial tcp: lookup proxy: no such host' >&2; exit 1`)
	t.Setenv("PATH", directory+":/bin:/usr/bin")
	cache := t.TempDir()
	_, err := newTools(t, Options{Cache: cache}).Versitygw(t.Context())
	if err == nil || !strings.Contains(err.Error(), "no such host") || !strings.Contains(err.Error(), "GOPROXY") {
		t.Errorf("got %v", err)
	}
	nothingCached(t, cache)
}

func TestGoProgramKey(t *testing.T) {
	t.Parallel()
	module := t.TempDir()
	keys := map[string]bool{}
	add := func(p goProgram) {
		t.Helper()
		key, err := p.key(module)
		if err != nil {
			t.Fatal(err)
		}
		if keys[key] {
			t.Errorf("%s is the key of two different things", key)
		}
		keys[key] = true
	}
	if _, err := versitygw.key(module); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without pins: %v", err)
	}
	for _, content := range []string{"one", "two"} {
		for _, name := range []string{"go.mod", "go.sum"} {
			if err := os.WriteFile(filepath.Join(module, name), []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(filepath.Join(module, "go.sum")); err == nil {
				add(versitygw)
			}
		}
	}
	other := versitygw
	other.ldflags = ""
	add(other)
}

func TestTerraform(t *testing.T) {
	directory := t.TempDir()
	t.Setenv("PATH", directory)
	t.Setenv(TerraformVariable, "")
	tools := newTools(t, Options{Cache: t.TempDir()})
	check := func(want string) {
		t.Helper()
		if got, err := tools.Terraform(context.Background()); err != nil || got != want {
			t.Errorf("got %s, %v, want %s", got, err, want)
		}
	}
	if _, err := tools.Terraform(t.Context()); err == nil || !strings.Contains(err.Error(), "building OpenTofu takes Go") {
		t.Errorf("with neither on PATH: %v", err)
	}
	tofu := fakeProgram(t, directory, "tofu", "")
	check(tofu)
	terraform := fakeProgram(t, directory, "terraform", "")
	check(terraform)
	named := fakeProgram(t, t.TempDir(), "terraform-1.9", "")
	t.Setenv(TerraformVariable, named)
	check(named)
	t.Setenv(TerraformVariable, "tofu")
	check(tofu)
	t.Setenv("PATH", filepath.Dir(named))
	if _, err := tools.Terraform(t.Context()); err == nil || !strings.Contains(err.Error(), "building OpenTofu takes Go") {
		t.Errorf("OpenTofu that is not on PATH: %v", err)
	}
	t.Setenv(TerraformVariable, "/nonexistent/terraform")
	if _, err := tools.Terraform(t.Context()); err == nil || !strings.Contains(err.Error(), TerraformVariable) {
		t.Errorf("one that is not there: %v", err)
	}
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	got := environment([]string{"A=1", "B=2", "C=3"}, []string{"B", "X"}, "D=4")
	if strings.Join(got, " ") != "A=1 C=3 D=4" {
		t.Errorf("got %v", got)
	}
}
