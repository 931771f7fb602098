package parquet_test

import (
	"encoding/hex"
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/readback"
)

// ofOneLength writes binaries of five bytes each, every seventh NULL, with a dictionary or without, and few values or many.
const ofOneLength = `
import sys
import pyarrow as pa
import pyarrow.parquet as pq

folder = sys.argv[1]
for few in (True, False):
    values = [None if i % 7 == 3 else (i % 4 if few else i).to_bytes(5, "big") for i in range(3000)]
    table = pa.table({"c": pa.array(values, pa.binary(5))})
    for dictionary in (True, False):
        pq.write_table(table, f"{folder}/{few}-{dictionary}.parquet", use_dictionary=dictionary, data_page_size=2000)
`

// Binaries of one length, which other writers have and Lakeland has not, are read as all others.
func TestReaderReadsBinariesOfOneLength(t *testing.T) {
	t.Parallel()
	python, err := sandbox.ForTest(t).Python(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), python, "-c", ofOneLength, folder).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	table := &schema.Table{Columns: []schema.Column{{Name: "c", Type: schema.Type{ID: schema.Binary}, FieldID: 1}}}
	for few, name := range map[bool]string{true: "True", false: "False"} {
		want := &readback.Table{Columns: [][2]string{{"c", "binary"}}, Count: 3000}
		for i := range 3000 {
			if i%7 == 3 {
				want.Rows = append(want.Rows, []*string{nil})
				continue
			}
			if few {
				i %= 4
			}
			text := hex.EncodeToString([]byte{0, 0, 0, byte(i >> 8), byte(i)})
			want.Rows = append(want.Rows, []*string{&text})
		}
		for _, dictionary := range []string{"True", "False"} {
			file := fmt.Sprintf("%s-%s.parquet", name, dictionary)
			got, err := readAll(t.Context(), filepath.Join(folder, file), table)
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			for _, difference := range readback.Differences(want, got) {
				t.Errorf("%s: %s", file, difference)
			}
		}
	}
}
