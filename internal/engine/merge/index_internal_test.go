package merge

import (
	"encoding/binary"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// Files that hold versions of other times alone are passed over, whatever keys they hold.
func TestFilesAreChosenByAllColumnsOfTheKey(t *testing.T) {
	t.Parallel()
	columns := []schema.Column{
		{Name: "id", Type: schema.Type{ID: schema.String}, FieldID: 1}, {Name: "at", Type: schema.Type{ID: schema.TimestampTZ}, FieldID: 2},
		{Name: "price", Type: schema.Type{ID: schema.Decimal, Precision: 9, Scale: 2}, FieldID: 3},
	}
	k := newKeys(columns, 2)
	ids, times, prices := column.NewVector(column.Bytes, 0), column.NewVector(column.Int64, 0), column.NewVector(column.Int64, 0)
	for i, id := range []string{"m", "p"} {
		ids.Data = append(ids.Data, id...)
		ids.Append()
		times.Int64s[times.Extend(1)] = int64(100 + 50*i)
		prices.Int64s[prices.Extend(1)] = 1
	}
	if err := k.add([]*column.Vector{ids, times, prices}, 0, false); err != nil {
		t.Fatal(err)
	}
	x := newIndex(k)
	eight := func(n int64) []byte { return binary.LittleEndian.AppendUint64(nil, uint64(n)) }
	for _, tc := range []struct {
		name             string
		from, to         string
		earliest, latest []byte
		want             bool
	}{
		{"about the same", "a", "z", eight(120), eight(130), true},
		{"other ids", "q", "z", eight(120), eight(130), false},
		{"before", "a", "z", eight(0), eight(99), false},
		{"at its end", "a", "z", eight(0), eight(100), true},
		{"after", "a", "z", eight(151), eight(1000), false},
		{"not told", "a", "z", nil, nil, true},
		{"half told", "a", "z", eight(151), nil, true},
	} {
		f := &table.StoredFile{Lower: map[int][]byte{1: []byte(tc.from), 2: tc.earliest, 3: {9}}, Upper: map[int][]byte{1: []byte(tc.to), 2: tc.latest, 3: {9}}}
		if x.mayHold(f) != tc.want {
			t.Errorf("%s: %t", tc.name, !tc.want)
		}
	}
}
