package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/spf13/cobra"
)

// execute runs a command and reads what it prints.
func execute(t *testing.T, c *cobra.Command, answer any, arguments ...string) {
	t.Helper()
	var out bytes.Buffer
	c.SetOut(&out)
	c.SetArgs(arguments)
	if err := c.ExecuteContext(t.Context()); err != nil {
		t.Fatalf("%s %v: %v", c.Name(), arguments, err)
	}
	if answer == nil {
		return
	}
	if err := json.Unmarshal(out.Bytes(), answer); err != nil {
		t.Fatalf("%s: %v: %s", c.Name(), err, out.Bytes())
	}
}

// A generated table of either format is merged into, and its catalogue names the outcome to the next process.
func TestMergeIntoGeneratedTable(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"iceberg", "hudi"} {
		in := []string{"--lake", t.TempDir(), "--format", format}
		execute(t, generateCommand(), nil, append(in, "--rows", "20000", "--changes", "200")...)
		var before, after listed
		execute(t, filesCommand(), &before, in...)
		var out merged
		execute(t, mergeCommand(), &out, append(in, "--changes", "changes")...)
		if out != (merged{Updated: 200, Removed: 1, Added: 1}) {
			t.Errorf("%s: %+v", format, out)
		}
		execute(t, filesCommand(), &after, in...)
		if len(before.Files) != 1 || len(after.Files) != 1 || before.Files[0] == after.Files[0] || after.Deletes != nil {
			t.Errorf("%s: from %v to %v", format, before, after)
		}
		for _, path := range after.Files {
			if _, err := os.Stat(path); err != nil {
				t.Error(err)
			}
		}
	}
}

// A merge on read leaves the file, and names its rows that are no longer there.
func TestMergeOnRead(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	execute(t, generateCommand(), nil, "--lake", folder, "--rows", "20000", "--changes", "200")
	var out merged
	execute(t, mergeCommand(), &out, "--lake", folder, "--changes", "changes", "--on-read")
	if out != (merged{Updated: 200, Added: 1, Deletes: 1}) {
		t.Errorf("%+v", out)
	}
	var after listed
	execute(t, filesCommand(), &after, "--lake", folder)
	if len(after.Files) != 2 || len(after.Deletes) != 1 {
		t.Errorf("%+v", after)
	}
}

func TestCommitsAreCleaned(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	var seconds []float64
	execute(t, commitsCommand(), &seconds, "--lake", folder, "--count", "15", "--every", "36h")
	if len(seconds) != 15 {
		t.Errorf("%d commits", len(seconds))
	}
	files, err := filepath.Glob(filepath.Join(folder, "table", "data", "*.parquet"))
	if err != nil || len(files) > 12 {
		t.Errorf("%d files are left, %v", len(files), err)
	}
}
