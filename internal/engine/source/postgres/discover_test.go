package postgres_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// discover looks at a database with patterns to include.
func discover(t *testing.T, c *spec.Connection, as postgres.Credentials, include ...string) *spec.Discovery {
	t.Helper()
	meant, wrong := spec.Select(include, nil)
	if len(wrong) > 0 {
		t.Fatal(wrong)
	}
	s, err := postgres.Begin(t.Context(), c, as)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(t.Context())
	d, err := s.Discover(t.Context(), c, meant)
	if err != nil {
		t.Fatal(err)
	}
	data, err := d.Encode()
	if err != nil {
		t.Fatalf("what was discovered is no document: %v", err)
	}
	if d, err = spec.DecodeDiscovery(data); err != nil {
		t.Fatal(err)
	}
	return d
}

func tableOf(t *testing.T, d *spec.Discovery, schema, table string) spec.DiscoveredTable {
	t.Helper()
	for _, found := range d.Tables {
		if found.Schema == schema && found.Table == table {
			return found
		}
	}
	t.Fatalf("%s.%s was not discovered", schema, table)
	return spec.DiscoveredTable{}
}

func number(n int64) *int64 { return &n }

// manyKinds is a schema with one of each kind of table, and what is none of ours beside them.
var manyKinds = []string{
	`CREATE SCHEMA shop`, `COMMENT ON SCHEMA shop IS 'not told'`,
	`CREATE DOMAIN price AS numeric(10,2)`, `CREATE DOMAIN cheap AS price`, `CREATE TYPE mood AS ENUM ('sad', 'ok')`,
	`CREATE TABLE shop.orders (id bigint PRIMARY KEY, gone int, at timestamptz NOT NULL DEFAULT now(), total cheap NOT NULL, net numeric, tags text[], m mood,
		twice bigint GENERATED ALWAYS AS (id * 2) STORED, "Note x" varchar(20))`,
	`ALTER TABLE shop.orders DROP COLUMN gone`,
	`CREATE INDEX ON shop.orders (at, id)`, `CREATE UNIQUE INDEX ON shop.orders (total, at)`, `CREATE UNIQUE INDEX ON shop.orders (id)`,
	`CREATE UNIQUE INDEX ON shop.orders (net)`, `CREATE UNIQUE INDEX ON shop.orders (total) WHERE id > 3`, `CREATE UNIQUE INDEX ON shop.orders ((id + 1))`,
	`COMMENT ON TABLE shop.orders IS 'what was ordered'`, `COMMENT ON COLUMN shop.orders."Note x" IS 'said by the customer'`,
	`INSERT INTO shop.orders SELECT i, now(), i FROM generate_series(1, 1000) i`,
	`CREATE TABLE shop.parted (id int NOT NULL, day date NOT NULL, v money, PRIMARY KEY (id, day)) PARTITION BY RANGE (day)`,
	`CREATE TABLE shop.parted_1 PARTITION OF shop.parted FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')`,
	`CREATE TABLE shop.parted_2 PARTITION OF shop.parted FOR VALUES FROM ('2026-02-01') TO ('2026-03-01') PARTITION BY LIST (id)`,
	`CREATE TABLE shop.parted_2_1 PARTITION OF shop.parted_2 FOR VALUES IN (1)`,
	`INSERT INTO shop.parted SELECT i, date '2026-01-15' FROM generate_series(1, 300) i UNION ALL SELECT 1, date '2026-02-15'`,
	`CREATE TABLE shop.parent (id int PRIMARY KEY)`, `CREATE TABLE shop.heir (more int) INHERITS (shop.parent)`,
	`CREATE TABLE shop.keyless (a int, b int)`,
	`CREATE TABLE shop.uniquely (a int NOT NULL, b int NOT NULL, c uuid NOT NULL, UNIQUE (b, a), UNIQUE (c))`,
	`CREATE VIEW shop.seen AS SELECT id, total FROM shop.orders`,
	`CREATE MATERIALIZED VIEW shop.kept AS SELECT id FROM shop.orders`,
	`CREATE MATERIALIZED VIEW shop.empty AS SELECT 1 AS one WITH NO DATA`,
	`CREATE FOREIGN DATA WRAPPER nowhere`, `CREATE SERVER elsewhere FOREIGN DATA WRAPPER nowhere`,
	`CREATE FOREIGN TABLE shop.abroad (id int) SERVER elsewhere`,
	`CREATE TABLE shop.split (id int NOT NULL) PARTITION BY LIST (id)`, `CREATE FOREIGN TABLE shop.split_1 PARTITION OF shop.split FOR VALUES IN (1) SERVER elsewhere`,
	`CREATE TABLE shop.bare ()`,
	`CREATE TEMP TABLE passing (id int)`, `CREATE SEQUENCE shop.numbers`, `CREATE TYPE shop.pair AS (a int, b int)`,
	`ANALYZE shop.orders`, `ANALYZE shop.parted_1`, `ANALYZE shop.parted_2_1`,
}

func TestDiscoverKinds(t *testing.T) {
	t.Parallel()
	eachVersion(t, func(t *testing.T, p *place) {
		t.Helper()
		p.session().sql(manyKinds...)
		discoverKinds(t, p.connection, p.login)
	})
}

func discoverKinds(t *testing.T, c *spec.Connection, login postgres.Credentials) {
	t.Helper()
	d := discover(t, c, login)
	if d.Connection != c.Name || d.Engine != "postgresql" || d.Database != c.Database || d.InRecovery || time.Since(d.TakenAt).Abs() > time.Minute || !slices.Equal(d.Include, []string{"*.*"}) {
		t.Errorf("the discovery is %+v", d)
	}
	var got []string
	for _, found := range d.Tables {
		extract := strings.TrimSpace(found.Suggested.Extract.Mode + " " + found.Suggested.Extract.Horizon)
		got = append(got, fmt.Sprintf("%s.%s %s %s %v %s | %s", found.Schema, found.Table, found.Kind, extract, found.Suggested.PrimaryKey, found.Suggested.TargetTable, found.Problem))
	}
	want := []string{
		`shop.abroad foreign_table full [] shop__abroad | `,
		`shop.bare table full [] shop__bare | it has no columns`,
		`shop.empty materialized_view full [] shop__empty | it holds nothing that can be read yet: REFRESH MATERIALIZED VIEW "shop"."empty"`,
		`shop.heir table full [] shop__heir | `,
		`shop.kept materialized_view full [] shop__kept | `,
		`shop.keyless table full [] shop__keyless | `,
		`shop.orders table incremental xmin [id] shop__orders | `,
		`shop.parent table full [] shop__parent | `,
		`shop.parted partitioned_table incremental xmin [id day] shop__parted | `,
		`shop.seen view full [] shop__seen | `,
		`shop.split partitioned_table full [] shop__split | `,
		`shop.uniquely table incremental xmin [c] shop__uniquely | `,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	orders := tableOf(t, d, "shop", "orders")
	orders.Suggested = spec.Suggestion{}
	if orders.Bytes == nil || *orders.Bytes < 50_000 || *orders.Bytes > 200_000 || *orders.Bytes%8192 != 0 {
		t.Errorf("orders has %v bytes", orders.Bytes)
	}
	orders.Bytes = nil
	if diff := cmp.Diff(spec.DiscoveredTable{
		Schema: "shop", Table: "orders", Kind: "table", Comment: "what was ordered", EstimatedRows: number(1000), PrimaryKey: []string{"id"},
		UniqueKeys: [][]string{{"total", "at"}}, Cursors: []string{"at"},
		Columns: []spec.DiscoveredColumn{
			{Name: "id", Type: "bigint", LakeType: "long", TargetName: "id"},
			{Name: "at", Type: "timestamp with time zone", LakeType: "timestamptz", TargetName: "at"},
			{Name: "total", Type: "public.cheap", LakeType: "decimal(10,2)", TargetName: "total"},
			{Name: "net", Type: "numeric", Nullable: true, LakeType: "string", TargetName: "net", Warning: `a numeric without precision, or of more than 38 digits, lands as text, with every digit: declare its type in columns, such as "decimal(18,2)", to land a number`},
			{Name: "tags", Type: "text[]", Nullable: true, LakeType: "string", TargetName: "tags"},
			{Name: "m", Type: "public.mood", Nullable: true, LakeType: "string", TargetName: "m"},
			{Name: "twice", Type: "bigint", Nullable: true, Generated: true, LakeType: "long", TargetName: "twice"},
			{Name: "Note x", Type: "character varying(20)", Nullable: true, Comment: "said by the customer", LakeType: "string", TargetName: "note_x"},
		},
	}, orders); diff != "" {
		t.Error(diff)
	}
	parted := tableOf(t, d, "shop", "parted")
	if parted.EstimatedRows == nil || *parted.EstimatedRows != 301 || parted.Bytes == nil || *parted.Bytes < 2*8192 {
		t.Errorf("parted has %v rows in %v bytes", parted.EstimatedRows, parted.Bytes)
	}
	for _, name := range []string{"keyless", "seen", "abroad"} {
		if found := tableOf(t, d, "shop", name); found.EstimatedRows != nil || found.Bytes != nil {
			t.Errorf("%s has %v rows in %v bytes, which nobody counted", name, found.EstimatedRows, found.Bytes)
		}
	}
	for name, want := range map[string]string{"split": "a part of it lies on another server", "parent": "other tables inherit from it"} {
		if got := tableOf(t, d, "shop", name).Suggested.Reason; !strings.Contains(got, want) {
			t.Errorf("%s: %s", name, got)
		}
	}
	if got := tableOf(t, d, "shop", "uniquely").UniqueKeys; !slices.EqualFunc(got, [][]string{{"b", "a"}, {"c"}}, slices.Equal[[]string]) {
		t.Errorf("uniquely has the keys %q", got)
	}
}

// What a table is described as when it is landed, it is discovered as.
func TestDiscoverAgreesWithDescribe(t *testing.T) {
	t.Parallel()
	c, login, _ := database(t, append(slices.Clone(manyKinds), `CREATE TABLE odd (a bit(3), b inet, c int4range, d xml, e "char", f pg_lsn, g shop.pair, h int[][], j jsonb, k interval, l tsvector, m price[], n cheap)`,
		`DO $$ BEGIN IF current_setting('server_version_num')::int >= 140000 THEN ALTER TABLE odd ADD i int8multirange; END IF; END $$`)...)
	d := discover(t, c, login)
	s, err := postgres.Begin(t.Context(), c, login)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(t.Context())
	for _, found := range d.Tables {
		described, err := s.Describe(t.Context(), &spec.DatabaseSource{Schema: found.Schema, Table: found.Table}, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		var got, want []string
		for _, column := range found.Columns {
			got = append(got, fmt.Sprintf("%s %s %s %s %t %s", column.Name, column.Type, column.TargetName, column.LakeType, !column.Nullable, column.Comment))
		}
		for _, column := range described.Schema.Columns {
			want = append(want, fmt.Sprintf("%s %s %s %s %t %s", column.Source.Name, column.Source.Type, column.Name, column.Type, column.Required, column.Comment))
		}
		if diff := cmp.Diff(want, got); diff != "" || found.Comment != described.Schema.Comment || fmt.Sprint(found.PrimaryKey) != fmt.Sprint(described.PrimaryKey) {
			t.Errorf("%s: %s%q against %q, %q against %q", found.Table, diff, found.Comment, described.Schema.Comment, found.PrimaryKey, described.PrimaryKey)
		}
	}
}

// Whatever tables are called, they are found by just these names, keep to themselves and stay text.
func TestDiscoverOddNames(t *testing.T) {
	t.Parallel()
	hostile := `x"; DROP TABLE "victim"; --`
	c, login, execute := database(t, `CREATE TABLE victim (id int PRIMARY KEY)`)
	names := []string{hostile, "Orders", "orders", "ORDERS", "größe", "日本", "a.b", `back\slash`, "${path.module}", "%{ if true }", "_prisma", "a__b", "2024", strings.Repeat("x", 63), "e\u0301t\u00e9"}
	for _, name := range names {
		execute(`CREATE TABLE "` + strings.ReplaceAll(name, `"`, `""`) + `" ("I""d" int PRIMARY KEY, "i'd; --" text)`)
	}
	execute(`CREATE SCHEMA "a.b"`, `CREATE TABLE "a.b".c (id int)`, `CREATE SCHEMA a`, `CREATE TABLE a."b.c" (id int)`, `CREATE TABLE clash ("A" int, a int, b int)`)
	d := discover(t, c, login)
	keys, labels, targets := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, found := range d.Tables {
		for _, seen := range []struct {
			in   map[string]bool
			name string
		}{{keys, spec.TableKey(found.Schema, found.Table)}, {labels, found.Suggested.Name}, {targets, found.Suggested.TargetTable}} {
			if seen.in[seen.name] {
				t.Errorf("%q is given to two tables", seen.name)
			}
			seen.in[seen.name] = true
		}
	}
	for _, name := range names {
		found := tableOf(t, d, "public", name)
		if wrong := strings.Contains(found.Problem, "normal form C"); wrong != (name == "e\u0301t\u00e9") || !wrong && found.Problem != "" {
			t.Errorf("%q: %q", name, found.Problem)
		}
		if found.Columns[0].Name != `I"d` || found.Columns[0].TargetName != "i_d" || found.Columns[1].TargetName != "i_d____" && found.Columns[1].TargetName != "i_d__--" {
			t.Errorf("%q has the columns %+v", name, found.Columns)
		}
	}
	for name, target := range map[string]string{"orders": "orders", "Orders": "orders__0", "ORDERS": "orders__0", "_prisma": "prisma__0", "a__b": "a_b__0", "2024": "t_2024__0"} {
		if got := tableOf(t, d, "public", name).Suggested.TargetTable; got != target && (!strings.HasSuffix(target, "__0") || !strings.HasPrefix(got, target)) {
			t.Errorf("%s would land in %s", name, got)
		}
	}
	clash := tableOf(t, d, "public", "clash")
	if !strings.Contains(clash.Problem, `the columns "A" and "a" would both be "a" in the lake`) || clash.Columns[2].TargetName != "b" {
		t.Errorf("two columns of one name: %q, %+v", clash.Problem, clash.Columns)
	}
	only := discover(t, c, login, `public.Orders`, `a.b.c`, `a\.b.*`)
	var got []string
	for _, found := range only.Tables {
		got = append(got, spec.TableKey(found.Schema, found.Table))
	}
	if want := []string{"a.b.c", `a\.b.c`, "public.Orders"}; !slices.Equal(got, want) {
		t.Errorf("the patterns chose %q, wanted %q", got, want)
	}
}

// What the role may not read says so, and how it may.
func TestDiscoverSaysWhatTheRoleMayNot(t *testing.T) {
	t.Parallel()
	c, _, execute := database(t,
		`CREATE TABLE open (id int PRIMARY KEY)`, `CREATE TABLE shut (id int)`, `CREATE TABLE part (id int, secret text)`, `CREATE SCHEMA hidden`, `CREATE TABLE hidden.t (id int)`,
		`CREATE TABLE guarded (id int)`, `ALTER TABLE guarded ENABLE ROW LEVEL SECURITY`, `CREATE TABLE own (id int)`, `ALTER TABLE own ENABLE ROW LEVEL SECURITY`)
	role := "reader" + c.Database
	execute(`CREATE ROLE "`+role+`" LOGIN PASSWORD 'p'`, `GRANT SELECT ON open, guarded TO "`+role+`"`, `GRANT SELECT (id) ON part TO "`+role+`"`, `ALTER TABLE own OWNER TO "`+role+`"`, `GRANT SELECT ON hidden.t TO "`+role+`"`)
	t.Cleanup(func() { execute(`DROP OWNED BY "`+role+`"`, `DROP ROLE "`+role+`"`) })
	d := discover(t, c, postgres.Credentials{Username: role, Password: "p"})
	for name, want := range map[string]string{
		"public.open": "", "public.own": "",
		"public.shut":    `the role may not read it: GRANT SELECT ON "public"."shut" TO the connection's role`,
		"public.part":    `the role may not read its columns secret: GRANT SELECT ON "public"."part" TO the connection's role`,
		"hidden.t":       `the role may not use its schema: GRANT USAGE ON SCHEMA "hidden" TO the connection's role`,
		"public.guarded": `row-level security would hide rows of it from the role, which is an error: give the role BYPASSRLS, or read as the table's owner`,
	} {
		schema, table, _ := strings.Cut(name, ".")
		if got := tableOf(t, d, schema, table).Problem; got != want {
			t.Errorf("%s: %q, wanted %q", name, got, want)
		}
	}
}

// On a replica the same is suggested, and what a replica has no rows of is told.
func TestDiscoverOnAReplica(t *testing.T) {
	t.Parallel()
	primary := ownServer(t)
	home := newPlace(t, primary)
	home.session().sql(`CREATE TABLE t (id int PRIMARY KEY)`, `CREATE UNLOGGED TABLE fleeting (id int PRIMARY KEY)`)
	away := placeOn(t, standbyOf(t, primary), home.connection.Database)
	d := discover(t, away.connection, away.login)
	if !d.InRecovery || tableOf(t, d, "public", "t").Suggested.Extract != (spec.SuggestedExtract{Mode: "incremental", Horizon: "xmin"}) || tableOf(t, d, "public", "t").Problem != "" {
		t.Errorf("on a replica: %+v", d)
	}
	if got := tableOf(t, d, "public", "fleeting").Problem; !strings.Contains(got, "it is unlogged, and a replica has no rows of such a table") {
		t.Errorf("an unlogged table: %q", got)
	}
	if got := tableOf(t, discover(t, home.connection, home.login), "public", "fleeting").Problem; got != "" {
		t.Errorf("an unlogged table at its primary: %q", got)
	}
}
