package readback_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/readback"
)

func TestMain(m *testing.M) { sandbox.Main(m) }

// Readers beside one another do not mix, and one that fails says why.
func TestReadersBesideOneAnother(t *testing.T) {
	t.Parallel()
	python, err := sandbox.ForTest(t).Python(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			r := readback.Reader{Python: python}
			got, err := r.Query(t.Context(), fmt.Sprintf("SELECT %d AS n", i), "SELECT 'second' AS n")
			if err != nil || len(got) != 2 || *got[0].Rows[0][0] != fmt.Sprint(i) || *got[1].Rows[0][0] != "second" {
				t.Errorf("reader %d: %+v, %v", i, got, err)
			}
			if _, err := r.Query(t.Context(), fmt.Sprintf("SELECT nothing_%d", i)); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("nothing_%d", i)) {
				t.Errorf("reader %d: %v", i, err)
			}
		})
	}
	all.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (readback.Reader{Python: python}).Query(ctx, "SELECT 1"); err == nil {
		t.Error("a reader whose context has ended answered")
	}
	if _, err := (readback.Reader{Python: "/nonexistent"}).Query(t.Context(), "SELECT 1"); err == nil {
		t.Error("an interpreter that is not there answered")
	}
}
