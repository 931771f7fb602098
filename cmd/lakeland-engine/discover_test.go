package main

import (
	"bytes"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

func TestMain(m *testing.M) { sandbox.Main(m) }

// command runs a command line and returns what it says on standard output and beside it.
func command(t *testing.T, arguments ...string) (out, beside string, err error) {
	t.Helper()
	var first, second bytes.Buffer
	root := rootCommand()
	root.SetOut(&first)
	root.SetErr(&second)
	root.SetArgs(arguments)
	err = root.ExecuteContext(t.Context())
	return first.String(), second.String(), err
}

// A database is listed by its URL: as a document on standard output, in a file, and below a folder by its names.
func TestDiscoverByURL(t *testing.T) {
	sb := sandbox.ForTest(t, sandbox.Postgres)
	server, db := sb.Postgres(), sb.NewDatabase(t)
	conn, err := pgx.Connect(t.Context(), db.ConnString)
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{`CREATE TABLE orders (id int PRIMARY KEY, note text)`, "CREATE TABLE \"bell\a\x1b[31m\" (id int)", `CREATE TABLE orders_old (id int)`, `CREATE TABLE clash ("A" int, a int)`} {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	_ = conn.Close(t.Context())
	folder := t.TempDir()
	root := filepath.Join(folder, "root.pem")
	if err := os.WriteFile(root, server.CA(), 0o600); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(db.ConnString)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PGPASSWORD", server.Password())
	from := "postgresql://" + server.User() + "@" + u.Host + "/" + db.Name + "?sslrootcert=" + root

	out, beside, err := command(t, "discover", "--from", from, "--exclude", "*.*_old", "--include", "public.*", "--include", "sales.*")
	if err != nil {
		t.Fatal(err)
	}
	d, err := spec.DecodeDiscovery([]byte(out))
	if err != nil || len(d.Tables) != 3 || d.Tables[0].Table != "bell\a\x1b[31m" || d.Tables[2].Table != "orders" || d.Connection != "" || d.Database != db.Name {
		t.Errorf("%+v, %v", d, err)
	}
	if !strings.Contains(beside, `msg="no table answers to a pattern" include=sales.*`) || strings.Contains(out+beside, server.Password()) {
		t.Errorf("beside it says %q", beside)
	}
	for _, tc := range []struct {
		to, written string
		more        []string
	}{
		{filepath.Join(folder, "a", "shop.json"), filepath.Join(folder, "a", "shop.json"), nil},
		{folder, filepath.Join(folder, "discovery", "shop", "shop-db.json"), []string{"--tracking", "shop", "--connection", "shop-db"}},
	} {
		out, beside, err := command(t, append(tc.more, "discover", "--from", from, "--to", tc.to)...)
		if err != nil || out != "" || !strings.Contains(beside, "discovery written") {
			t.Fatalf("%q, %q, %v", out, beside, err)
		}
		data, err := os.ReadFile(tc.written)
		if err != nil {
			t.Fatal(err)
		}
		if d, err := spec.DecodeDiscovery(data); err != nil || len(d.Tables) != 4 || (d.Connection == "shop-db") != (len(tc.more) > 0) {
			t.Errorf("%s: %+v, %v", tc.written, d, err)
		}
	}
	var table bytes.Buffer
	if err := showTables(&table, d); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"public.orders ", "incremental xmin", "see below", "public.clash: the columns", `"public.bell\a\x1b[31m"`} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("%q is not shown:\n%s", want, table.String())
		}
	}
	if strings.ContainsAny(table.String(), "\a\x1b") {
		t.Errorf("a name reaches the terminal as it is: %q", table.String())
	}
}

func TestDiscoverMisused(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ arguments, want string }{
		{"", "it is not said which database: write --tracking and --connection, or --from"},
		{"--tracking shop", "--tracking and --connection belong together"},
		{"--tracking Shop --connection shop-db", `--tracking: "Shop" is not a name for a tracking`},
		{"--tracking shop --connection Shop", `--connection: "Shop" is not a name`},
		{"--from postgresql://a@b/c --include orders", `--include[0]: "orders" names no schema`},
		{"--from postgresql://a@b/c --exclude .", `--exclude[0]: "." is no pattern`},
		{"--from postgresql://a@b/c --to folder", "write --tracking and --connection too, or a name that ends with .json"},
		{"--from postgresql://a:sesame@b/c", "it holds a password"},
		{"--tracking shop --connection shop-db --to s3://A/b/", "--to: "},
		{"--from mysql://a@b/c", "it is not the URL of a PostgreSQL database"},
		{"more", `unknown command "more"`},
	} {
		_, _, err := command(t, append([]string{"discover"}, strings.Fields(tc.arguments)...)...)
		var wrong misuse
		if err == nil || !strings.Contains(err.Error(), tc.want) || !errors.As(err, &wrong) && tc.arguments != "more" || strings.Contains(err.Error(), "sesame") {
			t.Errorf("%s: %v", tc.arguments, err)
		}
	}
}
