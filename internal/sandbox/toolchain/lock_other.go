//go:build !unix

package toolchain

import (
	"errors"
	"os"
)

func tryLock(*os.File) (bool, error) {
	return false, errors.New("the sandbox runs on Linux: this system has no lock for its cache")
}
