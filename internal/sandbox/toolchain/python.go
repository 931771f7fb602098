package toolchain

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/process"
)

// oldestPython is the oldest Python 3 that the pinned packages support.
const oldestPython = 11

// interpreter is a Python that was found, described by itself.
type interpreter struct {
	Path    string `json:"-"`
	Minor   int    `json:"minor"`
	Version string `json:"version"`
	Base    string `json:"base"`    // the installation it belongs to
	Machine string `json:"machine"` // decides which wheels fit
	Venv    bool   `json:"venv"`
}

const describePython = `
import importlib.util, json, sys, sysconfig
found = lambda name: importlib.util.find_spec(name) is not None
print(json.dumps({"minor": sys.version_info.minor if sys.version_info.major == 3 else -1, "version": sys.version,
    "base": sys.base_exec_prefix, "machine": sysconfig.get_platform(), "venv": found("venv") and found("ensurepip")}))
`

// compileUsed imports what the sandbox uses: that compiles it, and shows that the packages work together.
// To compile all that is installed takes a quarter of a minute.
const compileUsed = `
import boto3, duckdb, moto.server, pyarrow.parquet, pyiceberg.catalog.glue, pyiceberg.table
from moto.backends import get_backend
for service in ("cloudwatch", "dynamodb", "events", "iam", "kms", "logs", "scheduler", "secretsmanager", "sns", "sqs", "sts"):
    get_backend(service)
`

// packages are what a virtual environment holds.
type packages struct {
	// title names the environment in messages, what is in it on the terminal.
	title, what string
	// file is in tools/python; prefix begins the cache's entry.
	file, prefix string
	// source, where set, names packages in tools/python that are published as source alone: they are built with
	// what the file has installed.
	source string
	// compile is a program that imports what will be used.
	compile string
}

var (
	sandboxPackages = packages{"the Python environment", "moto, DuckDB, PyIceberg", "requirements.txt", "python-", "", compileUsed}
	peerPackages    = packages{"the benchmark's peers", "DuckDB's scanner, ADBC, ConnectorX", "bench.txt", "peers-", "", "import adbc_driver_postgresql.dbapi, connectorx, duckdb, duckdb_extension_postgres_scanner, pyarrow.parquet\n"}
)

// Python returns the interpreter of the virtual environment that tools/python/requirements.txt describes.
// Run modules with it (python -m): the environment has no scripts.
func (t *Toolchain) Python(ctx context.Context) (string, error) {
	return t.python(ctx, sandboxPackages)
}

// Peers returns the interpreter of the virtual environment with the tools that the engine is measured beside.
func (t *Toolchain) Peers(ctx context.Context) (string, error) { return t.python(ctx, peerPackages) }

func (t *Toolchain) python(ctx context.Context, p packages) (string, error) {
	pins, err := p.pins(t.repository)
	if err != nil {
		return "", err
	}
	base, err := findPython(ctx)
	if err != nil {
		return "", err
	}
	digest := sha256.Sum256(fmt.Appendf(pins, "\n%s\n%s\n%s", base.Version, base.Base, base.Machine))
	key := p.prefix + hex.EncodeToString(digest[:])[:12]
	directory, err := t.cache.fill(ctx, key, p.title, func(ctx context.Context, directory string) error {
		return t.progress.step(ctx, "installing "+p.title+" ("+p.what+"; Python 3."+strconv.Itoa(base.Minor)+")",
			func(ctx context.Context, s *step) error {
				return base.install(ctx, s, p, t.repository, directory)
			})
	})
	if err != nil {
		return "", err
	}
	return filepath.Join(directory, "bin", "python"), nil
}

// pins is what the files of the packages say.
func (p packages) pins(repository string) ([]byte, error) {
	var all []byte
	for _, file := range []string{p.file, p.source} {
		if file == "" {
			continue
		}
		pins, err := os.ReadFile(p.path(repository, file))
		if err != nil {
			return nil, fmt.Errorf("reading the pins of %s: %w", p.title, err)
		}
		all = append(all, pins...)
	}
	return all, nil
}

func (p packages) path(repository, file string) string {
	return filepath.Join(repository, "tools", "python", file)
}

// findPython looks for an interpreter that is new enough, the plain name first.
func findPython(ctx context.Context) (interpreter, error) {
	if named := os.Getenv(PythonVariable); named != "" {
		found, err := inspectPython(ctx, named)
		if err != nil {
			return interpreter{}, fmt.Errorf("%s=%s: %w", PythonVariable, named, err)
		}
		return found, nil
	}
	var reasons []error
	for _, name := range []string{"python3", "python3.13", "python3.12", "python3.11", "python3.14"} {
		found, err := inspectPython(ctx, name)
		if err == nil {
			return found, nil
		}
		if !errors.Is(err, exec.ErrNotFound) {
			reasons = append(reasons, err)
		}
		if err := ctx.Err(); err != nil {
			return interpreter{}, err
		}
	}
	if reasons == nil {
		reasons = []error{errors.New("no python3 is on PATH")}
	}
	return interpreter{}, fmt.Errorf("the sandbox takes Python 3.%d or later with its venv module (Debian, Ubuntu: "+
		"apt install python3-venv; Fedora: dnf install python3), or %s naming one: %w", oldestPython, PythonVariable, errors.Join(reasons...))
}

func inspectPython(ctx context.Context, name string) (interpreter, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return interpreter{}, err
	}
	command := exec.CommandContext(ctx, path, "-I", "-c", describePython)
	output, err := command.Output()
	found := interpreter{Path: path}
	if err == nil {
		err = json.Unmarshal(output, &found)
	}
	switch {
	case err != nil:
		return interpreter{}, fmt.Errorf("%s does not run: %w", path, err)
	case found.Minor < oldestPython:
		return interpreter{}, fmt.Errorf("%s is Python %s", path, strings.Fields(found.Version)[0])
	case !found.Venv:
		return interpreter{}, fmt.Errorf("%s lacks its venv or ensurepip module; on Debian and Ubuntu they are in python3.%d-venv",
			path, found.Minor)
	}
	return found, nil
}

// elsewhere are variables that would have pip and Python use other directories or other requirements.
var elsewhere = []string{
	"PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "VIRTUAL_ENV",
	"PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_REQUIREMENT", "PIP_CONSTRAINT", "PIP_REQUIRE_VIRTUALENV",
}

// install makes the virtual environment in a directory that will be renamed: what names the directory is
// taken out again.
func (i interpreter) install(ctx context.Context, s *step, p packages, repository, directory string) error {
	variables := environment(os.Environ(), elsewhere, "PIP_DISABLE_PIP_VERSION_CHECK=1", "PIP_NO_INPUT=1")
	s.detail("creating it")
	if err := process.Run(ctx, process.Command{
		Name: "python -m venv", Path: i.Path, Args: []string{"-m", "venv", directory}, Env: variables,
	}); err != nil {
		return fmt.Errorf("%w\non Debian and Ubuntu the venv module is in the package python3.%d-venv", err, i.Minor)
	}
	python := filepath.Join(directory, "bin", "python")
	if err := pip(ctx, s, python, variables, p.path(repository, p.file), "--only-binary", ":all:", "--no-compile"); err != nil {
		return err
	}
	if p.source != "" {
		s.detail("building " + p.source)
		if err := pip(ctx, s, python, variables, p.path(repository, p.source), "--no-build-isolation", "--no-compile"); err != nil {
			return err
		}
	}
	s.detail("compiling what will be used")
	if err := process.Run(ctx, process.Command{
		Name: "python", Path: python, Args: []string{"-I", "-c", p.compile}, Env: variables,
	}); err != nil {
		return fmt.Errorf("trying the packages of %s: %w", p.path(repository, p.file), err)
	}
	return removeScripts(filepath.Join(directory, "bin"))
}

// pip installs what a file pins.
func pip(ctx context.Context, s *step, python string, variables []string, requirements string, how ...string) error {
	err := process.Run(ctx, process.Command{
		Name:   "pip install of " + requirements,
		Path:   python,
		Args:   append([]string{"-m", "pip", "install", "--require-hashes", "--no-deps", "--progress-bar", "off", "-r", requirements}, how...),
		Env:    variables,
		Output: s,
	})
	var ended *process.EndedError
	if errors.As(err, &ended) && mentionsNetwork(ended.Tail) {
		return fmt.Errorf("%w\npip could not get the packages; where the Python package index cannot be reached directly, "+
			"point pip to one that can (PIP_INDEX_URL or pip's configuration)", err)
	}
	return err
}

// removeScripts leaves only the interpreter: scripts begin with the path of the directory they were made in.
func removeScripts(directory string) error {
	entries, err := os.ReadDir(directory)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), "python") {
			continue
		}
		if err := os.RemoveAll(filepath.Join(directory, entry.Name())); err != nil {
			return err
		}
	}
	return nil
}
