package hudi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table/hudi"
)

// What a new table's properties say, from which Spark's writers take their settings: another time zone hides their commits behind ours,
// values that are not escaped make other folders, and the payload of event times leaves rows out that come late.
func TestPropertiesOfNewTables(t *testing.T) {
	t.Parallel()
	const generators = "org.apache.hudi.keygen."
	for name, tc := range map[string]struct {
		key, partition []string
		precombine     string
		want           map[string]string
	}{
		"in one folder":        {[]string{"id"}, nil, "", map[string]string{"hoodie.table.recordkey.fields": "id", "hoodie.table.keygenerator.class": generators + "NonpartitionedKeyGenerator"}},
		"several keys":         {[]string{"id", "n"}, nil, "", map[string]string{"hoodie.table.recordkey.fields": "id,n", "hoodie.table.keygenerator.class": generators + "NonpartitionedKeyGenerator"}},
		"in partitions":        {[]string{"id"}, []string{"land"}, "", map[string]string{"hoodie.table.recordkey.fields": "id", "hoodie.table.partition.fields": "land", "hoodie.table.keygenerator.class": generators + "SimpleKeyGenerator"}},
		"several of partition": {[]string{"id"}, []string{"land", "day"}, "", map[string]string{"hoodie.table.recordkey.fields": "id", "hoodie.table.partition.fields": "land,day", "hoodie.table.keygenerator.class": generators + "ComplexKeyGenerator"}},
		"several of both": {[]string{"id", "n"}, []string{"land"}, "at", map[string]string{
			"hoodie.table.recordkey.fields": "id,n", "hoodie.table.partition.fields": "land", "hoodie.table.keygenerator.class": generators + "ComplexKeyGenerator", "hoodie.table.precombine.field": "at",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			columns := shop(tc.partition...)
			columns.Key = tc.key
			b := newBench(t, columns)
			b.table = hudi.New(hudi.Options{Store: b.store, Catalog: b.catalog, Prefix: "lake/orders/", Database: "raw", Name: "orders", Precombine: tc.precombine})
			b.load(false, goods("de", 1))
			want := map[string]string{
				"hoodie.table.name": "orders", "hoodie.database.name": "raw", "hoodie.table.type": "COPY_ON_WRITE", "hoodie.table.version": "6", "hoodie.timeline.layout.version": "1",
				"hoodie.datasource.write.hive_style_partitioning": "true", "hoodie.datasource.write.partitionpath.urlencode": "true", "hoodie.datasource.write.drop.partition.columns": "false",
				"hoodie.archivelog.folder": "archived", "hoodie.compaction.payload.class": "org.apache.hudi.common.model.OverwriteWithLatestAvroPayload", "hoodie.table.timeline.timezone": "UTC",
				"hoodie.table.base.file.format": "PARQUET", "hoodie.populate.meta.fields": "true", "hoodie.table.checksum": fmt.Sprint(crc32.ChecksumIEEE([]byte("raw.orders"))),
			}
			maps.Copy(want, tc.want)
			got := map[string]string{}
			for line := range strings.Lines(string(b.read(properties))) {
				if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
					got[key] = value
				}
			}
			if got["lakeland.table.id"] == "" {
				t.Error("the table has no identity")
			}
			delete(got, "lakeland.table.id")
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// written is a store that keeps what is put in its order, and how.
type written struct {
	store.Store
	mu   sync.Mutex
	puts []writtenObject
}

type writtenObject struct {
	key  string
	data string
	when store.Condition
}

func (w *written) Put(ctx context.Context, key string, data []byte, when store.Condition) (store.Object, error) {
	w.mu.Lock()
	w.puts = append(w.puts, writtenObject{key, string(data), when})
	w.mu.Unlock()
	return w.Store.Put(ctx, key, data, when)
}

func (w *written) Create(ctx context.Context, key string) (store.Writer, error) {
	w.mu.Lock()
	w.puts = append(w.puts, writtenObject{key: key})
	w.mu.Unlock()
	return w.Store.Create(ctx, key)
}

// A commit's objects come in Hudi's order: data behind the pending instant and its markers, or Spark cannot take a dead attempt back and
// its rows return; data behind the partitions' notes, or readers find no row; the commit behind all. None is put over another.
func TestOrderOfACommit(t *testing.T) {
	t.Parallel()
	for action, replaces := range map[string]bool{"commit": false, "replacecommit": true} {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, shop("land"))
			b.load(false, goods("de", 1))
			h := b.head()
			change := b.begin(h)
			change.ReplaceAll = replaces
			change.Add = b.stage(h, &change, "u", append(goods("fr", 2), goods("it", 3)...))
			under := b.store
			w := &written{Store: under}
			b.store = w
			b.reopen()
			instant := b.commit(h, change)
			inflight := map[string]string{"commit": ".inflight", "replacecommit": ".replacecommit.inflight"}[action]
			order := []struct {
				end, data string
				times     int
			}{
				{".lakeland/attempts/" + instant, "*", 1}, {"/.hoodie/" + instant + "." + action + ".requested", "", 1}, {"/.hoodie/" + instant + inflight, "", 1},
				{"/.hoodie/.temp/" + instant + "/MARKERS.type", "TIMELINE_SERVER_BASED", 1}, {"/.hoodie/.temp/" + instant + "/MARKERS0", "*", 1},
				{"/.hoodie_partition_metadata", "*", 2}, {"_" + instant + ".parquet", "", 2}, {".lakeland/claims/" + h.Commit, "*", 1}, {"/.hoodie/" + instant + "." + action, "*", 1},
			}
			at := 0
			for _, o := range order {
				for range o.times {
					if at >= len(w.puts) {
						t.Fatalf("there is no %s", o.end)
					}
					p := w.puts[at]
					if !strings.HasSuffix(p.key, o.end) || o.data != "*" && p.data != o.data || !strings.HasSuffix(p.key, ".parquet") && p.when != (store.Condition{IfAbsent: true}) {
						t.Errorf("put %d is %s of %d bytes, %+v; want %s", at, p.key, len(p.data), p.when, o.end)
					}
					at++
				}
			}
			for _, p := range w.puts[at:] {
				if !strings.Contains(p.key, "/.hoodie/.lakeland/") {
					t.Errorf("behind the commit comes %s", p.key)
				}
			}
			// By their markers alone Spark finds the files of an attempt that it takes back.
			var marked, made []string
			for _, p := range w.puts {
				switch {
				case strings.HasSuffix(p.key, "MARKERS0"):
					for line := range strings.Lines(p.data) {
						file, is := strings.CutSuffix(line, ".marker.CREATE\n")
						if !is {
							t.Errorf("a marker is %q", line)
						}
						marked = append(marked, "lake/orders/"+file)
					}
				case strings.HasSuffix(p.key, ".parquet"):
					made = append(made, p.key)
				}
			}
			if slices.Sort(marked); !slices.Equal(marked, slices.Sorted(slices.Values(made))) {
				t.Errorf("the files %v have the markers %v", made, marked)
			}
			if left := b.keys(".hoodie/.temp/", ""); len(left) > 0 {
				t.Errorf("a commit left %v", left)
			}
		})
	}
}

// Spark and Trino take a folder without its note for none and find no row in it. A note says how deep it lies and which commit made the
// partition, whatever comes later.
func TestNotesOfPartitions(t *testing.T) {
	t.Parallel()
	for depth, partition := range [][]string{nil, {"land"}, {"land", "ok"}} {
		b := newBench(t, shop(partition...))
		first := b.load(false, goods("de", 2))
		second := b.load(false, append(goods("de", 4), goods("fr", 6)...))
		b.upsert(called("changed", goods("fr", 6)))
		notes := map[string]string{}
		for _, key := range b.keys("", ".hoodie_partition_metadata") {
			notes[path.Dir(key)] = string(b.read("lake/orders/" + key))
		}
		made := map[string]string{".": first}
		if depth > 0 {
			end := strings.Repeat("/ok=true", depth-1)
			made = map[string]string{"land=de" + end: first, "land=fr" + end: second}
		}
		if len(notes) != len(made) {
			t.Errorf("the notes are %v", notes)
		}
		for folder, instant := range made {
			text := "\n" + notes[folder]
			if !strings.Contains(text, "\ncommitTime="+instant+"\n") || !strings.Contains(text, fmt.Sprintf("\npartitionDepth=%d\n", depth)) {
				t.Errorf("the note of %s, made at %s, is %q", folder, instant, notes[folder])
			}
		}
	}
}

// statFields are what a commit says of each file.
var statFields = []string{
	"cdcStats", "fileId", "fileSizeInBytes", "maxEventTime", "minEventTime", "numDeletes", "numInserts", "numUpdateWrites", "numWrites", "partitionPath", "path", "prevCommit", "runtimeStats", "tempPath", "totalCorruptLogBlock",
	"totalLogBlocks", "totalLogFilesCompacted", "totalLogRecords", "totalLogSizeCompacted", "totalRollbackBlocks", "totalUpdatedRecordsCompacted", "totalWriteBytes", "totalWriteErrors",
}

// Commits are written in Hudi's full form, and each holds the schema, the one that a table begins with too: Spark's next upsert fails
// behind one that does not.
func TestCommitsAreWhole(t *testing.T) {
	t.Parallel()
	b := newBench(t, shop("land"))
	first := b.load(false, append(goods("de", 1, 2), goods("fr", 3)...))
	second := b.upsert(called("changed", goods("de", 2, 4)), 1)
	third := b.load(true, goods("it", 5))
	fourth := b.load(false, nil)
	l := tableOf(t, b.store)
	if len(l.commits) != 5 {
		t.Errorf("there are %d commits", len(l.commits))
	}
	for instant, c := range l.commits {
		var names []string
		for _, f := range avroFields(t, c.Extra["schema"]) {
			names = append(names, f.Name)
		}
		if want := []string{"id", "name", "land", "price", "day", "at", "big", "ok", "n", "local", "raw", "f"}; !slices.Equal(names, want) {
			t.Errorf("the schema of %s has the columns %v", instant, names)
		}
	}
	// The numbers are those of rows written, inserted, updated and deleted.
	for _, tc := range []struct {
		instant, operation string
		files              map[string][4]int64
		prev               string
	}{
		{first, "UPSERT", map[string][4]int64{"land=de": {2, 2, 0, 0}, "land=fr": {1, 1, 0, 0}}, "null"},
		{second, "UPSERT", map[string][4]int64{"land=de": {2, 0, 2, 0}}, first},
		{third, "INSERT_OVERWRITE_TABLE", map[string][4]int64{"land=it": {1, 1, 0, 0}}, "null"},
		{fourth, "UPSERT", map[string][4]int64{}, "null"},
	} {
		keys := b.keys(".hoodie/"+tc.instant, "commit")
		if len(keys) != 1 {
			t.Fatalf("the commit %s is %v", tc.instant, keys)
		}
		var text map[string]json.RawMessage
		var stats map[string][]map[string]any
		if err := json.Unmarshal(b.read("lake/orders/"+keys[0]), &text); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text["partitionToWriteStats"], &stats); err != nil {
			t.Fatal(err)
		}
		fields := []string{"compacted", "extraMetadata", "operationType", "partitionToWriteStats"}
		if tc.instant == third {
			fields = append(fields[:3:3], "partitionToReplaceFileIds", "partitionToWriteStats")
		}
		if got := slices.Sorted(maps.Keys(text)); !slices.Equal(got, fields) || string(text["operationType"]) != `"`+tc.operation+`"` || string(text["compacted"]) != "false" {
			t.Errorf("the commit %s has the fields %v, and is %s", tc.instant, got, text["operationType"])
		}
		if len(stats) != len(tc.files) {
			t.Errorf("the commit %s says %v", tc.instant, stats)
		}
		for partition, want := range tc.files {
			for _, s := range stats[partition] {
				key, _ := s["path"].(string)
				if got := slices.Sorted(maps.Keys(s)); !slices.Equal(got, statFields) || s["cdcStats"] != nil || s["tempPath"] != nil || s["minEventTime"] != nil || s["maxEventTime"] != nil {
					t.Errorf("of a file it says %v", s)
				}
				got := [4]int64{}
				for i, name := range []string{"numWrites", "numInserts", "numUpdateWrites", "numDeletes"} {
					n, _ := s[name].(float64)
					got[i] = int64(n)
				}
				if m := dataName.FindStringSubmatch(path.Base(key)); m == nil || path.Dir(key) != partition || m[1] != s["fileId"] || m[2] != tc.instant || s["partitionPath"] != partition || s["prevCommit"] != tc.prev ||
					s["fileSizeInBytes"] != float64(l.objects[key].Size) || s["totalWriteBytes"] != s["fileSizeInBytes"] || got != want {
					t.Errorf("of a file in %s it says %v; want %v behind %s", partition, s, want, tc.prev)
				}
			}
			if len(stats[partition]) != 1 {
				t.Errorf("of %s it says %v", partition, stats[partition])
			}
		}
	}
	groups := func(instant, partition string) []string {
		return []string{l.commits[instant].Stats[partition][0].FileID}
	}
	if diff := cmp.Diff(map[string][]string{"land=de": groups(first, "land=de"), "land=fr": groups(first, "land=fr")}, l.commits[third].Replaced); diff != "" {
		t.Error(diff)
	}
	// So that an incremental query finds the rows of a replacement.
	if r := b.rows()["5"]; r["_hoodie_commit_time"] != third {
		t.Errorf("a row of the replacement %s is %v", third, r)
	}
}

// Cleaning what a replacement left deletes just the groups that it replaced, and says so for readers of older commits; while a query may
// still read them they stay.
func TestCleanOfWhatWasReplaced(t *testing.T) {
	t.Parallel()
	b := newBench(t, shop("land"))
	b.load(false, append(goods("de", 1), goods("fr", 2)...))
	b.ahead += time.Hour
	b.upsert(called("changed", goods("de", 1)))
	var replaced []string
	for _, land := range []string{"land=de/", "land=fr/"} {
		replaced = append(replaced, b.keys(land, ".parquet")...)
	}
	b.ahead += time.Hour
	b.load(true, append(goods("de", 1), goods("it", 3)...))
	b.ahead += time.Hour
	b.upsert(called("changed", goods("it", 3)))
	b.ahead += time.Hour
	b.upsert(called("once more", goods("it", 3)))
	if done := b.clean(table.Retention{KeepAtLeast: 1, MaxAge: time.Hour}); done.Files != 0 {
		t.Errorf("a query may still read what was cleaned: %+v", done)
	}
	b.ahead += 30 * time.Hour
	before := b.keys("land=", ".parquet")
	b.clean(table.Retention{KeepAtLeast: 3, MaxAge: time.Hour})
	var gone []string
	for _, key := range before {
		if _, there := tableOf(t, b.store).objects[key]; !there {
			gone = append(gone, key)
		}
	}
	slices.Sort(gone)
	if slices.Sort(replaced); len(replaced) != 3 || !slices.Equal(gone, replaced) {
		t.Errorf("replaced were %v, and gone are %v", replaced, gone)
	}
	keys := b.keys(".hoodie/", ".clean")
	if len(keys) != 1 {
		t.Fatalf("the cleans are %v", keys)
	}
	of, _ := decode(t, b.read("lake/orders/"+keys[0]))["partitionMetadata"].(map[string]any)
	var named []string
	for partition, one := range of {
		names, _ := one.(map[string]any)["successDeleteFiles"].([]any)
		for _, name := range names {
			named = append(named, partition+"/"+fmt.Sprint(name))
		}
	}
	if slices.Sort(named); !slices.Equal(named, gone) {
		t.Errorf("gone are %v, and the clean names %v", gone, named)
	}
	b.expect(1, 3)
	b.upsert(append(goods("de", 1), goods("it", 3, 4)...))
	b.expect(1, 3, 4)
}

// keyed is shop with another key.
func keyed(key ...string) schema.Table {
	s := shop("land", "ok")
	s.Key = key
	return s
}

// Keys of several columns name each, also where a part has no text. One column among several of a partition stands alone, as the
// releases from 0.14.1 to 1.0.2 write it: others would take each row for a new one.
func TestKeysInFiles(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		columns schema.Table
		want    []string
	}{
		{keyed("id"), []string{"1", "2"}},
		{keyed("id", "name"), []string{"id:1,name:good 1", "id:2,name:__empty__"}},
		{keyed("name", "day", "price"), []string{"name:__empty__,day:0001-01-03,price:-4.91", "name:good 1,day:0001-01-02,price:-4.92"}},
	} {
		b := newBench(t, tc.columns)
		rows := goods("de", 1, 2)
		rows[1]["name"] = ""
		b.load(false, rows)
		var got []string
		for _, r := range b.rows() {
			got = append(got, r["_hoodie_record_key"])
		}
		if slices.Sort(got); !slices.Equal(got, tc.want) {
			t.Errorf("by %v the keys are %q, want %q", tc.columns.Key, got, tc.want)
		}
	}
}
