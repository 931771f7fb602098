package run_test

import (
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// A commit goes on where the one before it came to; one that reads all rows again by the user's wish begins a chain of its own,
// whether it replaces the table or adds to it.
func TestAReloadStartsAChain(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(*spec.Table){"a snapshot": func(*spec.Table) {}, "versions": kept("iceberg"), "versions in plain Parquet": kept("parquet")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLake(t, `CREATE TABLE goods (id bigint PRIMARY KEY, n int NOT NULL)`, `INSERT INTO goods VALUES (1, 1)`)
			l.changing("goods", spec.Extract{Horizon: "lookback", Cursor: "n", Lookback: "0"}, edit)
			before := ""
			for step, begins := range []bool{true, false, true, false} {
				if step == 2 {
					l.change("goods", func(s *spec.Table) { s.Reload = "again" })
				}
				l.round("goods")
				c := l.head("goods").Checkpoint
				if want := map[bool]string{true: "null", false: before}[begins]; string(c.From) != want {
					t.Errorf("commit %d goes on from %s, not from %s", step, c.From, want)
				}
				before = string(c.To)
				l.sql(`UPDATE goods SET n = n + 1`)
			}
		})
	}
}
