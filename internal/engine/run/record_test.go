package run_test

import (
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// kept makes a document one of a table whose versions are kept.
func kept(format string) func(*spec.Table) {
	return func(s *spec.Table) {
		s.StorageMode, s.Ordering, s.Target.Format = "historical", "n", format
	}
}

// takeOver gives a target another source table, which adopts it or not.
func (l *lake) takeOver(from, to string, adopt bool, edit func(*spec.Table)) {
	l.t.Helper()
	doc, err := l.tracking.Table(l.t.Context(), "shop."+from)
	l.must(err)
	l.must(l.tracking.DeleteTable(l.t.Context(), doc, sandbox.Account))
	doc.Name, doc.Adopt = "shop."+to, adopt
	edit(doc)
	l.must(l.tracking.CreateTable(l.t.Context(), doc, sandbox.Account))
}

// A reload and an adoption are recorded by a commit also where nothing new was found, so that the run behind them reads from
// its position on, and no longer asks for what has been done.
func TestWhatFindsNothingNewIsRecorded(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(*spec.Table){
		"versions in Iceberg":       kept("iceberg"),
		"versions in plain Parquet": kept("parquet"),
		"a snapshot in Iceberg":     func(*spec.Table) {},
		"versions in Hudi":          kept("hudi"),
		"a snapshot in Hudi":        hudiFormat(func(*spec.Table) {}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// Of the rows of before, one that lies at the bound is read again.
			l := newLake(t, `CREATE TABLE goods (id bigint PRIMARY KEY, name text, n int NOT NULL)`, `INSERT INTO goods SELECT i, 'good', i FROM generate_series(1, 50) i`)
			l.changing("goods", spec.Extract{Horizon: "lookback", Cursor: "n", Lookback: "0"}, edit)
			recorded := func(what, name string, seen int64) {
				t.Helper()
				out := l.runner().Table(t.Context(), name)
				l.must(out.Err)
				runs, err := l.tracking.Runs(t.Context(), name, 1)
				l.must(err)
				head := l.head("goods")
				if c := head.Checkpoint; c.RunID != out.RunID || c.Table != name || head.CheckpointCommit != out.Commit || runs[0].Seen != seen {
					t.Errorf("%s: %d rows were read, not %d; run %s left the commit of run %s of %s", what, runs[0].Seen, seen, out.RunID, c.RunID, c.Table)
				}
				behind := l.runner().Table(t.Context(), name)
				l.must(behind.Err)
				if runs, err = l.tracking.Runs(t.Context(), name, 1); err != nil || runs[0].Seen != 1 || behind.Commit != out.Commit {
					t.Errorf("behind %s: %d rows were read, and the commit is %s, not %s: %v", what, runs[0].Seen, behind.Commit, out.Commit, err)
				}
			}
			recorded("the first run", "shop.goods", 50)
			l.change("goods", func(s *spec.Table) { s.Reload = "again" })
			recorded("a reload", "shop.goods", 50)
			l.takeOver("goods", "renamed", true, func(*spec.Table) {})
			recorded("another name", "shop.renamed", 1)
			l.takeOver("renamed", "others", true, func(s *spec.Table) { s.Filter = []spec.Predicate{{Column: "n", Op: ">", Value: "20"}} })
			recorded("an adoption", "shop.others", 30)
			l.takeOver("others", "others", false, func(*spec.Table) {})
			if out := l.runner().Table(t.Context(), "shop.others"); out.Err != nil {
				t.Errorf("adopt is taken out again: %v", out.Err)
			}
		})
	}
	t.Run("a snapshot in plain Parquet", func(t *testing.T) {
		t.Parallel()
		l := newLake(t, `CREATE TABLE goods (id bigint PRIMARY KEY, name text)`, `INSERT INTO goods VALUES (1, 'good')`)
		doc := l.source("goods")
		doc.Target.Format = "parquet"
		l.must(l.tracking.CreateTable(t.Context(), doc, sandbox.Account))
		l.round("goods")
		l.change("goods", func(s *spec.Table) { s.Reload = "again" })
		l.round("goods")
		if c := l.head("goods").Checkpoint; c.Reload != "again" {
			t.Errorf("the reload is not recorded: %+v", c)
		}
		l.takeOver("goods", "renamed", true, func(*spec.Table) {})
		l.must(l.runner().Table(t.Context(), "shop.renamed").Err)
		if c := l.head("goods").Checkpoint; c.Table != "shop.renamed" {
			t.Errorf("the other name is not recorded: %+v", c)
		}
	})
}

// History says how many rows a reload has taken away, also where some of them were marked as deleted.
func TestAReloadCountsWhatWasThere(t *testing.T) {
	t.Parallel()
	l := newLake(t, `CREATE TABLE goods (id bigint PRIMARY KEY, name text)`, `INSERT INTO goods SELECT i, 'good' FROM generate_series(1, 100) i`)
	l.changing("goods", spec.Extract{}, func(s *spec.Table) { s.WriteMode = "merge_on_read" })
	l.round("goods")
	l.sql(`UPDATE goods SET name = 'better' WHERE id <= 10`, `DELETE FROM goods WHERE id = 50`)
	l.round("goods")
	if rows := l.head("goods").Rows; rows != -1 {
		t.Fatalf("no rows are marked as deleted: there are %d", rows)
	}
	l.change("goods", func(s *spec.Table) { s.Reload = "deleted rows" })
	if _, h := l.round("goods"); h.Deleted != 100 || h.Inserted != 99 || h.Net != -1 {
		t.Errorf("%d inserted, %d deleted, net %d", h.Inserted, h.Deleted, h.Net)
	}
}
