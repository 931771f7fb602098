//go:build unix

package process

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

var errTaken = errors.New("taken by another process")

// lockDirectory locks a directory of this user's for as long as the returned file is open. The lock does not pass to
// child processes. It fails with errTaken when another process holds the lock or has removed the directory.
func lockDirectory(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil, errTaken
	}
	if err != nil {
		return nil, err
	}
	if err := lockOpened(file, path); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

func lockOpened(file *os.File, path string) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); !ok || int(stat.Uid) != os.Geteuid() {
		return fmt.Errorf("%s belongs to another user", path)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return errTaken
		}
		return err
	}
	now, err := os.Lstat(path)
	if err != nil || !os.SameFile(info, now) {
		return errTaken
	}
	return nil
}
