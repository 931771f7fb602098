package run_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/readback"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// holds compares a table of plain files, all that lies in the folders that the catalogue names as DuckDB reads it, with a
// query over the source whose columns are those given.
func (l *lake) holds(name, columns, query string) {
	l.t.Helper()
	entry, err := l.runner().Catalog.Get(l.t.Context(), l.database, name)
	l.must(err)
	folders := []string{entry.Location}
	if len(entry.PartitionKeys) > 0 {
		folders = nil
		for p, err := range l.runner().Catalog.Partitions(l.t.Context(), l.database, name, nil) {
			l.must(err)
			folders = append(folders, p.Location)
		}
	}
	var paths []string
	at := l.t.TempDir()
	d := &landing{lake: l, name: name}
	root := "s3://" + l.bucket + "/"
	for _, folder := range folders {
		for key := range l.objects(strings.TrimPrefix(folder, root)) {
			data, err := d.object(root + key)
			l.must(err)
			path := filepath.Join(at, fmt.Sprintf("%d.parquet", len(paths)))
			l.must(os.WriteFile(path, data, 0o600))
			paths = append(paths, "'"+path+"'")
		}
	}
	got, err := l.reader().Query(l.t.Context(), fmt.Sprintf(`SELECT %s FROM read_parquet([%s], union_by_name = true, hive_partitioning = false)`, columns, strings.Join(paths, ", ")))
	l.must(err)
	l.sql(`CREATE OR REPLACE VIEW held AS ` + query)
	want, err := readback.Postgres(l.t.Context(), l.db.ConnString, "public", "held")
	l.must(err)
	l.sql(`DROP VIEW held`)
	for _, difference := range readback.Differences(want, &got[0]) {
		l.t.Error(difference)
	}
}

// A full load of plain files moves the catalogue's entry to a new folder; the one before stays a day for who reads it.
func TestPlainFilesAreReplaced(t *testing.T) {
	t.Parallel()
	l := newLake(t, `CREATE TABLE goods (id int PRIMARY KEY, name text, at timestamptz)`, `INSERT INTO goods SELECT i, 'good ' || i, timestamptz '2024-02-29 12:00Z' + i * interval '1 s' FROM generate_series(1, 300) i`)
	doc := l.source("goods")
	doc.Target.Format, doc.Reconcile = "parquet", &spec.Reconcile{Every: "1h"}
	l.must(l.tracking.CreateTable(t.Context(), doc, sandbox.Account))
	_, first := l.round("goods")
	l.holds("goods", `id, name, "at"`, `SELECT id, name, at FROM goods`)
	l.sql(`UPDATE goods SET name = NULL WHERE id % 3 = 0`, `DELETE FROM goods WHERE id > 290`, `ALTER TABLE goods ALTER id TYPE bigint`, `ALTER TABLE goods ADD note text`)
	l.forget("goods")
	_, second := l.round("goods")
	l.holds("goods", `id, name, "at", note`, `SELECT id, name, at, note FROM goods`)
	if first.Reconcile != "equal" || second.Reconcile != "equal" || second.SourceRows != 290 || second.Inserted != 290 || second.Deleted != 300 {
		t.Errorf("%+v, then %+v", first, second)
	}
	if n := len(l.objects("raw/goods/data/")); n < 2 {
		t.Errorf("%d files: those of before are gone already", n)
	}
}

// A batch holds the versions that are new; batches of before stay as they are, whatever comes.
func TestPlainFilesAreAddedInBatches(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"full", "incremental"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			l := newLake(t, versions, `INSERT INTO goods SELECT i, 'good ' || i, 1 FROM generate_series(1, 200) i`)
			doc := l.source("goods")
			doc.Extract.Mode, doc.StorageMode, doc.Ordering, doc.PrimaryKey, doc.Target.Format = mode, "historical", "at", []string{"id"}, "parquet"
			l.must(l.tracking.CreateTable(t.Context(), doc, sandbox.Account))
			l.round("goods")
			shown := `SELECT id, name, at FROM versions`
			l.holds("goods", `id, name, "at"`, shown)
			l.sql(`UPDATE goods SET at = 2, name = upper(name) WHERE id % 10 = 0`, `INSERT INTO goods VALUES (201, 'new', 7)`)
			if _, second := l.round("goods"); second.Inserted != 21 || second.Updated != 0 {
				t.Errorf("new versions: %+v", second)
			}
			l.holds("goods", `id, name, "at"`, shown)
			out, third := l.round("goods")
			if third.Inserted != 0 || out.Commit != l.head("goods").Commit || l.head("goods").Checkpoint.RunID == out.RunID {
				t.Errorf("nothing new: %+v", third)
			}
			l.sql(`ALTER TABLE goods ADD extra int`, `UPDATE goods SET at = 9, extra = 5 WHERE id = 7`)
			l.round("goods")
			l.holds("goods", `id, name, "at", extra`, `SELECT id, name, at, CASE WHEN at = 9 THEN 5 END AS extra FROM versions`)
			l.change("goods", func(s *spec.Table) { s.Reload = "all of it" })
			if _, reload := l.round("goods"); reload.Inserted+reload.Deleted != 0 {
				t.Errorf("a reload: %+v", reload)
			}
			l.sql(`ALTER TABLE goods RENAME name TO title`)
			l.refused("goods", nil, `column "title" is called "name" in the batches that are there`)
		})
	}
}
