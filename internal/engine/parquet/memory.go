package parquet

import (
	"sync"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/encoding/thrift"
)

// memory is what a writer works with. The next writer takes it over: files follow one another, and what the collector
// has not come to yet would count as much as what is in use.
type memory struct {
	blocks  blocks
	scratch scratch
	columns []*columnMemory
}

// columnMemory is a column's part of it.
type columnMemory struct {
	levels levels
	// plain holds the values of the page at hand, or numbers their numbers in the dictionary. ends are where texts end in
	// plain, of a column that is carried.
	plain      []byte
	ends       []uint32
	numbers    []int32
	dictionary dictionary
}

// scratch is what the columns of a file use in turn.
type scratch struct {
	page, packed, compressed, recorded []byte
	encoder                            *zstd.Encoder
	records                            recordCompressor
	protocol                           thrift.CompactProtocol
}

const (
	// keptMemories is how much memory is kept for writers to come, keptBlocks how many bytes of pages of each, and keptBuffer
	// up to how many bytes any other of its pieces: a page is longer only where single values are.
	keptMemories = 4
	keptBlocks   = 32 << 20
	keptBuffer   = 16 << 20
)

// memories are those that no writer works with. A sync.Pool keeps more the more processors there are, since what one of
// them has put aside another does not find.
var memories struct {
	sync.Mutex
	free []*memory
}

// takeMemory has memory for a number of columns.
func takeMemory(columns int) *memory {
	memories.Lock()
	defer memories.Unlock()
	m := &memory{}
	if last := len(memories.free) - 1; last >= 0 {
		m, memories.free = memories.free[last], memories.free[:last]
	}
	for len(m.columns) < columns {
		m.columns = append(m.columns, &columnMemory{})
	}
	return m
}

// giveMemory keeps memory for the next writer.
func giveMemory(m *memory) {
	if most := keptBlocks / blockBytes; len(m.blocks.free) > most {
		clear(m.blocks.free[most:])
		m.blocks.free = m.blocks.free[:most]
	}
	s := &m.scratch
	for _, buffer := range []*[]byte{&s.page, &s.packed, &s.compressed, &s.recorded} {
		keep(buffer)
	}
	for _, c := range m.columns {
		keep(&c.plain)
		keep(&c.dictionary.data)
	}
	memories.Lock()
	defer memories.Unlock()
	if len(memories.free) < keptMemories {
		memories.free = append(memories.free, m)
	}
}

// keep lets go of a buffer that one large value has made long.
func keep(buffer *[]byte) {
	if cap(*buffer) > keptBuffer {
		*buffer = nil
	}
}
