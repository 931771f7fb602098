package parquet

import (
	"errors"
	"fmt"
	"io"
	"math/bits"
	"slices"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
)

// Pick appends some of the column's rows, whose numbers ascend. Pages without one of them are neither decompressed nor
// decoded. It is used instead of Next, from the column's first page on.
func (c *ChunkReader) Pick(v *column.Vector, rows []int32) error {
	c.picked = &picked{rows: rows}
	defer func() { c.picked = nil }()
	for len(c.picked.rows) > 0 {
		if _, err := c.Next(v); errors.Is(err, io.EOF) {
			return fmt.Errorf("reading %s: %w: row %d is behind its last", c.where, errDamaged, c.picked.rows[0])
		} else if err != nil {
			return err
		}
	}
	return nil
}

// picked are the rows that are wanted of a column.
type picked struct {
	rows []int32
	// before is how many rows lie in pages that are done.
	before int32
	levels levels
	// numbers are the places of values, by row that has one.
	numbers []int32
}

// passes reports whether a page of some rows has none that is wanted; it is done then.
func (p *picked) passes(rows int) bool {
	if len(p.rows) > 0 && p.rows[0] < p.before+int32(rows) {
		return false
	}
	p.before += int32(rows)
	return true
}

// of are the levels and the values' places of those rows of a page that are wanted; numbers are those of all its values in a
// dictionary, nil for values that stand in the page.
func (p *picked) of(l *levels, numbers []int32) (*levels, []int32) {
	end := p.before + int32(l.rows)
	n, _ := slices.BinarySearch(p.rows, end)
	p.levels.reset()
	p.numbers = p.numbers[:0]
	value, from := 0, 0 // value counts those of the rows up to from
	for _, row := range p.rows[:n] {
		at := int(row - p.before)
		value += l.values(from, at)
		if from = at; l.null(at) {
			p.levels.empty(1)
			continue
		}
		p.levels.fill(1)
		place := int32(value)
		if numbers != nil {
			place = numbers[value]
		}
		p.numbers = append(p.numbers, place)
	}
	p.rows, p.before = p.rows[n:], end
	return &p.levels, p.numbers
}

// values counts the rows from from up to but without to that have values.
func (l *levels) values(from, to int) int {
	if l.nulls == 0 {
		return to - from
	}
	n := 0
	for from < to {
		some := min(64-from&63, to-from)
		word := l.words[from>>6] >> (from & 63)
		if some < 64 {
			word &= 1<<some - 1
		}
		n += bits.OnesCount64(word)
		from += some
	}
	return n
}
