//go:build !unix

package process

import (
	"errors"
	"os"
)

var errTaken = errors.New("taken by another process")

// lockDirectory does not lock where directories cannot be: abandoned ones stay, and none in use is removed.
func lockDirectory(string) (*os.File, error) {
	return nil, errors.New("the sandbox runs on Linux: this system has no lock for its directories")
}
