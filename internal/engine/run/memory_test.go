//go:build !race

// The engine that these tests measure is a process of its own, which the race detector does not watch.

package run_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/readback"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

const (
	// smallest is the memory of the smallest job, in bytes: what the engine may ask the system for.
	smallest = 1 << 30
	// mostResident is what it may use of it: the job's Python needs some too.
	mostResident = 600 << 20
)

// small runs the engine as the smallest job would, and fails where that takes more memory than such a job has. what is
// said of it in the log.
func (l *lake) small(what string, engine *exec.Cmd, env ...string) {
	l.t.Helper()
	python, err := l.sb.Python(l.t.Context())
	l.must(err)
	peak := filepath.Join(l.t.TempDir(), "peak")
	limited := exec.CommandContext(l.t.Context(), python, slices.Concat([]string{filepath.Join("testdata", "limited.py"), strconv.Itoa(smallest), peak, engine.Path}, engine.Args[1:])...)
	limited.Env = slices.Concat(engine.Env, env)
	if out, err := limited.CombinedOutput(); err != nil {
		l.t.Fatalf("%s: %v: %s", what, err, out)
	}
	text, err := os.ReadFile(peak)
	l.must(err)
	resident, err := strconv.ParseInt(string(text), 10, 64)
	l.must(err)
	resident <<= 10
	l.t.Logf("%s: %d MB resident, %v of processor", what, resident>>20, limited.ProcessState.UserTime()+limited.ProcessState.SystemTime())
	if resident > mostResident {
		l.t.Errorf("%s: %d MB were resident", what, resident>>20)
	}
}

// extractsSmall extracts a table by two readers, and compares what a query makes of the source with what DuckDB makes of the
// files. FILES stands for either in the query.
func (l *lake) extractsSmall(table, query string) {
	l.t.Helper()
	l.sql(`CREATE VIEW digests AS ` + strings.ReplaceAll(query, "FILES", table))
	want, err := readback.Postgres(l.t.Context(), l.db.ConnString, "public", "digests")
	l.must(err)
	folder := filepath.Join(l.t.TempDir(), "files")
	server := l.sb.Postgres()
	engine := l.engine("extract", "--from", fmt.Sprintf("postgresql://%s@127.0.0.1:%d/%s?sslmode=require", server.User(), server.Port(), l.db.Name),
		"--table", "public."+table, "--to", folder, "--readers", "2", "--dpu", "0.0625")
	l.small(table, engine, "PGPASSWORD="+server.Password())
	got, err := l.reader().Query(l.t.Context(), strings.ReplaceAll(query, "FILES", "read_parquet('"+filepath.Join(folder, "*.parquet")+"')"))
	l.must(err)
	for _, difference := range readback.Differences(want, &got[0]) {
		l.t.Errorf("%s: %s", table, difference)
	}
}

// largeTexts are texts of a megabyte each, more of them than fit into memory, half of them not to be compressed.
var largeTexts = []string{
	`CREATE TABLE texts (id int PRIMARY KEY, x text)`, `ALTER TABLE texts ALTER x SET STORAGE EXTERNAL`, incompressible(1, 550),
	`ALTER TABLE texts ALTER x SET STORAGE EXTENDED`, `INSERT INTO texts SELECT i, repeat(i || ',', 250000) FROM generate_series(551, 1100) i`,
}

// incompressible adds rows to the table of large texts.
func incompressible(from, to int) string {
	return fmt.Sprintf(`INSERT INTO texts SELECT i, substr(b, i * 997 %% 900000, 1000000 + i) FROM generate_series(%d, %d) i, (SELECT string_agg(md5(i::text), '') AS b FROM generate_series(1, 60000) i) base`, from, to)
}

// The smallest job extracts large texts; its dispatches land them in an Iceberg table in S3, and merge changes of them, by each
// way of writing.
func TestSmallestJobReadsAndMergesLargeTexts(t *testing.T) {
	t.Parallel()
	const query = `SELECT id, md5(x) AS digest, length(x) AS size FROM FILES`
	l := newLake(t, largeTexts...)
	l.extractsSmall("texts", query)
	for _, how := range spec.WriteModes {
		l.changing(how, spec.Extract{}, func(s *spec.Table) { s.Source.Database.Table, s.WriteMode, s.Enabled = "texts", how, false })
	}
	dispatch := func(what string, inserted, updated int64) {
		t.Helper()
		for _, how := range spec.WriteModes {
			l.change(how, func(s *spec.Table) { s.Enabled = true })
			l.small(how+", "+what, l.engine("dispatch", "--tracking", l.tracking.Tracking(), "--cadence", "c", "--dpu", "0.0625"))
			l.change(how, func(s *spec.Table) { s.Enabled = false })
			runs, err := l.tracking.Runs(t.Context(), "shop."+how, 1)
			l.must(err)
			if runs[0].Inserted != inserted || runs[0].Updated != updated {
				t.Errorf("%s, %s: %d inserted and %d updated, not %d and %d", how, what, runs[0].Inserted, runs[0].Updated, inserted, updated)
			}
		}
	}
	dispatch("the load", 1100, 0)
	// More changes than half of the memory holds, all over the table, and new rows.
	l.sql(`ALTER TABLE texts ALTER x SET STORAGE EXTERNAL`, incompressible(1101, 1150), `UPDATE texts SET x = reverse(x) WHERE id % 2 = 0 AND id <= 1100`)
	dispatch("the merge", 50, 550)
	l.sql(`CREATE OR REPLACE VIEW digests AS ` + strings.ReplaceAll(query, "FILES", "texts"))
	want, err := readback.Postgres(t.Context(), l.db.ConnString, "public", "digests")
	l.must(err)
	for _, how := range spec.WriteModes {
		got, err := l.reader().IcebergQuery(t.Context(), l.database+"."+how, strings.ReplaceAll(query, "FILES", `"table"`))
		l.must(err)
		for _, difference := range readback.Differences(want, &got[0]) {
			t.Errorf("%s: %s", how, difference)
		}
	}
}

// A table of a thousand columns.
func TestSmallestJobReadsManyColumns(t *testing.T) {
	t.Parallel()
	const rows, columns = 30_000, 1000
	names, values, parts := make([]string, columns), make([]string, columns), make([]string, columns)
	for i := range columns {
		switch i % 4 {
		case 0:
			names[i], values[i] = fmt.Sprintf("c%d float8", i), fmt.Sprintf("n * %d.5::float8", i)
		case 1:
			names[i], values[i] = fmt.Sprintf("c%d text", i), fmt.Sprintf("CASE WHEN n %% %d > 0 THEN (n %% 999)::text END", i)
		default:
			names[i], values[i] = fmt.Sprintf("c%d int", i), fmt.Sprintf("n + %d", i)
		}
		parts[i] = fmt.Sprintf("coalesce(length(c%d), 0)", i)
		if i%4 != 1 {
			parts[i] = fmt.Sprintf("c%d::int", i)
		}
	}
	l := newLake(t, `CREATE TABLE many (id int PRIMARY KEY, `+strings.Join(names, ", ")+`)`, `INSERT INTO many SELECT n, `+strings.Join(values, ", ")+fmt.Sprintf(` FROM generate_series(1, %d) n`, rows))
	l.extractsSmall("many", `SELECT id, `+strings.Join(parts[:40], "::bigint + ")+` AS first, `+strings.Join(parts[columns-40:], "::bigint + ")+` AS last FROM FILES`)
}
