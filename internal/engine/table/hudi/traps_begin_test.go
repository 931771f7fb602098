package hudi_test

import (
	"slices"
	"testing"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// A table of which there are properties and no more, as Spark's CREATE TABLE makes it, and as a run of ours leaves it that died between
// its first two writes, begins with a commit before all that attempts write: readers take what is older than the first commit for
// archived, and would show the files of an attempt that lost.
func TestTablesOfPropertiesAlone(t *testing.T) {
	t.Parallel()
	other := newBench(t, shop("land"))
	instant := other.load(false, goods("de", 9))
	orphan := other.read("lake/orders/" + other.data("land=de/", instant))
	for name, begin := range map[string]func(b *bench){
		"as Spark makes it":  func(b *bench) { put(b.t, b.store, properties, other.read(properties)) },
		"left by a dead run": func(b *bench) { b.diesAt(2) },
		"and what was undone": func(b *bench) {
			put(b.t, b.store, properties, other.read(properties))
			foreignCommit(b.t, b.store, "lake/orders/", "rollback", commit{})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, shop("land"))
			begin(b)
			if keys := b.keys("", "commit"); len(keys) > 0 {
				t.Fatalf("the table begins with %v", keys)
			}
			h := b.head()
			if h.Exists || h.Checkpoint != nil {
				t.Errorf("the head is %+v", h)
			}
			b.load(false, goods("de", 1))
			// What comes late of an attempt that had begun before.
			put(t, b.store, "lake/orders/land=de/late-0_1-1-1_20200229000000000.parquet", orphan)
			b.expect(1)
			files, err := b.table.Files(t.Context(), b.head())
			if err != nil || len(files) != 1 || files[0].Rows != 1 {
				t.Errorf("the files are %+v, %v", files, err)
			}
			b.upsert(called("changed", goods("de", 1, 2)))
			b.expect(1, 2)
		})
	}
}

// diesAt has a run die that makes the table, instead of a step.
func (b *bench) diesAt(at int) {
	b.t.Helper()
	h := b.head()
	change := b.adds(h, "u", goods("de", 7))
	dying := openTable(&steps{Store: b.store, at: at, on: step{dies: true}}, b.catalog, "lake/orders/", "orders", time.Now)
	if _, err := dying.Commit(b.t.Context(), h, change); err == nil {
		b.t.Fatal("the commit was made")
	}
}

// What other engines and people leave in a table's folders disturbs nobody, and stays.
func TestOtherObjects(t *testing.T) {
	t.Parallel()
	b := newBench(t, shop("land"))
	instant := b.load(false, append(goods("de", 1, 2), goods("fr", 3)...))
	data := b.read("lake/orders/" + b.data("land=de/", instant))
	others := []string{
		".hoodie/.locks/x.json", ".hoodie/lease.json", ".hoodie/.heartbeat/" + instant, ".hoodie/.aux/.bootstrap/x", ".hoodie/.schema/" + instant + ".schemacommit", ".hoodie/archived/.commits_.archive.1_1-0-1",
		".hoodie/2026.commit", ".hoodie/hoodie.properties.crc", "land=de/_SUCCESS", "land=de/notes.txt", "land=de/part-0.parquet", "land=de/.x-0_1-1-1_" + instant + ".parquet.crc",
		".spark-staging/land=de/x-0_1-1-1_" + instant + ".parquet", "land=de/.tmp/x-0_1-1-1_" + instant + ".parquet",
	}
	for _, key := range others {
		put(t, b.store, "lake/orders/"+key, data)
	}
	h := b.head()
	files, err := b.table.Files(t.Context(), h)
	if err != nil || len(files) != 2 || h.Commit != instant || h.Rows != 3 {
		t.Errorf("the head is %+v with the files %+v, %v", h, files, err)
	}
	b.upsert(called("changed", goods("de", 1, 4)), 3)
	b.churn(4)
	b.load(true, goods("it", 5))
	b.ahead += 10 * day
	b.clean(table.Retention{KeepAtLeast: 1, MaxAge: time.Hour})
	if _, err := b.table.RemoveOrphans(t.Context(), table.LongestJob); err != nil {
		t.Fatal(err)
	}
	b.expect(5)
	now := b.keys("", "")
	for _, key := range others {
		if !slices.Contains(now, key) {
			t.Errorf("%s is gone", key)
		}
	}
}
