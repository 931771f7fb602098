package run_test

import (
	"bytes"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/run"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/readback"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// wideRows are known to the server's statistics, without which servers before 14 do not cut a table by its key.
const wideRows = `INSERT INTO wide SELECT i, repeat(md5(i::text), 8) FROM generate_series(1, 60000) i; ANALYZE wide`

// A large table is read in several units under one snapshot, and lands as one that is read in one piece does.
func TestLargeTablesAreReadInParts(t *testing.T) {
	t.Parallel()
	l := newLake(t, `CREATE TABLE wide (id int PRIMARY KEY, x text)`, wideRows)
	l.add("wide")
	r := l.runner()
	r.UnitBytes = 4 << 20
	out := r.Table(t.Context(), "shop.wide")
	l.must(out.Err)
	l.equal("wide")
	files := 0
	for key := range l.objects("raw/wide/data/") {
		if strings.HasSuffix(key, ".parquet") {
			files++
		}
	}
	if files < 4 {
		t.Errorf("it was landed in %d files", files)
	}
}

// A unit whose session the server ends is read again under the same snapshot: no row is lost, none comes twice, and
// what changed meanwhile is not seen.
func TestUnitWhoseSessionEndsIsReadAgain(t *testing.T) {
	t.Parallel()
	l := newLake(t, `CREATE TABLE wide (id int PRIMARY KEY, x text)`, wideRows, `INSERT INTO wide SELECT id + 60000, x FROM wide`, `ANALYZE wide`)
	l.add("wide")
	var log bytes.Buffer
	var once sync.Once
	r, w := l.runner(), l.worker()
	w.Progress = func(string, int64, int64) {
		once.Do(func() {
			l.sql(`UPDATE wide SET x = 'later' WHERE id = 120000`,
				`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'COPY (SELECT%'`)
		})
	}
	r.UnitBytes = 20 << 20
	r.Executor = &run.Local{Worker: w, Parallel: 2, Log: slog.New(slog.NewTextHandler(&log, nil))}
	out := r.Table(t.Context(), "shop.wide")
	l.must(out.Err)
	if out.Rows != 120000 || !strings.Contains(log.String(), "tried again under the same snapshot") {
		t.Errorf("%d rows; the log says %q", out.Rows, log.String())
	}
	l.sql(`UPDATE wide SET x = (SELECT x FROM wide WHERE id = 60000) WHERE id = 120000`)
	l.equal("wide")
}

// An extraction gives the table's rows, read by one session or by several under one snapshot.
func TestExtraction(t *testing.T) {
	t.Parallel()
	l := newLake(t, `CREATE TABLE wide (id int PRIMARY KEY, x text)`, wideRows)
	connection, err := l.tracking.Connection(t.Context(), "db")
	l.must(err)
	for readers, least := range map[int]int{1: 1, 3: 4} {
		folder := t.TempDir()
		w := l.worker()
		w.Stores = func(string) (store.Store, error) { return store.NewDirectory(folder), nil }
		e := run.Extraction{
			Connection: *connection, Source: spec.DatabaseSource{Schema: "public", Table: "wide"}, Readers: readers, UnitBytes: 4 << 20, Secrets: w.Secrets, Stores: w.Stores,
			Output: run.Output{Bucket: folder, KeySuffix: ".parquet", FileBytes: 1 << 30}, Executor: &run.Local{Worker: w, Parallel: readers},
		}
		results, err := e.Run(t.Context())
		l.must(err)
		if len(results) < least {
			t.Errorf("%d readers worked off %d units", readers, len(results))
		}
		got, err := l.reader().Parquet(t.Context(), "duckdb", filepath.Join(folder, "*.parquet"))
		l.must(err)
		want, err := readback.Postgres(t.Context(), l.db.ConnString, "public", "wide")
		l.must(err)
		for _, difference := range readback.Differences(want, &got[0]) {
			t.Errorf("%d readers: %s", readers, difference)
		}
	}
}
