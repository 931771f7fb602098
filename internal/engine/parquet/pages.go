package parquet

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"

	parquetgo "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

// ChunkReader reads the pages of one column in one row group, in order. It is used by one goroutine.
type ChunkReader struct {
	leaf     format.SchemaElement
	as       schema.Type
	optional bool
	// where names the column, for errors.
	where string
	data  []byte
	left  int
	// size is about how many bytes the values of all pages are, unless they are numbers of a dictionary.
	size       int
	decompress func(dst, src []byte) ([]byte, error)

	page       []byte
	levels     levels
	dictionary plainValues
	values     plainValues
	numbers    []int32
	// picked are the rows that are wanted, nil for all.
	picked *picked
}

// Next appends the rows of the next page, and says how many they are; io.EOF behind the last page.
func (c *ChunkReader) Next(v *column.Vector) (int, error) {
	if c.left == 0 {
		return 0, io.EOF
	}
	rows, err := c.next(v)
	if err != nil {
		return 0, fmt.Errorf("reading %s: %w", c.where, err)
	}
	return rows, nil
}

// ReadAll appends the rows of all pages that are left. Room for them is made at once: what grew by and by would leave as much
// again to the collector, in pieces of which none is large enough for the next.
func (c *ChunkReader) ReadAll(v *column.Vector) error {
	v.Reserve(min(c.left, rowGroupRows)) // a footer may tell of any number
	if v.Kind == column.Bytes {
		v.Data = slices.Grow(v.Data, c.size)
	}
	for {
		if _, err := c.Next(v); err != nil {
			if err == io.EOF { //nolint:errorlint // as Next returns it
				return nil
			}
			return err
		}
	}
}

func (c *ChunkReader) next(v *column.Vector) (int, error) {
	for {
		var h format.PageHeader
		length, err := header(c.data, &h)
		if err != nil {
			return 0, err
		}
		c.data = c.data[length:]
		if h.CompressedPageSize < 0 || h.UncompressedPageSize < 0 || int(h.CompressedPageSize) > len(c.data) || h.UncompressedPageSize > maxPage {
			return 0, fmt.Errorf("%w: a page of %d bytes", errDamaged, h.CompressedPageSize)
		}
		body := c.data[:h.CompressedPageSize]
		c.data = c.data[h.CompressedPageSize:]
		switch {
		case h.Type == format.DictionaryPage && h.DictionaryPageHeader.Valid:
			if body, err = c.unpack(body, int(h.UncompressedPageSize)); err != nil {
				return 0, err
			}
			c.dictionary = plainValues{}
			if err := c.dictionary.decode(format.Plain, &c.leaf, int(h.DictionaryPageHeader.V.NumValues), append([]byte(nil), body...)); err != nil {
				return 0, err
			}
		case h.Type == format.DataPage && h.DataPageHeader.Valid:
			p := &h.DataPageHeader.V
			if c.passes(int(p.NumValues)) {
				return 0, nil
			}
			if body, err = c.unpack(body, int(h.UncompressedPageSize)); err != nil {
				return 0, err
			}
			if body, err = c.readLevels(body, int(p.NumValues), -1); err != nil {
				return 0, err
			}
			return c.append(v, p.Encoding, body)
		case h.Type == format.DataPageV2 && h.DataPageHeaderV2.Valid:
			p := &h.DataPageHeaderV2.V
			if c.passes(int(p.NumValues)) {
				return 0, nil
			}
			// Levels come first, and are never compressed.
			levels := int(p.DefinitionLevelsByteLength)
			if p.RepetitionLevelsByteLength != 0 || levels < 0 || levels > len(body) {
				return 0, fmt.Errorf("%w: levels of %d bytes", errDamaged, levels)
			}
			if _, err = c.readLevels(body[:levels], int(p.NumValues), levels); err != nil {
				return 0, err
			}
			if body = body[levels:]; len(body) > 0 && (!p.IsCompressed.Valid || p.IsCompressed.V) {
				if body, err = c.unpack(body, int(h.UncompressedPageSize)-levels); err != nil {
					return 0, err
				}
			}
			return c.append(v, p.Encoding, body)
		case h.Type == format.IndexPage: // holds no values
		default:
			return 0, fmt.Errorf("%w: a page of type %s", errDamaged, h.Type)
		}
	}
}

// passes reports whether a page of some rows has none that is wanted.
func (c *ChunkReader) passes(rows int) bool {
	if c.picked == nil || rows < 0 || rows > c.left || !c.picked.passes(rows) {
		return false
	}
	c.left -= rows
	return true
}

func (c *ChunkReader) unpack(body []byte, size int) ([]byte, error) {
	if c.decompress == nil {
		return body, nil
	}
	// No page is made room for that its compressed form makes unlikely.
	if size < 0 || size > 64<<20 && size/1000 > len(body) {
		return nil, fmt.Errorf("%w: a page of %d bytes in %d", errDamaged, size, len(body))
	}
	if cap(c.page) < size {
		c.page = make([]byte, 0, size)
	}
	out, err := c.decompress(c.page[:0], body)
	if err != nil {
		return nil, fmt.Errorf("%w: decompressing a page: %w", errDamaged, err)
	}
	if len(out) != size {
		return nil, fmt.Errorf("%w: a page of %d bytes that says %d", errDamaged, len(out), size)
	}
	c.page = out
	return out, nil
}

// readLevels reads which rows have values, and returns what follows. length is that of the levels where the page's header
// tells it, otherwise -1.
func (c *ChunkReader) readLevels(body []byte, rows, length int) ([]byte, error) {
	c.levels.reset()
	if rows < 0 || rows > c.left {
		return nil, fmt.Errorf("%w: a page of %d values where %d are left", errDamaged, rows, c.left)
	}
	c.left -= rows
	if !c.optional {
		c.levels.rows = rows
		return body, nil
	}
	if length < 0 {
		if len(body) < 4 {
			return nil, fmt.Errorf("%w: a page without levels", errDamaged)
		}
		told := binary.LittleEndian.Uint32(body)
		if body = body[4:]; uint64(told) > uint64(len(body)) {
			return nil, fmt.Errorf("%w: levels of %d bytes", errDamaged, told)
		}
		length = int(told)
	}
	return body[length:], c.levels.decode(body[:length], rows)
}

// append decodes a page's values and puts them into their rows.
func (c *ChunkReader) append(v *column.Vector, encoding format.Encoding, body []byte) (int, error) {
	count := c.levels.rows - c.levels.nulls
	if encoding != format.RLEDictionary && encoding != format.PlainDictionary { //nolint:staticcheck // older writers do
		if err := c.values.decode(encoding, &c.leaf, count, body); err != nil {
			return 0, err
		}
		return c.put(v, &c.values, nil)
	}
	if c.numbers = c.numbers[:0]; count > 0 {
		if len(body) < 1 {
			return 0, fmt.Errorf("%w: a page of numbers without their width", errDamaged)
		}
		var err error
		if c.numbers, err = decodeNumbers(c.numbers, body[1:], int(body[0]), count); err != nil {
			return 0, err
		}
		for _, n := range c.numbers {
			if uint32(n) >= uint32(c.dictionary.count) {
				return 0, fmt.Errorf("%w: value %d of a dictionary of %d", errDamaged, n, c.dictionary.count)
			}
		}
	}
	return c.put(v, &c.dictionary, c.numbers)
}

// put puts the rows of the page at hand, or those that are wanted, and says how many they are.
func (c *ChunkReader) put(v *column.Vector, values *plainValues, numbers []int32) (int, error) {
	l := &c.levels
	if c.picked != nil {
		l, numbers = c.picked.of(l, numbers)
	}
	return l.rows, values.put(v, c.as, &c.leaf, l, numbers)
}

// decompressor is nil for what is not compressed.
func decompressor(codec format.CompressionCodec) (func(dst, src []byte) ([]byte, error), error) {
	switch codec {
	case format.Uncompressed:
		return nil, nil
	case format.Zstd:
		return decompress, nil
	case format.Snappy:
		return unsnap, nil
	case format.Lz4Raw:
		return unpackLZ4, nil
	case format.Gzip, format.Brotli:
		return parquetgo.LookupCompressionCodec(codec).Decode, nil
	default:
		return nil, fmt.Errorf("it is compressed by %s, which is not read here", codec)
	}
}
