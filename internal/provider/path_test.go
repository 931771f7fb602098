package provider_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

// The whole path: apply, trigger, script, engine, tables, read back by another engine; a second run replaces;
// the plan is empty; destroy removes what was deployed and leaves the lake's data.
func TestWholePath(t *testing.T) {
	t.Parallel()
	a := newAccount(t,
		`CREATE TABLE orders (id bigint PRIMARY KEY, amount numeric(12,2), note text, at timestamptz DEFAULT now())`,
		`INSERT INTO orders SELECT i, i / 7.0, 'note ' || i FROM generate_series(1, 2000) i`,
		`CREATE TABLE customers (id int, name varchar(30))`, `INSERT INTO customers VALUES (1, 'Ada'), (2, NULL)`, `CREATE TABLE empty (id int)`)
	config := a.base() + a.tables("orders", "customers", "empty")
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: factories,
		Steps: []resource.TestStep{
			{
				Config: config,
				ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
					plancheck.ExpectKnownValue("lakeland_cadence.ten_minutes", tfjsonpath.New("id"), knownvalue.StringExact(a.name+"/ten-minutes")),
					plancheck.ExpectKnownValue("lakeland_cadence.ten_minutes", tfjsonpath.New("job_name"), knownvalue.StringExact("lakeland-"+a.name+"-ten-minutes")),
					plancheck.ExpectKnownValue("lakeland_source_table.orders", tfjsonpath.New("id"), knownvalue.StringExact(a.name+"/shop.orders")),
				}},
				ConfigStateChecks: []statecheck.StateCheck{
					statecheck.ExpectKnownValue("lakeland_cadence.ten_minutes", tfjsonpath.New("tags_all"), knownvalue.MapExact(map[string]knownvalue.Check{"team": knownvalue.StringExact("lake"), "purpose": knownvalue.StringExact("landing")})),
					statecheck.ExpectKnownValue("lakeland_cadence.ten_minutes", tfjsonpath.New("schedule"), knownvalue.StringExact("rate(10 minutes)")),
				},
			},
			{
				PreConfig: func() {
					if runs := a.glue.Runs(); len(runs) != 0 {
						t.Fatalf("apply started %d runs", len(runs))
					}
					a.succeeds()
					a.equal("orders", "customers", "empty")
					a.sql(`DELETE FROM orders WHERE id % 2 = 0`, `UPDATE orders SET amount = NULL`, `INSERT INTO empty VALUES (9)`)
					a.succeeds()
					a.equal("orders", "customers", "empty")
				},
				Config:           config,
				ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}},
			},
		},
		CheckDestroy: func(*terraform.State) error { return a.destroyed() },
	})
}

// succeeds fires the trigger and expects one run that ends well.
func (a *account) succeeds() {
	a.t.Helper()
	runs := a.fire()
	if len(runs) != 1 || runs[0].State != "SUCCEEDED" {
		for _, r := range runs {
			out, errors := a.glue.RunLog(r.ID)
			a.t.Logf("%s: %s\n%s\n%s", r.State, r.ErrorMessage, out, errors)
		}
		a.t.Fatalf("%d runs were started and not all ended well", len(runs))
	}
}

// destroyed looks for what destroy must have removed, and for what it must have left.
func (a *account) destroyed() error {
	ctx := context.Background()
	name := "lakeland-" + a.name + "-ten-minutes"
	var gone *gluetypes.EntityNotFoundException
	if _, err := a.clients.Glue.GetJob(ctx, &glue.GetJobInput{JobName: aws.String(name)}); !errors.As(err, &gone) {
		return fmt.Errorf("the job: %w", err)
	}
	if _, err := a.clients.Glue.GetTrigger(ctx, &glue.GetTriggerInput{Name: aws.String(name)}); !errors.As(err, &gone) {
		return fmt.Errorf("the trigger: %w", err)
	}
	if _, err := a.clients.Glue.GetConnection(ctx, &glue.GetConnectionInput{Name: aws.String("lakeland-" + a.name + "-shop-db")}); !errors.As(err, &gone) {
		return fmt.Errorf("the connection: %w", err)
	}
	if err := a.tracking.CheckLayout(ctx); !errors.Is(err, tracking.ErrNotFound) {
		return fmt.Errorf("the tracking: %w", err)
	}
	if _, err := a.clients.Glue.GetTable(ctx, &glue.GetTableInput{DatabaseName: aws.String(a.database), Name: aws.String("orders")}); err != nil {
		return fmt.Errorf("the lake's table: %w", err)
	}
	for _, prefix := range []struct{ bucket, prefix string }{{a.lake, "raw/orders/data/"}, {a.artifacts, "lakeland/engine/"}, {a.artifacts, "lakeland/scripts/"}} {
		out, err := a.clients.S3.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String(prefix.bucket), Prefix: aws.String(prefix.prefix)})
		if err != nil || len(out.Contents) == 0 {
			return fmt.Errorf("nothing is left at %s: %w", prefix.prefix, err)
		}
	}
	return nil
}

// A run whose table fails ends FAILED and names it; the others land.
func TestFailedTableFailsTheRunByName(t *testing.T) {
	t.Parallel()
	a := newAccount(t, `CREATE TABLE good (id int)`, `INSERT INTO good VALUES (1)`, `CREATE TABLE bad (id int, at date)`, `INSERT INTO bad VALUES (1, 'infinity')`)
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: factories,
		Steps: []resource.TestStep{
			{Config: a.base() + a.tables("good", "bad")},
			{
				PreConfig: func() {
					runs := a.fire()
					if len(runs) != 1 || runs[0].State != "FAILED" || !strings.Contains(runs[0].ErrorMessage, "1 of 2 tables failed: shop.bad") || !strings.Contains(runs[0].ErrorMessage, `column "at" (date)`) {
						t.Errorf("the run is %+v", runs)
					}
					a.equal("good")
				},
				Config: a.base() + a.tables("good", "bad"), PlanOnly: true,
			},
		},
	})
}
