package merge

import (
	"fmt"
	"sync"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

// anyPartition is the partition of files that were partitioned by other fields: their rows may be of any.
const anyPartition = -1

// partitions numbers a table's partitions; a table without partition fields has one. It is safe for concurrent use.
type partitions struct {
	mu      sync.Mutex
	numbers map[string]int32
	values  []schema.PartitionValues
}

func (p *partitions) number(v schema.PartitionValues) int32 {
	p.mu.Lock()
	defer p.mu.Unlock()
	id := v.ID()
	n, ok := p.numbers[id]
	if !ok {
		n = int32(len(p.values))
		if len(v) == 0 {
			v = nil
		}
		p.numbers[id], p.values = n, append(p.values, v)
	}
	return n
}

func (p *partitions) of(n int32) schema.PartitionValues {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.values[n]
}

// sorter tells the partitions of rows. It is used by one goroutine.
type sorter struct {
	all         *partitions
	partitioner *schema.Partitioner
	// known are the partitions' numbers by those of the partitioner.
	known  []int32
	groups []uint32
}

func (p *partitions) sorter(t *schema.Table) (*sorter, error) {
	partitioner, err := schema.NewPartitioner(t)
	if err != nil {
		return nil, fmt.Errorf("partitioning rows: %w", err)
	}
	return &sorter{all: p, partitioner: partitioner}, nil
}

// sort appends the partition of each of a batch's rows.
func (s *sorter) sort(b *column.Batch, into []int32) ([]int32, error) {
	var err error
	if s.groups, err = s.partitioner.Groups(b, s.groups); err != nil {
		return nil, fmt.Errorf("partitioning rows: %w", err)
	}
	for _, group := range s.groups {
		for int(group) >= len(s.known) {
			s.known = append(s.known, s.all.number(s.partitioner.Partition(uint32(len(s.known)))))
		}
		into = append(into, s.known[group])
	}
	return into, nil
}
