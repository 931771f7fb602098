package parquet

import (
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/format"
)

// maxPage bounds a page that is decompressed.
const maxPage = 1 << 30

// codec is zstd at its fastest level with entropy coding of all literals. The library's own codec leaves literals as
// they are where nothing repeats, which costs texts of random characters half their size and saves hardly any time.
type codec struct {
	encoders, decoders sync.Pool
}

// compression serves all writers: encoders are reused, and hold the memory of one window.
var compression = &codec{}

// window is how far back an encoder looks: a page is not much longer.
const window = 512 << 10

// String implements compress.Codec.
func (*codec) String() string { return "ZSTD" }

// CompressionCodec implements compress.Codec.
func (*codec) CompressionCodec() format.CompressionCodec { return format.Zstd }

// Encode implements compress.Codec.
func (c *codec) Encode(dst, src []byte) ([]byte, error) {
	e, ok := c.encoders.Get().(*zstd.Encoder)
	if !ok {
		var err error
		if e, err = zstd.NewWriter(nil,
			zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithAllLitEntropyCompression(true), zstd.WithEncoderConcurrency(1),
			zstd.WithEncoderCRC(false), zstd.WithZeroFrames(true), zstd.WithWindowSize(window),
		); err != nil {
			return nil, fmt.Errorf("making a zstd encoder: %w", err)
		}
	}
	defer c.encoders.Put(e)
	return e.EncodeAll(src, dst[:0]), nil
}

// Decode implements compress.Codec.
func (c *codec) Decode(dst, src []byte) ([]byte, error) {
	d, ok := c.decoders.Get().(*zstd.Decoder)
	if !ok {
		var err error
		if d, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxPage)); err != nil {
			return nil, fmt.Errorf("making a zstd decoder: %w", err)
		}
	}
	defer c.decoders.Put(d)
	return d.DecodeAll(src, dst[:0])
}
