package parquet_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/parquet"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

// Rows that are picked are those that reading all of them gives, of every type in every shape; none, one, neighbours, those
// at the borders of pages and all among them. Rows that are not there are an error.
func TestPickedRowsAreTheRowsOfAll(t *testing.T) {
	t.Parallel()
	for _, shape := range shapes {
		t.Run(shape.name, func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(uint64(len(shape.name)), 2))
			const rows = 40_000
			table := &schema.Table{}
			for i, typ := range plainTypes {
				table.Columns = append(table.Columns, schema.Column{Name: fmt.Sprint("c", i), Type: typ, FieldID: i + 1})
			}
			b := kinds(table)
			for row := range rows {
				for i, c := range table.Columns {
					if r.IntN(10) < shape.nulls {
						b.Columns[i].AppendNull()
					} else {
						put(b.Columns[i], c.Type, shape.draw(r, row, rows))
					}
				}
			}
			var out bytes.Buffer
			w, err := parquet.NewWriter(&out, table, "1", b)
			if err == nil {
				err = w.Write(b)
			}
			if err == nil {
				_, err = w.Close()
			}
			if err != nil {
				t.Fatal(err)
			}
			file, err := parquet.Open(t.Context(), memoryStore{data: out.Bytes()}, "file", int64(out.Len()))
			if err != nil {
				t.Fatal(err)
			}
			for i, c := range table.Columns {
				for name, wanted := range map[string][]int32{
					"none": nil, "the first": {0}, "the last": {rows - 1}, "neighbours": {32766, 32767, 32768, 32769, 32770}, "all": sequence(rows), "some": some(r, rows, 700),
				} {
					got := pickRows(t, file, i, c.Type, wanted)
					if len(wanted) != got.Len() {
						t.Fatalf("%s of %s: %d rows of %d", name, c.Type, got.Len(), len(wanted))
					}
					for n, row := range wanted {
						if !got.Equal(n, b.Columns[i], int(row)) {
							t.Fatalf("%s of %s: row %d is another", name, c.Type, row)
						}
					}
				}
				chunk, err := file.Chunk(t.Context(), 0, i, nil, c.Type)
				if err != nil {
					t.Fatal(err)
				}
				if err := chunk.Pick(column.NewVector(c.Type.Kind(), 0), []int32{5, rows}); err == nil || !strings.Contains(err.Error(), "row 40000 is behind its last") {
					t.Errorf("a row that is not there: %v", err)
				}
			}
		})
	}
}

func pickRows(t *testing.T, file *parquet.Reader, place int, as schema.Type, rows []int32) *column.Vector {
	t.Helper()
	chunk, err := file.Chunk(t.Context(), 0, place, nil, as)
	if err != nil {
		t.Fatal(err)
	}
	v := column.NewVector(as.Kind(), 0)
	if err := chunk.Pick(v, rows); err != nil {
		t.Fatal(err)
	}
	return v
}

func sequence(n int) []int32 {
	out := make([]int32, n)
	for i := range out {
		out[i] = int32(i)
	}
	return out
}

// some are rows by chance, in their order.
func some(r *rand.Rand, of, n int) []int32 {
	out := sequence(of)
	r.Shuffle(of, func(i, j int) { out[i], out[j] = out[j], out[i] })
	out = out[:n]
	slices.Sort(out)
	return out
}
