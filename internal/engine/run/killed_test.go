package run_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	parquetgo "github.com/parquet-go/parquet-go"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/run"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// sparse is a table whose pages are almost empty: it is large to the engine, which cuts it into several units of their
// usual size, and small to read.
const (
	sparse      = `CREATE TABLE wide (id int PRIMARY KEY, generation int NOT NULL, x text) WITH (fillfactor = 10)`
	sparseRows  = 52_000
	sparseValue = `repeat(md5(i::text), 15)`
)

// killedIn starts a command of the engine and kills it when the server has sent more than a unit's rows over one of its
// connections: a unit has ended by then, and others are in the middle.
func (l *lake) killedIn(command func() *exec.Cmd) {
	l.t.Helper()
	reached, over := make(chan struct{}), make(chan struct{})
	defer close(over)
	direct := 0
	var once sync.Once
	w := l.through(9_000_001, func(int, *carried) {
		once.Do(func() { close(reached) })
		<-over
	})
	victim := command()
	var out strings.Builder
	victim.Stdout, victim.Stderr = &out, &out
	l.must(victim.Start())
	ended := make(chan error, 1)
	go func() { ended <- victim.Wait() }()
	select {
	case <-reached:
		l.must(victim.Process.Kill())
		<-ended
	case err := <-ended:
		l.t.Fatalf("the engine ended by itself: %v: %s", err, out.String())
	}
	l.reconnect(func(c *spec.Connection) { direct, c.Port = c.Port, l.sb.Postgres().Port() })
	// The wire still holds what the server had sent; the sessions end when the server notices.
	for left := 1; left > 0; {
		l.query(&left, `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'lakeland'`)
	}
	if direct != w.port() {
		l.t.Fatal("the connection is not the wire's")
	}
}

// A run that is killed while some of its units have written their files, and others are in the middle, shows nothing of
// them to anyone; the next run lands the table.
func TestKilledAmongUnits(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	m := l.manyOf(sparseRows, sparse, sparseValue)
	landed := m.there()
	m.change()
	files := len(m.objects("raw/wide/data/"))
	dispatch := func() *exec.Cmd {
		return m.engine("dispatch", "--tracking", m.tracking.Tracking(), "--cadence", "c", "--lease", "6s")
	}
	m.killedIn(dispatch)
	if left := len(m.objects("raw/wide/data/")) - files; left == 0 {
		t.Error("no unit had written its file: the run was killed too early to show anything")
	}
	if got := m.seen(); got != landed || m.head("wide").Commit != m.commit {
		t.Errorf("a killed run shows %s; there was %s", got, landed)
	}
	if out, err := dispatch().CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if got, want := m.seen(), m.there(); got != want {
		t.Errorf("the next run landed %s; the source holds %s", got, want)
	}
}

// An extraction that is killed leaves whole files of whole units under the names of data, and nothing else; one that
// fails leaves none.
func TestKilledExtraction(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	m := l.manyOf(sparseRows, sparse, sparseValue)
	folder := t.TempDir()
	extract := func() *exec.Cmd {
		c, err := m.tracking.Connection(t.Context(), "db")
		m.must(err)
		server := m.sb.Postgres()
		command := m.engine("extract", "--from", fmt.Sprintf("postgresql://%s@127.0.0.1:%d/%s?sslmode=require", server.User(), c.Port, m.db.Name), "--table", "public.wide", "--to", folder, "--readers", "2")
		command.Env = append(command.Env, "PGPASSWORD="+server.Password())
		return command
	}
	m.killedIn(extract)
	first := m.extracted(folder)
	if len(first) == 0 {
		t.Error("no unit had written its file: the extraction was killed too early to show anything")
	}
	if rows, distinct := m.rowsIn(first); rows == 0 || rows >= sparseRows || rows != distinct {
		t.Errorf("what is left has %d rows, %d of them different", rows, distinct)
	}
	if out, err := extract().CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var second []string
	for _, name := range m.extracted(folder) {
		if !strings.Contains(strings.Join(first, " "), name) {
			second = append(second, name)
		}
	}
	if rows, distinct := m.rowsIn(second); rows != sparseRows || distinct != sparseRows {
		t.Errorf("the next extraction has %d rows, %d of them different", rows, distinct)
	}

	failed := t.TempDir()
	c, err := m.tracking.Connection(t.Context(), "db")
	m.must(err)
	runner := m.manyRunner(nil, func(n int) {
		if n == 4 {
			m.sql(endHolder)
		}
	})
	local := runner.Executor.(*run.Local)
	open := func(string) (store.Store, error) { return store.NewDirectory(failed), nil }
	local.Worker.Stores = open
	e := run.Extraction{
		Connection: *c, Source: spec.DatabaseSource{Schema: "public", Table: "wide"}, Readers: 2, UnitBytes: 8 << 20, Secrets: runner.Secrets, Stores: open,
		Output: run.Output{Bucket: failed, KeySuffix: ".parquet", FileBytes: 1 << 30}, Executor: local,
	}
	if results, err := e.Run(t.Context()); err == nil || results != nil {
		t.Errorf("an extraction without its snapshot ended with %v, %v", results, err)
	}
	left, err := os.ReadDir(failed)
	m.must(err)
	if len(left) != 0 {
		t.Errorf("an extraction that failed left %v", left)
	}
}

// extracted are the files in a folder that a reader of *.parquet sees. What else there is must be unfinished.
func (l *lake) extracted(folder string) []string {
	l.t.Helper()
	all, err := os.ReadDir(folder)
	l.must(err)
	var found []string
	for _, entry := range all {
		switch name := entry.Name(); {
		case strings.HasSuffix(name, ".parquet"):
			found = append(found, filepath.Join(folder, name))
		case !strings.HasPrefix(name, ".lakeland-unfinished-"):
			l.t.Errorf("there is %s", name)
		}
	}
	return found
}

// rowsIn counts the rows of files, and the different ids in them.
func (l *lake) rowsIn(files []string) (rows, distinct int) {
	l.t.Helper()
	ids := map[string]bool{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		l.must(err)
		l.must(eachRow(data, func(_ int, row parquetgo.Row) {
			ids[fmt.Sprint(row[0], row[1])] = true
			rows++
		}))
	}
	return rows, len(ids)
}
