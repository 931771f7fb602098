package merge

import (
	"context"
	"fmt"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/parquet"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// outfile writes the files of a unit, one after another as each is full. It is used by one goroutine.
type outfile struct {
	w         *work
	columns   *schema.Table
	partition schema.PartitionValues
	// Keys are prefix, the file's number and suffix.
	prefix, suffix string

	key    string
	stream store.Writer
	writer *parquet.Writer
	// files are those that are finished.
	files []table.DataFile
}

func (w *work) newOutfile(unit string, columns *schema.Table, partition schema.PartitionValues) *outfile {
	o := &outfile{w: w, columns: columns, partition: partition}
	o.prefix, o.suffix = w.Keys(unit)
	return o
}

// open is the writer of the file at hand.
func (o *outfile) open(ctx context.Context) (*parquet.Writer, error) {
	if o.writer != nil {
		return o.writer, nil
	}
	o.key = fmt.Sprintf("%s%04d%s", o.prefix, len(o.files), o.suffix)
	var err error
	if o.stream, err = o.w.Store.Create(ctx, o.key); err != nil {
		return nil, err
	}
	o.writer, err = parquet.NewWriter(o.stream, o.columns, o.w.Version, nil)
	return o.writer, err
}

// write writes a batch, into a new file where the one at hand is full.
func (o *outfile) write(ctx context.Context, b *column.Batch) error {
	if err := o.endFull(); err != nil {
		return err
	}
	w, err := o.open(ctx)
	if err != nil {
		return err
	}
	return w.Write(b)
}

// endFull finishes the file at hand if it is full.
func (o *outfile) endFull() error {
	if o.writer == nil || o.writer.Size() < o.w.fileBytes {
		return nil
	}
	return o.end()
}

// end finishes the file at hand. It is known to the merge from then on, whatever comes of it, for the answer may be lost.
func (o *outfile) end() error {
	if o.writer == nil {
		return nil
	}
	file, err := o.writer.Close()
	if err != nil {
		return err
	}
	made := table.DataFile{Key: o.key, File: *file, Partition: o.partition}
	o.w.mu.Lock()
	o.w.written = append(o.w.written, o.key)
	if o.columns == &o.w.Schema {
		o.w.out.Written = append(o.w.out.Written, made)
	}
	o.w.mu.Unlock()
	err = o.stream.Close()
	if err != nil {
		return err
	}
	o.files, o.stream, o.writer = append(o.files, made), nil, nil
	return nil
}

// abort gives up the file at hand, if there is one.
func (o *outfile) abort() {
	if o.stream != nil {
		o.stream.Abort()
		o.stream, o.writer = nil, nil
	}
}
