package run_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/run"
)

// A panic of a unit is the failure of its table, which leaves no file; the tables of its batch are landed.
func TestPanicsOfUnitsStopNoOther(t *testing.T) {
	t.Parallel()
	l := newLake(t, `CREATE TABLE a AS SELECT 1 AS id`, `CREATE TABLE b AS SELECT i AS id FROM generate_series(1, 1000) i`, `CREATE TABLE c AS SELECT 3 AS id`)
	l.add("a", "b", "c")
	r := l.runner()
	r.Executor.(*run.Local).Worker.Progress = func(table string, _, _ int64) {
		if table == "shop.b" {
			panic("a fault of ours")
		}
	}
	_, err := r.Dispatch(t.Context(), "c")
	var failed *run.FailedError
	if !errors.As(err, &failed) || len(failed.Failed) != 1 || failed.Failed[0].Table != "shop.b" || !strings.Contains(failed.Failed[0].Err.Error(), "the engine failed (a fault of ours); please report this") {
		t.Fatal(err)
	}
	l.equal("a", "c")
	if left := l.objects("raw/b/"); len(left) != 0 {
		t.Errorf("%d objects are left", len(left))
	}
}
