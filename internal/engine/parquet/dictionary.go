package parquet

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"math"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
)

const (
	// dictionaryBytes and dictionaryValues end a dictionary: the column goes on with plain values.
	dictionaryBytes  = 512 << 10
	dictionaryValues = 1 << 16
)

var seed = maphash.MakeSeed()

// dictionary numbers the distinct values of a column in the order of their first appearance.
type dictionary struct {
	// slots are an open hash table of numbers plus one; 0 is free. Their count is a power of two, at least twice that
	// of the values.
	slots []int32
	shift uint
	// numbers are the values of fixed width: their bits. Otherwise data holds the values, text i ending at ends[i],
	// and hashes theirs.
	numbers []uint64
	data    []byte
	ends    []uint32
	hashes  []uint64
	// last is the number of the text that was looked up last; -1 before the first.
	last int32
}

const firstSlots = 1 << 10

// reset forgets the values, and keeps memory.
func (d *dictionary) reset() {
	if d.slots == nil {
		d.slots, d.shift = make([]int32, firstSlots), 64-10
	}
	clear(d.slots)
	d.numbers, d.data, d.ends, d.hashes = d.numbers[:0], d.data[:0], d.ends[:0], d.hashes[:0]
	d.last = -1
}

// values is how many there are.
func (d *dictionary) values() int { return len(d.numbers) + len(d.ends) }

// full reports whether another batch of values might be too much.
func (d *dictionary) full() bool {
	return d.values() >= dictionaryValues || 8*len(d.numbers)+len(d.data)+4*len(d.ends) >= dictionaryBytes
}

// number is the value's number.
func (d *dictionary) number(value uint64) int32 {
	mask := len(d.slots) - 1
	for at := int(value * 0x9E3779B97F4A7C15 >> d.shift); ; at = (at + 1) & mask {
		n := d.slots[at]
		if n == 0 {
			return d.addNumber(value, at)
		}
		if d.numbers[n-1] == value {
			return n - 1
		}
	}
}

func (d *dictionary) addNumber(value uint64, at int) int32 {
	d.numbers = append(d.numbers, value)
	n := int32(len(d.numbers))
	d.slots[at] = n
	if 2*len(d.numbers) > len(d.slots) {
		d.grow()
		mask := len(d.slots) - 1
		for i, v := range d.numbers {
			at := int(v * 0x9E3779B97F4A7C15 >> d.shift)
			for d.slots[at] != 0 {
				at = (at + 1) & mask
			}
			d.slots[at] = int32(i + 1)
		}
	}
	return n - 1
}

// grow doubles the table and leaves it empty.
func (d *dictionary) grow() {
	d.slots = make([]int32, 2*len(d.slots))
	d.shift--
}

// text is a value's number, of a column of bytes.
func (d *dictionary) text(value []byte) int32 {
	hash := maphash.Bytes(seed, value)
	mask := len(d.slots) - 1
	for at := int(hash >> d.shift); ; at = (at + 1) & mask {
		n := d.slots[at]
		if n == 0 {
			return d.addText(value, hash, at)
		}
		if d.hashes[n-1] == hash && bytes.Equal(d.bytes(int(n-1)), value) {
			return n - 1
		}
	}
}

func (d *dictionary) addText(value []byte, hash uint64, at int) int32 {
	d.data, d.hashes = append(d.data, value...), append(d.hashes, hash)
	d.ends = append(d.ends, uint32(len(d.data)))
	n := int32(len(d.ends))
	d.slots[at] = n
	if 2*len(d.ends) > len(d.slots) {
		d.grow()
		mask := len(d.slots) - 1
		for i, hash := range d.hashes {
			at := int(hash >> d.shift)
			for d.slots[at] != 0 {
				at = (at + 1) & mask
			}
			d.slots[at] = int32(i + 1)
		}
	}
	return n - 1
}

func (d *dictionary) bytes(i int) []byte {
	start := uint32(0)
	if i > 0 {
		start = d.ends[i-1]
	}
	return d.data[start:d.ends[i]]
}

// plain appends the values as the dictionary's page holds them: width bytes each, or length and bytes for 0.
func (d *dictionary) plain(out []byte, width int) []byte {
	if width > 0 && len(d.ends) > 0 {
		return append(out, d.data...)
	}
	switch width {
	case 4:
		for _, v := range d.numbers {
			out = binary.LittleEndian.AppendUint32(out, uint32(v))
		}
	case 8:
		for _, v := range d.numbers {
			out = binary.LittleEndian.AppendUint64(out, v)
		}
	case 0:
		for i := range d.ends {
			text := d.bytes(i)
			out = append(binary.LittleEndian.AppendUint32(out, uint32(len(text))), text...)
		}
	}
	return out
}

// lookUp appends the numbers of rows that have values. fixed says that numbers are stored in width bytes, the highest first.
func (d *dictionary) lookUp(out []int32, v *column.Vector, from, to, width int, fixed bool) []int32 {
	if fixed && v.Kind == column.Int64 {
		var value [8]byte
		for _, n := range v.Int64s[from:to] {
			out = append(out, d.text(appendFixed(value[:0], n, width)))
		}
		return out
	}
	switch v.Kind {
	case column.Int32:
		for _, value := range v.Int32s[from:to] {
			out = append(out, d.number(uint64(uint32(value))))
		}
	case column.Int64:
		for _, value := range v.Int64s[from:to] {
			out = append(out, d.number(uint64(value)))
		}
	case column.Float32:
		for _, value := range v.Float32s[from:to] {
			out = append(out, d.number(uint64(math.Float32bits(value))))
		}
	case column.Float64:
		for _, value := range v.Float64s[from:to] {
			out = append(out, d.number(math.Float64bits(value)))
		}
	case column.Int128:
		for _, value := range v.Wides[from:to] {
			fixed := wideBytes(value)
			out = append(out, d.text(fixed[16-width:]))
		}
	default:
		for i := from; i < to; i++ {
			value := v.Bytes(i)
			if d.last < 0 || !bytes.Equal(value, d.bytes(int(d.last))) { // texts of neighbours are often alike
				d.last = d.text(value)
			}
			out = append(out, d.last)
		}
	}
	return out
}
