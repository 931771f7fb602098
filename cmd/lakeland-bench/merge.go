package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"

	"github.com/oklog/ulid/v2"
	"github.com/spf13/cobra"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/merge"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/parquet"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// fileBytes is the size up to which a run fills files.
const fileBytes = 256 << 20

// merged is what a merge has come to, for checking.
type merged struct {
	Inserted int64 `json:"inserted"`
	Updated  int64 `json:"updated"`
	Removed  int   `json:"removed"`
	Added    int   `json:"added"`
	Deletes  int   `json:"deletes"`
}

func mergeCommand() *cobra.Command {
	var in place
	var changes, profile string
	var onRead bool
	var full int64
	c := &cobra.Command{
		Use: "merge --lake DIR --changes FOLDER", Short: "Merge a folder's files of changes into the table and commit, as a run does", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			if profile != "" {
				file, err := os.Create(profile)
				if err != nil {
					return fmt.Errorf("--cpuprofile: %w", err)
				}
				defer func() { err = errors.Join(err, file.Close()) }()
				if err := pprof.StartCPUProfile(file); err != nil {
					return fmt.Errorf("--cpuprofile: %w", err)
				}
				defer pprof.StopCPUProfile()
			}
			l, err := in.open(nil)
			if err != nil {
				return err
			}
			out, err := l.merge(c.Context(), changes, full, onRead)
			if err != nil {
				return err
			}
			return answer(c, out)
		},
	}
	in.flags(c)
	c.Flags().StringVar(&changes, "changes", "", "folder of the files of changes, by its path in the lake")
	c.Flags().BoolVar(&onRead, "on-read", false, "name replaced rows in files of positions, instead of writing their files anew")
	c.Flags().Int64Var(&full, "file-bytes", fileBytes, "size up to which files are filled")
	c.Flags().StringVar(&profile, "cpuprofile", "", "file to write a profile of the processor's time to (for pprof)")
	return c
}

// merge does what a run does behind its extraction: it reads the head and its manifests, merges, and commits.
func (l *lake) merge(ctx context.Context, changes string, full int64, onRead bool) (*merged, error) {
	head, err := l.target.Head(ctx)
	if err != nil {
		return nil, err
	}
	files, err := l.changeFiles(ctx, changes)
	if err != nil {
		return nil, err
	}
	loaded, err := merge.Load(ctx, l.store, &head.Schema, files, nil)
	if err != nil {
		return nil, err
	}
	stored, err := l.target.Files(ctx, head)
	if err != nil {
		return nil, err
	}
	made := checkpoint(head.Schema, head, ulid.Make().String())
	m := merge.Merge{
		Store: l.store, Schema: head.Schema, Files: stored, Changes: loaded, ChangeFiles: files, Version: version, Parallel: max(runtime.GOMAXPROCS(0), 1), FileBytes: full, OnRead: onRead,
		Keys: func(unit string) (string, string) { return l.target.DataKeys(head, made.Attempt, "t0-"+unit) },
	}
	outcome, err := m.Run(ctx)
	if err != nil {
		return nil, err
	}
	made.Counts = table.Counts{Seen: int64(loaded.Rows()), Inserted: outcome.Inserted, Updated: outcome.Updated}
	change := table.Change{Schema: head.Schema, Remove: outcome.Remove, Add: outcome.Add, AddDeletes: outcome.AddDeletes, Checkpoint: made}
	if _, err := l.target.Commit(ctx, head, change); err != nil {
		return nil, err
	}
	return &merged{Inserted: outcome.Inserted, Updated: outcome.Updated, Removed: len(outcome.Remove), Added: len(outcome.Add), Deletes: len(outcome.AddDeletes)}, nil
}

// changeFiles describes the files of changes. A run knows them from their extraction; here their footers tell.
func (l *lake) changeFiles(ctx context.Context, folder string) ([]table.DataFile, error) {
	paths, err := filepath.Glob(filepath.Join(l.folder, filepath.FromSlash(folder), "*.parquet"))
	if err != nil || len(paths) == 0 {
		return nil, errors.Join(err, fmt.Errorf("--changes: there are no files in %s", folder))
	}
	files := make([]table.DataFile, len(paths))
	for i, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("--changes: %w", err)
		}
		files[i] = table.DataFile{Key: folder + "/" + filepath.Base(path), File: parquet.File{Size: info.Size()}}
		r, err := parquet.Open(ctx, l.store, files[i].Key, info.Size())
		if err != nil {
			return nil, err
		}
		for group := range r.RowGroups() {
			files[i].File.Rows += int64(r.Rows(group))
		}
	}
	return files, nil
}
