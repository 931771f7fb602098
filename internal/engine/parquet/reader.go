package parquet

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"sync"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
)

const (
	// maxFooter bounds a footer, maxChunk what one column has in one row group, and maxPage a page: in bytes.
	maxFooter = 256 << 20
	maxChunk  = 2 << 30
	maxPage   = 1 << 30
	// footerGuess is how much of a file's end is read at once: most footers fit.
	footerGuess = 64 << 10
)

var errDamaged = errors.New("the file is damaged")

// Reader reads columns of one file, its own or another writer's, whose columns are flat. It is safe for concurrent
// use.
type Reader struct {
	store    store.Store
	key      string
	metadata format.FileMetaData
	leaves   []format.SchemaElement
	// counts are which of another writer's chunks tell how many NULLs they have; nil in files of our own, where all do.
	counts *nullCounts

	indexes sync.Mutex
	region  *Fetched
}

// Open reads a file's footer. size is its length in bytes.
func Open(ctx context.Context, s store.Store, key string, size int64) (*Reader, error) {
	r := &Reader{store: s, key: key}
	wrap := func(err error) (*Reader, error) {
		return nil, fmt.Errorf("reading the Parquet file %s: %w", s.Address(key), err)
	}
	if size < 12 {
		return wrap(fmt.Errorf("%w: it has %d bytes", errDamaged, size))
	}
	end, err := r.get(ctx, max(size-footerGuess, 0), min(size, footerGuess))
	if err != nil {
		return wrap(err)
	}
	if string(end[len(end)-4:]) != magic {
		return wrap(fmt.Errorf("%w: it does not end as Parquet does", errDamaged))
	}
	length := int64(binary.LittleEndian.Uint32(end[len(end)-8:]))
	if length > maxFooter || length+8 > size-4 {
		return wrap(fmt.Errorf("%w: a footer of %d bytes", errDamaged, length))
	}
	footer := end[max(int64(len(end))-8-length, 0) : len(end)-8]
	if int64(len(footer)) < length {
		if footer, err = r.get(ctx, size-8-length, length); err != nil {
			return wrap(err)
		}
	}
	if err := unmarshal(footer, &r.metadata); err != nil {
		return wrap(fmt.Errorf("%w: its footer: %w", errDamaged, err))
	}
	if err := r.check(size); err != nil {
		return wrap(err)
	}
	if !strings.HasPrefix(r.metadata.CreatedBy, program) {
		r.counts = new(nullCounts)
		if err := unmarshal(footer, r.counts); err != nil {
			return wrap(fmt.Errorf("%w: its footer: %w", errDamaged, err))
		}
	}
	return r, nil
}

// unmarshal reads a part of a footer. The library panics on some input that is none.
func unmarshal(data []byte, part any) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("it cannot be read: %v", p)
		}
	}()
	return thrift.Unmarshal(new(thrift.CompactProtocol), data, part)
}

// check makes sure of what reading relies on.
func (r *Reader) check(size int64) error {
	if len(r.metadata.Schema) < 1 {
		return fmt.Errorf("%w: it has no schema", errDamaged)
	}
	r.leaves = r.metadata.Schema[1:]
	for _, e := range r.leaves {
		if e.NumChildren.Valid && e.NumChildren.V > 0 || !e.Type.Valid || e.RepetitionType.V == format.Repeated {
			return fmt.Errorf("its column %q is nested, which no table of lakeland has", e.Name)
		}
	}
	for i, group := range r.metadata.RowGroups {
		if len(group.Columns) != len(r.leaves) || group.NumRows < 0 {
			return fmt.Errorf("%w: row group %d has %d columns and %d rows", errDamaged, i, len(group.Columns), group.NumRows)
		}
		for _, c := range group.Columns {
			start, length := extent(&c.MetaData)
			if c.FilePath != "" || start < 4 || length < 0 || length > maxChunk || start+length > size || c.MetaData.NumValues != group.NumRows {
				return fmt.Errorf("%w: row group %d has a column of %d values at %d, %d bytes long", errDamaged, i, c.MetaData.NumValues, start, length)
			}
		}
	}
	return nil
}

// extent is where a column's pages lie in the file.
func extent(m *format.ColumnMetaData) (start, length int64) {
	start = m.DataPageOffset
	if m.DictionaryPageOffset > 0 {
		start = min(start, m.DictionaryPageOffset)
	}
	return start, m.TotalCompressedSize
}

func (r *Reader) get(ctx context.Context, offset, length int64) ([]byte, error) {
	in, err := r.store.Get(ctx, r.key, offset, length)
	if err != nil {
		return nil, err
	}
	defer func() { _ = in.Close() }()
	out := make([]byte, length)
	if _, err := io.ReadFull(in, out); err != nil {
		return nil, fmt.Errorf("reading %d bytes at %d of %s: %w", length, offset, r.store.Address(r.key), err)
	}
	return out, nil
}

// Fetched is a part of a file that is in memory.
type Fetched struct {
	start int64
	data  []byte
}

// Fetch reads a row group at once, for all of whose columns to be read or copied.
func (r *Reader) Fetch(ctx context.Context, group int) (*Fetched, error) {
	from, to := int64(math.MaxInt64), int64(0)
	for i := range r.metadata.RowGroups[group].Columns {
		start, length := extent(&r.metadata.RowGroups[group].Columns[i].MetaData)
		from, to = min(from, start), max(to, start+length)
	}
	return r.fetch(ctx, from, to)
}

func (r *Reader) fetch(ctx context.Context, from, to int64) (*Fetched, error) {
	if to-from > maxChunk {
		return nil, nil // column by column, then
	}
	data, err := r.get(ctx, from, to-from)
	if err != nil {
		return nil, err
	}
	return &Fetched{from, data}, nil
}

// part is a part of the file, from what was fetched where that holds it.
func (r *Reader) part(ctx context.Context, fetched *Fetched, offset, length int64) ([]byte, error) {
	if offset < 0 || length < 0 {
		return nil, fmt.Errorf("%w: %d bytes at %d", errDamaged, length, offset)
	}
	if fetched != nil && offset >= fetched.start && offset+length <= fetched.start+int64(len(fetched.data)) {
		return fetched.data[offset-fetched.start:][:length], nil
	}
	return r.get(ctx, offset, length)
}

// indexRegion reads the indexes of all columns at once, the first time.
func (r *Reader) indexRegion(ctx context.Context) (*Fetched, error) {
	r.indexes.Lock()
	defer r.indexes.Unlock()
	if r.region != nil {
		return r.region, nil
	}
	from, to := int64(math.MaxInt64), int64(0)
	for _, group := range r.metadata.RowGroups {
		for _, c := range group.Columns {
			for _, p := range [][2]int64{{c.ColumnIndexOffset, int64(c.ColumnIndexLength)}, {c.OffsetIndexOffset, int64(c.OffsetIndexLength)}} {
				if p[1] > 0 && p[0] > 0 {
					from, to = min(from, p[0]), max(to, p[0]+p[1])
				}
			}
		}
	}
	if to <= from || to-from > maxFooter {
		return nil, nil
	}
	var err error
	r.region, err = r.fetch(ctx, from, to)
	return r.region, err
}

// RowGroups is how many row groups there are.
func (r *Reader) RowGroups() int { return len(r.metadata.RowGroups) }

// Rows is how many rows a row group has.
func (r *Reader) Rows(group int) int { return int(r.metadata.RowGroups[group].NumRows) }

// Unpacked is about how many bytes the values of a row group take up once they are read.
func (r *Reader) Unpacked(group int) int {
	all := 0
	for _, c := range r.metadata.RowGroups[group].Columns {
		all += likely(c.MetaData.TotalUncompressedSize, int(c.MetaData.TotalCompressedSize))
	}
	return all
}

// Find is the place of a table's column in the file, by its field id where the file's columns have such, otherwise by its
// name (Iceberg specification, "Column Projection"); ok is false where the file has no such column.
func (r *Reader) Find(c schema.Column) (place int, ok bool) {
	identified := false
	for i, e := range r.leaves {
		if identified = identified || e.FieldID != 0; e.FieldID != 0 && int(e.FieldID) == c.FieldID {
			return i, true
		}
	}
	if identified {
		return 0, false
	}
	for i, e := range r.leaves {
		if e.Name == c.Name {
			return i, true
		}
	}
	return 0, false
}

// Chunk reads the pages of a column in a row group, which may have been fetched, as values of a type, which may be wider
// than the file's.
func (r *Reader) Chunk(ctx context.Context, group, place int, fetched *Fetched, as schema.Type) (*ChunkReader, error) {
	m := &r.metadata.RowGroups[group].Columns[place].MetaData
	start, length := extent(m)
	wrap := func(err error) (*ChunkReader, error) {
		return nil, fmt.Errorf("reading column %q of %s: %w", r.leaves[place].Name, r.store.Address(r.key), err)
	}
	decode, err := decompressor(m.Codec)
	if err != nil {
		return wrap(err)
	}
	data, err := r.part(ctx, fetched, start, length)
	if err != nil {
		return wrap(err)
	}
	c := &ChunkReader{
		leaf: r.leaves[place], as: as, data: data, left: int(m.NumValues), decompress: decode, size: likely(m.TotalUncompressedSize, len(data)),
		optional: r.leaves[place].RepetitionType.V == format.Optional,
		where:    fmt.Sprintf("column %q of %s", r.leaves[place].Name, r.store.Address(r.key)),
	}
	return c, nil
}

// likely is how many bytes a footer says that data unpacks to, where its length makes that likely; otherwise the length.
func likely(told int64, data int) int {
	if told < int64(data) || told > column.MaxData || told/1000 > int64(data) {
		return data
	}
	return int(told)
}

// header reads a page's header from the beginning of data, and says how long it is.
func header(data []byte, h *format.PageHeader) (length int, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: a page's header: %v", errDamaged, p)
		}
	}()
	in := new(thrift.CompactProtocol).NewReaderFromBytes(data[:min(len(data), maxHeader)])
	if err := thrift.NewDecoder(in).Decode(h); err != nil {
		return 0, fmt.Errorf("%w: a page's header: %w", errDamaged, err)
	}
	return in.BytesRead(), nil
}

// maxHeader bounds a page's header: some writers put whole values into its statistics.
const maxHeader = 1 << 20
