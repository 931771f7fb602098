package parquet

import (
	"hash/maphash"
	"math"

	parquetgo "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

// sampled is how many rows of a batch are looked at to choose an encoding; fewer than least say nothing.
const (
	sampled = 4096
	least   = 256
)

var seed = maphash.MakeSeed()

// encodingOf chooses between dictionary and plain values, the two encodings that every reader takes: vectorised Spark
// readers of Iceberg before 1.10 refuse the others. A dictionary repays itself where values repeat, also in time, since
// less is left to compress; where they do not, filling it up only to drop it costs most. A column of which nothing is
// known yet gets one.
func encodingOf(t schema.Type, v *column.Vector) encoding.Encoding {
	if t.ID == schema.Boolean || t.ID == schema.Binary {
		return &parquetgo.Plain
	}
	if v == nil {
		return &parquetgo.RLEDictionary
	}
	rows := min(v.Len(), sampled)
	seen := make(map[uint64]struct{}, rows)
	values := 0
	for i := range rows {
		if !v.IsNull(i) {
			values++
			seen[bitsOf(v, i)] = struct{}{}
		}
	}
	if values >= least && len(seen) > values/2 {
		return &parquetgo.Plain
	}
	return &parquetgo.RLEDictionary
}

// bitsOf tells values of a column apart, but for rare collisions of texts.
func bitsOf(v *column.Vector, i int) uint64 {
	switch v.Kind {
	case column.Int32:
		return uint64(uint32(v.Int32s[i]))
	case column.Int64:
		return uint64(v.Int64s[i])
	case column.Int128:
		return v.Wides[i].Lo ^ uint64(v.Wides[i].Hi)
	case column.Float32:
		return uint64(math.Float32bits(v.Float32s[i]))
	case column.Float64:
		return math.Float64bits(v.Float64s[i])
	default:
		return maphash.Bytes(seed, v.Bytes(i))
	}
}
