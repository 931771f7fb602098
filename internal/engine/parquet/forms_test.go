package parquet

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

// What the documentation says of Parquet in Hudi is what is written.
func TestDocumentedFormsOfHudi(t *testing.T) {
	t.Parallel()
	for _, f := range schema.Forms() {
		typ := schema.Type{ID: f.ID}
		if f.ID == schema.Decimal {
			typ.Precision, typ.Scale = 5, 2
		}
		made, err := elements(&schema.Table{Layout: schema.LayoutHudi, Columns: []schema.Column{{Name: "c", Type: typ, Required: true}}})
		if err != nil {
			t.Fatal(err)
		}
		got := made[1].Type.V.String()
		if annotation := made[1].LogicalType.String(); annotation != "" {
			got += ", " + annotation
		}
		if want := strings.NewReplacer("(p,s)", "(5,2)").Replace(f.Hudi); got != want || made[1].RepetitionType.V.String() != "OPTIONAL" {
			t.Errorf("%s is written as %s, documented as %s", typ, got, want)
		}
	}
}

// What the documentation says of Parquet is what is written.
func TestDocumentedForms(t *testing.T) {
	t.Parallel()
	for _, f := range schema.Forms() {
		types := map[schema.Type]string{{ID: f.ID}: f.Parquet}
		if f.ID == schema.Decimal {
			physical, annotation, _ := strings.Cut(f.Parquet, "; ")
			types = map[schema.Type]string{}
			for precision, name := range map[int]string{9: "INT32", 18: "INT64", 19: "FIXED_LEN_BYTE_ARRAY"} {
				if !strings.Contains(physical, name) {
					t.Errorf("the decimals' %q lacks %s", physical, name)
				}
				types[schema.Type{ID: f.ID, Precision: precision, Scale: 2}] = name + ", " + strings.NewReplacer("p", fmt.Sprint(precision), "s", "2").Replace(annotation)
			}
		}
		for typ, want := range types {
			e, err := leaf(typ)
			if err != nil {
				t.Fatal(err)
			}
			got := e.Type.V.String()
			if annotation := e.LogicalType.String(); annotation != "" {
				got += ", " + annotation
			}
			if got != want {
				t.Errorf("%s is written as %s, documented as %s", typ, got, want)
			}
		}
	}
}
