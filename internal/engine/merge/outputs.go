package merge

import (
	"context"
	"fmt"
	"slices"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// output is a file to be written, or more where it becomes too large: the rows of stored ones, and what is added to its
// partition.
type output struct {
	partition int32
	sources   []*found
	// bytes are the sources' lengths.
	bytes int64
	added *addition
	// must says that it is written although no row of the sources may differ. Without it and without anything added there is
	// one source.
	must bool
}

// write writes the files that give way to others, and those of rows that are added.
func (w *work) write(ctx context.Context) error {
	w.plan()
	var sources []*found
	for _, o := range w.plans {
		sources = append(sources, o.sources...)
	}
	if err := w.absences.read(ctx, sources); err != nil {
		return err
	}
	return w.each(ctx, len(w.plans), func(ctx context.Context, i int) error {
		switch err := w.writeOutput(ctx, w.plans[i], fmt.Sprintf("m%04d", i)); {
		case err != nil && len(w.plans[i].sources) > 0:
			return fmt.Errorf("rewriting %s: %w", w.plans[i].sources[0].file.Key, err)
		case err != nil:
			return fmt.Errorf("writing new rows: %w", err)
		default:
			return nil
		}
	})
}

// plan chooses the files to write, and takes files of changes that can be the table's as they are.
func (w *work) plan() {
	joined := map[*found]bool{}
	for _, o := range w.plans {
		for _, f := range o.sources {
			joined[f] = true
		}
	}
	for _, f := range w.files {
		if f.fate == rewritten && !joined[f] {
			w.plans = append(w.plans, &output{partition: f.partition, sources: []*found{f}, bytes: f.file.Size})
		}
	}
	for p := range int32(len(w.added)) {
		a := w.addition(p)
		if a == nil {
			continue
		}
		w.out.Inserted += int64(len(a.inserted) + a.fresh)
		slices.Sort(a.replaced)
		o := w.fill(p, a)
		if o == nil {
			if files := w.asTheyAre(p, a); files != nil {
				w.out.Add = append(w.out.Add, files...)
				continue
			}
			o = &output{partition: p}
			w.plans = append(w.plans, o)
		}
		o.added = a
	}
}

// fill chooses what new rows are written with: the smallest of what is written anyway, or else of all files of their
// partition, if it has room; nil for a file of their own.
func (w *work) fill(p int32, a *addition) *output {
	room := w.fileBytes / 2
	var smallest *output
	for _, o := range w.plans {
		if o.partition == p && o.bytes < room && (smallest == nil || o.bytes < smallest.bytes) {
			smallest = o
		}
	}
	if smallest != nil || w.OnRead || w.InsertOnly || w.large(a) {
		return smallest
	}
	for _, f := range w.files {
		if f.partition == p && f.fate == kept && f.file.Size < room && (smallest == nil || f.file.Size < smallest.bytes) {
			smallest = &output{partition: p, sources: []*found{f}, bytes: f.file.Size}
		}
	}
	if smallest != nil {
		w.plans = append(w.plans, smallest)
	}
	return smallest
}

// large reports whether an addition is worth files of its own.
func (w *work) large(a *addition) bool {
	var size, rows int64
	for _, f := range w.ChangeFiles {
		size, rows = size+f.File.Size, rows+f.File.Rows
	}
	return float64(size)/float64(max(rows, 1))*float64(a.rows()) >= float64(w.fileBytes/smallShare)
}

// asTheyAre are the files of changes that hold just what is added to a partition; nil where there are none, or where they are
// too many for what is in them.
func (w *work) asTheyAre(p int32, a *addition) []table.DataFile {
	var files []table.DataFile
	var rows, size int64
	for _, f := range w.ChangeFiles {
		if len(f.Partition) == len(w.Schema.Partition) && f.File.Rows > 0 && w.partitions.number(f.Partition) == p {
			files, rows, size = append(files, f), rows+f.File.Rows, size+f.File.Size
		}
	}
	if rows != int64(len(a.inserted)+a.fresh) || int(rows) != a.rows() || len(files) > 1 && size/int64(len(files)) < w.fileBytes/smallShare {
		return nil
	}
	return files
}

func (w *work) writeOutput(ctx context.Context, o *output, unit string) error {
	out := w.newOutfile(unit, &w.Schema, w.partitions.of(o.partition))
	defer out.abort()
	var sum tally
	for i, f := range o.sources {
		r := &rewriting{w: w, f: f, out: out, joined: len(o.sources) > 1, lanes: w.lanes(len(w.plans))}
		if err := r.open(ctx); err != nil {
			return err
		}
		if !o.must && o.added == nil {
			if idle, err := r.idle(ctx); err != nil || idle {
				return err
			}
		}
		if err := r.run(ctx, i+1 < len(o.sources) || o.added != nil); err != nil {
			return err
		}
		sum.updated += r.tally.updated
		sum.deleted += r.tally.deleted
	}
	if o.added != nil {
		if err := w.writeAdded(ctx, out, o); err != nil {
			return err
		}
	}
	if err := out.end(); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.out.Updated += sum.updated
	w.out.Deleted += sum.deleted
	for i, f := range o.sources {
		w.out.Remove = append(w.out.Remove, f.file.Key)
		if i < len(out.files) && f.partition == o.partition {
			out.files[i].Replaces = f.file.Key
		}
	}
	w.out.Add = append(w.out.Add, out.files...)
	return nil
}

// writeAdded writes what is added to a partition.
func (w *work) writeAdded(ctx context.Context, out *outfile, o *output) error {
	b, most := column.NewBatch(w.Schema.Kinds(), 0), w.Changes.batchRows()
	for some := range slices.Chunk(o.added.inserted, most) {
		b.Reset()
		w.gather(b, some)
		if err := out.write(ctx, b); err != nil {
			return err
		}
	}
	for some := range slices.Chunk(o.added.replaced, most) {
		b.Reset()
		w.gather(b, some)
		if w.op >= 0 {
			b.Columns[w.op].Reset()
			for range some {
				b.Columns[w.op].AppendRows(w.letters, letterUpdated, letterUpdated+1)
			}
		}
		if err := out.write(ctx, b); err != nil {
			return err
		}
	}
	if o.added.aside == 0 {
		return nil
	}
	return w.aside.read(int(o.partition), func(records []byte) error {
		for len(records) > 0 {
			b.Reset()
			for b.Rows() < most && len(records) > 0 {
				records = takeRow(records, b)
			}
			if err := out.write(ctx, b); err != nil {
				return err
			}
		}
		return nil
	})
}

// gather appends changes to a batch.
func (w *work) gather(b *column.Batch, changes []int32) {
	for start := 0; start < len(changes); {
		source, at := w.rows.row(changes[start])
		end := start + 1
		for end < len(changes) && changes[end] == changes[end-1]+1 && at+end-start < source.Rows() {
			end++
		}
		for i, v := range b.Columns {
			v.AppendRows(source.Columns[i], at, at+end-start)
		}
		start = end
	}
}
