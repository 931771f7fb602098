package schema_test

import (
	"fmt"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

func partitioned(fields ...schema.PartitionField) *schema.Table {
	return &schema.Table{Partition: fields, Columns: []schema.Column{
		{Name: "id", Type: plain(schema.Long)}, {Name: "country", Type: plain(schema.String)}, {Name: "at", Type: plain(schema.Timestamp)},
		{Name: "ok", Type: plain(schema.Boolean)}, {Name: "price", Type: decimal(30, 2)}, {Name: "raw", Type: plain(schema.Binary)},
	}}
}

func show(p schema.PartitionValues) string {
	out := ""
	for _, v := range p {
		if v == nil {
			out += "NULL,"
		} else {
			out += *v + ","
		}
	}
	return out
}

func TestPartitioner(t *testing.T) {
	t.Parallel()
	table := partitioned(schema.PartitionField{Column: "country", Transform: schema.Identity}, schema.PartitionField{Column: "at", Transform: schema.Day},
		schema.PartitionField{Column: "ok", Transform: schema.Identity}, schema.PartitionField{Column: "price", Transform: schema.Truncate, Width: 100}, schema.PartitionField{Column: "raw", Transform: schema.Identity})
	p, err := schema.NewPartitioner(table)
	if err != nil {
		t.Fatal(err)
	}
	batch := column.NewBatch(table.Kinds(), 0)
	add := func(country string, at int64, ok bool, price int64, raw string) {
		batch.Columns[0].Int64s = append(batch.Columns[0].Int64s, 0)
		batch.Columns[0].Append()
		if country == "" {
			batch.Columns[1].AppendNull()
		} else {
			batch.Columns[1].Data = append(batch.Columns[1].Data, country...)
			batch.Columns[1].Append()
		}
		if at == 0 {
			batch.Columns[2].AppendNull()
		} else {
			batch.Columns[2].Int64s = append(batch.Columns[2].Int64s, at)
			batch.Columns[2].Append()
		}
		batch.Columns[3].Bools = append(batch.Columns[3].Bools, ok)
		batch.Columns[3].Append()
		batch.Columns[4].Wides = append(batch.Columns[4].Wides, column.WideOf(price))
		batch.Columns[4].Append()
		batch.Columns[5].Data = append(batch.Columns[5].Data, raw...)
		batch.Columns[5].Append()
	}
	add("de", 1, true, 150, "\xff")
	add("de", 86399999999, true, 199, "\xff")
	add("", 1, true, -1, "\xff")
	add("de", 0, true, 150, "\xff")
	add("de", 0, false, 150, "\xff")
	groups, err := p.Groups(batch, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []uint32{0, 0, 1, 2, 3}
	wantValues := []string{"de,0,true,100,ff,", "NULL,0,true,-100,ff,", "de,NULL,true,100,ff,", "de,NULL,false,100,ff,"}
	if fmt.Sprint(groups) != fmt.Sprint(want) || p.Len() != 4 {
		t.Fatalf("groups %v of %d", groups, p.Len())
	}
	for i, text := range wantValues {
		if got := show(p.Partition(uint32(i))); got != text {
			t.Errorf("partition %d is %s, want %s", i, got, text)
		}
	}
	batch.Reset()
	add("fr", 1, true, 150, "\xff")
	add("de", 0, false, 100, "\xff")
	if groups, err = p.Groups(batch, groups); err != nil || fmt.Sprint(groups) != "[4 3]" {
		t.Errorf("numbers of a second batch are %v, %v", groups, err)
	}
}

func TestPartitionerOfAnUnpartitionedTable(t *testing.T) {
	t.Parallel()
	table := partitioned()
	p, err := schema.NewPartitioner(table)
	if err != nil {
		t.Fatal(err)
	}
	batch := column.NewBatch(table.Kinds(), 0)
	for range 3 {
		for _, v := range batch.Columns {
			v.AppendNull()
		}
	}
	groups, err := p.Groups(batch, nil)
	if err != nil || fmt.Sprint(groups) != "[0 0 0]" || p.Len() != 1 || len(p.Partition(0)) != 0 {
		t.Errorf("%v, %v, %d", groups, err, p.Len())
	}
}

func TestPartitionTypesRefuse(t *testing.T) {
	t.Parallel()
	for _, fields := range [][]schema.PartitionField{
		{{Column: "gone", Transform: schema.Identity}},
		{{Column: "country", Transform: schema.Day}},
		{{Column: "at", Transform: schema.Day}, {Column: "at", Transform: schema.Month}},
		{{Column: "id", Transform: schema.Bucket, Width: 2}, {Column: "id", Transform: schema.Bucket, Width: 4}},
		{{Column: "id", Transform: "week"}},
	} {
		if _, err := partitioned(fields...).PartitionTypes(); err == nil {
			t.Errorf("%v is taken", fields)
		}
	}
}

func BenchmarkPartitioner(b *testing.B) {
	table := partitioned(schema.PartitionField{Column: "at", Transform: schema.Day}, schema.PartitionField{Column: "id", Transform: schema.Bucket, Width: 16})
	p, err := schema.NewPartitioner(table)
	if err != nil {
		b.Fatal(err)
	}
	batch := column.NewBatch(table.Kinds(), 0)
	for i := range 8192 {
		for at, v := range batch.Columns {
			if at == 0 || at == 2 {
				v.Int64s = append(v.Int64s, int64(i)*1_000_000_000)
				v.Append()
			} else {
				v.AppendNull()
			}
		}
	}
	var groups []uint32
	b.ReportAllocs()
	for b.Loop() {
		if groups, err = p.Groups(batch, groups); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/8192, "ns/row")
}
