package postgres_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// The digits of numeric columns are counted exactly, on every version, of the rows that meet the filter.
func TestObserve(t *testing.T) {
	t.Parallel()
	eachVersion(t, func(t *testing.T, p *place) {
		t.Helper()
		s := p.session()
		s.sql(`CREATE DOMAIN d AS numeric CHECK (VALUE < 1e100)`, `CREATE TABLE o (id int, none numeric, zero numeric, small numeric, large d, "we""ird" numeric, odd numeric)`,
			`INSERT INTO o VALUES (1, NULL, 0, 0.000001, 99999999999999999999999999999, -12.50, 1), (2, NULL, 0.00, -1e-20, -1e29, 5, 1), (3, NULL, NULL, 0.5, 1, 1234.5, 'NaN')`)
		snapshot, err := postgres.Begin(t.Context(), p.connection, p.login)
		if err != nil {
			t.Fatal(err)
		}
		defer snapshot.Close(t.Context())
		source := spec.DatabaseSource{Schema: "public", Table: "o"}
		declared := map[string]spec.Column{}
		for _, name := range []string{"none", "zero", "small", "large", `we"ird`, "odd"} {
			declared[name] = spec.Column{Type: spec.ObservedDecimal}
		}
		described, err := snapshot.Describe(t.Context(), &source, nil, declared)
		if err != nil {
			t.Fatal(err)
		}
		columns := described.Schema.Columns[1:]
		filter := []spec.Predicate{{Column: "id", Op: "<", Value: "3"}}
		got, err := snapshot.Observe(t.Context(), source, filter, columns)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]*schema.Digits{nil, {Before: 0, Behind: 2}, {Before: 0, Behind: 20}, {Before: 30}, {Before: 2, Behind: 2}, {Before: 1}}, got); diff != "" {
			t.Error(diff)
		}
		if got, err = snapshot.Observe(t.Context(), source, nil, columns[4:5]); err != nil || *got[0] != (schema.Digits{Before: 4, Behind: 2}) {
			t.Errorf("without the filter: %+v, %v", got, err)
		}
		if _, err = snapshot.Observe(t.Context(), source, nil, columns); err == nil || !strings.Contains(err.Error(), `column "odd" has 1 values that are no number, such as NaN, which no decimal holds`) {
			t.Errorf("NaN: %v", err)
		}
	})
}
