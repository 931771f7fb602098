package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/lakeland/terraform-provider-lakeland/internal/awsclient"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/run"
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
	return &run.Worker{Stores: c.open, Secrets: run.SecretsManager(c.Secrets), Version: version, Progress: progress}
}

func (c *clients) runner(show *display) *run.Runner {
	return &run.Runner{
		Catalog: catalog.NewGlue(c.Glue, awsclient.Unknown, awsclient.Throttled), Stores: c.open, Secrets: run.SecretsManager(c.Secrets), Version: version,
		Executor: &run.Local{Worker: c.worker(show.add), Parallel: runtime.GOMAXPROCS(0), Log: show.log},
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
