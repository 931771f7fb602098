package parquet

import (
	"bytes"
	"fmt"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// end finishes the column's row group: the page at hand, the dictionary, the metadata. It writes both to the file, whose
// length so far is at, and leaves the chunk empty for the next row group.
func (c *chunk) end(w *counter) (format.ColumnChunk, chunkIndex, error) {
	fail := func(err error) (format.ColumnChunk, chunkIndex, error) {
		return format.ColumnChunk{}, chunkIndex{}, fmt.Errorf("writing column %q of a Parquet file: %w", c.column.Name, err)
	}
	if err := c.endPage(); err != nil {
		return fail(err)
	}
	start, dictionary := w.n, int64(0)
	m := format.ColumnMetaData{Type: c.physical, PathInSchema: []string{c.column.Name}, Codec: format.Zstd, NumValues: c.groupRows}
	if c.codedPages > 0 {
		pages := c.spool
		c.spool = spool{shared: pages.shared}
		if err := c.endDictionary(); err != nil {
			return fail(err)
		}
		m.DictionaryPageOffset = start
		if err := c.spool.drain(w); err != nil {
			return fail(err)
		}
		c.spool, dictionary = pages, w.n-start
		m.Encoding = append(m.Encoding, format.RLEDictionary)
		m.EncodingStats = append(m.EncodingStats, format.PageEncodingStats{PageType: format.DictionaryPage, Encoding: format.Plain, Count: 1},
			format.PageEncodingStats{PageType: format.DataPage, Encoding: format.RLEDictionary, Count: c.codedPages})
	}
	m.Encoding = append(m.Encoding, c.uncoded())
	if c.optional {
		m.Encoding = append(m.Encoding, format.RLE)
	}
	if c.plainPages > 0 {
		m.EncodingStats = append(m.EncodingStats, format.PageEncodingStats{PageType: format.DataPage, Encoding: c.uncoded(), Count: c.plainPages})
	}
	m.DataPageOffset = w.n
	if err := c.spool.drain(w); err != nil {
		return fail(err)
	}
	if c.column.Carried {
		m.KeyValueMetadata = append(m.KeyValueMetadata, format.KeyValue{Key: carriedNote})
	}
	m.TotalUncompressedSize, m.TotalCompressedSize = c.uncompressed, w.n-start
	m.Statistics.NullCount = c.group.nulls
	if c.indexed && c.group.nans == 0 {
		if low, high := c.group.plain(); low != nil && high != nil {
			m.Statistics.MinValue, m.Statistics.MaxValue = low, high
		}
	}
	index := c.index(start + dictionary)
	c.file.merge(&c.group)
	c.group.reset()
	c.pages, c.uncompressed, c.groupRows, c.plainPages, c.codedPages = c.pages[:0], 0, 0, 0, 0
	c.records = undecided
	if c.coding { // what overflowed once is not tried again
		c.dictionary.reset()
	}
	return format.ColumnChunk{FileOffset: start, MetaData: m}, index, nil
}

// carriedNote marks a column of a row group that was written as one that is carried. Its value is the number of the row group that it
// refers to, and, behind a blank, the key of that one's file; "" where it has all values.
const carriedNote = "carried"

// uncoded is how pages are encoded that hold no numbers of a dictionary.
func (c *chunk) uncoded() format.Encoding {
	if c.column.Carried && c.physical == format.ByteArray {
		return format.DeltaByteArray
	}
	return format.Plain
}

// endDictionary puts the dictionary's page into the spool.
func (c *chunk) endDictionary() error {
	c.scratch.page = c.dictionary.plain(c.scratch.page[:0], c.width)
	return c.put(&format.PageHeader{Type: format.DictionaryPage, DictionaryPageHeader: thrift.New(format.DictionaryPageHeader{
		NumValues: int32(c.dictionary.values()), Encoding: format.Plain,
	})}, c.scratch.page, 0, 0)
}

// chunkIndex is what a file tells of a column's pages in a row group.
type chunkIndex struct {
	// column is nil where the pages' bounds are not told.
	column *format.ColumnIndex
	offset format.OffsetIndex
}

// packedIndex is a chunkIndex as the file holds it; nil is what it does not tell.
type packedIndex struct{ column, offset []byte }

func (p *packedIndex) pack(index *chunkIndex, protocol *thrift.CompactProtocol) error {
	if index.column != nil {
		data, err := thrift.Marshal(protocol, index.column)
		if err != nil {
			return err //nolint:wrapcheck // by the caller
		}
		p.column = bytes.Clone(data) // no longer than it is
	}
	if len(index.offset.PageLocations) == 0 {
		return nil
	}
	data, err := thrift.Marshal(protocol, &index.offset)
	p.offset = bytes.Clone(data)
	return err //nolint:wrapcheck // by the caller
}

// index describes the row group's pages, of which the first lies at at.
func (c *chunk) index(at int64) chunkIndex {
	var out chunkIndex
	bounded := &format.ColumnIndex{}
	// What is not a number may not be in bounds, and readers that hold it for larger than all numbers would pass over it.
	if !c.indexed || c.group.nans > 0 {
		bounded = nil
	}
	ascending, descending := true, true
	var row int64
	var before *bounds
	for i := range c.pages {
		p := &c.pages[i]
		out.offset.PageLocations = append(out.offset.PageLocations, format.PageLocation{Offset: at + p.offset, CompressedPageSize: p.size, FirstRowIndex: row})
		row += p.rows
		if bounded == nil {
			continue
		}
		empty := p.nulls == p.rows
		low, high := p.bounds.plain()
		if !empty && (low == nil || high == nil) {
			bounded = nil // values without bounds, such as texts that none is above, cannot be told of (Parquet format, ColumnIndex)
			continue
		}
		bounded.NullPages = append(bounded.NullPages, empty)
		bounded.NullCounts = append(bounded.NullCounts, p.nulls)
		bounded.MinValues, bounded.MaxValues = append(bounded.MinValues, low), append(bounded.MaxValues, high)
		if empty {
			continue
		}
		if before != nil {
			low, high := p.bounds.compare(before)
			ascending, descending = ascending && low >= 0 && high >= 0, descending && low <= 0 && high <= 0
		}
		before = &p.bounds
	}
	if bounded != nil {
		switch {
		case ascending:
			bounded.BoundaryOrder = format.Ascending
		case descending:
			bounded.BoundaryOrder = format.Descending
		}
		out.column = bounded
	}
	return out
}
