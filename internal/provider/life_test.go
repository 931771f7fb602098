package provider_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// life copies the configuration of testdata/life into the core's folder, with the account's values.
func (a *account) life() *core {
	a.t.Helper()
	c := a.core("")
	a.must(os.Remove(filepath.Join(c.folder, "main.tf")))
	a.must(os.CopyFS(c.folder, os.DirFS(filepath.Join("testdata", "life"))))
	server := a.sb.Postgres()
	values, err := json.Marshal(map[string]any{"account": map[string]any{
		"tracking": a.name, "host": server.Host(), "port": server.Port(), "database": a.db.Name, "secret_arn": a.secret, "ca": string(server.CA()),
		"role_arn": engineRole, "lake": a.lake, "artifacts": a.artifacts, "glue_database": a.database,
	}})
	a.must(err)
	a.must(os.WriteFile(filepath.Join(c.folder, "terraform.tfvars.json"), values, 0o600))
	return c
}

// A long life of everything in the real core, one apply after the other, each with its assertions.
func TestLife(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	c := a.life()
	out := c.run("test", "-no-color")
	want, err := os.ReadFile(filepath.Join("testdata", "life", "tests", "life.tftest.hcl"))
	a.must(err)
	runs := len(regexp.MustCompile(`(?m)^run "`).FindAll(want, -1))
	if passed := strings.Count(out, "... pass\n") - 1; passed != runs { // one line is the file's
		t.Errorf("%d of %d runs passed: %s", passed, runs, out)
	}
	a.nothingIsLeft()
}

// The state of one machine means the same on another: with another home, another folder, another time zone and another
// build of the provider, the plan is empty.
func TestASecondMachinePlansNothing(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	first := a.life()
	first.run("apply", "-no-color", "-auto-approve")
	second := a.life()
	state, err := os.ReadFile(filepath.Join(first.folder, "terraform.tfstate"))
	a.must(err)
	a.must(os.WriteFile(filepath.Join(second.folder, "terraform.tfstate"), state, 0o600))
	build := t.TempDir()
	a.must(buildProviderInto(build, "-trimpath", "-ldflags=-s -w"))
	second.provide(build)
	second.env = []string{"TZ=Pacific/Kiritimati", "LANG=C", "TMPDIR=" + second.folder}
	if out := second.run("plan", "-no-color", "-detailed-exitcode"); !strings.Contains(out, "No changes.") {
		t.Errorf("the second machine plans: %s", out)
	}
	second.run("destroy", "-no-color", "-auto-approve")
	a.nothingIsLeft()
}
