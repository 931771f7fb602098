package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/lakeland/terraform-provider-lakeland/internal/awsclient"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/run"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

// clients are what the engine reaches AWS with.
type clients struct {
	*awsclient.Clients
	mu     sync.Mutex
	stores map[string]store.Store
}

func connect(ctx context.Context) (*clients, *tracking.Clock, error) {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("finding AWS credentials and Region: %w", err)
	}
	if cfg.Region == "" {
		return nil, nil, errors.New("finding the AWS Region: none is set: set AWS_REGION, or region in the profile")
	}
	clock := &tracking.Clock{}
	return &clients{Clients: awsclient.New(cfg, awsclient.Options{OnDate: clock.Observe}), stores: map[string]store.Store{}}, clock, nil
}

func (c *clients) tracking(name string, clock *tracking.Clock) *tracking.Store {
	return tracking.New(c.DynamoDB, name, clock, tracking.ErrorClasses{Unknown: awsclient.Unknown, Throttled: awsclient.Throttled})
}

func (c *clients) worker(progress func(table string, rows, bytes int64)) *run.Worker {
	return &run.Worker{Stores: c.open, Secrets: c.secret, Version: version, Progress: progress}
}

func (c *clients) runner(show *display) *run.Runner {
	return &run.Runner{
		Catalog: catalog.NewGlue(c.Glue, awsclient.Unknown, awsclient.Throttled), Stores: c.open, Secrets: c.secret, Version: version,
		Executor: &run.Local{Worker: c.worker(show.add), Parallel: runtime.GOMAXPROCS(0)},
		Lease:    tracking.DefaultLease, Log: show.log, Started: show.start,
	}
}

// open opens the bucket of an address such as "s3://acme-lake/".
func (c *clients) open(address string) (store.Store, error) {
	bucket, ok := strings.CutPrefix(address, "s3://")
	if !ok {
		return nil, fmt.Errorf("%q is not the address of a bucket", address)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stores[address] == nil {
		c.stores[address] = store.NewS3(c.S3, strings.TrimSuffix(bucket, "/"))
	}
	return c.stores[address], nil
}

// secret reads username and password from a secret. Its other fields, such as those that RDS writes, are left
// alone: where the database is, the connection says.
func (c *clients) secret(ctx context.Context, arn string) (postgres.Credentials, error) {
	out, err := c.Secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(arn)})
	if err != nil {
		return postgres.Credentials{}, fmt.Errorf("reading the secret %s: %w: it must exist, and the job's role needs secretsmanager:GetSecretValue on it (and kms:Decrypt on its key)", arn, err)
	}
	var held struct {
		Username *string `json:"username"`
		Password *string `json:"password"`
	}
	if err := json.Unmarshal([]byte(aws.ToString(out.SecretString)), &held); err != nil {
		return postgres.Credentials{}, fmt.Errorf("reading the secret %s: its value is not a JSON object: store {\"username\": ..., \"password\": ...}", arn) // never with err, which may quote the value
	}
	if held.Username == nil || held.Password == nil {
		return postgres.Credentials{}, fmt.Errorf("reading the secret %s: its JSON object has no \"username\" or no \"password\"", arn)
	}
	return postgres.Credentials{Username: *held.Username, Password: *held.Password}, nil
}
