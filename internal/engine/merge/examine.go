package merge

import (
	"context"
	"fmt"
	"slices"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/parquet"
)

// examine compares changes with stored rows where what differs decides which files are written, and not only how.
func (w *work) examine(ctx context.Context) error {
	files := slices.DeleteFunc(slices.Clone(w.files), func(f *found) bool {
		return f.hits == 0 || !w.OnRead && !f.moves && f.partition != anyPartition
	})
	return w.each(ctx, len(files), func(ctx context.Context, i int) error {
		if err := w.examineFile(ctx, files[i]); err != nil {
			return fmt.Errorf("in %s: %w", files[i].file.Key, err)
		}
		return nil
	})
}

func (w *work) examineFile(ctx context.Context, f *found) error {
	r, err := w.open(ctx, f)
	if err != nil {
		return err
	}
	for g := range f.rows {
		hits, of, bytes, err := w.hitsIn(f, g, nil)
		if err != nil {
			return err
		}
		if len(hits) > 0 {
			if hits, err = w.differing(ctx, r, g, nil, hits, of); err != nil {
				return err
			}
		}
		w.gauge.give(bytes)
		f.changed += len(hits)
		if w.rows != nil {
			f.groups[g] = hits
		}
	}
	if f.examined = true; w.rows != nil {
		f.settled, f.hits = true, f.changed
	}
	return nil
}

// differing are those of a row group's hits, put into the same slice, that make a difference. The row group may have been
// fetched.
func (w *work) differing(ctx context.Context, r *parquet.Reader, g int, fetched *parquet.Fetched, hits []Hit, of *rows) ([]Hit, error) {
	differ := make([]bool, len(hits))
	if _, err := w.compare(ctx, r, g, fetched, hits, of, differ, false); err != nil {
		return nil, err
	}
	out := hits[:0]
	for i, h := range hits {
		if differ[i] {
			out = append(out, h)
		}
	}
	return out, nil
}

// compare notes which of a row group's hits make a difference, and says whether any does; with first it stops at the first
// that does. Columns are not read any more once all hits are known to differ.
func (w *work) compare(ctx context.Context, r *parquet.Reader, g int, fetched *parquet.Fetched, hits []Hit, of *rows, differ []bool, first bool) (some bool, err error) {
	left, soft := 0, false
	for i, h := range hits {
		switch {
		case h.goes():
			differ[i], some = true, true
		case h.Change == softened:
			soft = true
		default:
			left++
		}
	}
	if left == 0 && !soft || some && first {
		return some, nil
	}
	if fetched == nil {
		if fetched, err = r.Fetch(ctx, g); err != nil {
			return false, err
		}
	}
	places, read := placesOf(hits), map[column.Kind]*column.Vector{}
	for _, i := range w.likely() {
		c := &w.Schema.Columns[i]
		if w.isKey[i] || w.passive[i] || left == 0 && (!soft || i != w.soft) {
			continue
		}
		v := read[c.Type.Kind()]
		if v == nil {
			v = column.NewVector(c.Type.Kind(), 0)
			read[c.Type.Kind()] = v
		}
		v.Reset()
		if err := pickColumn(ctx, r, g, fetched, c, v, places); err != nil {
			return false, err
		}
		for n, h := range hits {
			if differ[n] {
				continue
			}
			if with, at, ok := w.value(h, of, i); ok && !v.Equal(n, with, at) {
				w.differed[i].Store(true)
				if differ[n], some = true, true; first {
					return true, nil
				}
				if h.Change >= 0 {
					left--
				}
			}
		}
	}
	return some, nil
}

// likely are all columns, those first in which changes differed last.
func (w *work) likely() []int {
	var out, others []int
	for i := range w.differed {
		if w.differed[i].Load() {
			out = append(out, i)
		} else {
			others = append(others, i)
		}
	}
	return append(out, others...)
}

// Thresholds of merges on read, beyond which what is to be read costs more than what is written once.
const (
	// goneShare is the part of a file's rows, one in so many, of which more being deleted by position has it rewritten.
	goneShare = 5
	// mostDeletes is how many files of positions a file may have.
	mostDeletes = 10
	// mostSmall is how many files smaller than a smallShare of a full one are left in a partition.
	mostSmall  = 16
	smallShare = 8
)

// decide chooses what becomes of the files that rows of differ.
func (w *work) decide(context.Context) error {
	for _, f := range w.files {
		switch {
		case f.hits == 0 || f.examined && f.changed == 0:
		case w.OnRead && (f.gone+int64(f.changed))*goneShare <= f.file.Rows && len(f.file.Deletes) < mostDeletes:
			f.fate = covered
		case f.partition == anyPartition:
			f.fate = scattered
		default:
			f.fate = rewritten
		}
	}
	if w.OnRead {
		w.join()
	}
	return nil
}

// join has small files of partitions that are written to joined.
func (w *work) join() {
	touched := map[int32]bool{}
	for p := range w.added {
		touched[int32(p)] = w.added[p].rows() > 0
	}
	small := map[int32][]*found{}
	for _, f := range w.files {
		touched[f.partition] = touched[f.partition] || f.fate != kept
		if f.partition != anyPartition && f.file.Size < w.fileBytes/smallShare {
			small[f.partition] = append(small[f.partition], f)
		}
	}
	for p, files := range small {
		if !touched[p] {
			continue
		}
		if files = tier(files); len(files) > 0 {
			o := &output{partition: p, sources: files, must: true}
			for _, f := range files {
				f.fate = rewritten
				o.bytes += f.file.Size
			}
			w.plans = append(w.plans, o)
		}
	}
	slices.SortFunc(w.plans, func(a, b *output) int { return int(a.partition - b.partition) })
}

// tier are the files to be joined, of a partition's small ones; none while they are few. Those of about one size are joined,
// from the smallest on, each only once the ones before it hold about as much as it does: so a row is written again only a
// logarithm of times.
func tier(small []*found) []*found {
	if len(small) <= mostSmall {
		return nil
	}
	slices.SortStableFunc(small, func(a, b *found) int { return int(a.file.Size - b.file.Size) })
	if len(small) > 2*mostSmall {
		return small
	}
	sum := 3 * small[0].file.Size
	for i, f := range small {
		if f.file.Size > sum {
			if i <= mostSmall {
				return nil
			}
			return small[:i]
		}
		sum += f.file.Size
	}
	return small
}
