package parquet

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

const (
	// rowGroupBytes and rowGroupRows end a row group: what it holds in memory, before compression.
	rowGroupBytes = 96 << 20
	rowGroupRows  = 1 << 20
	// largeRowsBytes ends a row group of large rows, of fewRows at most: it gains nothing by being larger, and what is merged
	// into it is held as a whole, as it is stored, as it is read and as it is made.
	largeRowsBytes = 32 << 20
	fewRows        = 1 << 10
	// pagesBytes bounds the pages at hand of all columns.
	pagesBytes = 32 << 20
	magic      = "PAR1"
	// program begins what a file says of its writer.
	program = "lakeland version "
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

// Writer writes one file. It is used by one goroutine, and not again after Close.
type Writer struct {
	out                   *counter
	table                 *schema.Table
	chunks                []chunk
	metadata              format.FileMetaData
	indexes               [][]packedIndex
	rows                  int64
	groupRows, groupBytes int
	memory                *memory
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

// NewWriter begins a file of the table's columns. createdBy names the program's version. The first rows show
// which columns repay a dictionary; nil leaves that to those that are written first. They are not written.
func NewWriter(out io.Writer, table *schema.Table, createdBy string, first *column.Batch) (*Writer, error) {
	leaves, err := elements(table)
	if err != nil {
		return nil, fmt.Errorf("making the schema of a Parquet file: %w", err)
	}
	w := &Writer{out: &counter{Writer: out}, table: table, chunks: make([]chunk, len(table.Columns)), memory: takeMemory(len(table.Columns))}
	w.metadata = format.FileMetaData{Version: 1, Schema: leaves, CreatedBy: program + createdBy + " (build )"}
	keys := map[string]bool{}
	for _, name := range table.Key {
		keys[name] = true
	}
	page := min(max(pagesBytes/max(len(table.Columns), 1), 8<<10), pageBytes)
	for i, c := range table.Columns {
		var values *column.Vector
		if first != nil && i < len(first.Columns) {
			values = first.Columns[i]
		}
		// Whole texts would swell the footer.
		indexed := c.Type.Kind() != column.Bytes || c.Type.ID == schema.String && keys[c.Name]
		w.chunks[i] = newChunk(c, &leaves[i+1], i, indexed, page, values, w.memory)
		w.metadata.ColumnOrders = append(w.metadata.ColumnOrders, format.ColumnOrder{Value: new(format.TypeDefinedOrder)})
	}
	if _, err := io.WriteString(w.out, magic); err != nil {
		return nil, fmt.Errorf("beginning a Parquet file: %w", err)
	}
	return w, nil
}

// full reports whether rows of a size are too many for one row group.
func full(rows, size int) bool {
	return rows > rowGroupRows || size > rowGroupBytes || rows <= fewRows && size > largeRowsBytes
}

// Write appends a batch, whose columns are those of the table. The batch may be used again afterwards.
func (w *Writer) Write(b *column.Batch) error {
	if len(b.Columns) != len(w.chunks) {
		return fmt.Errorf("writing a Parquet file: the batch has %d columns and the file %d", len(b.Columns), len(w.chunks))
	}
	rows, size := b.Rows(), b.Size()
	if rows == 0 {
		return nil
	}
	if w.groupRows > 0 && full(w.groupRows+rows, w.groupBytes+size) {
		if err := w.flush(); err != nil {
			return err
		}
	}
	for i, v := range b.Columns {
		c := &w.table.Columns[i]
		if v.Len() != rows || v.Kind != c.Type.Kind() {
			return fmt.Errorf("writing a Parquet file: column %q has %d rows of kind %s, not %d of %s", c.Name, v.Len(), v.Kind, rows, c.Type.Kind())
		}
		if c.Required && v.Nulls > 0 {
			return fmt.Errorf("writing a Parquet file: column %q is required and has %d NULLs", c.Name, v.Nulls)
		}
		if !w.chunks[i].chosen {
			w.chunks[i].choose(v)
		}
		if err := w.chunks[i].add(v); err != nil {
			return fmt.Errorf("writing column %q of a Parquet file: %w", c.Name, err)
		}
	}
	w.rows += int64(rows)
	w.groupRows += rows
	w.groupBytes += size
	return nil
}

// flush ends the row group at hand.
func (w *Writer) flush() error {
	group := format.RowGroup{FileOffset: w.out.n, NumRows: int64(w.groupRows), Ordinal: int16(len(w.metadata.RowGroups))}
	indexes := make([]chunkIndex, len(w.chunks))
	for i := range w.chunks {
		c, index, err := w.chunks[i].end(w.out)
		if err != nil {
			return err
		}
		group.Columns, indexes[i] = append(group.Columns, c), index
		group.TotalByteSize += c.MetaData.TotalUncompressedSize
		group.TotalCompressedSize += c.MetaData.TotalCompressedSize
	}
	w.groupRows, w.groupBytes = 0, 0
	return w.endGroup(group, indexes)
}

// endGroup takes up a row group that is written. Its indexes wait for the footer as they will stand there: a file of many rows has
// many pages, and each takes up several times as much as it is.
func (w *Writer) endGroup(group format.RowGroup, indexes []chunkIndex) error {
	packed := make([]packedIndex, len(indexes))
	for i := range indexes {
		if err := packed[i].pack(&indexes[i], &w.memory.scratch.protocol); err != nil {
			return fmt.Errorf("writing the index of column %q of a Parquet file: %w", w.table.Columns[i].Name, err)
		}
	}
	w.metadata.RowGroups, w.indexes = append(w.metadata.RowGroups, group), append(w.indexes, packed)
	return nil
}

// Note puts a key and a value into the footer, for those who know the key. It is called once a key, before Close.
func (w *Writer) Note(key, value string) {
	w.metadata.KeyValueMetadata = append(w.metadata.KeyValueMetadata, format.KeyValue{Key: key, Value: value})
}

// Unbound has the file tell nothing of the values of column i but how many there are: nobody looks for them. It is called before
// rows are written.
func (w *Writer) Unbound(i int) { w.chunks[i].unbound() }

// Pending is the size of the row group at hand, in bytes before compression.
func (w *Writer) Pending() int { return w.groupBytes }

// EndGroup ends the row group at hand, so that its memory is free.
func (w *Writer) EndGroup() error {
	if w.groupRows == 0 {
		return nil
	}
	return w.flush()
}

// Size is a lower estimate of the file's length so far, in bytes.
func (w *Writer) Size() int64 {
	size := w.out.n
	for i := range w.chunks {
		size += w.chunks[i].size()
	}
	return size
}

// Close finishes the file and describes it. The output is not closed.
func (w *Writer) Close() (*File, error) {
	if w.groupRows > 0 {
		if err := w.flush(); err != nil {
			return nil, err
		}
	}
	if err := w.end(); err != nil {
		return nil, fmt.Errorf("finishing a Parquet file: %w", err)
	}
	file := &File{Rows: w.rows, Size: w.out.n, Columns: make([]FileColumn, len(w.chunks))}
	for i := range w.chunks {
		b := &w.chunks[i].file
		low, high := b.encoded()
		file.Columns[i] = FileColumn{FieldID: w.table.Columns[i].FieldID, Values: w.rows, Nulls: b.nulls, Lower: low, Upper: high}
		if kind := b.typ.Kind(); (kind == column.Float32 || kind == column.Float64) && !w.chunks[i].uncounted {
			file.Columns[i].NaNs = &b.nans
		}
	}
	for _, group := range w.metadata.RowGroups {
		for i, c := range group.Columns {
			file.Columns[i].Size += c.MetaData.TotalCompressedSize
		}
		file.Splits = append(file.Splits, group.FileOffset)
	}
	giveMemory(w.memory)
	w.memory, w.chunks = nil, nil
	return file, nil
}

// end writes the indexes, all of the columns' before those of the pages, and the footer (Parquet format, "Page Index").
func (w *Writer) end() error {
	for g, indexes := range w.indexes {
		for i := range indexes {
			if indexes[i].column == nil {
				continue
			}
			at, length, err := w.put(indexes[i].column)
			if err != nil {
				return err
			}
			c := &w.metadata.RowGroups[g].Columns[i]
			c.ColumnIndexOffset, c.ColumnIndexLength = at, length
		}
	}
	for g, indexes := range w.indexes {
		for i := range indexes {
			if indexes[i].offset == nil {
				continue // a copied column that had none
			}
			at, length, err := w.put(indexes[i].offset)
			if err != nil {
				return err
			}
			c := &w.metadata.RowGroups[g].Columns[i]
			c.OffsetIndexOffset, c.OffsetIndexLength = at, length
		}
	}
	w.metadata.NumRows = w.rows
	_, length, err := w.marshal(&w.metadata)
	if err != nil {
		return err
	}
	_, err = w.out.Write(append(binary.LittleEndian.AppendUint32(nil, uint32(length)), magic...))
	return err
}

// marshal writes a part of the footer and says where it lies.
func (w *Writer) marshal(part any) (at int64, length int32, err error) {
	data, err := thrift.Marshal(&w.memory.scratch.protocol, part)
	if err != nil {
		return 0, 0, fmt.Errorf("writing the footer: %w", err)
	}
	return w.put(data)
}

// put writes a part of the footer as it stands, and says where it lies.
func (w *Writer) put(data []byte) (at int64, length int32, err error) {
	at = w.out.n
	_, err = w.out.Write(data)
	return at, int32(len(data)), err
}
