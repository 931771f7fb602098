package interop_test

import (
	"fmt"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/run"
)

// typed are columns that between them have every type of the lake in every way in which its values are stored, with
// their least, greatest and oddest values as SQL. Where there are fewer values than rows the rest are NULL.
var typed = []struct {
	kind   string
	values []string
}{
	{"boolean", []string{"true", "false"}},
	{"smallint", []string{"-32768", "32767", "0"}},
	{"integer", []string{"-2147483648", "2147483647", "-1"}},
	{"bigint", []string{"-9223372036854775808", "9223372036854775807", "0"}},
	{"real", []string{"'NaN'", "'Infinity'", "'-Infinity'", "'-0'", "1e-45", "3.4028235e38", "0.1"}},
	{"double precision", []string{"'NaN'", "'Infinity'", "'-Infinity'", "'-0'", "5e-324", "1.7976931348623157e308", "0.1"}},
	{"numeric(1,0)", []string{"9", "-9", "0"}},
	{"numeric(9,9)", []string{"0.999999999", "-0.999999999", "0.000000001"}},
	{"numeric(10,2)", []string{"99999999.99", "-0.01", "0"}},
	{"numeric(18,4)", []string{"99999999999999.9999", "-99999999999999.9999", "-0.0001"}},
	{"numeric(19,0)", []string{"9999999999999999999", "-9999999999999999999", "10000"}},
	{"numeric(38,0)", []string{"repeat('9', 38)::numeric", "('-' || repeat('9', 38))::numeric", "1"}},
	{"numeric(38,38)", []string{"('0.' || repeat('9', 38))::numeric", "('-0.' || repeat('0', 37) || '1')::numeric"}},
	{"numeric", []string{"1.10", "-0.000100", "'NaN'", "('1' || repeat('0', 5000))::numeric"}},
	{"money", []string{"'-92233720368547758.08'", "'92233720368547758.07'"}},
	{"oid", []string{"4294967295", "0"}},
	{"xid8", []string{"'18446744073709551615'", "'0'"}},
	{"date", []string{"'0001-01-01'", "'9999-12-31'", "'1969-12-31'", "'1582-10-10'", "'1582-10-04'", "'1900-02-28'"}},
	{"timestamp", []string{"'0001-01-01 00:00:00'", "'9999-12-31 23:59:59.999999'", "'1969-12-31 23:59:59.999999'", "'1582-10-10 12:00:00.000001'"}},
	{"timestamptz", []string{"'0001-01-01 00:00:00+00'", "'9999-12-31 23:59:59.999999+00'", "'1969-12-31 23:59:59.999999+00'", "'1582-10-10 12:00:00.000001+00'", "'1970-01-01 05:30:00.000001+05:30'"}},
	{"time", []string{"'00:00:00'", "'24:00:00'", "'04:05:06.7'"}},
	{"timetz", []string{"'04:05:06.789-08'"}},
	{"text", []string{"''", "'é日本🙂'", `E'a\tb\r\nc"\\'''`, "repeat('é', 200000)", "'NULL'", `E'\x01\x7f'`}},
	{"varchar(20)", []string{"''", "repeat('é', 20)"}},
	{"char(4)", []string{"'ab'", "''", "'日本'"}},
	{"bytea", []string{`'\x'`, `'\x00ff10'`, `decode(repeat('ab', 100000), 'hex')`}},
	{"uuid", []string{"'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "'00000000-0000-0000-0000-000000000000'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'"}},
	{"json", []string{`'{"b" : 1.50,  "a":null}'`, "'null'"}},
	{"jsonb", []string{`'{"b" : 1.50,  "a":null}'`, "'[]'"}},
	{"xml", []string{`'<a b="1">é</a>'`}},
	{"inet", []string{"'10.1.2.3/8'", "'::1'", "'192.168.0.1'"}},
	{"cidr", []string{"'10.0.0.0/8'"}},
	{"macaddr", []string{"'08:00:2b:01:02:03'"}},
	{"bit(5)", []string{"'10110'"}},
	{"int4range", []string{"'[1,10]'", "'empty'"}},
	{"int[]", []string{"'{}'", "'{1,NULL,-3}'", "'{{1,2},{3,NULL}}'"}},
	{"text[]", []string{`'{"a,b","NULL",NULL,""}'`}},
	{"int", nil}, // nothing but NULL
}

// typedTable is the SQL that makes the table of those columns.
func typedTable() []string {
	const rows = 9
	create, insert := `CREATE TABLE t (id int PRIMARY KEY`, `INSERT INTO t VALUES `
	for row := range rows {
		insert += fmt.Sprintf("(%d", row)
		for i, c := range typed {
			if row == 0 {
				create += fmt.Sprintf(", c%d %s", i, c.kind)
			}
			if row < len(c.values) {
				insert += ", (" + c.values[row] + ")::" + c.kind
			} else {
				insert += ", NULL"
			}
		}
		insert += "),"
	}
	return []string{create + ")", insert[:len(insert)-1]}
}

// types: every type arrives with its extremes and NULLs, and again when the table is loaded anew.
func types() scenario {
	return scenario{
		name:  "every type",
		setup: typedTable(),
		steps: []step{
			{name: "nothing but an empty table", do: func(x *stage) { x.sql(`ALTER TABLE t RENAME TO kept`, `CREATE TABLE t (LIKE kept)`); x.run() }, end: true},
			{name: "landed", do: func(x *stage) { x.sql(`INSERT INTO t SELECT * FROM kept`); x.run() }, end: true, filters: []string{"id = 0", "c3 > 0", "c17 < date '1600-01-01'", "c22 = ''"}},
			{name: "loaded anew", do: func(x *stage) { x.sql(`DELETE FROM t WHERE id % 2 = 0`, `UPDATE t SET c2 = 7`); x.run() }},
		},
	}
}

// columnsAreFollowed: a table follows its source's columns: the rows of each state, and the columns that are gone, are what all see.
func columnsAreFollowed() scenario {
	return scenario{
		name: "columns are followed",
		setup: []string{
			`CREATE TABLE t (id int PRIMARY KEY, old text, name text, n int, r real, amount numeric(9,2))`,
			`INSERT INTO t SELECT i, 'old ' || i, CASE WHEN i % 3 > 0 THEN 'name ' || i END, i, i / 8.0, i / 4.0 FROM generate_series(1, 500) i`,
		},
		steps: []step{
			{name: "landed", do: func(x *stage) { x.run() }},
			{name: "one more column", do: func(x *stage) { x.sql(`ALTER TABLE t ADD COLUMN more date DEFAULT '2026-01-01'`); x.run() }},
			{name: "a renamed column", do: func(x *stage) { x.sql(`ALTER TABLE t RENAME COLUMN name TO title`); x.run() }, end: true},
			{
				name: "wider columns", end: true,
				do: func(x *stage) {
					x.sql(`ALTER TABLE t ALTER COLUMN n TYPE bigint, ALTER COLUMN r TYPE double precision, ALTER COLUMN amount TYPE numeric(14,2)`, `UPDATE t SET n = 9223372036854775807, r = 1e300 WHERE id = 7`)
					x.run()
				},
			},
			{
				name: "a column that is gone, and its name on another", end: true,
				do:   func(x *stage) { x.sql(`ALTER TABLE t DROP COLUMN old`); x.run() },
				want: `SELECT id, title, n, r, amount, more, NULL::text AS old FROM t`,
			},
		},
	}
}

// wide makes a table whose files have several pages and dictionaries that overflow: keys in order, texts of one length, columns of
// few and of many values, runs of NULLs.
func wide(rows int) []string {
	return []string{
		`CREATE TABLE t (id bigint PRIMARY KEY, uid uuid NOT NULL, other uuid, low text, high text, day date, at timestamptz, amount numeric(12,2), big numeric(30,4), flag boolean, ratio double precision, note text, code char(8))`,
		fmt.Sprintf(`INSERT INTO t SELECT i, md5(i::text)::uuid, CASE WHEN i %% 5 > 0 THEN md5((i / 3)::text)::uuid END, 'low ' || i %% 7, 'high ' || md5((i * 31)::text) || repeat('x', i %% 40),
			date '2020-01-01' + i / 100, timestamptz '2020-01-01 00:00:00+00' + i * interval '61.000001 seconds', (i %% 100000) / 7.0, i * 1234567890123.4567, CASE WHEN i %% 11 > 0 THEN i %% 2 = 0 END,
			sqrt(i), CASE WHEN i > %d / 2 THEN 'note ' || i END, lpad((i %% 9973)::text, 8, '0')
			FROM generate_series(1, %d) i`, rows, rows),
	}
}

// wideFilters reach single pages, ranges of them, none and all.
var wideFilters = []string{
	"id = 1", "id = 65537", "id = 120000", "id = 0", "id BETWEEN 32700 AND 32800", "id > 119990", "id < 10 OR id > 119995",
	"day = date '2021-06-15'", "day BETWEEN date '2022-12-30' AND date '2023-01-02'",
	"at >= timestamp '2020-03-25 00:00:00' AND at < timestamp '2020-03-25 02:00:00'",
	"uid = '22a4d9b0-4fe9-5c98-93b4-1e2fde83a427'", "low = 'low 3' AND id % 1000 = 0", "high LIKE 'high 00%'", "note IS NOT NULL AND id < 60050", "note IS NULL AND id > 59950",
	"flag IS NULL AND id % 500 = 0", "amount = 14285.57", "code = '00009972'",
}

// largeTable: a large table in several files is what its source is, also where readers skip pages by their bounds.
func largeTable() scenario {
	return scenario{
		name: "a large table", least: usual, setup: wide(120_000),
		steps: []step{
			{name: "landed in several files", do: func(x *stage) { x.run(func(r *run.Runner) { r.UnitBytes = 8 << 20 }) }, files: true, filters: wideFilters},
		},
	}
}

// rowGroups: a file of several row groups, whose pages are too large for a page of the usual size.
func rowGroups() scenario {
	return scenario{
		name: "several row groups", least: full,
		setup: []string{
			`CREATE TABLE t (id int PRIMARY KEY, note text, mark text)`,
			`INSERT INTO t SELECT i, repeat(md5(i::text), 300), 'mark ' || i / 100 FROM generate_series(1, 12000) i`,
			`INSERT INTO t VALUES (12001, repeat('large ', 700000), NULL)`,
		},
		steps: []step{{name: "landed", do: func(x *stage) { x.run() }, files: true, filters: []string{"id = 1", "id BETWEEN 9990 AND 10020", "id >= 11995", "mark = 'mark 77'", "mark IS NULL"}}},
	}
}
