package postgres_test

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
	sandboxpostgres "github.com/lakeland/terraform-provider-lakeland/internal/sandbox/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// place is a database of a test's own on some server.
type place struct {
	t          *testing.T
	server     *sandboxpostgres.Server
	connection *spec.Connection
	login      postgres.Credentials
}

func newPlace(t *testing.T, server *sandboxpostgres.Server) *place {
	t.Helper()
	random := make([]byte, 8)
	binary.BigEndian.PutUint64(random, rand.Uint64())
	name := "h" + hex.EncodeToString(random)
	if err := server.CreateDatabase(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.DropDatabase(context.Background(), name); err != nil {
			t.Error(err)
		}
	})
	return placeOn(t, server, name)
}

// emptied has the database without tables, as it was made, when the test has ended; making one is dear.
func (p *place) emptied(then func()) {
	p.t.Helper()
	p.t.Cleanup(func() {
		defer then()
		last := p.session()
		// The test's sessions are closed, but the server may be ending them still, with the transactions they had.
		for range 10_000 {
			if last.ask(`SELECT count(*)::text FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()`) == "0" {
				break
			}
		}
		last.sql(`DROP SCHEMA public CASCADE`, `CREATE SCHEMA public`, `GRANT USAGE ON SCHEMA public TO public`, `DROP FOREIGN DATA WRAPPER IF EXISTS none CASCADE`)
	})
}

func placeOn(t *testing.T, server *sandboxpostgres.Server, database string) *place {
	t.Helper()
	return &place{
		t: t, server: server, login: postgres.Credentials{Username: server.User(), Password: server.Password()},
		connection: &spec.Connection{
			Name: "db", Engine: "postgresql", Host: server.Host(), Port: server.Port(), Database: database,
			TLS: spec.TLS{Mode: "verify-full", CA: string(server.CA())},
		},
	}
}

// session is a session that lasts as long as the test.
func (p *place) session() *session {
	p.t.Helper()
	conn, err := pgx.Connect(context.WithoutCancel(p.t.Context()), p.server.ConnString(p.connection.Database))
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return &session{p.t, conn}
}

type session struct {
	t    *testing.T
	conn *pgx.Conn
}

func (s *session) sql(statements ...string) {
	s.t.Helper()
	for _, statement := range statements {
		if _, err := s.conn.Exec(context.WithoutCancel(s.t.Context()), statement); err != nil {
			s.t.Fatalf("%s: %v", statement, err)
		}
	}
}

func (s *session) ask(statement string) string {
	s.t.Helper()
	var answer string
	if err := s.conn.QueryRow(context.WithoutCancel(s.t.Context()), statement).Scan(&answer); err != nil {
		s.t.Fatalf("%s: %v", statement, err)
	}
	return answer
}

// feed is a lake's copy of the columns id and v of a table, kept by a horizon: a map by key to which each round's changes
// are applied, as a merge would.
type feed struct {
	*place
	*session
	request postgres.Incremental
	columns []schema.Column
	rows    map[int32]string
	// read are the keys of the last round, in order.
	read []int32
}

// newFeed makes the table t by a statement and prepares to read it.
func (p *place) newFeed(extract spec.Extract, statements ...string) *feed {
	p.t.Helper()
	f := &feed{place: p, session: p.session(), rows: map[int32]string{}}
	f.sql(statements...)
	f.attach(extract, "t")
	return f
}

func (f *feed) attach(extract spec.Extract, table string) {
	f.place.t.Helper()
	extract.Mode = "incremental"
	r := requestOf(f.place.t, f.connection, f.login, table, "id", "v")
	f.request, f.columns = postgres.Incremental{Source: r.Parts[0].Source, Extract: extract}, r.Columns
}

// feedUnit is how large a unit's parts are at the source: two pages, so that the whole of a table is cut where its server can.
const feedUnit = 16 << 10

// try reads a round and applies it, as a run does: units in sessions of their own, under the window's snapshot or, where
// that cannot be shared, in a view of their own.
func (f *feed) try() (*postgres.Window, error) {
	ctx := f.place.t.Context()
	f.read = nil
	w, err := postgres.OpenWindow(ctx, f.connection, f.login, f.request)
	if err != nil {
		return nil, err
	}
	defer w.Close(ctx)
	units, err := w.Cut(ctx, nil, feedUnit)
	if err != nil {
		return nil, err
	}
	if w.Snapshot.ID == "" {
		w.Close(ctx)
	}
	var greatest []*string
	for _, parts := range units {
		met, err := f.unit(w, parts)
		if err != nil {
			return nil, err
		}
		greatest = append(greatest, met)
	}
	slices.Sort(f.read)
	to, err := w.To(greatest)
	if err != nil {
		return nil, err
	}
	document, err := to.Encode()
	if err != nil {
		return nil, err
	}
	if f.request.From, err = postgres.DecodePosition(document); err != nil {
		return nil, err
	}
	return w, nil
}

// unit reads and applies parts of a window, and returns the greatest value of its cursor. What it is to watch comes to it as
// a document.
func (f *feed) unit(w *postgres.Window, parts []postgres.Part) (*string, error) {
	r := postgres.Request{Parts: parts, Columns: f.columns, Snapshot: w.Snapshot.ID}
	document, err := json.Marshal(w.Watch())
	if err != nil {
		return nil, err
	}
	var watch *postgres.Watch
	if err := json.Unmarshal(document, &watch); err != nil {
		return nil, err
	}
	write := f.apply
	var greatest *postgres.Greatest
	if watch != nil {
		greatest, r.Columns = watch.Greatest(), append(slices.Clone(f.columns), watch.Column)
		write = func(b *column.Batch) error {
			last := len(b.Columns) - 1
			return errors.Join(greatest.See(b.Columns[last]), f.apply(&column.Batch{Columns: b.Columns[:last]}))
		}
	}
	before := len(f.read)
	sum, err := postgres.Extract(f.place.t.Context(), f.connection, f.login, r, write)
	switch {
	case err != nil:
		return nil, err
	case int(sum.Rows) != len(f.read)-before:
		return nil, fmt.Errorf("%d rows are counted and %d came", sum.Rows, len(f.read)-before)
	case greatest == nil:
		return nil, nil
	default:
		return greatest.Text(), nil
	}
}

// apply puts a batch's rows over those there are, by key.
func (f *feed) apply(b *column.Batch) error {
	if len(b.Columns) != 2 {
		return fmt.Errorf("a batch has %d columns", len(b.Columns))
	}
	for i := range b.Rows() {
		id := b.Columns[0].Int32s[i]
		f.rows[id] = string(b.Columns[1].Bytes(i))
		f.read = append(f.read, id)
	}
	return nil
}

func (f *feed) round() *postgres.Window {
	f.place.t.Helper()
	w, err := f.try()
	if err != nil {
		f.place.t.Fatal(err)
	}
	return w
}

// fails reads a round that must fail, with a message that holds all of some texts.
func (f *feed) fails(wants ...string) error {
	f.place.t.Helper()
	_, err := f.try()
	for _, want := range wants {
		if err == nil || !strings.Contains(err.Error(), want) {
			f.place.t.Errorf("got %v, want %q", err, want)
		}
	}
	return err
}

// losses are the differences between the lake's copy and the table: -1 is a row that the copy lacks, +1 one that it has
// and the table has not, ~1 one whose value differs.
func (f *feed) losses() string {
	f.place.t.Helper()
	where := "TRUE"
	for _, p := range f.request.Filter {
		where += " AND " + pgx.Identifier{p.Column}.Sanitize() + " " + p.Op + " '" + p.Value + "'"
	}
	rows, err := f.conn.Query(f.place.t.Context(), "SELECT id, coalesce(v, '') FROM "+pgx.Identifier{"public", f.request.Source.Table}.Sanitize()+" WHERE "+where)
	if err != nil {
		f.place.t.Fatal(err)
	}
	source := map[int32]string{}
	for rows.Next() {
		var id int32
		var v string
		if err := rows.Scan(&id, &v); err != nil {
			f.place.t.Fatal(err)
		}
		source[id] = v
	}
	if err := rows.Err(); err != nil {
		f.place.t.Fatal(err)
	}
	var out []string
	for _, id := range slices.Sorted(maps.Keys(source)) {
		if got, ok := f.rows[id]; !ok {
			out = append(out, fmt.Sprintf("-%d", id))
		} else if got != source[id] {
			out = append(out, fmt.Sprintf("~%d", id))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(f.rows)) {
		if _, ok := source[id]; !ok {
			out = append(out, fmt.Sprintf("+%d", id))
		}
	}
	return strings.Join(out, " ")
}

// expect compares the losses with those that the horizon's documentation names; "" is none.
func (f *feed) expect(why, losses string) {
	f.place.t.Helper()
	if got := f.losses(); got != losses {
		f.place.t.Errorf("%s: the losses are %q, want %q", why, got, losses)
	}
}

// sql runs statements in the feed's own session.
func (f *feed) sql(statements ...string) {
	f.place.t.Helper()
	f.session.sql(statements...)
}
