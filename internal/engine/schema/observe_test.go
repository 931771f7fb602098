package schema_test

import (
	"strings"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

// What is observed and what the lake has make the type, in which both lie.
func TestObserve(t *testing.T) {
	t.Parallel()
	digits := func(before, behind int) *schema.Digits { return &schema.Digits{Before: before, Behind: behind} }
	typed := func(t schema.Type) *schema.Type { return &t }
	for name, tc := range map[string]struct {
		before *schema.Type
		values *schema.Digits
		want   string
	}{
		"new":                          {nil, digits(5, 2), "decimal(7,2)"},
		"zeros alone":                  {nil, digits(0, 0), "decimal(1,0)"},
		"fractions alone":              {nil, digits(0, 3), "decimal(3,3)"},
		"as many as there are":         {nil, digits(30, 8), "decimal(38,8)"},
		"one more":                     {nil, digits(30, 9), "needs 30 digits before the point and 9 behind it, and a decimal has 38: declare it as string"},
		"no value":                     {nil, nil, "has no value of which its decimal could be made"},
		"no value any more":            {typed(dec(7, 2)), nil, "decimal(7,2)"},
		"smaller values":               {typed(dec(7, 2)), digits(1, 0), "decimal(7,2)"},
		"larger values":                {typed(dec(7, 2)), digits(8, 1), "decimal(10,2)"},
		"finer values":                 {typed(dec(7, 2)), digits(1, 4), "decimal(9,4)"},
		"more than the lake's can":     {typed(dec(38, 10)), digits(29, 0), "needs 29 digits before the point and 10 behind it"},
		"the lake has it as something": {typed(str), digits(3, 1), "decimal(4,1)"},
	} {
		got, err := schema.Observe(col(0, 1, "x", dec(1, 0)), tc.before, tc.values)
		if err != nil && !strings.Contains(err.Error(), tc.want) || err == nil && got.String() != tc.want {
			t.Errorf("%s: %s, %v; want %s", name, got, err, tc.want)
		}
	}
}
