package postgres_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// What the catalogues say of a table is read as they say it: domains down to their types, what rows of before have in
// new columns, the key in its order, comments.
func TestDescribeReadsTheCatalogues(t *testing.T) {
	t.Parallel()
	c, login, _ := database(t,
		`CREATE DOMAIN cents AS numeric(12,2) DEFAULT 1`, `CREATE DOMAIN price AS cents NOT NULL`, `CREATE TYPE mood AS ENUM ('a')`,
		`CREATE TABLE t (b int, x text, a int, PRIMARY KEY (a, b) INCLUDE (x))`, `INSERT INTO t VALUES (1, 'x', 1)`,
		`ALTER TABLE t ADD COLUMN total price`, `ALTER TABLE t ADD COLUMN late timestamptz DEFAULT now()`, `ALTER TABLE t ADD COLUMN was int DEFAULT 7`, `ALTER TABLE t ALTER COLUMN was DROP DEFAULT`,
		`CREATE TABLE p (id int, at date) PARTITION BY RANGE (at)`, `CREATE VIEW v AS SELECT a, total FROM t`, `COMMENT ON TABLE t IS 'all of it'`, `CREATE TABLE g (a int)`,
		`ALTER TABLE g ADD COLUMN n int GENERATED ALWAYS AS IDENTITY, ADD COLUMN twice int GENERATED ALWAYS AS (a * 2) STORED, ADD COLUMN m mood`)
	s, err := postgres.Begin(t.Context(), c, login)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(t.Context())
	d, err := s.Describe(t.Context(), &spec.DatabaseSource{Schema: "public", Table: "t"}, nil, map[string]spec.Column{"b": {Name: "bee", Type: "long"}})
	if err != nil {
		t.Fatal(err)
	}
	generated, err := s.Describe(t.Context(), &spec.DatabaseSource{Schema: "public", Table: "g"}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range slices.Concat(d.Schema.Columns, generated.Schema.Columns) {
		got = append(got, fmt.Sprintf("%s %s %s %q", c.Name, c.Type, c.Source.Type, c.Source.Default))
	}
	want := []string{
		`bee long integer ""`, `x string text ""`, `a int integer ""`, `total decimal(12,2) public.price "1"`, `late timestamptz timestamp with time zone "pg_catalog.now()"`,
		`was int integer "of its addition"`, `a int integer ""`, `n int integer "of an identity column"`, `twice int integer "(a OPERATOR(pg_catalog.*) 2)"`, `m string public.mood ""`,
	}
	for i, line := range want {
		got[i] = strings.NewReplacer("pg_catalog.now()", "now()", "OPERATOR(pg_catalog.*)", "*").Replace(got[i])
		line = strings.NewReplacer("pg_catalog.now()", "now()", "OPERATOR(pg_catalog.*)", "*").Replace(line)
		if got[i] != line {
			t.Errorf("column %d is %s, want %s", i, got[i], line)
		}
	}
	if !slices.Equal(d.PrimaryKey, []string{"a", "b"}) || !slices.Equal(d.Schema.Key, []string{"a", "bee"}) || d.Schema.Comment != "all of it" {
		t.Errorf("key %q, in the lake %q, comment %q", d.PrimaryKey, d.Schema.Key, d.Schema.Comment)
	}
	if d, err = s.Describe(t.Context(), &spec.DatabaseSource{Schema: "public", Table: "v"}, nil, nil); err != nil || d.PrimaryKey != nil || d.Schema.Columns[1].Type.String() != "decimal(12,2)" {
		t.Errorf("the view: %+v, %v", d, err)
	}
	if d, err = s.Describe(t.Context(), &spec.DatabaseSource{Schema: "public", Table: "p"}, []string{"id"}, nil); err != nil || !slices.Equal(d.Schema.Key, []string{"id"}) {
		t.Errorf("the partitioned table: %+v, %v", d, err)
	}
}

// A role that may not see the system identifier reads tables all the same; where they are is then not known.
func TestDescribeWithoutTheSystemIdentifier(t *testing.T) {
	t.Parallel()
	c, login, execute := database(t, `CREATE TABLE t (id int)`, `REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC`)
	role := "plain" + c.Database
	execute(`CREATE ROLE "`+role+`" LOGIN PASSWORD 'p'`, `GRANT SELECT ON t TO "`+role+`"`)
	t.Cleanup(func() { execute(`DROP OWNED BY "`+role+`"`, `DROP ROLE "`+role+`"`) })
	for _, tc := range []struct {
		login postgres.Credentials
		known bool
	}{{login, true}, {postgres.Credentials{Username: role, Password: "p"}, false}} {
		s, err := postgres.Begin(t.Context(), c, tc.login)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close(t.Context())
		d, err := s.Describe(t.Context(), &spec.DatabaseSource{Schema: "public", Table: "t"}, nil, nil)
		if err != nil || strings.HasSuffix(d.Schema.Origin, `/"public"."t"`) != tc.known || !tc.known && d.Schema.Origin != "" || len(d.Schema.Columns) != 1 {
			t.Errorf("%+v, %v", d, err)
		}
	}
}

// A value that the lake's type cannot hold is an error that names row, column and way out; none is changed.
func TestValuesWithoutAForm(t *testing.T) {
	t.Parallel()
	const wayOut = "declare the column in columns with"
	cases := []struct{ typ, value, declared, want string }{
		{"date", "infinity", "", "infinity"},
		{"date", "-infinity", "", "infinity"},
		{"date", "0001-12-31 BC", "", "years 1 to 9999"},
		{"date", "10000-01-01", "", "years 1 to 9999"},
		{"timestamp", "infinity", "", "infinity"},
		{"timestamp", "0044-03-15 12:00:00 BC", "", "years 1 to 9999"},
		{"timestamptz", "-infinity", "", "infinity"},
		{"timestamptz", "294276-12-31 23:59:59.999999+00", "", "years 1 to 9999"},
		{"timestamptz", "9999-12-31 23:00:00-02", "", "years 1 to 9999"},
		{"numeric(5,2)", "NaN", "", "NaN"},
		{"numeric", "NaN", "decimal(5,2)", "NaN"},
		{"numeric", "NaN", "long", "NaN"},
		{"numeric", "0.001", "decimal(5,2)", "more digits than decimal(5,2) holds"},
		{"numeric", "1000", "decimal(5,2)", "more digits than decimal(5,2) holds"},
		{"numeric", "1.5", "long", "more digits than long holds"},
		{"numeric", "9223372036854775808", "long", "more digits than long holds"},
		{"numeric", "-9223372036854775809", "long", "more digits than long holds"},
		{"bigint", "-100", "decimal(3,1)", "more digits than decimal(3,1) holds"},
		{"bigint", "9223372036854775807", "decimal(38,37)", "more digits than decimal(38,37) holds"},
	}
	var tables []string
	for i, tc := range cases {
		tables = append(tables, fmt.Sprintf(`CREATE TABLE t%d (id int, "at x" %s)`, i, tc.typ), fmt.Sprintf(`INSERT INTO t%d VALUES (1, NULL), (2, '%s')`, i, tc.value))
	}
	c, login, _ := database(t, tables...)
	s, err := postgres.Begin(t.Context(), c, login)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(t.Context())
	for i, tc := range cases {
		source := spec.DatabaseSource{Schema: "public", Table: fmt.Sprintf("t%d", i)}
		own, err := s.Describe(t.Context(), &source, nil, map[string]spec.Column{"at x": {Type: tc.declared}})
		if err != nil {
			t.Fatal(err)
		}
		asText, err := s.Describe(t.Context(), &source, nil, map[string]spec.Column{"at x": {Type: "string"}})
		if err != nil {
			t.Fatal(err)
		}
		t.Run(fmt.Sprintf("%s %s %s", tc.typ, tc.value, tc.declared), func(t *testing.T) {
			t.Parallel()
			rows := 0
			read := func(d *postgres.Description) error {
				request := postgres.Request{Parts: []postgres.Part{{Source: source}}, Columns: d.Schema.Columns}
				_, err := postgres.Extract(t.Context(), c, login, request, func(b *column.Batch) error {
					rows += b.Rows()
					return nil
				})
				return err
			}
			if err := read(own); err == nil || !strings.Contains(err.Error(), `row 2, column "at x"`) || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), wayOut) {
				t.Errorf("%v, want %q and %q", err, tc.want, wayOut)
			}
			if err := read(asText); err != nil || rows != 2 {
				t.Errorf("declared as string: %d rows, %v", rows, err)
			}
		})
	}
}

// The server keeps keys apart by an index over all rows of a table: those of heirs are under none.
func TestKeysAreUniqueWhereTheServerSeesToIt(t *testing.T) {
	t.Parallel()
	c, login, _ := database(t, `CREATE TABLE plain (id int PRIMARY KEY, a int, b int, UNIQUE (a, b))`, `CREATE TABLE parent (id int PRIMARY KEY, u int UNIQUE)`, `CREATE TABLE heir () INHERITS (parent)`,
		`CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id)`, `CREATE TABLE part PARTITION OF parted FOR VALUES FROM (0) TO (9)`, `CREATE VIEW seen AS SELECT * FROM plain`)
	s, err := postgres.Begin(t.Context(), c, login)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(t.Context())
	for _, tc := range []struct {
		table  string
		key    []string
		unique bool
	}{
		{"plain", nil, true}, {"plain", []string{"b", "a"}, true}, {"plain", []string{"a", "id"}, true}, {"plain", []string{"a"}, false}, {"parted", nil, true},
		{"parent", nil, false}, {"parent", []string{"u"}, false}, {"heir", []string{"id"}, false}, {"seen", []string{"id"}, false},
	} {
		d, err := s.Describe(t.Context(), &spec.DatabaseSource{Schema: "public", Table: tc.table}, tc.key, nil)
		if err != nil {
			t.Fatal(err)
		}
		if d.KeyUnique != tc.unique {
			t.Errorf("%s by %q: unique %t", tc.table, tc.key, d.KeyUnique)
		}
	}
}

// Rows without a cursor are read where the column is NOT NULL of the table alone: of its heirs it need not be, nor of rows
// that were there before a constraint that is not validated (PostgreSQL 18).
func TestNotNullOfTheTableAlone(t *testing.T) {
	t.Parallel()
	eachVersion(t, func(t *testing.T, p *place) {
		t.Helper()
		f := p.newFeed(byLookback, timedTable, `INSERT INTO t VALUES (1, 'a')`, `CREATE TABLE heir () INHERITS (t)`)
		if _, err := f.conn.Exec(t.Context(), `ALTER TABLE heir ALTER at DROP NOT NULL`); err != nil { // PostgreSQL 18 inherits it
			f.sql(`ALTER TABLE heir NO INHERIT t`, `ALTER TABLE heir ALTER at DROP NOT NULL`, `ALTER TABLE t ALTER at DROP NOT NULL`, `ALTER TABLE t ADD CONSTRAINT alone NOT NULL at NO INHERIT`, `ALTER TABLE heir INHERIT t`)
		}
		f.round()
		f.sql(`INSERT INTO heir VALUES (2, 'b', NULL)`)
		f.round()
		f.expect("a row without a cursor", "")
		d := f.describe("t")
		if i := slices.IndexFunc(d.Schema.Columns, func(c schema.Column) bool { return c.Name == "at" }); d.Schema.Columns[i].Required {
			t.Error("the lake's column is required, and has rows without a value")
		}
		if !strings.HasPrefix(f.ask(`SHOW server_version`), "18") {
			return
		}
		f.sql(`CREATE TABLE later (id int, v text, at timestamptz)`, `INSERT INTO later VALUES (1, 'a', NULL)`, `ALTER TABLE later ADD CONSTRAINT later NOT NULL at NOT VALID`)
		if d := f.describe("later"); d.Schema.Columns[2].Required {
			t.Error("a constraint that is not validated makes the lake's column required")
		}
		f.sql(`DELETE FROM later`, `ALTER TABLE later VALIDATE CONSTRAINT later`)
		if d := f.describe("later"); !d.Schema.Columns[2].Required {
			t.Error("a constraint that is validated does not")
		}
	})
}

func (f *feed) describe(table string) *postgres.Description {
	f.place.t.Helper()
	s, err := postgres.Begin(f.place.t.Context(), f.connection, f.login)
	if err != nil {
		f.place.t.Fatal(err)
	}
	defer s.Close(f.place.t.Context())
	d, err := s.Describe(f.place.t.Context(), &spec.DatabaseSource{Schema: "public", Table: table}, nil, nil)
	if err != nil {
		f.place.t.Fatal(err)
	}
	return d
}
