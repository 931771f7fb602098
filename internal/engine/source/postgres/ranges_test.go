package postgres_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// eachVersion runs a test on every version of PostgreSQL there is.
func eachVersion(t *testing.T, test func(t *testing.T, p *place)) {
	t.Helper()
	for _, major := range sandbox.PostgresMajors() {
		t.Run(major, func(t *testing.T) {
			t.Parallel()
			test(t, newPlace(t, sandbox.ForTest(t).PostgresOf(t, major)))
		})
	}
}

// labels reads the column label of each list of parts under the snapshot.
func (p *place) labels(s *postgres.Snapshot, source spec.DatabaseSource, lists [][]postgres.Part) [][]string {
	p.t.Helper()
	d, err := s.Describe(p.t.Context(), &source, nil, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	columns := slices.Clone(d.Schema.Columns)
	columns = slices.DeleteFunc(columns, func(c schema.Column) bool { return c.Name != "label" })
	out := make([][]string, len(lists))
	for i, parts := range lists {
		_, err := postgres.Extract(p.t.Context(), p.connection, p.login, postgres.Request{Parts: parts, Columns: columns, Snapshot: s.ID}, func(b *column.Batch) error {
			for row := range b.Rows() {
				out[i] = append(out[i], string(b.Columns[0].Bytes(row)))
			}
			return nil
		})
		if err != nil {
			p.t.Fatal(err)
		}
	}
	return out
}

// once compares the rows of all lists of parts with those of the relation read in one piece.
func (p *place) once(why string, s *postgres.Snapshot, source spec.DatabaseSource, lists [][]postgres.Part) {
	p.t.Helper()
	// One session reads all parts: that several see the same is the snapshot's promise, shown elsewhere.
	read := p.labels(s, source, [][]postgres.Part{{{Source: source}}, slices.Concat(lists...)})
	whole, got := read[0], read[1]
	slices.Sort(whole)
	slices.Sort(got)
	if !slices.Equal(whole, got) {
		p.t.Errorf("%s: %d rows in parts and %d in one piece, or others: %v", why, len(got), len(whole), lists)
	}
}

// keyTypes are types of keys, each with an expression of the number i that meets the odd ones among its values.
var keyTypes = []struct{ name, typ, value string }{
	{"small", "smallint", `(i % 65536 - 32768)::smallint`},
	{"long", "bigint", `CASE i % 50 WHEN 0 THEN 9223372036854775807 WHEN 1 THEN -9223372036854775808 ELSE (i - 500) * 7919 END`},
	{"words", "text", `CASE i % 9 WHEN 0 THEN '' WHEN 1 THEN E'it''s \\ ' || i WHEN 2 THEN 'É' || i WHEN 3 THEN 'e' || i WHEN 4 THEN '"' || i ELSE chr(60 + i % 300) || i END`},
	{"bytewise", `text COLLATE "C"`, `chr(40 + i % 300) || i`},
	{"unlike", "text COLLATE unlike", `CASE i % 2 WHEN 0 THEN 'ä' ELSE 'A' END || i / 3`},
	{"padded", "char(8)", `'a' || i % 40`},
	{"short", "varchar(9)", `md5(i::text)::varchar(9)`},
	{"universal", "uuid", `md5(i::text)::uuid`},
	{"day", "date", `CASE i % 40 WHEN 0 THEN 'infinity' WHEN 1 THEN '-infinity' WHEN 2 THEN '0044-03-15 BC'::date ELSE date '2000-01-01' + i END`},
	{"instant", "timestamptz", `CASE i % 40 WHEN 0 THEN 'infinity' WHEN 1 THEN '-infinity' ELSE timestamptz '1970-01-01 00:00:00.000001+00' + i * interval '1 day 1 microsecond' END`},
	{"local", "timestamp", `timestamp '1970-01-01' + i * interval '1 second'`},
	{"clock", "time", `time '00:00' + i * interval '7 minutes'`},
	{"exact", "numeric", `CASE i % 40 WHEN 0 THEN 'NaN' ELSE i::numeric ^ 9 / 7 END`},
	{"double", "float8", `CASE i % 40 WHEN 0 THEN 'NaN' WHEN 1 THEN 'Infinity' WHEN 2 THEN '-Infinity' WHEN 3 THEN '-0'::float8 WHEN 4 THEN 0 ELSE i / 3.0::float8 END`},
	{"real", "float4", `CASE i % 40 WHEN 0 THEN 'NaN' ELSE i / 3.0::float4 END`},
	{"raw", "bytea", `decode(md5(i::text), 'hex')`},
}

// Whatever its type and collation, however often a value comes, and where it lacks: cut at any values of its key, or at any
// others, a relation's parts hold each row once.
func TestRangesHoldEveryRowOnce(t *testing.T) {
	t.Parallel()
	seed := sandbox.Seed(t)
	eachVersion(t, func(t *testing.T, p *place) {
		t.Helper()
		at := p.session()
		at.sql(`SET timezone = 'UTC'`, `CREATE COLLATION unlike (provider = icu, locale = 'und-u-ks-level1', deterministic = false)`)
		for _, k := range keyTypes {
			at.sql(fmt.Sprintf(`CREATE TABLE stored_%s (k %s, label text)`, k.name, k.typ),
				fmt.Sprintf(`INSERT INTO stored_%s SELECT CASE WHEN i %% 17 = 3 THEN NULL ELSE %s END, 'row ' || i FROM generate_series(1, 600) i`, k.name, k.value),
				fmt.Sprintf(`CREATE VIEW seen_%s AS SELECT * FROM stored_%s`, k.name, k.name))
		}
		s, err := postgres.Begin(t.Context(), p.connection, p.login)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close(t.Context())
		random := rand.New(rand.NewPCG(seed, 0))
		for _, k := range keyTypes {
			at.sql(fmt.Sprintf(`UPDATE stored_%s SET label = 'late' WHERE label LIKE '%%7'`, k.name))
			rows, err := at.conn.Query(t.Context(), fmt.Sprintf(`SELECT k::text FROM (SELECT DISTINCT k FROM stored_%s WHERE k IS NOT NULL) d ORDER BY d.k`, k.name))
			if err != nil {
				t.Fatal(err)
			}
			var values []string
			for rows.Next() {
				var v string
				if err := rows.Scan(&v); err != nil {
					t.Fatal(err)
				}
				values = append(values, v)
			}
			if len(values) < 20 {
				t.Fatalf("%s has only %d values: %v", k.name, len(values), rows.Err())
			}
			for range 3 {
				var bounds []string
				for _, i := range random.Perm(len(values))[:1+random.IntN(12)] {
					bounds = append(bounds, strconv.Itoa(i))
				}
				slices.SortFunc(bounds, func(a, b string) int { x, _ := strconv.Atoi(a); y, _ := strconv.Atoi(b); return x - y })
				for i, at := range bounds {
					n, _ := strconv.Atoi(at)
					bounds[i] = values[n]
				}
				source := spec.DatabaseSource{Schema: "public", Table: "seen_" + k.name}
				lists, err := s.RangesOf(t.Context(), source, []string{"k"}, bounds...)
				if err != nil || len(lists) != len(bounds)+1 {
					t.Fatalf("%s: cut at %q into %d: %v", k.name, bounds, len(lists), err)
				}
				p.once(k.name, s, source, lists)
			}
			back := []string{values[len(values)-1], values[0]}
			if lists, err := s.RangesOf(t.Context(), spec.DatabaseSource{Schema: "public", Table: "seen_" + k.name}, []string{"k"}, back...); err != nil || lists != nil {
				t.Errorf("%s: bounds that descend were taken: %v, %v", k.name, lists, err)
			}
		}
	})
}

// What the statistics of a key give are bounds that cut its table into parts of about one size.
func TestRangesFollowStatistics(t *testing.T) {
	t.Parallel()
	eachVersion(t, func(t *testing.T, p *place) {
		t.Helper()
		at := p.session()
		for _, k := range keyTypes {
			if strings.Contains(k.typ, "smallint") || k.name == "unlike" || k.name == "padded" {
				continue
			}
			at.sql(fmt.Sprintf(`CREATE TABLE t_%s (k %s, n int, label text, PRIMARY KEY (k, n))`, k.name, k.typ), fmt.Sprintf(`INSERT INTO t_%s SELECT %s, i, 'row ' || i FROM generate_series(1, 3000) i`, k.name, k.value), `ANALYZE t_`+k.name)
		}
		s, err := postgres.Begin(t.Context(), p.connection, p.login)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close(t.Context())
		for _, k := range keyTypes {
			source := spec.DatabaseSource{Schema: "public", Table: "t_" + k.name}
			if strings.Contains(k.typ, "smallint") || k.name == "unlike" || k.name == "padded" {
				continue
			}
			bounds, err := s.Quantiles(t.Context(), source, 6)
			if err != nil || len(bounds) < 4 || len(bounds) > 5 {
				t.Errorf("%s: %q, %v", k.name, bounds, err)
				continue
			}
			lists, err := s.RangesOf(t.Context(), source, nil, bounds...)
			if err != nil {
				t.Fatal(err)
			}
			for i, rows := range p.labels(s, source, lists) {
				if len(rows) > 1300 {
					t.Errorf("%s: part %d of %d has %d of 3000 rows", k.name, i+1, len(lists), len(rows))
				}
			}
		}
	})
}

// Which relations are cut by their keys, and which are not: where that would be dear or wrong, they are one part.
func TestWhatIsCutByKey(t *testing.T) {
	t.Parallel()
	eachVersion(t, func(t *testing.T, p *place) {
		t.Helper()
		at := p.session()
		const fill = ` SELECT i, 'row ' || i || repeat('x', 150) FROM generate_series(1, 20000) i`
		at.sql(`CREATE TABLE plain (id int PRIMARY KEY, label text)`, `INSERT INTO plain`+fill, `ANALYZE plain`,
			`CREATE TABLE stale (id bigint PRIMARY KEY, label text)`, `INSERT INTO stale SELECT i, 'row ' || i || repeat('x', 150) FROM generate_series(1, 9000) i`, `ANALYZE stale`, `INSERT INTO stale SELECT i, 'row ' || i || repeat('x', 150) FROM generate_series(9001, 20000) i`,
			`CREATE TABLE ordered (name text PRIMARY KEY, label text)`, `INSERT INTO ordered SELECT to_char(i, '000000'), 'row ' || i || repeat('x', 150) FROM generate_series(1, 20000) i`, `ANALYZE ordered`,
			`CREATE TABLE strewn (id uuid PRIMARY KEY, label text)`, `INSERT INTO strewn SELECT md5(i::text)::uuid, 'row ' || i || repeat('x', 150) FROM generate_series(1, 20000) i`, `ANALYZE strewn`,
			`CREATE TABLE keyless (id int, label text)`, `INSERT INTO keyless`+fill,
			`CREATE TABLE parted (id int PRIMARY KEY, label text) PARTITION BY RANGE (id)`, `CREATE TABLE parted_a PARTITION OF parted FOR VALUES FROM (0) TO (100)`, `CREATE TABLE parted_b PARTITION OF parted FOR VALUES FROM (100) TO (30000)`,
			`INSERT INTO parted`+fill, `ANALYZE parted_b`,
			`CREATE TABLE parent (id int PRIMARY KEY, label text)`, `CREATE TABLE child () INHERITS (parent)`, `INSERT INTO parent`+fill, `INSERT INTO child`+fill, `ANALYZE parent`, `ANALYZE child`,
			`CREATE VIEW seen AS SELECT id, label FROM plain WHERE id > 5`, `CREATE VIEW numbered AS SELECT row_number() OVER () AS id, label FROM plain`,
			`CREATE VIEW summed AS SELECT max(id) AS id, label FROM plain GROUP BY label`, `CREATE VIEW first AS SELECT id, label FROM plain LIMIT 15000`, `CREATE VIEW over_first AS SELECT id, label FROM first`,
			`CREATE FUNCTION odd(int) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT $1'`, `CREATE VIEW called AS SELECT odd(id) AS id, label FROM plain`,
			`CREATE FOREIGN DATA WRAPPER none`, `CREATE SERVER elsewhere FOREIGN DATA WRAPPER none`, `CREATE FOREIGN TABLE away (id int, label text) SERVER elsewhere`,
			`CREATE VIEW over_away AS SELECT id, label FROM plain UNION ALL SELECT id, label FROM away`,
			`CREATE VIEW broken AS SELECT id, label, 1 / (id - id) AS x FROM plain`,
			// What is changed below would have the server learn, at a time of its own, that rows lie in no order, which costs more to cut.
			`DO $$ DECLARE t regclass; BEGIN FOR t IN SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' LOOP EXECUTE format('ALTER TABLE %s SET (autovacuum_enabled = off)', t); END LOOP; END $$`)
		s, err := postgres.Begin(t.Context(), p.connection, p.login)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close(t.Context())
		at.sql(`UPDATE plain SET label = 'moved' WHERE id % 3 = 0`, `UPDATE ordered SET name = 'moved ' || name WHERE label LIKE '%3xxx%'`, `DELETE FROM parted WHERE id % 2 = 0`)
		byPages := at.ask(`SELECT (current_setting('server_version_num')::int >= 140000)::text`) == "true"
		for name, tc := range map[string]struct {
			key   []string
			least int
			pages bool
		}{
			"plain": {nil, 6, true}, "stale": {nil, 6, true}, "ordered": {nil, 6, true}, "parted": {nil, 6, true}, "parent": {nil, 1, true}, "strewn": {nil, 1, true}, "keyless": {nil, 1, true},
			"seen": {[]string{"id"}, 6, false}, "numbered": {[]string{"id"}, 1, false}, "summed": {[]string{"id"}, 1, false}, "first": {[]string{"id"}, 1, false}, "over_first": {[]string{"id"}, 1, false}, "called": {[]string{"id"}, 1, false},
			"over_away": {[]string{"id"}, 1, false},
		} {
			source := spec.DatabaseSource{Schema: "public", Table: name}
			lists, err := s.Parts(t.Context(), source, tc.key, 512<<10)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			cut := len(lists) >= 3
			if wanted := tc.least > 1 || tc.pages && byPages; cut != wanted && name != "parent" {
				t.Errorf("%s is cut into %d: %v", name, len(lists), lists)
			}
			if cut && (lists[1][0].Pages != nil) != (tc.pages && byPages) {
				t.Errorf("%s is cut by something else: %v", name, lists)
			}
			if name != "over_away" {
				p.once(name, s, source, lists)
			}
		}
		if lists, err := s.Parts(t.Context(), spec.DatabaseSource{Schema: "public", Table: "seen"}, nil, 512<<10); err != nil || len(lists) != 1 {
			t.Errorf("a view without a key is cut into %v, %v", lists, err)
		}
		if s.Alive(t.Context()) != nil {
			t.Error("the snapshot did not outlive what was refused")
		}
	})
}
