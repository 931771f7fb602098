package run_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/run"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// A snapshot that grows old is told of, and then given up: nothing is committed, and nothing left. That holds for one
// that units share, and for the view of a single session.
func TestSnapshotGrowsOld(t *testing.T) {
	t.Parallel()
	m := newMany(t)
	for _, connections := range []int{4, 1} {
		m.reconnect(func(c *spec.Connection) { c.MaxConnections = connections })
		m.change()
		files := len(m.objects("raw/wide/data/"))
		var log bytes.Buffer
		r := m.manyRunner(&log, func(n int) {
			if n >= 3 {
				time.Sleep(300 * time.Millisecond) // what is too old is decided by time
			}
		})
		r.Log = r.Executor.(*run.Local).Log
		r.SnapshotAge = run.SnapshotAge{Warn: 50 * time.Millisecond, Stop: 250 * time.Millisecond}
		out := r.Table(t.Context(), "shop.wide")
		m.fails("an old snapshot", out, files, "its snapshot is older than 250ms")
		if !strings.Contains(log.String(), "the snapshot grows old") {
			t.Errorf("nobody was warned: %s", log.String())
		}
		r = m.manyRunner(nil, nil)
		r.SnapshotAge = run.SnapshotAge{Warn: time.Minute, Stop: time.Hour}
		out = r.Table(t.Context(), "shop.wide")
		m.must(out.Err)
		m.settled("a snapshot young enough", out)
	}
}
