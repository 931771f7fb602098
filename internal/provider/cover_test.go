package provider_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/readback"
)

// covering lands every table of the database, as the guide says. A data source that refers to a resource directly waits
// for its changes; through a local value it does not.
func (a *account) covering(more string) string {
	return a.base() + fmt.Sprintf(`
locals {
  shop = lakeland_connection.shop
}

data "lakeland_source_schema" "shop" {
  tracking        = local.shop.tracking
  connection_name = local.shop.name
  %s
}

resource "lakeland_source_table" "all" {
  for_each    = { for key, t in data.lakeland_source_schema.shop.tables : key => t if t.problem == null }
  name        = each.value.suggested.name
  cadence     = lakeland_cadence.ten_minutes.id
  source      = { database = { connection = lakeland_connection.shop.name, schema = each.value.schema, table = each.value.table } }
  target      = { location = "s3://%s/raw/${each.value.suggested.target_table}/", database = %q, table = each.value.suggested.target_table }
  primary_key = each.value.suggested.primary_key
}
`, more, a.lake, a.database)
}

// The HR sample, and tables whose names mean harm, are covered in one apply from nothing: every table lands as it is, the
// next plan is empty, a table that appears is landed and one that disappears is let go. The login gets nowhere.
func TestAWholeDatabaseIsCovered(t *testing.T) {
	t.Parallel()
	sample, err := os.ReadFile(filepath.Join("..", "sandbox", "demo", "hr.sql"))
	if err != nil {
		t.Fatal(err)
	}
	const hostile = `${file("/etc/passwd")} %{ if true } x'"; DROP TABLE victim; --`
	quoted := `"` + strings.ReplaceAll(hostile, `"`, `""`) + `"`
	a := newAccount(t, string(sample), `CREATE TABLE victim (id int PRIMARY KEY, note text)`, `INSERT INTO victim VALUES (1, 'alive')`,
		`CREATE TABLE `+quoted+` (id int, "a""b; --" text)`, `INSERT INTO `+quoted+` VALUES (7, 'inert')`,
		`CREATE VIEW hr.well_paid AS SELECT employee_id, salary FROM hr.employees WHERE salary > 9000`, `CREATE TABLE clash ("A" int, a int)`)
	user := strings.ReplaceAll(a.sb.NewName(t), "-", "_")
	password := `c4nary-"é\-` + user
	a.sql(fmt.Sprintf(`CREATE ROLE %q LOGIN PASSWORD '%s'`, user, password), fmt.Sprintf(`GRANT USAGE ON SCHEMA hr TO %q`, user),
		fmt.Sprintf(`GRANT SELECT ON ALL TABLES IN SCHEMA hr, public TO %q`, user))
	t.Cleanup(func() { a.sqlAfter(fmt.Sprintf(`DROP OWNED BY %q`, user), fmt.Sprintf(`DROP ROLE %q`, user)) })
	login, err := json.Marshal(map[string]string{"username": user, "password": password})
	a.must(err)
	_, err = a.clients.Secrets.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: aws.String(a.secret), SecretString: aws.String(string(login))})
	a.must(err)

	c := a.core(a.covering(""))
	c.run("apply", "-no-color", "-auto-approve")
	a.succeeds()
	want := map[string][2]string{"victim": {"public", "victim"}, "hr__well_paid": {"hr", "well_paid"}}
	for _, table := range []string{"regions", "countries", "locations", "jobs", "departments", "employees", "job_history"} {
		want["hr__"+table] = [2]string{"hr", table}
	}
	a.covered(c, want, hostile)
	if out := c.run("plan", "-no-color", "-detailed-exitcode"); !strings.Contains(out, "No changes.") {
		t.Errorf("the second plan is not empty: %s", out)
	}
	c.rewrite(`engine     = "postgresql"`, `engine = "postgresql"`+"\n  max_connections = 2")
	if out := c.run("apply", "-no-color", "-auto-approve"); !strings.Contains(out, "0 added, 1 changed, 0 destroyed") {
		t.Errorf("the connection was changed: %s", out)
	}

	a.sql(`CREATE TABLE hr.later (id int PRIMARY KEY)`, `INSERT INTO hr.later VALUES (42)`, fmt.Sprintf(`GRANT SELECT ON hr.later TO %q`, user), `DROP VIEW hr.well_paid`)
	if out := c.run("apply", "-no-color", "-auto-approve"); !strings.Contains(out, "1 added, 0 changed, 1 destroyed") {
		t.Errorf("a table came and one went: %s", out)
	}
	a.succeeds()
	delete(want, "hr__well_paid")
	want["hr__later"] = [2]string{"hr", "later"}
	a.covered(c, want, hostile)

	c.run("show", "-json")
	everything := a.everything(c)
	for place, content := range everything {
		if form := found(password, content); form != "" {
			t.Errorf("the password stands in %s, %s", place, form)
		}
	}
	for _, place := range []string{"trace.log", "terraform.tfstate"} {
		if !containsPlace(everything, place) {
			t.Errorf("%s was not looked into", place)
		}
	}
	c.run("destroy", "-no-color", "-auto-approve")
	a.nothingIsLeft()
}

// rewrite replaces a part of the configuration.
func (c *core) rewrite(old, fresh string) {
	c.a.t.Helper()
	path := filepath.Join(c.folder, "main.tf")
	text, err := os.ReadFile(path)
	c.a.must(err)
	if !strings.Contains(string(text), old) {
		c.a.t.Fatalf("the configuration has no %q", old)
	}
	c.a.must(os.WriteFile(path, []byte(strings.Replace(string(text), old, fresh, 1)), 0o600))
}

// covered compares the lake's tables with their sources, and the hostile one with what it holds.
func (a *account) covered(c *core, want map[string][2]string, hostile string) {
	a.t.Helper()
	var state struct {
		Resources []struct {
			Type, Mode string
			Instances  []struct {
				Attributes struct {
					Target struct{ Table string }
					Source struct {
						Database struct{ Schema, Table string }
					}
				}
			}
		}
	}
	text, err := os.ReadFile(filepath.Join(c.folder, "terraform.tfstate"))
	a.must(err)
	a.must(json.Unmarshal(text, &state))
	of := map[string][2]string{}
	for _, r := range state.Resources {
		for _, i := range r.Instances {
			if r.Type == tableType {
				of[i.Attributes.Target.Table] = [2]string{i.Attributes.Source.Database.Schema, i.Attributes.Source.Database.Table}
			}
		}
	}
	var names []string
	var odd string
	for target, source := range of {
		if source[1] == hostile {
			odd = target
		} else if names = append(names, target); want[target] != source {
			a.t.Errorf("%s is landed from %q", target, source)
		}
	}
	if len(names) != len(want) || odd == "" {
		a.t.Fatalf("covered are %q, wanted %v and the hostile one", of, want)
	}
	slices.Sort(names)
	names = append(names, odd)
	python, err := a.sb.Python(a.t.Context())
	a.must(err)
	tables := make([]string, len(names))
	for i, name := range names {
		tables[i] = a.database + "." + name
	}
	got, err := readback.Reader{Python: python, Env: a.sb.EnvFor(a.endpoints)}.Iceberg(a.t.Context(), tables...)
	a.must(err)
	for i, name := range names {
		source, err := readback.Postgres(a.t.Context(), a.db.ConnString, of[name][0], of[name][1])
		a.must(err)
		if name == odd {
			source.Columns[1][0] = "a_b____"
		}
		for _, difference := range readback.Differences(source, &got[i]) {
			a.t.Errorf("%s: %s", name, difference)
		}
	}
}

// Patterns, and a document in place of the database, cover what they mean to, in a real core.
func TestADatabaseIsCoveredByItsDocument(t *testing.T) {
	t.Parallel()
	a := newAccount(t, `CREATE TABLE orders (id int PRIMARY KEY)`, `INSERT INTO orders VALUES (1)`, `CREATE TABLE orders_old (id int)`, `CREATE SCHEMA sales`, `CREATE TABLE sales.orders (id int)`)
	c := a.core(a.base())
	c.run("apply", "-no-color", "-auto-approve")
	location := "s3://" + a.artifacts + "/lakeland"
	a.engine("discover", "--tracking", a.name, "--connection", "shop-db", "--to", location)
	a.sql(`CREATE TABLE later (id int)`)
	c.rewrite(a.base(), a.covering(fmt.Sprintf("exclude  = [\"*.*_old\", \"nothing.*\"]\n  document = %q", location)))
	if out := c.run("apply", "-no-color", "-auto-approve"); !strings.Contains(out, "2 added, 0 changed, 0 destroyed") {
		t.Errorf("applied: %s", out)
	}
	a.succeeds()
	a.equal("orders")
	c.run("destroy", "-no-color", "-auto-approve")
	a.nothingIsLeft()
}
