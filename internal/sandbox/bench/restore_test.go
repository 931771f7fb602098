package bench

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// What a merge has written, and what it has written over, is put back.
func TestFoldersArePutBack(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("a.parquet", "rows")
	hint := write("hint", "1")
	gone := write("gone", "x")
	s, err := remember(folder)
	if err != nil {
		t.Fatal(err)
	}
	added := []string{write("b.parquet", "more rows"), write("v2", "22")}
	write("hint", "2")
	if err := os.Remove(gone); err != nil {
		t.Fatal(err)
	}
	paths, size, err := s.added()
	if err != nil || !slices.Equal(paths, added) || size != 11 {
		t.Errorf("%v, %d, %v", paths, size, err)
	}
	if err := s.restore(); err != nil {
		t.Fatal(err)
	}
	if paths, _, err := s.added(); err != nil || len(paths) > 0 {
		t.Errorf("left: %v, %v", paths, err)
	}
	for path, want := range map[string]string{hint: "1", gone: "x"} {
		if got, err := os.ReadFile(path); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", path, got, err)
		}
	}
	if err := os.Remove(filepath.Join(folder, "a.parquet")); err != nil {
		t.Fatal(err)
	}
	if err := s.restore(); err == nil {
		t.Error("a data file that is gone was not missed")
	}
}

// A merger's rows lie in what it has written, and in the files that it says to have left.
func TestFilesBehindAMerge(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		m       merger
		printed string
		want    []string
	}{
		{merger{prints: true}, `["/lake/1.parquet"]`, []string{"/lake/1.parquet", "/out/x.parquet"}},
		{merger{}, "anything", []string{"/out/x.parquet"}},
		{merger{prints: true}, "anything", nil},
	} {
		got, err := tc.m.files([]string{"/out/log", "/out/x.parquet"}, []byte(tc.printed))
		if !slices.Equal(got, tc.want) || (err != nil) != (tc.want == nil) {
			t.Errorf("%q: %v, %v", tc.printed, got, err)
		}
	}
}
