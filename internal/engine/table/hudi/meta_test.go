package hudi_test

import (
	"strings"
	"testing"

	parquetgo "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// What of a row changes with a commit, and what stays: the time and sequence number of a row that is only copied, and its file group.
func TestCopiedRowsKeepTheirTime(t *testing.T) {
	t.Parallel()
	for _, partition := range [][]string{nil, {"land"}} {
		b := newBench(t, shop(partition...))
		first := b.load(false, append(goods("de", 1, 2, 3), goods("fr", 4)...))
		before := b.rows()
		changed := goods("de", 2, 9)
		changed[0]["name"] = "other"
		second := b.upsert(changed, 3)
		b.expect(1, 2, 4, 9)
		after := b.rows()
		if r := after["1"]; r["_hoodie_commit_time"] != first || r["_hoodie_commit_seqno"] != before["1"]["_hoodie_commit_seqno"] || r["_hoodie_file_name"] == before["1"]["_hoodie_file_name"] {
			t.Errorf("a copied row is %v, was %v", r, before["1"])
		}
		if group := func(r row) string { return strings.SplitN(r["_hoodie_file_name"], "_", 2)[0] }; group(after["1"]) != group(before["1"]) {
			t.Errorf("the file group was %s and is %s", before["1"]["_hoodie_file_name"], after["1"]["_hoodie_file_name"])
		}
		for _, id := range []string{"2", "9"} {
			if r := after[id]; r["_hoodie_commit_time"] != second || !strings.HasPrefix(r["_hoodie_commit_seqno"], second+"_") {
				t.Errorf("a changed row is %v", r)
			}
		}
		if r := after["4"]; len(partition) > 0 && r["_hoodie_file_name"] != before["4"]["_hoodie_file_name"] {
			t.Errorf("a file without changes was written anew: %v", r)
		}
		seen := map[string]bool{}
		for _, r := range after {
			if seen[r["_hoodie_commit_seqno"]] {
				t.Errorf("two rows have the sequence number of %v", r)
			}
			seen[r["_hoodie_commit_seqno"]] = true
		}
		c := tableOf(t, b.store).commits[second]
		for path, stats := range c.Stats {
			for _, s := range stats {
				if s.PrevCommit != first || s.FileID == "" || s.NumWrites < 3 || s.NumInserts+s.NumUpdateWrites+s.NumDeletes == 0 || s.PartitionPath != path || s.FileSizeInBytes == 0 {
					t.Errorf("the commit says %+v", s)
				}
			}
		}
		if h := b.head(); h.Rows != 4 {
			t.Errorf("the head has %d rows", h.Rows)
		}
	}
}

// The form of files that Spark's writers go on with: the types that they read what they rewrite by, and the footer's notes.
func TestFilesAsSparkReadsThem(t *testing.T) {
	t.Parallel()
	b := newBench(t, shop("land"))
	b.load(false, goods("de", 1, 2, 3))
	b.upsert(goods("de", 2, 4, 5, 6))
	l := tableOf(t, b.store)
	files := l.files("land=de")
	if len(files) != 1 {
		t.Fatalf("%d files", len(files))
	}
	for _, key := range files {
		rows, f, err := l.rowsOf(t.Context(), b.store, key)
		if err != nil {
			t.Fatal(err)
		}
		checkNotes(t, f, rows)
		for i, name := range []string{"_hoodie_commit_time", "_hoodie_commit_seqno", "_hoodie_record_key", "_hoodie_partition_path", "_hoodie_file_name", "id"} {
			if got := f.Root().Columns()[i].Name(); got != name {
				t.Errorf("column %d is %s, want %s", i, got, name)
			}
		}
		for _, e := range f.Metadata().Schema[1:] {
			if e.RepetitionType.V != format.Optional || e.FieldID != 0 {
				t.Errorf("%s is not optional, or has a field id", e.Name)
			}
			stamp, is := e.LogicalType.Value.(*format.TimestampType)
			switch {
			case (e.Name == "at" || e.Name == "local") && (!is || !stamp.IsAdjustedToUTC || e.Type.V != format.Int64):
				t.Errorf("%s is %s", e.Name, e.LogicalType.String())
			case e.Name == "price" && (e.Type.V != format.FixedLenByteArray || e.TypeLength.V != 5), e.Name == "big" && e.TypeLength.V != 13:
				t.Errorf("%s is %s of %d bytes", e.Name, e.Type.V, e.TypeLength.V)
			}
		}
	}
	for instant, c := range l.commits {
		if !strings.Contains(c.Extra["schema"], `"logicalType":"decimal"`) {
			t.Errorf("the commit %s has no schema: %v", instant, c.Extra)
		}
	}
}

func checkNotes(t *testing.T, f *parquetgo.File, rows []row) {
	t.Helper()
	notes := map[string]string{}
	for _, kv := range f.Metadata().KeyValueMetadata {
		notes[kv.Key] = kv.Value
	}
	low, high := "~", ""
	for _, r := range rows {
		low, high = min(low, r["_hoodie_record_key"]), max(high, r["_hoodie_record_key"])
	}
	if notes["hoodie_min_record_key"] != low || notes["hoodie_max_record_key"] != high {
		t.Errorf("the keys lie between %s and %s, the footer says %s and %s", low, high, notes["hoodie_min_record_key"], notes["hoodie_max_record_key"])
	}
	if notes["hoodie_bloom_filter_type_code"] != "DYNAMIC_V0" || notes["org.apache.hudi.bloomfilter"] == "" || notes["org.apache.spark.version"] == "" {
		t.Errorf("the footer holds %v", notes)
	}
	if !strings.Contains(notes["parquet.avro.schema"], "_hoodie_file_name") {
		t.Errorf("the schema in the footer is %s", notes["parquet.avro.schema"])
	}
}

// A file group without rows stays, and new rows of its partition go on in it.
func TestGroupsWithoutRows(t *testing.T) {
	t.Parallel()
	b := newBench(t, shop("land"))
	b.load(false, append(goods("de", 1, 2), goods("fr", 3)...))
	b.upsert(nil, 1, 2)
	b.expect(3)
	if l := tableOf(t, b.store); len(l.files("land=de")) != 1 {
		t.Errorf("the partition has the files %v", l.files("land=de"))
	}
	if h := b.head(); h.Rows != 1 {
		t.Errorf("the head has %d rows", h.Rows)
	}
	b.upsert(nil, 3)
	b.expect()
	h := b.head()
	files, err := b.table.Files(t.Context(), h)
	if err != nil || len(files) != 0 || h.Rows != 0 {
		t.Errorf("a table without rows has %d in %v, %v", h.Rows, files, err)
	}
	b.upsert(goods("de", 7))
	b.expect(7)
}
