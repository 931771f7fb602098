package provider_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

const (
	cadenceAddress    = "lakeland_cadence.ten_minutes"
	connectionAddress = "lakeland_connection.shop"
	ordersAddress     = "lakeland_source_table.orders"
)

func expect(action plancheck.ResourceActionType, addresses ...string) resource.ConfigPlanChecks {
	var checks []plancheck.PlanCheck
	for _, address := range addresses {
		checks = append(checks, plancheck.ExpectResourceAction(address, action))
	}
	return resource.ConfigPlanChecks{PreApply: checks}
}

func (a *account) trigger() *gluetypes.Trigger {
	a.t.Helper()
	out, err := a.clients.Glue.GetTrigger(a.t.Context(), &glue.GetTriggerInput{Name: aws.String("lakeland-" + a.name + "-ten-minutes")})
	a.must(err)
	return out.Trigger
}

func (a *account) job() *gluetypes.Job {
	a.t.Helper()
	out, err := a.clients.Glue.GetJob(a.t.Context(), &glue.GetJobInput{JobName: aws.String("lakeland-" + a.name + "-ten-minutes")})
	a.must(err)
	return out.Job
}

// A configuration that says the same in other words plans nothing.
func TestOtherSpellingsPlanNothing(t *testing.T) {
	t.Parallel()
	a := newAccount(t, `CREATE TABLE orders (id int)`)
	config := a.base() + a.tables("orders")
	schedule, err := spec.ParseSchedule("rate(10 minutes)", "ten-minutes")
	a.must(err)
	respelled := strings.NewReplacer(
		`"rate(10 minutes)"`, fmt.Sprintf("%q", strings.ToLower(schedule.String())),
		`s3://`+a.artifacts+`/lakeland"`, `s3://`+a.artifacts+`/lakeland/"`,
		`/raw/orders/"`, `/raw/orders"`,
		`tls        = { ca`, `tls        = { mode = "verify-full", ca`,
	).Replace(config)
	respelled = strings.Replace(respelled, `engine     = "postgresql"`, "engine     = \"postgresql\"\n  max_connections = 4", 1)
	if strings.Count(respelled, "cron(") != 1 || respelled == config {
		t.Fatal("nothing was respelled")
	}
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: factories,
		Steps: []resource.TestStep{
			{Config: config},
			{Config: respelled, ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}}},
		},
	})
}

// What was removed by hand is planned anew, under every core.
func TestVanishedObjectsAreMadeAgain(t *testing.T) {
	t.Parallel()
	a := newAccount(t, `CREATE TABLE orders (id int)`)
	config := a.base() + a.tables("orders")
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: factories,
		Steps: []resource.TestStep{
			{Config: config},
			{
				PreConfig: func() {
					ctx := t.Context()
					doc, err := a.tracking.Table(ctx, "shop.orders")
					a.must(err)
					a.must(a.tracking.DeleteTable(ctx, doc, sandbox.Account))
					a.must(a.tracking.DeleteCadence(ctx, "ten-minutes"))
					a.must(a.tracking.DeleteConnection(ctx, "shop-db"))
				},
				Config:           config,
				ConfigPlanChecks: expect(plancheck.ResourceActionCreate, connectionAddress, cadenceAddress, ordersAddress),
			},
			{
				PreConfig: func() {
					ctx := t.Context()
					_, err := a.clients.Glue.DeleteJob(ctx, &glue.DeleteJobInput{JobName: a.job().Name})
					a.must(err)
					_, err = a.clients.Glue.DeleteTrigger(ctx, &glue.DeleteTriggerInput{Name: a.trigger().Name})
					a.must(err)
					_, err = a.clients.Glue.DeleteConnection(ctx, &glue.DeleteConnectionInput{ConnectionName: aws.String("lakeland-" + a.name + "-shop-db")})
					a.must(err)
				},
				Config:           config,
				ConfigPlanChecks: expect(plancheck.ResourceActionUpdate, connectionAddress, cadenceAddress),
			},
			{
				PreConfig: func() {
					if a.trigger().State != gluetypes.TriggerStateActivated || aws.ToString(a.job().Command.PythonVersion) != "3.9" {
						t.Errorf("made again as %+v and %+v", a.trigger(), a.job())
					}
				},
				Config: config, PlanOnly: true,
			},
		},
	})
}

// What was changed by hand shows in the next plan, and apply mends it.
func TestChangesByHandAreMended(t *testing.T) {
	t.Parallel()
	a := newAccount(t, `CREATE TABLE orders (id int)`)
	config := a.base() + a.tables("orders")
	var steps []resource.TestStep
	for _, edit := range []struct {
		address string
		change  func(ctx context.Context)
	}{
		{cadenceAddress, func(ctx context.Context) {
			j := a.job()
			_, err := a.clients.Glue.UpdateJob(ctx, &glue.UpdateJobInput{JobName: j.Name, JobUpdate: &gluetypes.JobUpdate{
				Role: j.Role, Command: j.Command, DefaultArguments: j.DefaultArguments, MaxCapacity: aws.Float64(1), Timeout: aws.Int32(5),
			}})
			a.must(err)
		}},
		{cadenceAddress, func(ctx context.Context) {
			_, err := a.clients.Glue.StopTrigger(ctx, &glue.StopTriggerInput{Name: a.trigger().Name})
			a.must(err)
		}},
		{cadenceAddress, func(ctx context.Context) {
			key, _ := strings.CutPrefix(aws.ToString(a.job().Command.ScriptLocation), "s3://"+a.artifacts+"/")
			_, err := a.clients.S3.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(a.artifacts), Key: aws.String(key), Body: strings.NewReader("print('mine')")})
			a.must(err)
		}},
		{cadenceAddress, func(ctx context.Context) {
			out, err := a.clients.S3.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String(a.artifacts), Prefix: aws.String("lakeland/engine/")})
			a.must(err)
			_, err = a.clients.S3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String(a.artifacts), Key: out.Contents[0].Key})
			a.must(err)
		}},
		{cadenceAddress, func(ctx context.Context) {
			_, err := a.clients.Glue.UntagResource(ctx, &glue.UntagResourceInput{ResourceArn: aws.String("arn:aws:glue:eu-west-1:" + sandbox.Account + ":job/" + aws.ToString(a.job().Name)), TagsToRemove: []string{"purpose"}})
			a.must(err)
		}},
		{connectionAddress, func(ctx context.Context) {
			_, err := a.clients.Glue.UpdateConnection(ctx, &glue.UpdateConnectionInput{Name: aws.String("lakeland-" + a.name + "-shop-db"), ConnectionInput: &gluetypes.ConnectionInput{
				Name: aws.String("lakeland-" + a.name + "-shop-db"), ConnectionType: gluetypes.ConnectionTypeJdbc,
				ConnectionProperties: map[string]string{"JDBC_CONNECTION_URL": "jdbc:postgresql://elsewhere:5432/x", "SECRET_ID": a.secret},
			}})
			a.must(err)
		}},
		{ordersAddress, func(ctx context.Context) {
			doc, err := a.tracking.Table(ctx, "shop.orders")
			a.must(err)
			doc.Enabled, doc.PrimaryKey = false, []string{"id"}
			a.must(a.tracking.UpdateTable(ctx, doc, sandbox.Account))
		}},
	} {
		steps = append(steps, resource.TestStep{
			PreConfig: func() { edit.change(t.Context()) }, Config: config, ConfigPlanChecks: expect(plancheck.ResourceActionUpdate, edit.address),
		})
	}
	steps = append([]resource.TestStep{{Config: config}}, steps...)
	steps = append(steps, resource.TestStep{PreConfig: func() { a.succeeds() }, Config: config, PlanOnly: true})
	resource.Test(t, resource.TestCase{ProtoV6ProviderFactories: factories, Steps: steps})
}

// Changes are made in place where nothing is lost by it, and another target or name is another object.
func TestUpdates(t *testing.T) {
	t.Parallel()
	a := newAccount(t, `CREATE TABLE orders (id int)`, `INSERT INTO orders VALUES (1)`)
	base, tables := a.base(), a.tables("orders")
	second := strings.NewReplacer(`"ten_minutes"`, `"hourly"`, `"ten-minutes"`, `"hourly"`, `"rate(10 minutes)"`, `"rate(1 hour)"`).Replace(a.cadence())
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: factories,
		Steps: []resource.TestStep{
			{Config: base + tables},
			{
				Config:           strings.Replace(base, `schedule    = "rate(10 minutes)"`, `schedule = "cron(0 3 * * ? *)"`, 1) + tables,
				ConfigPlanChecks: expect(plancheck.ResourceActionUpdate, cadenceAddress),
			},
			{
				PreConfig: func() {
					if got := a.trigger(); aws.ToString(got.Schedule) != "cron(0 3 * * ? *)" || got.State != gluetypes.TriggerStateActivated {
						t.Errorf("the trigger is %+v", got)
					}
				},
				Config:           strings.Replace(base, `schedule    = "rate(10 minutes)"`, "schedule = \"cron(0 3 * * ? *)\"\n  enabled = false\n  runtime = { dpu = 1, timeout = \"30m\" }", 1) + tables,
				ConfigPlanChecks: expect(plancheck.ResourceActionUpdate, cadenceAddress),
			},
			{
				PreConfig: func() {
					if got := a.trigger(); got.State != gluetypes.TriggerStateDeactivated {
						t.Errorf("the trigger is %+v", got)
					}
					if got := a.job(); aws.ToFloat64(got.MaxCapacity) != 1 || aws.ToInt32(got.Timeout) != 30 || got.ExecutionProperty.MaxConcurrentRuns != 3 {
						t.Errorf("the job is %+v", got)
					}
				},
				Config:           strings.Replace(base, `schedule    = "rate(10 minutes)"`, "", 1) + tables,
				ConfigPlanChecks: expect(plancheck.ResourceActionUpdate, cadenceAddress),
			},
			{
				PreConfig: func() {
					_, err := a.clients.Glue.GetTrigger(t.Context(), &glue.GetTriggerInput{Name: aws.String("lakeland-" + a.name + "-ten-minutes")})
					if err == nil {
						t.Error("a cadence without schedule has a trigger")
					}
				},
				Config:           base + second + strings.Replace(tables, "lakeland_cadence.ten_minutes.id", "lakeland_cadence.hourly.id", 1),
				ConfigPlanChecks: expect(plancheck.ResourceActionUpdate, cadenceAddress, ordersAddress),
			},
			{
				PreConfig: func() {
					names, err := a.tracking.TableNames(t.Context(), "hourly")
					a.must(err)
					if len(names) != 1 || names[0] != "shop.orders" {
						t.Errorf("the cadence has %v", names)
					}
				},
				Config:           base + second + strings.NewReplacer("lakeland_cadence.ten_minutes.id", "lakeland_cadence.hourly.id", "/raw/orders/", "/raw/elsewhere/").Replace(tables),
				ConfigPlanChecks: expect(plancheck.ResourceActionReplace, ordersAddress),
			},
			{
				Config:           base + second + strings.NewReplacer("lakeland_cadence.ten_minutes.id", "lakeland_cadence.hourly.id", `"shop.orders"`, `"shop.renamed"`).Replace(tables),
				ConfigPlanChecks: expect(plancheck.ResourceActionReplace, ordersAddress),
			},
		},
	})
}

// What others still need is not destroyed, and they are named; two tables on one target are refused.
func TestRefusals(t *testing.T) {
	t.Parallel()
	a := newAccount(t, `CREATE TABLE orders (id int)`)
	base := a.base()
	table := &spec.Table{
		Name: "other.orders", Cadence: "ten-minutes", Enabled: true,
		Source: spec.Source{Database: &spec.DatabaseSource{Connection: "shop-db", Schema: "public", Table: "orders"}},
		Target: spec.Target{Location: "s3://" + a.lake + "/raw/orders/", Database: a.database, Table: "orders"},
	}
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: factories,
		Steps: []resource.TestStep{
			{Config: base},
			{
				PreConfig:   func() { a.must(a.tracking.CreateTable(t.Context(), table, sandbox.Account)) },
				Config:      a.foundation(),
				ExpectError: regexp.MustCompile(`(?s)deleting lakeland_cadence \(ten-minutes\).*the source table\s+"other\.orders"`),
			},
			{
				Config:      base + a.tables("orders"),
				ExpectError: regexp.MustCompile(`(?s)creating lakeland_source_table \(shop\.orders\).*belongs to the\s+source\s+table\s+"other\.orders"`),
			},
			{
				PreConfig:   func() { a.must(a.tracking.DeleteTable(t.Context(), table, sandbox.Account)) },
				Config:      strings.Replace(base, `name        = "ten-minutes"`, `name        = "Ten Minutes"`, 1),
				ExpectError: regexp.MustCompile(`(?s)lakeland_cadence \(Ten Minutes\).*such as\s+"ten-minutes"`),
			},
			{
				Config:      base + strings.Replace(a.tables("orders"), fmt.Sprintf("%q", a.database), `"absent"`, 1),
				ExpectError: regexp.MustCompile(`(?s)there is no such Glue database as "absent"`),
			},
			{Config: base, PlanOnly: true},
		},
	})
}
