package run_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/jackc/pgx/v5"

	"github.com/lakeland/terraform-provider-lakeland/internal/awsclient"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/run"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/readback"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
	"github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

func TestMain(m *testing.M) {
	sandbox.Main(m)
}

// lake is a source database, a tracking, a bucket and a Glue database of one test's own, with a cadence "c" over
// the connection "db".
type lake struct {
	t        *testing.T
	sb       *sandbox.Sandbox
	clients  *awsclient.Clients
	tracking *tracking.Store
	db       sandbox.Database
	bucket   string
	database string
	secret   string
	env      []string
	// ahead is how far the time that workers over a network observe is set forward, in nanoseconds.
	ahead atomic.Int64
}

func newLake(t *testing.T, statements ...string) *lake {
	t.Helper()
	sb := sandbox.ForTest(t, sandbox.Parts()...)
	return newLakeAt(t, sb, sb.Endpoints(), statements...)
}

func newLakeAt(t *testing.T, sb *sandbox.Sandbox, endpoints sandbox.Endpoints, statements ...string) *lake {
	t.Helper()
	ctx := t.Context()
	clock := &tracking.Clock{}
	config := sb.AWSConfigFor(endpoints)
	l := &lake{t: t, sb: sb, clients: awsclient.New(config, awsclient.Options{PathStyle: true, OnDate: clock.Observe}), env: sb.EnvFor(endpoints)}
	l.db, l.bucket = sb.NewDatabase(t), sb.NewBucket(t)
	l.database = strings.ReplaceAll(sb.NewName(t), "-", "_")
	name := "t_" + l.database
	if len(name) > 40 {
		name = name[:40]
	}
	for _, d := range tracking.Definitions(name) {
		_, err := l.clients.DynamoDB.CreateTable(ctx, d.CreateInput())
		l.must(err)
	}
	l.tracking = tracking.New(l.clients.DynamoDB, name, clock, tracking.ErrorClasses{Unknown: awsclient.Unknown, Throttled: awsclient.Throttled})
	l.must(l.tracking.WriteLayout(ctx))
	_, err := l.clients.Glue.CreateDatabase(ctx, &glue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: aws.String(l.database)}})
	l.must(err)
	server := sb.Postgres()
	login, err := json.Marshal(map[string]string{"username": server.User(), "password": server.Password()})
	l.must(err)
	secret, err := l.clients.Secrets.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: aws.String(sb.NewName(t)), SecretString: aws.String(string(login))})
	l.must(err)
	l.secret = aws.ToString(secret.ARN)
	l.must(l.tracking.CreateConnection(ctx, &spec.Connection{
		Name: "db", Engine: "postgresql", Host: server.Host(), Port: server.Port(), Database: l.db.Name, SecretARN: l.secret,
		TLS: spec.TLS{Mode: "verify-full", CA: string(server.CA())},
	}))
	l.must(l.tracking.CreateCadence(ctx, &spec.Cadence{
		Name: "c", RoleARN: "arn:aws:iam::123456789012:role/engine", Artifacts: spec.Artifacts{Location: "s3://acme-artifacts/"}, Connections: []string{"db"}, Enabled: true,
	}))
	l.sql(statements...)
	return l
}

func (l *lake) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

// sql executes statements in the source.
func (l *lake) sql(statements ...string) {
	l.t.Helper()
	l.execute(l.t.Context(), statements)
}

// sqlAfter executes statements when the test has ended.
func (l *lake) sqlAfter(statements ...string) {
	l.t.Helper()
	l.execute(context.WithoutCancel(l.t.Context()), statements)
}

func (l *lake) execute(ctx context.Context, statements []string) {
	l.t.Helper()
	conn, err := pgx.Connect(ctx, l.db.ConnString)
	l.must(err)
	defer func() { _ = conn.Close(ctx) }()
	for _, s := range statements {
		if _, err := conn.Exec(ctx, s); err != nil {
			l.t.Fatalf("%s: %v", s, err)
		}
	}
}

// source is the document of a source table of the schema public.
func (l *lake) source(name string) *spec.Table {
	return &spec.Table{
		Name: "shop." + name, Cadence: "c", Enabled: true,
		Source: spec.Source{Database: &spec.DatabaseSource{Connection: "db", Schema: "public", Table: name}},
		Target: spec.Target{Location: "s3://" + l.bucket + "/raw/" + name + "/", Database: l.database, Table: name},
	}
}

// add configures source tables.
func (l *lake) add(names ...string) {
	l.t.Helper()
	for _, name := range names {
		l.must(l.tracking.CreateTable(l.t.Context(), l.source(name), sandbox.Account))
	}
}

func (l *lake) worker() *run.Worker {
	return &run.Worker{
		Version: "test",
		Stores: func(address string) (store.Store, error) {
			return store.NewS3(l.clients.S3, strings.TrimSuffix(strings.TrimPrefix(address, "s3://"), "/")), nil
		},
		Secrets: run.SecretsManager(l.clients.Secrets),
	}
}

func (l *lake) runner() *run.Runner {
	w := l.worker()
	return &run.Runner{
		Tracker: run.Tracking{Store: l.tracking}, Catalog: catalog.NewGlue(l.clients.Glue, awsclient.Unknown, awsclient.Throttled), Stores: w.Stores, Secrets: w.Secrets,
		Executor: &run.Local{Worker: w, Parallel: 2}, Lease: tracking.MinLease, Version: "test", Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
}

func (l *lake) reader() readback.Reader {
	l.t.Helper()
	python, err := l.sb.Python(l.t.Context())
	l.must(err)
	return readback.Reader{Python: python, Env: l.env}
}

// equal compares tables with their sources, value by value, as PyIceberg reads them, and DuckDB those of Hudi.
func (l *lake) equal(names ...string) {
	l.t.Helper()
	if len(names) == 1 && l.isHudi(names[0]) {
		want, err := readback.Postgres(l.t.Context(), l.db.ConnString, "public", names[0])
		l.must(err)
		l.hudiHolds(names[0], want)
		return
	}
	tables := make([]string, len(names))
	for i, name := range names {
		tables[i] = l.database + "." + name
	}
	got, err := l.reader().Iceberg(l.t.Context(), tables...)
	l.must(err)
	for i, name := range names {
		want, err := readback.Postgres(l.t.Context(), l.db.ConnString, "public", name)
		l.must(err)
		for _, difference := range readback.Differences(want, &got[i]) {
			l.t.Errorf("%s: %s", name, difference)
		}
	}
}

// buildEngine builds the engine's command once per test binary.
var buildEngine = sync.OnceValues(func() (string, error) {
	folder, err := sandbox.TestFolder("engine")
	if err != nil {
		return "", err
	}
	_, file, _, _ := runtime.Caller(0)
	path := filepath.Join(folder, "lakeland-engine")
	build := exec.Command("go", "build", "-o", path, "./cmd/lakeland-engine")
	build.Dir = filepath.Join(filepath.Dir(file), "..", "..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the engine: %w: %s", err, out)
	}
	return path, nil
})

// engine is the engine's command with the lake's environment.
func (l *lake) engine(arguments ...string) *exec.Cmd {
	l.t.Helper()
	path, err := buildEngine()
	l.must(err)
	command := exec.CommandContext(l.t.Context(), path, arguments...)
	command.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + l.t.TempDir()}, l.env...)
	return command
}

// query reads one value from the source.
func (l *lake) query(into any, statement string) {
	l.t.Helper()
	conn, err := pgx.Connect(l.t.Context(), l.db.ConnString)
	l.must(err)
	defer func() { _ = conn.Close(context.WithoutCancel(l.t.Context())) }()
	l.must(conn.QueryRow(l.t.Context(), statement).Scan(into))
}
