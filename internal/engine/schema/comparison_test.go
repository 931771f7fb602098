package schema_test

import (
	"strings"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

// A column that does not tell rows apart, or that is not in the source's order, as it lands is refused with what to declare.
func TestColumnsThatDoNotCompare(t *testing.T) {
	t.Parallel()
	free := schema.PostgresType{OID: schema.OIDNumeric, Modifier: -1, Class: schema.Base}
	for _, tc := range []struct {
		name          string
		typ           schema.PostgresType
		declared      string
		key, ordering string
	}{
		{"numeric", free, "", `declare it by columns = { "n" = { type = "decimal(p,s)" } } or columns = { "n" = { type = "long" } }, or name other columns as primary_key`, `declare it by columns = { "n" = { type = "decimal(p,s)" } }`},
		{"numeric", free, "decimal(38,9)", "", ""},
		{"numeric", free, "long", "", ""},
		{"numeric(8,2)", schema.PostgresType{OID: schema.OIDNumeric, Modifier: numeric(8, 2)}, "", "", ""},
		{"numeric(8,2)", schema.PostgresType{OID: schema.OIDNumeric, Modifier: numeric(8, 2)}, "string", "", `type = "decimal(p,s)"`},
		{"bigint", schema.PostgresType{OID: schema.OIDInt8, Modifier: -1}, "", "", ""},
		{"bigint", schema.PostgresType{OID: schema.OIDInt8, Modifier: -1}, "string", "", `declare it by columns = { "n" = { type = "long" } }`},
		{"real", schema.PostgresType{OID: schema.OIDFloat4, Modifier: -1}, "", "", ""},
		{"real", schema.PostgresType{OID: schema.OIDFloat4, Modifier: -1}, "string", `type = "float"`, `type = "float"`},
		{"text", schema.PostgresType{OID: schema.OIDText, Modifier: -1}, "", "", ""},
		{"character(4)", schema.PostgresType{OID: schema.OIDBPChar, Modifier: 8}, "", "", ""},
		{"bpchar", schema.PostgresType{OID: schema.OIDBPChar, Modifier: -1}, "", "name other columns as primary_key, or read a view", "name another column as ordering, or read a view"},
		{"date", schema.PostgresType{OID: schema.OIDDate, Modifier: -1}, "string", "", `type = "date"`},
		{"uuid", schema.PostgresType{OID: schema.OIDUUID, Modifier: -1}, "", "", ""},
		{"interval", schema.PostgresType{OID: 1186, Modifier: -1}, "", "name other columns", "name another column"},
		{"mood", schema.PostgresType{OID: 20001, Name: "mood", Class: schema.Enum}, "", "", "name another column"},
		{"vector", schema.PostgresType{OID: 20001, Name: "vector", Class: schema.Base}, "", "name other columns", "name another column"},
	} {
		r := schema.FromPostgres(tc.typ)
		if tc.declared != "" {
			declared, err := schema.ParseType(tc.declared)
			if err == nil {
				r, err = schema.Declare(tc.typ, declared)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		c := schema.Column{Name: "n", Type: r.Type, Source: &schema.SourceColumn{Name: "n", Type: tc.name, Comparison: r.Comparison}}
		for what, check := range map[string]struct {
			err  error
			want string
		}{"key": {schema.CheckKey(c), tc.key}, "ordering": {schema.CheckOrdering(c), tc.ordering}} {
			switch {
			case check.want == "" && check.err != nil:
				t.Errorf("%s, declared %q, as %s: %v", tc.name, tc.declared, what, check.err)
			case check.want != "" && (check.err == nil || !strings.Contains(check.err.Error(), check.want) || !strings.Contains(check.err.Error(), `column "n" of type `+tc.name)):
				t.Errorf("%s, declared %q, as %s: %v, not %q", tc.name, tc.declared, what, check.err, check.want)
			}
		}
	}
}
