package parquet

import (
	"testing"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

// What one large value took up is not kept for the next writer.
func TestLargeBuffersAreNotHandedOn(t *testing.T) {
	t.Parallel()
	large, small := make([]byte, 0, keptBuffer+1), make([]byte, 0, 1<<10)
	m := &memory{columns: []*columnMemory{{plain: large, dictionary: dictionary{data: large}}, {plain: small}}}
	m.scratch.page, m.scratch.packed, m.scratch.compressed, m.scratch.recorded = large, small, large, large
	giveMemory(m)
	for _, buffer := range [][]byte{m.columns[0].plain, m.columns[0].dictionary.data, m.scratch.page, m.scratch.compressed, m.scratch.recorded} {
		if buffer != nil {
			t.Errorf("%d bytes are kept", cap(buffer))
		}
	}
	if m.columns[1].plain == nil || m.scratch.packed == nil {
		t.Error("small buffers are not kept")
	}
}

// A thousand columns with dictionaries take up what their small pages need.
func TestNumbersOfManyColumnsAreFew(t *testing.T) {
	t.Parallel()
	e := &format.SchemaElement{Type: thrift.New(format.Int64)}
	m := &memory{columns: []*columnMemory{{}}}
	c := newChunk(schema.Column{Name: "a", Type: schema.Type{ID: schema.Long}}, e, 0, true, 8<<10, nil, m)
	c.choose(nil)
	if got := 4 * cap(c.numbers); got > 3*(8<<10) {
		t.Errorf("%d bytes of numbers for pages of %d", got, 8<<10)
	}
}
