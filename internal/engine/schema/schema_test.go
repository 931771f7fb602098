package schema_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

func TestFromPostgres(t *testing.T) {
	t.Parallel()
	numeric := func(p, s int) int32 { return int32(p<<16|(s&0x7ff)) + 4 }
	for _, tc := range []struct {
		name     string
		oid      uint32
		modifier int32
		want     string
	}{
		{"bool", schema.OIDBool, -1, "boolean"},
		{"int2", schema.OIDInt2, -1, "int"},
		{"int4", schema.OIDInt4, -1, "int"},
		{"int8", schema.OIDInt8, -1, "long"},
		{"float4", schema.OIDFloat4, -1, "float"},
		{"float8", schema.OIDFloat8, -1, "double"},
		{"text", schema.OIDText, -1, "string"},
		{"varchar(20)", schema.OIDVarchar, 24, "string"},
		{"char(2)", schema.OIDBPChar, 6, "string"},
		{"date", schema.OIDDate, -1, "date"},
		{"timestamp", schema.OIDTimestamp, -1, "timestamp"},
		{"timestamptz(3)", schema.OIDTimestampTZ, 3, "timestamptz"},
		{"numeric(8,2)", schema.OIDNumeric, numeric(8, 2), "decimal(8,2)"},
		{"numeric(38,38)", schema.OIDNumeric, numeric(38, 38), "decimal(38,38)"},
		{"numeric(1,0)", schema.OIDNumeric, numeric(1, 0), "decimal(1,0)"},
	} {
		got, err := schema.FromPostgres(tc.oid, tc.modifier)
		if err != nil || got.String() != tc.want {
			t.Errorf("%s is %s, %v; want %s", tc.name, got, err, tc.want)
		}
	}
	for _, tc := range []struct {
		oid      uint32
		modifier int32
		want     string
	}{
		{schema.OIDNumeric, -1, "without precision"},
		{schema.OIDNumeric, numeric(39, 0), "more than 38 digits"},
		{schema.OIDNumeric, numeric(5, -2), "numeric(5,-2) has a scale outside"},
		{schema.OIDNumeric, numeric(3, 5), "numeric(3,5) has a scale outside"},
		{2950, -1, "no mapping yet"},
	} {
		if got, err := schema.FromPostgres(tc.oid, tc.modifier); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("oid %d modifier %d is %s, %v; want an error with %q", tc.oid, tc.modifier, got, err, tc.want)
		}
	}
}

func TestEvolve(t *testing.T) {
	t.Parallel()
	column := func(id, number int, name string, typ schema.Type) schema.Column {
		return schema.Column{Name: name, Type: typ, FieldID: id, Source: &schema.SourceColumn{Name: name, Number: number, Type: "pg " + typ.String()}}
	}
	integer, long, text := schema.Type{ID: schema.Int}, schema.Type{ID: schema.Long}, schema.Type{ID: schema.String}
	decimal := func(p, s int) schema.Type { return schema.Type{ID: schema.Decimal, Precision: p, Scale: s} }
	lake := schema.Table{Identity: "16385", Columns: []schema.Column{column(1, 1, "id", integer), column(2, 2, "note", text), column(3, 3, "amount", decimal(8, 2))}}
	for _, tc := range []struct {
		name     string
		identity string
		source   []schema.Column
		fresh    bool
		want     string // columns as name:type:id, or the error
	}{
		{"nothing changed", "16385", []schema.Column{column(0, 1, "id", integer), column(0, 2, "note", text), column(0, 3, "amount", decimal(8, 2))}, false, "id:int:1 note:string:2 amount:decimal(8,2):3"},
		{"added in the middle", "16385", []schema.Column{column(0, 1, "id", integer), column(0, 4, "more", text), column(0, 2, "note", text), column(0, 3, "amount", decimal(8, 2))}, false, "id:int:1 more:string:0 note:string:2 amount:decimal(8,2):3"},
		{"renamed", "16385", []schema.Column{column(0, 1, "id", integer), column(0, 2, "remark", text), column(0, 3, "amount", decimal(8, 2))}, false, "id:int:1 remark:string:2 amount:decimal(8,2):3"},
		{"names swapped", "16385", []schema.Column{column(0, 1, "note", integer), column(0, 2, "id", text), column(0, 3, "amount", decimal(8, 2))}, false, "note:int:1 id:string:2 amount:decimal(8,2):3"},
		{"dropped", "16385", []schema.Column{column(0, 1, "id", integer), column(0, 3, "amount", decimal(8, 2))}, false, "id:int:1 amount:decimal(8,2):3 note:string:2"},
		{"widened", "16385", []schema.Column{column(0, 1, "id", long), column(0, 2, "note", text), column(0, 3, "amount", decimal(20, 2))}, false, "id:long:1 note:string:2 amount:decimal(20,2):3"},
		{"narrowed", "16385", []schema.Column{column(0, 1, "id", integer), column(0, 2, "note", text), column(0, 3, "amount", decimal(7, 2))}, false, `column "amount" was pg decimal(8,2) (decimal(8,2)) and is pg decimal(7,2) (decimal(7,2)) now`},
		{"rescaled", "16385", []schema.Column{column(0, 1, "id", integer), column(0, 2, "note", text), column(0, 3, "amount", decimal(9, 3))}, false, "set reload to a new value"},
		{"dropped and added under its name", "16385", []schema.Column{column(0, 1, "id", integer), column(0, 4, "note", text), column(0, 3, "amount", decimal(8, 2))}, false, "dropped column \"note\" and added another"},
		{"recreated", "16999", []schema.Column{column(0, 1, "id", integer)}, false, "dropped and created anew"},
		{"recreated, afresh", "16999", []schema.Column{column(0, 1, "id", integer)}, true, "id:int:0"},
		{"retyped, afresh", "16385", []schema.Column{column(0, 1, "id", text), column(0, 2, "note", text)}, true, "id:string:0 note:string:2"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := schema.Evolve(lake, schema.Table{Identity: tc.identity, Columns: tc.source}, tc.fresh)
			if err != nil {
				if !strings.Contains(err.Error(), tc.want) {
					t.Fatalf("got %v, want %q", err, tc.want)
				}
				return
			}
			var words []string
			for _, c := range got.Columns {
				words = append(words, c.Name+":"+c.Type.String()+":"+string(rune('0'+c.FieldID)))
			}
			if diff := cmp.Diff(tc.want, strings.Join(words, " ")); diff != "" {
				t.Fatal(diff)
			}
		})
	}
}
