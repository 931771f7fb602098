package schema_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

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
