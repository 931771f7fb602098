package conformance

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

func appends(b *bench) {
	for round := range int64(25) {
		h := b.head()
		change := b.begin(h, Columns())
		b.add(h, &change, round)
		b.commit(h, change)
	}
	want := make([]int64, 25)
	for i := range want {
		want[i] = int64(i)
	}
	b.expect(want...)
	h := b.head()
	if h.Rows != 25 {
		b.t.Errorf("the head has %d rows", h.Rows)
	}
	files := b.files(h)
	if len(files) != 25 {
		b.t.Errorf("%d files", len(files))
	}
	for _, f := range files {
		id := h.Schema.Columns[0].FieldID
		if f.Rows != 1 || f.Size == 0 || len(f.Lower[id]) != 8 || string(f.Lower[id]) != string(f.Upper[id]) {
			b.t.Errorf("a file is listed as %+v", f)
		}
	}
	if f := b.files(b.head()); len(f) != 25 {
		b.t.Errorf("%d files on another head", len(f))
	}
}

// sorted are a table's files in the order of their keys, which is the order in which their attempts were made.
func (b *bench) sorted(h *table.Head) []table.StoredFile {
	b.t.Helper()
	files := b.files(h)
	var out []table.StoredFile
	for _, key := range slices.Sorted(maps.Keys(files)) {
		out = append(out, files[key])
	}
	return out
}

func exchanges(b *bench) {
	h := b.head()
	change := b.begin(h, Columns())
	b.add(h, &change, 1, 2)
	b.add(h, &change, 3, 4)
	b.add(h, &change, 5, 6)
	b.commit(h, change)
	h = b.head()
	old := b.sorted(h)
	change = b.begin(h, Columns())
	change.Remove = []string{old[0].Key, old[2].Key}
	b.add(h, &change, 1, 7)
	b.commit(h, change)
	b.expect(1, 3, 4, 7)
	h = b.head()
	files := b.files(h)
	if _, ok := files[old[1].Key]; !ok || len(files) != 2 || h.Rows != 4 {
		b.t.Errorf("%d files, %d rows", len(files), h.Rows)
	}
	change = b.begin(h, Columns())
	change.Remove = slices.Collect(maps.Keys(files))
	b.commit(h, change)
	b.expect()
	if h = b.head(); h.Rows != 0 || len(b.files(h)) != 0 {
		b.t.Errorf("a table without rows has %d", h.Rows)
	}
	change = b.begin(h, Columns())
	b.add(h, &change, 9)
	b.commit(h, change)
	b.expect(9)
}

func positions(b *bench) {
	h := b.head()
	change := b.begin(h, Columns())
	b.add(h, &change, 1, 2, 3)
	b.add(h, &change, 4, 5, 6)
	b.commit(h, change)
	for _, position := range []int64{0, 2} {
		h = b.head()
		change = b.begin(h, Columns())
		b.deleteRows(h, &change, b.sorted(h)[0], position)
		b.add(h, &change, 10+position)
		b.commit(h, change)
	}
	b.expect(2, 4, 5, 6, 10, 12)
	h = b.head()
	files := b.sorted(h)
	first := files[0]
	if len(first.Deletes) != 2 || !first.Deletes[0].Only || first.Deletes[0].Rows != 1 || first.Deletes[0].Size == 0 || first.Rows != 3 {
		b.t.Errorf("the file is listed as %+v", first)
	}
	for _, f := range files[1:] {
		if len(f.Deletes) != 0 {
			b.t.Errorf("deletes of another file belong to %+v", f)
		}
	}
	if h.Rows == 8 {
		b.t.Error("the head counts rows that were deleted")
	}
	change = b.begin(h, Columns())
	change.Remove = []string{first.Key}
	b.add(h, &change, 2)
	b.commit(h, change)
	b.expect(2, 4, 5, 6, 10, 12)
	h = b.head()
	for _, f := range b.files(h) {
		if len(f.Deletes) != 0 {
			b.t.Errorf("deletes outlived their file: %+v", f)
		}
	}
	if h.Rows != 6 {
		b.t.Errorf("the head has %d rows", h.Rows)
	}
}

func misfits(b *bench) {
	h := b.head()
	change := b.begin(h, Columns())
	b.add(h, &change, 1, 2)
	b.commit(h, change)
	b.expect(1, 2)
	h = b.head()
	file := b.sorted(h)[0]
	for name, edit := range map[string]func(*table.Change){
		"a file that is not there": func(c *table.Change) { c.Remove = []string{"lake/orders/data/other.parquet"} },
		"a file twice":             func(c *table.Change) { c.Remove = []string{file.Key, file.Key} },
		"a file that is there": func(c *table.Change) {
			c.Remove, c.Add = nil, []table.DataFile{{Key: file.Key}, {Key: file.Key}}
		},
		"rows of what goes":            func(c *table.Change) { c.Remove = []string{file.Key}; b.deleteRows(h, c, file, 0) },
		"rows of what is not there":    func(c *table.Change) { b.deleteRows(h, c, table.StoredFile{Key: "lake/orders/data/no.parquet"}, 0) },
		"more rows than there are":     func(c *table.Change) { b.deleteRows(h, c, file, 0, 1, 2) },
		"all, and one":                 func(c *table.Change) { c.ReplaceAll, c.Remove = true, []string{file.Key} },
		"partitions that are not here": func(c *table.Change) { c.Add = []table.DataFile{{Key: "x", Partition: schema.PartitionValues{nil}}} },
	} {
		change := b.begin(h, Columns())
		change.ReplaceAll = !b.format.Can.Appends
		edit(&change)
		b.refuses(name, h, change)
	}
	b.expect(1, 2)
}

// refuses wants a change refused before anything is written for it.
func (b *bench) refuses(name string, h *table.Head, change table.Change) {
	b.t.Helper()
	writes := &countdown{Store: b.store}
	b.catalog.Before = func(w catalog.Write) error {
		b.t.Errorf("%s: %s was called", name, w.Call)
		return nil
	}
	_, err := b.format.Open(writes, b.catalog, "lake/orders/", "orders", nil).Commit(b.t.Context(), h, change)
	if b.catalog.Before = nil; err == nil || errors.Is(err, table.ErrLostRace) || errors.Is(err, table.ErrOutcomeUnknown) {
		b.t.Errorf("%s: %v", name, err)
	}
	if writes.left != 0 {
		b.t.Errorf("%s: %d objects were written before it was refused", name, -writes.left)
	}
}

// inabilities makes the changes that a format does not do.
func inabilities(b *bench) {
	h := b.one()
	file := b.sorted(h)[0]
	can := b.format.Can
	appended := b.begin(h, Columns())
	b.add(h, &appended, 2)
	replaced := appended
	replaced.ReplaceAll = true
	exchanged := appended
	exchanged.Remove = []string{file.Key}
	deleted := b.begin(h, Columns())
	b.deleteRows(h, &deleted, file, 0)
	for name, one := range map[string]struct {
		can    bool
		change table.Change
	}{
		"an append": {can.Appends, appended}, "a replacement": {can.Replaces, replaced}, "an exchange": {can.Exchanges, exchanged}, "deleted positions": {can.Deletes, deleted},
	} {
		if !one.can {
			b.refuses(name, h, one.change)
		}
	}
	if !can.Partitions {
		if _, err := b.table.Prepare(h, inPartitions(schema.PartitionField{Column: "country", Transform: schema.Identity})); !errors.Is(err, table.ErrPartitioning) {
			b.t.Errorf("partitions: %v", err)
		}
	}
	b.expect(1)
}

// inPartitions are columns by which a table is partitioned.
func inPartitions(fields ...schema.PartitionField) schema.Table {
	s := Columns()
	s.Columns = append(s.Columns,
		schema.Column{Name: "country", Type: schema.Type{ID: schema.String}, Source: &schema.SourceColumn{Name: "country", Number: 3, Type: "text"}},
		schema.Column{Name: "at", Type: schema.Type{ID: schema.Timestamp}, Source: &schema.SourceColumn{Name: "at", Number: 4, Type: "timestamp"}})
	s.Partition = fields
	return s
}

func partitions(b *bench) {
	s := inPartitions(schema.PartitionField{Column: "country", Transform: schema.Identity}, schema.PartitionField{Column: "at", Transform: schema.Day})
	h := b.head()
	change := b.begin(h, s)
	b.add(h, &change, 1, 2, 3, 4, 5)
	b.commit(h, change)
	b.expect(1, 2, 3, 4, 5)
	h = b.head()
	if !slices.Equal(h.Schema.Partition, s.Partition) {
		b.t.Errorf("the head is partitioned by %v", h.Schema.Partition)
	}
	want := map[string]bool{}
	for _, f := range change.Add {
		want[f.Key+f.Partition.ID()] = true
	}
	for _, f := range b.files(h) {
		if !want[f.Key+f.Partition.ID()] || f.OtherSpec {
			b.t.Errorf("a file is listed in partition %s: %+v", f.Partition.ID(), f)
		}
	}
	file := b.sorted(h)[0]
	change = b.begin(h, s)
	b.deleteRows(h, &change, file, 0)
	b.add(h, &change, 6, 7, 8)
	b.commit(h, change)
	h = b.head()
	if f := b.files(h)[file.Key]; len(f.Deletes) != 1 {
		b.t.Errorf("the deletes of a file in a partition are %+v", f.Deletes)
	}
	change = b.begin(h, s)
	for key := range b.files(h) {
		change.Remove = append(change.Remove, key)
	}
	b.add(h, &change, 1, 9)
	b.commit(h, change)
	b.expect(1, 9)
}

func repartition(b *bench) {
	before := inPartitions(schema.PartitionField{Column: "country", Transform: schema.Identity})
	after := inPartitions(schema.PartitionField{Column: "id", Transform: schema.Bucket, Width: 4}, schema.PartitionField{Column: "country", Transform: schema.Identity})
	h := b.head()
	b.commit(h, b.change(h, before, 1, 2, 3))
	h = b.head()
	change := b.begin(h, after)
	change.Schema.Columns = h.Schema.Columns
	b.add(h, &change, 4)
	if _, err := b.table.Commit(b.t.Context(), h, change); !errors.Is(err, table.ErrPartitioning) || !strings.Contains(err.Error(), "set reload") {
		b.t.Errorf("other partitions without a reload: %v", err)
	}
	b.expect(1, 2, 3)
	for _, next := range []schema.Table{after, before, Columns()} {
		h = b.head()
		evolved, err := schema.Evolve(h.Schema, next, schema.Whole)
		if err != nil {
			b.t.Fatal(err)
		}
		b.commit(h, b.change(h, evolved.Table, 5, 6, 7))
		b.expect(5, 6, 7)
		if h = b.head(); !slices.Equal(h.Schema.Partition, next.Partition) {
			b.t.Errorf("the head is partitioned by %v, want %v", h.Schema.Partition, next.Partition)
		}
		for _, f := range b.files(h) {
			if len(f.Partition) != len(next.Partition) || f.OtherSpec {
				b.t.Errorf("a file is listed as %+v", f)
			}
		}
	}
}

// allWin lets eight committers add a row each until each has: in every round exactly one of those left wins.
func allWin(b *bench) {
	const committers = 8
	left := map[int64]bool{}
	for id := range int64(committers) {
		left[id] = true
	}
	for round := 0; len(left) > 0; round++ {
		h := b.head()
		changes := map[int64]table.Change{}
		for id := range left {
			change := b.begin(h, Columns())
			ids := []int64{id}
			if b.format.Can.Exchanges {
				for key := range b.files(h) {
					change.Remove = append(change.Remove, key)
				}
			} else {
				change.ReplaceAll = b.format.Can.Replaces
			}
			if b.format.Can.Exchanges || b.format.Can.Replaces {
				for done := range int64(committers) {
					if !left[done] {
						ids = append(ids, done)
					}
				}
			}
			b.add(h, &change, ids...)
			changes[id] = change
		}
		var mu sync.Mutex
		var won []int64
		var all sync.WaitGroup
		for id, change := range changes {
			all.Go(func() {
				_, err := b.format.Open(b.store, b.catalog, "lake/orders/", "orders", nil).Commit(b.t.Context(), h, change)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					won = append(won, id)
				} else if !errors.Is(err, table.ErrLostRace) {
					b.t.Error(err)
				}
			})
		}
		all.Wait()
		if len(won) != 1 || round > committers {
			b.t.Fatalf("round %d has the winners %v", round, won)
		}
		delete(left, won[0])
	}
	b.expect(0, 1, 2, 3, 4, 5, 6, 7)
}
