package hudi_test

import (
	"errors"
	"testing"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table/hudi"
)

// What first runs leave that died is told from what others put at the location, by who began the table.
func TestRemainsOfFirstRuns(t *testing.T) {
	t.Parallel()
	b := newBench(t, shop("land"))
	own := func(key string) bool {
		t.Helper()
		h := b.head()
		if h.Exists {
			t.Error("there is a table")
		}
		return b.table.(*hudi.Table).Own(h, key)
	}
	const data = "land=de/6b8f1e0c-0000-4000-8000-000000000000-0_1-2-3_20260101000000000.parquet"
	for key, want := range map[string]bool{
		".hoodie/.lakeland/staging/a1/u-0.parquet": true, ".hoodie/hoodie.properties": false, ".hoodie/20260101000000000.commit.requested": false, data: false, "land=de/.hoodie_partition_metadata": false,
	} {
		if own(key) != want {
			t.Errorf("without a table, %s is ours: %v", key, !want)
		}
	}
	h := b.head()
	change := b.adds(h, "u", goods("de", 1))
	alive := b.store
	b.store = &steps{Store: alive, at: 6, on: step{dies: true}}
	b.reopen()
	if _, err := b.table.Commit(t.Context(), h, change); err == nil {
		t.Fatal("the commit was made")
	}
	b.store = alive
	b.reopen()
	for key, want := range map[string]bool{
		".hoodie/hoodie.properties": true, ".hoodie/20260101000000000.commit.requested": true, data: true, "land=de/.hoodie_partition_metadata": true,
		"land=de/part-0.parquet": false, "data/00000-0-x.parquet": false, "metadata/v1.metadata.json": false,
	} {
		if own(key) != want {
			t.Errorf("with a table that we began, %s is ours: %v", key, !want)
		}
	}
	b.edit(`lakeland\.table\.id=.*\n`, "")
	if own(".hoodie/hoodie.properties") || own(data) {
		t.Error("a table that others began is ours")
	}
}

// A run of another source table that finds a table at its location makes no entry of its own name for it.
func TestLookingAtAnotherSourcesTableMakesNoEntry(t *testing.T) {
	t.Parallel()
	b := newBench(t, shop("land"))
	b.load(false, goods("de", 1))
	b.catalog = catalog.NewMemory("raw")
	look := func(source string) error {
		t.Helper()
		looking := hudi.New(hudi.Options{Store: b.store, Catalog: b.catalog, Prefix: "lake/orders/", Database: "raw", Name: "orders", Source: source, Now: time.Now})
		h, err := looking.Head(t.Context())
		if err != nil || h.Checkpoint == nil || h.Checkpoint.Table != "shop.orders" {
			t.Errorf("the head is %+v, %v", h, err)
		}
		_, err = b.catalog.Get(t.Context(), "raw", "orders")
		return err
	}
	if err := look("shop.others"); !errors.Is(err, catalog.ErrNotFound) {
		t.Errorf("another source table's run made an entry: %v", err)
	}
	if err := look("shop.orders"); err != nil {
		t.Errorf("its own run made none: %v", err)
	}
}
