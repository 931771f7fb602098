package hudi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"iter"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
)

// data is the one data file of a folder that an instant has.
func (b *bench) data(folder, instant string) string {
	b.t.Helper()
	keys := b.keys(folder, instant+".parquet")
	if len(keys) != 1 {
		b.t.Fatalf("the files of %s in %s are %v", instant, folder, keys)
	}
	return keys[0]
}

// behind is the instant of the millisecond behind another.
func behind(t *testing.T, instant string) string {
	t.Helper()
	n, err := strconv.ParseInt(instant, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return strconv.FormatInt(n+1, 10)
}

// A data file that no commit ever wrote is none of the table, be it of a group of its own or a newer version of one that there is, and no
// merge brings its rows in.
func TestFilesThatNobodyCommitted(t *testing.T) {
	t.Parallel()
	b := newBench(t, shop("land"))
	first := b.load(false, goods("de", 1, 2))
	b.ahead += time.Second // so that the instants between are nobody's
	rows := goods("de", 1)
	rows[0]["name"] = "changed"
	second := b.upsert(rows)
	b.ahead += time.Second
	old := b.data("land=de/", first)
	group := dataName.FindStringSubmatch(path.Base(old))[1]
	dead := []string{"land=de/dead-0_1-1-1_" + behind(t, first) + ".parquet", "land=de/" + group + "_1-1-1_" + behind(t, second) + ".parquet", "land=fr/dead-1_1-1-1_" + behind(t, second) + ".parquet"}
	for _, key := range dead {
		put(t, b.store, "lake/orders/"+key, b.read("lake/orders/"+old))
	}
	whole := func() {
		t.Helper()
		h := b.head()
		files, err := b.table.Files(t.Context(), h)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if slices.Contains(dead, strings.TrimPrefix(f.Key, "lake/orders/")) {
				t.Errorf("%s is part of the table", f.Key)
			}
		}
		if got := b.rows()["1"]["name"]; got != "changed" || len(files) != 1 {
			t.Errorf("the row is called %q, of %d files", got, len(files))
		}
	}
	whole()
	b.upsert(goods("de", 2, 3))
	b.expect(1, 2, 3)
	whole()
}

// asTheirs makes a commit of ours one of another engine, with what it changes in the document, under another action.
func (b *bench) asTheirs(instant, action string, edit func(c map[string]any)) {
	b.t.Helper()
	key := "lake/orders/.hoodie/" + instant + ".commit"
	var c map[string]any
	if err := json.Unmarshal(b.read(key), &c); err != nil {
		b.t.Fatal(err)
	}
	if extra, is := c["extraMetadata"].(map[string]any); is {
		for name := range extra {
			if strings.HasPrefix(name, "lakeland.") {
				delete(extra, name)
			}
		}
	}
	edit(c)
	data, err := json.Marshal(c)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, end := range []string{".commit", ".commit.requested", ".inflight"} {
		if err := b.store.Delete(b.t.Context(), "lake/orders/.hoodie/"+instant+end); err != nil {
			b.t.Fatal(err)
		}
	}
	put(b.t, b.store, "lake/orders/.hoodie/"+instant+"."+action, data)
}

// Commits of others that say as little as Hudi's readers need, without what stood before them, are gone on from.
func TestCommitsOfOthersThatSayLittle(t *testing.T) {
	t.Parallel()
	b := newBench(t, shop("land"))
	b.load(false, append(goods("de", 1, 2), goods("fr", 3)...))
	theirs := b.upsert(goods("de", 2, 4))
	b.asTheirs(theirs, "commit", func(c map[string]any) {
		delete(c, "operationType")
		delete(c, "compacted")
		stats, _ := c["partitionToWriteStats"].(map[string]any)
		for partition, all := range stats {
			for _, one := range all.([]any) {
				s, _ := one.(map[string]any)
				stats[partition] = []any{map[string]any{"fileId": s["fileId"], "path": s["path"]}}
			}
		}
	})
	if h := b.head(); h.Commit != theirs || h.CheckpointCommit == theirs {
		t.Errorf("the head is %+v", h)
	}
	b.upsert(goods("de", 4, 5), 1)
	b.expect(2, 3, 4, 5)
	if h := b.head(); h.Rows != 4 {
		t.Errorf("the head has %d rows", h.Rows)
	}
}

// What Spark's insert_overwrite replaced in one partition stays away: a merge that goes on from it neither reads nor brings back rows of
// the groups that are gone.
func TestPartitionsThatOthersOverwrote(t *testing.T) {
	t.Parallel()
	b := newBench(t, shop("land"))
	b.load(false, append(goods("de", 1, 2), goods("fr", 3)...))
	l := tableOf(t, b.store)
	var gone []any
	for group := range l.files("land=de") {
		gone = append(gone, group)
	}
	theirs := b.load(false, goods("de", 4, 5))
	b.asTheirs(theirs, "replacecommit", func(c map[string]any) {
		c["operationType"], c["partitionToReplaceFileIds"] = "INSERT_OVERWRITE", map[string]any{"land=de": gone}
	})
	put(t, b.store, "lake/orders/.hoodie/"+theirs+".replacecommit.requested", nil)
	put(t, b.store, "lake/orders/.hoodie/"+theirs+".replacecommit.inflight", nil)
	b.expect(3, 4, 5)
	b.upsert(goods("de", 2, 5))
	b.expect(2, 3, 4, 5)
	if h := b.head(); h.Rows != 4 {
		t.Errorf("the head has %d rows", h.Rows)
	}
	b.upsert(nil, 4)
	b.expect(2, 3, 5)
}

// A column that another engine added stays in the schema of our next commits: readers take the newest one, and a column that it lacks is
// gone for them.
func TestColumnsThatOthersAdded(t *testing.T) {
	t.Parallel()
	b := newBench(t, shop("land"))
	b.load(false, append(goods("de", 1, 2), goods("fr", 3)...))
	schemaOf := func(instant string) string { return tableOf(t, b.store).commits[instant].Extra["schema"] }
	text := schemaOf(b.upsert(called("changed", goods("fr", 3))))
	added := strings.TrimSuffix(text, "]}") + `,{"name":"theirs","type":["null","string"],"default":null}]}`
	foreignCommit(t, b.store, "lake/orders/", "commit", commit{Operation: "UPSERT", Extra: map[string]string{"schema": added}})
	for _, name := range []string{"once", "twice"} {
		instant := b.upsert(called(name, goods("de", 2)))
		fields := avroFields(t, schemaOf(instant))
		if last := fields[len(fields)-1]; last.Name != "theirs" || len(fields) != 13 {
			t.Errorf("the schema of %s is %s", instant, schemaOf(instant))
		}
	}
	entry, err := b.catalog.Get(t.Context(), "raw", "orders")
	if err != nil {
		t.Fatal(err)
	}
	if last := entry.Columns[len(entry.Columns)-1]; last.Name != "theirs" || last.Type != "string" {
		t.Errorf("the catalogue's last column is %+v", last)
	}
	b.expect(1, 2, 3)
}

// A row whose partition changed is in the new one alone. Of one that Spark's index SIMPLE left in two a change makes one.
func TestRowsThatMove(t *testing.T) {
	t.Parallel()
	b := newBench(t, shop("land"))
	b.load(false, append(goods("de", 1, 2), goods("fr", 3)...))
	b.upsert(append(goods("fr", 1), goods("it", 3)...))
	b.expect(1, 2, 3)
	if r := b.rows(); r["1"]["_hoodie_partition_path"] != "land=fr" || r["2"]["_hoodie_partition_path"] != "land=de" || r["3"]["_hoodie_partition_path"] != "land=it" {
		t.Errorf("the rows are %v", r)
	}
	twice := b.load(false, goods("it", 2))
	b.asTheirs(twice, "commit", func(map[string]any) {})
	b.upsert(goods("es", 2))
	b.expect(1, 2, 3)
	if r := b.rows()["2"]; r["_hoodie_partition_path"] != "land=es" || r["land"] != "es" {
		t.Errorf("the row is %v", r)
	}
}

// Whoever finishes the commit of a dead run makes sure of the same as that run had: that nobody came between its claim and then. A commit
// over what did would bring lost rows, or stop other writers.
func TestRecoverersLookAgain(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		do func(b *bench)
		// undo makes a table of it again that is gone on with.
		undo func(b *bench)
	}{
		"nothing":         {func(*bench) {}, nil},
		"a commit":        {func(b *bench) { touch(b.t, b.store, b.catalog, "orders") }, func(*bench) {}},
		"a clean":         {func(b *bench) { foreignCommit(b.t, b.store, "lake/orders/", "clean", commit{}) }, func(*bench) {}},
		"a pending write": {func(b *bench) { put(b.t, b.store, "lake/orders/.hoodie/20990101000000000.commit.requested", nil) }, func(b *bench) { b.without(".hoodie/20990101000000000.commit.requested") }},
		"an upgrade":      {func(b *bench) { b.edit(`table\.version=6`, "table.version=8") }, func(b *bench) { b.edit(`table\.version=8`, "table.version=6") }},
		"another layout":  {func(b *bench) { b.edit(`layout\.version=1`, "layout.version=2") }, func(b *bench) { b.edit(`layout\.version=2`, "layout.version=1") }},
		"a metadata table": {func(b *bench) {
			put(b.t, b.store, "lake/orders/.hoodie/metadata/.hoodie/hoodie.properties", []byte("x=y"))
		}, func(b *bench) {
			b.without(".hoodie/metadata/.hoodie/hoodie.properties")
		}},
		"the pending instant is gone": {func(b *bench) { b.without(b.pending()) }, func(*bench) {}},
		"a data file is gone": {func(b *bench) {
			instant := strings.TrimPrefix(b.pending(), ".hoodie/")[:17]
			b.without(b.data("land=de/", instant))
		}, func(*bench) {}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, shop("land"))
			b.load(false, goods("de", 1, 2))
			h := b.head()
			change := b.adds(h, "u", goods("de", 3))
			alive := b.store
			b.store = &mortal{Store: alive}
			b.reopen()
			if _, err := b.table.Commit(t.Context(), h, change); err == nil {
				t.Fatal("the commit was made")
			}
			b.store = alive
			b.reopen()
			if keys := b.keys(".hoodie/.lakeland/claims/"+h.Commit, ""); len(keys) != 1 {
				t.Fatalf("the claims are %v", keys)
			}
			tc.do(b)
			_, err := b.table.Head(t.Context())
			if tc.undo == nil {
				if b.expect(1, 2, 3); err != nil {
					t.Error(err)
				}
				return
			}
			b.expect(1, 2)
			tc.undo(b)
			h = b.head()
			if h.Checkpoint.Attempt != "a1" {
				t.Errorf("the checkpoint is that of %s", h.Checkpoint.Attempt)
			}
			b.nothingPending(name)
			b.commit(h, change)
			b.expect(1, 2, 3)
		})
	}
}

// mortal is a store that fails for good behind the first claim.
type mortal struct {
	store.Store
	dead atomic.Bool
}

func (m *mortal) Put(ctx context.Context, key string, data []byte, when store.Condition) (store.Object, error) {
	if m.dead.Load() {
		return store.Object{}, errKilled
	}
	object, err := m.Store.Put(ctx, key, data, when)
	if strings.Contains(key, "/claims/") {
		m.dead.Store(true)
	}
	return object, err
}

func (m *mortal) Delete(ctx context.Context, keys ...string) error {
	if m.dead.Load() {
		return errKilled
	}
	return m.Store.Delete(ctx, keys...)
}

func (m *mortal) List(ctx context.Context, prefix, after string) iter.Seq2[store.Object, error] {
	if m.dead.Load() {
		return func(yield func(store.Object, error) bool) { yield(store.Object{}, errKilled) }
	}
	return m.Store.List(ctx, prefix, after)
}

// without removes an object of the table's.
func (b *bench) without(key string) {
	b.t.Helper()
	if err := b.store.Delete(b.t.Context(), "lake/orders/"+key); err != nil {
		b.t.Fatal(err)
	}
}

// pending is the key of the request that no commit has come to.
func (b *bench) pending() string {
	b.t.Helper()
	l := tableOf(b.t, b.store)
	for _, key := range b.keys(".hoodie/", ".commit.requested") {
		if _, done := l.objects[strings.TrimSuffix(key, ".requested")]; !done {
			return key
		}
	}
	b.t.Fatal("nothing is pending")
	return ""
}

// Where somebody is changing the properties, their copy holds until the new ones are there.
func TestPropertiesThatAreBeingReplaced(t *testing.T) {
	t.Parallel()
	b := newBench(t, shop("land"))
	b.load(false, goods("de", 1))
	text := b.read(properties)
	b.without(".hoodie/hoodie.properties")
	put(t, b.store, properties+".backup", text)
	h := b.head()
	if !h.Exists || h.Checkpoint == nil || h.Rows != 1 {
		t.Errorf("the head is %+v", h)
	}
	b.upsert(goods("de", 1, 2))
	b.expect(1, 2)
	put(t, b.store, properties+".backup", []byte(strings.Replace(string(text), "table.version=6", "table.version=8", 1)))
	if _, err := b.table.Head(t.Context()); err == nil || !strings.Contains(err.Error(), `version "8"`) {
		t.Errorf("the head: %v", err)
	}
	put(t, b.store, properties, text) // the copy counts no more
	b.expect(1, 2)
	if h := b.head(); h.Rows != 2 {
		t.Errorf("the head is %+v", h)
	}
}

// Properties without a checksum are Hudi's too; a metadata table that is only begun is one.
func TestPropertiesWithLess(t *testing.T) {
	t.Parallel()
	b := newBench(t, shop("land"))
	b.load(false, goods("de", 1))
	for _, line := range []string{`hoodie\.table\.checksum=\d+\n`, `hoodie\.table\.base\.file\.format=PARQUET\n`, `hoodie\.populate\.meta\.fields=true\n`, `hoodie\.table\.keygenerator\.class=.*\n`, `hoodie\.archivelog\.folder=archived\n`} {
		b.edit(line, "")
		b.upsert(called("without "+line, goods("de", 1)))
		b.expect(1)
	}
	// Of a table without a database the checksum is that of a point and the name.
	b.edit(`hoodie\.database\.name=raw\n`, fmt.Sprintf("hoodie.table.checksum=%d\n", crc32.ChecksumIEEE([]byte(".orders"))))
	b.upsert(called("without a database", goods("de", 1)))
	b.expect(1)
	b.edit(`hoodie\.table\.name`, "hoodie.table.metadata.partitions.inflight=files\nhoodie.table.name")
	if _, err := b.table.Head(t.Context()); err == nil || !strings.Contains(err.Error(), "metadata table") {
		t.Errorf("the head: %v", err)
	}
}

// called are rows of another name, and so rows that change.
func called(name string, rows []values) []values {
	for _, r := range rows {
		r["name"] = name
	}
	return rows
}
