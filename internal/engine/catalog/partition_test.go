package catalog_test

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lakeland/terraform-provider-lakeland/internal/awsclient"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/glue"
)

func numbered(database string) *catalog.Table {
	t := entry(database)
	t.PartitionKeys = []catalog.Column{{Name: "n", Type: "bigint"}}
	return t
}

func partition(n int) *catalog.Partition {
	return &catalog.Partition{
		Values: []string{strconv.Itoa(n)}, Parameters: map[string]string{"attempt": fmt.Sprint("a", n)}, Location: fmt.Sprintf("s3://lake/raw/orders/%d/", n),
		Columns:     []catalog.Column{{Name: "id", Type: "bigint", Comment: "the key"}, {Name: "note", Type: "string"}},
		InputFormat: "in", OutputFormat: "out", SerDe: "serde", SerDeParameters: map[string]string{"path": "p"},
	}
}

func numbers(t *testing.T, c catalog.Catalog, db string, from *catalog.AtLeast) []int {
	t.Helper()
	var out []int
	for p, err := range c.Partitions(t.Context(), db, "orders", from) {
		if err != nil {
			t.Fatal(err)
		}
		n, err := strconv.Atoi(p.Values[0])
		if err != nil {
			t.Fatal(err)
		}
		if p.Location != partition(n).Location || p.Parameters["attempt"] != fmt.Sprint("a", n) || len(p.Columns) != 0 {
			t.Errorf("partition %d is listed as %+v", n, p)
		}
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

// conformPartitions is what every catalogue must do with partitions.
func conformPartitions(t *testing.T, open func(t *testing.T) (catalog.Catalog, string)) {
	t.Helper()
	table := func(t *testing.T) (catalog.Catalog, string) {
		t.Helper()
		c, db := open(t)
		if err := c.Create(t.Context(), numbered(db)); err != nil {
			t.Fatal(err)
		}
		return c, db
	}
	t.Run("a partition reads as it was written", func(t *testing.T) {
		t.Parallel()
		ctx := t.Context()
		c, db := table(t)
		if err := c.CreatePartition(ctx, db, "orders", partition(1)); err != nil {
			t.Fatal(err)
		}
		got, err := c.Partition(ctx, db, "orders", []string{"1"})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(partition(1), got, cmpopts.EquateEmpty()); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("partitions are listed from a number on", func(t *testing.T) {
		t.Parallel()
		c, db := table(t)
		if got := numbers(t, c, db, nil); len(got) != 0 {
			t.Errorf("an entry without partitions has %v", got)
		}
		var want []int
		for n := 1; n <= 120; n++ {
			want = append(want, n)
			if err := c.CreatePartition(t.Context(), db, "orders", partition(n)); err != nil {
				t.Fatal(err)
			}
		}
		if got := numbers(t, c, db, nil); !slices.Equal(got, want) {
			t.Errorf("all are %v", got)
		}
		if got := numbers(t, c, db, &catalog.AtLeast{Key: "n", Value: 9}); !slices.Equal(got, want[8:]) {
			t.Errorf("from 9 on there are %v", got)
		}
		if got := numbers(t, c, db, &catalog.AtLeast{Key: "n", Value: 121}); len(got) != 0 {
			t.Errorf("from 121 on there are %v", got)
		}
	})
	t.Run("refusals of partitions have their names", func(t *testing.T) {
		t.Parallel()
		ctx := t.Context()
		c, db := table(t)
		if err := c.CreatePartition(ctx, db, "orders", partition(1)); err != nil {
			t.Fatal(err)
		}
		listing := func(table string) error {
			for _, err := range c.Partitions(ctx, db, table, nil) {
				if err != nil {
					return err
				}
			}
			return nil
		}
		_, absent := c.Partition(ctx, db, "orders", []string{"2"})
		_, absentEntry := c.Partition(ctx, db, "absent", []string{"1"})
		for _, step := range []struct {
			name      string
			got, want error
		}{
			{"reading an absent one", absent, catalog.ErrNotFound},
			{"reading, no entry", absentEntry, catalog.ErrNotFound},
			{"listing, no entry", listing("absent"), catalog.ErrNotFound},
			{"creating twice", c.CreatePartition(ctx, db, "orders", partition(1)), catalog.ErrExists},
			{"creating, no entry", c.CreatePartition(ctx, db, "absent", partition(1)), catalog.ErrNotFound},
		} {
			if !errors.Is(step.got, step.want) {
				t.Errorf("%s: %v", step.name, step.got)
			}
		}
	})
	t.Run("exactly one of many makes a partition", func(t *testing.T) {
		t.Parallel()
		ctx := t.Context()
		c, db := table(t)
		for round := range 5 {
			var winners atomic.Int32
			var all sync.WaitGroup
			for range 8 {
				all.Go(func() {
					switch err := c.CreatePartition(ctx, db, "orders", partition(round)); {
					case err == nil:
						winners.Add(1)
					case !errors.Is(err, catalog.ErrExists):
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

// The answers to writes of partitions are lost too.
func TestGlueLostAnswerAboutPartitions(t *testing.T) {
	t.Parallel()
	sb := sandbox.ForTest(t, sandbox.Glue)
	own := sb.NewGlue(t, nil)
	endpoints := sb.Endpoints()
	endpoints.Glue = own.URL()
	client := awsclient.New(sb.AWSConfigFor(endpoints), awsclient.Options{}).Glue
	c, db := catalog.NewGlue(client, awsclient.Unknown, awsclient.Throttled), database(t, sb, client)
	if err := c.Create(t.Context(), numbered(db)); err != nil {
		t.Fatal(err)
	}
	own.Inject(glue.Fault{Operation: "CreatePartition", Kind: glue.LostResponse})
	if err := c.CreatePartition(t.Context(), db, "orders", partition(1)); !errors.Is(err, catalog.ErrUnknown) {
		t.Errorf("an answer was lost: %v", err)
	}
	if _, err := c.Partition(t.Context(), db, "orders", []string{"1"}); err != nil {
		t.Errorf("behind it: %v", err)
	}
}
