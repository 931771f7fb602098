package run_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/merge"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/readback"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
	"github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

// partitions counts the rows of a table's files by their partitions.
func (l *lake) partitions(name string) map[string]int64 {
	l.t.Helper()
	t := l.opened(name)
	head, err := t.Head(l.t.Context())
	l.must(err)
	files, err := t.Files(l.t.Context(), head)
	l.must(err)
	out := map[string]int64{}
	for _, f := range files {
		var texts []string
		for _, v := range f.Partition {
			if v == nil {
				texts = append(texts, "NULL")
			} else {
				texts = append(texts, *v)
			}
		}
		out[strings.Join(texts, " ")] += f.Rows
	}
	return out
}

// rows reads a table of the lake as PyIceberg shows it: each row by the names of its columns, in the plain form.
func (l *lake) rows(name string) []map[string]string {
	l.t.Helper()
	var got *readback.Table
	if l.isHudi(name) {
		got = l.hudiQuery(name, `SELECT * EXCLUDE (_hoodie_commit_time, _hoodie_commit_seqno, _hoodie_record_key, _hoodie_partition_path, _hoodie_file_name) FROM lake`)
	} else {
		found, err := l.reader().Iceberg(l.t.Context(), l.database+"."+name)
		l.must(err)
		got = &found[0]
	}
	out := make([]map[string]string, len(got.Rows))
	for i, row := range got.Rows {
		out[i] = map[string]string{}
		for j, c := range got.Columns {
			out[i][c[0]] = "NULL"
			if row[j] != nil {
				out[i][c[0]] = *row[j]
			}
		}
	}
	return out
}

// Rows lie in files of their partitions alone, many partitions, units and transforms at once; other partitions come with the
// next full load.
func TestRowsLieInTheirPartitions(t *testing.T) {
	t.Parallel()
	l := newLake(t, `CREATE TABLE visits (id bigint PRIMARY KEY, seen date, shop text, note text)`,
		`INSERT INTO visits SELECT i, CASE WHEN i % 50 > 0 THEN date '2023-12-01' + (i * 7919 % 90) END, 'shop ' || i % 3, repeat('n', i % 100) FROM generate_series(1, 6000) i`)
	doc := l.source("visits")
	doc.PartitionBy = []string{"month(seen)", "bucket(4, id)", "shop"}
	doc.Columns = map[string]spec.Column{"shop": {Name: "store"}}
	l.must(l.tracking.CreateTable(t.Context(), doc, sandbox.Account))
	r := l.runner()
	r.UnitBytes = 64 << 10
	l.must(r.Table(t.Context(), "shop.visits").Err)
	l.shows("visits", `SELECT id, seen, shop AS store, note FROM visits`)
	var months int64
	for partition, rows := range l.partitions("visits") {
		if parts := strings.SplitN(partition, " ", 3); len(parts) != 3 || !strings.HasPrefix(parts[2], "shop ") {
			t.Errorf("a partition %q of %d rows", partition, rows)
		} else if parts[0] == "648" { // January 2024
			months += rows
		}
	}
	var wanted int64
	l.query(&wanted, `SELECT count(*) FROM visits WHERE seen >= '2024-01-01' AND seen < '2024-02-01'`)
	if months != wanted || len(l.partitions("visits")) != 4*4*3 {
		t.Errorf("%d rows lie in January, %d should; there are %d partitions", months, wanted, len(l.partitions("visits")))
	}
	l.change("visits", func(s *spec.Table) { s.PartitionBy = []string{"day(seen)"} })
	l.round("visits")
	l.shows("visits", `SELECT id, seen, shop AS store, note FROM visits`)
	if now := l.partitions("visits"); len(now) != 91 || now["NULL"] != 120 {
		t.Errorf("%d partitions, %d rows without a day", len(now), now["NULL"])
	}
	l.change("visits", func(s *spec.Table) { s.PartitionBy = []string{"hour(note)"} })
	if out := r.Table(t.Context(), "shop.visits"); out.Err == nil || !strings.Contains(out.Err.Error(), "hour(note)") {
		t.Errorf("hours of a text: %v", out.Err)
	}
	l.change("visits", func(s *spec.Table) { s.PartitionBy = []string{"day(Seen)"} })
	if out := r.Table(t.Context(), "shop.visits"); out.Err == nil || !strings.Contains(out.Err.Error(), `no column "Seen", which partition_by names`) {
		t.Errorf("a column that is not there: %v", out.Err)
	}
}

// Changes that move rows to other partitions leave exactly one row of each key, however changes are written, and every reader
// sees them; what is written on read is compacted as it comes up. In Hudi each change moves its row, for one field is the number of
// its changes.
func TestChangesReachPartitions(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"copy_on_write", "merge_on_read", "hudi"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			fields, values := []string{"day(seen)", "truncate(6, shop)"}, `date_trunc('day', seen AT TIME ZONE 'UTC'), left(shop, 6)`
			if how == "hudi" {
				fields, values = []string{"shop", "n"}, `shop, n`
			}
			r := rand.New(rand.NewPCG(sandbox.Seed(t), 9))
			l := newLake(t, `CREATE TABLE visits (id bigint PRIMARY KEY, seen timestamptz, shop text, n int)`,
				`INSERT INTO visits SELECT i, CASE WHEN i % 9 > 0 THEN timestamptz '2024-01-01Z' + (i % 5) * interval '1 day' END, 'shop ' || i % 3, 0 FROM generate_series(1, 2000) i`)
			l.changing("visits", spec.Extract{}, func(s *spec.Table) {
				s.PartitionBy, s.Reconcile = fields, &spec.Reconcile{Every: "1h"}
				if how == "hudi" {
					s.Target.Format = how
				} else {
					s.WriteMode = how
				}
			})
			l.round("visits")
			top := 2000
			for range 8 {
				every := 2 + r.IntN(90)
				l.sql(fmt.Sprintf(`UPDATE visits SET n = n + 1, seen = CASE WHEN id %% 2 = 0 THEN seen + interval '1 day' ELSE seen END, shop = CASE WHEN id %% 5 = 0 THEN 'Laden' ELSE shop END WHERE id %% %d = 0`, every),
					fmt.Sprintf(`INSERT INTO visits SELECT i, timestamptz '2024-01-03Z', NULL, 0 FROM generate_series(%d, %d) i`, top+1, top+20))
				top += 20
				l.forget("visits")
				_, h := l.round("visits")
				if h.Reconcile != "equal" || h.SourceRows != int64(top) {
					t.Errorf("%d rows are %s: %s", h.SourceRows, h.Reconcile, h.ReconcileWhy)
				}
				var updated int64
				l.query(&updated, fmt.Sprintf(`SELECT count(*) FROM visits WHERE id %% %d = 0 AND id <= %d`, every, top-20))
				if h.Inserted != 20 || h.Updated != updated || h.Deleted != 0 {
					t.Errorf("%d inserted, %d updated (not %d), %d deleted", h.Inserted, h.Updated, updated, h.Deleted)
				}
				l.equal("visits")
			}
			var partitions int
			l.query(&partitions, `SELECT count(DISTINCT (`+values+`)) FROM visits`)
			if now := len(l.partitions("visits")); how != "merge_on_read" && now != partitions {
				t.Errorf("%d partitions, and the rows have %d", now, partitions)
			}
			l.change("visits", func(s *spec.Table) { s.PartitionBy = fields[:1] })
			if how == "hudi" {
				(&landing{lake: l, name: "visits"}).shownWhole("changes")
				l.refused("visits", table.ErrPartitioning, "is partitioned by shop, n and partition_by says shop: have partition_by say what the table is partitioned by, or land into a new target")
				return
			}
			l.refused("visits", postgres.ErrReload, "is partitioned by day(seen), truncate(6, shop) and partition_by says day(seen)")
			l.change("visits", func(s *spec.Table) { s.Reload = "other partitions" })
			l.round("visits")
			l.equal("visits")
		})
	}
}

// versions makes a table whose versions are kept beside it as a run meets them.
const versions = `
	CREATE TABLE goods (id bigint PRIMARY KEY, name text, at int NOT NULL);
	CREATE TABLE versions (id bigint, name text, at int, PRIMARY KEY (id, at));
	CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		INSERT INTO versions VALUES (NEW.id, NEW.name, NEW.at) ON CONFLICT (id, at) DO UPDATE SET name = excluded.name; RETURN NEW;
	END $$;
	CREATE TRIGGER keep AFTER INSERT OR UPDATE ON goods FOR EACH ROW EXECUTE FUNCTION keep()`

// A historical table keeps each version that a run has met; an equal pair of key and ordering replaces itself; nothing that
// goes at the source goes in the lake, not even with a reload.
func TestVersionsAreKept(t *testing.T) {
	t.Parallel()
	for _, tc := range [][]string{{"full", "iceberg"}, {"incremental", "iceberg"}, {"full", "hudi"}, {"incremental", "hudi"}} {
		t.Run(strings.Join(tc, " "), func(t *testing.T) {
			t.Parallel()
			l := newLake(t, versions, `INSERT INTO goods SELECT i, 'good ' || i, 1 FROM generate_series(1, 200) i`)
			doc := l.source("goods")
			doc.Extract.Mode, doc.Target.Format, doc.StorageMode, doc.Ordering, doc.PrimaryKey = tc[0], tc[1], "historical", "at", []string{"id"}
			l.must(l.tracking.CreateTable(t.Context(), doc, sandbox.Account))
			l.round("goods")
			shown := `SELECT id, name, at FROM versions`
			l.shows("goods", shown)
			l.sql(`UPDATE goods SET at = 2, name = upper(name) WHERE id % 10 = 0`, `INSERT INTO goods VALUES (201, 'new', 7)`)
			if _, second := l.round("goods"); second.Inserted != 21 || second.Updated != 0 || second.Deleted != 0 {
				t.Errorf("new versions: %+v", second)
			}
			l.shows("goods", shown)
			l.sql(`UPDATE goods SET name = 'same version' WHERE id IN (5, 10)`, `DELETE FROM goods WHERE id = 6`)
			if _, third := l.round("goods"); third.Inserted != 0 || third.Updated != 2 || third.Deleted != 0 {
				t.Errorf("versions that changed: %+v", third)
			}
			l.shows("goods", shown)
			if _, fourth := l.round("goods"); fourth.Inserted+fourth.Updated != 0 || l.head("goods").Rows != 221 {
				t.Errorf("nothing new: %+v, %d rows", fourth, l.head("goods").Rows)
			}
			l.change("goods", func(s *spec.Table) { s.Reload = "all of it" })
			if _, fifth := l.round("goods"); fifth.Inserted+fifth.Deleted != 0 {
				t.Errorf("a reload: %+v", fifth)
			}
			l.shows("goods", shown)
			l.sql(`ALTER TABLE goods ALTER at DROP NOT NULL, DISABLE TRIGGER keep`, `INSERT INTO goods VALUES (300, 'never', NULL)`)
			l.refused("goods", nil, `1 rows have NULL in column "at"`)
		})
	}
}

// An ordering that the source does not have, two rows of one key where keys are needed, and versions that are to be rows, are
// refused by name.
func TestRefusalsOfStorage(t *testing.T) {
	t.Parallel()
	inMergedFormats(t, refusalsOfStorage)
}

func refusalsOfStorage(t *testing.T, format string) {
	t.Helper()
	l := newLake(t, `CREATE TABLE goods (id bigint, name text, at int)`, `INSERT INTO goods VALUES (1, 'a', 1), (1, 'b', 2)`)
	l.changing("goods", spec.Extract{}, func(s *spec.Table) { s.Target.Format = format })
	fails := func(text string) {
		t.Helper()
		if err := l.runner().Table(t.Context(), "shop.goods").Err; err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("got %v, want %q", err, text)
		}
		if n := len(l.dataFiles("goods")); n != 0 {
			t.Errorf("%d files were left", n)
		}
	}
	fails(`several rows with equal values in ["id"]`)
	l.change("goods", func(s *spec.Table) { s.StorageMode, s.Ordering = "historical", "At" })
	fails(`no column "At", which ordering names`)
	l.change("goods", func(s *spec.Table) { s.Ordering = "at" })
	l.sql(`INSERT INTO goods VALUES (NULL, 'c', 3)`)
	fails(`1 rows have NULL in column "id"`)
	l.sql(`DELETE FROM goods WHERE id IS NULL`, `ALTER TABLE goods ADD _lk_op int`)
	l.change("goods", func(s *spec.Table) { s.AuditColumns = []string{"_lk_op"} })
	fails(`a column that is named "_lk_op" in the lake`)
	l.change("goods", func(s *spec.Table) { s.Columns = map[string]spec.Column{"_lk_op": {Name: "theirs"}} })
	l.round("goods")
	l.change("goods", func(s *spec.Table) { s.StorageMode = "current_snapshot" })
	l.refused("goods", postgres.ErrReload, "reads other rows")
}

// A table's key does not hold over its heirs, so rows of one key are looked for there before anything is committed.
func TestRowsOfOneKeyInHeirs(t *testing.T) {
	t.Parallel()
	l := newLake(t, `CREATE TABLE goods (id int PRIMARY KEY, name text)`, `CREATE TABLE more () INHERITS (goods)`, `INSERT INTO goods VALUES (1, 'a'), (2, 'b')`, `INSERT INTO more VALUES (1, 'once more')`)
	l.changing("goods", spec.Extract{}, nil)
	if err := l.runner().Table(t.Context(), "shop.goods").Err; err == nil || !strings.Contains(err.Error(), `several rows with equal values in ["id"]`) {
		t.Errorf("got %v", err)
	}
	if n := len(l.objects("raw/goods/data/")); n != 0 {
		t.Errorf("%d files were left", n)
	}
	l.sql(`UPDATE more SET id = 3`)
	l.round("goods")
	l.shows("goods", `SELECT * FROM goods`)
}

// Where the source has several rows of one key, the newest by the ordering is the lake's, at the first load and later.
func TestTheNewestOfOneKeyIsLanded(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(*spec.Table){
		"iceberg": func(*spec.Table) {}, "hudi": func(s *spec.Table) { s.Target.Format = "hudi" },
		"hudi, all rows": func(s *spec.Table) { s.Target.Format, s.Extract.Mode = "hudi", "full" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			theNewestOfOneKey(t, edit)
		})
	}
}

func theNewestOfOneKey(t *testing.T, edit func(*spec.Table)) {
	t.Helper()
	l := newLake(t, `CREATE TABLE log (id bigint, at timestamptz, what text)`, `INSERT INTO log SELECT i % 100, timestamptz '2024-01-01Z' + i * interval '1 min', 'v' || i FROM generate_series(1, 1000) i`)
	l.changing("log", spec.Extract{}, func(s *spec.Table) { s.Ordering = "at"; edit(s) })
	shown := `SELECT DISTINCT ON (id) id, at, what FROM log ORDER BY id, at DESC`
	if _, first := l.round("log"); first.Inserted != 100 || first.Seen != 1000 {
		t.Errorf("the first run: %+v", first)
	}
	l.shows("log", shown)
	l.sql(`INSERT INTO log SELECT i, timestamptz '2025-01-01Z' + n * interval '1 h', 'new ' || n FROM generate_series(90, 110) i, generate_series(1, 3) n`)
	if _, second := l.round("log"); second.Inserted != 11 && second.Horizon != "full" || second.Updated != 10 && second.Horizon != "full" || second.Net != 11 {
		t.Errorf("the second run: %+v", second)
	}
	l.shows("log", shown)
	l.sql(`INSERT INTO log VALUES (500, '2025-06-01Z', 'a'), (500, '2025-06-01Z', 'b')`)
	l.refused("log", merge.ErrKey, "equal values of what orders them")
}

// Source and lake are counted in one snapshot as often as is said, and what the horizon cannot see is no difference.
func TestRowsAreReconciled(t *testing.T) {
	t.Parallel()
	inMergedFormats(t, rowsAreReconciled)
}

func rowsAreReconciled(t *testing.T, format string) {
	t.Helper()
	l := newLake(t, `CREATE TABLE goods (id bigint PRIMARY KEY, name text, land text)`, `INSERT INTO goods SELECT i, 'g', 'l' || i % 3 FROM generate_series(1, 30) i`)
	l.changing("goods", spec.Extract{}, func(s *spec.Table) {
		s.Target.Format, s.PartitionBy, s.Reconcile = format, []string{"land"}, &spec.Reconcile{Every: "1h"}
	})
	is := func(result, why string, source int64) {
		t.Helper()
		_, h := l.round("goods")
		if h.Reconcile != result || !strings.Contains(h.ReconcileWhy, why) || source >= 0 && h.SourceRows != source {
			t.Errorf("%q because %q, %d rows; want %q because %q, %d", h.Reconcile, h.ReconcileWhy, h.SourceRows, result, why, source)
		}
	}
	is("equal", "", 30)
	is("not comparable", "no comparison was due", -1)
	l.forget("goods")
	l.sql(`DELETE FROM goods WHERE id < 4`)
	is("not comparable", `the lake has 3 rows more than the source's 27: horizon "xmin" does not see deletions`, 27)
	if format == "hudi" {
		(&landing{lake: l, name: "goods"}).sparkCommits([]string{"land=l1"}) // which drops the partition, of 10 rows
	} else {
		l.foreign("goods", "delete", "id > 20")
	}
	l.forget("goods")
	l.sql(`UPDATE goods SET name = 'h' WHERE id = 12`)
	is("differs", "the lake has 7 rows less than the source's 27", 27)
	l.change("goods", func(s *spec.Table) { s.Reload = "deleted rows" })
	l.forget("goods")
	is("equal", "", 27)
}

// forget takes the time of the last comparison back.
func (l *lake) forget(name string) {
	l.t.Helper()
	lease, err := l.tracking.Acquire(l.t.Context(), "shop."+name, "01ARZ3NDEKTSV4RRFFQ69G5FAV", tracking.MinLease)
	l.must(err)
	summary, err := l.tracking.Summary(l.t.Context(), "shop."+name)
	l.must(err)
	summary.Reconciled = summary.Reconciled.AddDate(0, 0, -1)
	position, err := l.tracking.Position(l.t.Context(), "shop."+name)
	l.must(err)
	l.must(lease.Record(l.t.Context(), tracking.Record{Position: position, Summary: summary, Run: tracking.Run{Table: "shop." + name, RunID: "01ARZ3NDEKTSV4RRFFQ69G5FAV", State: tracking.RunSucceeded}}))
	l.must(lease.Release(l.t.Context()))
}

// Each row says which run wrote it, and how; one that is read again as it was keeps what it said.
func TestAuditColumns(t *testing.T) {
	t.Parallel()
	inMergedFormats(t, auditColumns)
}

func auditColumns(t *testing.T, format string) {
	t.Helper()
	l := newLake(t, `CREATE TABLE goods (id bigint PRIMARY KEY, name text)`, `INSERT INTO goods SELECT i, 'g' FROM generate_series(1, 40) i`)
	l.changing("goods", spec.Extract{Horizon: "lookback", Cursor: "id", Lookback: "100"}, func(s *spec.Table) {
		s.AuditColumns, s.DeletedColumn, s.Target.Format = spec.AuditColumns, "gone", format
	})
	first, _ := l.round("goods")
	l.sql(`UPDATE goods SET name = 'h' WHERE id <= 10`, `INSERT INTO goods VALUES (41, 'i')`)
	second, history := l.round("goods")
	if history.Updated != 10 || history.Inserted != 1 {
		t.Errorf("%d updated, %d inserted", history.Updated, history.Inserted)
	}
	for _, row := range l.rows("goods") {
		run, op := first.RunID, "I"
		switch row["name"] {
		case "h":
			run, op = second.RunID, "U"
		case "i":
			run = second.RunID
		}
		if row["_lk_run_id"] != run || row["_lk_op"] != op || row["_lk_source"] != "db/public.goods" || row["gone"] != "false" || row["_lk_seq"] == "NULL" || row["_lk_ingested_at"] == "NULL" {
			t.Errorf("a row says %v", row)
		}
	}
	l.change("goods", func(s *spec.Table) { s.AuditColumns, s.DeletedColumn = []string{"_lk_op"}, "" })
	l.sql(`UPDATE goods SET name = 'z' WHERE id = 20`)
	if _, third := l.round("goods"); third.Updated != 1 {
		t.Errorf("%d rows are written for columns that only the lake has", third.Updated-1)
	}
	for _, row := range l.rows("goods") {
		if z := row["name"] == "z"; z != (row["_lk_run_id"] == "NULL") || z != (row["gone"] == "NULL") || z && row["_lk_op"] != "U" {
			t.Errorf("with fewer columns a row says %v", row)
		}
	}
	names := []string{}
	for _, c := range l.head("goods").Schema.Columns {
		if !strings.HasPrefix(c.Name, "_hoodie_") {
			names = append(names, c.Name)
		}
	}
	if want := append([]string{"id", "name"}, append(slices.Clone(spec.AuditColumns), "gone")...); fmt.Sprint(names) != fmt.Sprint(want) {
		t.Errorf("the columns are %q", names)
	}
}

// The names that a configuration may use are those of the engine's stamps.
func TestStampsAreTheConfigurations(t *testing.T) {
	t.Parallel()
	var names []string
	for _, c := range schema.Stamps {
		names = append(names, c.Name)
	}
	if !slices.Equal(names, spec.AuditColumns) {
		t.Errorf("%q and %q", names, spec.AuditColumns)
	}
}
