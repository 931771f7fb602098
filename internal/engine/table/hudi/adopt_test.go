package hudi_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
)

// disown makes a table one that nothing tells to be ours, as another engine's is.
func (b *bench) disown() {
	b.t.Helper()
	if strings.Contains(string(b.read(properties)), "lakeland.table.id") {
		b.edit(`lakeland\.table\.id=.*\n`, "")
	}
	l := tableOf(b.t, b.store)
	for key := range l.objects {
		if strings.HasPrefix(key, ".hoodie/.lakeland/") {
			b.store.Delete(b.t.Context(), "lake/orders/"+key)
		}
	}
	for instant := range l.commits {
		key := "lake/orders/.hoodie/" + instant + ".commit"
		var c map[string]any
		if err := json.Unmarshal(b.read(key), &c); err != nil {
			b.t.Fatal(err)
		}
		extra, _ := c["extraMetadata"].(map[string]any)
		for name := range extra {
			if strings.HasPrefix(name, "lakeland.") {
				delete(extra, name)
			}
		}
		data, err := json.Marshal(c)
		if err != nil {
			b.t.Fatal(err)
		}
		put(b.t, b.store, key, data)
	}
	b.catalog = catalog.NewMemory("raw")
	b.reopen()
}

// A table of another engine is described as it is, and gone on with: rows that are only copied keep what they have.
func TestOthersTablesAreGoneOnWith(t *testing.T) {
	t.Parallel()
	b := newBench(t, shop("land"))
	first := b.load(false, append(goods("de", 1, 2), goods("fr", 3)...))
	b.disown()
	h := b.head()
	if !h.Exists || h.Checkpoint != nil || h.Commit != first || h.TableID == "" || h.TableID != b.head().TableID || len(h.Schema.Key) != 1 || len(h.Schema.Partition) != 1 {
		t.Errorf("the head is %+v", h)
	}
	for _, want := range b.columns.Columns {
		c, ok := h.Schema.Column(want.Name)
		if typ := want.Type; !ok || c.FieldID == 0 || c.Source != nil || c.Type != typ && typ.ID != "timestamp" {
			t.Errorf("the column %s is %+v", want.Name, c)
		}
	}
	if _, err := b.catalog.Get(t.Context(), "raw", "orders"); err == nil {
		t.Error("looking at a table that is not ours made an entry")
	}
	b.upsert(goods("de", 2, 9), 3)
	b.expect(1, 2, 9)
	if r := b.rows()["1"]; r["_hoodie_commit_time"] != first {
		t.Errorf("a copied row is %v", r)
	}
	if h = b.head(); h.Checkpoint == nil || h.Rows != 3 {
		t.Errorf("the head is %+v", h)
	}
}

// Keys of one column in a table of several partition columns are spelled as the files have them; where these do not tell, the table is
// refused.
func TestKeysOfOthersFiles(t *testing.T) {
	t.Parallel()
	b := newBench(t, shop("land", "ok"))
	b.load(false, goods("de", 1, 2))
	b.disown()
	b.upsert(goods("de", 2, 4))
	b.expect(1, 2, 4)
	for id, r := range b.rows() {
		if r["_hoodie_record_key"] != id {
			t.Errorf("the row %s has the key %s", id, r["_hoodie_record_key"])
		}
	}
	b.disown()
	h := b.head()
	change := b.adds(h, "u", goods("de", 7))
	files := len(b.keys("land=de/", ".parquet"))
	for _, key := range b.keys("land=de/", ".parquet") { // files that tell nothing
		data := b.read("lake/orders/" + key)
		put(t, b.store, "lake/orders/"+key, []byte(strings.ReplaceAll(strings.ReplaceAll(string(data), "hoodie_min_record_key", "hoodie_xxx_record_key"), "hoodie_max_record_key", "hoodie_yyy_record_key")))
	}
	if _, err := b.table.Commit(t.Context(), h, change); err == nil || !strings.Contains(err.Error(), "cannot be told apart") || !strings.Contains(err.Error(), "land into a new target") {
		t.Errorf("the commit: %v", err)
	}
	if now := b.keys("land=de/", ".parquet"); len(now) != files {
		t.Errorf("of %d files there are %v", files, now)
	}
}
