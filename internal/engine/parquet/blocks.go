package parquet

import (
	"fmt"
	"io"
)

// blockBytes is the size of the pieces of memory in which finished pages wait for the end of their row group.
const blockBytes = 64 << 10

// blocks are the pieces that a file's columns share: what one row group has used serves the next.
type blocks struct {
	free [][]byte
}

// spool holds a column's finished pages.
type spool struct {
	shared *blocks
	full   [][]byte
	size   int64
}

// add appends data.
func (s *spool) add(data []byte) {
	s.size += int64(len(data))
	for len(data) > 0 {
		last := len(s.full) - 1
		if last < 0 || len(s.full[last]) == blockBytes {
			s.full = append(s.full, s.shared.take())
			last++
		}
		b := s.full[last]
		n := copy(b[len(b):blockBytes], data)
		s.full[last], data = b[:len(b)+n], data[n:]
	}
}

// drain writes what was added, and gives the memory back.
func (s *spool) drain(w io.Writer) error {
	for _, b := range s.full {
		if _, err := w.Write(b); err != nil {
			return fmt.Errorf("writing pages: %w", err)
		}
		s.shared.free = append(s.shared.free, b[:0])
	}
	s.full, s.size = s.full[:0], 0
	return nil
}

func (b *blocks) take() []byte {
	last := len(b.free) - 1
	if last < 0 {
		return make([]byte, 0, blockBytes)
	}
	block := b.free[last]
	b.free = b.free[:last]
	return block
}
