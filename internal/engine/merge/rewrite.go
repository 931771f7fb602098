package merge

import (
	"context"
	"slices"
	"sync"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/parquet"
)

// smallGroup is up to how many rows the last row groups of a file that is filled are written anew with what is added.
const smallGroup = 128 << 10

// tally counts the rows of a file that are others, or gone, when it is rewritten.
type tally struct{ updated, deleted int64 }

// rewriting is one file's, under way.
type rewriting struct {
	w      *work
	f      *found
	reader *parquet.Reader
	sorter *sorter
	out    *outfile
	gone   bitmap
	// joined says that the file is one of several that are written into others, which are ended when they are full. One that is
	// written anew by itself is not split.
	joined bool
	// lanes are at least one.
	lanes []*lane
	tally tally
}

// grouped is a row group with what becomes of its rows.
type grouped struct {
	number  int
	hits    []Hit
	of      *rows
	fetched *parquet.Fetched
	// drops are how many rows go.
	drops int
	// differs says of each hit whether it makes a difference; known says that all that are left do.
	differs []bool
	known   bool
	// rows are the hits' rows, made once.
	once sync.Once
	rows []int32
}

// open makes ready to read the file.
func (r *rewriting) open(ctx context.Context) (err error) {
	if r.reader, err = r.w.open(ctx, r.f); err != nil {
		return err
	}
	if r.sorter, err = r.w.partitions.sorter(&r.w.Schema); err != nil {
		return err
	}
	r.gone, _, err = r.w.absences.of(r.f)
	return err
}

// idle reports whether nothing in the file is another afterwards: much of what is read again from a source is as it was.
func (r *rewriting) idle(ctx context.Context) (bool, error) {
	if r.f.examined {
		return r.f.changed == 0, nil
	}
	for g := range r.f.rows {
		hits, of, bytes, err := r.w.hitsIn(r.f, g, nil)
		if err != nil {
			return false, err
		}
		differs, err := r.w.compare(ctx, r.reader, g, nil, hits, of, make([]bool, len(hits)), true)
		r.w.gauge.give(bytes)
		if err != nil || differs {
			return false, err
		}
	}
	return true, nil
}

// run writes the file's row groups with the changes. Row groups that no change is about are copied as they are, and so are
// columns in which no value differs; the last ones, while they are small, are written so that what follows fills them.
func (r *rewriting) run(ctx context.Context, follows bool) error {
	tail := len(r.f.rows)
	if follows {
		for rows := 0; tail > 0 && rows+r.f.rows[tail-1] < smallGroup; tail-- {
			rows += r.f.rows[tail-1]
		}
	}
	first := int64(0)
	for g, rows := range r.f.rows {
		if err := r.group(ctx, g, first, g >= tail); err != nil {
			return err
		}
		first += int64(rows)
	}
	return nil
}

// group writes a row group; filled says that others share what is written.
func (r *rewriting) group(ctx context.Context, g int, first int64, filled bool) error {
	hits, of, bytes, err := r.w.hitsIn(r.f, g, r.sorter)
	if err != nil {
		return err
	}
	defer r.w.gauge.give(bytes)
	d := &grouped{number: g, of: of}
	if err := r.real(ctx, d, hits); err != nil {
		return err
	}
	d.hits = r.gone.within(d.hits, first, r.f.rows[g])
	d.differs = make([]bool, len(d.hits))
	r.count(d)
	if d.drops == r.f.rows[g] {
		return nil
	}
	if err := r.fetch(ctx, d); err != nil {
		return err
	}
	if filled {
		err = r.fillWith(ctx, d)
	} else {
		err = r.write(ctx, d)
	}
	if err != nil || d.known {
		return err
	}
	for _, differs := range d.differs {
		if differs {
			r.tally.updated++
		}
	}
	return nil
}

// fetch reads the row group as it is stored, once.
func (r *rewriting) fetch(ctx context.Context, d *grouped) (err error) {
	if d.fetched == nil {
		d.fetched, err = r.reader.Fetch(ctx, d.number)
	}
	return err
}

// real leaves out hits that make no difference, where that is to be known before anything is written, and has those go
// whose rows move to another partition.
func (r *rewriting) real(ctx context.Context, d *grouped, hits []Hit) error {
	d.hits, d.known = hits, r.f.settled
	if !d.known && len(hits) > 0 && (r.f.moves || r.w.op >= 0 || r.w.soft >= 0 || len(r.w.Audit) > 0) {
		err := r.fetch(ctx, d)
		if err == nil {
			d.hits, err = r.w.differing(ctx, r.reader, d.number, d.fetched, hits, d.of)
		}
		if err != nil {
			return err
		}
		d.known = true
	}
	if !r.f.moves {
		return nil
	}
	d.hits = slices.Clone(d.hits)
	for i, h := range d.hits {
		if h.Change >= 0 && d.of.partition(h.Change) != r.f.partition {
			d.hits[i].Change = moved
		}
	}
	return nil
}

// count counts a row group's hits, as far as it is known that they make a difference.
func (r *rewriting) count(d *grouped) {
	for _, h := range d.hits {
		if h.goes() {
			d.drops++
		}
		switch {
		case h.Change == removed || h.Change == softened:
			r.tally.deleted++
		case h.Change >= 0 && d.known:
			r.tally.updated++
		}
	}
}

// write writes a row group column by column.
func (r *rewriting) write(ctx context.Context, d *grouped) error {
	if r.joined {
		if err := r.out.endFull(); err != nil {
			return err
		}
	}
	w, err := r.out.open(ctx)
	if err != nil {
		return err
	}
	group, err := w.Group(r.f.rows[d.number] - d.drops)
	if err != nil {
		return err
	}
	if err := r.columns(ctx, w, group, d); err != nil {
		return err
	}
	return group.End()
}

// fillWith writes a small row group's rows into one that others follow in.
func (r *rewriting) fillWith(ctx context.Context, d *grouped) error {
	b := column.NewBatch(r.w.Schema.Kinds(), 0)
	for i := range r.w.Schema.Columns {
		c := &r.w.Schema.Columns[i]
		l := r.lanes[0]
		v := l.vector(l.read, c.Type.Kind())
		if err := readColumn(ctx, r.reader, d.number, d.fetched, c, v); err != nil {
			return err
		}
		r.compare(v, i, d, d.differs)
		applied := r.apply(l, v, i, d)
		b.Columns[i].AppendRows(applied, 0, applied.Len())
	}
	return r.out.write(ctx, b)
}
