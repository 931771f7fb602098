package interop_test

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/readback"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/spark"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/toolchain"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/trino"
)

// engine reads tables and changes them. A table is lake.database.table in its SQL.
type engine interface {
	Execute(ctx context.Context, statement string) error
	Query(ctx context.Context, query string) (*readback.Table, error)
}

// writer is an engine that also writes what a query finds.
type writer interface {
	engine
	Write(ctx context.Context, query string, to spark.Write) error
}

// heavy are the engines that run on Java, one process each for all tests of the binary. Each starts when it is first asked.
type heavy struct {
	spark, trino engine
	// hudi is Spark with one version of Hudi or another.
	hudi map[string]*sparkHudi
	// python is that of DuckDB with its Iceberg reader, and of hudi-rs.
	python func() (string, error)
	mu     sync.Mutex // held while a query depends on Spark's settings
}

// startLimit is how long an engine may take to come up, fetched and unpacked.
const startLimit = 10 * time.Minute

// lazy is an engine that starts when it is first asked.
type lazy[E engine] struct{ start func() E }

func (l lazy[E]) Execute(ctx context.Context, statement string) error {
	return l.start().Execute(ctx, statement)
}

func (l lazy[E]) Query(ctx context.Context, query string) (*readback.Table, error) {
	return l.start().Query(ctx, query)
}

// sparkHudi is Spark with a version of Hudi.
type sparkHudi struct {
	lazy[writer]
	version string
	mu      sync.Mutex // held while something depends on its settings
}

func (h *sparkHudi) Write(ctx context.Context, query string, to spark.Write) error {
	return h.start().Write(ctx, query, to)
}

// absent is an engine that could not be started: whatever it is asked, it says why.
type absent struct{ why error }

func (a absent) Execute(context.Context, string) error                  { return a.why }
func (a absent) Query(context.Context, string) (*readback.Table, error) { return nil, a.why }
func (a absent) Write(context.Context, string, spark.Write) error       { return a.why }

var javaEngines = sync.OnceValue(func() *heavy {
	tools := sandbox.Shared().Toolchain()
	h := &heavy{
		spark: lazy[writer]{sync.OnceValue(func() writer { return startSpark(tools.Spark) })}, trino: lazy[engine]{sync.OnceValue(startTrino)}, hudi: map[string]*sparkHudi{},
		python: sync.OnceValues(func() (string, error) { return tools.Interop(context.Background()) }),
	}
	for _, version := range hudiVersions {
		h.hudi[version] = &sparkHudi{version: version, lazy: lazy[writer]{sync.OnceValue(func() writer {
			return startSpark(func(ctx context.Context) (toolchain.Spark, error) { return tools.SparkHudi(ctx, version) })
		})}}
	}
	return h
})

func startSpark(fetch func(context.Context) (toolchain.Spark, error)) writer {
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	installation, err := fetch(ctx)
	if err != nil {
		return absent{fmt.Errorf("Spark cannot be had on this machine: %w", err)} //nolint:staticcheck // a name
	}
	endpoints := sandbox.Shared().Endpoints()
	access, secret := sandbox.Shared().Credentials()
	session, err := spark.Start(ctx, spark.Options{Installation: installation, Glue: endpoints.Glue, S3: endpoints.S3, Region: sandbox.Region, AccessKey: access, SecretKey: secret})
	if err != nil {
		return absent{err}
	}
	sandbox.AtEnd(session.Stop)
	return session
}

func startTrino() engine {
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	installation, err := sandbox.Shared().Toolchain().Trino(ctx)
	if err != nil {
		return absent{fmt.Errorf("Trino cannot be had on this machine: %w", err)} //nolint:staticcheck // a name
	}
	endpoints := sandbox.Shared().Endpoints()
	access, secret := sandbox.Shared().Credentials()
	server, err := trino.Start(ctx, trino.Options{Installation: installation, Glue: endpoints.Glue, S3: endpoints.S3, Region: sandbox.Region, AccessKey: access, SecretKey: secret})
	if err != nil {
		return absent{err}
	}
	sandbox.AtEnd(server.Stop)
	return server
}
