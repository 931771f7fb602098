package toolchain

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Environment variables that change where the parts come from.
const (
	// CacheVariable names the cache directory; without it, it is "lakeland" in the user's cache directory.
	CacheVariable = "LAKELAND_CACHE"
	// MavenVariable is the base address of the Maven repository that the archives come from.
	MavenVariable = "LAKELAND_MAVEN_REPOSITORY"
	// PythonVariable is the Python interpreter to build the virtual environment from.
	PythonVariable = "LAKELAND_PYTHON"
	// TerraformVariable is the terraform or tofu program to use; "tofu" is built where PATH has none.
	TerraformVariable = "LAKELAND_TERRAFORM"
)

const modulePath = "github.com/lakeland/terraform-provider-lakeland"

// Options configure a Toolchain. The zero value is what tests and commands use.
type Options struct {
	// Cache is the cache directory; empty means what CacheVariable says, or the default.
	Cache string
	// Repository is the directory of the repository, whose tools folder holds the pins; empty means the
	// one around the working directory.
	Repository string
	// Progress is told what is being fetched and built; nil means standard error.
	Progress io.Writer
}

// Toolchain obtains programs and keeps them in the cache. Its methods may be called from several goroutines
// and processes at once.
type Toolchain struct {
	cache      cache
	repository string
	progress   *progress
	maven      string // base address
	archives   []archive
}

// New finds the cache directory and the repository. It fetches nothing yet.
func New(options Options) (*Toolchain, error) {
	directory, err := cacheDirectory(options.Cache)
	if err != nil {
		return nil, err
	}
	repository := options.Repository
	if repository == "" {
		if repository, err = findRepository(); err != nil {
			return nil, err
		}
	}
	output := options.Progress
	if output == nil {
		output = os.Stderr
	}
	maven := os.Getenv(MavenVariable)
	if maven == "" {
		maven = defaultMavenRepository
	}
	reporter := newProgress(output)
	return &Toolchain{
		cache:      cache{directory: directory, progress: reporter},
		repository: repository,
		progress:   reporter,
		maven:      maven,
		archives:   postgresArchives,
	}, nil
}

// Cache is the cache directory.
func (t *Toolchain) Cache() string { return t.cache.directory }

func cacheDirectory(directory string) (string, error) {
	if directory == "" {
		directory = os.Getenv(CacheVariable)
	}
	if directory == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("finding the cache directory: %w; set %s to a directory", err, CacheVariable)
		}
		directory = filepath.Join(base, "lakeland")
	}
	absolute, err := filepath.Abs(directory)
	if err != nil {
		return "", fmt.Errorf("finding the cache directory %s: %w", directory, err)
	}
	return absolute, nil
}

// findRepository walks up from the working directory to the directory whose go.mod is this module's.
func findRepository() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("finding the repository: %w", err)
	}
	for directory := start; ; directory = filepath.Dir(directory) {
		found, err := declaresModule(filepath.Join(directory, "go.mod"))
		if err != nil {
			return "", fmt.Errorf("finding the repository: %w", err)
		}
		if found {
			return directory, nil
		}
		if filepath.Dir(directory) == directory {
			return "", fmt.Errorf("neither %s nor a directory above it holds the go.mod of %s: "+
				"run this inside a clone of the repository, whose tools folder pins the programs", start, modulePath)
		}
	}
}

func declaresModule(path string) (found bool, err error) {
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	scanner := bufio.NewScanner(file)
	for scanner.Scan() {
		fields := strings.Fields(scanner.Text())
		if len(fields) == 2 && fields[0] == "module" {
			return fields[1] == modulePath, nil
		}
	}
	return false, scanner.Err()
}
