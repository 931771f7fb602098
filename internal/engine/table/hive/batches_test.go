package hive_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table/hive"
)

func text(number int, name string) schema.Column {
	return schema.Column{Name: name, Type: schema.Type{ID: schema.String}, Source: from(number, name, "text")}
}

func whole(number int, name string, id schema.ID) schema.Column {
	return schema.Column{Name: name, Type: schema.Type{ID: id}, Source: from(number, name, string(id))}
}

// evolve fits a schema of the source to the head's.
func (l *lake) evolve(h *table.Head, source schema.Table, landing schema.Landing) schema.Table {
	l.t.Helper()
	evolved, err := schema.Evolve(h.Schema, source, landing)
	l.must(err)
	return evolved.Table
}

func (l *lake) partition(number int) *catalog.Partition {
	l.t.Helper()
	p, err := l.catalog.Partition(l.t.Context(), "raw", "orders", []string{fmt.Sprint(number)})
	l.must(err)
	return p
}

func columnsOf(list []catalog.Column) string {
	var out []string
	for _, c := range list {
		out = append(out, c.Name+" "+c.Type)
	}
	return strings.Join(out, ", ")
}

// Batches have numbers without a gap, checkpoints and the columns of their own files; the entry follows the columns, and is
// left alone while they stay.
func TestBatchesFollowTheColumns(t *testing.T) {
	t.Parallel()
	l := newLake(t, true)
	before := ids(whole(2, "n", schema.Int), text(3, "gone"))
	l.land(before, 1, 2)
	version := l.entry().Version
	l.land(l.evolve(l.head(), before, schema.Changed), 3)
	if now := l.entry().Version; now != version {
		t.Errorf("a batch of the same columns changed the entry: version %s after %s", now, version)
	}
	after := ids(whole(2, "n", schema.Long), text(4, "new"))
	done := l.land(l.evolve(l.head(), after, schema.Changed), 4)
	if done.Commit != "3-a3" || hive.Batch(done.Commit) != 3 || hive.Batch("a3") != 0 || hive.Batch("x-3") != 0 {
		t.Errorf("the commit is %s", done.Commit)
	}
	const old, now = "id bigint, n int, gone string", "id bigint, n bigint, new string, gone string"
	for number, want := range map[int]string{1: old, 2: old, 3: now} {
		if p := l.partition(number); columnsOf(p.Columns) != want || !strings.Contains(p.Parameters["lakeland.checkpoint"], fmt.Sprintf(`"attempt":"a%d"`, number)) {
			t.Errorf("batch %d has the columns %s and %v", number, columnsOf(p.Columns), p.Parameters)
		}
	}
	entry := l.entry()
	if columnsOf(entry.Columns) != now || columnsOf(entry.PartitionKeys) != "_lk_batch bigint" || entry.Parameters["classification"] != "parquet" {
		t.Errorf("the entry is %+v", entry)
	}
	h := l.head()
	files, err := l.table().Files(t.Context(), h)
	l.must(err)
	if len(files) != 3 || files[0].Rows != 2 || h.Rows != 4 || h.Commit != done.Commit || h.Checkpoint.Attempt != "a3" {
		t.Errorf("the head is %+v with %v", h, files)
	}
	// A table that was created anew at the source, landed afresh, is to readers of names the same.
	again := after
	again.Identity = "2"
	l.land(l.evolve(h, again, schema.Afresh), 5)
	if got := l.head().Schema; columnsOf(l.entry().Columns) != now || got.Identity != "2" || got.Columns[3].FieldID != h.Schema.Columns[3].FieldID {
		t.Errorf("the columns are %+v", got.Columns)
	}
}

// What files that stay as they are cannot follow is refused in words.
func TestBatchesRefuse(t *testing.T) {
	t.Parallel()
	l := newLake(t, true)
	before := ids(whole(2, "n", schema.Int), text(3, "note"), whole(4, "f", schema.Float))
	l.land(before)
	h := l.head()
	for name, tc := range map[string]struct {
		source  schema.Table
		landing schema.Landing
		says    string
	}{
		"a rename":         {ids(whole(2, "n", schema.Int), text(3, "remark")), schema.Changed, `column "remark" is called "note" in the batches that are there`},
		"names exchanged":  {ids(whole(2, "note", schema.Int), text(3, "n")), schema.Whole, `is called`},
		"another type":     {ids(text(2, "n"), text(3, "note")), schema.Afresh, `column "n" is string, and the batches that are there have it as int`},
		"a wider float":    {ids(whole(2, "n", schema.Int), text(3, "note"), whole(4, "f", schema.Double)), schema.Changed, `column "f" is double, and the batches that are there have it as float`},
		"a wider int":      {ids(whole(2, "n", schema.Long), text(3, "note")), schema.Changed, ""},
		"our own column":   {ids(whole(2, "n", schema.Int), text(3, "note"), text(5, "_lk_batch")), schema.Changed, "has a column \"_lk_batch\" of its own"},
		"a case":           {ids(whole(2, "n", schema.Int), text(3, "note"), text(5, "Note")), schema.Changed, `"note" and "Note" are one`},
		"a list's commas":  {ids(whole(2, "n", schema.Int), text(3, "note"), text(5, "a,b")), schema.Changed, "give it another name"},
		"an unknown type":  {ids(whole(2, "n", schema.Int), text(3, "note"), whole(5, "x", "interval")), schema.Changed, "declare it as string"},
		"a dropped column": {ids(text(3, "note")), schema.Changed, ""},
	} {
		_, err := l.plan(h, l.evolve(h, tc.source, tc.landing))
		if (tc.says == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A column to which the user gives another name is a new one; the old one stays.
	renamed := ids(whole(2, "n", schema.Int), text(3, "note"), whole(4, "f_2", schema.Double))
	renamed.Columns[3].Source.Name = "f"
	change, err := l.plan(h, l.evolve(h, renamed, schema.Afresh))
	l.must(err)
	names := []string{}
	for _, c := range change.Schema.Columns {
		names = append(names, fmt.Sprintf("%s %d %t", c.Name, c.FieldID, c.Source != nil))
	}
	if got := strings.Join(names, ", "); got != "id 1 true, n 2 true, note 3 true, f_2 5 true, f 4 false" {
		t.Errorf("the columns are %s", got)
	}
	// A snapshot that is replaced as a whole follows a rename.
	l = newLake(t, false)
	l.land(before)
	l.land(l.evolve(l.head(), ids(whole(2, "n", schema.Int), text(3, "remark")), schema.Afresh), 2)
	if got := columnsOf(l.entry().Columns); got != "id bigint, n int, remark string" {
		t.Errorf("the columns are %s", got)
	}
}

// One that planned before the columns changed loses the race for the entry, or lands a batch of its own columns.
func TestColumnsChangeBetweenPlanAndCommit(t *testing.T) {
	t.Parallel()
	l := newLake(t, true)
	l.land(ids(), 1)
	h := l.head()
	planned := func(s schema.Table) table.Change {
		change, err := l.plan(h, l.evolve(h, s, schema.Changed))
		l.must(err)
		change.Add = []table.DataFile{l.write(h, &change, rowsOf(&change.Schema, 2))}
		return change
	}
	wider, other, same := planned(ids(text(2, "x"))), planned(ids(text(3, "y"))), planned(ids())
	twin := planned(ids(text(2, "x")))
	died := errors.New("killed")
	l.catalog.Before = func(w catalog.Write) error {
		if w.Partition != nil {
			return died
		}
		return nil
	}
	if _, err := l.table().Commit(t.Context(), h, wider); !errors.Is(err, died) {
		t.Fatal(err)
	}
	l.catalog.Before = nil
	if got := columnsOf(l.entry().Columns); got != "id bigint, x string" {
		t.Errorf("the columns are %s", got)
	}
	if _, err := l.table().Commit(t.Context(), h, other); !errors.Is(err, table.ErrLostRace) {
		t.Errorf("other columns: %v", err)
	}
	if now := l.head(); now.Commit != h.Commit || len(now.Schema.Columns) != 2 {
		t.Errorf("the head is %+v", now)
	}
	_, err := l.table().Commit(t.Context(), h, same)
	l.must(err)
	if got := columnsOf(l.partition(2).Columns); got != "id bigint" {
		t.Errorf("its columns are %s", got)
	}
	if _, err := l.table().Commit(t.Context(), h, twin); !errors.Is(err, table.ErrLostRace) {
		t.Errorf("the same columns behind another batch: %v", err)
	}
	h = l.head()
	_, err = l.table().Commit(t.Context(), h, planned(ids(text(2, "x"))))
	l.must(err)
}

// Two that add the same column both find it there.
func TestTheSameColumnFromTwo(t *testing.T) {
	t.Parallel()
	l := newLake(t, true)
	l.land(ids(), 1)
	h := l.head()
	change, err := l.plan(h, l.evolve(h, ids(text(2, "x")), schema.Changed))
	l.must(err)
	change.Add = []table.DataFile{l.write(h, &change, rowsOf(&change.Schema, 2))}
	other, err := l.plan(h, l.evolve(h, ids(text(2, "x")), schema.Changed))
	l.must(err)
	l.catalog.Before = func(w catalog.Write) error {
		if w.Partition != nil {
			return errors.New("killed")
		}
		return nil
	}
	if _, err := l.table().Commit(t.Context(), h, other); err == nil {
		t.Fatal("a killed commit came about")
	}
	l.catalog.Before = nil
	done, err := l.table().Commit(t.Context(), h, change)
	l.must(err)
	if done.Commit != "2-a2" {
		t.Errorf("the commit is %s", done.Commit)
	}
}

// The head is looked for from a known batch on; where that is gone, among all.
func TestHeadSinceABatch(t *testing.T) {
	t.Parallel()
	l := newLake(t, true)
	for id := range int64(12) {
		l.land(ids(), id)
	}
	for since, rows := range map[int64]int64{0: 12, 1: -1, 12: -1, 13: 12, 40: 12} {
		l.options.Since = since
		h := l.head()
		files, err := l.table().Files(t.Context(), h)
		l.must(err)
		if hive.Batch(h.Commit) != 12 || h.Rows != rows || len(files) != 12 || h.Checkpoint == nil {
			t.Errorf("since %d the head is %s with %d rows, %d files", since, h.Commit, h.Rows, len(files))
		}
		if n, err := l.later(5*table.LongestJob).RemoveOrphans(t.Context(), table.LongestJob); n != 0 || err != nil {
			t.Errorf("since %d: %d orphans, %v", since, n, err)
		}
	}
	if done, err := l.later(5*table.LongestJob).Clean(t.Context(), l.head(), table.Retention{KeepAtLeast: 1}); err != nil || *done != (table.Cleaned{}) {
		t.Errorf("batches were cleaned: %+v, %v", done, err)
	}
	// Batches that somebody has dropped are gone, with the number of none.
	for _, number := range []string{"1", "2", "5"} {
		l.must(l.catalog.DeletePartition(t.Context(), "raw", "orders", []string{number}))
	}
	l.options.Since = 0
	h := l.head()
	if h.Rows != 9 || hive.Batch(h.Commit) != 12 {
		t.Errorf("the head is %s with %d rows", h.Commit, h.Rows)
	}
	if done := l.land(ids(), 13); hive.Batch(done.Commit) != 13 {
		t.Errorf("the commit is %s", done.Commit)
	}
}

// The files of a batch whose partition somebody dropped stay, and are one again when it is made anew from its record. Those
// of an attempt that did not come about go once another has its number.
func TestDroppedBatchesAreNoOrphans(t *testing.T) {
	t.Parallel()
	l := newLake(t, true)
	for id := range int64(4) {
		l.land(ids(), id)
	}
	orphans := func(want int) {
		t.Helper()
		if n, err := l.later(5*table.LongestJob).RemoveOrphans(t.Context(), table.LongestJob); n != want || err != nil {
			t.Errorf("%d orphans, want %d: %v", n, want, err)
		}
	}
	dropped := l.partition(2)
	l.must(l.catalog.DeletePartition(t.Context(), "raw", "orders", []string{"2"}))
	orphans(0)
	record := slices.IndexFunc(l.objects("lake/orders/metadata/"), func(key string) bool { return strings.HasSuffix(key, "-a2/batch-2.json") })
	data, err := store.Read(t.Context(), l.store, l.objects("lake/orders/metadata/")[record], 1<<20)
	l.must(err)
	var again catalog.Partition
	l.must(json.Unmarshal(data, &again))
	if diff := cmp.Diff(dropped, &again); diff != "" {
		t.Errorf("the record is of another partition: %s", diff)
	}
	l.must(l.catalog.CreatePartition(t.Context(), "raw", "orders", &again))
	if h := l.head(); h.Rows != 4 {
		t.Errorf("there are %d rows", h.Rows)
	}
	// An attempt dies at its commit.
	h := l.head()
	change, err := l.plan(h, ids())
	l.must(err)
	change.Add = []table.DataFile{l.write(h, &change, rowsOf(&change.Schema, 9))}
	died := errors.New("killed")
	l.catalog.Before = func(catalog.Write) error { return died }
	if _, err := l.table().Commit(t.Context(), h, change); !errors.Is(err, died) {
		t.Fatal(err)
	}
	l.catalog.Before = nil
	orphans(0)
	l.land(ids(), 10)
	orphans(2)
	if h := l.head(); h.Rows != 5 {
		t.Errorf("there are %d rows", h.Rows)
	}
	orphans(0)
}

// Nothing is put behind a batch that is not there any more, or into another's table.
func TestBatchesOnWhatIsGone(t *testing.T) {
	t.Parallel()
	for name, remove := range map[string]func(l *lake){
		"the batch":      func(l *lake) { l.must(l.catalog.DeletePartition(t.Context(), "raw", "orders", []string{"2"})) },
		"the table":      func(l *lake) { l.catalog.Drop("raw", "orders") },
		"another's then": func(l *lake) { l.catalog.Drop("raw", "orders"); l.land(ids(), 1); l.land(ids(), 2); l.land(ids(), 3) },
		"and landed anew": func(l *lake) {
			l.must(l.catalog.DeletePartition(t.Context(), "raw", "orders", []string{"2"}))
			l.land(ids(), 7)
		},
	} {
		l := newLake(t, true)
		l.land(ids(), 1)
		l.land(ids(), 2)
		for _, source := range []schema.Table{ids(), ids(text(2, "x"))} {
			if !slices.Contains([]string{"the batch", "the table"}, name) && len(source.Columns) > 1 {
				continue
			}
			h := l.head()
			change, err := l.plan(h, l.evolve(h, source, schema.Changed))
			l.must(err)
			change.Add = []table.DataFile{l.write(h, &change, rowsOf(&change.Schema, 5))}
			remove(l)
			if _, err := l.table().Commit(t.Context(), h, change); !errors.Is(err, table.ErrLostRace) {
				t.Errorf("%s: %v", name, err)
			}
			if name == "the table" {
				break
			}
			l.land(l.evolve(l.head(), source, schema.Changed), 2)
		}
	}
}
