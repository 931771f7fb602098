package run_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// A commit goes on where the one before it came to; one that reads all rows again by the user's wish begins a chain of its own,
// whether it replaces the table or adds to it.
func TestAReloadStartsAChain(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(*spec.Table){"a snapshot": func(*spec.Table) {}, "versions": kept("iceberg"), "versions in plain Parquet": kept("parquet"), "versions in Hudi": kept("hudi"), "a snapshot in Hudi": hudiFormat(func(*spec.Table) {})} {
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

// chain are the checkpoints of the table's commits, the oldest first: those among the head's ancestors, or those of all batches.
func (d *landing) chain() (out []*table.Checkpoint) {
	d.t.Helper()
	take := func(text string) {
		c, err := table.ParseCheckpoint([]byte(text))
		d.must(err)
		out = append(out, c)
	}
	if d.hudi {
		for _, i := range d.hudiTable().commits {
			if text := i.extra["lakeland.checkpoint"]; text != "" {
				take(text)
			}
		}
		return out
	}
	m, err := d.metadata()
	d.must(err)
	if m != nil {
		for id := m.Current; id != 0; {
			at := slices.IndexFunc(m.Snapshots, func(s icebergSnapshot) bool { return s.ID == id })
			if at < 0 {
				break
			}
			if text, ok := m.Snapshots[at].Summary["lakeland.checkpoint"]; ok {
				take(text)
			}
			id = m.Snapshots[at].Parent
		}
		slices.Reverse(out)
		return out
	}
	entry, err := d.runner().Catalog.Get(d.t.Context(), d.database, d.name)
	if err != nil {
		return nil
	}
	if len(entry.PartitionKeys) == 0 {
		take(entry.Parameters["lakeland.checkpoint"])
		return out
	}
	batches := map[int]string{}
	for p, err := range d.runner().Catalog.Partitions(d.t.Context(), d.database, d.name, nil) {
		d.must(err)
		number, err := strconv.Atoi(p.Values[0])
		d.must(err)
		batches[number] = p.Parameters["lakeland.checkpoint"]
	}
	for n := range len(batches) {
		take(batches[n+1]) // they are numbered without a gap
	}
	return out
}

// broken says where a chain is not whole: each commit goes on where the one before it came to, the first begins a chain, and none
// that replaces the whole table goes on from anywhere.
func broken(chain []*table.Checkpoint) (out []string) {
	before, attempts := "null", map[string]bool{}
	for i, c := range chain {
		if string(c.From) != before {
			out = append(out, fmt.Sprintf("commit %d of %d goes on from %s, and the one before it came to %s", i+1, len(chain), c.From, before))
		}
		if attempts[c.Attempt] {
			out = append(out, fmt.Sprintf("the attempt %s has made two commits", c.Attempt))
		}
		if attempts[c.Attempt] = true; c.Horizon != "full" {
			before = string(c.To)
		}
	}
	return out
}

// chained checks that the chain of a table's commits is whole, and returns their number.
func (d *landing) chained(why string) int {
	d.t.Helper()
	chain := d.chain()
	for _, text := range broken(chain) {
		d.t.Errorf("%s: %s", why, text)
	}
	return len(chain)
}

// The look at chains that the tests of crashes rely on finds all commits, and sees one that is missing or made twice.
func TestBrokenChainsAreSeen(t *testing.T) {
	t.Parallel()
	for _, by := range []way{replaced, merged, batched, hudiParted} {
		t.Run(by.name, func(t *testing.T) {
			t.Parallel()
			d := newNumbers(t).landingBy("numbers", by)
			for range 3 {
				d.lands("a run")
				d.change()
			}
			chain := d.chain()
			if len(chain) != 3 || len(broken(chain)) > 0 {
				t.Errorf("%d commits: %q", len(chain), broken(chain))
			}
			if twice := append(slices.Clone(chain), chain[2]); len(broken(twice)) == 0 {
				t.Error("a commit that was made twice is not seen")
			}
			// What others do at the server may keep a position where it was, so that one is made up.
			other := *chain[1]
			if other.From = json.RawMessage(`{"made":"up"}`); len(broken([]*table.Checkpoint{chain[0], &other, chain[2]})) == 0 {
				t.Error("a commit that goes on from elsewhere is not seen")
			}
			if by.merging && len(broken(chain[1:])) == 0 {
				t.Error("a first commit that is missing is not seen")
			}
		})
	}
}
