package parquet

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
)

// foreignFiles writes columns with NULLs in two row groups each, as pyarrow does by the options that are named.
const foreignFiles = `
import datetime, sys
import pyarrow as pa
import pyarrow.parquet as pq

moment = datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc)
def table(unit):
    return pa.table({"n": pa.array([1, None, 3, None], pa.int64()), "s": pa.array(["a", None, None, None]), "at": pa.array([moment, None, moment, moment], pa.timestamp(unit, "UTC"))})
for name, unit, options in (("told", "us", {}), ("untold", "us", {"write_statistics": False}), ("partly", "us", {"write_statistics": ["n"]}), ("millis", "ms", {}), ("nanos", "ns", {}), ("legacy", "ms", {"version": "1.0"})):
    pq.write_table(table(unit), sys.argv[1] + "/" + name, row_group_size=2, **options)
`

// A chunk of another writer is not copied where a copy would say too much of it: that it has no NULLs, when nothing is
// known of them, or that its times count microseconds.
func TestUntoldNullsAndOtherTimesAreNotCopied(t *testing.T) {
	t.Parallel()
	python, err := sandbox.ForTest(t).Python(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), python, "-c", foreignFiles, folder).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	table := &schema.Table{Columns: []schema.Column{{Name: "n", Type: schema.Type{ID: schema.Long}}, {Name: "s", Type: schema.Type{ID: schema.String}}, {Name: "at", Type: schema.Type{ID: schema.TimestampTZ}}}}
	w, err := NewWriter(&bytes.Buffer{}, table, "1", nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"told": "true true true", "untold": "false false false", "partly": "true false false",
		"millis": "true true false", "nanos": "true true false", "legacy": "true true false",
	} {
		info, err := os.Stat(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		r, err := Open(t.Context(), store.NewDirectory(folder), name, info.Size())
		if err != nil {
			t.Fatal(err)
		}
		if r.RowGroups() != 2 {
			t.Errorf("%s: %d row groups", name, r.RowGroups())
		}
		if got := fmt.Sprint(w.Copyable(0, r, 0), w.Copyable(1, r, 1), w.Copyable(2, r, 2)); got != want {
			t.Errorf("%s: %s may be copied, not %s", name, got, want)
		}
	}
	legacy := &format.SchemaElement{Type: thrift.New(format.Int64), ConvertedType: thrift.New(deprecated.TimestampMillis)}
	if err := scaleOf(schema.Type{ID: schema.TimestampTZ}, legacy); err == nil {
		t.Error("the older annotation of milliseconds was taken for microseconds")
	}
}

// A count of NULLs that a file does not tell is not zero.
func TestNullCountThatIsNotToldIsNotZero(t *testing.T) {
	t.Parallel()
	for _, told := range []bool{true, false} {
		counts := new(nullCounts)
		data := []byte{0x49, 0x1c, 0x19, 0x1c, 0x3c, 0xcc, 0x36, 0, 0, 0, 0, 0, 0} // field 4, its field 1, 3, 12, 3: zero
		if !told {
			data = []byte{0x49, 0x1c, 0x19, 0x1c, 0x3c, 0xcc, 0, 0, 0, 0, 0}
		}
		if err := unmarshal(data, counts); err != nil {
			t.Fatal(err)
		}
		want := thrift.Null[int64]{}
		if told {
			want = thrift.New[int64](0)
		}
		if got := counts.RowGroups[0].Columns[0].MetaData.Statistics.NullCount; got != want {
			t.Errorf("told %v: %v", told, got)
		}
		r := &Reader{counts: counts, metadata: format.FileMetaData{RowGroups: []format.RowGroup{{Columns: []format.ColumnChunk{{MetaData: format.ColumnMetaData{NumValues: 2, Statistics: format.Statistics{MinValue: []byte{1}, MaxValue: []byte{2}}}}}}}}}
		if r.tells(0) != told {
			t.Errorf("told %v: it tells %v", told, r.tells(0))
		}
	}
}
