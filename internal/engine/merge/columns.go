package merge

import (
	"context"
	"sync"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/guard"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/parquet"
)

// lane is what one goroutine works with on columns of a row group. Files are at work beside one another; where there are
// fewer of them than goroutines, so are columns.
type lane struct {
	// read and made are vectors that columns are read into and made in, by kind.
	read, made map[column.Kind]*column.Vector
	encoder    parquet.Lane
	// differs notes which hits make a difference.
	differs []bool
}

// lanes are those of each of some files that are written at once.
func (w *work) lanes(files int) []*lane {
	out := make([]*lane, max(w.Parallel/max(files, 1), 1))
	for i := range out {
		out[i] = &lane{read: map[column.Kind]*column.Vector{}, made: map[column.Kind]*column.Vector{}}
	}
	return out
}

func (l *lane) vector(of map[column.Kind]*column.Vector, kind column.Kind) *column.Vector {
	v := of[kind]
	if v == nil {
		v = column.NewVector(kind, 0)
		of[kind] = v
	}
	v.Reset()
	return v
}

// columns writes the columns of a row group.
func (r *rewriting) columns(ctx context.Context, w *parquet.Writer, group *parquet.GroupWriter, d *grouped) error {
	count := len(r.w.Schema.Columns)
	if len(r.lanes) == 1 {
		for i := range count {
			if r.refers(d, i) {
				if err := r.refer(group, d, i, d.differs); err != nil {
					return err
				}
				continue
			}
			made, err := r.column(ctx, r.lanes[0], w, d, i, d.differs)
			if err != nil {
				return err
			}
			if made == nil {
				err = r.copy(ctx, group, d, i)
			} else {
				err = group.Encode(made)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	idle := make(chan *lane, len(r.lanes))
	for _, l := range r.lanes {
		l.differs = make([]bool, len(d.hits))
		idle <- l
	}
	turns := turns{waiting: map[int]func() error{}}
	err := guard.Each(ctx, len(r.lanes), count, func(ctx context.Context, i int) error {
		l := <-idle
		defer func() { idle <- l }()
		if r.refers(d, i) {
			return turns.take(i, func() error { return r.refer(group, d, i, d.differs) })
		}
		made, err := r.column(ctx, l, w, d, i, l.differs)
		if err != nil {
			return err
		}
		put := func() error { return r.copy(ctx, group, d, i) }
		if made != nil {
			encoded, err := group.EncodeAhead(&l.encoder, i, made)
			if err != nil {
				return err
			}
			put = func() error { return group.Put(encoded) }
		}
		return turns.take(i, put)
	})
	for _, l := range r.lanes {
		for n, differs := range l.differs {
			d.differs[n] = d.differs[n] || differs
		}
	}
	return err
}

// turns has things done in the order of their numbers, whatever order they come in.
type turns struct {
	sync.Mutex
	next    int
	waiting map[int]func() error
}

// take does what has the number, and what has waited for it, or has it wait.
func (t *turns) take(number int, do func() error) error {
	t.Lock()
	defer t.Unlock()
	t.waiting[number] = do
	for {
		do, ok := t.waiting[t.next]
		if !ok {
			return nil
		}
		delete(t.waiting, t.next)
		t.next++
		if err := do(); err != nil {
			return err
		}
	}
}

// refers says whether a column is one that the table's format carries and whose rows stay in their places, so that whoever commits
// finds in the stored file what they have.
func (r *rewriting) refers(d *grouped, i int) bool {
	c := &r.w.Schema.Columns[i]
	if !c.Carried || r.joined || d.drops > 0 || len(d.hits) == 0 {
		return false
	}
	_, there := r.reader.Find(*c)
	return there
}

// refer writes a column that refers to the stored file: all that the changes make of it is that rows have none of the format's values.
func (r *rewriting) refer(out *parquet.GroupWriter, d *grouped, i int, differs []bool) error {
	var nulls []int32
	for n, h := range d.hits {
		if _, _, ok := r.w.value(h, d.of, i); ok {
			nulls, differs[n] = append(nulls, h.Row), true
		}
	}
	return out.Refer(r.f.file.Key, d.number, nulls) //nolint:wrapcheck // as Encode's
}

// copyable says whether a column may be copied as it is stored.
func (r *rewriting) copyable(w *parquet.Writer, d *grouped, i int) bool {
	place, there := r.reader.Find(r.w.Schema.Columns[i])
	return there && d.drops == 0 && w.Copyable(i, r.reader, place)
}

// column is a column as the changes make it, in a vector of the lane's; nil for one that is copied as it stands. It notes
// which hits differ.
func (r *rewriting) column(ctx context.Context, l *lane, w *parquet.Writer, d *grouped, i int, differs []bool) (*column.Vector, error) {
	c := &r.w.Schema.Columns[i]
	copyable := r.copyable(w, d, i)
	if copyable && (len(d.hits) == 0 || r.w.isKey[i]) {
		return nil, nil
	}
	v := l.vector(l.read, c.Type.Kind())
	if copyable && len(d.hits) <= r.f.rows[d.number]/pickShare && !r.w.differed[i].Load() {
		differ, err := r.comparePicked(ctx, v, i, d, differs)
		if err != nil || !differ {
			return nil, err
		}
		r.w.differed[i].Store(true)
		v.Reset()
	}
	if err := readColumn(ctx, r.reader, d.number, d.fetched, c, v); err != nil {
		return nil, err
	}
	if !r.compare(v, i, d, differs) && copyable {
		r.w.differed[i].Store(false)
		return nil, nil
	}
	return r.apply(l, v, i, d), nil
}

// pickShare is the part of a row group's rows, one in so many, up to which hits are read by themselves to find out whether a
// column differs. One that does is read once more, so that what differed last is read whole at once.
const pickShare = 16

// comparePicked does what compare does, with the rows of hits alone.
func (r *rewriting) comparePicked(ctx context.Context, v *column.Vector, i int, d *grouped, differs []bool) (differ bool, err error) {
	if err := pickColumn(ctx, r.reader, d.number, d.fetched, &r.w.Schema.Columns[i], v, d.places()); err != nil {
		return false, err
	}
	for n, h := range d.hits {
		if with, at, ok := r.w.value(h, d.of, i); ok && !v.Equal(n, with, at) {
			differs[n], differ = true, true
		}
	}
	return differ, nil
}

// places are the rows of the hits, in their order.
func (d *grouped) places() []int32 {
	d.once.Do(func() { d.rows = placesOf(d.hits) })
	return d.rows
}

func placesOf(hits []Hit) []int32 {
	out := make([]int32, len(hits))
	for n, h := range hits {
		out[n] = h.Row
	}
	return out
}

// copy writes the next column, i, as it is stored.
func (r *rewriting) copy(ctx context.Context, out *parquet.GroupWriter, d *grouped, i int) error {
	c := &r.w.Schema.Columns[i]
	place, _ := r.reader.Find(*c)
	return out.Copy(ctx, r.reader, d.number, place, d.fetched, r.f.file.Lower[c.FieldID], r.f.file.Upper[c.FieldID])
}

// compare says whether any change differs from what is stored in a column, and notes which do.
func (r *rewriting) compare(v *column.Vector, i int, d *grouped, differs []bool) bool {
	differ := false
	for n, h := range d.hits {
		if with, at, ok := r.w.value(h, d.of, i); ok && !v.Equal(int(h.Row), with, at) {
			differs[n], differ = true, true
		}
	}
	return differ
}

// apply makes a column what the changes make of it.
func (r *rewriting) apply(l *lane, v *column.Vector, i int, d *grouped) *column.Vector {
	if len(d.hits) == 0 {
		return v
	}
	if v.Kind != column.Bytes && d.drops == 0 {
		for _, h := range d.hits {
			if with, at, ok := r.w.value(h, d.of, i); ok {
				v.Set(int(h.Row), with, at)
			}
		}
		return v
	}
	made, from := l.vector(l.made, v.Kind), 0
	if v.Kind == column.Bytes {
		r.makeRoom(made, v, i, d)
	}
	for _, h := range d.hits {
		with, at, ok := r.w.value(h, d.of, i)
		if !ok && !h.goes() {
			continue
		}
		made.AppendRows(v, from, int(h.Row))
		if from = int(h.Row) + 1; ok {
			made.AppendRows(with, at, at+1)
		}
	}
	made.AppendRows(v, from, v.Len())
	return made
}

// makeRoom makes room for a column's texts with the hits applied: what grew row by row would take up twice as much.
func (r *rewriting) makeRoom(made, v *column.Vector, i int, d *grouped) {
	size := len(v.Data)
	for _, h := range d.hits {
		with, at, ok := r.w.value(h, d.of, i)
		if ok || h.goes() {
			size -= int(v.Offsets[h.Row+1] - v.Offsets[h.Row])
		}
		if ok {
			size += int(with.Offsets[at+1] - with.Offsets[at])
		}
	}
	if cap(made.Data) < size {
		made.Data = make([]byte, 0, size)
	}
}
