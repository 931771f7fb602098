package merge

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
)

// Room is made at once for the texts of records, whatever stands beside them, and it is enough.
func TestRoomIsMadeForTexts(t *testing.T) {
	t.Parallel()
	kinds := []column.Kind{column.Bool, column.Int32, column.Bytes, column.Int64, column.Int128, column.Float32, column.Float64, column.Bytes, column.Bytes}
	from := column.NewBatch(kinds, 0)
	for row := range 40 {
		for i, v := range from.Columns {
			switch {
			case (row+i)%5 == 0 || i == len(kinds)-1:
				v.AppendNull()
			case v.Kind == column.Bytes:
				v.Data = append(v.Data, strings.Repeat("x", row*i*100)...)
				v.Append()
			default:
				v.Extend(1)
			}
		}
	}
	var records []byte
	for row := range from.Rows() {
		records = binary.LittleEndian.AppendUint32(records, uint32(row))
		change := int32(0)
		if row%7 == 3 {
			change = removed
		}
		if records = binary.LittleEndian.AppendUint32(records, uint32(change)); change >= 0 {
			records = appendRow(records, from, row, asItIs)
		}
	}
	b := column.NewBatch(kinds, 0)
	makeRoom(b, records, 2*len(records))
	room := []int{cap(b.Columns[2].Data), cap(b.Columns[7].Data)}
	for range 2 {
		for rest := records; len(rest) > 0; {
			change := int32(binary.LittleEndian.Uint32(rest[4:]))
			if rest = rest[8:]; change >= 0 {
				rest = takeRow(rest, b)
			}
		}
	}
	if now := []int{cap(b.Columns[2].Data), cap(b.Columns[7].Data)}; now[0] != room[0] || now[1] != room[1] || room[0] == 0 || room[1] > 2*3*len(b.Columns[7].Data) {
		t.Errorf("there was room for %v bytes, and they are %v of %d and %d", room, now, len(b.Columns[2].Data), len(b.Columns[7].Data))
	}
	if cap(b.Columns[8].Data) > 0 {
		t.Error("room was made for a column without a value")
	}
}
