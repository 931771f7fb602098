package spark

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/toolchain"
)

// fakeSession starts a session whose program is a shell script in place of Python with Spark.
func fakeSession(t *testing.T, script string) (*Session, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "python")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	s, err := Start(t.Context(), Options{Installation: toolchain.Spark{Python: path}})
	if err == nil {
		t.Cleanup(func() {
			if err := s.Stop(); err != nil {
				t.Error(err)
			}
			if _, err := os.Stat(s.scratch.Path()); !os.IsNotExist(err) {
				t.Errorf("its folder is still there: %v", err)
			}
		})
	}
	return s, err
}

const talk = `
echo '{"count": 0}'
while read line; do
  echo "log of $line" >&2
  case "$line" in
    *broken*) echo '{"error": "[PARSE] broken"}' ;;
    *hangs*) sleep 1000 ;;
    *dies*) echo "out of memory" >&2; exit 3 ;;
    *) echo '{"columns": [["id", "int"]], "count": 1, "rows": [["7"]]}' ;;
  esac
done`

func TestSession(t *testing.T) {
	t.Parallel()
	s, err := fakeSession(t, talk)
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Query(t.Context(), "SELECT 7")
	if err != nil || got.Count != 1 || *got.Rows[0][0] != "7" {
		t.Errorf("%+v, %v", got, err)
	}
	if err := s.Execute(t.Context(), "broken"); err == nil || err.Error() != "Spark, broken: [PARSE] broken" {
		t.Errorf("got %v", err)
	}
	if err := s.Execute(t.Context(), "dies"); err == nil || !strings.Contains(err.Error(), "out of memory") {
		t.Errorf("got %v", err)
	}
	if err := s.Execute(t.Context(), "SELECT 7"); err == nil || !strings.Contains(err.Error(), "its session is gone") {
		t.Errorf("after its end: %v", err)
	}
}

func TestSessionThatHangs(t *testing.T) {
	t.Parallel()
	s, err := fakeSession(t, talk)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := s.Execute(ctx, "hangs"); err == nil || !strings.Contains(err.Error(), "its session was ended") {
		t.Errorf("got %v", err)
	}
	select {
	case <-s.child.Done():
	default:
		t.Error("its program still runs")
	}
}

func TestSessionThatDoesNotStart(t *testing.T) {
	t.Parallel()
	if _, err := fakeSession(t, "echo 'no Java' >&2; exit 1"); err == nil || !strings.Contains(err.Error(), "starting Spark") || !strings.Contains(err.Error(), "no Java") {
		t.Errorf("got %v", err)
	}
}
