package spec_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

func validDiscovery() spec.Discovery {
	rows := int64(1000)
	d := spec.Discovery{
		V: 1, Connection: "shop-db", Engine: "postgresql", Database: "shop", TakenAt: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC), Include: []string{"*.*"},
		Tables: []spec.DiscoveredTable{{
			Schema: "public", Table: "orders", Kind: spec.KindOrdinary, EstimatedRows: &rows, PrimaryKey: []string{"id"},
			Columns: []spec.DiscoveredColumn{{Name: "id", Type: "bigint", LakeType: "long", TargetName: "id"}},
			Suggested: spec.Suggestion{
				Name: "public.orders", TargetTable: "orders", Extract: spec.SuggestedExtract{Mode: "incremental", Horizon: "xmin"},
				StorageMode: "current_snapshot", PrimaryKey: []string{"id"}, Reason: "because",
			},
		}},
	}
	d.Normalize()
	return d
}

func TestDiscoveriesRoundTrip(t *testing.T) {
	t.Parallel()
	text := rapid.StringMatching(`[^\x00]{0,20}`)
	rapid.Check(t, func(t *rapid.T) {
		want := validDiscovery()
		want.Connection = rapid.SampledFrom([]string{"", "shop-db"}).Draw(t, "connection")
		want.InRecovery = rapid.Bool().Draw(t, "recovery")
		want.Tables = []spec.DiscoveredTable{}
		for i := range rapid.IntRange(0, 3).Draw(t, "tables") {
			table := validDiscovery().Tables[0]
			table.Schema, table.Table = identifier.Draw(t, "schema"), fmt.Sprintf("%d%s", i, identifier.Draw(t, "table"))
			table.Kind, table.Comment, table.Problem = rapid.SampledFrom(spec.TableKinds).Draw(t, "kind"), text.Draw(t, "comment"), text.Draw(t, "problem")
			table.Suggested.Name, table.Suggested.TargetTable = spec.SuggestName(table.Schema, table.Table), spec.SuggestTarget(table.Schema, table.Table)
			if rapid.Bool().Draw(t, "unknown") {
				table.EstimatedRows = nil
			}
			if n := len(want.Tables); n == 0 || want.Tables[n-1].Schema <= table.Schema {
				want.Tables = append(want.Tables, table)
			}
		}
		data, err := want.Encode()
		if err != nil {
			t.Fatal(err)
		}
		got, err := spec.DecodeDiscovery(data)
		if err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
		same(t, want, *got)
	})
}

func TestDiscoveriesAreStrict(t *testing.T) {
	t.Parallel()
	valid := validDiscovery()
	data, err := valid.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ old, fresh, want string }{
		{`"v":1`, `"v":2`, `reading discovery "shop-db": its document has version 2 and this release reads versions up to 1`},
		{`"v":1`, `"v":0`, "versions start at 1"},
		{`"engine"`, `"engin"`, `engin: is not a field; did you mean "engine"?`},
		{`"postgresql"`, `"postgres"`, `engine: "postgres" is not known; did you mean "postgresql"?`},
		{`"taken_at":"2026-11-21T12:00:00Z"`, `"taken_at":"yesterday"`, `cannot parse "yesterday"`},
		{`"taken_at":"2026-11-21T12:00:00Z",`, ``, "taken_at: it is missing"},
		{`"include":["*.*"]`, `"include":["orders"]`, `include[0]: "orders" names no schema`},
		{`"kind":"table"`, `"kind":"tables"`, `tables[0].kind: "tables" is not known; did you mean "table"?`},
		{`"schema":"public"`, `"schema":""`, `tables[0].schema: "" is not the name of a schema`},
		{`"estimated_rows":1000`, `"estimated_rows":-1`, "tables[0].estimated_rows: -1 is below 0"},
		{`"estimated_rows":1000`, `"estimated_rows":"1000"`, "estimated_rows"},
		{`"lake_type":"long"`, `"lake_type":"longer"`, `tables[0].columns[0].lake_type: "longer" is not known`},
		{`"target_name":"id"`, `"target_name":""`, "tables[0].columns[0].target_name: it is missing"},
		{`"target_table":"orders"`, `"target_table":"Orders"`, `tables[0].suggested.target_table: "Orders" is not a name Athena reads unquoted`},
		{`"name":"public.orders"`, `"name":"public orders"`, "tables[0].suggested.name"},
		{`"horizon":"xmin"`, `"horizon":"xmax"`, `tables[0].suggested.extract.horizon: "xmax" is not known; did you mean "xmin"?`},
		{`"unique_keys":[]`, `"unique_keys":[["uid"]]`, `tables[0]: a key or cursor of it names "uid", which is none of its columns`},
		{`"password"`, `"password"`, ""},
		{`"connection":"shop-db"`, `"connection":"shop-db","password":"sesame"`, "password: is not a field"},
	} {
		changed := strings.Replace(string(data), tc.old, tc.fresh, 1)
		if _, err := spec.DecodeDiscovery([]byte(changed)); tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) || err != nil && strings.Contains(err.Error(), "sesame") {
			t.Errorf("%s: %v", tc.fresh, err)
		}
	}
	var newer *spec.NewerError
	if _, err := spec.DecodeDiscovery([]byte(`{"v":7,"connection":"shop-db","unheard_of":1}`)); !errors.As(err, &newer) || newer.Name != "shop-db" {
		t.Errorf("a newer document: %v", err)
	}
	twice := validDiscovery()
	twice.Tables = append(twice.Tables, twice.Tables[0])
	if _, err := twice.Encode(); err == nil || !strings.Contains(err.Error(), `tables[1]: "public"."orders" does not come behind "public"."orders"`) {
		t.Errorf("a table that stands twice: %v", err)
	}
	if _, err := spec.DecodeDiscovery(make([]byte, spec.MaxDiscovery+1)); err == nil || !strings.Contains(err.Error(), "at most 67108864 are read") {
		t.Errorf("a huge document: %v", err)
	}
	broken := validDiscovery()
	for len(broken.Tables) < 1000 {
		broken.Tables = append(broken.Tables, spec.DiscoveredTable{})
	}
	var invalid *spec.InvalidError
	if _, err := broken.Encode(); !errors.As(err, &invalid) || len(invalid.Problems) != 20 {
		t.Errorf("a thousand broken tables: %v", err)
	}
}

// Whatever the bytes, they are a valid document, which is written and read again as it is, or an error.
func FuzzDecodeDiscovery(f *testing.F) {
	valid := validDiscovery()
	data, err := valid.Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"v":1}`))
	f.Add([]byte(strings.Replace(string(data), `"unique_keys":[]`, `"unique_keys":[["id"],null]`, 1)))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := spec.DecodeDiscovery(data)
		if err != nil {
			return
		}
		written, err := d.Encode()
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		again, err := spec.DecodeDiscovery(written)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if second, err := again.Encode(); err != nil || string(second) != string(written) {
			t.Fatalf("%s became %s, %v", written, second, err)
		}
	})
}

func TestDiscoveryAddresses(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"s3://acme-artifacts/lakeland/":       "s3://acme-artifacts/lakeland/discovery/shop/shop-db.json",
		"s3://acme-artifacts/lakeland":        "s3://acme-artifacts/lakeland/discovery/shop/shop-db.json",
		"s3://acme-artifacts":                 "s3://acme-artifacts/discovery/shop/shop-db.json",
		"s3://acme-artifacts/x/my.json":       "s3://acme-artifacts/x/my.json",
		"s3://acme-artifacts/my.json":         "s3://acme-artifacts/my.json",
		"https://acme-artifacts/my.json":      "",
		"/home/x/my.json":                     "",
		"s3://acme-artifacts//my.json":        "",
		"s3://acme-artifacts/../my.json":      "",
		"s3://":                               "",
		"s3://Acme/discovery/shop/shop.json":  "",
		"s3://acme-artifacts/a\nb/shop.json":  "",
		"s3://acme-artifacts/lakeland/.json":  "s3://acme-artifacts/lakeland/.json",
		"s3://acme-artifacts/a/b/c/d/e/.json": "s3://acme-artifacts/a/b/c/d/e/.json",
	} {
		got, err := spec.DiscoveryAt(address, "shop", "shop-db")
		if want == "" && err == nil || want != "" && (err != nil || got.String() != want) {
			t.Errorf("%q is %s, %v", address, got, err)
		}
	}
}

// Plain tables have the names that everybody expects, and others names that never change.
func TestSuggestedNames(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ schema, table, key, name, target string }{
		{"public", "orders", "public.orders", "public.orders", "orders"},
		{"sales", "orders", "sales.orders", "sales.orders", "sales__orders"},
		{"sales_eu", "order_items2", "sales_eu.order_items2", "sales_eu.order_items2", "sales_eu__order_items2"},
		{"public", "Orders", "public.Orders", "public.Orders", "orders__0eff3f5f229"},
		{"public", "sales__orders", "public.sales__orders", "public.sales__orders", "sales_orders__00da0062876"},
		{"a.b", "c", `a\.b.c`, "_a_b._c.8b745bb4ec", "a_b__c__08b745bb4ec"},
		{"a", "b.c", "a.b.c", "_a._b_c.ad8a94abc8", "a__b_c__0ad8a94abc8"},
		{"public", "日本", "public.日本", "_public.___.ce328b1524", "t__0ce328b1524"},
	} {
		key, name, target := spec.TableKey(tc.schema, tc.table), spec.SuggestName(tc.schema, tc.table), spec.SuggestTarget(tc.schema, tc.table)
		if key != tc.key || name != tc.name || target != tc.target {
			t.Errorf("%q.%q is %q, %q, %q", tc.schema, tc.table, key, name, target)
		}
	}
}

// No two tables share a key, a name or a target, and all that is suggested is accepted.
func TestSuggestedNamesAreOnesOwn(t *testing.T) {
	t.Parallel()
	odd := rapid.StringMatching(`[aB_.\\0é ]{1,5}`)
	rapid.Check(t, func(t *rapid.T) {
		a, b := [2]string{odd.Draw(t, "schema"), odd.Draw(t, "table")}, [2]string{odd.Draw(t, "another schema"), odd.Draw(t, "another table")}
		if rapid.Bool().Draw(t, "public") {
			a[0] = "public"
		}
		for what, of := range map[string]func(schema, table string) string{"key": spec.TableKey, "name": spec.SuggestName, "target": spec.SuggestTarget} {
			if a != b && of(a[0], a[1]) == of(b[0], b[1]) {
				t.Errorf("%q and %q have the %s %q", a, b, what, of(a[0], a[1]))
			}
		}
		d := validDiscovery()
		d.Tables[0].Schema, d.Tables[0].Table = a[0], a[1]
		d.Tables[0].Suggested.Name, d.Tables[0].Suggested.TargetTable = spec.SuggestName(a[0], a[1]), spec.SuggestTarget(a[0], a[1])
		if wrong := d.Validate(); len(wrong) > 0 {
			t.Error(wrong)
		}
	})
}

func TestSourceSchemas(t *testing.T) {
	t.Parallel()
	valid := spec.SourceSchema{Tracking: "shop", Connection: "shop-db", Include: []string{"public.*"}, Document: "s3://acme-artifacts/lakeland/"}
	if wrong := valid.Validate(); len(wrong) > 0 {
		t.Error(wrong)
	}
	broken := spec.SourceSchema{Tracking: "Shop", Connection: "Shop", Include: []string{"orders"}, Exclude: []string{"x.y", "z"}, Document: "shop.json"}
	var at []string
	for _, p := range broken.Validate() {
		at = append(at, p.Path.String())
	}
	if got := strings.Join(at, " "); got != "tracking connection_name include[0] exclude[1] document" {
		t.Errorf("wrong are %s", got)
	}
}
