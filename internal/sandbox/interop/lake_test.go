package interop_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/jackc/pgx/v5"

	"github.com/lakeland/terraform-provider-lakeland/internal/awsclient"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/run"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
	"github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

// lake is a source database, a tracking, a bucket and a Glue database of one scenario's own.
type lake struct {
	t        *testing.T
	sb       *sandbox.Sandbox
	clients  *awsclient.Clients
	tracking *tracking.Store
	db       sandbox.Database
	bucket   string
	database string
}

func newLake(t *testing.T) *lake {
	t.Helper()
	ctx := t.Context()
	sb := sandbox.ForTest(t, sandbox.Parts()...)
	clock := &tracking.Clock{}
	l := &lake{t: t, sb: sb, clients: awsclient.New(sb.AWSConfig(), awsclient.Options{PathStyle: true, OnDate: clock.Observe})}
	l.db, l.bucket = sb.NewDatabase(t), sb.NewBucket(t)
	l.database = strings.ReplaceAll(sb.NewName(t), "-", "_")
	name := "t_" + l.database
	name = name[:min(len(name), 40)]
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
	l.must(l.tracking.CreateConnection(ctx, &spec.Connection{
		Name: "db", Engine: "postgresql", Host: server.Host(), Port: server.Port(), Database: l.db.Name, SecretARN: aws.ToString(secret.ARN),
		TLS: spec.TLS{Mode: "verify-full", CA: string(server.CA())},
	}))
	l.must(l.tracking.CreateCadence(ctx, &spec.Cadence{
		Name: "c", RoleARN: "arn:aws:iam::123456789012:role/engine", Artifacts: spec.Artifacts{Location: "s3://acme-artifacts/"}, Connections: []string{"db"}, Enabled: true,
	}))
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
	conn, err := pgx.Connect(l.t.Context(), l.db.ConnString)
	l.must(err)
	defer func() { _ = conn.Close(context.WithoutCancel(l.t.Context())) }()
	for _, s := range statements {
		if _, err := conn.Exec(l.t.Context(), s); err != nil {
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

func (l *lake) runner() *run.Runner {
	w := &run.Worker{
		Version: "test",
		Stores: func(address string) (store.Store, error) {
			return store.NewS3(l.clients.S3, strings.TrimSuffix(strings.TrimPrefix(address, "s3://"), "/")), nil
		},
		Secrets: run.SecretsManager(l.clients.Secrets),
	}
	return &run.Runner{
		Tracker: run.Tracking{Store: l.tracking}, Catalog: catalog.NewGlue(l.clients.Glue, awsclient.Unknown, awsclient.Throttled), Stores: w.Stores, Secrets: w.Secrets,
		Executor: &run.Local{Worker: w, Parallel: 2}, Lease: tracking.MinLease, Version: "test", Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
}

// parameter reads a parameter of a table's entry in the catalogue.
func (l *lake) parameter(table, name string) string {
	l.t.Helper()
	entry, err := l.clients.Glue.GetTable(l.t.Context(), &glue.GetTableInput{DatabaseName: aws.String(l.database), Name: aws.String(table)})
	l.must(err)
	return entry.Table.Parameters[name]
}

// download copies the objects below a prefix into a folder and returns it.
func (l *lake) download(prefix string) string {
	l.t.Helper()
	folder := l.t.TempDir()
	pages := s3.NewListObjectsV2Paginator(l.clients.S3, &s3.ListObjectsV2Input{Bucket: aws.String(l.bucket), Prefix: aws.String(prefix)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(l.t.Context())
		l.must(err)
		for _, object := range page.Contents {
			got, err := l.clients.S3.GetObject(l.t.Context(), &s3.GetObjectInput{Bucket: aws.String(l.bucket), Key: object.Key})
			l.must(err)
			file, err := os.Create(filepath.Join(folder, filepath.Base(*object.Key)))
			l.must(err)
			_, err = io.Copy(file, got.Body)
			l.must(err)
			l.must(got.Body.Close())
			l.must(file.Close())
		}
	}
	return folder
}

// snapshot is the id of the table's current snapshot.
func (l *lake) snapshot() string {
	l.t.Helper()
	id, _ := l.current()
	return id
}

// marks checks that rows of the table's current snapshot are deleted by position, without which a step proves nothing.
func (l *lake) marks() {
	l.t.Helper()
	if _, summary := l.current(); summary["total-position-deletes"] == "" || summary["total-position-deletes"] == "0" {
		l.t.Errorf("no row is deleted by position: %v", summary)
	}
}

// current is the id of the table's current snapshot, and its summary.
func (l *lake) current() (id string, summary map[string]string) {
	l.t.Helper()
	address := strings.TrimPrefix(l.parameter("t", "metadata_location"), "s3://"+l.bucket+"/")
	got, err := l.clients.S3.GetObject(l.t.Context(), &s3.GetObjectInput{Bucket: aws.String(l.bucket), Key: aws.String(address)})
	l.must(err)
	defer func() { _ = got.Body.Close() }()
	var metadata struct {
		Current   json.Number `json:"current-snapshot-id"`
		Snapshots []struct {
			ID      json.Number       `json:"snapshot-id"`
			Summary map[string]string `json:"summary"`
		} `json:"snapshots"`
	}
	l.must(json.NewDecoder(got.Body).Decode(&metadata))
	for _, s := range metadata.Snapshots {
		if s.ID == metadata.Current {
			summary = s.Summary
		}
	}
	return metadata.Current.String(), summary
}
