package main

import (
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/lakeland/terraform-provider-lakeland/internal/awsclient"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/readback"
)

// A connection URL says where the database is and how it is secured, and never holds a password.
func TestParseSource(t *testing.T) {
	t.Setenv("PGPASSWORD", "sesame")
	t.Setenv("PGSSLMODE", "prefer")
	root := filepath.Join(t.TempDir(), "root.pem")
	if err := os.WriteFile(root, []byte("certificates"), 0o600); err != nil {
		t.Fatal(err)
	}
	for from, want := range map[string]struct{ host, mode, ca string }{
		"postgresql://reader@db.example.com/shop":                        {"db.example.com", "verify-full", ""},
		"postgres://reader@db.example.com:6000/shop?sslrootcert=" + root: {"db.example.com", "verify-full", "certificates"},
		"postgresql://reader@localhost/shop":                             {"localhost", postgres.Plaintext, ""},
		"postgresql://reader@localhost/shop?sslmode=require":             {"localhost", "require", ""},
		"postgresql://reader@127.0.0.1/shop?sslrootcert=" + root:         {"127.0.0.1", "verify-full", "certificates"},
		"postgresql://reader@/shop?host=/run/postgresql":                 {"/run/postgresql", postgres.Plaintext, ""},
		"postgresql://reader@db.example.com/shop?sslmode=disable":        {"db.example.com", postgres.Plaintext, ""},
	} {
		c, login, err := parseSource(from)
		if err != nil || c.Host != want.host || c.TLS.Mode != want.mode || c.TLS.CA != want.ca || login.Username != "reader" || login.Password != "sesame" || c.Database != "shop" {
			t.Errorf("%s: %+v, %q, %v", from, c, login.Username, err)
		}
	}
	for from, want := range map[string]string{
		"mysql://x@h/d":                                 "it is not the URL of a PostgreSQL database",
		"postgresql://x:sesame@h/d":                     "it holds a password, which the list of processes shows: put it into PGPASSWORD",
		"postgresql://x@h/d?password=sesame":            "it holds a password",
		"postgresql://x@h/d?sslmode=prefer":             "sslmode=prefer: write disable, require, verify-ca or verify-full",
		"postgresql://x@h/d?options=-cfoo":              "it sets options; only sslmode, sslrootcert, host and port can be set here",
		"postgresql://x@h/d?sslrootcert=/absent/ca.pem": "sslrootcert: ",
	} {
		if _, _, err := parseSource(from); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "sesame") {
			t.Errorf("%s: %v", from, err)
		}
	}
}

// A table is extracted to S3, value by value, below the prefix and nowhere else; what its columns become otherwise than one
// would expect is said beside.
func TestExtractToS3(t *testing.T) { //nolint:paralleltest // it sets the environment
	sb := sandbox.ForTest(t, sandbox.Postgres, sandbox.S3)
	server, db, bucket := sb.Postgres(), sb.NewDatabase(t), sb.NewBucket(t)
	conn, err := pgx.Connect(t.Context(), db.ConnString)
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		`CREATE EXTENSION isn`, `CREATE TABLE books (id int PRIMARY KEY, isbn isbn13, price numeric(8,2), at timestamptz, note text)`,
		`INSERT INTO books SELECT i, CASE WHEN i % 3 > 0 THEN isbn13 '978-0-393-04002-9' END, i / 7.0, timestamptz '2024-02-29 12:00Z' + i * interval '1 hour', repeat('é', i % 300) FROM generate_series(1, 5000) i`,
		`CREATE VIEW shown AS SELECT id, isbn::text AS isbn, price, at, note FROM books`,
	} {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	_ = conn.Close(t.Context())
	u, err := url.Parse(db.ConnString)
	if err != nil {
		t.Fatal(err)
	}
	for _, variable := range append(sb.Env(), "PGPASSWORD="+server.Password()) {
		name, value, _ := strings.Cut(variable, "=")
		t.Setenv(name, value)
	}
	out, beside, err := command(t, "extract", "--from", "postgresql://"+server.User()+"@"+u.Host+"/"+db.Name+"?sslmode=require", "--table", "public.books", "--to", "s3://"+bucket+"/scratch/books/", "--readers", "2")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(beside, `level=WARN`) || !strings.Contains(beside, `isbn13, which lakeland does not know: it lands as text`) || !strings.Contains(beside, "public.books") {
		t.Errorf("beside it says %q", beside)
	}
	if !strings.Contains(out, `"rows":5000`) || strings.Contains(out+beside, server.Password()) {
		t.Errorf("it says %q", out)
	}
	objects := store.NewS3(awsclient.New(sb.AWSConfig(), awsclient.Options{PathStyle: true}).S3, bucket)
	folder, files := t.TempDir(), 0
	for object, err := range objects.List(t.Context(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(object.Key, "scratch/books/") || !strings.HasSuffix(object.Key, ".parquet") {
			t.Errorf("there is %s", object.Key)
		}
		data, err := store.Read(t.Context(), objects, object.Key, 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, filepath.Base(object.Key)), data, 0o600); err != nil {
			t.Fatal(err)
		}
		files++
	}
	if files == 0 {
		t.Fatal("no file was written")
	}
	python, err := sb.Python(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want, err := readback.Postgres(t.Context(), db.ConnString, "public", "shown")
	if err != nil {
		t.Fatal(err)
	}
	for engine, path := range map[string]string{"duckdb": filepath.Join(folder, "*.parquet"), "pyarrow": folder} {
		got, err := readback.Reader{Python: python}.Parquet(t.Context(), engine, path)
		if err != nil {
			t.Fatal(err)
		}
		for _, difference := range readback.Differences(want, &got[0]) {
			t.Errorf("%s: %s", engine, difference)
		}
	}
}

// What is not the name of a table, a number of sessions or a place says what to write.
func TestExtractMisused(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		flag, value, want string
	}{
		{"--table", "orders", `--table: "orders" is not the name of a table: write SCHEMA.TABLE`},
		{"--table", "public.", `--table: "public." is not the name of a table: write SCHEMA.TABLE`},
		{"--table", ".orders", `--table: ".orders" is not the name of a table: write SCHEMA.TABLE`},
		{"--table", "", `--table: "" is not the name of a table: write SCHEMA.TABLE`},
		{"--readers", "0", "--readers: 0 is out of range: write 1 to 64"},
		{"--readers", "65", "--readers: 65 is out of range: write 1 to 64"},
		{"--readers", "-1", "--readers: -1 is out of range: write 1 to 64"},
		{"--readers", "two", `invalid argument "two" for "--readers" flag`},
		{"--from", "db.example.com/shop", "--from: it is not the URL of a PostgreSQL database: write postgresql://USER@HOST:PORT/DATABASE"},
		{"--to", "s3://", "--to: "},
	} {
		flags := map[string]string{"--from": "postgresql://reader@127.0.0.1:1/shop", "--table": "public.orders", "--to": t.TempDir(), "--readers": "1"}
		flags[tc.flag] = tc.value
		arguments := []string{"extract"}
		for name, value := range flags {
			arguments = append(arguments, name+"="+value)
		}
		_, _, err := command(t, arguments...)
		var wrong misuse
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s=%s: %v", tc.flag, tc.value, err)
		}
	}
	for _, missing := range []string{"from", "table", "to"} {
		arguments := []string{"extract"}
		for name, value := range map[string]string{"from": "postgresql://reader@127.0.0.1:1/shop", "table": "public.orders", "to": t.TempDir()} {
			if name != missing {
				arguments = append(arguments, "--"+name, value)
			}
		}
		if _, _, err := command(t, arguments...); err == nil || !strings.Contains(err.Error(), `"`+missing+`"`) {
			t.Errorf("without --%s: %v", missing, err)
		}
	}
}
