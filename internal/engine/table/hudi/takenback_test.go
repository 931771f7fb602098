package hudi_test

import (
	"bytes"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/avro"
	"github.com/twmb/avro/ocf"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/readback"
)

// rollbackMetadata is the schema in the files of Spark's rollbacks, as it stands in those of Hudi 0.15.0.
var rollbackMetadata = avro.MustParse(`{"type":"record","name":"HoodieRollbackMetadata","namespace":"org.apache.hudi.avro.model","fields":[
	{"name":"startRollbackTime","type":{"type":"string","avro.java.string":"String"}},{"name":"timeTakenInMillis","type":"long"},{"name":"totalFilesDeleted","type":"int"},
	{"name":"commitsRollback","type":{"type":"array","items":{"type":"string","avro.java.string":"String"}}},
	{"name":"partitionMetadata","type":{"type":"map","values":{"type":"record","name":"HoodieRollbackPartitionMetadata","fields":[
		{"name":"partitionPath","type":{"type":"string","avro.java.string":"String"}},{"name":"successDeleteFiles","type":{"type":"array","items":{"type":"string","avro.java.string":"String"}}},
		{"name":"failedDeleteFiles","type":{"type":"array","items":{"type":"string","avro.java.string":"String"}}},
		{"name":"rollbackLogFiles","type":["null",{"type":"map","values":"long","avro.java.string":"String"}],"default":null},
		{"name":"logFilesFromFailedCommit","type":["null",{"type":"map","values":"long","avro.java.string":"String"}],"default":null}]},"avro.java.string":"String"}},
	{"name":"version","type":["int","null"],"default":1},
	{"name":"instantsRollback","type":{"type":"array","items":{"type":"record","name":"HoodieInstantInfo","fields":[
		{"name":"commitTime","type":{"type":"string","avro.java.string":"String"}},{"name":"action","type":{"type":"string","avro.java.string":"String"}}]},"default":[]},"default":[]}]}`)

// rolledBack makes the instant by which Spark says that it took another back.
func rolledBack(t *testing.T, s store.Store, prefix, instant string) {
	t.Helper()
	i := foreignCommit(t, s, prefix, "rollback", commit{})
	var out bytes.Buffer
	w, err := ocf.NewWriter(&out, rollbackMetadata)
	if err == nil {
		err = w.Encode(map[string]any{
			"startRollbackTime": i, "timeTakenInMillis": int64(12), "totalFilesDeleted": int32(0), "commitsRollback": []string{instant}, "partitionMetadata": map[string]any{},
			"version": int32(1), "instantsRollback": []map[string]any{{"commitTime": instant, "action": "commit"}},
		})
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	put(t, s, prefix+".hoodie/"+i+".rollback", out.Bytes())
}

func (b *bench) sparkRolledBack(instant string) {
	b.t.Helper()
	rolledBack(b.t, b.store, "lake/orders/", instant)
}

// takeHeadBack does what Spark's rollback_to_instant does to the newest commit.
func takeHeadBack(t *testing.T, s store.Store, prefix string) {
	t.Helper()
	l, err := open(t.Context(), s, prefix)
	if err != nil {
		t.Fatal(err)
	}
	instant := slices.Max(l.instants())
	for key := range l.objects {
		if strings.Contains(key, instant) && !strings.Contains(key, ".lakeland") {
			if err := s.Delete(t.Context(), prefix+key); err != nil {
				t.Fatal(err)
			}
		}
	}
	rolledBack(t, s, prefix, instant)
}

func (b *bench) sparkTakesHeadBack() {
	b.t.Helper()
	takeHeadBack(b.t, b.store, "lake/orders/")
}

// takeBackTo takes commits back, the newest first, until one is the newest: Spark takes no other back, and what came behind one that is gone
// cannot be had again.
func takeBackTo(t *testing.T, s store.Store, _ *catalog.Memory, name, instant string) bool {
	t.Helper()
	prefix := "lake/" + name + "/"
	for {
		l, err := open(t.Context(), s, prefix)
		if err != nil {
			t.Fatal(err)
		}
		if _, there := l.commits[instant]; !there {
			return false
		}
		if slices.Max(l.instants()) == instant {
			return true
		}
		takeHeadBack(t, s, prefix)
	}
}

// readByDuckDB reads the files that the timeline shows, each of which must be a whole one to another reader of Parquet, too.
func readByDuckDB(t *testing.T, s store.Store, _ catalog.Catalog, name string, want []int64) {
	t.Helper()
	prefix := "lake/" + name + "/"
	l, err := open(t.Context(), s, prefix)
	if err != nil {
		t.Fatal(err)
	}
	folders := map[string]bool{}
	for key := range l.objects {
		if dataName.MatchString(path.Base(key)) && !strings.HasPrefix(key, ".hoodie/") {
			folders[strings.TrimSuffix(path.Dir(key), ".")] = true
		}
	}
	var files []string
	for folder := range folders {
		for _, key := range l.files(folder) {
			files = append(files, "'"+strings.TrimPrefix(s.Address(prefix+key), "file://")+"'")
		}
	}
	got := []int64{}
	if len(files) > 0 {
		python, err := sandbox.ForTest(t).Python(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		tables, err := readback.Reader{Python: python}.Query(t.Context(), "SELECT id FROM read_parquet(["+strings.Join(files, ", ")+"], hive_partitioning = false) ORDER BY id")
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range tables[0].Rows {
			id, err := strconv.ParseInt(*row[0], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, id)
		}
	}
	if diff := cmp.Diff(append([]int64{}, want...), got); diff != "" {
		t.Errorf("DuckDB reads other rows (-want +read): %s", diff)
	}
}
