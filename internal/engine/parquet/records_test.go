package parquet

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/zstd"
	"pgregory.net/rapid"
)

// recordPage is a page of values of one length, from an alphabet.
func recordPage(r *rand.Rand, head, length, count, letters int) []byte {
	var page []byte
	for range head {
		page = append(page, byte(r.Uint32()))
	}
	for range count {
		page = binary.LittleEndian.AppendUint32(page, uint32(length))
		for range length {
			page = append(page, "0123456789abcdef-ghijklmnopqrstuvwxyz"[r.IntN(letters)])
		}
	}
	return page
}

// What is written for values of one length is a frame that others decompress to the page, whatever the length.
func TestRecordsAreFramesOfZstd(t *testing.T) {
	t.Parallel()
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	defer decoder.Close()
	var compressor recordCompressor
	written := 0
	check := func(t rapid.TB, seed uint64, head, length, count, letters int) {
		page := recordPage(rand.New(rand.NewPCG(seed, 1)), head, length, count, letters)
		out, ok := compressor.compress(nil, page, head, length)
		if !ok {
			return
		}
		written++
		back, err := decoder.DecodeAll(out, nil)
		if err != nil || !bytes.Equal(back, page) {
			t.Fatalf("%d values of %d bytes behind %d: %v, %d bytes of %d", count, length, head, err, len(back), len(page))
		}
	}
	for length := 1; length <= longestRecord; length += 1 + length/40 {
		for _, count := range []int{leastRecords, leastRecords + 1, 4000} {
			check(t, uint64(length), 6, length, count, 16)
		}
	}
	for _, count := range []int{zstdBlock/40 - 1, zstdBlock / 40, zstdBlock/40 + 1, zstdBlock/40 + 2, zstdBlock/40 + 3, 2 * zstdBlock / 40} {
		check(t, 7, 0, 36, count, 17)
	}
	if written < 100 {
		t.Errorf("only %d pages were compressed", written)
	}
	rapid.Check(t, func(t *rapid.T) {
		check(t, rapid.Uint64().Draw(t, "seed"), rapid.SampledFrom([]int{0, 6, 900}).Draw(t, "head"), rapid.IntRange(1, longestRecord).Draw(t, "length"), rapid.IntRange(0, 5000).Draw(t, "count"), rapid.IntRange(1, 37).Draw(t, "letters"))
	})
}

// A last block of so few values that no code repays itself does not take the page's others with it.
func TestRefusedLastBlockIsWrittenAsItIs(t *testing.T) {
	t.Parallel()
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	defer decoder.Close()
	const length = 36
	full := (zstdBlock-length)/(length+4) + 1 // behind the first value, which has a block of its own
	r := rand.New(rand.NewPCG(5, 6))
	for _, more := range []int{1, 2, 3, 20, 100, 200} {
		page := recordPage(r, 6, length, full+more, 16)
		for at := len(page) - more*(length+4); at < len(page); at += length + 4 { // random bytes have no code
			for i := range length {
				page[at+4+i] = byte(r.Uint32())
			}
		}
		var compressor recordCompressor
		out, ok := compressor.compress(nil, page, 6, length)
		if !ok {
			t.Errorf("a page with %d values in its last block was given up", more)
			continue
		}
		if back, err := decoder.DecodeAll(out, nil); err != nil || !bytes.Equal(back, page) {
			t.Errorf("%d values in the last block: %v", more, err)
		}
	}
}

// Pages that are none of these are left alone.
func TestWhatAreNoRecords(t *testing.T) {
	t.Parallel()
	var compressor recordCompressor
	random := make([]byte, 300*40)
	r := rand.New(rand.NewPCG(3, 4))
	for i := range random {
		random[i] = byte(r.Uint32())
	}
	for name, tc := range map[string]struct {
		page         []byte
		head, length int
	}{
		"few":     {recordPage(r, 6, 36, leastRecords-1, 16), 6, 36},
		"a part":  {recordPage(r, 6, 36, 1000, 16)[:1000*40], 6, 36},
		"long":    {recordPage(r, 0, longestRecord+1, 300, 16), 0, longestRecord + 1},
		"nothing": {nil, 0, 36},
		"random":  {random, 0, 36},
	} {
		if _, ok := compressor.compress(nil, tc.page, tc.head, tc.length); ok {
			t.Errorf("%s: compressed", name)
		}
	}
}
