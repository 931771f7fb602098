package toolchain

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/process"
)

// goProgram is a program that is built from a module of its own below the tools folder. That module's go.sum
// pins its source; go checks what it downloads against it.
type goProgram struct {
	title   string
	name    string // of the binary and of the folder below tools
	pkg     string
	ldflags string
}

var (
	versitygw = goProgram{
		title:   "versitygw (the S3 server)",
		name:    "versitygw",
		pkg:     "github.com/versity/versitygw/cmd/versitygw",
		ldflags: "-s -w",
	}
	tofu = goProgram{
		title: "OpenTofu",
		name:  "tofu",
		pkg:   "github.com/opentofu/opentofu/cmd/tofu",
		// Without the flag it calls itself a development version.
		ldflags: "-s -w -X github.com/opentofu/opentofu/version.dev=no",
	}
)

// Versitygw returns the path of the S3 server's program.
func (t *Toolchain) Versitygw(ctx context.Context) (string, error) { return t.build(ctx, versitygw) }

// OpenTofu returns the path of an OpenTofu built from its Go module. The first build takes minutes.
func (t *Toolchain) OpenTofu(ctx context.Context) (string, error) { return t.build(ctx, tofu) }

func (t *Toolchain) build(ctx context.Context, program goProgram) (string, error) {
	module := filepath.Join(t.repository, "tools", program.name)
	key, err := program.key(module)
	if err != nil {
		return "", err
	}
	directory, err := t.cache.fill(ctx, key, program.title, func(ctx context.Context, directory string) error {
		return t.progress.step(ctx, "building "+program.title, func(ctx context.Context, s *step) error {
			return program.build(ctx, s, module, directory)
		})
	})
	if err != nil {
		return "", err
	}
	return filepath.Join(directory, program.name), nil
}

// key changes with everything that decides what is built: the pins, the flags, the platform.
func (p goProgram) key(module string) (string, error) {
	described := fmt.Appendf(nil, "%s %s %s/%s\n", p.pkg, p.ldflags, runtime.GOOS, runtime.GOARCH)
	for _, name := range []string{"go.mod", "go.sum"} {
		content, err := os.ReadFile(filepath.Join(module, name))
		if err != nil {
			return "", fmt.Errorf("reading the pins of %s: %w", p.title, err)
		}
		described = append(fmt.Appendf(described, "%s %d\n", name, len(content)), content...)
	}
	digest := sha256.Sum256(described)
	return p.name + "-" + hex.EncodeToString(digest[:])[:12], nil
}

func (p goProgram) build(ctx context.Context, s *step, module, directory string) error {
	compiler, err := exec.LookPath("go")
	if err != nil {
		return fmt.Errorf("building %s takes Go, which is not on PATH: install Go 1.26 or later (https://go.dev/doc/install)", p.title)
	}
	binary := filepath.Join(directory, p.name)
	err = process.Run(ctx, process.Command{
		Name: "go build of " + p.title,
		Path: compiler,
		Args: []string{"build", "-mod=readonly", "-buildvcs=false", "-trimpath", "-ldflags", p.ldflags, "-o", binary, p.pkg},
		Dir:  module,
		Env: environment(os.Environ(), []string{"GOOS", "GOARCH", "GOFLAGS", "GOEXPERIMENT"},
			"CGO_ENABLED=0", "GOWORK=off", "PWD="+module),
		Output: s,
	})
	var ended *process.EndedError
	if errors.As(err, &ended) && mentionsNetwork(ended.Tail) {
		return fmt.Errorf("%w\nGo could not download the modules; where they cannot be reached directly, "+
			"set GOPROXY to a module proxy that can", err)
	}
	return err
}

// mentionsNetwork guesses from a program's output whether it failed for want of a network.
func mentionsNetwork(output string) bool {
	output = strings.ToLower(output)
	for _, sign := range []string{"dial tcp", "no such host", "connection refused", "i/o timeout", "temporary failure in name resolution",
		"module lookup disabled", "network is unreachable", "connectionerror", "max retries exceeded", "could not find a version"} {
		if strings.Contains(output, sign) {
			return true
		}
	}
	return false
}

// environment returns the variables without those named, and with those added.
func environment(base, without []string, added ...string) []string {
	var result []string
	for _, variable := range base {
		name, _, _ := strings.Cut(variable, "=")
		keep := true
		for _, drop := range without {
			keep = keep && name != drop
		}
		if keep {
			result = append(result, variable)
		}
	}
	return append(result, added...)
}
