package provider_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/jackc/pgx/v5"

	"github.com/lakeland/terraform-provider-lakeland/internal/awsclient"
	"github.com/lakeland/terraform-provider-lakeland/internal/provider"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	sandboxglue "github.com/lakeland/terraform-provider-lakeland/internal/sandbox/glue"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/readback"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/toolchain"
	"github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

func TestMain(m *testing.M) {
	tools, err := toolchain.New(toolchain.Options{})
	if err == nil {
		var terraform string
		if terraform, err = tools.Terraform(context.Background()); err == nil {
			err = setEnvironment(terraform)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	sandbox.Main(m)
}

// setEnvironment tells plugin-testing which core to use and keeps the user's own configuration out.
func setEnvironment(terraform string) error {
	for name, value := range map[string]string{
		"TF_ACC": "1", "TF_ACC_TERRAFORM_PATH": terraform, "TF_ACC_PROVIDER_NAMESPACE": "lakeland", "TF_ACC_TEMP_DIR": os.TempDir(),
		"TF_CLI_CONFIG_FILE": os.DevNull, "CHECKPOINT_DISABLE": "1",
	} {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	return nil
}

var factories = map[string]func() (tfprotov6.ProviderServer, error){
	"lakeland": providerserver.NewProtocol6WithError(provider.New("test")()),
}

// account is what a team has before it uses the provider: a database with tables, buckets, a Glue database, a
// secret. Its Glue has a clock that the test moves.
type account struct {
	t         *testing.T
	sb        *sandbox.Sandbox
	glue      *sandboxglue.Server
	clock     *sandboxglue.ManualClock
	endpoints sandbox.Endpoints
	clients   *awsclient.Clients
	tracking  *tracking.Store
	db        sandbox.Database
	lake      string
	artifacts string
	database  string
	secret    string
	name      string
}

func newAccount(t *testing.T, statements ...string) *account {
	t.Helper()
	ctx := t.Context()
	sb := sandbox.ForTest(t, sandbox.Parts()...)
	a := &account{t: t, sb: sb, clock: sandboxglue.NewManualClock(time.Date(2026, 11, 21, 12, 1, 0, 0, time.UTC)), endpoints: sb.Endpoints()}
	a.glue = sb.NewGlue(t, func(o *sandboxglue.Options) { o.Clock = a.clock })
	a.endpoints.Glue = a.glue.URL()
	clock := &tracking.Clock{}
	a.clients = awsclient.New(sb.AWSConfigFor(a.endpoints), awsclient.Options{PathStyle: true, OnDate: clock.Observe})
	a.db, a.lake, a.artifacts = sb.NewDatabase(t), sb.NewBucket(t), sb.NewBucket(t)
	a.database = strings.ReplaceAll(sb.NewName(t), "-", "_")
	a.name = "t" + a.database[len(a.database)-12:]
	a.tracking = tracking.New(a.clients.DynamoDB, a.name, clock, tracking.ErrorClasses{Unknown: awsclient.Unknown, Throttled: awsclient.Throttled})
	_, err := a.clients.Glue.CreateDatabase(ctx, &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: aws.String(a.database)}})
	a.must(err)
	server := sb.Postgres()
	login, err := json.Marshal(map[string]string{"username": server.User(), "password": server.Password()})
	a.must(err)
	secret, err := a.clients.Secrets.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: aws.String(sb.NewName(t)), SecretString: aws.String(string(login))})
	a.must(err)
	a.secret = aws.ToString(secret.ARN)
	a.role("engine", glueTrust)
	a.sql(statements...)
	return a
}

// glueTrust lets Glue assume a role.
const glueTrust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"glue.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

// role makes a role, where no other test has, and returns its ARN.
func (a *account) role(name, trust string) string {
	a.t.Helper()
	_, err := iam.NewFromConfig(a.sb.AWSConfigFor(a.endpoints)).CreateRole(a.t.Context(), &iam.CreateRoleInput{RoleName: aws.String(name), AssumeRolePolicyDocument: aws.String(trust)})
	if !awsclient.IsCode(err, "EntityAlreadyExists") {
		a.must(err)
	}
	return "arn:aws:iam::" + sandbox.Account + ":role/" + name
}

func (a *account) must(err error) {
	a.t.Helper()
	if err != nil {
		a.t.Fatal(err)
	}
}

// sql executes statements in the source.
func (a *account) sql(statements ...string) { a.t.Helper(); a.execute(a.t.Context(), statements) }

// sqlAfter executes statements when the test has ended.
func (a *account) sqlAfter(statements ...string) {
	a.t.Helper()
	a.execute(context.WithoutCancel(a.t.Context()), statements)
}

func (a *account) execute(ctx context.Context, statements []string) {
	a.t.Helper()
	conn, err := pgx.Connect(ctx, a.db.ConnString)
	a.must(err)
	defer func() { _ = conn.Close(ctx) }()
	for _, s := range statements {
		if _, err := conn.Exec(ctx, s); err != nil {
			a.t.Fatalf("%s: %v", s, err)
		}
	}
}

// provider is the provider block that the sandbox prints, with tags.
func (a *account) provider() string {
	return a.sb.ProviderBlockFor(a.endpoints, "default_tags {", `  tags = { team = "lake" }`, "}")
}

// base is a tracking, a connection and a cadence.
func (a *account) base() string { return a.foundation() + a.cadence() }

func (a *account) foundation() string {
	server := a.sb.Postgres()
	return a.provider() + fmt.Sprintf(`
resource "lakeland_tracking" "shop" {
  name                = %q
  deletion_protection = false
}

resource "lakeland_connection" "shop" {
  tracking   = lakeland_tracking.shop.name
  name       = "shop-db"
  engine     = "postgresql"
  host       = %q
  port       = %d
  database   = %q
  secret_arn = %q
  tls        = { ca = %q }
}
`, a.name, server.Host(), server.Port(), a.db.Name, a.secret, string(server.CA()))
}

func (a *account) cadence() string {
	return fmt.Sprintf(`
resource "lakeland_cadence" "ten_minutes" {
  tracking    = lakeland_tracking.shop.name
  name        = "ten-minutes"
  schedule    = "rate(10 minutes)"
  role_arn    = "arn:aws:iam::123456789012:role/engine"
  artifacts   = { location = "s3://%s/lakeland" }
  connections = [lakeland_connection.shop.name]
  tags        = { purpose = "landing" }
}
`, a.artifacts)
}

// tables is source tables of the schema public, a resource each: plugin-testing cannot read a state with for_each.
func (a *account) tables(names ...string) string {
	var out strings.Builder
	for _, name := range names {
		fmt.Fprintf(&out, `
resource "lakeland_source_table" %[1]q {
  name    = "shop.%[1]s"
  cadence = lakeland_cadence.ten_minutes.id
  source  = { database = { connection = lakeland_connection.shop.name, schema = "public", table = %[1]q } }
  target  = { location = "s3://%[2]s/raw/%[1]s/", database = %[3]q, table = %[1]q }
}
`, name, a.lake, a.database)
	}
	return out.String()
}

// fire moves the clock by ten minutes and waits until the runs that this started have ended.
func (a *account) fire() []sandboxglue.Run {
	a.t.Helper()
	before := len(a.glue.Runs())
	a.clock.Advance(10 * time.Minute)
	ctx, cancel := context.WithTimeout(a.t.Context(), 2*time.Minute)
	defer cancel()
	a.must(a.glue.WaitIdle(ctx))
	return a.glue.Runs()[before:]
}

// equal compares tables with their sources, value by value, as PyIceberg reads them.
func (a *account) equal(names ...string) {
	a.t.Helper()
	python, err := a.sb.Python(a.t.Context())
	a.must(err)
	tables := make([]string, len(names))
	for i, name := range names {
		tables[i] = a.database + "." + name
	}
	got, err := readback.Reader{Python: python, Env: a.sb.EnvFor(a.endpoints)}.Iceberg(a.t.Context(), tables...)
	a.must(err)
	for i, name := range names {
		want, err := readback.Postgres(a.t.Context(), a.db.ConnString, "public", name)
		a.must(err)
		for _, difference := range readback.Differences(want, &got[i]) {
			a.t.Errorf("%s: %s", name, difference)
		}
	}
}
