package merge_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/merge"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// numbered are rows from a number up to another.
func numbered(from, to, version int) (rows []row) {
	for n := from; n < to; n++ {
		rows = append(rows, row{n, version, 0})
	}
	return rows
}

// A merge on read writes in proportion to the changes, and its small files are joined so that neither their number nor what
// is written again grows without bound.
func TestMergesOnReadStaySmall(t *testing.T) {
	t.Parallel()
	l := newTable(t, 1, "id")
	l.set = func(m *merge.Merge) { m.OnRead, m.FileBytes = true, 8<<20 }
	l.add(numbered(0, 30000, 0), 0, false)
	w := &watched{Store: l.store}
	l.store = w
	most, joined := 0, 0
	for step := range 100 {
		before := w.written.Load()
		out := l.merge(slices.Concat(numbered(step*7, step*7+3, step+1), numbered(30000+step, 30001+step, 0))...)
		if len(out.Remove) == 0 {
			// One file of changes and one of rows, and one of positions, all of a few rows.
			if wrote := w.written.Load() - before; wrote > 16<<10 {
				t.Errorf("step %d: three changed rows of 30000 wrote %d bytes", step, wrote)
			}
		} else if len(out.Remove) > 1 {
			joined++
		}
		if most = max(most, len(l.files)); len(out.AddDeletes) > 1 {
			t.Errorf("step %d: files of positions of %d data files", step, len(out.AddDeletes))
		}
		if step%10 == 0 {
			l.check(fmt.Sprint("step ", step))
		}
	}
	l.check("in the end")
	if most > 33 || joined < 2 || joined > 12 {
		t.Errorf("up to %d files, joined %d times", most, joined)
	}
	for _, f := range l.files {
		if len(f.Deletes) > 10 {
			t.Errorf("the file %s has %d files of positions", f.Key, len(f.Deletes))
		}
	}
}

// A file of which more than a fifth is deleted is written anew by a merge on read.
func TestMuchDeletedIsRewritten(t *testing.T) {
	t.Parallel()
	l := newTable(t, 1, "id")
	l.set = func(m *merge.Merge) { m.OnRead = true }
	l.add(numbered(0, 1000, 0), 0, false)
	if out := l.merge(numbered(0, 150, 1)...); len(out.AddDeletes) != 1 || len(out.Remove) > 0 {
		t.Errorf("%+v", out)
	}
	if out := l.merge(numbered(150, 250, 1)...); len(out.AddDeletes) > 0 || len(out.Remove) != 1 {
		t.Errorf("%+v", out)
	}
	l.check("in the end")
}

// What is held of changes that are larger than memory is bounded by the budget, besides the row groups at hand.
func TestChangesLargerThanMemoryAreNotHeld(t *testing.T) {
	t.Parallel()
	for kind, onRead := range map[string]bool{"in place": false, "on read": true} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			l := newTable(t, 1, "code")
			l.budget = 256 << 10
			l.set = func(m *merge.Merge) { m.OnRead, m.Spill = onRead, t.TempDir() }
			l.schema.Partition = []schema.PartitionField{{Column: "small", Transform: schema.Bucket, Width: 3}}
			l.add(numbered(0, 20000, 0), 250, false)
			rows := slices.Concat(numbered(5000, 20000, 1), numbered(20000, 30000, 0))
			l.r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
			whole := column.NewBatch(l.schema.Kinds(), 0)
			for _, of := range rows {
				l.put(whole, of)
			}
			l.take(rows, []int{1, 2, 3}, l.changeFiles(rows, 250, false))
			l.check("in the end")
			perGroup := int64(whole.Size() / len(rows) * 250)
			if most := l.budget + 4*perGroup; l.peak > most || int64(whole.Size()) < 8*l.budget {
				t.Errorf("%d bytes of %d were held, more than %d", l.peak, whole.Size(), most)
			}
		})
	}
}

// What is added to a partition goes into files of the size that they are to have.
func TestFullFilesAreFollowedByOthers(t *testing.T) {
	t.Parallel()
	l := newTable(t, 1, "id")
	l.set = func(m *merge.Merge) { m.FileBytes, m.Op = 100<<10, "op" }
	l.schema.Partition = []schema.PartitionField{{Column: "flag", Transform: schema.Identity}}
	out := l.merge(numbered(0, 60000, 0)...)
	l.check("new rows")
	if len(out.Add) < 5 {
		t.Errorf("%d files", len(out.Add))
	}
	for _, f := range out.Add {
		// Less than another batch, beyond the size.
		if f.File.Size > 500<<10 {
			t.Errorf("a file of %d bytes", f.File.Size)
		}
	}
}

// Files of changes become the table's where all that is in them is new to their partition, and are written into others where
// it is not.
func TestFilesOfNewRowsAreTakenAsTheyAre(t *testing.T) {
	t.Parallel()
	l := newTable(t, 1, "id")
	l.schema.Partition = []schema.PartitionField{{Column: "flag", Transform: schema.Identity}}
	var even, odd []row
	for n := range 2000 {
		if n%2 == 0 {
			even = append(even, row{n: n})
		} else {
			odd = append(odd, row{n: n})
		}
	}
	l.add(even[:500], 0, false)
	keys := func(files []table.DataFile) (keys []string) {
		for _, f := range files {
			keys = append(keys, f.Key)
		}
		return keys
	}
	// The rows of one partition are all new, the one of even numbers has a row of the changes, and that of none a small file.
	rows := slices.Concat(odd, even[499:])
	files := l.changeFiles(rows, 0, true)
	out := l.take(rows, nil, files)
	l.check("a new partition and an old one")
	if len(files) != 3 || len(out.Add) != 3 || len(out.Remove) != 2 {
		t.Errorf("%d files of changes, %d added, %d removed", len(files), len(out.Add), len(out.Remove))
	}
	taken := 0
	for _, key := range keys(out.Add) {
		if slices.Contains(keys(files), key) {
			taken++
		}
	}
	if taken != 1 {
		t.Errorf("%d of %v are among %v", taken, keys(files), keys(out.Add))
	}
}

// Columns that files do not have are NULL in their rows, and those that are rewritten get them.
func TestFilesWithoutAColumn(t *testing.T) {
	t.Parallel()
	for kind, set := range kinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			l := newTable(t, 1, "id")
			l.set = func(m *merge.Merge) { set(l, m) }
			columns, b, whole := schema.Table{Key: l.schema.Key}, &column.Batch{}, column.NewBatch(l.schema.Kinds(), 0)
			for n := range 300 {
				key, e := l.put(whole, row{n: n})
				texts := strings.Split(e.all, "|")
				texts[8] = "NULL"
				e.all = strings.Join(texts, "|")
				l.rows[key] = e
			}
			for i, c := range l.schema.Columns {
				if c.Name != "note" {
					columns.Columns, b.Columns = append(columns.Columns, c), append(b.Columns, whole.Columns[i])
				}
			}
			l.files = append(l.files, stored(l.writeFile(&columns, []*column.Batch{b}, false)))
			l.check("before")
			rows, removals := numbered(250, 310, 1), []int(nil)
			if kind != "insert only" {
				removals = []int{3, 5}
			}
			l.take(rows, removals, l.changeFiles(rows, 0, false))
			l.check("after")
		})
	}
}
