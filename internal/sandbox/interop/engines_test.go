package interop_test

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/readback"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/spark"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/trino"
)

// engine reads tables and changes them. A table is lake.database.table in its SQL.
type engine interface {
	Execute(ctx context.Context, statement string) error
	Query(ctx context.Context, query string) (*readback.Table, error)
}

// heavy are the engines that run on Java, one process each for all tests of the binary.
type heavy struct {
	spark, trino engine
	python       string     // of DuckDB with its Iceberg reader
	mu           sync.Mutex // held while a query depends on Spark's settings
}

// startLimit is how long the engines may take to come up, fetched and unpacked.
const startLimit = 10 * time.Minute

// absent is an engine that could not be started: whatever it is asked, it says why.
type absent struct{ why error }

func (a absent) Execute(context.Context, string) error                  { return a.why }
func (a absent) Query(context.Context, string) (*readback.Table, error) { return nil, a.why }

var startHeavy = sync.OnceValue(func() *heavy {
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	sb := sandbox.Shared()
	tools, endpoints := sb.Toolchain(), sb.Endpoints()
	access, secret := sb.Credentials()
	h := &heavy{}
	var group sync.WaitGroup
	group.Go(func() {
		installation, err := tools.Spark(ctx)
		if err != nil {
			h.spark = absent{fmt.Errorf("Spark cannot be had on this machine: %w", err)} //nolint:staticcheck // a name
			return
		}
		h.python = installation.Python
		session, err := spark.Start(ctx, spark.Options{Installation: installation, Glue: endpoints.Glue, S3: endpoints.S3, Region: sandbox.Region, AccessKey: access, SecretKey: secret})
		if err != nil {
			h.spark = absent{err}
			return
		}
		sandbox.AtEnd(session.Stop)
		h.spark = session
	})
	group.Go(func() {
		installation, err := tools.Trino(ctx)
		if err != nil {
			h.trino = absent{fmt.Errorf("Trino cannot be had on this machine: %w", err)} //nolint:staticcheck // a name
			return
		}
		server, err := trino.Start(ctx, trino.Options{Installation: installation, Glue: endpoints.Glue, S3: endpoints.S3, Region: sandbox.Region, AccessKey: access, SecretKey: secret})
		if err != nil {
			h.trino = absent{err}
			return
		}
		sandbox.AtEnd(server.Stop)
		h.trino = server
	})
	group.Wait()
	return h
})
