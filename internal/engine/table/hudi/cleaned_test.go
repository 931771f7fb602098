package hudi_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// cleaningPart is a store on which a clean that deletes files dies when a part of them is gone.
type cleaningPart struct {
	store.Store
	dead bool
}

func (s *cleaningPart) Put(ctx context.Context, key string, data []byte, when store.Condition) (store.Object, error) {
	if s.dead {
		return store.Object{}, errKilled
	}
	return s.Store.Put(ctx, key, data, when)
}

func (s *cleaningPart) Delete(ctx context.Context, keys ...string) error {
	if s.dead {
		return errKilled
	}
	if strings.HasSuffix(keys[0], ".parquet") && len(keys) > 1 {
		s.dead = true
		if err := s.Store.Delete(ctx, keys[:len(keys)/2]...); err != nil {
			return err
		}
		return errKilled
	}
	return s.Store.Delete(ctx, keys...)
}

// dirty is a table with versions to clean, a clean of which comes as far as a store lets it, and the clean's pending instant.
func dirty(t *testing.T, held func(store.Store) store.Store) (b *bench, clean string) {
	t.Helper()
	b = newBench(t, shop())
	b.load(false, goods("de", 1))
	b.churn(12)
	b.ahead += 30 * time.Hour
	h := b.head()
	dying := openTable(held(b.store), b.catalog, "lake/orders/", "orders", func() time.Time { return time.Now().Add(b.ahead) })
	if _, err := dying.Clean(t.Context(), h, table.Retention{KeepAtLeast: 3, MaxAge: time.Hour}); err == nil {
		t.Fatal("the clean was not held up")
	}
	pending := b.keys(".hoodie/", ".clean.requested")
	if len(pending) != 1 {
		t.Fatalf("pending are %v", pending)
	}
	return b, strings.TrimSuffix(pending[0], ".requested")
}

// isDone checks that a clean is on the timeline, and that what it says is gone is what is gone.
func (b *bench) isDone(clean string) {
	b.t.Helper()
	b.head()
	b.nothingPending("a clean")
	plan, done := decode(b.t, b.read("lake/orders/"+clean+".requested")), decode(b.t, b.read("lake/orders/"+clean))
	of, _ := done["partitionMetadata"].(map[string]any)[""].(map[string]any)
	names, _ := of["successDeleteFiles"].([]any)
	if from, _ := plan["earliestInstantToRetain"].(map[string]any); len(names) != 10 || done["earliestCommitToRetain"] != from["timestamp"] || fmt.Sprint(done["totalFilesDeleted"]) != "10" {
		b.t.Errorf("the clean says %v", done)
	}
	left := b.keys("", ".parquet")
	for _, name := range names {
		if slices.Contains(left, fmt.Sprint(name)) {
			b.t.Errorf("%s is there still", name)
		}
	}
	b.expect(1)
	for _, key := range b.keys(".hoodie/.lakeland/attempts/", "") {
		if len(b.read("lake/orders/"+key)) > 0 {
			b.t.Errorf("%s is not over", key)
		}
	}
	b.load(false, goods("de", 2))
	b.expect(1, 2)
}

// A clean that died amid its deletes is completed, though another writer has committed meanwhile: readers of older commits would find rows
// missing, and nothing on the timeline that says so.
func TestCleanThatDiedAmidItsDeletesIsFinished(t *testing.T) {
	t.Parallel()
	for name, commits := range map[string]bool{"behind another writer": true, "at once": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, clean := dirty(t, func(s store.Store) store.Store { return &cleaningPart{Store: s} })
			if commits {
				foreignCommit(t, b.store, "lake/orders/", "commit", commit{Operation: "UPSERT"})
			}
			b.isDone(clean)
		})
	}
}

// Spark finishes cleans of ours that are pending, and may die amid that, too. The clean that nobody claimed is completed then.
func TestCleanThatSparkBeganIsFinished(t *testing.T) {
	t.Parallel()
	b, clean := dirty(t, func(s store.Store) store.Store { return &dyingAtClaims{Store: s} })
	of, _ := decode(t, b.read("lake/orders/"+clean+".requested"))["filePathsToBeDeletedPerPartition"].(map[string]any)[""].([]any)
	first, _ := of[0].(map[string]any)
	address, _ := first["filePath"].(string)
	if address == "" {
		address, _ = first["filePath"].(map[string]any)["string"].(string)
	}
	_, name, _ := strings.Cut(address, "lake/orders/")
	if err := b.store.Delete(t.Context(), "lake/orders/"+name); err != nil {
		t.Fatal(err)
	}
	foreignCommit(t, b.store, "lake/orders/", "commit", commit{Operation: "UPSERT"})
	b.isDone(clean)
}

// A clean of ours of which nothing is gone is given up where another writer has committed, and the next one is planned on what there is then.
func TestCleanThatDeletedNothingIsGivenUp(t *testing.T) {
	t.Parallel()
	for name, held := range map[string]func(store.Store) store.Store{
		"unclaimed": func(s store.Store) store.Store { return &dyingAtClaims{Store: s} },
		"claimed":   func(s store.Store) store.Store { return &dyingAtClaims{Store: s, behind: true} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, clean := dirty(t, held)
			files := b.keys("", ".parquet")
			foreignCommit(t, b.store, "lake/orders/", "commit", commit{Operation: "UPSERT"})
			b.head()
			b.nothingPending("the clean")
			if now := b.keys("", ".parquet"); !slices.Equal(now, files) || len(b.keys(clean, "")) > 0 {
				t.Errorf("the files were %v and are %v", files, now)
			}
			if done := b.clean(table.Retention{KeepAtLeast: 3, MaxAge: time.Hour}); done.Files == 0 {
				t.Errorf("cleaned %+v", done)
			}
		})
	}
}

// What a decided clean says goes stays where it is part of the table again: another writer has taken back what followed it.
func TestDecidedCleanKeepsWhatReadersSee(t *testing.T) {
	t.Parallel()
	b, _ := dirty(t, func(s store.Store) store.Store { return &cleaningPart{Store: s} })
	files := func() []string {
		return slices.DeleteFunc(b.keys("", ".parquet"), func(key string) bool { return strings.Contains(key, ".lakeland") })
	}
	versions := files()
	instant := func(key string) string { return strings.TrimSuffix(key[strings.LastIndex(key, "_")+1:], ".parquet") }
	slices.SortFunc(versions, func(a, b string) int { return strings.Compare(instant(a), instant(b)) })
	for _, key := range versions[1:] { // the oldest of those that are left is one that the clean says goes
		for _, gone := range b.keys("", "") {
			if strings.Contains(gone, instant(key)) && !strings.Contains(gone, ".lakeland") {
				b.store.Delete(t.Context(), "lake/orders/"+gone)
			}
		}
	}
	if _, err := b.table.Head(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := files(); !slices.Equal(left, versions[:1]) {
		t.Errorf("of %v are left %v", versions, left)
	}
	b.expect(1)
}
