package run_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/readback"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// landed is a type of PostgreSQL, what it is in the lake, and values: SQL, then the plain form of readback.
type landed struct {
	source string
	// declared is the type that the configuration gives; "" for none.
	declared string
	lake     string
	values   [][2]string
	// since is the server's major version that first has the type or its values; 0 for all.
	since int
}

// same are values whose plain form is how they are written in SQL.
func same(values ...string) [][2]string {
	out := make([][2]string, len(values))
	for i, v := range values {
		out[i] = [2]string{v, v}
	}
	return out
}

var typesNeed = []string{
	`CREATE EXTENSION hstore`, `CREATE EXTENSION citext`, `CREATE EXTENSION ltree`, `CREATE EXTENSION cube`, `CREATE EXTENSION seg`, `CREATE EXTENSION isn`,
	`CREATE TYPE mood AS ENUM ('sad', 'so ''so"', 'große Freude')`, `CREATE TYPE pair AS (n numeric, "the Text" text)`, `CREATE TYPE nest AS (p pair, a int[])`,
	`CREATE DOMAIN price AS numeric(10,2) CHECK (value >= 0)`, `CREATE DOMAIN dearer AS price CHECK (value > 100)`, `CREATE DOMAIN ints AS int[]`, `CREATE DOMAIN label AS text NOT NULL`,
	`CREATE TYPE floats AS RANGE (subtype = float8)`,
}

// A second 9999-12-31T23:59:59.999999 has these microseconds since 1970.
const lastMicro = "253402300799999999"

var landedTypes = slices.Concat(landedNumbers, landedTimes, landedTexts, landedStructures, landedOthers, landedDeclared)

var landedNumbers = []landed{
	{source: "boolean", lake: "boolean", values: same("true", "false")},
	{source: "smallint", lake: "int", values: same("-32768", "32767", "0")},
	{source: "integer", lake: "int", values: same("-2147483648", "2147483647", "-1")},
	{source: "bigint", lake: "long", values: same("-9223372036854775808", "9223372036854775807", "0")},
	{source: "real", lake: "float", values: [][2]string{{"NaN", "7fc00000"}, {"Infinity", "7f800000"}, {"-Infinity", "ff800000"}, {"-0", "80000000"}, {"1e-45", "00000001"}, {"3.4028235e38", "7f7fffff"}, {"0.1", "3dcccccd"}}},
	{source: "double precision", lake: "double", values: [][2]string{{"NaN", "7ff8000000000000"}, {"Infinity", "7ff0000000000000"}, {"-Infinity", "fff0000000000000"}, {"-0", "8000000000000000"}, {"5e-324", "0000000000000001"}, {"1.7976931348623157e308", "7fefffffffffffff"}, {"0.1", "3fb999999999999a"}}},
	{source: "numeric(1,0)", lake: "decimal(1, 0)", values: same("9", "-9", "0")},
	{source: "numeric(9,9)", lake: "decimal(9, 9)", values: same("0.999999999", "-0.999999999", "0.000000001")},
	{source: "numeric(18,4)", lake: "decimal(18, 4)", values: same("99999999999999.9999", "-99999999999999.9999", "-0.0001")},
	{source: "numeric(19,0)", lake: "decimal(19, 0)", values: same("9999999999999999999", "-9999999999999999999", "10000")},
	{source: "numeric(38,0)", lake: "decimal(38, 0)", values: same(strings.Repeat("9", 38), "-"+strings.Repeat("9", 38), "1")},
	{source: "numeric(38,38)", lake: "decimal(38, 38)", values: same("0."+strings.Repeat("9", 38), "-0."+strings.Repeat("0", 37)+"1")},
	{source: "numeric(5,-2)", lake: "decimal(7, 0)", since: 15, values: [][2]string{{"9999949", "9999900"}, {"-50", "-100"}, {"0", "0"}}},
	{source: "numeric(3,5)", lake: "decimal(5, 5)", since: 15, values: same("0.00999", "-0.00001")},
	{source: "numeric(39,1)", lake: "string", values: [][2]string{{strings.Repeat("9", 38) + ".9", strings.Repeat("9", 38) + ".9"}, {"1", "1.0"}}},
	{source: "numeric", lake: "string", values: [][2]string{
		{"0", "0"}, {"-0.000100", "-0.000100"}, {"10000", "10000"}, {"100000000", "100000000"}, {"NaN", "NaN"}, {"1.10", "1.10"}, {"-12345.6789", "-12345.6789"},
		{"1e131071", "1" + strings.Repeat("0", 131071)}, {"-1e-16383", "-0." + strings.Repeat("0", 16382) + "1"}, {"0.00", "0.00"},
	}},
	{source: "numeric", lake: "string", since: 14, values: same("Infinity", "-Infinity")},
	{source: "money", lake: "decimal(19, 2)", values: same("-92233720368547758.08", "92233720368547758.07", "0.01")},
	{source: "oid", lake: "long", values: same("4294967295", "0")},
	{source: "xid", lake: "long", values: same("4294967295", "3")},
	{source: "cid", lake: "long", values: same("4294967295", "0")},
	{source: "xid8", lake: "decimal(20, 0)", values: same("18446744073709551615", "0")},
}

var landedTimes = []landed{
	{source: "date", lake: "date", values: [][2]string{{"0001-01-01", "-719162"}, {"9999-12-31", "2932896"}, {"1969-12-31", "-1"}, {"1582-10-10", "-141432"}}},
	{source: "timestamp", lake: "timestamp", values: [][2]string{{"0001-01-01 00:00:00", "-62135596800000000"}, {"9999-12-31 23:59:59.999999", lastMicro}, {"1969-12-31 23:59:59.999999", "-1"}}},
	{source: "timestamptz", lake: "timestamptz", values: [][2]string{{"0001-01-01 00:00:00+00", "-62135596800000000"}, {"9999-12-31 23:59:59.999999+00", lastMicro}, {"1970-01-01 05:30:00.000001+05:30", "1"}}},
	{source: "timestamp(0)", lake: "timestamp", values: [][2]string{{"1970-01-01 00:00:01.6", "2000000"}}},
	{source: "time", lake: "string", values: same("00:00:00", "24:00:00", "23:59:59.999999", "04:05:06.7", "00:00:00.000001", "12:34:56.1002")},
	{source: "timetz", lake: "string", values: same("04:05:06.789-08", "23:59:59.999999+15:59:59", "00:00:00+00", "01:02:03+05:30")},
	{source: "interval", lake: "string", values: [][2]string{{"1 year 2 mons 3 days 04:05:06.5", "P1Y2M3DT4H5M6.5S"}, {"-1 mons +2 days -03:00", "P-1M2DT-3H"}, {"0", "PT0S"}, {"178000000 years", "P178000000Y"}, {"1 month", "P1M"}, {"30 days", "P30D"}}},
}

var landedTexts = []landed{
	{source: "text", lake: "string", values: [][2]string{{"", ""}, {"é日本🙂", "é日本🙂"}, {"a\tb\r\nc\"\\'", "a\tb\r\nc\"\\'"}, {" x ", " x "}, {strings.Repeat("é", 500_000), strings.Repeat("é", 500_000)}, {"NULL", "NULL"}}},
	{source: "varchar(20)", lake: "string", values: same("", "v", "éééééééééééééééééééé")},
	{source: "char(4)", lake: "string", values: [][2]string{{"ab", "ab  "}, {"", "    "}, {"日本", "日本  "}}},
	{source: "name", lake: "string", values: same(strings.Repeat("n", 63), "")},
	{source: `"char"`, lake: "string", values: same("a", "")},
	{source: "citext", lake: "string", values: same("CaSe", "")},
	{source: "bytea", lake: "binary", values: [][2]string{{`\x`, ""}, {`\x00ff10`, "00ff10"}, {`\x` + strings.Repeat("ab", 100_000), strings.Repeat("ab", 100_000)}}},
	{source: "uuid", lake: "string", values: [][2]string{{"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"}, {"{00000000000000000000000000000000}", "00000000-0000-0000-0000-000000000000"}, {"ffffffff-ffff-ffff-ffff-ffffffffffff", "ffffffff-ffff-ffff-ffff-ffffffffffff"}}},
	{source: "json", lake: "string", values: same(`{"b" : 1.50,  "a":null, "b":2}`, `null`, `""`, `[]`, `"é\u00e9"`)},
	{source: "jsonb", lake: "string", values: [][2]string{{`{"b" : 1.50,  "a":null, "b":2.0}`, `{"a": null, "b": 2.0}`}, {"null", "null"}, {"[]", "[]"}, {"123456789012345678901234567890.10", "123456789012345678901234567890.10"}}},
	{source: "jsonpath", lake: "string", values: [][2]string{{`$.a[*] ? (@ > 1)`, `$."a"[*]?(@ > 1)`}}},
	{source: "xml", lake: "string", values: same(`<a b="1">é</a>`, `<?xml version="1.0"?><a/>`, "")},
	{source: "tsvector", lake: "string", values: [][2]string{{"fat:2A cat:1", "'cat':1 'fat':2A"}, {"", ""}}},
	{source: "tsquery", lake: "string", values: [][2]string{{"fat & !cat", "'fat' & !'cat'"}}},
	{source: "mood", lake: "string", values: same("sad", `so 'so"`, "große Freude")},
}

var landedStructures = []landed{
	{source: "int[]", lake: "string", values: [][2]string{{"{}", "[]"}, {"{1,NULL,-3}", "[1,null,-3]"}, {"{{1,2},{3,NULL}}", "[[1,2],[3,null]]"}, {"{{{{{{1}}}}}}", "[[[[[[1]]]]]]"}, {"[0:1]={1,2}", "[1,2]"}, {"{NULL}", "[null]"}}},
	{source: "text[]", lake: "string", values: [][2]string{{`{"a,b","NULL",NULL,"\"q\\",""}`, `["a,b","NULL",null,"\"q\\",""]`}, {"{é}", `["é"]`}}},
	{source: "numeric[]", lake: "string", values: [][2]string{{"{1.50,NaN,-12345678901234567890.123456789012345678901234567890}", `[1.50,"NaN",-12345678901234567890.123456789012345678901234567890]`}}},
	{source: "float8[]", lake: "string", values: [][2]string{{"{0.1,Infinity,5e-324}", `[0.1,"Infinity",5e-324]`}}},
	{source: "bigint[]", lake: "string", values: [][2]string{{"{9223372036854775807}", "[9223372036854775807]"}}},
	{source: "timestamptz[]", lake: "string", values: [][2]string{{`{"2026-01-02 03:04:05.000006+00",infinity}`, `["2026-01-02T03:04:05.000006+00:00","infinity"]`}}},
	{source: "bytea[]", lake: "string", values: [][2]string{{`{"\\x00ff"}`, `["\\x00ff"]`}}},
	{source: "jsonb[]", lake: "string", values: [][2]string{{`{"{\"a\": 1}",null}`, `[{"a": 1},null]`}}},
	{source: "inet[]", lake: "string", values: [][2]string{{"{10.0.0.1,10.0.0.0/8}", `["10.0.0.1","10.0.0.0/8"]`}}},
	{source: "mood[]", lake: "string", values: [][2]string{{"{sad}", `["sad"]`}}},
	{source: "pair", lake: "string", values: [][2]string{{`(1.50,"a ""b"", c")`, `{"n":1.50,"the Text":"a \"b\", c"}`}, {"(,)", `{"n":null,"the Text":null}`}}},
	{source: "pair[]", lake: "string", values: [][2]string{{`{"(1,a)",NULL}`, `[{"n":1,"the Text":"a"},null]`}}},
	{source: "nest", lake: "string", values: [][2]string{{`("(1,a)","{1,2}")`, `{"p":{"n":1,"the Text":"a"},"a":[1,2]}`}}},
	{source: "price", lake: "decimal(10, 2)", values: same("99999999.99", "0.00")},
	{source: "dearer", lake: "decimal(10, 2)", values: same("100.01")},
	{source: "price[]", lake: "string", values: [][2]string{{"{1,2.5}", "[1.00,2.50]"}}},
	{source: "ints", lake: "string", values: [][2]string{{"{1,2}", "[1,2]"}}},
	{source: "hstore", lake: "string", values: [][2]string{{`a=>1, "b c"=>NULL, d=>"é\""`, `{"a": "1", "d": "é\"", "b c": null}`}, {"", "{}"}}},
	{source: "int4range", lake: "string", values: [][2]string{{"[1,10]", "[1,11)"}, {"empty", "empty"}, {"(,)", "(,)"}}},
	{source: "tstzrange", lake: "string", values: [][2]string{{"[2026-01-01 00:00+01,infinity)", `["2025-12-31 23:00:00+00",infinity)`}}},
	{source: "daterange", lake: "string", values: [][2]string{{"[0044-03-15 BC,2026-01-01)", `["0044-03-15 BC",2026-01-01)`}}},
	{source: "floats", lake: "string", values: [][2]string{{"[0.1,0.3]", "[0.1,0.3]"}}},
	{source: "int4multirange", lake: "string", since: 14, values: [][2]string{{"{[1,3),[5,7)}", "{[1,3),[5,7)}"}, {"{}", "{}"}}},
}

var landedOthers = []landed{
	{source: "inet", lake: "string", values: same("192.168.0.1", "10.1.2.3/8", "::1", "2001:db8::/32", "::ffff:1.2.3.4")},
	{source: "cidr", lake: "string", values: [][2]string{{"10.0.0.0/8", "10.0.0.0/8"}, {"192.168.1.1", "192.168.1.1/32"}}},
	{source: "macaddr", lake: "string", values: [][2]string{{"08-00-2B-01-02-03", "08:00:2b:01:02:03"}}},
	{source: "macaddr8", lake: "string", values: same("08:00:2b:01:02:03:04:05")},
	{source: "bit(5)", lake: "string", values: same("10110", "00000")},
	{source: "varbit", lake: "string", values: same("", "1")},
	{source: "point", lake: "string", values: same("(1.5,-0.1)", "(1e+300,5e-324)")},
	{source: "line", lake: "string", values: same("{1,-2,3}")},
	{source: "lseg", lake: "string", values: same("[(1,2),(3,4)]")},
	{source: "box", lake: "string", values: same("(3,4),(1,2)")},
	{source: "path", lake: "string", values: same("[(1,2),(3,4)]", "((1,2),(3,4))")},
	{source: "polygon", lake: "string", values: same("((0,0),(0.1,1),(1,0))")},
	{source: "circle", lake: "string", values: same("<(1,2),0.30000000000000004>")},
	{source: "pg_lsn", lake: "string", values: same("FFFFFFFF/FFFFFFFF", "0/0")},
	{source: "tid", lake: "string", values: same("(4294967295,65535)")},
	{source: "txid_snapshot", lake: "string", values: same("10:20:10,14,15")},
	{source: "pg_snapshot", lake: "string", values: same("10:20:10,14,15")},
	{source: "refcursor", lake: "string", values: same("a cursor")},
	{source: "int2vector", lake: "string", values: same("1 2 3", "")},
	{source: "oidvector", lake: "string", values: same("1 4294967295")},
	{source: "regclass", lake: "string", values: same("pg_class", `public."Odd ""one"`)},
	{source: "regtype", lake: "string", values: [][2]string{{"int4", "integer"}, {"public.mood", "public.mood"}}},
	{source: "regproc", lake: "string", values: same("now")},
	{source: "regnamespace", lake: "string", values: same("public")},
	{source: "ltree", lake: "string", values: same("top.science")},
	{source: "cube", lake: "string", values: same("(1, 2),(3, 4)")},
	{source: "seg", lake: "string", values: same("1 .. 2.50")},
	{source: "isbn13", lake: "string", values: same("978-0-393-04002-9")},
}

var landedDeclared = []landed{
	{source: "numeric", declared: "decimal(38,10)", lake: "decimal(38, 10)", values: [][2]string{{"1.5", "1.5000000000"}, {"-9999999999999999999999999999.9999999999", "-9999999999999999999999999999.9999999999"}}},
	{source: "numeric", declared: "long", lake: "long", values: [][2]string{{"9223372036854775807", "9223372036854775807"}, {"-9223372036854775808", "-9223372036854775808"}, {"1.0", "1"}}},
	{source: "numeric(12,2)", declared: "string", lake: "string", values: [][2]string{{"NaN", "NaN"}, {"1.5", "1.50"}}},
	{source: "bigint", declared: "decimal(38,2)", lake: "decimal(38, 2)", values: [][2]string{{"-9223372036854775808", "-9223372036854775808.00"}}},
	{source: "integer", declared: "long", lake: "long", values: same("-2147483648")},
	{source: "integer", declared: "decimal(12,2)", lake: "decimal(12, 2)", values: [][2]string{{"-2147483648", "-2147483648.00"}}},
	{source: "smallint", declared: "long", lake: "long", values: same("-32768")},
	{source: "smallint", declared: "decimal(5,0)", lake: "decimal(5, 0)", values: same("-32768")},
	{source: "real", declared: "double", lake: "double", values: [][2]string{{"0.1", "3fb99999a0000000"}, {"-Infinity", "fff0000000000000"}}},
	{source: "double precision", declared: "string", lake: "string", values: same("0.1", "NaN", "5e-324", "1.7976931348623157e+308")},
	{source: "boolean", declared: "string", lake: "string", values: same("true", "false")},
	{source: "money", declared: "string", lake: "string", values: same("-1234.50")},
	{source: "money", declared: "decimal(22,3)", lake: "decimal(22, 3)", values: [][2]string{{"-1234.5", "-1234.500"}}},
	{source: "date", declared: "string", lake: "string", values: same("infinity", "-infinity", "0044-03-15 BC", "5874897-12-31")},
	{source: "timestamp", declared: "long", lake: "long", values: [][2]string{{"1969-12-31 23:59:59.999999", "-1"}, {"9999-12-31 23:59:59.999999", lastMicro}}},
	{source: "timestamptz", declared: "long", lake: "long", values: [][2]string{{"1970-01-01 01:00:00.000001+01", "1"}}},
	{source: "timestamp", declared: "string", lake: "string", values: same("infinity", "0044-03-15 12:00:00.000001 BC", "294276-12-31 23:59:59.999999")},
	{source: "timestamptz", declared: "string", lake: "string", values: [][2]string{{"-infinity", "-infinity"}, {"2026-01-01 00:00+01", "2025-12-31 23:00:00+00"}}},
	{source: "time", declared: "long", lake: "long", values: [][2]string{{"24:00:00", "86400000000"}, {"00:00:00.000001", "1"}}},
	{source: "uuid", declared: "binary", lake: "binary", values: [][2]string{{"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "a0eebc999c0b4ef8bb6d6bb9bd380a11"}}},
	{source: "bytea", declared: "string", lake: "string", values: same(`\x00ff`, `\x`)},
	{source: "xid8", declared: "decimal(22,2)", lake: "decimal(22, 2)", values: [][2]string{{"18446744073709551615", "18446744073709551615.00"}}},
	{source: "oid", declared: "string", lake: "string", values: same("4294967295")},
}

// Every value of every type arrives as it is, by itself or as the configuration declares it, and two readers that
// are not ours agree on it.
func TestTypesLandExactly(t *testing.T) {
	t.Parallel()
	l, types, rows := landTypes(t, "iceberg")
	iceberg, err := l.reader().Iceberg(t.Context(), l.database+".types")
	l.must(err)
	for i, c := range types {
		if got := iceberg[0].Columns[i+1][1]; got != c.lake {
			t.Errorf("%s (declared %q) is %s in the lake, want %s", c.source, c.declared, got, c.lake)
		}
	}
	duck, err := l.reader().Parquet(t.Context(), "duckdb", l.download("raw/types/data/")...)
	l.must(err)
	for engine, got := range map[string]*readback.Table{"PyIceberg": &iceberg[0], "DuckDB": &duck[0]} {
		compareTypes(t, engine, types, rows, got)
	}
}

// So they do in Hudi, where DuckDB and pyarrow agree on them; the catalogue calls them as it does those of all tables.
func TestTypesLandExactlyInHudi(t *testing.T) {
	t.Parallel()
	l, types, rows := landTypes(t, "hudi")
	for _, engine := range []string{"duckdb", "pyarrow"} {
		got, err := l.reader().Parquet(t.Context(), engine, l.hudiFiles("types")...)
		l.must(err)
		if len(got) != 1 {
			t.Fatalf("there are %d files", len(got))
		}
		landed := got[0]
		landed.Columns = landed.Columns[5:] // Hudi's own are in front
		for i := range landed.Rows {
			landed.Rows[i] = landed.Rows[i][5:]
		}
		compareTypes(t, engine, types, rows, &landed)
	}
	entry := l.entryOf("types")
	for i, c := range types {
		typ, err := schema.ParseType(strings.ReplaceAll(c.lake, ", ", ","))
		l.must(err)
		if got := entry.Columns[i+6].Type; got != table.GlueType(typ) {
			t.Errorf("%s (declared %q) is %s in the catalogue, want %s", c.source, c.declared, got, c.lake)
		}
	}
}

// landTypes lands a column of each type, and a row for each of the values, behind a column id.
func landTypes(t *testing.T, format string) (l *lake, types []landed, rows int) {
	t.Helper()
	l = newLake(t, append(slices.Clone(typesNeed), `CREATE TABLE "Odd ""one" ()`)...)
	var version int
	l.query(&version, `SELECT current_setting('server_version_num')::int / 10000`)
	types = slices.DeleteFunc(slices.Clone(landedTypes), func(c landed) bool { return c.since > version })
	create := []string{"id int"}
	doc := l.source("types")
	doc.Target.Format, doc.PrimaryKey = format, []string{"id"}
	doc.Columns = map[string]spec.Column{}
	for i, c := range types {
		create = append(create, fmt.Sprintf("c%d %s", i, c.source))
		rows = max(rows, len(c.values)+1)
		if c.declared != "" {
			doc.Columns[fmt.Sprintf("c%d", i)] = spec.Column{Type: c.declared}
		}
	}
	l.sql(`CREATE TABLE types (` + strings.Join(create, ", ") + `)`)
	for row := range rows {
		values := []string{fmt.Sprint(row)}
		for _, c := range types {
			value := "NULL"
			if row < len(c.values) {
				value = "'" + strings.ReplaceAll(c.values[row][0], "'", "''") + "'::" + c.source
			}
			values = append(values, value)
		}
		l.sql(`INSERT INTO types VALUES (` + strings.Join(values, ", ") + `)`)
	}
	l.must(l.tracking.CreateTable(t.Context(), doc, sandbox.Account))
	l.must(l.runner().Table(t.Context(), "shop.types").Err)
	runs, err := l.tracking.Runs(t.Context(), "shop.types", 1)
	l.must(err)
	if w := runs[0].Notes; len(w) != 1 || !strings.Contains(w[0], "of the type public.isbn13, which lakeland does not know") {
		t.Errorf("history notes %q", w)
	}
	return l, types, rows
}

func compareTypes(t *testing.T, engine string, types []landed, rows int, got *readback.Table) {
	t.Helper()
	if len(got.Rows) != rows || len(got.Columns) != len(types)+1 {
		t.Fatalf("%s reads %d rows of %d columns, want %d of %d", engine, len(got.Rows), len(got.Columns), rows, len(types)+1)
	}
	for _, row := range got.Rows {
		var id int
		if _, err := fmt.Sscan(*row[0], &id); err != nil {
			t.Fatal(err)
		}
		for i, c := range types {
			value := row[i+1]
			switch {
			case id >= len(c.values):
				if value != nil {
					t.Errorf("%s: NULL of %s (declared %q) is %.100q", engine, c.source, c.declared, *value)
				}
			case value == nil:
				t.Errorf("%s: %.100s of %s (declared %q) is NULL", engine, c.values[id][0], c.source, c.declared)
			case *value != c.values[id][1]:
				t.Errorf("%s: %.100s of %s (declared %q) is %.100q, want %.100q", engine, c.values[id][0], c.source, c.declared, *value, c.values[id][1])
			}
		}
	}
}

// download copies the objects under a prefix to files, and returns their paths.
func (l *lake) download(prefix string) []string {
	l.t.Helper()
	d := &landing{lake: l}
	var paths []string
	for key := range l.objects(prefix) {
		data, err := d.object("s3://" + l.bucket + "/" + key)
		l.must(err)
		path := filepath.Join(l.t.TempDir(), filepath.Base(key))
		l.must(os.WriteFile(path, data, 0o600))
		paths = append(paths, path)
	}
	return paths
}
