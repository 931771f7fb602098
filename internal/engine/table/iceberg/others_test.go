package iceberg_test

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"os"
	"os/exec"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
)

func TestMain(m *testing.M) { sandbox.Main(m) }

//go:embed testdata/read.py
var readPy string

// asked is a table to be read by PyIceberg, answered what it read: see read.py.
type asked struct {
	Metadata string `json:"metadata"`
	Filter   string `json:"filter"`
}

type answered struct {
	IDs   []int64  `json:"ids"`
	Files int      `json:"files"`
	Wrong []string `json:"wrong"`
}

func pyiceberg(t *testing.T, questions ...asked) []answered {
	t.Helper()
	python, err := sandbox.ForTest(t).Python(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var in, stderr bytes.Buffer
	for _, q := range questions {
		line, err := json.Marshal(q)
		if err != nil {
			t.Fatal(err)
		}
		in.Write(append(line, '\n'))
	}
	command := exec.CommandContext(t.Context(), python, "-c", readPy)
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "PYTHONDONTWRITEBYTECODE=1"}
	command.Stdin, command.Stderr = &in, &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("PyIceberg: %v: %s", err, stderr.String())
	}
	var answers []answered
	for line := range bytes.Lines(out) {
		var a answered
		if err := json.Unmarshal(line, &a); err != nil {
			t.Fatalf("PyIceberg printed %q: %v", line, err)
		}
		answers = append(answers, a)
	}
	if len(answers) != len(questions) {
		t.Fatalf("PyIceberg read %d of %d tables: %s", len(answers), len(questions), stderr.String())
	}
	return answers
}

// readByOthers compares the ids of a table as PyIceberg reads them.
func readByOthers(t *testing.T, s store.Store, c catalog.Catalog, name string, want []int64) {
	t.Helper()
	_, address, err := metadata(t.Context(), s, c, name)
	if err != nil {
		t.Fatal(err)
	}
	got := pyiceberg(t, asked{Metadata: address})[0]
	if diff := cmp.Diff(append([]int64{}, want...), got.IDs); diff != "" || len(got.Wrong) > 0 {
		t.Errorf("PyIceberg reads other rows (-want +read): %s%v", diff, got.Wrong)
	}
}
