package iceberg_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/parquet"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// everything is a column of each type that tables are partitioned by.
func everything() schema.Table {
	s := schema.Table{Columns: []schema.Column{{Name: "id", Type: schema.Type{ID: schema.Long}, Required: true}}}
	for _, c := range []struct {
		name string
		typ  schema.Type
	}{
		{"b", schema.Type{ID: schema.Boolean}}, {"i", schema.Type{ID: schema.Int}}, {"l", schema.Type{ID: schema.Long}},
		{"d9", schema.Type{ID: schema.Decimal, Precision: 9, Scale: 2}}, {"d18", schema.Type{ID: schema.Decimal, Precision: 18, Scale: 2}},
		{"d38", schema.Type{ID: schema.Decimal, Precision: 38, Scale: 4}}, {"dt", schema.Type{ID: schema.Date}}, {"ts", schema.Type{ID: schema.Timestamp}},
		{"tz", schema.Type{ID: schema.TimestampTZ}}, {"s", schema.Type{ID: schema.String}}, {"bin", schema.Type{ID: schema.Binary}},
	} {
		s.Columns = append(s.Columns, schema.Column{Name: c.name, Type: c.typ})
	}
	return s
}

// rowsOf are rows of odd values, some of them NULL.
func rowsOf(s *schema.Table, n int) *column.Batch {
	out := column.NewBatch(s.Kinds(), n)
	words := []string{"", "a", "iceberg", "äöüß", "a🙂b🙂c", "x/y=z %", "語語語語"}
	for row := range n {
		for i, c := range s.Columns {
			v := out.Columns[i]
			number := int64(row*row*row*7919-1_000_000) * int64(row%5-2)
			switch {
			case c.Name == "id":
				v.Int64s = append(v.Int64s, int64(row))
			case (row+i)%6 == 0:
				v.AppendNull()
				continue
			case v.Kind == column.Bool:
				v.Bools = append(v.Bools, row%2 == 0)
			case c.Type.ID == schema.Date:
				v.Int32s = append(v.Int32s, int32(number%40_000))
			case v.Kind == column.Int32:
				v.Int32s = append(v.Int32s, int32(number))
			case v.Kind == column.Int64 && c.Type.ID == schema.Decimal:
				v.Int64s = append(v.Int64s, number%100_000_000)
			case v.Kind == column.Int64:
				v.Int64s = append(v.Int64s, number*987_654_321%20_000_000_000_000_000)
			case v.Kind == column.Int128:
				v.Wides = append(v.Wides, column.Wide{Hi: number, Lo: uint64(row) << 60})
			case c.Type.ID == schema.String:
				v.Data = append(v.Data, words[row%len(words)]...)
			default:
				v.Data = append(v.Data, bytes.Repeat([]byte{0xff, byte(row), 0}, row%4)...)
			}
			v.Append()
		}
	}
	return out
}

// part is the rows of a batch that a group has.
func part(b *column.Batch, s *schema.Table, groups []uint32, group uint32) *column.Batch {
	out := column.NewBatch(s.Kinds(), 0)
	for row, g := range groups {
		if g != group {
			continue
		}
		for i, v := range b.Columns {
			to := out.Columns[i]
			if v.IsNull(row) {
				to.AppendNull()
				continue
			}
			switch v.Kind {
			case column.Bool:
				to.Bools = append(to.Bools, v.Bools[row])
			case column.Int32:
				to.Int32s = append(to.Int32s, v.Int32s[row])
			case column.Int64:
				to.Int64s = append(to.Int64s, v.Int64s[row])
			case column.Int128:
				to.Wides = append(to.Wides, v.Wides[row])
			default:
				to.Data = append(to.Data, v.Bytes(row)...)
			}
			to.Append()
		}
	}
	return out
}

func put(t *testing.T, s store.Store, key string, columns *schema.Table, rows *column.Batch) *parquet.File {
	t.Helper()
	w, err := s.Create(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	p, err := parquet.NewWriter(w, columns, "test", nil)
	if err == nil {
		err = p.Write(rows)
	}
	if err != nil {
		t.Fatal(err)
	}
	file, err := p.Close()
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// land commits rows in partitions, and returns the change.
func land(t *testing.T, s store.Store, tb table.Table, columns schema.Table, attempt string, rows *column.Batch) table.Change {
	t.Helper()
	h, err := tb.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range columns.Columns {
		if known, ok := h.Schema.Column(c.Name); ok {
			columns.Columns[i].FieldID = known.FieldID
		}
	}
	planned, err := tb.Prepare(h, columns)
	if err != nil {
		t.Fatal(err)
	}
	p, err := schema.NewPartitioner(&planned)
	if err != nil {
		t.Fatal(err)
	}
	groups, err := p.Groups(rows, nil)
	if err != nil {
		t.Fatal(err)
	}
	change := table.Change{Schema: planned, Checkpoint: table.Checkpoint{V: 1, Table: "shop.orders", Attempt: attempt, Horizon: "full"}}
	for group := range uint32(p.Len()) {
		prefix, suffix := tb.DataKeys(h, attempt, "0")
		key := fmt.Sprintf("%s%d%s", prefix, group, suffix)
		change.Add = append(change.Add, table.DataFile{Key: key, Partition: p.Partition(group), File: *put(t, s, key, &planned, part(rows, &planned, groups, group))})
	}
	if _, err := tb.Commit(t.Context(), h, change); err != nil {
		t.Fatal(err)
	}
	return change
}

func fieldsOf(transform schema.TransformID, width int, columns ...string) []schema.PartitionField {
	out := make([]schema.PartitionField, len(columns))
	for i, c := range columns {
		out[i] = schema.PartitionField{Column: c, Transform: transform, Width: width}
	}
	return out
}

// Every transform of every type gives the partitions that PyIceberg computes of the same rows, which it reads back by
// filters on the columns.
func TestPartitionsAsPyIcebergReadsThem(t *testing.T) {
	t.Parallel()
	s, c := store.NewDirectory(t.TempDir()), catalog.NewMemory("raw")
	const n = 40
	filters := []string{"", "i > 100000", "l < 0 and s == 'iceberg'", "d9 >= '1.50'", "d38 < '0.0000'", "dt < '1970-01-01'", "ts >= '1970-01-01T00:00:00'", "tz < '1990-01-01T00:00:00+00:00'", "s == 'äöüß'", "b == true", "s is null"}
	var questions []asked
	var of []string
	var same []int // the answer of the table without partitions to the same filter
	for i, fields := range [][]schema.PartitionField{
		nil,
		fieldsOf(schema.Identity, 0, "b", "i", "l", "s"),
		fieldsOf(schema.Identity, 0, "d9", "dt"),
		fieldsOf(schema.Identity, 0, "d38", "ts", "tz", "bin"),
		fieldsOf(schema.Bucket, 4, "i", "l", "d9"),
		fieldsOf(schema.Bucket, 5, "d18", "d38", "dt", "ts"),
		fieldsOf(schema.Bucket, 3, "tz", "s", "bin"),
		fieldsOf(schema.Truncate, 3, "i", "s", "bin"),
		fieldsOf(schema.Truncate, 1000, "l", "d9"),
		fieldsOf(schema.Truncate, 999_999, "d38"),
		slices.Concat(fieldsOf(schema.Year, 0, "dt"), fieldsOf(schema.Month, 0, "ts"), fieldsOf(schema.Day, 0, "tz")),
		slices.Concat(fieldsOf(schema.Month, 0, "dt"), fieldsOf(schema.Hour, 0, "ts"), fieldsOf(schema.Year, 0, "tz")),
		slices.Concat(fieldsOf(schema.Day, 0, "dt"), fieldsOf(schema.Year, 0, "ts"), fieldsOf(schema.Hour, 0, "tz")),
		slices.Concat(fieldsOf(schema.Day, 0, "ts"), fieldsOf(schema.Month, 0, "tz")),
	} {
		name := fmt.Sprintf("t%d", i)
		tb := open(s, c, "lake/"+name+"/", name)
		columns := everything()
		columns.Partition = fields
		change := land(t, s, tb, columns, "a1", rowsOf(&columns, n))
		h, err := tb.Head(t.Context())
		if err != nil || !slices.Equal(h.Schema.Partition, fields) {
			t.Fatalf("%v is read as %v, %v", fields, h.Schema.Partition, err)
		}
		files, err := tb.Files(t.Context(), h)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]string{}
		for _, f := range change.Add {
			want[f.Key] = f.Partition.ID()
		}
		for _, f := range files {
			if want[f.Key] != f.Partition.ID() {
				t.Errorf("%v: %s is in %s, and is listed in %s", fields, f.Key, want[f.Key], f.Partition.ID())
			}
		}
		_, address, err := metadata(t.Context(), s, c, name)
		if err != nil {
			t.Fatal(err)
		}
		for at, filter := range filters {
			if i == 0 || at == 0 || (at+i)%4 == 0 {
				questions, of, same = append(questions, asked{address, filter}), append(of, fmt.Sprint(fields)), append(same, at)
			}
		}
	}
	answers := pyiceberg(t, questions...)
	for i, a := range answers {
		if len(a.Wrong) > 0 {
			t.Errorf("%s: %s", of[i], strings.Join(a.Wrong, "\n"))
		}
		if diff := cmp.Diff(answers[same[i]].IDs, a.IDs); diff != "" {
			t.Errorf("%s, where %q (-unpartitioned +partitioned): %s", of[i], questions[i].Filter, diff)
		}
	}
	if len(answers[0].IDs) != n {
		t.Errorf("%d rows of %d", len(answers[0].IDs), n)
	}
}
