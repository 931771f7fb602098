package postgres_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

func TestMain(m *testing.M) { sandbox.Main(m) }

// database is an empty database, a connection to it, and its login.
func database(t *testing.T, statements ...string) (*spec.Connection, postgres.Credentials, func(...string)) {
	t.Helper()
	sb := sandbox.ForTest(t, sandbox.Postgres)
	db, server := sb.NewDatabase(t), sb.Postgres()
	execute := func(statements ...string) {
		t.Helper()
		ctx := context.WithoutCancel(t.Context()) // clean-ups run behind the context's end
		conn, err := pgx.Connect(ctx, db.ConnString)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close(ctx) }()
		for _, s := range statements {
			if _, err := conn.Exec(ctx, s); err != nil {
				t.Fatalf("%s: %v", s, err)
			}
		}
	}
	execute(statements...)
	return &spec.Connection{
		Name: "db", Engine: "postgresql", Host: server.Host(), Port: server.Port(), Database: db.Name,
		TLS: spec.TLS{Mode: "verify-full", CA: string(server.CA())},
	}, postgres.Credentials{Username: server.User(), Password: server.Password()}, execute
}

func TestTLSModes(t *testing.T) {
	t.Parallel()
	c, login, _ := database(t)
	for _, mode := range []string{"verify-full", "verify-ca", "require"} {
		c := *c
		c.TLS.Mode = mode
		if mode == "require" {
			c.TLS.CA = ""
		}
		conn, err := postgres.Connect(t.Context(), &c, login)
		if err != nil {
			t.Errorf("%s: %v", mode, err)
			continue
		}
		_ = conn.Close(t.Context())
	}
	for _, mode := range []string{"verify-full", "verify-ca"} {
		c := *c
		c.TLS = spec.TLS{Mode: mode}
		if _, err := postgres.Connect(t.Context(), &c, login); err == nil || !strings.Contains(err.Error(), "tls.ca") {
			t.Errorf("%s without the authority: %v", mode, err)
		}
	}
	wrongName := *c
	wrongName.Host = "127.0.0.2"
	if _, err := postgres.Connect(t.Context(), &wrongName, login); err == nil {
		t.Error("a server by a name that its certificate lacks was accepted")
	}
}

func TestConnectExplains(t *testing.T) {
	t.Parallel()
	c, login, _ := database(t)
	wrong := login
	wrong.Password = "sesame-wrong"
	_, err := postgres.Connect(t.Context(), c, wrong)
	if err == nil || !postgres.AuthenticationFailed(err) || !strings.Contains(err.Error(), "check username and password in the connection's secret") || strings.Contains(err.Error(), "sesame") {
		t.Errorf("a wrong password: %v", err)
	}
	absent := *c
	absent.Database = "absent"
	if _, err := postgres.Connect(t.Context(), &absent, login); err == nil || !strings.Contains(err.Error(), "check the connection's database") {
		t.Errorf("an absent database: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := postgres.Connect(ctx, c, login); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled context: %v", err)
	}
}

// A session's settings are pinned, whatever the role says: each of them is another by the role's.
func TestSessionIsPinned(t *testing.T) {
	t.Parallel()
	eachVersion(t, func(t *testing.T, p *place) {
		t.Helper()
		role, s := "odd_"+p.connection.Database, p.session()
		s.sql(`CREATE ROLE ` + role + ` LOGIN SUPERUSER PASSWORD 'p'`)
		t.Cleanup(func() { p.session().sql(`DROP ROLE ` + role) })
		pinned := map[string]struct{ odd, want string }{
			"statement_timeout": {"5ms", "0"}, "lock_timeout": {"1ms", "30s"}, "idle_in_transaction_session_timeout": {"1min", "0"}, "idle_session_timeout": {"1min", "0"},
			"transaction_timeout": {"1min", "0"}, "row_security": {"on", "off"}, "search_path": {"public", `""`}, "timezone": {"Asia/Tokyo", "UTC"},
			"datestyle": {"SQL, DMY", "ISO, YMD"}, "intervalstyle": {"postgres", "iso_8601"}, "extra_float_digits": {"-15", "1"}, "client_encoding": {"LATIN1", "UTF8"},
			"default_transaction_read_only": {"off", "on"}, "bytea_output": {"escape", "hex"}, "application_name": {"odd", "lakeland"},
		}
		for name, setting := range pinned {
			if s.ask(`SELECT count(*)::text FROM pg_settings WHERE name ILIKE '`+name+`'`) == "0" {
				delete(pinned, name) // it came with a later version
				continue
			}
			value := "'" + setting.odd + "'"
			if strings.Contains(setting.odd, ", ") {
				value = setting.odd
			}
			s.sql(`ALTER ROLE ` + role + ` SET ` + name + ` = ` + value)
		}
		major, _, _ := strings.Cut(s.ask(`SHOW server_version`), ".")
		if want := map[string]int{"13": 13, "15": 14, "17": 15, "18": 15}[major]; len(pinned) != want {
			t.Errorf("of the settings that are pinned the server knows %d, want %d", len(pinned), want)
		}
		conn, err := postgres.Connect(t.Context(), p.connection, postgres.Credentials{Username: role, Password: "p"})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
		for name, setting := range pinned {
			result := conn.ExecParams(t.Context(), "SELECT current_setting($1)", [][]byte{[]byte(name)}, nil, nil, nil).Read()
			if result.Err != nil || string(result.Rows[0][0]) != setting.want {
				t.Errorf("%s is %q, %v; want %q", name, result.Rows, result.Err, setting.want)
			}
		}
	})
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	c, login, _ := database(t,
		`CREATE SCHEMA "S"`, `CREATE TABLE "S"."Or""ders" ("Id" bigint NOT NULL, gone int, "note x" text, amount numeric(12,2) NOT NULL)`,
		`ALTER TABLE "S"."Or""ders" DROP COLUMN gone`, `COMMENT ON COLUMN "S"."Or""ders"."note x" IS 'what was said'`,
		`CREATE TABLE clash ("A" int, a int)`, `CREATE VIEW seen AS SELECT 1 AS one`)
	s, err := postgres.Begin(t.Context(), c, login)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(t.Context())
	d, err := s.Describe(t.Context(), &spec.DatabaseSource{Schema: "S", Table: `Or"ders`}, []string{"Id"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, column := range d.Schema.Columns {
		got = append(got, column.Name+" "+column.Type.String()+" "+map[bool]string{true: "required", false: "optional"}[column.Required]+" "+column.Comment)
	}
	if want := "id long required |note_x string optional what was said|amount decimal(12,2) required "; strings.Join(got, "|") != want {
		t.Errorf("columns are %q", strings.Join(got, "|"))
	}
	if d.Schema.Columns[1].Source.Number != 3 || d.Schema.Key[0] != "id" || d.Schema.Identity == "" {
		t.Errorf("numbers, key or identity are wrong: %+v", d.Schema)
	}
	if _, err := s.Describe(t.Context(), &spec.DatabaseSource{Schema: "public", Table: "seen"}, nil, nil); err != nil {
		t.Errorf("a view: %v", err)
	}
	for _, tc := range []struct{ table, want string }{
		{"clash", `the columns "A" and "a" would both be "a"`},
		{"sean", "did you mean public.seen?"},
		{"completely_else", "there is no such table among"},
	} {
		if _, err := s.Describe(t.Context(), &spec.DatabaseSource{Schema: "public", Table: tc.table}, nil, nil); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", tc.table, err, tc.want)
		}
	}
	if _, err := s.Describe(t.Context(), &spec.DatabaseSource{Schema: "public", Table: "seen"}, []string{"onee"}, nil); err == nil || !strings.Contains(err.Error(), `did you mean "one"?`) {
		t.Errorf("a misspelt key: %v", err)
	}
}

// All sessions of a snapshot see the rows of its moment, and its identity.
func TestExtractReadsTheSnapshot(t *testing.T) {
	t.Parallel()
	c, login, execute := database(t, `CREATE TABLE t (id int PRIMARY KEY, x text)`, `INSERT INTO t SELECT i, repeat('é', i % 50) FROM generate_series(1, 30000) i`)
	s, err := postgres.Begin(t.Context(), c, login)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(t.Context())
	execute(`DELETE FROM t WHERE id > 10`, `INSERT INTO t VALUES (0, 'late')`)
	source := spec.DatabaseSource{Schema: "public", Table: "t"}
	d, err := s.Describe(t.Context(), &source, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		var rows, sum int64
		got, err := postgres.Extract(t.Context(), c, login, postgres.Request{Parts: []postgres.Part{{Source: source}}, Columns: d.Schema.Columns, Snapshot: s.ID}, func(b *column.Batch) error {
			rows += int64(b.Rows())
			for _, id := range b.Columns[0].Int32s {
				sum += int64(id)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if rows != 30000 || got.Rows != rows || sum != 30000*30001/2 || got.Identity.Xmin != s.Identity.Xmin {
			t.Errorf("%d rows, sum %d, %+v against %+v", rows, sum, got, s.Identity)
		}
	}
	if _, err := postgres.Extract(t.Context(), c, login, postgres.Request{Parts: []postgres.Part{{Source: source}}, Columns: d.Schema.Columns, Snapshot: "00000000-00000000-1"}, nil); err == nil {
		t.Error("a snapshot that does not exist was joined")
	}
	if _, err := postgres.Extract(t.Context(), c, login, postgres.Request{Parts: []postgres.Part{{Source: source}}, Columns: d.Schema.Columns, Snapshot: `x'; DROP TABLE t; --\`}, nil); err == nil {
		t.Error("a hostile snapshot id was accepted")
	}
}

func TestExtractStopsWhereWritingFails(t *testing.T) {
	t.Parallel()
	c, login, _ := database(t, `CREATE TABLE t AS SELECT i AS id FROM generate_series(1, 200000) i`)
	s, err := postgres.Begin(t.Context(), c, login)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(t.Context())
	source := spec.DatabaseSource{Schema: "public", Table: "t"}
	d, err := s.Describe(t.Context(), &source, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	full := errors.New("the disk is full")
	batches := 0
	_, err = postgres.Extract(t.Context(), c, login, postgres.Request{Parts: []postgres.Part{{Source: source}}, Columns: d.Schema.Columns}, func(*column.Batch) error {
		if batches++; batches == 3 {
			return full
		}
		return nil
	})
	if !errors.Is(err, full) || batches != 3 {
		t.Errorf("%v after %d batches", err, batches)
	}
}

// Rows that a policy hides are an error, never fewer rows.
func TestRowLevelSecurityIsAnError(t *testing.T) {
	t.Parallel()
	c, login, execute := database(t, `CREATE TABLE t (id int)`, `INSERT INTO t VALUES (1), (2)`, `ALTER TABLE t ENABLE ROW LEVEL SECURITY`, `CREATE POLICY p ON t USING (id = 1)`)
	role := "reader" + c.Database
	execute(`CREATE ROLE "`+role+`" LOGIN PASSWORD 'p'`, `GRANT SELECT ON t TO "`+role+`"`)
	t.Cleanup(func() { execute(`DROP OWNED BY "`+role+`"`, `DROP ROLE "`+role+`"`) })
	s, err := postgres.Begin(t.Context(), c, login)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(t.Context())
	source := spec.DatabaseSource{Schema: "public", Table: "t"}
	d, err := s.Describe(t.Context(), &source, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = postgres.Extract(t.Context(), c, postgres.Credentials{Username: role, Password: "p"}, postgres.Request{Parts: []postgres.Part{{Source: source}}, Columns: d.Schema.Columns}, func(*column.Batch) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "row-level security") {
		t.Errorf("got %v", err)
	}
}
