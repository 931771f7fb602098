package hudi_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/avro/ocf"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

const day = 24 * time.Hour

// churn makes commits that each replace the file of one row, an hour apart.
func (b *bench) churn(times int) (instants []string) {
	b.t.Helper()
	for i := range times {
		b.ahead += time.Hour
		rows := goods("de", 1)
		rows[0]["name"] = fmt.Sprintf("version %d", i)
		instants = append(instants, b.upsert(rows))
	}
	return instants
}

func (b *bench) clean(keep table.Retention) *table.Cleaned {
	b.t.Helper()
	h := b.head()
	done, err := b.table.Clean(b.t.Context(), h, keep)
	if err != nil {
		b.t.Fatal(err)
	}
	if now := b.head(); now.Commit != h.Commit || now.CheckpointCommit != h.CheckpointCommit || now.Rows != h.Rows {
		b.t.Errorf("cleaning made %+v of the head %+v", now, h)
	}
	return done
}

// A clean is an instant that other engines understand, deletes what no kept commit shows, and nothing that a query may still read.
func TestClean(t *testing.T) {
	t.Parallel()
	b := newBench(t, shop("land"))
	b.load(false, append(goods("de", 1), goods("fr", 2)...))
	instants := b.churn(12)
	if done := b.clean(table.Retention{KeepAtLeast: 1, MaxAge: time.Hour}); *done != (table.Cleaned{}) {
		t.Errorf("a query may still read what was cleaned: %+v", done)
	}
	b.ahead += 30 * time.Hour
	if done := b.clean(table.Retention{}); *done != (table.Cleaned{}) {
		t.Errorf("the retention keeps what was cleaned: %+v", done)
	}
	files := b.keys("land=de/", ".parquet")
	done := b.clean(table.Retention{KeepAtLeast: 3, MaxAge: time.Hour})
	if done.Files != 10 || done.Snapshots != 10 || len(b.keys("land=de/", ".parquet")) != 3 || len(files) != 13 {
		t.Errorf("cleaned %+v of %d files", done, len(files))
	}
	if len(b.keys("land=fr/", ".parquet")) != 1 {
		t.Error("a file went that is part of the table")
	}
	b.expect(1, 2)
	keys := b.keys(".hoodie/", ".clean")
	if len(keys) != 1 {
		t.Fatalf("the cleans are %v", keys)
	}
	base := "lake/orders/" + strings.TrimSuffix(keys[0], ".clean")
	if plan := b.read(base + ".clean.requested"); !bytes.Equal(plan, b.read(base+".clean.inflight")) {
		t.Error("requested and inflight differ")
	}
	plan, meta := decode(t, b.read(base+".clean.requested")), decode(t, b.read(base+".clean"))
	from, _ := plan["earliestInstantToRetain"].(map[string]any)
	if from["timestamp"] != instants[9] || from["action"] != "commit" || from["state"] != "COMPLETED" || plan["policy"] != "KEEP_LATEST_COMMITS" {
		t.Errorf("the plan is %v", plan)
	}
	if meta["earliestCommitToRetain"] != instants[9] || fmt.Sprint(meta["totalFilesDeleted"]) != "10" || fmt.Sprint(meta["version"]) != "2" {
		t.Errorf("what was done is %v", meta)
	}
	of, _ := meta["partitionMetadata"].(map[string]any)["land=de"].(map[string]any)
	if names, _ := of["successDeleteFiles"].([]any); len(names) != 10 || strings.Contains(fmt.Sprint(names[0]), "/") {
		t.Errorf("of the partition it says %v", of)
	}
	if done := b.clean(table.Retention{KeepAtLeast: 3, MaxAge: time.Hour}); *done != (table.Cleaned{}) {
		t.Errorf("cleaned again: %+v", done)
	}
	b.churn(1)
	b.expect(1, 2)
}

func decode(t *testing.T, data []byte) map[string]any {
	t.Helper()
	r, err := ocf.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := r.Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

// A cleaning that meets another writer deletes nothing.
func TestCleanLoses(t *testing.T) {
	t.Parallel()
	b := start(t)
	h := b.head()
	files := b.keys("land=de/", ".parquet")
	touch(t, b.store, b.catalog, "orders")
	if _, err := b.table.Clean(t.Context(), h, table.Retention{KeepAtLeast: 1, MaxAge: time.Hour}); !errors.Is(err, table.ErrLostRace) {
		t.Errorf("got %v", err)
	}
	if now := b.keys("land=de/", ".parquet"); !slices.Equal(files, now) {
		t.Errorf("the files were %v and are %v", files, now)
	}
}

// A savepoint keeps what it was made for.
func TestCleanKeepsSavepoints(t *testing.T) {
	t.Parallel()
	b := newBench(t, shop())
	b.load(false, goods("de", 1))
	instants := b.churn(8)
	put(t, b.store, "lake/orders/.hoodie/"+instants[2]+".savepoint", []byte("x"))
	b.ahead += 3 * day
	if done := b.clean(table.Retention{KeepAtLeast: 1, MaxAge: time.Hour}); done.Files != 3 {
		t.Errorf("cleaned %+v", done)
	}
}

// What readers see stays while the timeline is trimmed: nothing comes back that was replaced, or that no attempt ever committed.
func TestTrimming(t *testing.T) {
	t.Parallel()
	b := newBench(t, shop("land"))
	b.load(false, append(goods("de", 1), goods("fr", 2)...))
	b.ahead += time.Hour
	replaced := b.load(true, append(goods("de", 1), goods("it", 3)...))
	b.churn(45)
	b.ahead += 10 * day
	count := func() int { return len(tableOf(t, b.store).instants()) }
	before := count()
	// Far too many commits are kept for files to go: so does the replacement, whose replaced files would come back.
	b.clean(table.Retention{KeepAtLeast: 1000})
	if l := tableOf(t, b.store); len(l.commits[replaced].Replaced) == 0 || count() < before-1 {
		t.Errorf("of %d instants %d are left, and the replacement of files that are there is gone", before, count())
	}
	b.expect(1, 3)
	if done := b.clean(table.Retention{}); done.Files == 0 {
		t.Errorf("cleaned %+v", done)
	}
	b.expect(1, 3)
	if n := count(); n != 30 {
		t.Errorf("%d instants are left", n)
	}
	if _, ok := tableOf(t, b.store).commits[replaced]; ok {
		t.Error("the replacement is still there")
	}
	if h := b.head(); h.Rows != 2 || h.Checkpoint == nil {
		t.Errorf("the head is %+v", h)
	}
	b.churn(3)
	b.expect(1, 3)
}

// A file of an attempt that never committed, which nobody found, keeps the instants before it: readers would take it for part
// of the table.
func TestTrimmingStopsAtOrphans(t *testing.T) {
	t.Parallel()
	b := newBench(t, shop())
	b.load(false, goods("de", 1))
	instants := b.churn(45)
	newest := b.keys("", instants[44]+".parquet")
	if len(newest) != 1 {
		t.Fatalf("the newest files are %v", newest)
	}
	at := []byte(instants[4])
	at[16] = '0' + (at[16]-'0'+1)%10 // an instant that no commit has
	put(t, b.store, "lake/orders/dead-0_1-1-1_"+string(at)+".parquet", b.read("lake/orders/"+newest[0]))
	b.ahead += 10 * day
	b.clean(table.Retention{})
	b.expect(1)
	if l := tableOf(t, b.store); l.instants()[0] > string(at) || len(l.instants()) > 46 {
		t.Errorf("the oldest instant is %s, and the orphan's %s", l.instants()[0], at)
	}
}

// A clock that is behind makes no instant that lies before others.
func TestClockBehind(t *testing.T) {
	t.Parallel()
	b := newBench(t, shop())
	b.ahead = 100 * day
	first := b.load(false, goods("de", 1))
	b.ahead = 0
	if second := b.load(false, goods("de", 2)); second <= first || second[:14] != first[:14] {
		t.Errorf("the instant %s follows %s", second, first)
	}
	b.expect(1, 2)
}
