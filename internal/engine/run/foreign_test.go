package run_test

import (
	_ "embed"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
	"github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

//go:embed testdata/foreign.py
var foreignPy string

// foreign has PyIceberg do something to a table.
func (l *lake) foreign(name string, action ...string) {
	l.t.Helper()
	python, err := l.sb.Python(l.t.Context())
	l.must(err)
	command := exec.CommandContext(l.t.Context(), python, append([]string{"-c", foreignPy, l.database + "." + name}, action...)...)
	command.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + l.t.TempDir(), "PYTHONDONTWRITEBYTECODE=1"}, l.env...)
	if out, err := command.CombinedOutput(); err != nil {
		l.t.Fatalf("%q: %v: %s", action, err, out)
	}
}

// change changes the document of a source table.
func (l *lake) change(name string, edit func(*spec.Table)) {
	l.t.Helper()
	doc, err := l.tracking.Table(l.t.Context(), "shop."+name)
	l.must(err)
	edit(doc)
	l.must(l.tracking.UpdateTable(l.t.Context(), doc, sandbox.Account))
}

// refused runs a table that must fail with an error and a text, and leave the lake's table as it is.
func (l *lake) refused(name string, want error, text string) {
	l.t.Helper()
	before := l.head(name).Commit
	out := l.runner().Table(l.t.Context(), "shop."+name)
	if out.Err == nil || want != nil && !errors.Is(out.Err, want) || !strings.Contains(out.Err.Error(), text) {
		l.t.Errorf("got %v, want %v with %q", out.Err, want, text)
	}
	if now := l.head(name).Commit; now != before {
		l.t.Errorf("%s was changed: %s, it was %s", name, now, before)
	}
}

// Commits of another engine on top do not move the position; rows that it changed stay so until the source changes them. A
// rollback takes the position back with the rows, whatever the tracker says.
func TestOthersCommitOnTop(t *testing.T) {
	t.Parallel()
	// What others keep open at the server holds no position by n, so it is known what is read again: the row at the bound.
	l := newLake(t, `CREATE TABLE goods (id bigint PRIMARY KEY, name text, n int)`, `INSERT INTO goods VALUES (1, 'a', 1), (2, 'b', 2), (3, 'c', 3)`)
	l.changing("goods", spec.Extract{Horizon: "lookback", Cursor: "n", Lookback: "0"}, nil)
	_, first := l.round("goods")
	l.foreign("goods", "upsert", "2", "theirs")
	l.sql(`UPDATE goods SET name = 'A', n = 4 WHERE id = 1`)
	_, second := l.round("goods")
	if second.From != first.To || second.Updated != 1 {
		t.Errorf("on top of a foreign commit: from %s (not %s), %d updated", second.From, first.To, second.Updated)
	}
	l.shows("goods", `SELECT id, CASE id WHEN 2 THEN 'theirs' ELSE name END AS name, CASE id WHEN 2 THEN NULL ELSE n END AS n FROM goods`)
	l.foreign("goods", "rollback", first.Commit)
	l.shows("goods", `SELECT id, lower(name) AS name, id::int AS n FROM goods`)
	l.sql(`INSERT INTO goods VALUES (4, 'd', 5)`)
	_, third := l.round("goods")
	if third.From != first.To || third.Updated != 1 || third.Inserted != 1 {
		t.Errorf("behind a rollback: from %s (not %s), %d updated, %d inserted", third.From, first.To, third.Updated, third.Inserted)
	}
	l.equal("goods")
}

// A tracker that was restored from a copy of before, or lost its position, costs nothing: the table's checkpoint counts.
func TestARestoredTrackerIsOverruled(t *testing.T) {
	t.Parallel()
	inMergedFormats(t, restoredTracker)
}

func restoredTracker(t *testing.T, format string) {
	t.Helper()
	l := newLake(t, `CREATE TABLE goods (id bigint PRIMARY KEY, name text)`, `INSERT INTO goods VALUES (1, 'a')`)
	l.changing("goods", spec.Extract{}, func(s *spec.Table) { s.Target.Format = format })
	_, first := l.round("goods")
	old, err := l.tracking.Position(t.Context(), "shop.goods")
	l.must(err)
	l.sql(`INSERT INTO goods VALUES (2, 'b')`)
	_, second := l.round("goods")
	l.record("goods", old)
	l.sql(`INSERT INTO goods VALUES (3, 'c')`)
	_, third := l.round("goods")
	if second.From != first.To || third.From != second.To {
		t.Errorf("the third run goes from %s, not %s", third.From, second.To)
	}
	l.equal("goods")
}

// record writes a position as a run would, under a lease of its own.
func (l *lake) record(name string, p *tracking.Position) {
	l.t.Helper()
	lease, err := l.tracking.Acquire(l.t.Context(), "shop."+name, "01ARZ3NDEKTSV4RRFFQ69G5FAV", tracking.MinLease)
	l.must(err)
	l.must(lease.Record(l.t.Context(), tracking.Record{Position: p, Run: tracking.Run{Table: "shop." + name, RunID: "01ARZ3NDEKTSV4RRFFQ69G5FAV", State: tracking.RunSucceeded}}))
	l.must(lease.Release(l.t.Context()))
}

// Where others' commits and expiry have taken the commits that tell how far a table has come, the run fails and names
// reload, in each mode that needs a position, and a reload is the way out.
func TestExpiredAncestryNamesReload(t *testing.T) {
	t.Parallel()
	inMergedFormats(t, expiredAncestry)
}

func expiredAncestry(t *testing.T, format string) {
	t.Helper()
	l := newLake(t, `CREATE TABLE goods (id bigint PRIMARY KEY, name text)`, `INSERT INTO goods VALUES (1, 'a'), (2, 'b')`)
	l.changing("goods", spec.Extract{}, func(s *spec.Table) { s.Target.Format = format })
	_, first := l.round("goods")
	if format == "hudi" {
		(&landing{lake: l, name: "goods"}).sparkCommits(nil)
		l.sparkArchives("goods", first.Commit)
	} else {
		l.foreign("goods", "upsert", "2", "theirs")
		l.foreign("goods", "upsert", "1", "theirs too")
		l.foreign("goods", "expire")
	}
	l.sql(`UPDATE goods SET name = 'A' WHERE id = 1`, `DELETE FROM goods WHERE id = 2`)
	l.refused("goods", postgres.ErrReload, "are gone")
	l.change("goods", func(s *spec.Table) { s.Reload = "once" })
	l.round("goods")
	l.equal("goods")
	l.sql(`INSERT INTO goods VALUES (3, 'c')`)
	if _, after := l.round("goods"); after.Inserted != 1 || after.From == "null" {
		t.Errorf("behind the reload: %+v", after)
	}
}

// A table of another source table, or of another engine, is taken over where adopt says so, in one commit; one that read the
// very same goes on at its position.
func TestTablesAreAdopted(t *testing.T) {
	t.Parallel()
	l := newLake(t, `CREATE TABLE goods (id bigint PRIMARY KEY, name text)`, `INSERT INTO goods SELECT i, 'good ' || i FROM generate_series(1, 50) i`)
	l.changing("goods", spec.Extract{}, nil)
	_, first := l.round("goods")
	doc, err := l.tracking.Table(t.Context(), "shop.goods")
	l.must(err)
	take := func(name string, edit func(*spec.Table)) {
		l.must(l.tracking.DeleteTable(t.Context(), doc, sandbox.Account))
		doc.Name, doc.Adopt = "shop."+name, false
		edit(doc)
		l.must(l.tracking.CreateTable(t.Context(), doc, sandbox.Account))
	}
	run := func() tracking.Run {
		l.must(l.runner().Table(t.Context(), doc.Name).Err)
		runs, err := l.tracking.Runs(t.Context(), doc.Name, 1)
		l.must(err)
		return runs[0]
	}
	take("renamed", func(*spec.Table) {})
	if err := l.runner().Table(t.Context(), "shop.renamed").Err; !errors.Is(err, table.ErrForeign) || !strings.Contains(err.Error(), "adopt = true") {
		t.Errorf("not adopted: %v", err)
	}
	l.sql(`INSERT INTO goods VALUES (51, 'more')`)
	take("renamed", func(s *spec.Table) { s.Adopt = true })
	if now := run(); now.From != first.To || now.Inserted != 1 {
		t.Errorf("the same under another name: %+v", now)
	}
	l.equal("goods")
	take("others", func(s *spec.Table) {
		s.Adopt, s.Filter = true, []spec.Predicate{{Column: "id", Op: ">", Value: "10"}}
	})
	if now := run(); now.From != "null" || now.Inserted != 41 || now.Deleted != 51 {
		t.Errorf("other rows: %+v", now)
	}
	l.shows("goods", `SELECT * FROM goods WHERE id > 10`)

	l.sql(`CREATE TABLE things (id bigint PRIMARY KEY, name text, added date)`, `INSERT INTO things VALUES (1, 'uno', '2024-02-29'), (3, 'tres', NULL)`)
	l.foreign("things", "create", "s3://"+l.bucket+"/raw/things")
	l.changing("things", spec.Extract{}, nil)
	l.refused("things", table.ErrForeign, "adopt = true")
	l.change("things", func(s *spec.Table) { s.Adopt = true })
	before := l.head("things")
	l.round("things")
	l.equal("things")
	after := l.head("things")
	if after.TableID != before.TableID || after.Schema.Columns[1].FieldID != before.Schema.Columns[1].FieldID {
		t.Errorf("the adopted table is %s with %+v, it was %s with %+v", after.TableID, after.Schema.Columns, before.TableID, before.Schema.Columns)
	}
	l.sql(`UPDATE things SET name = 'eins' WHERE id = 1`)
	if _, now := l.round("things"); now.Updated != 1 || now.From == "null" {
		t.Errorf("behind the adoption: %+v", now)
	}
	l.equal("things")
}
