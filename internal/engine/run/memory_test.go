package run_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/readback"
)

const (
	// smallest is the memory of the smallest job, in bytes: what the engine may ask the system for.
	smallest = 1 << 30
	// mostResident is what it may use of it: the job's Python needs some too.
	mostResident = 700 << 20
)

// extractSmall extracts a table as the smallest job would, and fails where that takes more memory than such a job has.
func (l *lake) extractSmall(table, folder string, readers int) {
	l.t.Helper()
	began := time.Now()
	server := l.sb.Postgres()
	engine := l.engine("extract", "--from", fmt.Sprintf("postgresql://%s@127.0.0.1:%d/%s?sslmode=require", server.User(), server.Port(), l.db.Name),
		"--table", "public."+table, "--to", folder, "--readers", strconv.Itoa(readers), "--dpu", "0.0625")
	limited := exec.CommandContext(l.t.Context(), "sh", append([]string{"-c", `ulimit -d ` + strconv.Itoa(smallest>>10) + ` && exec "$0" "$@"`, engine.Path}, engine.Args[1:]...)...)
	limited.Env = slices.Concat(engine.Env, []string{"PGPASSWORD=" + server.Password()})
	if os.Getenv("GCTRACE") != "" {
		limited.Env = append(limited.Env, "GODEBUG=gctrace=1", "HEAPPROF=/tmp/heap.prof")
	}
	out, err := limited.CombinedOutput()
	if os.Getenv("GCTRACE") != "" {
		_ = os.WriteFile(os.Getenv("GCTRACE")+strconv.Itoa(readers), out, 0o644)
	}
	l.t.Logf("took %v", time.Since(began))
	if err != nil {
		l.t.Fatalf("%s, %d readers: %v: %s", table, readers, err, out)
	}
	resident := limited.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
	l.t.Logf("%s, %d readers: %d MB resident, %v of processor", table, readers, resident>>20, limited.ProcessState.UserTime()+limited.ProcessState.SystemTime())
	if resident > mostResident {
		l.t.Errorf("%s, %d readers: %d MB were resident", table, readers, resident>>20)
	}
}

// sameDigests compares what a query gives at the source with what DuckDB makes of the files in a folder. FILES stands for
// either.
func (l *lake) sameDigests(table, folder, query string) {
	l.t.Helper()
	got, err := l.reader().Query(l.t.Context(), strings.ReplaceAll(query, "FILES", "read_parquet('"+filepath.Join(folder, "*.parquet")+"')"))
	l.must(err)
	l.sql(`CREATE VIEW digests_` + filepath.Base(folder) + ` AS ` + strings.ReplaceAll(query, "FILES", table))
	want, err := readback.Postgres(l.t.Context(), l.db.ConnString, "public", "digests_"+filepath.Base(folder))
	l.must(err)
	for _, difference := range readback.Differences(want, &got[0]) {
		l.t.Error(difference)
	}
}

// Texts of a megabyte each, more of them than fit into memory, half of them not to be compressed.
func TestSmallestJobReadsLargeTexts(t *testing.T) {
	t.Parallel()
	l := newLake(t, `CREATE TABLE texts (id int PRIMARY KEY, x text)`, `ALTER TABLE texts ALTER x SET STORAGE EXTERNAL`,
		`INSERT INTO texts SELECT i, substr(b, i * 997, 1000000 + i) FROM generate_series(1, 500) i, (SELECT string_agg(md5(i::text), '') AS b FROM generate_series(1, 60000) i) base`,
		`ALTER TABLE texts ALTER x SET STORAGE EXTENDED`, `INSERT INTO texts SELECT i, repeat(i || ',', 250000) FROM generate_series(501, 1000) i`)
	t.Log(time.Now())
	for readers := 1; readers <= 2; readers++ {
		folder := filepath.Join(t.TempDir(), fmt.Sprint("r", readers))
		l.extractSmall("texts", folder, readers)
		l.sameDigests("texts", folder, `SELECT id, md5(x) AS digest, length(x) AS size FROM FILES`)
		t.Log(time.Now())
	}
}
