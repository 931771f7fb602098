package hudi

import (
	"encoding/base64"
	"encoding/binary"
	"math"
)

// The parameters of Hudi's bloom filters (HoodieIndexConfig): one is made for filterKeys keys, and errs with filterError.
const (
	filterKeys  = 60000
	filterError = 1e-9
	// filterHashes bounds the hashes of a filter of more than filterKeys, each of which every key costs: of three times as many
	// it errs for one of 630 where the best number, ten, has it err for one of 1,000.
	filterHashes = 6
	// filterCode names the kind of filter in a file's footer.
	filterCode = "DYNAMIC_V0"
)

// bloom is a bloom filter of record keys, as Hadoop's InternalDynamicBloomFilter writes one of a single row. Its parameters stand in
// it: a file of few rows has a small one, and one of more than filterKeys has no larger one, with fewer hashes, where Hudi's own
// writers fill a second row until it holds every key.
type bloom struct {
	bits, hashes int32
	// most is how many keys it is made for, filled how many it has.
	most, filled int
	row          []byte
}

// newBloom makes a filter for a number of keys.
func newBloom(keys int) *bloom {
	size := func(n int) float64 { return math.Ceil(float64(n) * -math.Log(filterError) / (math.Ln2 * math.Ln2)) }
	most := max(keys, 1)
	bits := size(min(most, filterKeys))
	f := &bloom{bits: int32(bits), hashes: int32(math.Ceil(math.Ln2 * bits / float64(most))), most: most}
	if most > filterKeys {
		f.hashes = min(f.hashes, filterHashes)
	}
	f.row = make([]byte, (f.bits+7)/8)
	return f
}

// parseBloom reads a filter that text has written; nil is what is none of ours.
func parseBloom(text string) *bloom {
	data, err := base64.StdEncoding.DecodeString(text)
	const header = 13
	if err != nil || len(data) < 2*header+12 {
		return nil
	}
	number := func(at int) int32 { return int32(binary.BigEndian.Uint32(data[at:])) }
	f := &bloom{hashes: number(4), bits: number(9), most: int(number(header)), filled: int(number(header + 4)), row: data[2*header+12:]}
	if f.hashes < 1 || f.bits < 1 || f.most < 1 || f.filled < 0 || len(f.row) != (int(f.bits)+7)/8 || f.text() != text {
		return nil
	}
	return f
}

// add adds a key.
func (f *bloom) add(key []byte) {
	f.filled++
	each(key, f.hashes, f.bits, func(at int32) { f.row[at>>3] |= 1 << (at & 7) })
}

// each calls visit with the positions of a key's bits.
func each(key []byte, hashes, bits int32, visit func(at int32)) {
	h := int32(0)
	for range hashes {
		h = murmur(key, h)
		at := h % bits
		if at < 0 {
			at = -at
		}
		visit(at)
	}
}

// murmur is Hadoop's MurmurHash (version 2): its last bytes count with their sign, where other libraries' do not.
func murmur(data []byte, seed int32) int32 {
	const m = 0x5bd1e995
	h := uint32(seed) ^ uint32(len(data))
	at := 0
	for ; at+4 <= len(data); at += 4 {
		k := binary.LittleEndian.Uint32(data[at:]) * m
		k ^= k >> 24
		h = h*m ^ k*m
	}
	if left := len(data) - at; left > 0 {
		end := len(data)
		if left >= 3 {
			h ^= uint32(int32(int8(data[end-3])) << 16)
		}
		if left >= 2 {
			h ^= uint32(int32(int8(data[end-2])) << 8)
		}
		h ^= uint32(int32(int8(data[end-1])))
		h *= m
	}
	h ^= h >> 13
	h *= m
	h ^= h >> 15
	return int32(h)
}

// header appends what stands in front of each filter: version, hashes, the kind of hash (murmur), bits.
func (f *bloom) header(out []byte) []byte {
	out = binary.BigEndian.AppendUint32(out, math.MaxUint32)
	out = binary.BigEndian.AppendUint32(out, uint32(f.hashes))
	out = append(out, 1)
	return binary.BigEndian.AppendUint32(out, uint32(f.bits))
}

// text is the filter as a footer holds it.
func (f *bloom) text() string {
	out := f.header(nil)
	out = binary.BigEndian.AppendUint32(out, uint32(f.most))
	out = binary.BigEndian.AppendUint32(out, uint32(f.filled))
	out = binary.BigEndian.AppendUint32(out, 1) // one row
	return base64.StdEncoding.EncodeToString(append(f.header(out), f.row...))
}
