package demo

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsglue "github.com/aws/aws-sdk-go-v2/service/glue"
	gluetypes "github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
)

const (
	lakeBucket      = "demo-lake"
	artifactsBucket = "demo-artifacts"
	glueDatabase    = "raw"
)

// account is what there is before lakeland comes.
type account struct {
	role, secret string
}

const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"glue.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

func prepare(ctx context.Context, sb *sandbox.Sandbox) (*account, error) {
	config := sb.AWSConfig()
	buckets := s3.NewFromConfig(config, func(o *s3.Options) { o.UsePathStyle = true })
	for _, bucket := range []string{lakeBucket, artifactsBucket} {
		_, err := buckets.CreateBucket(ctx, &s3.CreateBucketInput{
			Bucket: aws.String(bucket), CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: s3types.BucketLocationConstraint(sandbox.Region)},
		})
		if err != nil {
			return nil, fmt.Errorf("creating the bucket %s: %w", bucket, err)
		}
	}
	_, err := awsglue.NewFromConfig(config).CreateDatabase(ctx, &awsglue.CreateDatabaseInput{DatabaseInput: &gluetypes.DatabaseInput{Name: aws.String(glueDatabase)}})
	if err != nil {
		return nil, fmt.Errorf("creating the Glue database %s: %w", glueDatabase, err)
	}
	role, err := iam.NewFromConfig(config).CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("lakeland-engine"), AssumeRolePolicyDocument: aws.String(trust)})
	if err != nil {
		return nil, fmt.Errorf("creating the engine's role: %w", err)
	}
	server := sb.Postgres()
	login, err := json.Marshal(map[string]string{"username": server.User(), "password": server.Password()})
	if err != nil {
		return nil, fmt.Errorf("writing the secret: %w", err)
	}
	secret, err := secretsmanager.NewFromConfig(config).CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: aws.String("hr-db"), SecretString: aws.String(string(login))})
	if err != nil {
		return nil, fmt.Errorf("creating the secret: %w", err)
	}
	return &account{role: aws.ToString(role.Role.Arn), secret: aws.ToString(secret.ARN)}, nil
}
