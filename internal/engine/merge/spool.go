package merge

import (
	"fmt"
	"os"
	"slices"
	"sync"
)

// spool keeps records by bucket: in memory up to a limit of bytes, beyond it in a temporary file. Records of one bucket
// come back in the order in which they were added. Adding is safe for concurrent use, and so is reading once nothing is
// added any more.
type spool struct {
	// directory is where the temporary file is made; "" is the system's.
	directory string
	limit     int
	gauge     *gauge

	mu       sync.Mutex
	buckets  []bucket
	buffered int
	file     *os.File
	size     int64
}

type bucket struct {
	buffer  []byte
	extents []extent
}

// extent is a part of the temporary file.
type extent struct {
	offset int64
	length int
}

// add appends a whole record to a bucket.
func (s *spool) add(to int, record []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.buckets) <= to {
		s.buckets = append(s.buckets, bucket{})
	}
	b := &s.buckets[to]
	b.buffer = append(b.buffer, record...)
	s.buffered += len(record)
	s.gauge.take(len(record))
	if s.buffered <= s.limit {
		return nil
	}
	if err := s.flush(); err != nil {
		return fmt.Errorf("keeping changes that memory does not hold in a temporary file: %w: give the job more disk or memory", err)
	}
	return nil
}

func (s *spool) flush() error {
	if s.file == nil {
		file, err := os.CreateTemp(s.directory, "lakeland-merge-*")
		if err != nil {
			return err
		}
		// Without a name it goes with the process, however that ends.
		if err := os.Remove(file.Name()); err != nil {
			_ = file.Close()
			return err
		}
		s.file = file
	}
	for i := range s.buckets {
		b := &s.buckets[i]
		if len(b.buffer) == 0 {
			continue
		}
		if _, err := s.file.WriteAt(b.buffer, s.size); err != nil {
			return err
		}
		b.extents = append(b.extents, extent{s.size, len(b.buffer)})
		s.size += int64(len(b.buffer))
		b.buffer = nil
	}
	s.gauge.give(s.buffered)
	s.buffered = 0
	return nil
}

// read hands a bucket's records on, as many at once as were kept together. The bytes are not kept.
func (s *spool) read(from int, do func(records []byte) error) error {
	s.mu.Lock()
	var b bucket
	if from < len(s.buckets) {
		b = s.buckets[from]
	}
	s.mu.Unlock()
	var data []byte
	for _, e := range b.extents {
		data = slices.Grow(data[:0], e.length)[:e.length]
		s.gauge.take(len(data))
		_, err := s.file.ReadAt(data, e.offset)
		if err == nil {
			err = do(data)
		} else {
			err = fmt.Errorf("reading changes back from a temporary file: %w", err)
		}
		s.gauge.give(len(data))
		if err != nil {
			return err
		}
	}
	if len(b.buffer) == 0 {
		return nil
	}
	return do(b.buffer)
}

// held is how many bytes a bucket holds.
func (s *spool) held(from int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if from >= len(s.buckets) {
		return 0
	}
	bytes := len(s.buckets[from].buffer)
	for _, e := range s.buckets[from].extents {
		bytes += e.length
	}
	return bytes
}

// close forgets everything.
func (s *spool) close() {
	s.gauge.give(s.buffered)
	s.buckets, s.buffered = nil, 0
	if s.file != nil {
		_ = s.file.Close()
		s.file = nil
	}
}
