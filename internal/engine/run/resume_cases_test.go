package run_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/run"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table/iceberg"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// What keeps a load from being gone on with is said, with how far it had come, and the load starts again.
func TestResumedNever(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	bucket, err := l.worker().Stores("s3://" + l.bucket + "/")
	l.must(err)
	cases := map[string]struct {
		why  string
		meet func(b *large)
	}{
		"full":       {`mode "full" shows the source as one snapshot has it`, nil},
		"historical": {"a historical table's versions", nil},
		"unkeyed":    {"no unique index of the source", nil},
		"rewritten":  {"it was rewritten, as by VACUUM FULL", func(b *large) { b.sql(`VACUUM FULL ` + b.name) }},
		"truncated": {"it was rewritten, as by VACUUM FULL", func(b *large) {
			b.sql(`CREATE TABLE `+b.name+`_copy AS SELECT * FROM `+b.name, `TRUNCATE `+b.name, `INSERT INTO `+b.name+` SELECT * FROM `+b.name+`_copy`)
		}},
		"recreated": {"recreated", func(b *large) {
			b.sql(`CREATE TABLE `+b.name+`_copy (LIKE `+b.name+` INCLUDING ALL)`, `INSERT INTO `+b.name+`_copy SELECT * FROM `+b.name, `DROP TABLE `+b.name, `ALTER TABLE `+b.name+`_copy RENAME TO `+b.name)
		}},
		"renamed": {"the source's columns", func(b *large) { b.sql(`ALTER TABLE ` + b.name + ` RENAME pad TO padding`) }},
		"filtered": {"other rows or columns", func(b *large) {
			b.lake.change(b.name, func(s *spec.Table) { s.Filter = []spec.Predicate{{Column: "id", Op: ">", Value: "0"}} })
		}},
		"otherwise": {"the source's columns, or what the lake makes of them", func(b *large) {
			b.lake.change(b.name, func(s *spec.Table) { s.PartitionBy = []string{"bucket(2, id)"} })
		}},
		"newer": {"another engine began it (version test)", func(b *large) { b.edit = func(r *run.Runner) { r.Version = "newer" } }},
		"alone": {"read by one session", func(b *large) { b.reconnect(func(c *spec.Connection) { c.MaxConnections = 1 }) }},
	}
	for _, name := range slices.Sorted(maps.Keys(cases)) {
		b := l.largeTable("t_"+name, map[bool]string{false: plainLarge, true: `(id int, v int, pad text)`}[name == "unkeyed"], spec.Extract{}, func(s *spec.Table) {
			switch name {
			case "full":
				s.Extract.Mode = "full"
			case "historical":
				s.StorageMode, s.Ordering = "historical", "v"
			}
		})
		b.killed(recorded(3))
		units, _ := b.unitsOf()
		if meet := cases[name].meet; meet != nil {
			meet(b)
		}
		r := b.lands(name)
		if want := fmt.Sprintf("had come to 3 of %d units", units); !noted(r, want) || !noted(r, "starts again: ") || !noted(r, cases[name].why) {
			t.Errorf("%s: the notes are %q, without %q or %q", name, r.Notes, want, cases[name].why)
		}
		if commits := b.commits(); len(commits) != 1 || commits[0].Counts.Seen != 3600 {
			t.Errorf("%s: the commits are %+v", name, commits)
		}
		// The files of the load that nobody goes on with are known by the table's id, and go when they are old.
		later := iceberg.New(iceberg.Options{
			Store: bucket, Catalog: l.runner().Catalog, Prefix: "raw/" + b.name + "/", Database: l.database, Name: b.name, Now: func() time.Time { return time.Now().Add(73 * time.Hour) },
		})
		removed, err := later.RemoveOrphans(t.Context(), 72*time.Hour)
		l.must(err)
		m, err := b.metadata()
		l.must(err)
		files, _, err := b.filesOf(m, m.Current)
		l.must(err)
		if left := l.objects("raw/" + b.name + "/data/"); len(left) != len(files) || removed < 3 {
			t.Errorf("%s: %d orphans were removed; %d objects are left, of which the table has %d", name, removed, len(left), len(files))
		}
		if name == "alone" {
			l.reconnect(func(c *spec.Connection) { c.MaxConnections = 4 })
		}
	}
}

// A load is not gone on with for ever, and files that are gone are read again.
func TestResumedWithinLimits(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	b := l.largeTable("large", plainLarge, spec.Extract{}, nil)
	for range 6 {
		b.killed(recorded(1))
	}
	if r := b.lands("the seventh"); !noted(r, "6 runs have not ended it") {
		t.Errorf("%q", r.Notes)
	}
	b = l.largeTable("much", plainLarge, spec.Extract{}, nil)
	b.killed(recorded(6))
	l.sql(`UPDATE much SET v = v + 1 WHERE id > 1000`)
	b.edit = func(r *run.Runner) { r.ResumeRows = 2000 }
	b.lands("more than is merged at once")
	if c := b.commits(); len(c) != 1 || c[0].Counts.Seen != 3600 {
		t.Errorf("%+v", c)
	}
	b = l.largeTable("lost", plainLarge, spec.Extract{}, nil)
	b.killed(recorded(5))
	bucket, err := l.worker().Stores("s3://" + l.bucket + "/")
	l.must(err)
	_, done, err := l.tracking.Load(t.Context(), "shop.lost")
	l.must(err)
	for key := range l.objects("raw/lost/data/") {
		if strings.Contains(key, "-"+done[0].Unit+"-0") {
			l.must(bucket.Delete(t.Context(), key, done[1].Key))
		}
	}
	units, _ := b.unitsOf()
	b.mixed(1)
	if r := b.lands("without some files"); !noted(r, fmt.Sprintf("%d units are left", units-3)) {
		t.Errorf("%q", r.Notes)
	}
}

// A transaction that is open while both snapshots are taken is found by the run behind its commit; one that commits between
// them is found by the second.
func TestResumedOverLongTransactions(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	b := l.largeTable("large", plainLarge, spec.Extract{}, nil)
	begin := func(from int) *pgx.Conn {
		conn, err := pgx.Connect(t.Context(), l.db.ConnString)
		l.must(err)
		t.Cleanup(func() { _ = conn.Close(t.Context()) })
		for _, s := range []string{
			`BEGIN`, fmt.Sprintf(`UPDATE large SET v = v + 3000 WHERE id %% 200 = %d`, from%200), `SAVEPOINT a`,
			fmt.Sprintf(`INSERT INTO large (id, v) SELECT i, 1 FROM generate_series(%d, %[1]d + 300) i`, from), `RELEASE a`, fmt.Sprintf(`DELETE FROM large WHERE id %% 200 = %d`, from%200+1),
		} {
			_, err := conn.Exec(t.Context(), s)
			l.must(err)
		}
		return conn
	}
	over, between := begin(20_005), begin(30_015)
	l.sql(`INSERT INTO large (id, v, pad) SELECT i, 2, 'while they are open' FROM generate_series(40001, 40200) i`)
	b.killed(recorded(4))
	_, err := between.Exec(t.Context(), `COMMIT`)
	l.must(err)
	// The open transaction has written the rows 5, 6, 205, 206 and so on.
	l.sql(`UPDATE large SET v = v + 500, pad = repeat('w', 300) WHERE id % 7 = 3 AND id % 200 NOT IN (5, 6)`, `DELETE FROM large WHERE id % 200 = 50`, `VACUUM large`,
		`INSERT INTO large (id, v) SELECT i, 3 FROM generate_series(41001, 41200) i`)
	if r := b.lands("while one is open"); !noted(r, "is gone on with") {
		t.Errorf("%q", r.Notes)
	}
	_, err = over.Exec(t.Context(), `COMMIT`)
	l.must(err)
	b.lands("behind its commit")
}

// Partitions that are made or attached between the snapshots are read, and so are rows that move between partitions; one that
// is gone has the load start again.
func TestResumedWithPartitions(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	b := l.largeTable("large", `(id int PRIMARY KEY, v int, pad text) PARTITION BY RANGE (id);
		CREATE TABLE large_a PARTITION OF large FOR VALUES FROM (0) TO (1500); CREATE TABLE large_b PARTITION OF large FOR VALUES FROM (1500) TO (5000);
		CREATE TABLE attached (id int PRIMARY KEY, v int, pad text); INSERT INTO attached SELECT i, 4, 'old' FROM generate_series(50000, 50300) i`, spec.Extract{}, nil)
	meet := func(n int) {
		l.sql(fmt.Sprintf(`CREATE TABLE large_c%d PARTITION OF large FOR VALUES FROM (%d) TO (%d)`, n, 5000+n*100, 5100+n*100),
			fmt.Sprintf(`INSERT INTO large (id, v) SELECT i, 6 FROM generate_series(%d, %[1]d + 99) i`, 5000+n*100),
			fmt.Sprintf(`UPDATE large SET id = id + 2000, v = 8 WHERE id IN (SELECT id + %d FROM generate_series(0, 1400, 20) id) AND id < 1500`, n),
			fmt.Sprintf(`INSERT INTO large_gone SELECT id + %d FROM generate_series(0, 1400, 20) id`, n)) // a key that changes is another row's
	}
	l.sql(`DELETE FROM large WHERE id BETWEEN 2000 AND 3500`)
	b.killed(recorded(3))
	meet(1)
	l.sql(`ALTER TABLE large ATTACH PARTITION attached FOR VALUES FROM (50000) TO (60000)`, `UPDATE large SET v = 9 WHERE id % 30 = 0`)
	b.killed(recorded(1))
	meet(2)
	if r := b.lands("with new partitions"); !noted(r, "is gone on with") {
		t.Errorf("%q", r.Notes)
	}
	meet(3)
	b.lands("the run behind it")
	l.change("large", func(s *spec.Table) { s.Reload = "again" })
	b.killed(recorded(3))
	l.sql(`DROP TABLE large_c1`)
	if r := b.lands("with a partition gone"); !noted(r, `the partition "public"."large_c1" is gone`) || !noted(r, "starts again") {
		t.Errorf("%q", r.Notes)
	}
}

// A reload is gone on with in the place of what the table held; one that another reload or a commit has overtaken is not.
func TestResumedReload(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	b := l.largeTable("large", plainLarge, spec.Extract{}, nil)
	b.lands("the first run")
	l.change("large", func(s *spec.Table) { s.Reload = "one" })
	l.sql(`DELETE FROM large WHERE id % 5 = 0`, `TRUNCATE large_gone`)
	b.killed(recorded(4))
	b.mixed(1)
	r := b.lands("the reload")
	if c := b.commits(); !noted(r, "is gone on with") || len(c) != 2 || c[1].Counts.Deleted != 3600 || c[1].Reload != "one" || string(c[1].From) != "null" {
		t.Errorf("%q, %+v", r.Notes, c)
	}
	l.change("large", func(s *spec.Table) { s.Reload = "two" })
	b.killed(recorded(4))
	l.change("large", func(s *spec.Table) { s.Reload = "one" })
	out, _ := b.attempt(nil)
	l.must(out.Err)
	l.change("large", func(s *spec.Table) { s.Reload = "three" })
	if r := b.lands("another reload"); !noted(r, "another reload is asked for") {
		t.Errorf("%q", r.Notes)
	}
}

// Whatever the horizon, the position behind a load that was gone on with is that of the second snapshot, with the greatest
// cursor that any of its runs has seen.
func TestResumedByCursor(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	for name, extract := range map[string]spec.Extract{
		"transactions": {Horizon: "transactions", Cursor: "at"},
		"lookback":     {Horizon: "lookback", Cursor: "seen", Lookback: "5"},
	} {
		b := l.largeTable(name, `(id int PRIMARY KEY, v int, pad text, at timestamptz NOT NULL DEFAULT clock_timestamp(), seen bigint GENERATED ALWAYS AS IDENTITY)`, extract, nil)
		b.killed(recorded(8)) // the greatest cursors are of units that are not read again
		l.sql(`UPDATE `+name+` SET v = v + 20 WHERE id % 77 = 0`, `INSERT INTO `+name+` (id, v) VALUES (9000, 1)`)
		r := b.lands(name)
		if !noted(r, "is gone on with") {
			t.Errorf("%s: %q", name, r.Notes)
		}
		to, err := postgres.DecodePosition(b.commits()[0].To)
		l.must(err)
		var greatest, bound bool // as the server reads them: a time has several spellings
		of := `SELECT max(` + extract.Cursor + `) = '%s' FROM ` + name
		l.query(&greatest, fmt.Sprintf(of, *to.Cursor.Seen))
		l.query(&bound, fmt.Sprintf(of, *to.Cursor.Bound))
		if !greatest || name == "lookback" && bound {
			t.Errorf("the position is %s, and its cursor is not the greatest", b.commits()[0].To)
		}
		l.sql(`INSERT INTO ` + name + ` (id, v) VALUES (9001, 2)`)
		if r := b.lands(name + ", the run behind it"); r.Seen > 1000 {
			t.Errorf("%s: the run behind it has read %d rows", name, r.Seen)
		}
	}
}

// What has changed goes into the files of its partition in the lake, and rows say which run has read them.
func TestResumedIntoPartitions(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	b := l.largeTable("large", plainLarge, spec.Extract{}, func(s *spec.Table) {
		s.PartitionBy, s.AuditColumns = []string{"v"}, []string{"_lk_run_id", "_lk_op"}
	})
	b.killed(recorded(5))
	l.sql(`UPDATE large SET v = (v + 3) % 10 WHERE id % 11 = 0`, `INSERT INTO large SELECT i, i % 12, 'new' FROM generate_series(4001, 4100) i`)
	r := b.lands("partitions")
	var rows int64
	for partition, n := range b.partitions("large") {
		var want int64
		l.query(&want, `SELECT count(*) FROM large WHERE v = `+partition)
		if rows += n; n != want {
			t.Errorf("partition %s has %d rows, not %d", partition, n, want)
		}
	}
	runs := map[string]int{}
	for _, row := range l.rows("large") {
		runs[row["_lk_run_id"]]++
		if row["_lk_op"] != "I" {
			t.Fatalf("a row that is new says %v", row)
		}
	}
	if rows != 3700 || len(runs) != 2 || runs[r.RunID] == 0 {
		t.Errorf("%d rows; they are of the runs %v, the last of which is %s", rows, runs, r.RunID)
	}
}

// Random histories, with crashes anywhere among them: whatever runs had read by then, the one that ends lands the source.
func TestResumedRandomly(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	r := rand.New(rand.NewPCG(sandbox.Seed(t), 7))
	for n := range 5 {
		b := l.largeTable(fmt.Sprintf("large%d", n), plainLarge, spec.Extract{}, nil)
		changes := func() {
			for range 1 + r.IntN(6) {
				low, width := r.IntN(4200), 1+r.IntN(600)
				where := fmt.Sprintf(` WHERE id BETWEEN %d AND %d AND id %% %d = 0`, low, low+width, 1+r.IntN(9))
				switch r.IntN(8) {
				case 0, 1:
					l.sql(`UPDATE ` + b.name + ` SET v = v + 1` + where)
				case 2:
					l.sql(`UPDATE ` + b.name + fmt.Sprintf(` SET v = v + 1, pad = repeat('z', %d)`, r.IntN(600)) + where)
				case 3:
					l.sql(`DELETE FROM ` + b.name + where)
				case 4:
					l.sql(fmt.Sprintf(`INSERT INTO %s (id, v) SELECT i, %d FROM generate_series(%d, %d) i ON CONFLICT (id) DO UPDATE SET v = excluded.v`, b.name, r.IntN(1000), low, low+width))
				case 5:
					l.sql(`BEGIN`, `UPDATE `+b.name+` SET v = 4321`+where, `ROLLBACK`)
				case 6:
					l.sql(`VACUUM ` + b.name)
				default:
					l.sql(`VACUUM (FREEZE) ` + b.name)
				}
			}
		}
		crashes := 1 + r.IntN(4)
		for range crashes {
			at, calls := r.IntN(60), 0
			out, _ := b.attempt(func(int, call) harm {
				if calls++; calls == at+1 {
					return []harm{killedBefore, killedAfter}[at%2]
				}
				return unharmed
			})
			if b.outwait(); out.Err == nil {
				b.holds("a run that was not killed in time")
			}
			changes()
		}
		// A run that died behind its commit leaves what the tracker had of the load, until that expires.
		out, _ := b.attempt(nil)
		l.must(out.Err)
		b.holds(fmt.Sprintf("history %d, behind %d crashes", n, crashes))
	}
}
