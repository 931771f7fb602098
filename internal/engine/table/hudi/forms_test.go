package hudi_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

// What the documentation says of the types in a table's schema is what is written, and the head says them again.
func TestDocumentedForms(t *testing.T) {
	t.Parallel()
	columns := schema.Table{Identity: "1", Key: []string{"id"}, Columns: []schema.Column{{Name: "id", Type: schema.Type{ID: schema.Long}, Source: &schema.SourceColumn{Name: "id", Number: 1}}}}
	want := map[string]string{}
	for i, f := range schema.Forms() {
		typ := schema.Type{ID: f.ID}
		if f.ID == schema.Decimal {
			typ.Precision, typ.Scale = 12, 2
		}
		name := "c_" + string(f.ID)
		want[name] = f.Avro
		columns.Columns = append(columns.Columns, schema.Column{Name: name, Type: typ, Source: &schema.SourceColumn{Name: name, Number: i + 2}})
	}
	b := newBench(t, columns)
	instant := b.load(false, []values{{"id": int64(1)}})
	var written struct {
		Fields []struct {
			Name string
			Type []json.RawMessage
		}
	}
	if err := json.Unmarshal([]byte(tableOf(t, b.store).commits[instant].Extra["schema"]), &written); err != nil {
		t.Fatal(err)
	}
	for _, f := range written.Fields {
		got := ""
		var named struct{ Type, LogicalType string }
		if json.Unmarshal(f.Type[1], &got) != nil {
			if err := json.Unmarshal(f.Type[1], &named); err != nil {
				t.Fatal(err)
			}
			got = strings.TrimSuffix(named.Type+", "+named.LogicalType, ", ")
		}
		if f.Name != "id" && (got != want[f.Name] || string(f.Type[0]) != `"null"`) {
			t.Errorf("%s is %s, documented as %s", f.Name, got, want[f.Name])
		}
		delete(want, f.Name)
	}
	if len(want) > 0 {
		t.Errorf("the schema lacks %v", want)
	}
	for _, c := range columns.Columns {
		if got, ok := b.head().Schema.Column(c.Name); !ok || got.Type != c.Type {
			t.Errorf("%s is %+v in the head", c.Name, got)
		}
	}
}
