package process

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

func TestScratch(t *testing.T) {
	t.Parallel()
	scratch, err := NewScratch("test")
	if err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 && !Reachable(scratch.Path()) {
		t.Errorf("other users cannot reach %s, made by root", scratch.Path())
	}
	if err := os.WriteFile(filepath.Join(scratch.Path(), "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	other, err := NewScratch("test")
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(scratch.Path()); err != nil {
		t.Errorf("a directory in use was removed: %v", err)
	}
	if err := scratch.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(scratch.Path()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the directory is still there: %v", err)
	}
	if err := scratch.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
}

func TestScratchOfAKilledProcessIsRemoved(t *testing.T) {
	t.Parallel()
	owner, path := helper(t, "scratch")
	scratch, err := NewScratch("test")
	if err != nil {
		t.Fatal(err)
	}
	if err := scratch.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("the directory of a running process: %v", err)
	}
	if err := owner.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = owner.Wait()
	// Another process that makes a directory now may be removing it already.
	eventually(t, "the removal of a killed process's directory", func() bool {
		scratch, err := NewScratch("test")
		if err == nil {
			err = scratch.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		_, err = os.Stat(path)
		return errors.Is(err, os.ErrNotExist)
	})
}

// Directories that are being made are not mistaken for abandoned ones.
func TestScratchesMadeAtOnce(t *testing.T) {
	t.Parallel()
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 20 {
				scratch, err := NewScratch("test")
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := os.Stat(scratch.Path()); err != nil {
					t.Error(err)
				}
				if err := scratch.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
}

func TestReachable(t *testing.T) {
	t.Parallel()
	closed := t.TempDir()
	if err := os.Chmod(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	if Reachable(closed) || Reachable(filepath.Join(closed, "missing")) {
		t.Error("a closed directory is reachable")
	}
	if !Reachable("/usr") {
		t.Error("/usr is not reachable")
	}
}
