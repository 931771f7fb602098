package parquet

import (
	"errors"
	"fmt"
	"io"
	"math"

	parquetgo "github.com/parquet-go/parquet-go"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

const (
	// rowGroupBytes and rowGroupRows end a row group: what it holds in memory, before compression.
	rowGroupBytes = 96 << 20
	rowGroupRows  = 1 << 20
	pageBytes     = 512 << 10
	// dictionaryBytes is where a column chunk falls back from its dictionary to plain values.
	dictionaryBytes = 1 << 20
	// stride is how many values go to the encoder at once.
	stride = 512
)

// File describes a finished Parquet file.
type File struct {
	Rows int64 `json:"rows"`
	// Size is the file's length in bytes.
	Size    int64        `json:"size"`
	Columns []FileColumn `json:"columns"`
	// Splits are the offsets of the row groups.
	Splits []int64 `json:"splits"`
}

// FileColumn describes a column of a file.
type FileColumn struct {
	FieldID int   `json:"field_id"`
	Values  int64 `json:"values"`
	Nulls   int64 `json:"nulls"`
	// NaNs counts values that are not numbers; nil where the type has none such.
	NaNs *int64 `json:"nans,omitempty"`
	// Size is the column's compressed length in bytes.
	Size int64 `json:"size"`
	// Lower and Upper bound the values, in Iceberg's single-value serialization; nil where there is no bound.
	Lower []byte `json:"lower"`
	Upper []byte `json:"upper"`
}

// Writer writes one file. It is used by one goroutine.
type Writer struct {
	out   *counter
	table *schema.Table
	// writer is the older of the library's two: the generic one links 2 MB of reflection for rows of Go values,
	// which a writer of columns never uses.
	writer                *parquetgo.Writer //nolint:staticcheck // see above
	columns               []*parquetgo.ColumnWriter
	bounds                []bounds
	stamps                []stamper
	rows                  int64
	groupRows, groupBytes int
}

type counter struct {
	io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.Writer.Write(p)
	c.n += int64(n)
	return n, err
}

// NewWriter begins a file of the table's columns. createdBy names the program, with its version. The first rows show
// which columns repay a dictionary; nil shows nothing. They are not written.
func NewWriter(out io.Writer, table *schema.Table, createdBy string, first *column.Batch) (*Writer, error) {
	s, err := layout(table, first)
	if err != nil {
		return nil, fmt.Errorf("making the schema of a Parquet file: %w", err)
	}
	options := []parquetgo.WriterOption{
		s, parquetgo.Compression(compression), parquetgo.DataPageVersion(1),
		parquetgo.PageBufferSize(pageBytes), parquetgo.DictionaryMaxBytes(dictionaryBytes),
		parquetgo.CreatedBy("lakeland", createdBy, ""),
	}
	keys := map[string]bool{}
	for _, name := range table.Key {
		keys[name] = true
	}
	w := &Writer{out: &counter{Writer: out}, table: table, bounds: make([]bounds, len(table.Columns)), stamps: make([]stamper, len(table.Columns))}
	for i, c := range table.Columns {
		w.bounds[i].typ, w.stamps[i] = c.Type, newStamper(i, &c)
		wide := c.Type.Kind() == column.Int128
		long := c.Type.ID == schema.Binary || c.Type.ID == schema.String && !keys[c.Name]
		if wide || long {
			// Decimals of fixed length get wrong bounds from this version of the library, and whole texts
			// would swell the footer.
			options = append(options, parquetgo.SkipPageBounds(c.Name))
		}
	}
	w.writer = parquetgo.NewWriter(w.out, options...) //nolint:staticcheck // see the field
	w.columns = w.writer.ColumnWriters()
	return w, nil
}

// Write appends a batch, whose columns are those of the table. The batch may be used again afterwards.
func (w *Writer) Write(b *column.Batch) error {
	if len(b.Columns) != len(w.columns) {
		return fmt.Errorf("writing a Parquet file: the batch has %d columns and the file %d", len(b.Columns), len(w.columns))
	}
	rows, size := b.Rows(), b.Size()
	if rows == 0 {
		return nil
	}
	if w.groupRows > 0 && (w.groupRows+rows > rowGroupRows || w.groupBytes+size > rowGroupBytes) {
		if err := w.flush(); err != nil {
			return err
		}
	}
	for i, v := range b.Columns {
		c := w.table.Columns[i]
		if v.Len() != rows || v.Kind != c.Type.Kind() {
			return fmt.Errorf("writing a Parquet file: column %q has %d rows of kind %s, not %d of %s", c.Name, v.Len(), v.Kind, rows, c.Type.Kind())
		}
		if c.Required && v.Nulls > 0 {
			return fmt.Errorf("writing a Parquet file: column %q is required and has %d NULLs", c.Name, v.Nulls)
		}
		w.bounds[i].add(v)
		if err := w.writeColumn(i, v); err != nil {
			return fmt.Errorf("writing column %q of a Parquet file: %w", c.Name, err)
		}
	}
	w.rows += int64(rows)
	w.groupRows += rows
	w.groupBytes += size
	return nil
}

func (w *Writer) writeColumn(i int, v *column.Vector) error {
	s := &w.stamps[i]
	for from := 0; from < v.Len(); from += stride {
		to := min(from+stride, v.Len())
		var values []parquetgo.Value
		if mirrored {
			values = s.stamp(v, from, to)
		} else {
			values = s.construct(v, from, to)
		}
		if _, err := w.columns[i].WriteRowValues(values); err != nil {
			return err
		}
	}
	return nil
}

func (w *Writer) flush() error {
	w.groupRows, w.groupBytes = 0, 0
	if err := w.writer.Flush(); err != nil {
		return fmt.Errorf("writing a row group: %w", err)
	}
	return nil
}

// Size is a lower estimate of the file's length so far, in bytes.
func (w *Writer) Size() int64 { return w.out.n }

// Close finishes the file and describes it. The output is not closed.
func (w *Writer) Close() (*File, error) {
	if err := w.writer.Close(); err != nil {
		return nil, fmt.Errorf("finishing a Parquet file: %w", err)
	}
	file := &File{Rows: w.rows, Size: w.out.n, Columns: make([]FileColumn, len(w.bounds))}
	for i := range w.bounds {
		b := &w.bounds[i]
		low, high := b.encoded()
		file.Columns[i] = FileColumn{FieldID: w.table.Columns[i].FieldID, Values: w.rows, Nulls: b.nulls, Lower: low, Upper: high}
		if kind := b.typ.Kind(); kind == column.Float32 || kind == column.Float64 {
			file.Columns[i].NaNs = &b.nans
		}
	}
	metadata := w.writer.File().Metadata()
	if metadata.NumRows != w.rows {
		return nil, fmt.Errorf("finishing a Parquet file: its footer counts %d rows and %d were written", metadata.NumRows, w.rows)
	}
	for _, group := range metadata.RowGroups {
		if len(group.Columns) != len(file.Columns) {
			return nil, errors.New("finishing a Parquet file: its footer has another number of columns")
		}
		start := int64(math.MaxInt64)
		for i, chunk := range group.Columns {
			file.Columns[i].Size += chunk.MetaData.TotalCompressedSize
			first := chunk.MetaData.DataPageOffset
			if chunk.MetaData.DictionaryPageOffset > 0 {
				first = min(first, chunk.MetaData.DictionaryPageOffset)
			}
			start = min(start, first)
		}
		file.Splits = append(file.Splits, start)
	}
	return file, nil
}
