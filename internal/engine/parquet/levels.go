package parquet

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
)

// levels are the definition levels of a page of an optional column: a bit per row, set where it has a value.
type levels struct {
	words []uint64
	rows  int
	nulls int
}

func (l *levels) reset() { l.words, l.rows, l.nulls = l.words[:0], 0, 0 }

// add appends the rows of a vector from up to but without to.
func (l *levels) add(v *column.Vector, from, to int) {
	if v.Nulls == 0 {
		l.fill(to - from)
		return
	}
	for from < to {
		n := min(64-from&63, to-from)
		word := v.Valid[from>>6] >> (from & 63)
		if n < 64 {
			word &= 1<<n - 1
		}
		l.bits(word, n)
		l.nulls += n - bits.OnesCount64(word)
		from += n
	}
}

// fill appends rows that have values.
func (l *levels) fill(rows int) {
	for rows > 0 {
		n := min(64, rows)
		l.bits(^uint64(0)>>(64-n), n)
		rows -= n
	}
}

// bits appends the n lowest bits of a word, whose others are zero.
func (l *levels) bits(word uint64, n int) {
	at := l.rows & 63
	if at == 0 {
		l.words = append(l.words, word)
	} else {
		l.words[len(l.words)-1] |= word << at
		if at+n > 64 {
			l.words = append(l.words, word>>(64-at))
		}
	}
	l.rows += n
}

// encode appends the levels as data pages of version 1 hold them: their length, and runs or packed bits (Parquet format,
// "Run Length Encoding / Bit-Packing Hybrid").
func (l *levels) encode(out []byte) []byte {
	start := len(out)
	out = append(out, 0, 0, 0, 0)
	if l.nulls == 0 || l.nulls == l.rows {
		out = binary.AppendUvarint(out, uint64(l.rows)<<1)
		out = append(out, map[bool]byte{true: 1}[l.nulls == 0])
	} else {
		out = l.hybrid(out)
	}
	binary.LittleEndian.PutUint32(out[start:], uint32(len(out)-start-4))
	return out
}

// uniform is how a word looks whose rows are all alike, or neither.
func uniform(word uint64) bool { return word == 0 || word == ^uint64(0) }

func (l *levels) hybrid(out []byte) []byte {
	whole := l.rows >> 6
	for i := 0; i < whole; {
		end := i + 1
		if word := l.words[i]; uniform(word) {
			for end < whole && l.words[end] == word {
				end++
			}
			out = binary.AppendUvarint(out, uint64(end-i)<<7)
			out, i = append(out, byte(word&1)), end
			continue
		}
		for end < whole && !uniform(l.words[end]) {
			end++
		}
		out = binary.AppendUvarint(out, uint64(end-i)<<4|1)
		for ; i < end; i++ {
			out = binary.LittleEndian.AppendUint64(out, l.words[i])
		}
	}
	if left := l.rows & 63; left > 0 {
		groups := (left + 7) / 8
		out = binary.AppendUvarint(out, uint64(groups)<<1|1)
		word := l.words[whole]
		for range groups {
			out, word = append(out, byte(word)), word>>8
		}
	}
	return out
}

// null reports whether a row has no value.
func (l *levels) null(row int) bool { return l.nulls > 0 && l.words[row>>6]&(1<<(row&63)) == 0 }

// runEnd is where the run of rows ends that a row is of: all with values, or all without.
func (l *levels) runEnd(row int) int {
	if l.nulls == 0 {
		return l.rows
	}
	for none := l.null(row); row < l.rows; {
		word := l.words[row>>6] >> (row & 63)
		if !none {
			word = ^word
		}
		n := min(bits.TrailingZeros64(word), 64-row&63)
		if row += n; row&63 != 0 || n == 0 {
			break
		}
	}
	return min(row, l.rows)
}

// decode reads the levels of some rows, without their length.
func (l *levels) decode(data []byte, rows int) error {
	l.reset()
	for l.rows < rows {
		run, n := binary.Uvarint(data)
		if n <= 0 {
			return fmt.Errorf("%w: levels of %d rows end behind %d", errDamaged, rows, l.rows)
		}
		data = data[n:]
		if run&1 == 0 { // a run of one level
			if len(data) < 1 || run>>1 == 0 {
				return fmt.Errorf("%w: a run of levels without one", errDamaged)
			}
			count := int(min(run>>1, uint64(rows-l.rows)))
			if data[0] != 0 {
				l.fill(count)
			} else {
				l.empty(count)
			}
			data = data[1:]
			continue
		}
		if groups := run >> 1; groups == 0 || groups > uint64(len(data)) {
			return fmt.Errorf("%w: %d groups of levels in %d bytes", errDamaged, groups, len(data))
		}
		for range run >> 1 {
			if n := min(8, rows-l.rows); n > 0 {
				word := uint64(data[0]) & (1<<n - 1)
				l.bits(word, n)
				l.nulls += n - bits.OnesCount64(word)
			}
			data = data[1:]
		}
	}
	return nil
}

// empty appends rows that have no values.
func (l *levels) empty(rows int) {
	l.nulls += rows
	for rows > 0 {
		n := min(64, rows)
		l.bits(0, n)
		rows -= n
	}
}
