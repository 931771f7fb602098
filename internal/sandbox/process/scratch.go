package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

const (
	scratchPrefix   = "lakeland-sandbox-"
	scratchAttempts = 16
)

// Scratch is a throw-away directory. Its owner holds a lock on it, so that the directory of a process that
// was killed is recognised and removed by the next NewScratch of the same user.
type Scratch struct {
	path   string
	lock   *os.File
	once   sync.Once
	closed error
}

// NewScratch makes a directory for the named part. Run by root, the directory lies where other users can
// reach what is in it, and they may pass through it but not list it.
func NewScratch(part string) (*Scratch, error) {
	base, mode, err := scratchBase()
	if err != nil {
		return nil, err
	}
	sweep(base)
	for range scratchAttempts {
		path, err := os.MkdirTemp(base, scratchPrefix+part+"-")
		if err != nil {
			return nil, fmt.Errorf("making a throw-away directory for %s: %w; TMPDIR chooses another place", part, err)
		}
		lock, err := lockDirectory(path)
		if errors.Is(err, errTaken) {
			continue // another process took it for an abandoned one, between these two lines
		}
		if err == nil {
			err = os.Chmod(path, mode)
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("making a throw-away directory for %s: %w", part, err), os.RemoveAll(path))
		}
		return &Scratch{path: path, lock: lock}, nil
	}
	return nil, fmt.Errorf("making a throw-away directory for %s in %s: none could be locked", part, base)
}

// Path is the directory.
func (s *Scratch) Path() string { return s.path }

// Close removes the directory and all that is in it. It may be called more than once.
func (s *Scratch) Close() error {
	s.once.Do(func() {
		err := os.RemoveAll(s.path)
		if err != nil {
			err = fmt.Errorf("removing %s: %w", s.path, err)
		}
		s.closed = errors.Join(err, s.lock.Close())
	})
	return s.closed
}

// scratchBase is where throw-away directories go.
func scratchBase() (string, fs.FileMode, error) {
	if os.Geteuid() != 0 {
		return os.TempDir(), 0o700, nil
	}
	candidates := []string{os.TempDir(), "/tmp", "/var/tmp"}
	for _, candidate := range candidates {
		if Reachable(candidate) {
			return candidate, 0o711, nil
		}
	}
	return "", 0, fmt.Errorf("no directory for throw-away files that users other than root can reach among %s: "+
		"set TMPDIR to one", strings.Join(candidates, ", "))
}

// Reachable tells whether every user may pass through the directory and all above it.
func Reachable(path string) bool {
	path, err := filepath.Abs(path)
	if err != nil {
		return false
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return false
	}
	for {
		info, err := os.Stat(path)
		if err != nil || !info.IsDir() || info.Mode().Perm()&0o001 == 0 {
			return false
		}
		parent := filepath.Dir(path)
		if parent == path {
			return true
		}
		path = parent
	}
}

// sweep removes the directories of processes that ended without removing them. It is a courtesy: what it
// cannot remove it leaves.
func sweep(base string) {
	entries, err := os.ReadDir(base)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if !entry.IsDir() || !strings.HasPrefix(entry.Name(), scratchPrefix) {
			continue
		}
		path := filepath.Join(base, entry.Name())
		lock, err := lockDirectory(path)
		if err != nil {
			continue // in use, or another user's
		}
		_ = os.RemoveAll(path)
		_ = lock.Close()
	}
}
