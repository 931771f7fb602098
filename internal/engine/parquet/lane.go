package parquet

import (
	"bytes"
	"fmt"

	"github.com/parquet-go/parquet-go/format"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
)

// Lane is memory in which columns of a row group are encoded before their turn, so that several are at once: each goroutine
// has a lane of its own, and no two encode the same column.
type Lane struct {
	blocks  blocks
	scratch scratch
}

// Encoded is a column of a row group that waits for its turn. It holds the column's pages, compressed.
type Encoded struct {
	place int
	data  bytes.Buffer
	chunk format.ColumnChunk
	index chunkIndex
}

// EncodeAhead encodes the column at a place, for Put. Other columns may be encoded and put at the same time, and the vector is
// free afterwards.
func (g *GroupWriter) EncodeAhead(l *Lane, place int, v *column.Vector) (*Encoded, error) {
	if place < 0 || place >= len(g.w.chunks) {
		return nil, fmt.Errorf("writing a row group: it has no column %d", place)
	}
	c := &g.w.chunks[place]
	shared, scratch := c.spool.shared, c.scratch
	c.spool.shared, c.scratch = &l.blocks, &l.scratch
	defer func() { c.spool.shared, c.scratch = shared, scratch }()
	e := &Encoded{place: place}
	var err error
	e.chunk, e.index, err = g.encode(c, one(v), &counter{Writer: &e.data, n: int64(len(magic))})
	return e, err
}

// Put writes the next column, which was encoded ahead.
func (g *GroupWriter) Put(e *Encoded) error {
	c, err := g.next()
	if err != nil {
		return err
	}
	if e.place != len(g.indexes) {
		return fmt.Errorf("writing a row group: column %d was encoded, and %q is next", e.place, c.column.Name)
	}
	moved := g.w.out.n - int64(len(magic)) // it was encoded as a file's first
	if _, err := g.w.out.Write(e.data.Bytes()); err != nil {
		return fmt.Errorf("writing column %q: %w", c.column.Name, err)
	}
	m := &e.chunk.MetaData
	m.DataPageOffset += moved
	if m.DictionaryPageOffset > 0 {
		m.DictionaryPageOffset += moved
	}
	e.chunk.FileOffset += moved
	for i := range e.index.offset.PageLocations {
		e.index.offset.PageLocations[i].Offset += moved
	}
	g.done(e.chunk, e.index)
	return nil
}
