package merge_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/merge"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/parquet"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
)

// appendOrder appends a value of an order: the greater number gives the greater value, and -1 is NULL.
func appendOrder(v *column.Vector, n int) {
	if n < 0 {
		v.AppendNull()
		return
	}
	switch v.Kind {
	case column.Int32:
		v.Int32s = append(v.Int32s, int32(n-50))
	case column.Int64:
		v.Int64s = append(v.Int64s, int64(n-50)<<40)
	case column.Int128:
		v.Wides = append(v.Wides, column.WideOf(int64(n-50)))
	case column.Float64:
		v.Float64s = append(v.Float64s, float64(n)/7)
	default:
		v.Data = fmt.Appendf(v.Data, "é%04d", n)
	}
	v.Append()
}

// Of several changes of one key the one with the greatest ordering counts, in whatever order and file they come, whether its
// row is stored or new, and whether the changes fit into memory.
func TestTheGreatestOrderingCounts(t *testing.T) {
	t.Parallel()
	for _, kind := range []schema.Type{{ID: schema.Int}, {ID: schema.TimestampTZ}, {ID: schema.Decimal, Precision: 30, Scale: 2}, {ID: schema.Double}, {ID: schema.String}} {
		for _, budget := range []int64{0, 4 << 10} {
			t.Run(fmt.Sprintf("%s within %d", kind, budget), func(t *testing.T) {
				t.Parallel()
				r := rand.New(rand.NewPCG(sandbox.Seed(t), 5))
				l := newTable(t, 1, "id")
				l.schema = schema.Table{Key: []string{"id"}, Columns: []schema.Column{
					{Name: "id", Type: schema.Type{ID: schema.Long}, Required: true, FieldID: 1}, {Name: "at", Type: kind, FieldID: 2}, {Name: "n", Type: schema.Type{ID: schema.Long}, FieldID: 3},
				}}
				file := func(rows [][3]int) table.DataFile {
					var batches []*column.Batch
					for len(rows) > 0 {
						some := rows[:min(40, len(rows))]
						rows = rows[len(some):]
						b := column.NewBatch(l.schema.Kinds(), 0)
						for _, of := range some {
							b.Columns[0].Int64s = append(b.Columns[0].Int64s, int64(of[0]))
							b.Columns[0].Append()
							appendOrder(b.Columns[1], of[1])
							b.Columns[2].Int64s = append(b.Columns[2].Int64s, int64(of[2]))
							b.Columns[2].Append()
						}
						batches = append(batches, b)
					}
					return l.writeFile(&l.schema, batches, true)
				}
				want := map[int64]int64{}
				var before [][3]int
				for id := range 100 {
					before = append(before, [3]int{id, 99, -id})
					want[int64(id)] = int64(-id)
				}
				l.files = append(l.files, stored(file(before)))
				var rows [][3]int
				greatest := map[int]int{}
				for id := 50; id < 200; id++ {
					for _, order := range r.Perm(90)[:1+r.IntN(4)] {
						order--
						rows = append(rows, [3]int{id, order, 1000*id + order})
						if most, met := greatest[id]; !met || order > most {
							greatest[id] = order
							want[int64(id)] = int64(1000*id + order)
						}
					}
				}
				r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
				files := []table.DataFile{file(rows[:len(rows)/2]), file(rows[len(rows)/2:])}
				changes, err := merge.LoadOrderedWithin(t.Context(), l.store, &l.schema, "at", files, budget)
				if err != nil || changes.Spilled() != (budget > 0) {
					t.Fatal(err, changes.Spilled())
				}
				m := merge.Merge{Store: l.store, Schema: l.schema, Files: l.files, Changes: changes, ChangeFiles: files, Keys: func(unit string) (string, string) { return "made-" + unit + "-", ".parquet" }}
				out, err := m.Run(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if out.Inserted != 100 || out.Updated != 50 {
					t.Errorf("%d inserted, %d updated", out.Inserted, out.Updated)
				}
				got := map[int64]int64{}
				for _, f := range out.Add {
					reader, err := parquet.Open(t.Context(), l.store, f.Key, f.File.Size)
					if err != nil {
						t.Fatal(err)
					}
					for g := range reader.RowGroups() {
						var vectors [2]*column.Vector
						for i, at := range []int{0, 2} {
							vectors[i] = column.NewVector(column.Int64, 0)
							place, _ := reader.Find(l.schema.Columns[at])
							chunk, err := reader.Chunk(t.Context(), g, place, nil, l.schema.Columns[at].Type)
							if err == nil {
								err = chunk.ReadAll(vectors[i])
							}
							if err != nil {
								t.Fatal(err)
							}
						}
						for i, id := range vectors[0].Int64s {
							got[id] = vectors[1].Int64s[i]
						}
					}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
				again := slices.Concat(rows, rows[:1])
				changes, err = merge.LoadOrderedWithin(t.Context(), l.store, &l.schema, "at", []table.DataFile{file(again)}, 0)
				if !errors.Is(err, merge.ErrKey) || !strings.Contains(err.Error(), "equal values of what orders them of the key id = ") {
					if _, twice := greatest[rows[0][0]]; twice && greatest[rows[0][0]] == rows[0][1] {
						t.Error(changes, err)
					}
				}
			})
		}
	}
}
