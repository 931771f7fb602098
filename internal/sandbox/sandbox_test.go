package sandbox_test

import (
	"io"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/jackc/pgx/v5"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
)

func TestMain(m *testing.M) { sandbox.Main(m) }

func TestDatabase(t *testing.T) {
	t.Parallel()
	database := sandbox.ForTest(t).NewDatabase(t)
	connection, err := pgx.Connect(t.Context(), database.ConnString)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := connection.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	var name, encoding, collation string
	err = connection.QueryRow(t.Context(), `SELECT current_database(), pg_encoding_to_char(encoding), datcollate
		FROM pg_database WHERE datname = current_database()`).Scan(&name, &encoding, &collation)
	if err != nil {
		t.Fatal(err)
	}
	if name != database.Name || encoding != "UTF8" || collation != "C.UTF-8" {
		t.Errorf("database %s, encoding %s, collation %s", name, encoding, collation)
	}
}

func TestBucket(t *testing.T) {
	t.Parallel()
	sb := sandbox.ForTest(t)
	bucket := sb.NewBucket(t)
	client := s3.NewFromConfig(sb.AWSConfig())
	body := strings.Repeat("lake ", 1000)
	if _, err := client.PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: aws.String(bucket), Key: aws.String("a/b c/ü"), Body: strings.NewReader(body),
	}); err != nil {
		t.Fatal(err)
	}
	if got := content(t, client, bucket, "a/b c/ü"); got != body {
		t.Errorf("read %d bytes", len(got))
	}
}

func content(t *testing.T, client *s3.Client, bucket, key string) string {
	t.Helper()
	object, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String(key)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = object.Body.Close() }()
	content, err := io.ReadAll(object.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestAWSConfigReachesMoto(t *testing.T) {
	t.Parallel()
	sb := sandbox.ForTest(t, sandbox.Moto)
	identity, err := sts.NewFromConfig(sb.AWSConfig()).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil {
		t.Fatal(err)
	}
	if account := aws.ToString(identity.Account); account != sandbox.Account {
		t.Errorf("account %s", account)
	}
	if _, err := dynamodb.NewFromConfig(sb.AWSConfig()).ListTables(t.Context(), &dynamodb.ListTablesInput{}); err != nil {
		t.Error(err)
	}
}

func TestNewName(t *testing.T) {
	t.Parallel()
	sb := sandbox.ForTest(t)
	first, second := sb.NewName(t), sb.NewName(t)
	if first == second || len(first) > 40 || !strings.HasPrefix(first, "t-testnewname-") {
		t.Errorf("%s, %s", first, second)
	}
}
