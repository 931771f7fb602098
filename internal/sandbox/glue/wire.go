package glue

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"
)

// maxTimestamp bounds timestamps to the years that a Go time can be formatted in.
const maxTimestamp = 2e11

// timestamp is a time in the JSON protocol's form: seconds since 1970, to the millisecond.
type timestamp struct{ time.Time }

// MarshalJSON writes the seconds, with as many decimals as are needed, three at most.
func (t timestamp) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(t.UnixMilli())/1000, 'f', -1, 64), nil
}

// UnmarshalJSON reads seconds, which may have a fraction.
func (t *timestamp) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	seconds, err := strconv.ParseFloat(string(data), 64)
	if err != nil {
		return fmt.Errorf("timestamp %s: %w", data, err)
	}
	t.Time = time.UnixMilli(int64(math.Round(seconds * 1000))).UTC()
	return nil
}

func timeOf(t time.Time) *timestamp { return &timestamp{t.UTC()} }

// opaque is a part of a document that the sandbox checks against the model, keeps and gives
// back, but does not look into.
type opaque = json.RawMessage

func ptr[T any](v T) *T { return &v }

// deref returns what p points to, or the zero value.
func deref[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
