package toolchain

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// maxTrinoBytes bounds what Trino's archive holds.
const maxTrinoBytes = 2 << 30

// trinoPlugins are kept of Trino's plugins: one that is there is loaded at each start.
var trinoPlugins = []string{"hive", "hudi", "iceberg"}

// unpackTrino unpacks Trino's archive into the directory, takes the plugins out that are not needed, and removes the
// archive where it lies in that directory.
func unpackTrino(ctx context.Context, file, directory string) error {
	if err := unpackGzip(ctx, file, directory); err != nil {
		return fmt.Errorf("unpacking %s: %w", file, err)
	}
	if filepath.Dir(file) == directory {
		if err := os.Remove(file); err != nil {
			return err
		}
	}
	// The files of one plugin are links to those of another, so all are unpacked first.
	plugins := filepath.Join(directory, "trino-server-"+TrinoVersion, "plugin")
	entries, err := os.ReadDir(plugins)
	if err != nil {
		return fmt.Errorf("looking for Trino's plugins: %w", err)
	}
	for _, entry := range entries {
		if slices.Contains(trinoPlugins, entry.Name()) {
			continue
		}
		if err := os.RemoveAll(filepath.Join(plugins, entry.Name())); err != nil {
			return err
		}
	}
	return nil
}

func unpackGzip(ctx context.Context, file, directory string) (err error) {
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	plain, err := gzip.NewReader(bufio.NewReaderSize(in, readBuffer))
	if err != nil {
		return err
	}
	return unpackTar(ctx, plain, directory, maxTrinoBytes, maxUnpackedFiles)
}
