package schema_test

import (
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

// A column that the engine wrote before is written for as long as it is wanted, whatever the lake's schema says of it.
func TestStampsThatAreWantedNoLonger(t *testing.T) {
	t.Parallel()
	lake := schema.Table{Columns: append([]schema.Column{{Name: "id", Type: schema.Type{ID: schema.Long}, Source: &schema.SourceColumn{Name: "id"}}}, schema.Stamps...)}
	got, err := schema.Stamped(lake, schema.Stamps[2:3])
	if err != nil || len(got.Columns) != 6 {
		t.Fatalf("%+v, %v", got, err)
	}
	for _, c := range got.Columns {
		if (c.Stamp != "") != (c.Name == "_lk_op") {
			t.Errorf("the column %s is written as %q", c.Name, c.Stamp)
		}
	}
}
