package schema

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"strconv"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
)

// Partitioner tells which partition of a table each row belongs to. It is used by one goroutine.
type Partitioner struct {
	fields []partitionColumn
	// levels numbers the combinations of the values of the first fields: one level per field.
	levels []level
	codes  []uint32
}

// partitionColumn numbers the values of one field. NULL has the number 0.
type partitionColumn struct {
	field         PartitionField
	column        int
	source, value Type
	out           *column.Vector
	texts         []*string

	numbers map[int64]uint32
	wides   map[column.Wide]uint32
	bytes   map[string]uint32
}

// level numbers pairs of a combination of the fields before and a value of the field.
type level struct {
	ids   map[uint64]uint32
	pairs []uint64
}

// NewPartitioner makes one for batches of the table's columns. A partition field of no column of the table, or of a
// type that its transform is not for, is an error.
func NewPartitioner(t *Table) (*Partitioner, error) {
	types, err := t.PartitionTypes()
	if err != nil {
		return nil, err
	}
	p := &Partitioner{fields: make([]partitionColumn, len(t.Partition)), levels: make([]level, len(t.Partition))}
	for i, f := range t.Partition {
		p.fields[i] = partitionColumn{field: f, value: types[i], texts: []*string{nil}, out: column.NewVector(types[i].Kind(), 0),
			numbers: map[int64]uint32{}, wides: map[column.Wide]uint32{}, bytes: map[string]uint32{}}
		for at, c := range t.Columns {
			if c.Name == f.Column {
				p.fields[i].column, p.fields[i].source = at, c.Type
			}
		}
		p.levels[i].ids = map[uint64]uint32{}
	}
	return p, nil
}

// Groups numbers the partition of each row of a batch. Numbers begin at 0, in the order in which partitions are first
// met, and mean the same in all batches. The numbers are put into the slice given, which is grown where it is too short.
func (p *Partitioner) Groups(b *column.Batch, into []uint32) ([]uint32, error) {
	rows := b.Rows()
	if cap(into) < rows {
		into = make([]uint32, rows)
	}
	into = into[:rows]
	clear(into)
	if cap(p.codes) < rows {
		p.codes = make([]uint32, rows)
	}
	codes := p.codes[:rows]
	for i := range p.fields {
		f := &p.fields[i]
		if f.column >= len(b.Columns) {
			return nil, fmt.Errorf("partitioning by %s: the batch has %d columns", f.field, len(b.Columns))
		}
		values, err := f.field.Values(f.source, b.Columns[f.column], f.out)
		if err != nil {
			return nil, fmt.Errorf("partitioning: %w", err)
		}
		f.number(values, codes)
		p.levels[i].combine(into, codes)
	}
	return into, nil
}

// Len is the number of partitions met so far; 1 for a table without partition fields.
func (p *Partitioner) Len() int {
	if len(p.levels) == 0 {
		return 1
	}
	return len(p.levels[len(p.levels)-1].pairs)
}

// Partition is the values that a number stands for.
func (p *Partitioner) Partition(group uint32) PartitionValues {
	values := make(PartitionValues, len(p.fields))
	for i := len(p.fields) - 1; i >= 0; i-- {
		pair := p.levels[i].pairs[group]
		values[i] = p.fields[i].texts[uint32(pair)]
		group = uint32(pair >> 32)
	}
	return values
}

// combine turns the numbers of combinations into those of combinations with one field more.
func (l *level) combine(into, codes []uint32) {
	var last uint64
	var id uint32
	for i, code := range codes {
		pair := uint64(into[i])<<32 | uint64(code)
		if i == 0 || pair != last {
			known, ok := l.ids[pair]
			if !ok {
				known = uint32(len(l.pairs))
				l.ids[pair], l.pairs = known, append(l.pairs, pair)
			}
			last, id = pair, known
		}
		into[i] = id
	}
}

// number gives each row the number of its value. Neighbours are often equal, which saves looking them up.
func (f *partitionColumn) number(v *column.Vector, codes []uint32) {
	switch v.Kind {
	case column.Bool:
		numbered(f, v, codes, f.numbers, func(i int) int64 {
			if v.Bools[i] {
				return 1
			}
			return 0
		})
	case column.Int32:
		numbered(f, v, codes, f.numbers, func(i int) int64 { return int64(v.Int32s[i]) })
	case column.Int64:
		numbered(f, v, codes, f.numbers, func(i int) int64 { return v.Int64s[i] })
	case column.Int128:
		numbered(f, v, codes, f.wides, func(i int) column.Wide { return v.Wides[i] })
	default:
		for i := range codes {
			if v.IsNull(i) {
				codes[i] = 0
				continue
			}
			code, ok := f.bytes[string(v.Bytes(i))]
			if !ok {
				code = f.add(v, i)
				f.bytes[string(v.Bytes(i))] = code
			}
			codes[i] = code
		}
	}
}

func numbered[T comparable](f *partitionColumn, v *column.Vector, codes []uint32, known map[T]uint32, value func(i int) T) {
	var last T
	var code uint32 // 0 until there is a last one
	for i := range codes {
		if v.Nulls > 0 && v.IsNull(i) {
			codes[i] = 0
			continue
		}
		if now := value(i); code == 0 || now != last {
			var ok bool
			if code, ok = known[now]; !ok {
				code = f.add(v, i)
				known[now] = code
			}
			last = now
		}
		codes[i] = code
	}
}

func (f *partitionColumn) add(v *column.Vector, i int) uint32 {
	text := partitionText(f.value, v, i)
	f.texts = append(f.texts, &text)
	return uint32(len(f.texts) - 1)
}

// partitionText is a value in the form of PartitionValues.
func partitionText(t Type, v *column.Vector, i int) string {
	switch v.Kind {
	case column.Bool:
		return strconv.FormatBool(v.Bools[i])
	case column.Int32:
		return strconv.FormatInt(int64(v.Int32s[i]), 10)
	case column.Int64:
		return strconv.FormatInt(v.Int64s[i], 10)
	case column.Int128:
		n := new(big.Int).Lsh(big.NewInt(v.Wides[i].Hi), 64)
		return n.Add(n, new(big.Int).SetUint64(v.Wides[i].Lo)).String()
	default:
		if t.ID == Binary {
			return hex.EncodeToString(v.Bytes(i))
		}
		return string(v.Bytes(i))
	}
}
