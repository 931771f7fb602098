package parquet

import (
	"context"
	"encoding/binary"
	"fmt"
	"iter"
	"math"
	"slices"
	"strconv"

	"github.com/parquet-go/parquet-go/format"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

// GroupWriter writes one row group column by column, each in its turn: encoded from a vector, or copied from another file
// as it is. No more than one column is held.
type GroupWriter struct {
	w       *Writer
	rows    int
	group   format.RowGroup
	indexes []chunkIndex
}

// Group ends the row group at hand and begins one of some rows; there must be at least one.
func (w *Writer) Group(rows int) (*GroupWriter, error) {
	if w.groupRows > 0 {
		if err := w.flush(); err != nil {
			return nil, err
		}
	}
	return &GroupWriter{w: w, rows: rows, group: format.RowGroup{FileOffset: w.out.n, NumRows: int64(rows), Ordinal: int16(len(w.metadata.RowGroups))}}, nil
}

func (g *GroupWriter) next() (*chunk, error) {
	if i := len(g.indexes); i < len(g.w.chunks) {
		return &g.w.chunks[i], nil
	}
	return nil, fmt.Errorf("writing a row group: it has more than the %d columns of the table", len(g.w.chunks))
}

func (g *GroupWriter) done(c format.ColumnChunk, index chunkIndex) {
	g.group.Columns, g.indexes = append(g.group.Columns, c), append(g.indexes, index)
	g.group.TotalByteSize += c.MetaData.TotalUncompressedSize
	g.group.TotalCompressedSize += c.MetaData.TotalCompressedSize
}

// Encode writes the next column.
func (g *GroupWriter) Encode(v *column.Vector) error {
	return g.EncodeParts(one(v))
}

func one(v *column.Vector) iter.Seq2[*column.Vector, error] {
	return func(yield func(*column.Vector, error) bool) { yield(v, nil) }
}

// EncodeParts writes the next column from vectors that follow one another; each may be used again when the next is asked for.
func (g *GroupWriter) EncodeParts(parts iter.Seq2[*column.Vector, error]) error {
	c, err := g.next()
	if err != nil {
		return err
	}
	chunk, index, err := g.encode(c, parts, g.w.out)
	if err != nil {
		return err
	}
	g.done(chunk, index)
	return nil
}

// EncodeConstant writes the next column, whose rows all have one text, which is short enough for a dictionary.
func (g *GroupWriter) EncodeConstant(text string) error {
	c, err := g.next()
	if err != nil {
		return err
	}
	if c.physical != format.ByteArray || len(text) > dictionaryBytes/2 {
		return fmt.Errorf("writing column %q of a row group: it holds no texts, or none of %d bytes in each row", c.column.Name, len(text))
	}
	if err := c.constant(g.rows, []byte(text), nil); err != nil {
		return fmt.Errorf("writing column %q of a row group: %w", c.column.Name, err)
	}
	chunk, index, err := c.end(g.w.out)
	if err != nil {
		return err
	}
	g.done(chunk, index)
	return nil
}

// Refer writes the next column, one that is carried, of which it says no more than which rows have no value, in their order:
// those of all others are what the same rows have in a row group of another file, which has a key.
func (g *GroupWriter) Refer(key string, group int, nulls []int32) error {
	c, err := g.next()
	if err != nil {
		return err
	}
	if !c.column.Carried || !c.optional || c.physical != format.ByteArray {
		return fmt.Errorf("writing column %q of a row group: it is not carried, and cannot refer to another file", c.column.Name)
	}
	chosen, coding := c.chosen, c.coding
	if err := c.constant(g.rows, nil, nulls); err != nil {
		return fmt.Errorf("writing column %q of a row group: %w", c.column.Name, err)
	}
	chunk, index, err := c.end(g.w.out)
	if err != nil {
		return err
	}
	c.chosen, c.coding = chosen, coding
	at := slices.IndexFunc(chunk.MetaData.KeyValueMetadata, func(kv format.KeyValue) bool { return kv.Key == carriedNote })
	chunk.MetaData.KeyValueMetadata[at].Value = strconv.Itoa(group) + " " + key
	g.done(chunk, index)
	return nil
}

// encode encodes a column and writes it.
func (g *GroupWriter) encode(c *chunk, parts iter.Seq2[*column.Vector, error], out *counter) (format.ColumnChunk, chunkIndex, error) {
	if err := g.fill(c, parts); err != nil {
		return format.ColumnChunk{}, chunkIndex{}, fmt.Errorf("writing column %q of a row group: %w", c.column.Name, err)
	}
	return c.end(out)
}

// fill takes up the rows of a column.
func (g *GroupWriter) fill(c *chunk, parts iter.Seq2[*column.Vector, error]) error {
	rows := 0
	for v, err := range parts {
		if err != nil {
			return err
		}
		if rows += v.Len(); rows > g.rows || v.Kind != c.column.Type.Kind() || c.column.Required && v.Nulls > 0 {
			return fmt.Errorf("it has %d rows of kind %s and %d NULLs, not %d of %s", rows, v.Kind, v.Nulls, g.rows, c.column.Type.Kind())
		}
		if !c.chosen {
			c.choose(v)
		}
		if err := c.add(v); err != nil {
			return err
		}
	}
	if rows != g.rows {
		return fmt.Errorf("it has %d rows, not %d", rows, g.rows)
	}
	return nil
}

// Copyable reports whether a column of a file may be copied as the table's column i, from each of its row groups: their
// values are stored alike and mean the same, and what the copy would tell of them is known.
func (w *Writer) Copyable(i int, r *Reader, place int) bool {
	from, to := &r.leaves[place], &w.metadata.Schema[i+1]
	// The length of a type is that of byte arrays of one length; some writers tell one of numbers too.
	alike := from.Type == to.Type && (from.TypeLength == to.TypeLength || to.Type.V != format.FixedLenByteArray)
	return alike && from.RepetitionType == to.RepetitionType && from.Scale == to.Scale &&
		scaleOf(w.table.Columns[i].Type, from) == nil && r.tells(place)
}

// Copy writes the next column as it stands in a row group of a file, which may have been fetched. The file's values lie between
// low and high, in Iceberg's single-value serialization, nil where that is not known: they are the copy's bounds where the
// footer does not tell those of the row group, as of texts that are no keys.
func (g *GroupWriter) Copy(ctx context.Context, r *Reader, group, place int, fetched *Fetched, low, high []byte) error {
	c, err := g.next()
	if err != nil {
		return err
	}
	from := &r.metadata.RowGroups[group].Columns[place]
	start, length := extent(&from.MetaData)
	if int(from.MetaData.NumValues) != g.rows {
		return fmt.Errorf("copying column %q: it has %d rows, not %d", c.column.Name, from.MetaData.NumValues, g.rows)
	}
	data, err := r.part(ctx, fetched, start, length)
	if err != nil {
		return err
	}
	moved := g.w.out.n - start
	m := from.MetaData
	m.PathInSchema = []string{c.column.Name}
	m.DataPageOffset += moved
	if m.DictionaryPageOffset > 0 {
		m.DictionaryPageOffset += moved
	}
	m.IndexPageOffset, m.BloomFilterOffset, m.BloomFilterLength = 0, 0, 0
	if _, err := g.w.out.Write(data); err != nil {
		return fmt.Errorf("copying column %q: %w", c.column.Name, err)
	}
	index, err := r.index(ctx, group, place, moved)
	if err != nil {
		return err
	}
	g.done(format.ColumnChunk{FileOffset: m.DataPageOffset, MetaData: m}, index)
	c.copied(&m, r.counts == nil, low, high)
	return nil
}

// End finishes the row group.
func (g *GroupWriter) End() error {
	if len(g.indexes) != len(g.w.chunks) {
		return fmt.Errorf("writing a row group: it has %d of %d columns", len(g.indexes), len(g.w.chunks))
	}
	g.w.rows += int64(g.rows)
	return g.w.endGroup(g.group, g.indexes)
}

// copied takes up what is known of a copied chunk's values into the file's bounds; ours says that this writer made it.
func (c *chunk) copied(m *format.ColumnMetaData, ours bool, low, high []byte) {
	known := bounds{typ: c.column.Type, width: c.file.width, nulls: m.Statistics.NullCount}
	exact := (ours || c.column.Type.Kind() != column.Bytes) && known.told(m.Statistics.MinValue, m.Statistics.MaxValue)
	if m.Statistics.NullCount < m.NumValues && !exact && !known.parse(low, high) {
		c.file.unknown = true
	}
	if kind := c.column.Type.Kind(); kind == column.Float32 || kind == column.Float64 {
		c.uncounted = true
	}
	c.file.merge(&known)
}

// told reads bounds from statistics of Parquet, as plain writes them; false says that there are none, and changes nothing.
// Other writers may tell less of texts than they seem to.
func (b *bounds) told(low, high []byte) bool {
	if low == nil || high == nil {
		return false
	}
	switch decimal := b.typ.ID == schema.Decimal; {
	case decimal && b.width == 4 && len(low) == 4 && len(high) == 4:
		b.integer(int64(int32(binary.LittleEndian.Uint32(low))))
		b.integer(int64(int32(binary.LittleEndian.Uint32(high))))
		return true
	case decimal && b.width == 8 && len(low) == 8 && len(high) == 8:
		b.integer(int64(binary.LittleEndian.Uint64(low)))
		b.integer(int64(binary.LittleEndian.Uint64(high)))
		return true
	case decimal && b.width > 0:
		return false
	default:
		return b.parse(low, high)
	}
}

// parse reads bounds from Iceberg's single-value serialization; false says that there are none.
func (b *bounds) parse(low, high []byte) bool {
	if low == nil || high == nil {
		return false
	}
	for _, value := range [][]byte{low, high} {
		switch kind := b.typ.Kind(); {
		case kind == column.Bool && len(value) == 1:
			b.integer(int64(value[0]))
		case kind == column.Int32 && len(value) == 4:
			b.integer(int64(int32(binary.LittleEndian.Uint32(value))))
		case b.typ.ID == schema.Decimal:
			w, ok := wideFrom(value)
			if !ok || len(value) == 0 || kind == column.Int64 && w != column.WideOf(int64(w.Lo)) {
				return false
			}
			if kind == column.Int64 {
				b.integer(int64(w.Lo))
			} else {
				b.wide(w)
			}
		case kind == column.Int64 && len(value) == 8:
			b.integer(int64(binary.LittleEndian.Uint64(value)))
		case kind == column.Int64 && len(value) == 4: // the column was widened since
			b.integer(int64(int32(binary.LittleEndian.Uint32(value))))
		case kind == column.Float32 && len(value) == 4, kind == column.Float64 && len(value) == 4:
			b.float(float64(math.Float32frombits(binary.LittleEndian.Uint32(value))))
		case kind == column.Float64 && len(value) == 8:
			b.float(math.Float64frombits(binary.LittleEndian.Uint64(value)))
		case kind == column.Bytes:
			b.text(value)
		default:
			return false
		}
	}
	return b.some
}

// index reads what a file tells of a column's pages, moved by some bytes.
func (r *Reader) index(ctx context.Context, group, place int, moved int64) (chunkIndex, error) {
	var out chunkIndex
	c := &r.metadata.RowGroups[group].Columns[place]
	if c.OffsetIndexLength <= 0 || c.OffsetIndexLength > maxFooter {
		return out, nil
	}
	region, err := r.indexRegion(ctx)
	if err != nil {
		return out, err
	}
	wrap := func(err error) error {
		return fmt.Errorf("reading the index of column %q of %s: %w", r.leaves[place].Name, r.store.Address(r.key), err)
	}
	data, err := r.part(ctx, region, c.OffsetIndexOffset, int64(c.OffsetIndexLength))
	if err == nil {
		err = unmarshal(data, &out.offset)
	}
	if err != nil {
		return out, wrap(err)
	}
	for i := range out.offset.PageLocations {
		out.offset.PageLocations[i].Offset += moved
	}
	if c.ColumnIndexLength <= 0 || c.ColumnIndexLength > maxFooter {
		return out, nil
	}
	if data, err = r.part(ctx, region, c.ColumnIndexOffset, int64(c.ColumnIndexLength)); err != nil {
		return out, wrap(err)
	}
	out.column = &format.ColumnIndex{}
	if err := unmarshal(data, out.column); err != nil {
		return out, wrap(err)
	}
	return out, nil
}
