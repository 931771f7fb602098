package toolchain

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

const lockPoll = 100 * time.Millisecond

// cache is a directory of entries. The directory of an entry appears by rename when it is complete.
type cache struct {
	directory string
	progress  *progress
}

// fill returns the directory of the entry, and makes it first where it is missing: build puts the content
// into the directory it is given. One process at a time makes an entry; the others wait for it.
func (c cache) fill(ctx context.Context, key, title string, build func(ctx context.Context, directory string) error) (string, error) {
	entry := filepath.Join(c.directory, key)
	if isDirectory(entry) {
		return entry, nil
	}
	unlock, err := c.lock(ctx, key, title)
	if err != nil {
		return "", err
	}
	defer unlock()
	if isDirectory(entry) {
		return entry, nil
	}
	return entry, c.makeEntry(ctx, key, entry, build)
}

func (c cache) makeEntry(ctx context.Context, key, entry string, build func(ctx context.Context, directory string) error) (err error) {
	partial := filepath.Join(c.directory, "partial", key)
	// Only the holder of the entry's lock writes here: what lies here is of a process that was killed.
	if err := os.RemoveAll(partial); err != nil {
		return fmt.Errorf("clearing the cache entry %s: %w", key, err)
	}
	if err := os.MkdirAll(partial, 0o755); err != nil {
		return fmt.Errorf("making a cache entry: %w; %s chooses another cache directory", err, CacheVariable)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(partial))
		}
	}()
	if err := build(ctx, partial); err != nil {
		return err
	}
	if err := os.Chmod(partial, 0o755); err != nil {
		return fmt.Errorf("making the cache entry %s: %w", key, err)
	}
	if err := os.Rename(partial, entry); err != nil {
		return fmt.Errorf("making the cache entry %s: %w", key, err)
	}
	return nil
}

// lock waits until no other process makes the entry.
func (c cache) lock(ctx context.Context, key, title string) (unlock func(), err error) {
	locks := filepath.Join(c.directory, "locks")
	if err := os.MkdirAll(locks, 0o755); err != nil {
		return nil, fmt.Errorf("opening the cache: %w; %s chooses another cache directory", err, CacheVariable)
	}
	path := filepath.Join(locks, key)
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("locking the cache entry %s: %w", key, err)
	}
	unlock = func() { _ = file.Close() }
	locked, err := tryLock(file)
	if err == nil && !locked {
		err = c.progress.step(ctx, "waiting for another process: "+title, func(ctx context.Context, _ *step) error {
			return awaitLock(ctx, file)
		})
	}
	if err != nil {
		unlock()
		return nil, fmt.Errorf("locking the cache entry %s (%s): %w", key, path, err)
	}
	return unlock, nil
}

// awaitLock polls, since a blocking lock would not end with the context.
func awaitLock(ctx context.Context, file *os.File) error {
	ticker := time.NewTicker(lockPoll)
	defer ticker.Stop()
	for {
		if locked, err := tryLock(file); err != nil || locked {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

func isDirectory(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
