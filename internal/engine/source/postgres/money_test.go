package postgres_test

import (
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	sandboxpostgres "github.com/lakeland/terraform-provider-lakeland/internal/sandbox/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// Money is a whole number to the server, and lc_monetary says how many of its digits are decimals: with yen none, with dinars
// three. What is read is the amount that the database says, exactly, or an error that says what to do.
func TestMoneyOfOtherCountries(t *testing.T) {
	t.Parallel()
	locales := t.TempDir()
	for _, name := range []string{"ja_JP", "ar_BH"} {
		if out, err := exec.CommandContext(t.Context(), "localedef", "-i", name, "-f", "UTF-8", filepath.Join(locales, name+".UTF-8")).CombinedOutput(); err != nil {
			t.Skipf("localedef and the sources of locales are not here: %v: %s", err, out)
		}
	}
	if err := os.Chmod(filepath.Dir(locales), 0o755); err != nil { // #nosec G302 -- the server runs as another user
		t.Fatal(err)
	}
	installation, err := sandbox.ForTest(t).PostgresInstallation(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	server, err := sandboxpostgres.Start(t.Context(), sandboxpostgres.Options{Installation: installation, Locales: locales})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	const refused = `column "amount"`
	for country, other := range map[string]string{"C": "ja_JP.UTF-8", "ja_JP.UTF-8": "ar_BH.UTF-8", "ar_BH.UTF-8": "C"} {
		p := newPlace(t, server)
		p.session().sql(`ALTER DATABASE ` + p.connection.Database + ` SET lc_monetary = '` + country + `'`)
		s := p.session()
		s.sql(`CREATE TABLE t (amount money)`)
		for _, tc := range map[string][]struct{ amount, declared, want string }{
			"C": {{"-1234.56", "", "-1234.56"}},
			"ja_JP.UTF-8": {
				{"-1234", "", "-1234.00"}, {"-1234", "decimal(19,0)", "-1234"}, {"92233720368547758", "", "92233720368547758.00"}, {"-1234", "string", "-1234"},
				{"9223372036854775807", "", refused}, {"9223372036854775807", "decimal(19,0)", "9223372036854775807"},
			},
			"ar_BH.UTF-8": {{"1234.560", "", "1234.56"}, {"1234.567", "", refused}, {"1234.567", "decimal(22,3)", "1234.567"}, {"1234.567", "string", "1234.567"}},
		}[country] {
			s.sql(`TRUNCATE t`, `INSERT INTO t VALUES ('`+tc.amount+`'::numeric::money)`)
			if told := s.ask(`SELECT amount::numeric::text FROM t`); told != tc.amount {
				t.Errorf("%s: the server itself makes %s of %s", country, told, tc.amount)
			}
			got, err := p.amount(tc.declared)
			if got != tc.want && (tc.want != refused || err == nil || !strings.Contains(err.Error(), refused) || !strings.Contains(err.Error(), "declare the column in columns")) {
				t.Errorf("%s, %s as %q: %q, %v; want %q", country, tc.amount, tc.declared, got, err, tc.want)
			}
		}
		// A role with a country of its own would have other amounts than the database's, of the same rows.
		role := "odd_" + p.connection.Database
		s.sql(`CREATE ROLE `+role+` LOGIN SUPERUSER PASSWORD 'p'`, `ALTER ROLE `+role+` SET lc_monetary = '`+other+`'`)
		p.login = postgres.Credentials{Username: role, Password: "p"}
		if got, err := p.amount(""); err == nil || !strings.Contains(err.Error(), "the role has an lc_monetary of its own") || !strings.Contains(err.Error(), "ALTER ROLE "+role+" RESET lc_monetary") {
			t.Errorf("%s, read by a role of %s: %q, %v", country, other, got, err)
		}
		s.sql(`ALTER ROLE ` + role + ` SET lc_monetary = '` + country + `'`)
		if _, err := p.amount("string"); err != nil {
			t.Errorf("%s, read by a role that says the same: %v", country, err)
		}
	}
}

// amount reads the one amount of the table t, in the type that it has in the lake.
func (p *place) amount(declared string) (got string, err error) {
	columns := map[string]spec.Column{}
	if declared != "" {
		columns["amount"] = spec.Column{Name: "amount", Type: declared}
	}
	s, err := postgres.Begin(p.t.Context(), p.connection, p.login, sourceT)
	if err != nil {
		return "", err
	}
	defer s.Close(p.t.Context())
	d, err := s.Describe(p.t.Context(), &sourceT, nil, columns)
	if err != nil {
		return "", err
	}
	_, err = postgres.Extract(p.t.Context(), p.connection, p.login, postgres.Request{Parts: []postgres.Part{{Source: sourceT}}, Columns: d.Schema.Columns, Snapshot: s.ID}, func(b *column.Batch) error {
		got = written(b.Columns[0], d.Schema.Columns[0].Type.Scale)
		return nil
	})
	return got, err
}

// written is the first value of a text or a decimal of a scale.
func written(v *column.Vector, scale int) string {
	var whole *big.Int
	switch v.Kind {
	case column.Bytes:
		return string(v.Bytes(0))
	case column.Int64:
		whole = big.NewInt(v.Int64s[0])
	default:
		whole = new(big.Int).Lsh(big.NewInt(v.Wides[0].Hi), 64)
		whole.Add(whole, new(big.Int).SetUint64(v.Wides[0].Lo))
	}
	one := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)
	return new(big.Rat).SetFrac(whole, one).FloatString(scale)
}
