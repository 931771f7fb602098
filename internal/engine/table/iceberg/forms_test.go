package iceberg

import (
	"strings"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// What the documentation says of Iceberg and the catalogue is what is written.
func TestDocumentedForms(t *testing.T) {
	t.Parallel()
	for _, f := range schema.Forms() {
		typ := schema.Type{ID: f.ID}
		if f.ID == schema.Decimal {
			typ.Precision, typ.Scale = 12, 2
		}
		digits := strings.NewReplacer("p", "12", "s", "2")
		if typ.ID != schema.Decimal {
			digits = strings.NewReplacer()
		}
		made, err := toIceberg(typ)
		if err != nil || made.String() != digits.Replace(f.Iceberg) || table.GlueType(typ) != digits.Replace(f.Glue) {
			t.Errorf("%s is written as %s and %s (%v), documented as %s and %s", typ, made, table.GlueType(typ), err, f.Iceberg, f.Glue)
		}
		if back, err := fromIceberg(made); err != nil || back != typ {
			t.Errorf("%s is read back as %s, %v", typ, back, err)
		}
	}
}
