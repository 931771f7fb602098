package run_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// compared are values of types, two of each equal at the source where it knows such that it writes unlike each other.
var compared = map[string][]string{
	"boolean": {"t", "f"}, "bigint": {"9", "10", "-1"}, "double precision": {"0.1", "0", "-0", "NaN", "9", "10"}, "numeric": {"9", "10", "1.0", "1.00"}, "numeric(6,2)": {"9", "10.5", "-1"},
	"money": {"9", "10"}, "text": {"a", "B", "a ", "é"}, "character(3)": {"a", "B"}, "bpchar": {"a", "a "}, `"char"`: {"a", "B"}, "citext": {"a", "A", "B"},
	"bytea": {`\x00`, `\x0a`, `\x0aff`, `\xff`}, "date": {"2024-02-29", "12024-01-01", "infinity"}, "timestamp": {"2024-02-29 12:00:00", "2024-02-29 12:00:00.5", "infinity"},
	"timestamptz": {"2024-02-29 12:00:00+01", "2024-02-29 11:00:00Z", "infinity"}, "time": {"04:05:06", "04:05:06.5", "04:05:06.45", "24:00:00"}, "timetz": {"12:00:00+00", "13:00:00+01", "13:00:00-08"},
	"interval": {"1 day", "24 hours", "9 hours"}, "uuid": {"00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000000B", "ffffffff-0000-0000-0000-000000000000"},
	"jsonb": {"1.0", "1.00", `{"a":1,"b":2}`, `{"b":2,"a":1}`}, "numeric[]": {"{1.0}", "{1.00}"}, "int4range": {"[1,10)", "[1,9]", "(,5]", "[2,3)"}, "numrange": {"[1.0,2)", "[1.00,2)"},
	"daterange": {"[2024-01-01,2024-01-31]", "[2024-01-01,2024-02-01)"}, "int8multirange": {"{[1,3)}", "{[1,2]}", "{[10,11)}"}, "inet": {"192.0.2.1", "192.0.2.1/32", "192.0.2.0/24", "2001:DB8::1", "9.0.0.1"},
	"cidr": {"192.0.2.0/24", "9.0.0.0/8"}, "macaddr": {"08:00:2b:01:02:03", "08-00-2B-01-02-03"}, "bit varying": {"1", "10", "100"}, "xid8": {"9", "10"}, "oid": {"9", "10"},
	"pg_lsn": {"0/FF", "0/100", "0/0FF"}, "tid": {"(0,9)", "(0,10)"}, "ltree": {"a.b", "A.b", "a"}, "mood": {"b", "a"}, "hstore": {"a=>1", `"a"=>"1"`}, "cube": {"1,2", "0", "-0"},
}

// forms are how a column is read, as the server writes it.
var forms = map[schema.Form]string{schema.FormBinary: "concat(%s)", schema.FormText: "%s::text", schema.FormJSON: "to_json(%s)::text", schema.FormNumeric: "%s::numeric::text", schema.FormAddress: "inet_out(%s)::text"}

// Columns that are said to tell rows apart, or to be in the source's order, as they land in texts are as PostgreSQL compares
// them; and those that are refused are not refused idly.
func TestTextsCompareAsTheServerSays(t *testing.T) {
	t.Parallel()
	l := newLake(t, `CREATE EXTENSION citext`, `CREATE EXTENSION ltree`, `CREATE EXTENSION hstore`, `CREATE EXTENSION cube`, `CREATE TYPE mood AS ENUM ('b', 'a')`)
	var version int
	l.query(&version, `SELECT current_setting('server_version_num')::int`)
	for name, values := range compared {
		if strings.HasSuffix(name, "multirange") && version < 140000 {
			continue // servers before 14 have none
		}
		var typ schema.PostgresType
		var class, typtype string
		l.query(&typ.OID, fmt.Sprintf(`SELECT '%s'::regtype::oid::int8`, name))
		l.query(&typ.Name, fmt.Sprintf(`SELECT typname::text FROM pg_type WHERE oid = '%s'::regtype`, name))
		l.query(&class, fmt.Sprintf(`SELECT CASE WHEN typelem <> 0 AND typlen = -1 AND typname LIKE '\_%%' THEN 'array' ELSE '' END FROM pg_type WHERE oid = '%s'::regtype`, name))
		l.query(&typtype, fmt.Sprintf(`SELECT typtype::text FROM pg_type WHERE oid = '%s'::regtype`, name))
		if typ.Class = (map[string]schema.Class{"b": schema.Base, "e": schema.Enum, "r": schema.Range, "m": schema.Multirange})[typtype]; class != "" {
			typ.Class = schema.Array
		}
		if typ.Modifier = -1; strings.Contains(name, "(") {
			typ.Modifier = 6<<16 | 2 + 4
		}
		for _, o := range schema.MappingOf(typ).Options {
			if o.ID != schema.String {
				continue
			}
			text := forms[o.Form]
			each := fmt.Sprintf(`(SELECT v::%s AS v FROM unnest(ARRAY['%s']) v)`, name, strings.Join(values, "','"))
			var unlike, disordered bool
			l.query(&unlike, fmt.Sprintf(`SELECT bool_or((a.v = b.v) <> (%s = %s)) FROM %s a, %s b`, fmt.Sprintf(text, "a.v"), fmt.Sprintf(text, "b.v"), each, each))
			if unlike == o.Tells {
				t.Errorf("%s as text: it is said to tell rows apart: %t; it does not: %t", name, o.Tells, unlike)
			}
			if !o.Orders {
				continue
			}
			l.query(&disordered, fmt.Sprintf(`SELECT bool_or((a.v < b.v%s) <> (%s COLLATE "C" < %s COLLATE "C")) FROM %s a, %s b`,
				map[bool]string{true: ` COLLATE "C"`}[name == "text"], fmt.Sprintf(text, "a.v"), fmt.Sprintf(text, "b.v"), each, each))
			if disordered {
				t.Errorf("%s as text is said to be in order, and is not", name)
			}
		}
	}
}

// Keys and orderings that the lake would compare otherwise than the source are refused before anything is read or written; as
// they are to be declared they land, and the newest counts.
func TestKeysAndOrderingsThatDoNotCompare(t *testing.T) {
	t.Parallel()
	l := newLake(t, `CREATE EXTENSION citext`, `CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`,
		`CREATE TABLE log (id bigint, version numeric, share double precision, name citext, word text COLLATE loose, what text)`,
		`INSERT INTO log VALUES (1, 9, 1, 'a', 'a', 'older'), (1, 10, 'NaN', 'a', 'a', 'newer'), (2, 10.0, 1e300, 'b', 'b', 'older'), (2, 10.50, 'NaN', 'b', 'b', 'newer')`)
	fails := func(text string) {
		t.Helper()
		if err := l.runner().Table(t.Context(), "shop.log").Err; err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("got %v, want %q", err, text)
		}
		if left := l.objects("raw/log/"); len(left) != 0 || l.head("log").Exists {
			t.Errorf("%d objects were left", len(left))
		}
	}
	l.changing("log", spec.Extract{}, func(s *spec.Table) { s.Ordering = "version" })
	fails(`ordering: column "version" of type numeric lands as string, whose bytes do not lie in the order of the source (as texts 9 is greater than 10): declare it by columns = { "version" = { type = "decimal(p,s)" } }`)
	for key, text := range map[string]string{"version": `columns = { "version" = { type = "decimal(p,s)" } }`, "name": "or read a view that casts it", "word": `column "word" of type text lands as string`} {
		l.change("log", func(s *spec.Table) { s.PrimaryKey, s.Ordering = []string{"id", key}, "" })
		fails(text)
	}
	l.change("log", func(s *spec.Table) { s.StorageMode, s.Ordering, s.PrimaryKey = "historical", "version", []string{"id"} })
	fails("ordering: ")
	l.change("log", func(s *spec.Table) { s.StorageMode, s.Ordering = "current_snapshot", "share" })
	l.round("log")
	l.shows("log", `SELECT DISTINCT ON (id) * FROM log ORDER BY id, share DESC`)
	l.change("log", func(s *spec.Table) {
		s.Ordering, s.Reload, s.Columns = "version", "declared", map[string]spec.Column{"version": {Type: "decimal(38,2)"}}
	})
	l.round("log")
	l.sql(`DROP VIEW shown`)
	l.shows("log", `SELECT DISTINCT ON (id) id, version::numeric(38,2), share, name, word, what FROM log ORDER BY id, log.version DESC`)
	doc := l.source("log")
	doc.Name, doc.Target.Table, doc.PrimaryKey = "shop.all", "all_of_it", []string{"version"}
	doc.Target.Location = "s3://" + l.bucket + "/raw/all/"
	l.must(l.tracking.CreateTable(t.Context(), doc, sandbox.Account))
	if err := l.runner().Table(t.Context(), "shop.all").Err; err != nil {
		t.Errorf("a load of all rows needs no key, and failed: %v", err)
	}
}

// A key of which the texts change with its type is refused until a reload, for the rows that were landed have the old ones.
func TestKeysWhoseTextsChange(t *testing.T) {
	t.Parallel()
	l := newLake(t, `CREATE TABLE goods (id char(3) PRIMARY KEY, what text)`, `INSERT INTO goods VALUES ('a', 'one'), ('b', 'two')`)
	l.changing("goods", spec.Extract{}, nil)
	l.round("goods")
	l.sql(`ALTER TABLE goods ALTER id TYPE char(5)`)
	l.refused("goods", postgres.ErrReload, `column "id", which is part of the key, was character(3) and is character(5)`)
	l.change("goods", func(s *spec.Table) { s.Reload = "other texts" })
	l.round("goods")
	l.equal("goods")
	l.sql(`ALTER TABLE goods ALTER id TYPE varchar(9)`)
	l.refused("goods", postgres.ErrReload, `was character(5) and is character varying(9)`)
}
