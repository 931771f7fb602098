package merge

import (
	"math"
	"sync"
	"sync/atomic"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// work is a merge under way.
type work struct {
	*Merge
	fileBytes int64
	gauge     *gauge
	// isKey and passive say of each column whether it is part of the key, and whether it does not count as a difference. soft
	// and op are the places of those columns, or -1.
	isKey, passive []bool
	soft, op       int
	// differed says of each column whether it did where it was compared last.
	differed []atomic.Bool
	// yes is what soft deletes put into their column, none into those that the format carries, letters are what is put into the one that says
	// what became of a row.
	yes, none, letters *column.Vector

	files      []*found
	partitions partitions
	absences   *absences
	// rows are the changes; nil where they are larger than memory.
	rows *rows
	// matched has a bit for each change, set where a stored row has its key.
	matched []uint64
	// located are the places of changes that are larger than memory, by the row group that they are in; destined are what
	// becomes of stored rows, by their row groups' numbers. Groups is how many of these have been given out.
	located, destined *spool
	groups            int
	// aside are rows to be written, by partition.
	aside *spool
	plans []*output

	mu    sync.Mutex
	added []*addition
	out   Outcome
	// written are the keys of all files that were written.
	written []string
}

// The places of what is put into the op column.
const (
	letterUpdated = iota
	letterDeleted
)

// found is a stored file and what is known of it.
type found struct {
	file *table.StoredFile
	// number is the file's place among the table's.
	number    int
	partition int32
	// opened says that its footer has been read: rows are those of its row groups, the first of which has the number base.
	opened bool
	rows   []int
	base   int
	// groups are the hits by row group, where the changes are in memory; hits counts them anyhow.
	groups [][]Hit
	hits   int
	// moves says that changes may bring rows of the file into other partitions.
	moves bool
	// examined says that changed is how many of the hits make a difference, and settled that groups holds only these.
	examined, settled bool
	changed           int
	// gone are how many rows are deleted by position.
	gone int64
	fate fate
}

// fate is what becomes of a stored file.
type fate uint8

const (
	// kept files stay, or are filled.
	kept fate = iota
	// rewritten files are written anew.
	rewritten
	// scattered files go, and their rows are written to the files of their partitions.
	scattered
	// covered files stay, and rows of theirs are deleted by position.
	covered
)

// addition is what is added to a partition.
type addition struct {
	// inserted and replaced are changes that are new rows, and new versions of stored ones, where the changes are in memory.
	inserted, replaced []int32
	// aside is how many further rows are set aside for the partition, fresh how many of these are new.
	aside, fresh int
}

func (a *addition) rows() int { return len(a.inserted) + len(a.replaced) + a.aside }

// begun sets up what a merge works with.
func (w *work) begun() {
	w.yes, w.letters = column.NewVector(column.Bool, 1), column.NewVector(column.Bytes, 2)
	w.none = column.NewVector(column.Bytes, 1)
	w.none.AppendNull()
	w.yes.Bools = append(w.yes.Bools, true)
	w.yes.Append()
	for _, letter := range []string{letterUpdated: OpUpdated, letterDeleted: OpDeleted} {
		w.letters.Data = append(w.letters.Data, letter...)
		w.letters.Append()
	}
	if len(w.Schema.Partition) == 0 {
		w.partitions.number(nil)
	}
	w.files = make([]*found, len(w.Files))
	for i := range w.Files {
		f := &found{file: &w.Files[i], number: i, partition: anyPartition}
		if !f.file.OtherSpec {
			f.partition = w.partitions.number(f.file.Partition)
		}
		w.files[i] = f
	}
	w.absences, w.aside = w.newAbsences(), w.newSpool()
	w.matched = make([]uint64, (w.Changes.count+63)/64)
	if r := w.Changes.rows; r != nil {
		w.rows = &rows{batches: r.batches, starts: r.starts}
	} else {
		w.located, w.destined = w.newSpool(), w.newSpool()
	}
}

func (w *work) end() {
	for _, s := range []*spool{w.absences.spool, w.aside, w.located, w.destined} {
		if s != nil {
			s.close()
		}
	}
}

// spoolBytes is the most that a spool keeps in memory.
const spoolBytes = 64 << 20

func (w *work) newSpool() *spool {
	return &spool{directory: w.Spill, gauge: w.gauge, limit: int(min(w.Changes.budget/8, spoolBytes, math.MaxInt32))}
}

// addTo changes what is added to a partition.
func (w *work) addTo(partition int32, change func(a *addition)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for int(partition) >= len(w.added) {
		w.added = append(w.added, &addition{})
	}
	change(w.added[partition])
}

// addition is what is added to a partition so far; nil where that is nothing.
func (w *work) addition(partition int32) *addition {
	w.mu.Lock()
	defer w.mu.Unlock()
	if int(partition) >= len(w.added) || w.added[partition].rows() == 0 {
		return nil
	}
	return w.added[partition]
}

// setAside keeps a row for a partition; fresh says that it is a new one.
func (w *work) setAside(partition int32, row []byte, fresh bool) error {
	w.addTo(partition, func(a *addition) {
		a.aside++
		if fresh {
			a.fresh++
		}
	})
	return w.aside.add(int(partition), row)
}

// partition is that of a row.
func (r *rows) partition(n int32) int32 {
	if r.partitions == nil {
		return 0
	}
	return r.partitions[n]
}

// value is what a hit makes of its row's column i; ok is false where that is what it was, or where the row goes.
func (w *work) value(h Hit, r *rows, i int) (v *column.Vector, at int, ok bool) {
	switch {
	case h.Change >= 0 && i == w.op:
		return w.letters, letterUpdated, true
	case h.Change >= 0:
		b, at := r.row(h.Change)
		return b.Columns[i], at, true
	case h.Change == softened && i == w.soft:
		return w.yes, 0, true
	case h.Change == softened && i == w.op:
		return w.letters, letterDeleted, true
	case h.Change == softened && w.Schema.Columns[i].Carried:
		return w.none, 0, true // to be marked is a change, too
	default:
		return nil, 0, false
	}
}
