package parquet

import (
	"fmt"
	"sync"

	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// window is how far back an encoder looks: a page is not much longer.
const window = 512 << 10

// decoders are those of all readers.
var decoders sync.Pool

// compress compresses a page into memory that the next one overwrites, with zstd at its fastest level, with entropy
// coding of all literals. By default literals stay as they are where nothing repeats, which costs texts of random
// characters half their size and saves hardly any time.
func (s *scratch) compress(page []byte) ([]byte, error) {
	if s.encoder == nil {
		var err error
		if s.encoder, err = zstd.NewWriter(nil,
			zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithAllLitEntropyCompression(true), zstd.WithEncoderConcurrency(1),
			zstd.WithEncoderCRC(false), zstd.WithZeroFrames(true), zstd.WithWindowSize(window),
		); err != nil {
			return nil, fmt.Errorf("making a zstd encoder: %w", err)
		}
	}
	s.compressed = s.encoder.EncodeAll(page, s.compressed[:0])
	return s.compressed, nil
}

// decompress decompresses a page into dst, which it overwrites, and whose capacity bounds it.
func decompress(dst, src []byte) ([]byte, error) {
	d, ok := decoders.Get().(*zstd.Decoder)
	if !ok {
		var err error
		if d, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxPage), zstd.WithDecodeAllCapLimit(true)); err != nil {
			return nil, fmt.Errorf("making a zstd decoder: %w", err)
		}
	}
	defer decoders.Put(d)
	return d.DecodeAll(src, dst[:0])
}

// unsnap and unpackLZ4 decompress a page of other writers into dst, whose capacity bounds it: the library's make as much
// room as a damaged page claims, or ever more of it.
func unsnap(dst, src []byte) ([]byte, error) {
	size, err := snappy.DecodedLen(src)
	if err != nil {
		return nil, fmt.Errorf("its length: %w", err)
	}
	if size > cap(dst) {
		return nil, fmt.Errorf("it has %d bytes where %d are told", size, cap(dst))
	}
	return snappy.Decode(dst[:cap(dst)], src)
}

func unpackLZ4(dst, src []byte) ([]byte, error) {
	n, err := lz4.UncompressBlock(src, dst[:cap(dst)])
	return dst[:max(n, 0)], err
}
