package hive_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	parquetgo "github.com/parquet-go/parquet-go"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table/conformance"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table/hive"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
)

func TestMain(m *testing.M) { sandbox.Main(m) }

type opener func(s store.Store, c catalog.Catalog, prefix, name string, now func() time.Time) table.Table

func open(historical bool) opener {
	return func(s store.Store, c catalog.Catalog, prefix, name string, now func() time.Time) table.Table {
		return hive.New(hive.Options{Store: s, Catalog: c, Prefix: prefix, Database: "raw", Name: name, Version: "test", Historical: historical, Now: now})
	}
}

func TestCurrentSnapshot(t *testing.T) {
	t.Parallel()
	conformance.Run(t, conformance.Format{
		Can:  conformance.Abilities{Replaces: true, Renames: true},
		Open: open(false), Rows: rows, Touch: touch, Rollback: restore, End: readByOthers,
	})
}

func TestHistorical(t *testing.T) {
	t.Parallel()
	conformance.Run(t, conformance.Format{
		Can:    conformance.Abilities{Appends: true},
		Writes: 1, Open: open(true), Rows: rows, Rollback: dropBatches, End: readByOthers,
	})
}

// locations are the addresses that a reader of the catalogue lists, by the batch, "" where the table has none.
func locations(ctx context.Context, c catalog.Catalog, name string) (map[string]string, error) {
	entry, err := c.Get(ctx, "raw", name)
	if err != nil {
		return nil, err
	}
	if len(entry.PartitionKeys) == 0 {
		return map[string]string{"": entry.Location}, nil
	}
	out := map[string]string{}
	for p, err := range c.Partitions(ctx, "raw", name, nil) {
		if err != nil {
			return nil, err
		}
		out[p.Values[0]] = p.Location
		if err := shown(ctx, c, entry, p.Values); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// shown checks that the entry shows all columns that a partition's files have.
func shown(ctx context.Context, c catalog.Catalog, entry *catalog.Table, values []string) error {
	p, err := c.Partition(ctx, "raw", entry.Name, values)
	if err != nil {
		return err
	}
	for _, column := range p.Columns {
		if !slices.ContainsFunc(entry.Columns, func(e catalog.Column) bool { return e.Name == column.Name }) {
			return fmt.Errorf("batch %v has the column %s, and readers of the entry do not see it", values, column.Name)
		}
	}
	return nil
}

// rows reads the ids as a reader of Hive tables does, who takes whatever lies at the locations.
func rows(ctx context.Context, s store.Store, c catalog.Catalog, name string) ([]int64, error) {
	at, err := locations(ctx, c, name)
	if errors.Is(err, catalog.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var ids []int64
	for _, location := range at {
		for object, err := range s.List(ctx, strings.TrimPrefix(location, s.Address("")), "") {
			if err != nil {
				return nil, err
			}
			found, err := readIDs(ctx, s, object.Key)
			if err != nil {
				return nil, err
			}
			ids = append(ids, found...)
		}
	}
	return ids, nil
}

func readIDs(ctx context.Context, s store.Store, key string) ([]int64, error) {
	data, err := store.Read(ctx, s, key, 1<<30)
	if err != nil {
		return nil, err
	}
	f, err := parquetgo.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(f.Root().Columns(), func(c *parquetgo.Column) bool { return c.Name() == "id" })
	var out []int64
	r := parquetgo.NewReader(f)
	for {
		buffer := make([]parquetgo.Row, 10)
		n, err := r.ReadRows(buffer)
		for _, row := range buffer[:n] {
			out = append(out, row[at].Int64())
		}
		if errors.Is(err, io.EOF) {
			return out, r.Close()
		}
		if err != nil {
			return nil, err
		}
	}
}

func entryOf(t *testing.T, c catalog.Catalog, name string) *catalog.Table {
	t.Helper()
	entry, err := c.Get(t.Context(), "raw", name)
	if err != nil {
		t.Fatal(err)
	}
	return entry
}

func update(t *testing.T, c catalog.Catalog, entry *catalog.Table) {
	t.Helper()
	if err := c.Update(t.Context(), entry); err != nil {
		t.Fatal(err)
	}
}

// touch puts a parameter into the entry, as a crawler does.
func touch(t *testing.T, _ store.Store, c catalog.Catalog, name string) {
	t.Helper()
	entry := entryOf(t, c, name)
	entry.Parameters["UPDATED_BY_CRAWLER"] = "theirs " + entry.Version
	update(t, c, entry)
}

// restore gives the entry the form back that it had behind a commit, as somebody does with the catalogue's versions.
func restore(t *testing.T, _ store.Store, c *catalog.Memory, name, commit string) bool {
	t.Helper()
	now := entryOf(t, c, name)
	for _, was := range append(c.Archive("raw", name), now) {
		if strings.Contains(was.Location, "-"+commit+"/") {
			was.Version = now.Version
			update(t, c, was)
			return true
		}
	}
	return false
}

// dropBatches drops the batches behind a commit.
func dropBatches(t *testing.T, _ store.Store, c *catalog.Memory, name, commit string) bool {
	t.Helper()
	number := hive.Batch(commit)
	kept, err := c.Partition(t.Context(), "raw", name, []string{strconv.FormatInt(number, 10)})
	if err != nil || !strings.Contains(kept.Location, "-"+strings.SplitN(commit, "-", 2)[1]+"/") {
		return false
	}
	at, err := locations(t.Context(), c, name)
	if err != nil {
		t.Fatal(err)
	}
	for value := range at {
		if n, err := strconv.ParseInt(value, 10, 64); err == nil && n > number {
			if err := c.DeletePartition(t.Context(), "raw", name, []string{value}); err != nil {
				t.Fatal(err)
			}
		}
	}
	return true
}
