package postgres_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// idsOf reads the first column of each list of parts under the snapshot.
func idsOf(t *testing.T, c *spec.Connection, login postgres.Credentials, s *postgres.Snapshot, source spec.DatabaseSource, lists [][]postgres.Part) [][]int32 {
	t.Helper()
	d, err := s.Describe(t.Context(), &source, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	out := make([][]int32, len(lists))
	for i, parts := range lists {
		got, err := postgres.Extract(t.Context(), c, login, postgres.Request{Parts: parts, Columns: d.Schema.Columns, Snapshot: s.ID}, func(b *column.Batch) error {
			out[i] = append(out[i], b.Columns[0].Int32s...)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if got.Rows != int64(len(out[i])) {
			t.Errorf("%v: %d rows are told and %d were there", parts, got.Rows, len(out[i]))
		}
	}
	return out
}

// However a table is cut, its parts hold every row of the snapshot once: also rows that moved since, and pages that came.
func TestPartsHoldEveryRowOnce(t *testing.T) {
	t.Parallel()
	c, login, execute := database(t,
		`CREATE TABLE plain (id int, x text)`, `INSERT INTO plain SELECT i, repeat('x', 200) FROM generate_series(1, 20000) i`,
		`CREATE TABLE parted (id int, x text) PARTITION BY RANGE (id)`,
		`CREATE TABLE parted_a PARTITION OF parted FOR VALUES FROM (0) TO (100)`, `CREATE TABLE parted_b PARTITION OF parted FOR VALUES FROM (100) TO (15000)`,
		`CREATE TABLE parted_c PARTITION OF parted FOR VALUES FROM (15000) TO (30000) PARTITION BY LIST (id)`, `CREATE TABLE parted_c_rest PARTITION OF parted_c DEFAULT`,
		`INSERT INTO parted SELECT i, repeat('x', 200) FROM generate_series(1, 20000) i`,
		`CREATE VIEW seen AS SELECT * FROM plain`, `CREATE MATERIALIZED VIEW kept AS SELECT * FROM plain`, `CREATE TABLE empty (id int, x text)`,
		`CREATE TABLE parent (id int, x text)`, `CREATE TABLE child () INHERITS (parent)`,
		`INSERT INTO parent SELECT i, repeat('x', 200) FROM generate_series(1, 10000) i`, `INSERT INTO child SELECT i, repeat('x', 200) FROM generate_series(10001, 20000) i`,
	)
	s, err := postgres.Begin(t.Context(), c, login)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(t.Context())
	byPages := !strings.HasPrefix(s.Version(), "13.")
	execute(`UPDATE plain SET x = 'moved' WHERE id % 3 = 0`, `INSERT INTO plain SELECT i, repeat('y', 200) FROM generate_series(20001, 30000) i`, `DELETE FROM parted WHERE id % 2 = 0`, `INSERT INTO empty VALUES (1, 'late')`)
	for name, tc := range map[string]struct {
		size        int64
		lists, rows int
	}{
		"plain": {1 << 20, 8, 20000}, "parted": {1 << 20, 7, 20000}, "seen": {1 << 20, 1, 20000}, "kept": {1 << 20, 5, 20000},
		"empty": {1 << 20, 1, 0}, "parent": {1 << 20, 3, 20000},
	} {
		source := spec.DatabaseSource{Schema: "public", Table: name}
		lists, err := s.Parts(t.Context(), source, nil, tc.size)
		if err != nil {
			t.Fatal(err)
		}
		if byPages && (len(lists) < tc.lists-1 || len(lists) > tc.lists+1) {
			t.Errorf("%s is cut into %d lists of parts: %v", name, len(lists), lists)
		}
		ids := slices.Concat(idsOf(t, c, login, s, source, lists)...)
		slices.Sort(ids)
		if len(ids) != tc.rows || len(slices.Compact(slices.Clone(ids))) != tc.rows {
			t.Errorf("%s: %d rows, %d of them different", name, len(ids), len(slices.Compact(ids)))
		}
	}
	whole, err := s.Parts(t.Context(), spec.DatabaseSource{Schema: "public", Table: "plain"}, nil, 1<<40)
	if err != nil || fmt.Sprint(whole) != fmt.Sprint([][]postgres.Part{{{Source: spec.DatabaseSource{Schema: "public", Table: "plain"}}}}) {
		t.Errorf("a small table is cut into %v, %v", whole, err)
	}
}

// A partitioned table whose own policy hides rows is read as a whole, and refused there: its partitions are no way round.
func TestPartitionsAreNoWayRoundAPolicy(t *testing.T) {
	t.Parallel()
	c, login, execute := database(t, `CREATE TABLE parted (id int) PARTITION BY RANGE (id)`, `CREATE TABLE part PARTITION OF parted FOR VALUES FROM (0) TO (100)`, `INSERT INTO parted VALUES (1), (2)`)
	execute(`ALTER TABLE parted ENABLE ROW LEVEL SECURITY`)
	s, err := postgres.Begin(t.Context(), c, login)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(t.Context())
	source := spec.DatabaseSource{Schema: "public", Table: "parted"}
	lists, err := s.Parts(t.Context(), source, nil, 1)
	if err != nil || len(lists) != 1 || len(lists[0]) != 1 || lists[0][0].Source.Table != "parted" {
		t.Errorf("it is cut into %v, %v", lists, err)
	}
}

// A table with an heir on another server is one part: the sessions share no snapshot there, and a row that moves between two
// readings of it would be in no range of pages, or in two.
func TestForeignHeirsAreReadOnce(t *testing.T) {
	t.Parallel()
	c, login, _ := database(t, `CREATE TABLE plain (id int, x text)`, `INSERT INTO plain SELECT i, repeat('x', 200) FROM generate_series(1, 2000) i`, `CREATE TABLE heir () INHERITS (plain)`,
		`CREATE FOREIGN DATA WRAPPER none`, `CREATE SERVER far FOREIGN DATA WRAPPER none`)
	p := &place{t: t, connection: c, login: login, server: sandbox.ForTest(t, sandbox.Postgres).Postgres()}
	writer := p.session()
	source := spec.DatabaseSource{Connection: "db", Schema: "public", Table: "plain"}
	for _, foreign := range []bool{false, true} {
		if foreign {
			writer.sql(`CREATE FOREIGN TABLE away () INHERITS (heir) SERVER far`)
		}
		s, err := postgres.Begin(t.Context(), c, login, source)
		if err != nil {
			t.Fatal(err)
		}
		lists, err := s.Parts(t.Context(), source, nil, 64<<10)
		s.Close(t.Context())
		if err != nil || !strings.HasPrefix(s.Version(), "13.") && (len(lists) == 1) != foreign || foreign && len(lists) != 1 {
			t.Errorf("with an heir elsewhere %t: %d lists, %v", foreign, len(lists), err)
		}
	}
}

// A role from which a policy hides rows of a table, or of a part of it, reads none of them: neither under a snapshot that
// sessions share nor in a view of its own.
func TestPolicyOfAnyPartIsAnError(t *testing.T) {
	t.Parallel()
	p := newPlace(t, sandbox.ForTest(t, sandbox.Postgres).Postgres())
	f := p.newFeed(byXmin, partedT...)
	f.sql(`CREATE TABLE old (id int, v text)`, `CREATE TABLE heir () INHERITS (old)`)
	owner := f.login
	f.reader(`GRANT SELECT ON t, low, high, old, heir TO reader`)
	for table, parts := range map[string][]string{"t": {"t", "low"}, "old": {"old", "heir"}} {
		source := spec.DatabaseSource{Connection: "db", Schema: "public", Table: table}
		for _, part := range parts {
			f.sql(`ALTER TABLE `+part+` ENABLE ROW LEVEL SECURITY`, `CREATE POLICY p ON `+part+` USING (id = 1)`)
			s, err := postgres.Begin(t.Context(), p.connection, f.login, source)
			if err == nil {
				s.Close(t.Context())
			}
			p.login = f.login
			rows, own := p.rowsOf("", []postgres.Part{{Source: source}})
			for way, err := range map[string]error{"a shared snapshot": err, "a view of its own": own} {
				if err == nil || !strings.Contains(err.Error(), "row-level security hides rows of public."+part) {
					t.Errorf("%s with a policy on %s, by %s: %v", table, part, way, err)
				}
			}
			if len(rows) > 0 {
				t.Errorf("%s with a policy on %s: %q", table, part, rows)
			}
			if s, err = postgres.Begin(t.Context(), p.connection, owner, source); err != nil {
				t.Errorf("a superuser is no subject of policies: %v", err)
			} else {
				s.Close(t.Context())
			}
			f.sql(`ALTER TABLE `+part+` DISABLE ROW LEVEL SECURITY`, `DROP POLICY p ON `+part)
		}
	}
}
