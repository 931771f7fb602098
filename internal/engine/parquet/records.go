package parquet

import (
	"encoding/binary"
	"math/bits"

	"github.com/klauspost/compress/huff0"
)

// Texts of one length, such as uuids and hashes, are mostly random characters of a small alphabet. A search for what
// repeats in them takes most of their compression's time and finds little but the lengths before them. For such pages
// the frame is written here: that every text is followed by the same four bytes takes hardly a bit, as a sequence whose
// codes are the same throughout, and all characters are literals in Huffman's code (RFC 8878, sections 3.1.1.2 and
// 3.1.1.3).

const (
	// leastRecords and longestRecord are from how many values and up to which length this is tried.
	leastRecords  = 256
	longestRecord = 1 << 10
	// zstdBlock is the most that a block may hold (RFC 8878, section 3.1.1.2.4).
	zstdBlock = 128 << 10

	rawBlock        = 0
	compressedBlock = 2
)

// blockHeader is a block's, of size bytes.
func blockHeader(out []byte, last bool, kind, size int) []byte {
	word := uint32(size)<<3 | uint32(kind)<<1
	if last {
		word |= 1
	}
	return append(out, byte(word), byte(word>>8), byte(word>>16))
}

// lengthCode is the code of a number of literals, its extra bits, and how many these are (RFC 8878, section
// 3.1.1.3.2.1.1).
func lengthCode(length int) (code byte, extra uint64, width int) {
	bases := [...]struct{ base, width int }{{16, 1}, {18, 1}, {20, 1}, {22, 1}, {24, 2}, {28, 2}, {32, 3}, {40, 3}, {48, 4}, {64, 6}, {128, 7}, {256, 8}, {512, 9}, {1024, 10}}
	if length < 16 {
		return byte(length), 0, 0
	}
	for i, b := range bases {
		if length < b.base+1<<b.width {
			return byte(16 + i), uint64(length - b.base), b.width
		}
	}
	return 0, 0, 0
}

// recordCompressor keeps memory between pages.
type recordCompressor struct {
	huffman  huff0.Scratch
	literals []byte
}

// compress writes a frame of a page that holds, behind head bytes of any kind, values of length bytes behind their
// lengths in four bytes each. ok is false where this is not the way for it.
func (r *recordCompressor) compress(out, page []byte, head, length int) (_ []byte, ok bool) {
	record := length + 4
	count := (len(page) - head) / record
	if length < 1 || length > longestRecord || count < leastRecords || head+count*record != len(page) || head+4 > zstdBlock {
		return out, false
	}
	code, extra, width := lengthCode(length)
	// A single segment whose length is told in four bytes.
	out = append(out[:0], 0x28, 0xb5, 0x2f, 0xfd, 0xa0)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(page)))
	// The head and the first length are as they are; what follows is text and length in turn, and a last text.
	out = append(blockHeader(out, false, rawBlock, head+4), page[:head+4]...)
	rest := page[head+4:]

	// The first repetition tells its distance, which is the newest one from then on.
	first := make([]byte, 0, 64)
	if length < 32 {
		first = append(first, byte(length<<3))
	} else {
		first = append(first, byte(length<<4|1<<2), byte(length>>4))
	}
	first = append(first, rest[:length]...)
	distance := uint64(record + 3)
	far := bits.Len64(distance) - 1
	first = append(first, 1, 0x54, code, byte(far), 1)
	tail := extra | (distance-1<<far)<<width | 1<<(width+far)
	for ; tail > 0; tail >>= 8 {
		first = append(first, byte(tail))
	}
	out = append(blockHeader(out, false, compressedBlock, len(first)), first...)
	rest = rest[record:]

	perBlock := (zstdBlock - length) / record
	for blocks := 0; ; blocks++ {
		pairs := min(perBlock, len(rest)/record)
		last := len(rest) == pairs*record+length
		r.literals = r.literals[:0]
		for i := range pairs {
			r.literals = append(r.literals, rest[i*record:i*record+length]...)
		}
		rest = rest[pairs*record:]
		if last {
			r.literals = append(r.literals, rest...)
		}
		at := len(out)
		r.huffman.Reuse = huff0.ReusePolicyNone
		packed, _, err := huff0.Compress4X(r.literals, &r.huffman)
		switch {
		case err == nil:
			out = packedLiterals(append(out, 0, 0, 0), packed, len(r.literals))
		case last && blocks > 0: // too few to be worth a code
			out = rawLiterals(append(out, 0, 0, 0), r.literals)
		default:
			return out, false
		}
		out = sequences(out, pairs, code, extra, width)
		blockHeader(out[:at], last, compressedBlock, len(out)-at-3)
		if last {
			return out, len(out) < len(page)
		}
	}
}

// packedLiterals appends literals in Huffman's code, of which there are size (RFC 8878, section 3.1.1.3.1).
func packedLiterals(out, packed []byte, size int) []byte {
	// Four streams, both sizes in 18 bits.
	sizes := uint64(len(packed))<<22 | uint64(size)<<4 | 3<<2 | 2
	out = append(out, byte(sizes), byte(sizes>>8), byte(sizes>>16), byte(sizes>>24), byte(sizes>>32))
	return append(out, packed...)
}

// rawLiterals appends literals as they are.
func rawLiterals(out, literals []byte) []byte {
	// The size in 20 bits.
	sizes := uint32(len(literals))<<4 | 3<<2
	return append(append(out, byte(sizes), byte(sizes>>8), byte(sizes>>16)), literals...)
}

// sequences appends as many as there are pairs: one code each for literals, distance (the newest again) and length of
// four, throughout.
func sequences(out []byte, pairs int, code byte, extra uint64, width int) []byte {
	switch {
	case pairs == 0:
		return append(out, 0)
	case pairs < 128:
		out = append(out, byte(pairs))
	case pairs < 0x7f00:
		out = append(out, byte(pairs>>8+128), byte(pairs))
	default:
		out = append(out, 0xff, byte(pairs-0x7f00), byte((pairs-0x7f00)>>8))
	}
	out = append(out, 0x54, code, 0, 1)
	var held uint64
	filled := 0
	for range pairs {
		held |= extra << filled
		for filled += width; filled >= 8; filled -= 8 {
			out, held = append(out, byte(held)), held>>8
		}
	}
	return append(out, byte(held|1<<filled))
}
