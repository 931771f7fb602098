package merge

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"sort"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/parquet"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// Changes are rows that replace those of their keys in a table, or are new to it. They are safe for concurrent use.
type Changes struct {
	table *schema.Table
	// key are the places of the key's columns.
	key  []int
	keys *keys
	// batches hold the rows, from number starts[i] on.
	batches []*column.Batch
	starts  []int
	// sorted are the values of the key's first column, where it is a whole number; texts, where it is text.
	sorted []int64
	texts  []string
}

// Load reads changes from files that have the table's columns.
func Load(ctx context.Context, s store.Store, t *schema.Table, files []table.DataFile) (*Changes, error) {
	c := &Changes{table: t}
	for _, name := range t.Key {
		place := slices.IndexFunc(t.Columns, func(c schema.Column) bool { return c.Name == name })
		if place < 0 {
			return nil, fmt.Errorf("merging changes: the key's column %q is not among the table's", name)
		}
		c.key = append(c.key, place)
	}
	if len(c.key) == 0 {
		return nil, fmt.Errorf("merging changes: the table has no key")
	}
	var rows int64
	for _, f := range files {
		rows += f.File.Rows
	}
	if rows > math.MaxInt32 {
		return nil, fmt.Errorf("merging changes: %d rows are more than are merged at once", rows)
	}
	columns := make([]schema.Column, len(c.key))
	for i, place := range c.key {
		columns[i] = t.Columns[place]
	}
	c.keys = newKeys(columns, int(rows))
	for _, f := range files {
		if err := c.load(ctx, s, f); err != nil {
			return nil, fmt.Errorf("merging changes: %w", err)
		}
	}
	c.sort()
	return c, nil
}

func (c *Changes) load(ctx context.Context, s store.Store, f table.DataFile) error {
	r, err := parquet.Open(ctx, s, f.Key, f.File.Size)
	if err != nil {
		return err
	}
	for group := range r.RowGroups() {
		fetched, err := r.Fetch(ctx, group)
		if err != nil {
			return err
		}
		b := column.NewBatch(c.table.Kinds(), 0)
		for i := range c.table.Columns {
			if err := readColumn(ctx, r, group, fetched, &c.table.Columns[i], b.Columns[i]); err != nil {
				return err
			}
		}
		c.starts = append(c.starts, c.keys.len())
		if err := c.keys.add(c.keyOf(b)); err != nil {
			return err
		}
		c.batches = append(c.batches, b)
	}
	return nil
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

func (c *Changes) keyOf(b *column.Batch) []*column.Vector {
	out := make([]*column.Vector, len(c.key))
	for i, place := range c.key {
		out[i] = b.Columns[place]
	}
	return out
}

// Rows is how many changes there are.
func (c *Changes) Rows() int { return c.keys.len() }

// row finds change n: its batch, and its place there.
func (c *Changes) row(n int32) (*column.Batch, int) {
	i := sort.SearchInts(c.starts, int(n)+1) - 1
	return c.batches[i], int(n) - c.starts[i]
}

// sort keeps the values of the key's first column in order, for files to be passed over by their bounds.
func (c *Changes) sort() {
	for _, b := range c.batches {
		switch v := b.Columns[c.key[0]]; {
		case v.Kind == column.Int32 || v.Kind == column.Int64 && c.table.Columns[c.key[0]].Type.ID != schema.Decimal:
			for i := range v.Len() {
				c.sorted = append(c.sorted, number(v, i))
			}
		case v.Kind == column.Bytes:
			for i := range v.Len() {
				c.texts = append(c.texts, string(v.Bytes(i)))
			}
		}
	}
	slices.Sort(c.sorted)
	slices.Sort(c.texts)
}

// mayHold reports whether a file may hold a key of the changes, by its bounds of the key's first column.
func (c *Changes) mayHold(f *table.StoredFile) bool {
	id := c.table.Columns[c.key[0]].FieldID
	low, high := f.Lower[id], f.Upper[id]
	switch {
	case low == nil || high == nil:
		return true
	case c.sorted != nil:
		from, ok1 := whole(low)
		to, ok2 := whole(high)
		if !ok1 || !ok2 {
			return true
		}
		at, _ := slices.BinarySearch(c.sorted, from)
		return at < len(c.sorted) && c.sorted[at] <= to
	case c.texts != nil:
		at, _ := slices.BinarySearch(c.texts, string(low))
		return at < len(c.texts) && c.texts[at] <= string(high)
	default:
		return true
	}
}

// whole reads a bound of a whole number, in Iceberg's single-value serialization.
func whole(bound []byte) (int64, bool) {
	switch len(bound) {
	case 4:
		return int64(int32(binary.LittleEndian.Uint32(bound))), true
	case 8:
		return int64(binary.LittleEndian.Uint64(bound)), true
	default:
		return 0, false
	}
}
