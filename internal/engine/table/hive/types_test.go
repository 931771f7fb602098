package hive_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table/hive"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/readback"
)

// typed are all types of the lake, with what the catalogue calls them, and their values with those's plain forms.
var typed = []struct {
	kind, glue string
	values     []any
	plain      []string
}{
	{"boolean", "boolean", []any{true, false}, []string{"true", "false"}},
	{"int", "int", []any{int32(math.MinInt32), int32(math.MaxInt32)}, []string{"-2147483648", "2147483647"}},
	{"long", "bigint", []any{int64(math.MinInt64), int64(math.MaxInt64)}, []string{"-9223372036854775808", "9223372036854775807"}},
	{"float", "float", []any{float32(0.1), float32(math.Inf(-1))}, []string{"3dcccccd", "ff800000"}},
	{"double", "double", []any{0.1, math.Copysign(0, -1)}, []string{"3fb999999999999a", "8000000000000000"}},
	{"decimal(9,2)", "decimal(9,2)", []any{int64(999999999), int64(-1)}, []string{"9999999.99", "-0.01"}},
	{"decimal(18,4)", "decimal(18,4)", []any{int64(999999999999999999), int64(-10000)}, []string{"99999999999999.9999", "-1.0000"}},
	{"decimal(38,3)", "decimal(38,3)", []any{column.WideOf(math.MaxInt64), column.WideOf(-5)}, []string{"9223372036854775.807", "-0.005"}},
	{"date", "date", []any{int32(-719162), int32(2932896)}, []string{"-719162", "2932896"}},
	{"timestamp", "timestamp", []any{int64(-62135596800000000), int64(253402300799999999)}, []string{"-62135596800000000", "253402300799999999"}},
	{"timestamptz", "timestamp", []any{int64(-1), int64(1700000000123456)}, []string{"-1", "1700000000123456"}},
	{"string", "string", []any{"é日本🙂", ""}, []string{"é日本🙂", ""}},
	{"binary", "binary", []any{"\x00\xff", ""}, []string{"00ff", ""}},
}

func typedSchema(t *testing.T) schema.Table {
	t.Helper()
	s := ids()
	for i, c := range typed {
		kind, err := schema.ParseType(c.kind)
		if err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("c%d", i)
		s.Columns = append(s.Columns, schema.Column{Name: name, Type: kind, Comment: "of " + c.kind, Source: from(i+2, name, c.kind)})
	}
	return s
}

// put appends a value to a vector.
func put(t *testing.T, v *column.Vector, value any) {
	t.Helper()
	switch x := value.(type) {
	case bool:
		v.Bools = append(v.Bools, x)
	case int32:
		v.Int32s = append(v.Int32s, x)
	case int64:
		v.Int64s = append(v.Int64s, x)
	case float32:
		v.Float32s = append(v.Float32s, x)
	case float64:
		v.Float64s = append(v.Float64s, x)
	case column.Wide:
		v.Wides = append(v.Wides, x)
	case string:
		v.Data = append(v.Data, x...)
	default:
		t.Fatalf("%T", value)
	}
	v.Append()
}

// Every type arrives in the words of Hive, and DuckDB and pyarrow read every value from where the catalogue says it is.
func TestEveryTypeIsRead(t *testing.T) {
	t.Parallel()
	for _, historical := range []bool{false, true} {
		l := newLake(t, historical)
		want := &readback.Table{Columns: [][2]string{{"id", "bigint"}}}
		for i, c := range typed {
			want.Columns = append(want.Columns, [2]string{fmt.Sprintf("c%d", i), c.glue})
		}
		for round := range 2 {
			h := l.head()
			change, err := l.plan(h, typedSchema(t))
			if h.Exists {
				change, err = l.plan(h, l.evolve(h, typedSchema(t), schema.Whole))
			}
			l.must(err)
			rows := column.NewBatch(change.Schema.Kinds(), 3)
			if !historical {
				want.Rows = nil
			}
			for n := range 3 {
				id := fmt.Sprint(round*3 + n)
				row := []*string{&id}
				put(t, rows.Columns[0], int64(round*3+n))
				for i, c := range typed {
					if n == 2 {
						rows.Columns[i+1].AppendNull()
						row = append(row, nil)
						continue
					}
					put(t, rows.Columns[i+1], c.values[n])
					row = append(row, &typed[i].plain[n])
				}
				want.Rows = append(want.Rows, row)
			}
			change.Add = append(change.Add, l.write(h, &change, rows))
			_, err = l.table().Commit(t.Context(), h, change)
			l.must(err)
		}
		entry := l.entry()
		if entry.SerDe != "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe" || !strings.HasSuffix(entry.InputFormat, ".MapredParquetInputFormat") ||
			!strings.HasSuffix(entry.OutputFormat, ".MapredParquetOutputFormat") || entry.Type != "EXTERNAL_TABLE" || entry.Parameters["EXTERNAL"] != "TRUE" {
			t.Errorf("the entry is %+v", entry)
		}
		for i, c := range entry.Columns {
			if c.Name != want.Columns[i][0] || c.Type != want.Columns[i][1] || i > 0 && c.Comment != "of "+typed[i-1].kind {
				t.Errorf("column %d is %+v, want %v", i, c, want.Columns[i])
			}
		}
		for _, engine := range []struct{ name, suffix string }{{"duckdb", "*"}, {"pyarrow", ""}} {
			paths := folders(t, l.store, l.catalog, "orders")
			for i := range paths {
				paths[i] += engine.suffix
			}
			tables, err := reader(t).Parquet(t.Context(), engine.name, paths...)
			l.must(err)
			got := &tables[0]
			for _, more := range tables[1:] {
				got.Rows = slices.Concat(got.Rows, more.Rows)
			}
			if differences := readback.Differences(want, got); len(differences) > 0 {
				t.Errorf("historical: %t: %s reads otherwise: %s", historical, engine.name, strings.Join(differences, "\n"))
			}
		}
		if files, err := hive.New(l.options).Files(t.Context(), l.head()); err != nil || len(files) != map[bool]int{false: 1, true: 2}[historical] {
			t.Errorf("%d files, %v", len(files), err)
		}
	}
}
