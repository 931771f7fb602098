package schema_test

import (
	"strings"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

func numeric(p, s int) int32 { return int32(p<<16|(s&0x7ff)) + 4 }

func TestFromPostgres(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		typ  schema.PostgresType
		want string
	}{
		{schema.PostgresType{OID: schema.OIDBool, Modifier: -1, Class: schema.Base}, "boolean"},
		{schema.PostgresType{OID: schema.OIDInt2, Modifier: -1, Class: schema.Base}, "int"},
		{schema.PostgresType{OID: schema.OIDInt8, Modifier: -1, Class: schema.Base}, "long"},
		{schema.PostgresType{OID: schema.OIDFloat4, Modifier: -1, Class: schema.Base}, "float"},
		{schema.PostgresType{OID: schema.OIDVarchar, Modifier: 24, Class: schema.Base}, "string"},
		{schema.PostgresType{OID: schema.OIDTimestampTZ, Modifier: 3, Class: schema.Base}, "timestamptz"},
		{schema.PostgresType{OID: schema.OIDNumeric, Modifier: numeric(8, 2), Class: schema.Base}, "decimal(8,2)"},
		{schema.PostgresType{OID: schema.OIDNumeric, Modifier: numeric(38, 38), Class: schema.Base}, "decimal(38,38)"},
		{schema.PostgresType{OID: schema.OIDNumeric, Modifier: numeric(1, 0), Class: schema.Base}, "decimal(1,0)"},
		{schema.PostgresType{OID: schema.OIDNumeric, Modifier: numeric(5, -2), Class: schema.Base}, "decimal(7,0)"},
		{schema.PostgresType{OID: schema.OIDNumeric, Modifier: numeric(3, 5), Class: schema.Base}, "decimal(5,5)"},
		{schema.PostgresType{OID: schema.OIDNumeric, Modifier: numeric(30, -9), Class: schema.Base}, "string"},
		{schema.PostgresType{OID: schema.OIDNumeric, Modifier: numeric(30, 39), Class: schema.Base}, "string"},
		{schema.PostgresType{OID: schema.OIDNumeric, Modifier: numeric(1000, 0), Class: schema.Base}, "string"},
		{schema.PostgresType{OID: schema.OIDNumeric, Modifier: -1, Class: schema.Base}, "string"},
		{schema.PostgresType{OID: 790, Class: schema.Base}, "decimal(19,2) as numeric"},
		{schema.PostgresType{OID: schema.OIDXID8, Class: schema.Base}, "decimal(20,0)"},
		{schema.PostgresType{OID: 1007, Name: "_int4", Class: schema.Array}, "string as json"},
		{schema.PostgresType{OID: schema.OIDInt2Vector, Name: "int2vector", Class: schema.Array}, "string as text"},
		{schema.PostgresType{OID: 20001, Name: "mood", Class: schema.Enum}, "string as text"},
		{schema.PostgresType{OID: 20001, Name: "hstore", Class: schema.Base}, "string as json"},
		{schema.PostgresType{OID: 20001, Name: "hstore", Class: schema.Composite}, "string as json"},
		{schema.PostgresType{OID: 20001, Name: "citext", Class: schema.Enum}, "string as text"},
		{schema.PostgresType{OID: 20001, Name: "vector", Class: schema.Base}, "string as text, unknown"},
		{schema.PostgresType{OID: 9999, Name: "hstore", Class: schema.Base}, "string as text, unknown"},
	} {
		got := schema.FromPostgres(tc.typ)
		words := got.Type.String()
		if got.Form != schema.FormBinary {
			words += " as " + string(got.Form)
		}
		if got.Unknown {
			words += ", unknown"
		}
		if words != tc.want {
			t.Errorf("%+v is %s, want %s", tc.typ, words, tc.want)
		}
	}
}

func TestDeclare(t *testing.T) {
	t.Parallel()
	free := schema.PostgresType{OID: schema.OIDNumeric, Modifier: -1, Class: schema.Base}
	for _, tc := range []struct {
		typ            schema.PostgresType
		declared, want string
	}{
		{free, "decimal(18,4)", ""},
		{free, "string", ""},
		{free, "double", "cannot be declared as double, which would not hold its values exactly: declare it as string or decimal(p,s) or long"},
		{schema.PostgresType{OID: schema.OIDInt8, Class: schema.Base}, "int", "declare it as long or decimal(p,s) or string"},
		{schema.PostgresType{OID: schema.OIDInt8, Class: schema.Base}, "double", "cannot be declared as double"},
		{schema.PostgresType{OID: schema.OIDTimestamp, Class: schema.Base}, "timestamptz", "cannot be declared as timestamptz"},
		{schema.PostgresType{OID: 20001, Class: schema.Array}, "binary", "cannot be declared as binary"},
		{schema.PostgresType{OID: schema.OIDDate, Class: schema.Base}, "string", ""},
	} {
		declared, err := schema.ParseType(tc.declared)
		if err != nil {
			t.Fatal(err)
		}
		got, err := schema.Declare(tc.typ, declared)
		switch {
		case tc.want == "" && (err != nil || got.Type != declared):
			t.Errorf("%+v as %s: %+v, %v", tc.typ, tc.declared, got, err)
		case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
			t.Errorf("%+v as %s: %v, want %q", tc.typ, tc.declared, err, tc.want)
		}
	}
}

func TestParseType(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"boolean", "int", "long", "float", "double", "date", "timestamp", "timestamptz", "string", "binary", "decimal(38,38)", "decimal(1,0)"} {
		if got, err := schema.ParseType(text); err != nil || got.String() != text {
			t.Errorf("%s is read as %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "uuid", "decimal", "decimal(39,0)", "decimal(0,0)", "decimal(5,6)", "decimal(5,-1)", "decimal(5, 2)", "decimal(05,2)", "decimal(5,2)x", "LONG"} {
		if got, err := schema.ParseType(text); err == nil {
			t.Errorf("%q is read as %s", text, got)
		}
	}
}
