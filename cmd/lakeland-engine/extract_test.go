package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
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
