package parquet_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/parquet"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/readback"
)

// plainOf is a row's value in the plain form of readback.
func plainOf(v *column.Vector, t schema.Type, i int) *string {
	if v.IsNull(i) {
		return nil
	}
	var text string
	switch v.Kind {
	case column.Bool:
		text = strconv.FormatBool(v.Bools[i])
	case column.Int32:
		text = strconv.Itoa(int(v.Int32s[i]))
	case column.Int64:
		if text = strconv.FormatInt(v.Int64s[i], 10); t.ID == schema.Decimal {
			text = decimalText(big.NewInt(v.Int64s[i]), t.Scale)
		}
	case column.Int128:
		b := new(big.Int).Lsh(big.NewInt(v.Wides[i].Hi), 64)
		text = decimalText(b.Add(b, new(big.Int).SetUint64(v.Wides[i].Lo)), t.Scale)
	case column.Float32:
		text = fmt.Sprintf("%08x", math.Float32bits(v.Float32s[i]))
	case column.Float64:
		text = fmt.Sprintf("%016x", math.Float64bits(v.Float64s[i]))
	default:
		if text = string(v.Bytes(i)); t.ID == schema.Binary {
			text = hex.EncodeToString(v.Bytes(i))
		}
	}
	return &text
}

// readAll reads a file's columns as those of a table.
func readAll(ctx context.Context, path string, t *schema.Table) (*readback.Table, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	r, err := parquet.Open(ctx, store.NewDirectory(filepath.Dir(path)), filepath.Base(path), info.Size())
	if err != nil {
		return nil, err
	}
	out := &readback.Table{}
	for _, c := range t.Columns {
		out.Columns = append(out.Columns, [2]string{c.Name, c.Type.String()})
	}
	for group := range r.RowGroups() {
		b := kinds(t)
		for i, c := range t.Columns {
			place, ok := r.Find(c)
			if !ok {
				return nil, fmt.Errorf("there is no column %q", c.Name)
			}
			chunk, err := r.Chunk(ctx, group, place, nil, c.Type)
			if err != nil {
				return nil, err
			}
			if err := chunk.ReadAll(b.Columns[i]); err != nil {
				return nil, err
			}
			if b.Columns[i].Len() != r.Rows(group) {
				return nil, fmt.Errorf("column %q has %d rows of %d", c.Name, b.Columns[i].Len(), r.Rows(group))
			}
		}
		for row := range b.Rows() {
			var values []*string
			for i, c := range t.Columns {
				values = append(values, plainOf(b.Columns[i], c.Type, row))
			}
			out.Rows = append(out.Rows, values)
		}
		out.Count += int64(b.Rows())
	}
	return out, nil
}

// What was written is read back, over pages and NULLs.
func TestReaderReadsWhatTheWriterWrote(t *testing.T) {
	t.Parallel()
	for i, rows := range []int{0, 1, 64, 5000, 40000} {
		for name, table := range map[string]*schema.Table{"": everyType(), "carried": carriedTexts()} {
			path := filepath.Join(t.TempDir(), "f.parquet")
			_, want := write(t, path, uint64(i), table, rows, 1+i*900)
			got, err := readAll(t.Context(), path, table)
			if err != nil {
				t.Fatal(err)
			}
			for _, difference := range readback.Differences(want, got) {
				t.Errorf("%d rows %s: %s", rows, name, difference)
			}
		}
	}
}

// rewriting writes a file again with pyarrow, in the versions, codecs and encodings there are.
const rewriting = `
import sys
import pyarrow.parquet as pq

source, folder = sys.argv[1:]
table = pq.read_table(source)
table = table.replace_schema_metadata(None)
for version in ("1.0", "2.6"):
    for page in ("1.0", "2.0"):
        for codec in ("NONE", "SNAPPY", "GZIP", "BROTLI", "ZSTD", "LZ4"):
            for dictionary in (True, False):
                name = "-".join([version, page, codec, str(dictionary)])
                pq.write_table(table, folder + "/" + name + ".parquet", version=version, data_page_version=page, compression=codec,
                    use_dictionary=dictionary, row_group_size=1000, data_page_size=2000, coerce_timestamps="us")
encodings = {f.name: {"int32": "DELTA_BINARY_PACKED", "int64": "DELTA_BINARY_PACKED", "string": "DELTA_BYTE_ARRAY", "binary": "DELTA_LENGTH_BYTE_ARRAY",
    "float": "BYTE_STREAM_SPLIT", "double": "BYTE_STREAM_SPLIT"}.get(str(f.type)) for f in table.schema}
encodings = {name: encoding for name, encoding in encodings.items() if encoding}
for page in ("1.0", "2.0"):
    pq.write_table(table, folder + "/encoded-" + page + ".parquet", use_dictionary=False, column_encoding=encodings, data_page_version=page, coerce_timestamps="us")
`

// Files of another writer are read, in all the forms it has, by their columns' ids or names.
func TestReaderReadsWhatOthersWrote(t *testing.T) {
	t.Parallel()
	sb := sandbox.ForTest(t)
	python, err := sb.Python(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	path := filepath.Join(folder, "ours.parquet")
	_, want := write(t, path, 5, everyType(), 2500, 700)
	written := filepath.Join(folder, "written")
	if err := os.Mkdir(written, 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), python, "-c", rewriting, path, written).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	files, err := filepath.Glob(filepath.Join(written, "*.parquet"))
	if err != nil || len(files) != 50 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		got, err := readAll(t.Context(), file, everyType())
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(file), err)
			continue
		}
		for _, difference := range readback.Differences(want, got) {
			t.Errorf("%s: %s", filepath.Base(file), difference)
		}
	}
}

// Columns are read as wider types than the file's, and never as narrower or other ones.
func TestReaderWidens(t *testing.T) {
	t.Parallel()
	from := everyType()
	path := filepath.Join(t.TempDir(), "f.parquet")
	_, want := write(t, path, 3, from, 500, 100)
	wide := everyType()
	for i := range wide.Columns {
		switch c := &wide.Columns[i]; c.Name {
		case "small":
			c.Type.ID = schema.Long
		case "single":
			c.Type.ID = schema.Double
		case "cents":
			c.Type = decimal(15, 2)
		case "amount":
			c.Type = decimal(30, 4)
		case "wide":
			c.Type = decimal(38, 0)
		}
	}
	got, err := readAll(t.Context(), path, wide)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range wide.Columns {
		if want.Columns[i] = got.Columns[i]; c.Name != "single" {
			continue
		}
		for _, row := range want.Rows {
			if row[i] != nil {
				bits, _ := strconv.ParseUint(*row[i], 16, 32)
				text := fmt.Sprintf("%016x", math.Float64bits(float64(math.Float32frombits(uint32(bits)))))
				row[i] = &text
			}
		}
	}
	for _, difference := range readback.Differences(want, got) {
		t.Error(difference)
	}
	for name, narrow := range map[string]schema.Type{
		"big": {ID: schema.Int}, "double": {ID: schema.Float}, "note": {ID: schema.Long}, "flag": {ID: schema.Int}, "amount": decimal(18, 2), "small": {ID: schema.String}, "blob": {ID: schema.Double},
	} {
		c, _ := from.Column(name)
		c.Type = narrow
		if _, err := readAll(t.Context(), path, &schema.Table{Columns: []schema.Column{c}}); err == nil {
			t.Errorf("the column %s was read as %s", name, narrow)
		}
	}
	if _, err := readAll(t.Context(), path, &schema.Table{Columns: []schema.Column{{Name: "flag", FieldID: 99, Type: schema.Type{ID: schema.Boolean}}}}); err == nil || !strings.Contains(err.Error(), "no column") {
		t.Errorf("a column of another id: %v", err)
	}
}

// memoryStore holds one object.
type memoryStore struct {
	store.Store
	data []byte
}

func (m memoryStore) Get(_ context.Context, _ string, offset, length int64) (io.ReadCloser, error) {
	if offset < 0 || offset >= int64(len(m.data)) {
		return nil, errors.New("out of range")
	}
	end := int64(len(m.data))
	if length >= 0 {
		end = min(end, offset+length)
	}
	return io.NopCloser(bytes.NewReader(m.data[offset:end])), nil
}

func (memoryStore) Address(key string) string { return key }

// A damaged file is an error or other values, and never a panic.
func FuzzReader(f *testing.F) {
	table := everyType()
	var out bytes.Buffer
	w, err := parquet.NewWriter(&out, table, "1", nil)
	if err != nil {
		f.Fatal(err)
	}
	b := kinds(table)
	for i := range 40 {
		for _, v := range b.Columns {
			switch {
			case v.Kind == column.Bytes:
				v.Data = fmt.Append(v.Data, i)
				v.Append()
			case i%3 == 1:
				v.SetNull(v.Extend(1))
			default:
				v.Extend(1)
			}
		}
	}
	for i, c := range table.Columns {
		if c.Required && b.Columns[i].Nulls > 0 {
			b.Columns[i].Reset()
			b.Columns[i].Extend(40)
		}
	}
	if err := w.Write(b); err != nil {
		f.Fatal(err)
	}
	if _, err := w.Close(); err != nil {
		f.Fatal(err)
	}
	whole := out.Bytes()
	f.Add(whole, uint16(0), byte(0))
	f.Add(whole, uint16(len(whole)-20), byte(3))
	f.Add([]byte("PAR1PAR1PAR1"), uint16(0), byte(0))
	f.Fuzz(func(t *testing.T, data []byte, at uint16, with byte) {
		data = bytes.Clone(data)
		if len(data) > 0 {
			data[int(at)%len(data)] ^= with
		}
		r, err := parquet.Open(t.Context(), memoryStore{data: data}, "f", int64(len(data)))
		if err != nil {
			return
		}
		for group := range r.RowGroups() {
			if r.Rows(group) > 1<<20 {
				continue
			}
			for _, c := range table.Columns {
				place, ok := r.Find(c)
				if !ok {
					continue
				}
				chunk, err := r.Chunk(t.Context(), group, place, nil, c.Type)
				if err != nil {
					continue
				}
				_ = chunk.ReadAll(column.NewVector(c.Type.Kind(), 0))
				if chunk, err = r.Chunk(t.Context(), group, place, nil, c.Type); err == nil {
					_ = chunk.Pick(column.NewVector(c.Type.Kind(), 0), []int32{0, 3, int32(at)})
				}
			}
		}
	})
}
