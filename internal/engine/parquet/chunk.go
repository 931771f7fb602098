package parquet

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"slices"

	"github.com/parquet-go/parquet-go/encoding/rle"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

const (
	// pageBytes and pageRows end a page.
	pageBytes = 256 << 10
	pageRows  = 1 << 15
	// stride is how many rows a column takes up between two looks at the size of its page.
	stride = 1024
)

// chunk encodes one column: it fills a page, which goes to the spool when it is full, and knows what the footer says of
// the row group's pages.
type chunk struct {
	column   schema.Column
	physical format.Type
	// optional says that pages tell which rows have values; a column of some layouts is although none may be missing.
	optional bool
	// width is a value's length in bytes; 0 for values that carry their own, and for booleans.
	width int
	// pageBytes ends a page: less than the constant where there are many columns.
	pageBytes int
	// indexed says that the footer tells the bounds of pages and row groups.
	indexed bool

	// coding says whether the page at hand holds numbers of the dictionary; chosen, whether values have told.
	coding, chosen bool
	// eighths is the share of a page's limits that ends the one at hand: the first pages of neighbours end apart, and so
	// do all others, for a writer to be busy evenly.
	eighths int
	// uncounted says that some of the file's values were not looked at, unbounded that only NULLs are counted.
	uncounted, unbounded bool

	*columnMemory
	// left are the bits of booleans that fill no byte yet.
	left uint
	rows int
	// length is that of all values of the page, of a column of plain bytes; 0 where they differ.
	length  int
	records choice

	page, group, file bounds
	pages             []pageEntry
	spool             spool
	// uncompressed counts the row group's bytes before compression, headers included.
	uncompressed int64
	groupRows    int64
	plainPages   int32
	codedPages   int32
	scratch      *scratch
}

// pageEntry is what the indexes tell of a page.
type pageEntry struct {
	offset, rows, nulls int64
	size                int32
	bounds              bounds
}

// newChunk makes the chunk of a column; index is its place in the file.
func newChunk(c schema.Column, e *format.SchemaElement, index int, indexed bool, pageBytes int, first *column.Vector, m *memory) chunk {
	out := chunk{eighths: 1 + index%8, column: c, physical: e.Type.V, optional: e.RepetitionType.V == format.Optional, indexed: indexed, pageBytes: pageBytes, columnMemory: m.columns[index], spool: spool{shared: &m.blocks}, scratch: &m.scratch}
	switch out.physical {
	case format.Int32, format.Float:
		out.width = 4
	case format.Int64, format.Double:
		out.width = 8
	case format.FixedLenByteArray:
		out.width = int(e.TypeLength.V)
	}
	for _, b := range []*bounds{&out.page, &out.group, &out.file} {
		b.typ = c.Type
		if out.physical != format.FixedLenByteArray {
			b.width = out.width
		}
	}
	out.plain, out.ends, out.numbers = out.plain[:0], out.ends[:0], out.numbers[:0]
	if c.Carried {
		out.unbound()
	}
	out.levels.reset()
	out.choose(first)
	out.chosen = first != nil
	return out
}

// unbound has nothing told of the values but how many there are.
func (c *chunk) unbound() { c.unbounded, c.indexed, c.file.unknown = true, false, true }

// choose chooses how values are encoded by the first of them; nil shows nothing. The chunk is empty.
func (c *chunk) choose(first *column.Vector) {
	c.chosen = true
	if c.coding = repays(c.column.Type, first); c.coding {
		c.numbers = slices.Grow(c.numbers, min(pageRows, c.pageBytes/4)+stride) // either ends the page
		c.dictionary.reset()
	}
}

// add takes up the rows of a vector.
func (c *chunk) add(v *column.Vector) error {
	for from := 0; from < v.Len(); {
		to := min(from+stride, v.Len())
		if v.Kind == column.Bytes {
			to = c.reach(v, from, to)
		}
		if c.optional {
			c.levels.add(v, from, to)
		}
		if c.unbounded {
			c.page.nulls += int64(v.NullsIn(from, to))
		} else {
			c.page.add(v, from, to)
		}
		if v.Nulls == 0 {
			c.values(v, from, to)
		} else {
			for start, end := range v.Runs(from, to) {
				c.values(v, start, end)
			}
		}
		c.rows += to - from
		from = to
		if 8*(len(c.plain)+4*len(c.numbers)) >= c.eighths*c.pageBytes || 8*c.rows >= c.eighths*pageRows || c.coding && c.dictionary.full() {
			if err := c.endPage(); err != nil {
				return err
			}
		}
	}
	return nil
}

// reach is how far from from on values of their own length fit a page, or a dictionary; at least one does.
func (c *chunk) reach(v *column.Vector, from, to int) int {
	room := max(c.pageBytes-len(c.plain), 0)
	if c.coding {
		room = max(dictionaryBytes-len(c.dictionary.data), 0)
	}
	for to > from+1 && int(v.Offsets[to]-v.Offsets[from]) > room {
		to = from + (to-from)/2
	}
	return to
}

// values encodes rows that all have values.
func (c *chunk) values(v *column.Vector, from, to int) {
	if c.coding {
		c.numbers = c.dictionary.lookUp(c.numbers, v, from, to, c.width, c.physical == format.FixedLenByteArray)
		return
	}
	switch v.Kind {
	case column.Bool:
		c.booleans(v.Bools[from:to])
	case column.Int32:
		out := c.room(4 * (to - from))
		for i, value := range v.Int32s[from:to] {
			binary.LittleEndian.PutUint32(out[4*i:], uint32(value))
		}
	case column.Int64:
		if c.physical == format.FixedLenByteArray {
			for _, value := range v.Int64s[from:to] {
				c.plain = appendFixed(c.plain, value, c.width)
			}
			return
		}
		out := c.room(c.width * (to - from))
		if c.width == 4 {
			for i, value := range v.Int64s[from:to] {
				binary.LittleEndian.PutUint32(out[4*i:], uint32(value))
			}
			return
		}
		for i, value := range v.Int64s[from:to] {
			binary.LittleEndian.PutUint64(out[8*i:], uint64(value))
		}
	case column.Float32:
		out := c.room(4 * (to - from))
		for i, value := range v.Float32s[from:to] {
			binary.LittleEndian.PutUint32(out[4*i:], math.Float32bits(value))
		}
	case column.Float64:
		out := c.room(8 * (to - from))
		for i, value := range v.Float64s[from:to] {
			binary.LittleEndian.PutUint64(out[8*i:], math.Float64bits(value))
		}
	case column.Int128:
		for _, value := range v.Wides[from:to] {
			fixed := wideBytes(value)
			c.plain = append(c.plain, fixed[16-c.width:]...)
		}
	default:
		if c.uncoded() == format.DeltaByteArray {
			c.follow(v, from, to)
			return
		}
		if len(c.plain) == 0 {
			c.length = int(v.Offsets[from+1] - v.Offsets[from])
		}
		out := c.room(4*(to-from) + int(v.Offsets[to]-v.Offsets[from]))
		for i := from; i < to; i++ {
			text := v.Data[v.Offsets[i]:v.Offsets[i+1]]
			if len(text) != c.length {
				c.length = 0
			}
			binary.LittleEndian.PutUint32(out, uint32(len(text)))
			out = out[4+copy(out[4:], text):]
		}
	}
}

// follow takes up texts that are written by what sets each apart from the one before.
func (c *chunk) follow(v *column.Vector, from, to int) {
	if len(c.ends) == 0 {
		c.ends = append(c.ends, 0)
	}
	moved := uint32(len(c.plain)) - v.Offsets[from]
	c.plain = append(c.plain, v.Data[v.Offsets[from]:v.Offsets[to]]...)
	for _, end := range v.Offsets[from+1 : to+1] {
		c.ends = append(c.ends, end+moved)
	}
}

// constant takes up rows of one text, but for some, in their order, that have none.
func (c *chunk) constant(rows int, text []byte, nulls []int32) error {
	c.chosen, c.coding = true, true
	c.dictionary.reset()
	c.dictionary.text(text)
	for first := 0; first < rows; first += pageRows {
		end := min(first+pageRows, rows)
		without, _ := slices.BinarySearch(nulls, int32(end))
		c.numbers = slices.Grow(c.numbers[:0], end-first-without)[:end-first-without]
		clear(c.numbers)
		if c.optional {
			at := first
			for _, null := range nulls[:without] {
				c.levels.fill(int(null) - at)
				c.levels.empty(1)
				at = int(null) + 1
			}
			c.levels.fill(end - at)
		}
		if !c.unbounded && without < end-first {
			c.page.text(text)
		}
		c.page.nulls += int64(without)
		c.rows, nulls = end-first, nulls[without:]
		if err := c.endPage(); err != nil {
			return err
		}
	}
	return nil
}

// appendFixed appends a number in big-endian two's complement of width bytes, 8 at most.
func appendFixed(out []byte, value int64, width int) []byte {
	for shift := 8 * (width - 1); shift >= 0; shift -= 8 {
		out = append(out, byte(value>>shift))
	}
	return out
}

// room makes the plain values longer, and is what is new of them.
func (c *chunk) room(n int) []byte {
	start := len(c.plain)
	if cap(c.plain) < start+n {
		grown := make([]byte, start, max(start+n, min(2*cap(c.plain), c.pageBytes+c.pageBytes/4), 1<<10))
		copy(grown, c.plain)
		c.plain = grown
	}
	c.plain = c.plain[:start+n]
	return c.plain[start:]
}

// booleans packs values into bits, the first lowest (Parquet format, "Encodings", PLAIN).
func (c *chunk) booleans(values []bool) {
	for _, value := range values {
		if c.left == 0 {
			c.plain = append(c.plain, 0)
		}
		if value {
			c.plain[len(c.plain)-1] |= 1 << c.left
		}
		c.left = (c.left + 1) & 7
	}
}

// endPage finishes the page at hand, if it has rows.
func (c *chunk) endPage() error {
	if c.rows == 0 {
		return nil
	}
	body := c.scratch.page[:0]
	if c.optional {
		body = c.levels.encode(body)
	}
	encoding := c.uncoded()
	switch {
	case c.coding:
		encoding = format.RLEDictionary
		// One bit at least: what follows a width of none is read in two ways.
		width := max(bits.Len(uint(max(c.dictionary.values(), 1)-1)), 1)
		packed, err := (&rle.Encoding{BitWidth: width}).EncodeInt32(c.scratch.packed, c.numbers)
		if err != nil {
			return fmt.Errorf("packing a page: %w", err)
		}
		c.scratch.packed = packed
		body = append(append(body, byte(width)), packed...)
		c.codedPages++
	case encoding == format.DeltaByteArray:
		if len(c.ends) > 1 {
			packed, err := encodings[encoding].EncodeByteArray(c.scratch.packed[:0], c.plain, c.ends)
			if err != nil {
				return fmt.Errorf("packing a page: %w", err)
			}
			c.scratch.packed = packed
			body = append(body, packed...)
		}
		c.plainPages++
	default:
		body = append(body, c.plain...)
		c.plainPages++
	}
	c.scratch.page = body
	header := format.PageHeader{Type: format.DataPage, DataPageHeader: thrift.New(format.DataPageHeader{
		NumValues: int32(c.rows), Encoding: encoding, DefinitionLevelEncoding: format.RLE, RepetitionLevelEncoding: format.RLE,
	})}
	entry := pageEntry{offset: c.spool.size, rows: int64(c.rows), nulls: c.page.nulls}
	length := 0
	if encoding == format.Plain && c.column.Type.Kind() == column.Bytes {
		length = c.length
	}
	if err := c.put(&header, body, len(body)-len(c.plain), length); err != nil {
		return err
	}
	entry.size = int32(c.spool.size - entry.offset)
	c.group.merge(&c.page)
	if c.indexed {
		entry.bounds, c.page = c.page, bounds{typ: c.page.typ, width: c.page.width}
	} else {
		c.page.reset()
	}
	c.pages = append(c.pages, entry)
	c.groupRows += int64(c.rows)
	c.eighths = 8
	c.rows, c.plain, c.ends, c.numbers, c.left = 0, c.plain[:0], c.ends[:0], c.numbers[:0], 0
	c.levels.reset()
	if c.coding && c.dictionary.full() {
		c.coding = false
	}
	return nil
}

// choice is whether a column's pages are compressed as records.
type choice uint8

const (
	undecided choice = iota
	refused
	taken
)

// compress compresses a page, as records or not: what made less of the first page of the column's row group.
func (c *chunk) compress(body []byte, head, length int) ([]byte, error) {
	if length > 0 && c.records != refused {
		out, ok := c.scratch.records.compress(c.scratch.recorded, body, head, length)
		c.scratch.recorded = out
		switch {
		case !ok:
			c.records = refused
		case c.records == taken:
			return out, nil
		}
	}
	out, err := c.scratch.compress(body)
	if err != nil {
		return nil, err
	}
	if length > 0 && c.records == undecided {
		if c.records = refused; len(c.scratch.recorded) < len(out) {
			c.records = taken
			return c.scratch.recorded, nil
		}
	}
	return out, nil
}

// put compresses a page and adds it to the spool behind its header. Behind head bytes there are values of length bytes
// each, or others for 0.
func (c *chunk) put(header *format.PageHeader, body []byte, head, length int) error {
	compressed, err := c.compress(body, head, length)
	if err != nil {
		return err
	}
	header.UncompressedPageSize, header.CompressedPageSize = int32(len(body)), int32(len(compressed))
	encoded, err := thrift.Marshal(&c.scratch.protocol, header)
	if err != nil {
		return fmt.Errorf("writing a page's header: %w", err)
	}
	c.spool.add(encoded)
	c.spool.add(compressed)
	c.uncompressed += int64(len(encoded) + len(body))
	return nil
}

// size is about how many bytes the column takes up in the row group so far.
func (c *chunk) size() int64 { return c.spool.size }
