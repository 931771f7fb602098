package merge

import (
	"context"
	"encoding/binary"
	"slices"
	"sort"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/parquet"
)

// distribute finds out which changes are new rows of which partition, and which files hold rows that may move to another.
func (w *work) distribute(ctx context.Context) error {
	sorter, err := w.partitions.sorter(&w.Schema)
	if err != nil {
		return err
	}
	if w.rows == nil {
		return w.distributeRows(ctx, sorter)
	}
	if len(w.Schema.Partition) > 0 {
		for _, b := range w.rows.batches {
			if w.rows.partitions, err = sorter.sort(b, w.rows.partitions); err != nil {
				return err
			}
		}
	}
	for n := range int32(w.Changes.count) {
		if w.matched[n>>6]&(1<<(n&63)) == 0 {
			w.addTo(w.rows.partition(n), func(a *addition) { a.inserted = append(a.inserted, n) })
		}
	}
	for _, f := range w.files {
		for _, hits := range f.groups {
			f.moves = f.moves || slices.ContainsFunc(hits, func(h Hit) bool { return h.Change >= 0 && w.rows.partition(h.Change) != f.partition })
		}
	}
	return nil
}

// groupOf is the row group that a change is in.
func (c *Changes) groupOf(change int32) int {
	return sort.Search(len(c.groups), func(i int) bool { return c.groups[i].first > int(change) }) - 1
}

// destination is where a change's stored row is.
type destination struct {
	file, group, row int32
}

// nowhere is the file of rows that are not stored.
const nowhere = -1

// distributeRows reads changes that are larger than memory, once, and keeps each for the row group that it goes to, or for
// its partition.
func (w *work) distributeRows(ctx context.Context, sorter *sorter) error {
	var to []destination
	var partitions []int32
	var record []byte
	return w.Changes.inEach(ctx, func(r *parquet.Reader, g sourceGroup) error {
		if g.removal || g.rows == 0 {
			return nil
		}
		to = slices.Grow(to[:0], g.rows)[:g.rows]
		for i := range to {
			to[i].file = nowhere
		}
		if err := w.located.read(w.Changes.groupOf(int32(g.first)), func(records []byte) error {
			for ; len(records) > 0; records = records[16:] {
				place := func(i int) int32 { return int32(binary.LittleEndian.Uint32(records[4*i:])) }
				to[place(0)] = destination{place(1), place(2), place(3)}
			}
			return nil
		}); err != nil {
			return err
		}
		return scanGroup(ctx, r, g.group, &w.Schema, w.Changes.batchRows(), func(first int, b *column.Batch) (err error) {
			w.gauge.take(b.Size())
			defer w.gauge.give(b.Size())
			if partitions, err = sorter.sort(b, partitions[:0]); err != nil {
				return err
			}
			for i, p := range partitions {
				n, stored := g.first+first+i, to[first+i]
				switch {
				case stored.file != nowhere:
					f := w.files[stored.file]
					f.moves = f.moves || p != f.partition
					record = binary.LittleEndian.AppendUint32(record[:0], uint32(stored.row))
					record = binary.LittleEndian.AppendUint32(record, uint32(0))
					record = appendRow(record, b, i, asItIs)
					err = w.destined.add(f.base+int(stored.group), record)
				case w.matched[n>>6]&(1<<(n&63)) == 0:
					record = appendRow(record[:0], b, i, asItIs)
					err = w.setAside(p, record, true)
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
	})
}

func asItIs(int) (*column.Vector, int, bool) { return nil, 0, false }

// hitsIn are the hits of a row group, in the order of its rows, and the rows of the changes that they are about. The caller
// gives back their bytes. Without a sorter their partitions are not told.
func (w *work) hitsIn(f *found, g int, sorter *sorter) (hits []Hit, of *rows, bytes int, err error) {
	switch {
	case f.hits == 0:
		return nil, nil, 0, nil
	case w.rows != nil:
		return f.groups[g], w.rows, 0, nil
	}
	b := column.NewBatch(w.Schema.Kinds(), 0)
	left := w.destined.held(f.base + g)
	if err := w.destined.read(f.base+g, func(records []byte) error {
		makeRoom(b, records, left)
		left -= len(records)
		for len(records) > 0 {
			h := Hit{int32(binary.LittleEndian.Uint32(records)), int32(binary.LittleEndian.Uint32(records[4:]))}
			if records = records[8:]; h.Change >= 0 {
				h.Change = int32(b.Rows())
				records = takeRow(records, b)
			}
			hits = append(hits, h)
		}
		return nil
	}); err != nil {
		return nil, nil, 0, err
	}
	slices.SortFunc(hits, func(a, b Hit) int { return int(a.Row) - int(b.Row) })
	of = &rows{batches: []*column.Batch{b}, starts: []int{0}}
	if len(w.Schema.Partition) > 0 && sorter != nil {
		if of.partitions, err = sorter.sort(b, nil); err != nil {
			return nil, nil, 0, err
		}
	}
	bytes = b.Size() + 8*len(hits)
	w.gauge.take(bytes)
	return hits, of, bytes, nil
}

// makeRoom makes room in a batch for the texts of records of hits, and of those behind them, of left bytes in all, if they are
// like these: what grew row by row would leave as much again to the collector.
func makeRoom(b *column.Batch, records []byte, left int) {
	texts, all := make([]int, len(b.Columns)), len(records)
	for len(records) > 0 {
		change := int32(binary.LittleEndian.Uint32(records[4:]))
		if records = records[8:]; change >= 0 {
			records = measureRow(records, b, texts)
		}
	}
	for i, v := range b.Columns {
		if texts[i] > 0 {
			v.Data = slices.Grow(v.Data, int(float64(texts[i])*float64(left)/float64(all)))
		}
	}
}
