package run_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/readback"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

var hudiFile = regexp.MustCompile(`^(.+)_\d+-\d+-\d+_(\d{17})\.parquet$`)

// hudiShows compares a table of Hudi, the newest version of each file group as DuckDB reads it, with a query over the source.
func (l *lake) hudiShows(name, columns, query string) {
	l.t.Helper()
	d := &landing{lake: l, name: name}
	newest, replaced, commits := map[string]string{}, map[string]bool{}, map[string]bool{}
	prefix := "raw/" + name + "/"
	objects := l.objects(prefix)
	for key := range objects {
		instant, rest, _ := strings.Cut(path.Base(key), ".")
		if path.Base(path.Dir(key)) != ".hoodie" || rest != "commit" && rest != "replacecommit" {
			continue
		}
		commits[instant] = true
		data, err := d.object("s3://" + l.bucket + "/" + key)
		l.must(err)
		var c struct {
			Replaced map[string][]string `json:"partitionToReplaceFileIds"`
		}
		l.must(json.Unmarshal(data, &c))
		for _, ids := range c.Replaced {
			for _, id := range ids {
				replaced[id] = true
			}
		}
	}
	at := map[string]string{}
	for key := range objects {
		m := hudiFile.FindStringSubmatch(path.Base(key))
		if m != nil && !strings.Contains(key, ".hoodie/") && commits[m[2]] && !replaced[m[1]] && m[2] > at[m[1]] {
			newest[m[1]], at[m[1]] = key, m[2]
		}
	}
	var paths []string
	folder := l.t.TempDir()
	for _, key := range newest {
		data, err := d.object("s3://" + l.bucket + "/" + key)
		l.must(err)
		file := filepath.Join(folder, fmt.Sprintf("%d.parquet", len(paths)))
		l.must(os.WriteFile(file, data, 0o600))
		paths = append(paths, "'"+file+"'")
	}
	got, err := l.reader().Query(l.t.Context(), fmt.Sprintf(`SELECT %s FROM read_parquet([%s], union_by_name = true, hive_partitioning = false)`, columns, strings.Join(paths, ", ")))
	l.must(err)
	l.sql(`CREATE OR REPLACE VIEW shown AS ` + query)
	want, err := readback.Postgres(l.t.Context(), l.db.ConnString, "public", "shown")
	l.must(err)
	l.sql(`DROP VIEW shown`)
	for _, difference := range readback.Differences(want, &got[0]) {
		l.t.Error(difference)
	}
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
			const columns = `id, name, price, land, "at", "day"`
			shown := `SELECT id, name, price, land, at, day FROM goods`
			if _, first := l.round("goods"); first.Inserted != 3000 {
				t.Errorf("the first run: %+v", first)
			}
			l.hudiShows("goods", columns, shown)
			l.sql(`INSERT INTO goods SELECT i, 'new ' || i, i, 'l/1' FROM generate_series(3001, 3100) i`, `UPDATE goods SET price = price + 1 WHERE id % 300 = 0 AND id <= 3000`, `UPDATE goods SET land = NULL WHERE id = 7`)
			_, second := l.round("goods")
			if second.Inserted != 100 || second.Updated != 11 {
				t.Errorf("the second run: %+v", second)
			}
			l.hudiShows("goods", columns, shown)
			if out, third := l.round("goods"); third.Inserted+third.Updated != 0 || out.Commit != second.Commit {
				t.Errorf("nothing changed: %+v", third)
			}
			l.sql(`ALTER TABLE goods ADD note text`, `UPDATE goods SET note = 'x' WHERE id = 9`, `ALTER TABLE goods DROP COLUMN day`)
			l.round("goods")
			l.hudiShows("goods", `id, name, price, land, "at", note`, `SELECT id, name, price, land, at, note FROM goods`)
			l.sql(`DELETE FROM goods WHERE id < 100`)
			l.change("goods", func(s *spec.Table) { s.Reload = "again" })
			if _, reload := l.round("goods"); reload.Inserted != 3001 {
				t.Errorf("a reload: %+v", reload)
			}
			l.hudiShows("goods", `id, name, price, land, "at", note`, `SELECT id, name, price, land, at, note FROM goods`)
			l.sql(`UPDATE goods SET name = 'z' WHERE id = 500`)
			l.round("goods")
			l.hudiShows("goods", `id, name, price, land, "at", note`, `SELECT id, name, price, land, at, note FROM goods`)
			l.sql(`ALTER TABLE goods RENAME name TO title`)
			l.refused("goods", nil, `column "title" is called "name" in the table`)
		})
	}
}
