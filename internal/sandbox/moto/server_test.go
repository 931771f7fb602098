package moto

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	secrettypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/toolchain"
)

func startServer(t *testing.T) (*Server, aws.Config) {
	t.Helper()
	return startServerWith(t, "")
}

func startServerWith(t *testing.T, prelude string) (*Server, aws.Config) {
	t.Helper()
	tools, err := toolchain.New(toolchain.Options{})
	if err != nil {
		t.Fatal(err)
	}
	python, err := tools.Python(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	server, err := Start(t.Context(), Options{Python: python, Region: "eu-west-1", prelude: prelude})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	return server, aws.Config{
		Region:       "eu-west-1",
		BaseEndpoint: aws.String(server.Endpoint()),
		Credentials:  credentials.NewStaticCredentialsProvider("AKIATEST000000000000", "any", ""),
	}
}

func TestDynamoDBConditionalPut(t *testing.T) {
	t.Parallel()
	_, config := startServer(t)
	client := dynamodb.NewFromConfig(config)
	if _, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String("leases"),
		AttributeDefinitions: []dynamotypes.AttributeDefinition{
			{AttributeName: aws.String("pk"), AttributeType: dynamotypes.ScalarAttributeTypeS},
		},
		KeySchema:   []dynamotypes.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: dynamotypes.KeyTypeHash}},
		BillingMode: dynamotypes.BillingModePayPerRequest,
	}); err != nil {
		t.Fatal(err)
	}
	var won atomic.Int32
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			_, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{
				TableName:           aws.String("leases"),
				Item:                map[string]dynamotypes.AttributeValue{"pk": &dynamotypes.AttributeValueMemberS{Value: "orders"}},
				ConditionExpression: aws.String("attribute_not_exists(pk)"),
			})
			var refused *dynamotypes.ConditionalCheckFailedException
			switch {
			case err == nil:
				won.Add(1)
			case !errors.As(err, &refused):
				t.Error(err)
			}
		})
	}
	group.Wait()
	if won.Load() != 1 {
		t.Errorf("%d of 8 concurrent conditional puts succeeded", won.Load())
	}
}

func TestSecretsAndIdentity(t *testing.T) {
	t.Parallel()
	server, config := startServer(t)
	secrets := secretsmanager.NewFromConfig(config)
	made, err := secrets.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{
		Name: aws.String("shop"), SecretString: aws.String(`{"username":"u","password":"p"}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(aws.ToString(made.ARN), "arn:aws:secretsmanager:eu-west-1:"+Account+":secret:shop-") {
		t.Errorf("the secret is %s", aws.ToString(made.ARN))
	}
	read := &secretsmanager.GetSecretValueInput{SecretId: made.ARN}
	value, err := secrets.GetSecretValue(t.Context(), read)
	if err != nil || aws.ToString(value.SecretString) != `{"username":"u","password":"p"}` {
		t.Errorf("%+v, %v", value, err)
	}
	identity, err := sts.NewFromConfig(config).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil || aws.ToString(identity.Account) != Account {
		t.Errorf("%+v, %v", identity, err)
	}
	if _, err := iam.NewFromConfig(config).GetPolicy(t.Context(), &iam.GetPolicyInput{
		PolicyArn: aws.String("arn:aws:iam::aws:policy/service-role/AWSGlueServiceRole"),
	}); err != nil {
		t.Errorf("a policy that AWS manages: %v", err)
	}

	if err := server.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	var missing *secrettypes.ResourceNotFoundException
	if _, err := secrets.GetSecretValue(t.Context(), read); !errors.As(err, &missing) {
		t.Errorf("after a reset: %v", err)
	}
	if err := errors.Join(server.Stop(), server.Stop()); err != nil {
		t.Error(err)
	}
}

func TestStartFailureSaysWhy(t *testing.T) {
	t.Parallel()
	_, err := Start(t.Context(), Options{Python: "/bin/false"})
	if err == nil || !strings.Contains(err.Error(), "moto ended before it was ready (exit status 1)") {
		t.Errorf("got %v", err)
	}
}
