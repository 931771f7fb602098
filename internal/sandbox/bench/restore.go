package bench

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// state is what a folder held at some time, for what has been done in it since to be seen and undone.
type state struct {
	folder string
	// files are by their paths. Data files are written once and have no content here.
	files map[string][]byte
}

func data(path string) bool { return strings.HasSuffix(path, ".parquet") }

// remember notes what a folder holds.
func remember(folder string) (*state, error) {
	s := &state{folder: folder, files: map[string][]byte{}}
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		s.files[path] = nil
		if !data(path) {
			s.files[path], err = os.ReadFile(path)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the folder %s: %w", folder, err)
	}
	return s, nil
}

// added are the paths of files that have come since, in order, and their bytes.
func (s *state) added() (paths []string, size int64, err error) {
	err = filepath.Walk(s.folder, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		if _, known := s.files[path]; !known {
			paths, size = append(paths, path), size+info.Size()
		}
		return nil
	})
	if err != nil {
		return nil, 0, fmt.Errorf("reading the folder %s: %w", s.folder, err)
	}
	slices.Sort(paths)
	return paths, size, nil
}

// restore makes the folder hold again what it did. A data file that is gone cannot be brought back.
func (s *state) restore() error {
	paths, _, err := s.added()
	if err != nil {
		return err
	}
	var errs []error
	for _, path := range paths {
		errs = append(errs, os.Remove(path))
	}
	for path, content := range s.files {
		if data(path) {
			_, err := os.Stat(path)
			errs = append(errs, err)
			continue
		}
		if now, err := os.ReadFile(path); err == nil && bytes.Equal(now, content) {
			continue
		}
		errs = append(errs, os.WriteFile(path, content, 0o644))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("putting back the folder %s: %w", s.folder, err)
	}
	return nil
}
