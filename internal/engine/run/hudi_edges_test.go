package run_test

import (
	"strings"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// A table of Hudi may be empty: at first, behind a reload, and behind changes of nothing.
func TestEmptyTablesOfHudi(t *testing.T) {
	t.Parallel()
	for name, partitions := range map[string][]string{"flat": nil, "partitions": {"land"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLake(t, `CREATE TABLE goods (id bigint PRIMARY KEY, land text)`)
			l.changing("goods", spec.Extract{}, hudiFormat(func(*spec.Table) {}, partitions...))
			d := &landing{lake: l, name: "goods"}
			for _, step := range []struct {
				does   string
				reload string
				rows   int64
			}{
				{`SELECT`, "", 0}, {`SELECT`, "", 0}, {`INSERT INTO goods SELECT i, 'l' || i % 2 FROM generate_series(1, 20) i`, "", 20},
				{`DELETE FROM goods`, "1", 0}, {`INSERT INTO goods VALUES (7, 'l1'), (8, NULL)`, "1", 2}, {`UPDATE goods SET land = 'l2'`, "1", 2},
			} {
				l.sql(step.does)
				l.change("goods", func(s *spec.Table) { s.Reload = step.reload })
				l.round("goods")
				l.equal("goods")
				d.shownWhole(step.does)
				if h := l.head("goods"); h.Rows != step.rows {
					t.Errorf("%s: the head has %d rows", step.does, h.Rows)
				}
			}
		})
	}
}

// Other partitions than those that a table of Hudi was made with are refused in words that name the way out, with a reload or
// without, and so is another key.
func TestWhatHudiKeepsIsRefused(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"full", "incremental"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			l := newLake(t, `CREATE TABLE goods (id bigint PRIMARY KEY, land text, n int NOT NULL UNIQUE)`, `INSERT INTO goods VALUES (1, 'a', 1), (2, 'b', 2)`)
			l.changing("goods", spec.Extract{}, func(s *spec.Table) {
				s.Target.Format, s.PartitionBy, s.Extract.Mode = "hudi", []string{"land"}, mode
			})
			l.round("goods")
			l.change("goods", func(s *spec.Table) { s.PartitionBy = nil })
			l.refused("goods", table.ErrPartitioning, "land into a new target")
			l.change("goods", func(s *spec.Table) { s.Reload = "1" })
			l.refused("goods", table.ErrPartitioning, "it was made with the partitions (land), and not (); Hudi never changes them: set partition_by back, or land into a new target")
			l.change("goods", func(s *spec.Table) { s.PartitionBy, s.PrimaryKey = []string{"land"}, []string{"n"} })
			l.refused("goods", nil, "the table was made with the record key (id), and the source's is (n), by which Hudi would take known rows for new ones: set the key back, or land into a new target")
			l.change("goods", func(s *spec.Table) { s.PrimaryKey = []string{"id"}; s.StorageMode, s.Ordering = "historical", "n" })
			l.refused("goods", nil, "the table was made with the record key (id), and the source's is (id, n)")
			l.change("goods", func(s *spec.Table) { s.StorageMode, s.Ordering = "", "" })
			l.sql(`UPDATE goods SET land = 'c' WHERE id = 1`)
			l.round("goods")
			l.equal("goods")
		})
	}
}

// A position that is more than a commit should carry lies beside the timeline, and runs go on from it; a first run that died behind it
// is no hindrance.
func TestLongPositionsOfHudi(t *testing.T) {
	t.Parallel()
	l := newLake(t, leafy()...)
	l.changing("parted", spec.Extract{}, hudiFormat(func(*spec.Table) {}))
	positions := func() (out []string) {
		for key := range l.objects("raw/parted/.hoodie/.lakeland/positions/") {
			out = append(out, key)
		}
		return out
	}
	w, _ := l.workerOver(func(_ int, c call) harm {
		if c.service == "S3" && c.conditional && len(positions()) > 0 {
			return killedBefore
		}
		return unharmed
	})
	if out := w.runner().Table(t.Context(), "shop.parted"); out.Err == nil || len(positions()) != 1 {
		t.Fatalf("it left %v: %v", positions(), out.Err)
	}
	l.outwait()
	ran := func() (table.Head, string) {
		t.Helper()
		w, _ := l.workerOver(nil)
		out := w.runner().Table(t.Context(), "shop.parted")
		l.must(out.Err)
		return *l.head("parted"), out.Commit
	}
	first, _ := ran()
	l.sql(`UPDATE parted SET note = 'second', at = clock_timestamp() WHERE id % 100 = 7`)
	second, _ := ran()
	if c := second.Checkpoint; string(c.From) != string(first.Checkpoint.To) || c.Counts.Updated != 6 || !strings.Contains(string(c.To), "/.hoodie/.lakeland/positions/"+second.TableID) {
		t.Errorf("the second run: %+v", c)
	}
	l.equal("parted")
}
