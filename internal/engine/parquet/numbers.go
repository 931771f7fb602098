package parquet

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// decodeNumbers appends count numbers of width bits that were encoded as runs or packed bits (Parquet format, "Run Length
// Encoding / Bit-Packing Hybrid"). It makes room for no more than count, whatever the data claims.
func decodeNumbers(out []int32, data []byte, width, count int) ([]int32, error) {
	if width > 32 {
		return out, fmt.Errorf("%w: numbers of %d bits", errDamaged, width)
	}
	out = slices.Grow(out, count)
	end := len(out) + count
	for len(out) < end {
		header, n := binary.Uvarint(data)
		if n <= 0 || header < 2 {
			return out, fmt.Errorf("%w: %d numbers end %d before", errDamaged, count, end-len(out))
		}
		data = data[n:]
		left := uint64(end - len(out))
		if header&1 == 0 {
			size := (width + 7) / 8
			if len(data) < size {
				return out, fmt.Errorf("%w: a run without its number", errDamaged)
			}
			value := uint32(0)
			for i := size - 1; i >= 0; i-- {
				value = value<<8 | uint32(data[i])
			}
			data = data[size:]
			for range min(header>>1, left) {
				out = append(out, int32(value))
			}
			continue
		}
		groups := header >> 1
		if groups > uint64(len(data)) && width > 0 || groups*uint64(width) > uint64(len(data)) {
			return out, fmt.Errorf("%w: %d groups of %d bits in %d bytes", errDamaged, groups, width, len(data))
		}
		bytes := int(groups) * width
		out = unpackNumbers(out, data[:bytes], width, int(min(groups*8, left)))
		data = data[bytes:]
	}
	return out, nil
}

// unpackNumbers appends numbers of width bits, the first lowest.
func unpackNumbers(out []int32, data []byte, width, count int) []int32 {
	mask := uint64(1)<<width - 1
	start := len(out)
	out = out[:start+count]
	numbers, bit := out[start:], 0
	i := 0
	for ; i < count && bit>>3+8 <= len(data); i++ {
		numbers[i] = int32(binary.LittleEndian.Uint64(data[bit>>3:]) >> (bit & 7) & mask)
		bit += width
	}
	for ; i < count; i++ {
		var last [8]byte
		copy(last[:], data[min(bit>>3, len(data)):])
		numbers[i] = int32(binary.LittleEndian.Uint64(last[:]) >> (bit & 7) & mask)
		bit += width
	}
	return out
}
