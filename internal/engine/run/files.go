package run

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/parquet"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

const (
	// openFiles bounds how many partitions' files are written at once.
	openFiles = 64
	// groupBytes bounds what the row groups at hand of all open files hold, before compression.
	groupBytes = 96 << 20
	// gatherBytes bounds the rows that are gathered before they are written to a partition's file, gatheredBytes those of all
	// partitions.
	gatherBytes   = 1 << 20
	gatheredBytes = 64 << 20
)

// files writes batches to files, one after another, and each of one partition alone.
type files struct {
	ctx     context.Context
	store   store.Store
	out     Output
	schema  *schema.Table
	version string

	// partitioner is nil for a table without partitions, which has one.
	partitioner *schema.Partitioner
	partitions  []*partition
	groups      []uint32
	met         []uint32 // partitions of the batch at hand
	gathered    int

	open  []*partition
	begun int
	done  []table.DataFile
}

// partition is one with rows that are not yet in a finished file.
type partition struct {
	group uint32
	// picked are its rows in the batch at hand, rows those that are gathered.
	picked []uint32
	rows   *column.Batch
	size   int

	// key is that of the file under way, "" for none.
	key    string
	stream store.Writer
	writer *parquet.Writer
}

func newFiles(ctx context.Context, s store.Store, out Output, t *schema.Table, version string) (*files, error) {
	f := &files{ctx: ctx, store: s, out: out, schema: t, version: version}
	if len(t.Partition) == 0 {
		f.partitions = []*partition{{}}
		return f, nil
	}
	var err error
	f.partitioner, err = schema.NewPartitioner(t)
	return f, err
}

func (f *files) write(b *column.Batch) error {
	if f.partitioner == nil {
		return f.writeTo(f.partitions[0], b)
	}
	var err error
	if f.groups, err = f.partitioner.Groups(b, f.groups); err != nil {
		return err
	}
	for n := len(f.partitions); n < f.partitioner.Len(); n++ {
		f.partitions = append(f.partitions, &partition{group: uint32(n), rows: column.NewBatch(f.schema.Kinds(), 0)})
	}
	f.met = f.met[:0]
	for i, g := range f.groups {
		p := f.partitions[g]
		if len(p.picked) == 0 {
			f.met = append(f.met, g)
		}
		p.picked = append(p.picked, uint32(i))
	}
	for _, g := range f.met {
		p := f.partitions[g]
		for i, v := range b.Columns {
			p.rows.Columns[i].AppendPicked(v, p.picked)
		}
		p.picked = p.picked[:0]
		f.gathered -= p.size
		p.size = p.rows.Size()
		f.gathered += p.size
		if p.size >= gatherBytes {
			if err := f.flush(p); err != nil {
				return err
			}
		}
	}
	if f.gathered <= gatheredBytes {
		return nil
	}
	full := slices.Clone(f.partitions)
	slices.SortFunc(full, func(a, b *partition) int { return cmp.Compare(b.size, a.size) })
	for _, p := range full {
		if f.gathered <= gatheredBytes/2 {
			break
		}
		if err := f.flush(p); err != nil {
			return err
		}
	}
	return nil
}

// flush writes the rows that are gathered of a partition.
func (f *files) flush(p *partition) error {
	if p.size == 0 {
		return nil
	}
	if err := f.writeTo(p, p.rows); err != nil {
		return err
	}
	p.rows = column.NewBatch(f.schema.Kinds(), 0) // its memory is another partition's now
	f.gathered -= p.size
	p.size = 0
	return nil
}

// writeTo writes rows of one partition.
func (f *files) writeTo(p *partition, b *column.Batch) error {
	if p.key == "" {
		if err := f.begin(p, b); err != nil {
			return err
		}
	}
	if err := p.writer.Write(b); err != nil {
		return err
	}
	if p.writer.Size() >= f.out.FileBytes {
		return f.end(p)
	}
	if len(f.open) == 1 {
		return nil
	}
	held, largest := 0, p
	for _, o := range f.open {
		held += o.writer.Pending()
		if o.writer.Pending() > largest.writer.Pending() {
			largest = o
		}
	}
	if held > groupBytes {
		return largest.writer.EndGroup()
	}
	return nil
}

// begin begins a partition's next file. While too many are open others are ended: the largest, which loses least.
func (f *files) begin(p *partition, first *column.Batch) error {
	for len(f.open) >= openFiles {
		largest := slices.MaxFunc(f.open, func(a, b *partition) int { return cmp.Compare(a.writer.Size(), b.writer.Size()) })
		if err := f.end(largest); err != nil {
			return err
		}
	}
	key := fmt.Sprintf("%s%04d%s", f.out.KeyPrefix, f.begun, f.out.KeySuffix)
	stream, err := f.store.Create(f.ctx, key)
	if err != nil {
		return err
	}
	p.key, p.stream = key, stream
	f.begun++
	f.open = append(f.open, p)
	p.writer, err = parquet.NewWriter(stream, f.schema, f.version, first)
	return err
}

// end finishes a partition's file.
func (f *files) end(p *partition) error {
	written, err := p.writer.Close()
	if err == nil {
		err = p.stream.Close()
	}
	if err != nil {
		return err
	}
	done := table.DataFile{Key: p.key, File: *written}
	if f.partitioner != nil {
		done.Partition = f.partitioner.Partition(p.group)
	}
	f.done = append(f.done, done)
	p.key, p.stream, p.writer = "", nil, nil
	f.open = slices.DeleteFunc(f.open, func(o *partition) bool { return o == p })
	return nil
}

// finish writes what is gathered, and ends all files.
func (f *files) finish() error {
	for _, p := range f.partitions {
		if err := f.flush(p); err != nil {
			return err
		}
		if p.key == "" {
			continue
		}
		if err := f.end(p); err != nil {
			return err
		}
	}
	return nil
}

// discard removes what was written. What cannot be removed stays as an orphan that no reader sees.
func (f *files) discard() {
	begun := f.done
	for _, p := range f.open {
		p.stream.Abort()
		begun = append(begun, table.DataFile{Key: p.key}) // it is there if only the answer was lost
	}
	_ = deleteFiles(f.ctx, f.store, begun)
}

func deleteFiles(ctx context.Context, s store.Store, done []table.DataFile) error {
	if len(done) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	keys := make([]string, len(done))
	for i, d := range done {
		keys[i] = d.Key
	}
	return s.Delete(ctx, keys...)
}
