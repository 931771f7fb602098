package run_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/readback"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// inMergedFormats runs a test in each format whose tables are merged into.
func inMergedFormats(t *testing.T, test func(t *testing.T, format string)) {
	t.Helper()
	for _, format := range []string{"iceberg", "hudi"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			test(t, format)
		})
	}
}

// hudiFiles copies the data files that readers of a table of Hudi read, and returns their paths.
func (l *lake) hudiFiles(name string) []string {
	l.t.Helper()
	d := &landing{lake: l, name: name}
	var paths []string
	folder := l.t.TempDir()
	for _, key := range d.hudiTable().files {
		data, err := d.object("s3://" + l.bucket + "/" + key)
		l.must(err)
		paths = append(paths, filepath.Join(folder, fmt.Sprintf("%d.parquet", len(paths))))
		l.must(os.WriteFile(paths[len(paths)-1], data, 0o600))
	}
	return paths
}

// hudiQuery asks DuckDB about the rows that readers of a table of Hudi read, which are called lake.
func (l *lake) hudiQuery(name, query string) *readback.Table {
	l.t.Helper()
	files := ""
	if paths := l.hudiFiles(name); len(paths) > 0 {
		files = "FROM read_parquet(['" + strings.Join(paths, "', '") + "'], union_by_name = true, hive_partitioning = false) UNION ALL BY NAME "
	}
	commits := (&landing{lake: l, name: name}).hudiTable().commits
	var of struct{ Fields []struct{ Name string } }
	l.must(json.Unmarshal([]byte(commits[len(commits)-1].extra["schema"]), &of))
	var none []string // columns that no file has yet are of the newest commit
	for _, c := range of.Fields {
		none = append(none, `NULL AS "`+c.Name+`"`)
	}
	got, err := l.reader().Query(l.t.Context(), fmt.Sprintf(`WITH lake AS (%sSELECT %s WHERE false) %s`, files, strings.Join(none, ", "), query))
	l.must(err)
	return &got[0]
}

// isHudi reports whether a table of Hudi lies where a table lands.
func (l *lake) isHudi(name string) bool {
	l.t.Helper()
	return len(l.objects("raw/"+name+"/.hoodie/hoodie.properties")) > 0
}

// hudiHolds compares a table of Hudi with what is wanted of its columns.
func (l *lake) hudiHolds(name string, want *readback.Table) {
	l.t.Helper()
	var columns []string
	for _, c := range want.Names() {
		columns = append(columns, `"`+c+`"`)
	}
	got := l.hudiQuery(name, `SELECT `+strings.Join(columns, ", ")+` FROM lake`)
	for _, difference := range readback.Differences(want, got) {
		l.t.Errorf("%s: %s", name, difference)
	}
}

// showsOnce is shows for sources whose columns go on to change.
func (l *lake) showsOnce(name, query string) {
	l.t.Helper()
	l.shows(name, query)
	l.sql(`DROP VIEW shown`)
}

// Loads, changes, drift and reloads of a table of Hudi, in partitions and not.
func TestHudiTables(t *testing.T) {
	t.Parallel()
	for name, partition := range map[string][]string{"flat": nil, "partitions": {"land"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLake(t, `CREATE TABLE goods (id bigint PRIMARY KEY, name text, price numeric(12,2), land text, at timestamptz, day date)`,
				`INSERT INTO goods SELECT i, CASE WHEN i % 7 > 0 THEN 'good ' || i END, i * 1.25, 'l/' || i % 3, timestamptz '2024-02-29 12:00Z' + i * interval '1 s', date '1500-01-01' + i FROM generate_series(1, 3000) i`)
			l.changing("goods", spec.Extract{}, func(s *spec.Table) { s.Target.Format, s.PartitionBy = "hudi", partition })
			shown := `SELECT id, name, price, land, at, day FROM goods`
			if _, first := l.round("goods"); first.Inserted != 3000 {
				t.Errorf("the first run: %+v", first)
			}
			l.showsOnce("goods", shown)
			l.sql(`INSERT INTO goods SELECT i, 'new ' || i, i, 'l/1' FROM generate_series(3001, 3100) i`, `UPDATE goods SET price = price + 1 WHERE id % 300 = 0 AND id <= 3000`, `UPDATE goods SET land = NULL WHERE id = 7`)
			_, second := l.round("goods")
			if second.Inserted != 100 || second.Updated != 11 {
				t.Errorf("the second run: %+v", second)
			}
			l.showsOnce("goods", shown)
			if out, third := l.round("goods"); third.Inserted+third.Updated != 0 || out.Commit != second.Commit {
				t.Errorf("nothing changed: %+v", third)
			}
			l.sql(`ALTER TABLE goods ADD note text`, `UPDATE goods SET note = 'x' WHERE id = 9`, `ALTER TABLE goods DROP COLUMN day`)
			l.round("goods")
			l.showsOnce("goods", `SELECT id, name, price, land, at, note FROM goods`)
			l.sql(`DELETE FROM goods WHERE id < 100`)
			l.change("goods", func(s *spec.Table) { s.Reload = "again" })
			if _, reload := l.round("goods"); reload.Inserted != 3001 {
				t.Errorf("a reload: %+v", reload)
			}
			l.showsOnce("goods", `SELECT id, name, price, land, at, note FROM goods`)
			l.sql(`UPDATE goods SET name = 'z' WHERE id = 500`)
			l.round("goods")
			l.showsOnce("goods", `SELECT id, name, price, land, at, note FROM goods`)
			l.sql(`ALTER TABLE goods RENAME name TO title`)
			l.refused("goods", nil, `column "title" is called "name" in the table`)
		})
	}
}
