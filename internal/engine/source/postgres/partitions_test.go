package postgres_test

import (
	"strings"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

var parted = []string{
	`CREATE TABLE t (id int, v text, at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (id)) PARTITION BY RANGE (id)`,
	`CREATE TABLE low PARTITION OF t FOR VALUES FROM (0) TO (100)`,
	`CREATE TABLE high PARTITION OF t FOR VALUES FROM (100) TO (200) PARTITION BY RANGE (id)`,
	`CREATE TABLE "high 1" PARTITION OF high FOR VALUES FROM (100) TO (150)`,
	`INSERT INTO t VALUES (1, 'a'), (2, 'b'), (101, 'c')`,
}

// old makes a table whose rows were written before any position that follows.
const old = `CREATE TABLE old (id int NOT NULL PRIMARY KEY, v text, at timestamptz NOT NULL DEFAULT now() - interval '1 hour'); INSERT INTO old VALUES (160, 'old'), (161, 'older')`

const attachOld = `ALTER TABLE high ATTACH PARTITION old FOR VALUES FROM (150) TO (200)`

// attachedUnseen shows that rows older than a cursor's bound are not found in the partition that brings them.
func attachedUnseen(p *place, by spec.Extract) {
	p.t.Helper()
	f := p.newFeed(by, append(parted, old)...)
	f.round()
	f.sql(attachOld)
	f.round()
	f.expect("after ATTACH", "-160 -161")
}

func leaves(some []postgres.Leaf) string {
	var out []string
	for _, leaf := range some {
		out = append(out, leaf.Name)
	}
	return strings.Join(out, " ")
}

var partitionPromises = []promise{
	{"a partition attached is read whole through the parent too", func(p *place) {
		attached(p, func(f *feed) { f.reader(`GRANT SELECT ON t TO reader`) })
	}},
	{"a partition created between runs is read by every horizon", func(p *place) {
		t := p.t
		feeds := []*feed{p.newFeed(byXmin, parted...)}
		for _, by := range []spec.Extract{byTransactions, byLookback} {
			feeds = append(feeds, p.newFeed(by))
		}
		for _, f := range feeds {
			f.round()
		}
		feeds[0].sql(`CREATE TABLE higher PARTITION OF t FOR VALUES FROM (200) TO (300)`, `INSERT INTO t VALUES (201, 'new')`)
		for _, f := range feeds {
			if w := f.round(); f.request.Extract.Horizon == "xmin" && leaves(w.Appeared) != "public.higher" {
				t.Errorf("appeared: %v", w.Appeared)
			}
			f.expect(f.request.Extract.Horizon, "")
		}
	}},
	{"a partition detached or dropped is named, its rows stay", func(p *place) {
		t := p.t
		f := p.newFeed(byXmin, parted...)
		f.round()
		f.sql(`ALTER TABLE high DETACH PARTITION "high 1"`)
		w := f.round()
		if leaves(w.Gone) != "public.high 1" || len(w.Warnings) != 1 || !strings.Contains(w.Warnings[0], "public.high 1") {
			t.Errorf("gone: %v, %v", w.Gone, w.Warnings)
		}
		f.expect("after DETACH", "+101")
		f.sql(`INSERT INTO "high 1" VALUES (102, 'apart')`)
		f.round()
		f.expect("what it gets while it is apart is not the table's", "+101")
		f.sql(`ALTER TABLE high ATTACH PARTITION "high 1" FOR VALUES FROM (100) TO (150)`)
		if w := f.round(); leaves(w.Appeared) != "public.high 1" {
			t.Errorf("appeared: %v", w.Appeared)
		}
		f.expect("attached again", "")
		f.sql(`DROP TABLE low`)
		if w := f.round(); leaves(w.Gone) != "public.low" {
			t.Errorf("gone: %v", w.Gone)
		}
		f.expect("after DROP", "+1 +2")
	}},
	{"a partition attached behind the snapshot is the next run's", func(p *place) {
		t := p.t
		f := p.newFeed(byXmin, append(parted, old)...)
		f.round()
		f.request = f.request.Pausing(func(step string) {
			if step == "snapshot" {
				f.sql(attachOld)
			}
		})
		if w := f.round(); len(w.Appeared) != 0 {
			t.Errorf("appeared: %v", w.Appeared)
		}
		f.expect("of the snapshot before", "-160 -161")
		f.request = f.request.Pausing(nil)
		f.round()
		f.expect("the next run", "")
	}},
	{"a row that moves between partitions is found", func(p *place) {
		f := p.newFeed(byXmin, `CREATE TABLE t (id int, v text, k int) PARTITION BY LIST (k)`, `CREATE TABLE one PARTITION OF t FOR VALUES IN (1)`, `CREATE TABLE two PARTITION OF t FOR VALUES IN (2)`,
			`INSERT INTO t VALUES (1, 'a', 1), (2, 'b', 2)`)
		f.round()
		f.sql(`UPDATE t SET k = 2, v = 'moved' WHERE id = 1`)
		f.round()
		f.expect("after it moved", "")
	}},
	{"tables that inherit count as partitions", func(p *place) {
		t := p.t
		f := p.newFeed(byXmin, timedTable, `CREATE TABLE heir (more int) INHERITS (t)`, `INSERT INTO t VALUES (1, 'a')`, `INSERT INTO heir VALUES (2, 'b')`, old)
		if f.round(); len(f.read) != 2 {
			t.Errorf("an heir's rows were read twice: %v", f.read)
		}
		f.expect("the first round", "")
		f.sql(`UPDATE t SET v = v || '!'`, `ALTER TABLE old INHERIT t`)
		if w := f.round(); leaves(w.Appeared) != "public.old" {
			t.Errorf("appeared: %v", w.Appeared)
		}
		f.expect("an heir that came", "")
	}},
	{"a partition on another server has no xmin", func(p *place) {
		f := p.newFeed(byXmin, `CREATE FOREIGN DATA WRAPPER none`, `CREATE SERVER far FOREIGN DATA WRAPPER none`,
			`CREATE TABLE t (id int, v text, at timestamptz) PARTITION BY RANGE (id)`, `CREATE FOREIGN TABLE away PARTITION OF t FOR VALUES FROM (0) TO (9) SERVER far`)
		f.fails("public.away lies on another")
		f.request.Extract = byTransactions
		f.fails("public.away lies on another")
	}},
}

// attached shows that rows older than the position come with the partition that holds them.
func attached(p *place, prepare func(*feed)) {
	p.t.Helper()
	t := p.t
	f := p.newFeed(byXmin, append(parted, old)...)
	if prepare != nil {
		prepare(f)
	}
	f.round()
	f.expect("the first round", "")
	f.sql(`INSERT INTO t VALUES (3, 'd')`, attachOld)
	if w := f.round(); leaves(w.Appeared) != "public.old" || len(w.Gone) != 0 {
		t.Errorf("appeared %v, gone %v", w.Appeared, w.Gone)
	}
	f.expect("after ATTACH", "")
	f.sql(`UPDATE t SET v = 'changed' WHERE id IN (2, 101, 161)`)
	f.round()
	f.expect("after an update of three leaves", "")
}
