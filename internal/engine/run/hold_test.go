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

// A schema that gets the place of another while the other's table is read gives the units that follow another table: nothing
// is committed of the two.
func TestSchemaInAnothersPlace(t *testing.T) {
	t.Parallel()
	m := newMany(t)
	for _, place := range []string{"public", "staging"} {
		m.change()
		m.sql(`DROP SCHEMA IF EXISTS staging CASCADE`, `CREATE SCHEMA staging`, `CREATE TABLE staging.wide AS SELECT id + 1000000 AS id, generation, x FROM wide`)
		files := len(m.objects("raw/wide/data/"))
		r := m.manyRunner(nil, func(n int) {
			if n == 1 && place == "staging" {
				m.sql(`ALTER SCHEMA public RENAME TO before`, `ALTER SCHEMA staging RENAME TO public`)
			}
		})
		out := r.Table(t.Context(), "shop.wide")
		if place == "public" {
			m.must(out.Err)
			m.settled("in its place", out)
			continue
		}
		m.fails("another schema in its place", out, files, `the name public.wide leads to another table than the snapshot's: its schema was renamed while it was read`)
	}
}
