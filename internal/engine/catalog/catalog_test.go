package catalog_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	gluesdk "github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lakeland/terraform-provider-lakeland/internal/awsclient"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/glue"
)

func TestMain(m *testing.M) { sandbox.Main(m) }

func TestMemory(t *testing.T) {
	t.Parallel()
	open := func(*testing.T) (catalog.Catalog, string) { return catalog.NewMemory("raw"), "raw" }
	conform(t, open)
	conformPartitions(t, open)
}

func TestGlue(t *testing.T) {
	t.Parallel()
	sb := sandbox.ForTest(t, sandbox.Glue)
	client := awsclient.New(sb.AWSConfig(), awsclient.Options{}).Glue
	open := func(t *testing.T) (catalog.Catalog, string) {
		t.Helper()
		return catalog.NewGlue(client, awsclient.Unknown, awsclient.Throttled), database(t, sb, client)
	}
	conform(t, open)
	conformPartitions(t, open)
}

func database(t *testing.T, sb *sandbox.Sandbox, client *gluesdk.Client) string {
	t.Helper()
	name := strings.ReplaceAll(sb.NewName(t), "-", "_")
	if _, err := client.CreateDatabase(t.Context(), &gluesdk.CreateDatabaseInput{DatabaseInput: &types.DatabaseInput{Name: aws.String(name)}}); err != nil {
		t.Fatal(err)
	}
	return name
}

// A lost answer is told apart from a refusal, so that the caller reads back.
func TestGlueLostAnswer(t *testing.T) {
	t.Parallel()
	sb := sandbox.ForTest(t, sandbox.Glue)
	own := sb.NewGlue(t, nil)
	endpoints := sb.Endpoints()
	endpoints.Glue = own.URL()
	client := awsclient.New(sb.AWSConfigFor(endpoints), awsclient.Options{}).Glue
	c, name := catalog.NewGlue(client, awsclient.Unknown, awsclient.Throttled), database(t, sb, client)
	own.Inject(glue.Fault{Operation: "CreateTable", Kind: glue.LostResponse})
	if err := c.Create(t.Context(), entry(name)); !errors.Is(err, catalog.ErrUnknown) {
		t.Fatalf("a create whose answer was lost: %v", err)
	}
	there, err := c.Get(t.Context(), name, "orders")
	if err != nil {
		t.Fatalf("it took effect and is not there: %v", err)
	}
	own.Inject(glue.Fault{Operation: "UpdateTable", Kind: glue.LostResponse})
	version := there.Version
	if err := c.Update(t.Context(), there); !errors.Is(err, catalog.ErrUnknown) {
		t.Fatalf("an update whose answer was lost: %v", err)
	}
	if there, err = c.Get(t.Context(), name, "orders"); err != nil || there.Version == version {
		t.Errorf("it took effect and the version is still %s, %v", version, err)
	}
}

func entry(database string) *catalog.Table {
	return &catalog.Table{
		Database: database, Name: "orders", Type: "EXTERNAL_TABLE", Description: "Orders of the shop",
		Parameters: map[string]string{"table_type": "ICEBERG", "metadata_location": "s3://lake/raw/orders/metadata/0.json"}, Location: "s3://lake/raw/orders",
		Columns:       []catalog.Column{{Name: "id", Type: "bigint", Comment: "the key", Parameters: map[string]string{"iceberg.field.id": "1"}}, {Name: "note", Type: "string"}},
		PartitionKeys: []catalog.Column{{Name: "day", Type: "date"}}, InputFormat: "in", OutputFormat: "out", SerDe: "serde", SerDeParameters: map[string]string{"path": "p"},
	}
}

// conform is what every catalogue must do.
func conform(t *testing.T, open func(t *testing.T) (catalog.Catalog, string)) {
	t.Helper()
	ignoreVersion := cmpopts.IgnoreFields(catalog.Table{}, "Version")
	t.Run("an entry reads as it was written", func(t *testing.T) {
		t.Parallel()
		ctx := t.Context()
		c, db := open(t)
		if err := c.Create(ctx, entry(db)); err != nil {
			t.Fatal(err)
		}
		got, err := c.Get(ctx, db, "orders")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(entry(db), got, ignoreVersion, cmpopts.EquateEmpty()); diff != "" || got.Version == "" {
			t.Errorf("version %q: %s", got.Version, diff)
		}
		got.Parameters["metadata_location"], got.Columns, got.Description = "s3://lake/raw/orders/metadata/1.json", got.Columns[:1], ""
		if err := c.Update(ctx, got); err != nil {
			t.Fatal(err)
		}
		again, err := c.Get(ctx, db, "orders")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(got, again, ignoreVersion, cmpopts.EquateEmpty()); diff != "" || again.Version == got.Version {
			t.Errorf("version %q after %q: %s", again.Version, got.Version, diff)
		}
	})
	t.Run("refusals have their names", func(t *testing.T) {
		t.Parallel()
		ctx := t.Context()
		c, db := open(t)
		if err := c.Database(ctx, db); err != nil {
			t.Errorf("the database: %v", err)
		}
		if err := c.Database(ctx, "absent"); !errors.Is(err, catalog.ErrNotFound) {
			t.Errorf("an absent database: %v", err)
		}
		if _, err := c.Get(ctx, db, "orders"); !errors.Is(err, catalog.ErrNotFound) {
			t.Errorf("an absent entry: %v", err)
		}
		if err := c.Update(ctx, &catalog.Table{Database: db, Name: "orders", Type: "EXTERNAL_TABLE", Version: "1"}); !errors.Is(err, catalog.ErrNotFound) {
			t.Errorf("updating an absent entry: %v", err)
		}
		if err := c.Create(ctx, entry("absent")); !errors.Is(err, catalog.ErrNotFound) {
			t.Errorf("creating in an absent database: %v", err)
		}
		if err := c.Create(ctx, entry(db)); err != nil {
			t.Fatal(err)
		}
		if err := c.Create(ctx, entry(db)); !errors.Is(err, catalog.ErrExists) {
			t.Errorf("creating twice: %v", err)
		}
		old, err := c.Get(ctx, db, "orders")
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Update(ctx, old); err != nil {
			t.Fatal(err)
		}
		if err := c.Update(ctx, old); !errors.Is(err, catalog.ErrConflict) {
			t.Errorf("updating an old version: %v", err)
		}
	})
	t.Run("exactly one of many writers wins each round", func(t *testing.T) {
		t.Parallel()
		ctx := t.Context()
		c, db := open(t)
		for round := range 5 {
			var base *catalog.Table
			if round > 0 {
				var err error
				if base, err = c.Get(ctx, db, "orders"); err != nil {
					t.Fatal(err)
				}
			}
			var winners atomic.Int32
			var all sync.WaitGroup
			for i := range 8 {
				all.Go(func() {
					mine := entry(db)
					mine.Parameters["writer"] = fmt.Sprint(i)
					var err error
					if base == nil {
						err = c.Create(ctx, mine)
					} else {
						mine.Version = base.Version
						err = c.Update(ctx, mine)
					}
					switch {
					case err == nil:
						winners.Add(1)
					case !errors.Is(err, catalog.ErrExists) && !errors.Is(err, catalog.ErrConflict):
						t.Error(err)
					}
				})
			}
			all.Wait()
			if winners.Load() != 1 {
				t.Errorf("round %d had %d winners", round, winners.Load())
			}
		}
	})
}
