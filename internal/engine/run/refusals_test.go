package run_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
	"github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

// otherAuthority is the certificate of an authority that signed nothing.
func otherAuthority(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// closedPort is a port of loopback at which nothing listens.
func closedPort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().(*net.TCPAddr).Port
}

// A source that refuses fails the table with what failed, on what, and what to do; the lake stays as it was, no
// file is left, and when the cause is gone the next run ends well.
func TestSourceRefusals(t *testing.T) {
	t.Parallel()
	d := newNumbers(t).landing("numbers")
	const password = "sesame-opens"
	role := d.role(password)
	d.sql(`CREATE FUNCTION full_disk() RETURNS int LANGUAGE plpgsql AS $$ BEGIN
		RAISE EXCEPTION 'could not write to file "base/pgsql_tmp/1": No space left on device' USING ERRCODE = 'disk_full'; END $$`,
		`CREATE FUNCTION end_session() RETURNS int LANGUAGE sql AS $$ SELECT pg_terminate_backend(pg_backend_pid())::int $$`,
		`ALTER TABLE numbers RENAME TO stored`, `CREATE VIEW numbers AS SELECT id, v FROM stored`, `GRANT SELECT ON numbers TO "`+role+`"`)
	change := func() {
		d.sql(`ALTER VIEW IF EXISTS numbers RENAME TO aside`, `ALTER TABLE stored RENAME TO numbers`)
		d.change()
		d.sql(`ALTER TABLE numbers RENAME TO stored`, `ALTER VIEW aside RENAME TO numbers`)
	}
	d.lands("the first run")
	connection := func(edit func(*spec.Connection)) func() {
		return func() {
			c, err := d.tracking.Connection(t.Context(), "db")
			d.must(err)
			edit(c)
			d.must(d.tracking.UpdateConnection(t.Context(), c))
		}
	}
	original, err := d.tracking.Connection(t.Context(), "db")
	d.must(err)
	statement := func(s string) func() { return func() { d.sql(s) } }
	reconnect := func() { d.must(d.tracking.UpdateConnection(t.Context(), original)) }
	for _, tc := range []struct {
		name       string
		harm, mend func()
		want       []string
	}{
		{"unknown authority", connection(func(c *spec.Connection) { c.TLS.CA = otherAuthority(t) }), reconnect, []string{"descends from no trusted one: give the authority's certificates as tls.ca", d.db.Name}},
		{"unknown authority, any name", connection(func(c *spec.Connection) { c.TLS.Mode, c.TLS.CA = "verify-ca", otherAuthority(t) }), reconnect, []string{"give the authority's certificates as tls.ca", d.db.Name}},
		{"wrong host name", connection(func(c *spec.Connection) { c.Host = "0.0.0.0" }), reconnect, []string{"connect by a name that the server's certificate has", "0.0.0.0:"}},
		{"nothing listens", connection(func(c *spec.Connection) { c.Port = closedPort(t) }), reconnect, []string{"nothing listens there: check the connection's host and port", d.db.Name}},
		{"wrong database", connection(func(c *spec.Connection) { c.Database = "absent" }), reconnect, []string{`connecting to the database "absent"`, "check the connection's database"}},
		{"too many connections", statement(`ALTER ROLE "` + role + `" CONNECTION LIMIT 0`), statement(`ALTER ROLE "` + role + `" CONNECTION LIMIT -1`), []string{"a run needs one session, and more to read faster", "CONNECTION LIMIT"}},
		{"no login", statement(`ALTER ROLE "` + role + `" NOLOGIN`), statement(`ALTER ROLE "` + role + `" LOGIN`), []string{"check username and password in the connection's secret, and pg_hba.conf"}},
		{"no table", statement(`ALTER VIEW numbers RENAME TO aside`), statement(`ALTER VIEW aside RENAME TO numbers`), []string{`reading the columns of "public"."numbers"`, "there is no such table", "names are exact"}},
		{"no SELECT", statement(`REVOKE SELECT ON numbers FROM "` + role + `"`), statement(`GRANT SELECT ON numbers TO "` + role + `"`), []string{`GRANT SELECT ON "public"."numbers" TO the connection's role`}},
		{"SELECT on some columns", statement(`REVOKE SELECT ON numbers FROM "` + role + `"; GRANT SELECT (id) ON numbers TO "` + role + `"`), statement(`GRANT SELECT ON numbers TO "` + role + `"`), []string{`reading the columns of "public"."numbers"`, `the role may not read the columns ["v"]: GRANT SELECT ON "public"."numbers" TO the connection's role, or leave such columns out`}},
		{"no USAGE", statement(`REVOKE USAGE ON SCHEMA public FROM PUBLIC`), statement(`GRANT USAGE ON SCHEMA public TO PUBLIC`), []string{`GRANT USAGE ON SCHEMA "public" TO the connection's role`}},
		{"the session is ended", statement(`CREATE OR REPLACE VIEW numbers AS SELECT id, CASE WHEN id = 2 THEN public.end_session() ELSE v END AS v FROM stored`), statement(`CREATE OR REPLACE VIEW numbers AS SELECT id, v FROM stored`), []string{`reading "public"."numbers"`, "the server ended the session: the next run reads the table again"}},
		{"the source's disk is full", statement(`CREATE OR REPLACE VIEW numbers AS SELECT id, CASE WHEN id = 2 THEN public.full_disk() ELSE v END AS v FROM stored`), statement(`CREATE OR REPLACE VIEW numbers AS SELECT id, v FROM stored`), []string{`reading "public"."numbers"`, "the database server's disk is full: free space there"}},
	} {
		change()
		files := len(d.objects("raw/numbers/data/"))
		tc.harm()
		out, _ := d.run(nil)
		tc.mend()
		if out.Err == nil {
			t.Errorf("%s: the run ended well", tc.name)
			continue
		}
		d.sees(tc.name, d.before)
		runs, err := d.tracking.Runs(t.Context(), "shop.numbers", 1)
		d.must(err)
		if len(runs) != 1 || runs[0].RunID != out.RunID || runs[0].State != tracking.RunFailed || runs[0].Error != out.Err.Error() {
			t.Errorf("%s: history: %+v", tc.name, runs)
		}
		for _, want := range tc.want {
			if !strings.Contains(out.Err.Error(), want) {
				t.Errorf("%s: the error lacks %q: %v", tc.name, want, out.Err)
			}
		}
		if strings.Contains(out.Err.Error(), password) {
			t.Errorf("%s: the error tells the password", tc.name)
		}
		if now := len(d.objects("raw/numbers/data/")); now != files {
			t.Errorf("%s: there were %d data files, and are %d", tc.name, files, now)
		}
		d.lands(tc.name)
	}
	d.whole(true)
}

// The engine needs no disk: where no file may grow by a byte, it lands a table all the same.
func TestRunWritesNoFile(t *testing.T) {
	t.Parallel()
	l := newLake(t, `CREATE TABLE a AS SELECT i AS id, repeat(md5(i::text), 10) AS pad FROM generate_series(1, 50000) i`)
	l.add("a")
	engine := l.engine("dispatch", "--tracking", l.tracking.Tracking(), "--cadence", "c")
	folder := t.TempDir()
	limited := exec.CommandContext(t.Context(), "sh", append([]string{"-c", `ulimit -f 0; if (echo x >"$TMPDIR/probe"); then exit 3; fi; rm "$TMPDIR/probe"; exec "$0" "$@"`, engine.Path}, engine.Args[1:]...)...)
	limited.Env = slices.Concat(engine.Env, []string{"TMPDIR=" + folder})
	if out, err := limited.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	l.equal("a")
	left, err := os.ReadDir(folder)
	l.must(err)
	if len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}
