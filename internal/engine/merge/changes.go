package merge

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"runtime/debug"
	"slices"
	"sort"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/guard"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/parquet"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// Changes are rows that replace those of their keys in a table, or are new to it, and removals: keys whose rows go. A key that
// is both changed and removed is changed. They are safe for concurrent use.
//
// Where they take up more memory than they may, their rows stay in their files until a merge distributes them.
type Changes struct {
	store store.Store
	table *schema.Table
	// key are the places of the key's columns, columns the columns themselves.
	key     []int
	columns []schema.Column
	// ordering is the place of the column by which the greater of two changes of one key counts, -1 for none.
	ordering int
	// groups are the row groups that the changes are in, and those of the removals behind them. The changes are numbered from
	// 0 up to but without count, the removals from there on.
	groups []sourceGroup
	count  int
	// budget is how many bytes may be held of changes.
	budget int64
	gauge  gauge

	// index and rows are in memory, unless the changes are larger than that; otherwise the keys are gone through in parts.
	index *index
	rows  *rows
	parts int
	// rowBytes is about what a row takes up in memory.
	rowBytes int
}

// sourceGroup is a row group of a file of changes or removals.
type sourceGroup struct {
	file *table.DataFile
	// group is the row group's place in the file, first the number of its first row.
	group   int
	first   int
	rows    int
	removal bool
}

// rows are rows of the table in memory, numbered from 0 on.
type rows struct {
	batches []*column.Batch
	// starts are the numbers of the batches' first rows.
	starts []int
	// partitions are the rows' partitions; nil until they are known.
	partitions []int32
}

// row finds row n: its batch, and its place there.
func (r *rows) row(n int32) (*column.Batch, int) {
	if len(r.batches) == 1 {
		return r.batches[0], int(n)
	}
	i := sort.SearchInts(r.starts, int(n)+1) - 1
	return r.batches[i], int(n) - r.starts[i]
}

// batchRows is how many rows are gathered at once: no more than batchBytes, if they are like the changes.
func (c *Changes) batchRows() int {
	return min(max(batchBytes/max(c.rowBytes, 1), 16), maxBatch)
}

const (
	maxBatch   = 8192
	batchBytes = 8 << 20
)

// hitBytes is about what finding a change's stored row takes up in memory, slotBytes a key's place in the hash table.
const (
	hitBytes  = 16
	slotBytes = 16
)

// Load reads changes from files that have the table's columns, and removals from files that have those of its key at least. A
// change whose key is not one is ErrKey; where the changes are larger than memory, that two have one key may be found only
// when they are merged.
func Load(ctx context.Context, s store.Store, t *schema.Table, files, removals []table.DataFile) (*Changes, error) {
	return load(ctx, s, t, "", files, removals, thirdOfMemory())
}

// LoadOrdered is Load for changes of which several may have one key: the one with the greatest value of a column counts. Two
// with equal values are ErrKey.
func LoadOrdered(ctx context.Context, s store.Store, t *schema.Table, ordering string, files []table.DataFile) (*Changes, error) {
	return load(ctx, s, t, ordering, files, nil, thirdOfMemory())
}

// thirdOfMemory is a third of the process's memory limit in bytes, since what is rewritten needs as much again as it is read and as it
// is made; without a limit there is no bound.
func thirdOfMemory() int64 {
	if limit := debug.SetMemoryLimit(-1); limit < math.MaxInt64 {
		return limit / 3
	}
	return math.MaxInt64
}

func load(ctx context.Context, s store.Store, t *schema.Table, ordering string, files, removals []table.DataFile, budget int64) (*Changes, error) {
	c := &Changes{store: s, table: t, budget: budget, rows: &rows{}, ordering: -1}
	if ordering != "" {
		if c.ordering = slices.IndexFunc(t.Columns, func(c schema.Column) bool { return c.Name == ordering }); c.ordering < 0 {
			return nil, fmt.Errorf("merging changes: the column %q that orders them is not among the table's", ordering)
		}
	}
	for _, name := range t.Key {
		place := slices.IndexFunc(t.Columns, func(c schema.Column) bool { return c.Name == name })
		if place < 0 {
			return nil, fmt.Errorf("merging changes: the key's column %q is not among the table's", name)
		}
		c.key, c.columns = append(c.key, place), append(c.columns, t.Columns[place])
	}
	if len(c.key) == 0 {
		return nil, fmt.Errorf("merging changes: the table has no key")
	}
	var all int64
	for _, f := range slices.Concat(files, removals) {
		all += f.File.Rows
	}
	if all > math.MaxInt32 {
		return nil, fmt.Errorf("merging changes: %d rows are more than are merged at once: set reload to a new value to land the table afresh", all)
	}
	k, held := c.newKeys(int(min(all, budget/64))), 0
	exceeds := func(more int) bool { return int64(held+more+k.size()+k.len()*hitBytes) > budget }
	spill := func() {
		perKey := (k.size()-4*len(k.slots))/max(k.len(), 1) + slotBytes + 2*hitBytes
		c.parts = int(int64(perKey)*all/max(budget/2, 1)) + 1
		c.rows, k = nil, nil
		c.gauge.give(held)
	}
	for i, f := range slices.Concat(files, removals) {
		if err := c.open(ctx, &f, i >= len(files), func(r *parquet.Reader, g sourceGroup) error {
			if c.rows == nil {
				return nil
			}
			if !g.removal && k.len() > 0 && exceeds(r.Unpacked(g.group)) { // what a key takes up is known by then
				spill()
				return nil
			}
			size, err := c.load(ctx, r, g, k)
			if held += size; c.count > 0 {
				c.rowBytes = held / c.count
			}
			if c.gauge.take(size); err == nil && exceeds(0) {
				spill()
			}
			return err
		}); err != nil {
			return nil, fmt.Errorf("merging changes: %w", err)
		}
	}
	if c.rows != nil {
		c.index = newIndex(k)
		c.gauge.take(c.index.size())
	}
	return c, nil
}

// open notes the row groups of a file and has something done with each.
func (c *Changes) open(ctx context.Context, f *table.DataFile, removal bool, do func(*parquet.Reader, sourceGroup) error) error {
	r, err := parquet.Open(ctx, c.store, f.Key, f.File.Size)
	if err != nil {
		return err
	}
	first := 0
	if n := len(c.groups); n > 0 {
		first = c.groups[n-1].first + c.groups[n-1].rows
	}
	for group := range r.RowGroups() {
		g := sourceGroup{file: f, group: group, first: first, rows: r.Rows(group), removal: removal}
		if first += g.rows; !removal {
			c.count = first
		}
		c.groups = append(c.groups, g)
		if err := do(r, g); err != nil {
			return err
		}
	}
	return nil
}

// load takes the keys of a row group, and its rows where they are changes. It says how many bytes the rows take up.
func (c *Changes) load(ctx context.Context, r *parquet.Reader, g sourceGroup, k *keys) (int, error) {
	if g.removal {
		vectors, err := c.readKeys(ctx, r, g.group)
		if err != nil {
			return 0, err
		}
		return 0, k.add(vectors, int32(g.first), true)
	}
	b, err := c.readRows(ctx, r, g)
	if err != nil {
		return 0, err
	}
	vectors := make([]*column.Vector, 0, len(c.key)+1)
	for _, place := range c.key {
		vectors = append(vectors, b.Columns[place])
	}
	if c.ordering >= 0 {
		vectors = append(vectors, b.Columns[c.ordering])
	}
	c.rows.batches, c.rows.starts = append(c.rows.batches, b), append(c.rows.starts, g.first)
	return b.Size(), k.add(vectors, int32(g.first), false)
}

func (c *Changes) readRows(ctx context.Context, r *parquet.Reader, g sourceGroup) (*column.Batch, error) {
	fetched, err := r.Fetch(ctx, g.group)
	if err != nil {
		return nil, err
	}
	b := column.NewBatch(c.table.Kinds(), 0)
	return b, guard.Each(ctx, runtime.GOMAXPROCS(0), len(b.Columns), func(ctx context.Context, i int) error {
		return readColumn(ctx, r, g.group, fetched, &c.table.Columns[i], b.Columns[i])
	})
}

func (c *Changes) newKeys(rows int) *keys {
	k := newKeys(c.columns, rows)
	if c.ordering >= 0 {
		k.ordered(&c.table.Columns[c.ordering])
	}
	return k
}

// readKeys reads the key's columns of a row group.
func (c *Changes) readKeys(ctx context.Context, r *parquet.Reader, group int) ([]*column.Vector, error) {
	vectors := make([]*column.Vector, len(c.key))
	for i := range vectors {
		vectors[i] = column.NewVector(c.columns[i].Type.Kind(), 0)
		if err := readColumn(ctx, r, group, nil, &c.columns[i], vectors[i]); err != nil {
			return nil, err
		}
	}
	return vectors, nil
}

// readColumn reads a column of a row group; one that the file does not have is NULL throughout.
func readColumn(ctx context.Context, r *parquet.Reader, group int, fetched *parquet.Fetched, c *schema.Column, v *column.Vector) error {
	place, ok := r.Find(*c)
	if !ok {
		for range r.Rows(group) {
			v.AppendNull()
		}
		return nil
	}
	chunk, err := r.Chunk(ctx, group, place, fetched, c.Type)
	if err != nil {
		return err
	}
	return chunk.ReadAll(v)
}

// pickColumn appends some rows of a stored column, whose numbers ascend, or NULLs where the file has no such column.
func pickColumn(ctx context.Context, r *parquet.Reader, group int, fetched *parquet.Fetched, c *schema.Column, v *column.Vector, rows []int32) error {
	place, ok := r.Find(*c)
	if !ok {
		for range rows {
			v.AppendNull()
		}
		return nil
	}
	chunk, err := r.Chunk(ctx, group, place, fetched, c.Type)
	if err != nil {
		return err
	}
	return chunk.Pick(v, rows)
}

// Rows is how many changes there are, removals left out.
func (c *Changes) Rows() int { return c.count }

// removals is how many removals there are.
func (c *Changes) removals() int {
	if n := len(c.groups); n > 0 {
		return c.groups[n-1].first + c.groups[n-1].rows - c.count
	}
	return 0
}

// inEach does something with each of the row groups of changes, and of removals behind them.
func (c *Changes) inEach(ctx context.Context, do func(r *parquet.Reader, g sourceGroup) error) error {
	var r *parquet.Reader
	for i, g := range c.groups {
		if i == 0 || c.groups[i-1].file != g.file {
			var err error
			if r, err = parquet.Open(ctx, c.store, g.file.Key, g.file.File.Size); err != nil {
				return err
			}
		}
		if err := do(r, g); err != nil {
			return err
		}
	}
	return nil
}

// passes goes through the keys: all at once, or in as many parts as let each fit into memory.
func (c *Changes) passes(ctx context.Context, do func(*index) error) error {
	if c.index != nil {
		return do(c.index)
	}
	for part := range c.parts {
		k := c.newKeys(0)
		k.part, k.parts = uint64(part), uint64(c.parts)
		err := c.inEach(ctx, func(r *parquet.Reader, g sourceGroup) error {
			vectors, err := c.readKeys(ctx, r, g.group)
			if err == nil && c.ordering >= 0 {
				of := &c.table.Columns[c.ordering]
				vectors = append(vectors, column.NewVector(of.Type.Kind(), 0))
				err = readColumn(ctx, r, g.group, nil, of, vectors[len(vectors)-1])
			}
			if err != nil {
				return err
			}
			return k.add(vectors, int32(g.first), g.removal)
		})
		if err != nil {
			return fmt.Errorf("reading the keys of changes: %w", err)
		}
		x := newIndex(k)
		c.gauge.take(x.size())
		err = do(x)
		c.gauge.give(x.size())
		if err != nil {
			return err
		}
	}
	return nil
}
