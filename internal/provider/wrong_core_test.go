package provider_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
)

// What the core finds before the provider is asked, and what it lets through. The names of attributes are the core's to
// judge: at the top of a resource or block it names the nearest; inside an object it misses what is required, and drops
// any other name without a word, so that the provider never sees it.
func TestWrongNames(t *testing.T) {
	t.Parallel()
	const cadence = `
resource "lakeland_cadence" "x" {
  tracking    = "shop"
  name        = "x"
  role_arn    = "arn:aws:iam::123456789012:role/engine"
  artifacts   = { location = "s3://acme-artifacts/" }
  connections = ["db"]
`
	const table = `
resource "lakeland_source_table" "x" {
  name    = "x"
  cadence = "shop/x"
`
	for _, tc := range []struct{ name, config, summary, detail string }{ // "a / b" is Terraform's wording / OpenTofu's
		{"attribute", cadence + `  shedule = "rate(10 minutes)"` + "\n}", "Unsupported argument", `An argument named "shedule" is not expected here. Did you mean "schedule"?`},
		{"required attribute", `resource "lakeland_tracking" "x" { nme = "shop" }`, "Unsupported argument", `An argument named "nme" is not expected here. Did you mean "name"?`},
		{"resource", `resource "lakeland_trackin" "x" { name = "shop" }`, "Invalid resource type",
			`The provider lakeland/lakeland does not support resource type "lakeland_trackin". Did you mean "lakeland_tracking"? / ` +
				`The provider registry.terraform.io/lakeland/lakeland does not support resource type "lakeland_trackin". Did you mean "lakeland_tracking"?`},
		{"provider's attribute", "provider \"lakeland\" {\n  reion = \"eu-west-1\"\n}\nresource \"lakeland_tracking\" \"x\" { name = \"shop\" }", "Unsupported argument",
			`An argument named "reion" is not expected here. Did you mean "region"?`},
		{"attribute of the provider's block", "provider \"lakeland\" {\n  assume_role {\n    rolearn = \"arn:aws:iam::123456789012:role/deployer\"\n  }\n}\nresource \"lakeland_tracking\" \"x\" { name = \"shop\" }", "Unsupported argument",
			`An argument named "rolearn" is not expected here. Did you mean "role_arn"?`},
		{"required in an object", table + "  source = { database = { connecton = \"db\", schema = \"public\", table = \"t\" } }\n  target = { location = \"s3://acme-lake/t/\", database = \"raw\", table = \"t\" }\n}",
			"Incorrect attribute value type", `Inappropriate value for attribute "source": attribute "database": attribute "connection" is required.`},
		{"choice in an object", table + "  source = { databse = { connection = \"db\", schema = \"public\", table = \"t\" } }\n  target = { location = \"s3://acme-lake/t/\", database = \"raw\", table = \"t\" }\n}",
			"validating lakeland_source_table (x)", `source: it names no source: write exactly one of database, dms and files, spelt so: Terraform drops other names inside an object`},
		{"kind", `resource "lakeland_tracking" "x" { name = ["shop"] }`, "Incorrect attribute value type", `Inappropriate value for attribute "name": string required. / Inappropriate value for attribute "name": string required, but have tuple.`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			refused := false
			resource.Test(t, resource.TestCase{
				ProtoV6ProviderFactories: factories,
				Steps:                    []resource.TestStep{{Config: tc.config, PlanOnly: true}},
				ErrorCheck: func(err error) error {
					refused = true
					// The core wraps lines at the width of a terminal.
					said := strings.Join(strings.Fields(err.Error()), " ")
					worded := func(detail string) bool { return strings.Contains(said, detail) }
					if !worded("Error: "+tc.summary+" ") || !slices.ContainsFunc(strings.Split(tc.detail, " / "), worded) {
						return errors.Join(errors.New("not what was wanted: "+tc.summary+": "+tc.detail), err)
					}
					return nil
				},
			})
			if !refused {
				t.Error("it was accepted")
			}
		})
	}
}

// An optional name that is misspelt inside an object vanishes: the plan has the object without it, and nobody can tell.
// This test is here to notice a core that begins to.
func TestMisspeltOptionalNamesInObjectsVanish(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	config := strings.Replace(a.base(), `schedule    = "rate(10 minutes)"`, "schedule = \"rate(10 minutes)\"\n  runtime = { dpu = 0.0625 }", 1)
	misspelt := strings.Replace(config, `dpu = 0.0625`, `dpu = 0.0625, timout = "1h"`, 1)
	if misspelt == config {
		t.Fatal("nothing was misspelt")
	}
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: factories,
		Steps: []resource.TestStep{
			{Config: config},
			{Config: misspelt, ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}}},
		},
	})
}

// A default that is written out, or no longer is, comes and goes in place: the core lets no plan leave null what a
// configuration sets, nor the other way round.
func TestDefaultsWrittenOut(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	config := a.base() + a.tables("orders")
	written := strings.NewReplacer(
		`schedule    = "rate(10 minutes)"`, "schedule = \"rate(10 minutes)\"\n  runtime = { dpu = 0.0625 }",
		`  target  = {`, "  extract = { mode = \"full\" }\n  target = {",
	).Replace(config)
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: factories,
		Steps: []resource.TestStep{
			{Config: config},
			{Config: written, ConfigPlanChecks: expect(plancheck.ResourceActionUpdate, cadenceAddress, ordersAddress)},
			{Config: written, PlanOnly: true},
			{Config: config, ConfigPlanChecks: expect(plancheck.ResourceActionUpdate, cadenceAddress, ordersAddress)},
			{Config: config, PlanOnly: true},
		},
	})
}
