package merge_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/merge"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// merge merges rows of some versions.
func (l *lakeTable) merge(rows ...row) *merge.Outcome {
	l.t.Helper()
	return l.take(rows, nil, l.changeFiles(rows, 0, false))
}

// kinds are the ways in which tables are merged into.
var kinds = map[string]func(l *lakeTable, m *merge.Merge){
	"in place":     func(*lakeTable, *merge.Merge) {},
	"soft deletes": func(_ *lakeTable, m *merge.Merge) { m.SoftDelete, m.Op = "gone", "op" },
	"audit":        func(_ *lakeTable, m *merge.Merge) { m.Audit = []string{"loaded"} },
	"all columns":  func(_ *lakeTable, m *merge.Merge) { m.SoftDelete, m.Op, m.Audit = "gone", "op", []string{"loaded"} },
	"insert only":  func(_ *lakeTable, m *merge.Merge) { m.InsertOnly = true },
	"on read":      func(_ *lakeTable, m *merge.Merge) { m.OnRead = true },
	"on read, all columns": func(_ *lakeTable, m *merge.Merge) {
		m.OnRead, m.SoftDelete, m.Op, m.Audit = true, "gone", "op", []string{"loaded"}
	},
}

// A random history of changes, removals and other engines' deletes leaves the rows that a map would have, whatever
// identifies them, however the table is partitioned, and whether the changes fit into memory or not.
func TestMergesAgreeWithAMap(t *testing.T) {
	t.Parallel()
	seed := uint64(0)
	for _, identified := range slices.Sorted(maps.Keys(keyed)) {
		for _, kind := range slices.Sorted(maps.Keys(kinds)) {
			seed++
			for _, budget := range []int64{0, 20 << 10} {
				key, set, at := keyed[identified], kinds[kind], seed
				t.Run(fmt.Sprintf("%s, %s, %d", identified, kind, budget), func(t *testing.T) {
					t.Parallel()
					l := newTable(t, at, key...)
					full := []int64{200 << 10, 20 << 10}[l.r.IntN(2)]
					l.budget, l.set = budget, func(m *merge.Merge) {
						m.FileBytes = full
						set(l, m)
					}
					switch l.r.IntN(3) {
					case 0:
						l.schema.Partition = []schema.PartitionField{{Column: "small", Transform: schema.Bucket, Width: 3}}
					case 1:
						l.schema.Partition = []schema.PartitionField{{Column: "loaded", Transform: schema.Truncate, Width: 4}, {Column: "flag", Transform: schema.Identity}}
					}
					l.history(strings.Contains(kind, "audit") || strings.Contains(kind, "all"), kind != "insert only")
				})
			}
		}
	}
}

// history takes a random history and checks each of its steps.
func (l *lakeTable) history(loaded, removes bool) {
	l.t.Helper()
	next := 0
	fresh := func(most, step int) (rows []row) {
		for range l.r.IntN(most) {
			rows = append(rows, row{next, 0, step})
			next++
		}
		return rows
	}
	for range 1 + l.r.IntN(4) {
		if rows := fresh(1000, 0); len(rows) > 0 {
			l.add(rows, l.r.IntN(3)*(20+l.r.IntN(400)), len(l.schema.Partition) > 0 && l.r.IntN(3) == 0)
		}
	}
	for step := range 6 {
		if l.r.IntN(3) == 0 {
			l.deleteRows([]int{3, 500}[l.r.IntN(2)])
			l.check(fmt.Sprint("deletes at step ", step))
		}
		at := 0
		if loaded {
			at = step + 1
		}
		var rows []row
		var removals []int
		changed := map[int]bool{}
		if next > 0 {
			from, width := l.r.IntN(next), 1+l.r.IntN(next)
			for range l.r.IntN([]int{2, 40, 600}[l.r.IntN(3)]) {
				n := from + l.r.IntN(width)
				if n < next && !changed[n] {
					changed[n] = true
					rows = append(rows, row{n, step + 1 - l.r.IntN(2)*(step+1), at}) // some as they were at first
				}
			}
			for range l.r.IntN([]int{1, 5, 500}[l.r.IntN(3)]) {
				if removes {
					removals = append(removals, l.r.IntN(next+5))
				}
			}
		}
		rows = append(rows, fresh([]int{1, 50, 700}[l.r.IntN(3)], at)...)
		l.r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		l.take(rows, removals, l.changeFiles(rows, l.r.IntN(2)*100, len(l.schema.Partition) > 0 && l.r.IntN(3) > 0))
		l.check(fmt.Sprint("step ", step))
	}
}

// Only files with a changed key give way, found by their bounds or their rows; what is appended is filled into a small one.
func TestOnlyFilesWithChangedKeysGiveWay(t *testing.T) {
	t.Parallel()
	l := newTable(t, 1, "id")
	for part := range 5 {
		var rows []row
		for i := range 20000 {
			rows = append(rows, row{n: part*20000 + i})
		}
		l.add(rows, 0, false)
	}
	third := l.files[2].Key
	out := l.merge(row{45000, 1, 0}, row{45001, 1, 0})
	if !slices.Equal(out.Remove, []string{third}) || len(out.Add) != 1 || out.Updated != 2 || out.Inserted != 0 {
		t.Errorf("%+v", out)
	}
	l.check("two rows of one file")
	out = l.merge(row{100000, 0, 0})
	if len(out.Remove) != 0 || len(out.Add) != 1 || out.Inserted != 1 {
		t.Errorf("a new row among full files: %+v", out)
	}
	out = l.merge(row{100001, 0, 0})
	if len(out.Remove) != 1 || len(out.Add) != 1 || out.Inserted != 1 || len(l.files) != 6 {
		t.Errorf("a new row beside a small file: %+v, %d files", out, len(l.files))
	}
	if out = l.merge(row{7, 0, 0}, row{100001, 0, 0}); len(out.Remove)+len(out.Add) > 0 || out.Updated > 0 {
		t.Errorf("rows as they are: %+v", out)
	}
	l.check("in the end")
}

// Rows that are there twice, as another writer may leave them, become one with the next change.
func TestAChangeLeavesOneRow(t *testing.T) {
	t.Parallel()
	l := newTable(t, 1, "id")
	for range 2 {
		l.add([]row{{1, 0, 0}, {2, 0, 0}}, 0, false)
	}
	l.merge(row{1, 5, 0}, row{2, 6, 0})
	l.check("two of each")
}

// Keys that identify nothing are refused, and nothing is left behind.
func TestKeysThatIdentifyNothing(t *testing.T) {
	t.Parallel()
	l := newTable(t, 1, "code", "id")
	twice := l.write([]row{{1, 0, 0}, {1, 1, 0}}, 0, func(string, expected) {})
	if _, err := merge.Load(t.Context(), l.store, &l.schema, []table.DataFile{twice}, nil); !errors.Is(err, merge.ErrKey) || !strings.Contains(err.Error(), `two rows have the key code = "code-é1", id = 1`) {
		t.Error(err)
	}
	none := l.write([]row{{n: 5}, {n: 6}, {n: 7}, {n: 8}, {n: 9}, {n: 10}, {n: 11}}, 0, func(string, expected) {})
	l.schema.Key = []string{"note"}
	if _, err := merge.Load(t.Context(), l.store, &l.schema, []table.DataFile{none}, nil); !errors.Is(err, merge.ErrKey) || !strings.Contains(err.Error(), `a row has no value in the key's column "note"`) {
		t.Error(err)
	}
}
