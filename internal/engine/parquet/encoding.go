package parquet

import (
	"hash/maphash"
	"math"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

const (
	// sampled is how many rows of a batch are looked at to choose an encoding; fewer values than least say nothing.
	sampled = 4096
	least   = 256
	// repaying is up to how many distinct values a dictionary repays itself: its look-ups stay within the processor's
	// caches, and its numbers take up two bytes at most.
	repaying = 1 << 15
)

// repays chooses between a dictionary and plain values, the two encodings that every reader takes: vectorised Spark
// readers of Iceberg before 1.10 refuse the others. A dictionary repays itself where values repeat, also in time, since
// less is left to compress; where they do not, filling it up only to drop it costs most. A column of which nothing is
// known yet gets one.
func repays(t schema.Type, v *column.Vector) bool {
	if t.ID == schema.Boolean || t.ID == schema.Binary {
		return false
	}
	if v == nil {
		return true
	}
	if long := len(v.Data) / max(v.Len(), 1); long > dictionaryBytes/least {
		return false // so few of such texts fit a dictionary that they show nothing
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
	return values < least || distinct(len(seen), values) <= repaying
}

// distinct estimates how many values a column takes, of which a sample of n has seen some: drawing n times from d values
// shows d(1-(1-1/d)^n) of them, if all are as likely. It is infinite where nothing repeats.
func distinct(seen, n int) float64 {
	if seen == n {
		return math.Inf(1)
	}
	low, high := float64(seen), float64(n)*float64(n)
	for high-low > 1 {
		d := (low + high) / 2
		if d*-math.Expm1(float64(n)*math.Log1p(-1/d)) < float64(seen) {
			low = d
		} else {
			high = d
		}
	}
	return low
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
