package hudi_test

import (
	"strings"
	"testing"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// archive removes instants as Spark's archiving does, up to one.
func (b *bench) archive(last string) {
	b.t.Helper()
	for _, key := range b.keys(".hoodie/", "") {
		if name := strings.TrimPrefix(key, ".hoodie/"); !strings.Contains(name, "/") && len(name) > 17 && name[:17] <= last {
			b.store.Delete(b.t.Context(), "lake/orders/"+key)
		}
	}
}

// Where Spark has archived all commits that say how far a table has come, it is still known whose it is, and which reload was
// honoured, however old that is; how far it has come is not.
func TestCommitsThatOthersArchived(t *testing.T) {
	t.Parallel()
	b := newBench(t, shop("land"))
	b.load(false, goods("de", 1, 2))
	h := b.head()
	change := b.planMerge(h, goods("de", 2, 3))
	change.Checkpoint.Reload = "once"
	newest := b.commit(h, change)
	for range 3 {
		touch(t, b.store, b.catalog, "orders")
	}
	if h = b.head(); h.Checkpoint == nil || h.Lost != nil {
		t.Errorf("the head is %+v", h)
	}
	b.ahead = 4 * 24 * time.Hour
	if _, err := b.table.Clean(t.Context(), h, table.Retention{KeepAtLeast: 1, MaxAge: time.Hour}); err != nil {
		t.Fatal(err)
	}
	b.archive(newest)
	for range 2 {
		h = b.head()
		if c := h.Lost; h.Checkpoint != nil || c == nil || c.Table != "shop.orders" || c.Reload != "once" || c.RunID != "run-a2" || string(c.To) != "null" || string(c.From) != "null" {
			t.Errorf("the head is %+v, what is known %+v", h, c)
		}
		if _, err := b.table.RemoveOrphans(t.Context(), table.LongestJob); err != nil {
			t.Fatal(err)
		}
	}
	b.expect(1, 2, 3)
	b.disown()
	if h = b.head(); h.Lost != nil {
		t.Errorf("a table of another engine is known to be that of %+v", h.Lost)
	}
}
