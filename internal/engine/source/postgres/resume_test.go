package postgres_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// patchwork is a table that is read in parts, under one snapshot after another.
type patchwork struct {
	*place
	*session
	request postgres.Incremental
	footing *postgres.Footing
	cut     [][]postgres.Part
	// read are the rows of each part that has been read, nil for others: id and v.
	read [][]string
}

func (p *place) newPatchwork(table string) *patchwork {
	return &patchwork{place: p, session: p.session(), request: postgres.Incremental{Source: spec.DatabaseSource{Connection: "db", Schema: "public", Table: table}}}
}

// open opens a window over the whole table.
func (w *patchwork) open() *postgres.Window {
	w.place.t.Helper()
	window, err := postgres.OpenWindow(w.place.t.Context(), w.connection, w.login, w.request)
	if err != nil {
		w.place.t.Fatal(err)
	}
	w.place.t.Cleanup(func() { window.Close(w.place.t.Context()) })
	return window
}

// rows reads parts under a window's snapshot.
func (w *patchwork) rows(window *postgres.Window, parts []postgres.Part) []string {
	w.place.t.Helper()
	d, err := window.Snapshot.Describe(w.place.t.Context(), &w.request.Source, nil, nil)
	if err != nil {
		w.place.t.Fatal(err)
	}
	rows := []string{}
	if _, err = postgres.Extract(w.place.t.Context(), w.connection, w.login, postgres.Request{Parts: parts, Columns: d.Schema.Columns[:2], Snapshot: window.Snapshot.ID}, func(b *column.Batch) error {
		for i := range b.Rows() {
			rows = append(rows, fmt.Sprintf("%d=%s", b.Columns[0].Int32s[i], b.Columns[1].Bytes(i)))
		}
		return nil
	}); err != nil {
		w.place.t.Fatal(err)
	}
	return rows
}

// begin cuts the table, and reads some of the parts.
func (w *patchwork) begin(some func(i int) bool) {
	w.place.t.Helper()
	window := w.open()
	defer window.Close(w.place.t.Context())
	var err error
	if w.footing, err = window.Footing(w.place.t.Context()); err == nil {
		w.cut, err = window.Cut(w.place.t.Context(), nil, 16<<10)
	}
	if err != nil || len(w.cut) < 4 {
		w.place.t.Fatalf("a cut into %d parts, %v", len(w.cut), err)
	}
	w.read = make([][]string, len(w.cut))
	for i, parts := range w.cut {
		if some(i) {
			w.read[i] = w.rows(window, parts)
		}
	}
}

// goOn reads some of the parts that are left, and what has changed, and checks what the rest promises. It returns how many rows
// were read of what has changed.
func (w *patchwork) goOn(why string, some func(i int) bool) int {
	w.place.t.Helper()
	window := w.open()
	defer window.Close(w.place.t.Context())
	rest, err := window.Rest(w.place.t.Context(), w.footing, w.cut)
	if err != nil {
		w.place.t.Fatalf("%s: %v", why, err)
	}
	var changed []string
	for _, parts := range rest.Changed {
		changed = append(changed, w.rows(window, parts)...)
	}
	for i, parts := range w.cut {
		if w.read[i] != nil {
			continue
		}
		left := w.rows(window, rest.Left(parts))
		for _, row := range left {
			if slices.Contains(changed, row) {
				w.place.t.Fatalf("%s: %s is left and has changed", why, row)
			}
		}
		if some(i) {
			w.read[i] = left
			continue
		}
		defer func() { w.read[i] = nil }() // it counts for now
		w.read[i] = left
	}
	lake := map[string]string{}
	for _, rows := range w.read {
		for _, row := range rows {
			id, v, _ := strings.Cut(row, "=")
			if _, twice := lake[id]; twice {
				w.place.t.Fatalf("%s: row %s is in two parts", why, id)
			}
			lake[id] = v
		}
	}
	met := map[string]bool{}
	for _, row := range changed {
		id, v, _ := strings.Cut(row, "=")
		if met[id] {
			w.place.t.Fatalf("%s: row %s has changed twice", why, id)
		}
		met[id], lake[id] = true, v
	}
	for _, row := range w.rows(window, []postgres.Part{{Source: w.request.Source}}) {
		if id, v, _ := strings.Cut(row, "="); lake[id] != v {
			w.place.t.Errorf("%s: row %s has v = %s, and %q was read", why, id, v, lake[id])
		}
	}
	return len(changed)
}

func everyPart(int) bool { return true }

// What is read of a table under several snapshots is each row that the last one shows, once, or replaced by what has changed.
func TestRestOfParts(t *testing.T) {
	t.Parallel()
	if os.Getenv("LAKELAND_POSTGRES") == "13" {
		t.Skip("servers before 14 are not cut by pages")
	}
	c, login, execute := database(t, `CREATE TABLE t (id int PRIMARY KEY, v text) WITH (fillfactor = 80)`, `INSERT INTO t SELECT i, repeat('a', i % 50) FROM generate_series(1, 2000) i`)
	p := &place{t: t, connection: c, login: login, server: sandbox.ForTest(t, sandbox.Postgres).Postgres()}
	r := rand.New(rand.NewPCG(sandbox.Seed(t), 11))
	w := p.newPatchwork("t")
	w.begin(func(i int) bool { return i%3 == 0 })
	for round := range 8 {
		for range 1 + r.IntN(5) {
			low := r.IntN(2200)
			where := fmt.Sprintf(` WHERE id BETWEEN %d AND %d`, low, low+r.IntN(200))
			switch r.IntN(7) {
			case 0, 1:
				w.sql(`UPDATE t SET v = v || 'u'` + where)
			case 2:
				w.sql(`DELETE FROM t` + where)
			case 3:
				w.sql(fmt.Sprintf(`INSERT INTO t SELECT i, 'n' FROM generate_series(%d, %d) i ON CONFLICT (id) DO UPDATE SET v = 'n'`, low, low+50))
			case 4:
				w.sql(`BEGIN`, `UPDATE t SET v = 'undone'`+where, `ROLLBACK`)
			case 5:
				w.sql(`VACUUM t`)
			default:
				w.sql(`VACUUM (FREEZE) t`)
			}
		}
		w.goOn(fmt.Sprintf("round %d", round), func(i int) bool { return i%8 == round })
	}
	execute(`CLUSTER t USING t_pkey`)
	window := w.open()
	var footing *postgres.FootingError
	if _, err := window.Rest(t.Context(), w.footing, w.cut); !errors.As(err, &footing) || !strings.Contains(err.Error(), "it was rewritten") {
		t.Errorf("a table that was rewritten: %v", err)
	}
	window.Close(t.Context())
	for want, edit := range map[string]func(f *postgres.Footing){
		"another cluster":          func(f *postgres.Footing) { f.System = "7" },
		"restored or promoted":     func(f *postgres.Footing) { f.Timeline++ },
		"it was restored":          func(f *postgres.Footing) { f.Xmin += 1 << 33 },
		"the table was recreated":  func(f *postgres.Footing) { f.Table++ },
		"transactions have passed": func(f *postgres.Footing) { f.Xmin -= 1 << 31 },
		"is gone":                  func(f *postgres.Footing) { f.Leaves = append(f.Leaves, postgres.FootingLeaf{OID: 1, Table: "x"}) },
		"is called":                func(f *postgres.Footing) { f.Leaves[0].Table = "before" },
	} {
		w.begin(everyPart)
		edit(w.footing)
		window := w.open()
		if _, err := window.Rest(t.Context(), w.footing, w.cut); !errors.As(err, &footing) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
		window.Close(t.Context())
	}
}

// While a window stands on its footing nobody rewrites the table.
func TestFootingHolds(t *testing.T) {
	t.Parallel()
	c, login, _ := database(t, `CREATE TABLE t (id int, v text)`, `CREATE VIEW seen AS SELECT * FROM t`, `CREATE TABLE heir () INHERITS (t)`,
		`CREATE TABLE parts (id int, v text) PARTITION BY LIST (id)`, `CREATE TABLE one PARTITION OF parts FOR VALUES IN (1)`)
	p := &place{t: t, connection: c, login: login, server: sandbox.ForTest(t, sandbox.Postgres).Postgres()}
	w := p.newPatchwork("parts")
	window := w.open()
	if _, err := window.Footing(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.sql(`SET lock_timeout = '50ms'`)
	for _, statement := range []string{`VACUUM FULL one`, `TRUNCATE parts`, `ALTER TABLE one RENAME TO two`} {
		if _, err := w.conn.Exec(t.Context(), statement); err == nil || !strings.Contains(err.Error(), "lock timeout") {
			t.Errorf("%s: %v", statement, err)
		}
	}
	window.Close(t.Context())
	w = p.newPatchwork("t")
	var footing *postgres.FootingError
	if _, err := w.open().Footing(t.Context()); !errors.As(err, &footing) || !strings.Contains(err.Error(), "heirs") {
		t.Errorf("a table with heirs: %v", err)
	}
}

// Numbers of transactions go around: rows that were frozen long ago carry such as were given again since.
func TestRestOfPartsBehindTheWrap(t *testing.T) {
	t.Parallel()
	const installation = "/usr/lib/postgresql/15" // where Debian has it; the archives of Maven lack pg_resetwal
	if _, err := os.Stat(filepath.Join(installation, "bin", "pg_resetwal")); err != nil {
		t.Skip("pg_resetwal of Debian's PostgreSQL 15 is not here")
	}
	s := serverAt(t, installation)
	p := newPlace(t, s)
	w := p.newPatchwork("t")
	w.sql(`ALTER DATABASE template0 ALLOW_CONNECTIONS true`, `CREATE TABLE t (id int PRIMARY KEY, v text)`)
	first := atoi(t, w.ask(`SELECT txid_current()::text`))
	for i := range 300 { // as many transactions
		w.sql(fmt.Sprintf(`INSERT INTO t SELECT i, repeat('a', 40) FROM generate_series(%d, %d) i`, 10*i, 10*i+9))
	}
	freeze := func() {
		for _, database := range []string{"postgres", "template0", "template1", p.connection.Database} {
			placeOn(t, s, database).session().sql(`VACUUM (FREEZE)`)
		}
	}
	freeze()
	for i, next := range []uint32{2_000_000_000, 4_000_000_000, 4_294_967_290} {
		if err := s.SetNextXID(t.Context(), next); err != nil {
			t.Fatal(err)
		}
		w.session = p.session()
		w.sql(`INSERT INTO t VALUES (` + fmt.Sprint(100_000+i) + `, 'behind a jump')`)
		freeze()
		w.sql(`CHECKPOINT`)
	}
	for atoi(t, w.ask(`SELECT txid_current()::text`)) < 1<<32+first+20 {
		continue
	}
	w.begin(func(i int) bool { return i%2 == 0 })
	for i := range 150 {
		w.sql(fmt.Sprintf(`UPDATE t SET v = 'new' WHERE id = %d`, i*17))
	}
	if changed := w.goOn("behind the wrap", func(i int) bool { return i%4 == 1 }); changed < 1000 {
		t.Errorf("%d rows were read again; those that were frozen were to be among them", changed)
	}
	for i := range 50 {
		w.sql(fmt.Sprintf(`UPDATE t SET v = 'newer' WHERE id = %d`, i*31))
	}
	w.goOn("the third snapshot", everyPart)
}
