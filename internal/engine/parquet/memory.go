package parquet

import (
	"sync"

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
	// plain holds the values of the page at hand, or numbers their numbers in the dictionary.
	plain      []byte
	numbers    []int32
	dictionary dictionary
}

// scratch is what the columns of a file use in turn.
type scratch struct {
	page, packed, compressed, recorded []byte
	records                            recordCompressor
	protocol                           thrift.CompactProtocol
}

var memories sync.Pool

// takeMemory has memory for a number of columns.
func takeMemory(columns int) *memory {
	m, ok := memories.Get().(*memory)
	if !ok {
		m = &memory{}
	}
	for len(m.columns) < columns {
		m.columns = append(m.columns, &columnMemory{})
	}
	return m
}
