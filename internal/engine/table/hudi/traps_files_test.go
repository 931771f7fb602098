package hudi_test

import (
	"encoding/json"
	"fmt"
	"math/big"
	"path"
	"regexp"
	"strings"
	"testing"

	parquetgo "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

// worn is a table with files of each kind of commit in its folder: loaded, merged into, emptied and replaced.
func worn(t *testing.T, partition ...string) *bench {
	t.Helper()
	b := newBench(t, shop(partition...))
	b.load(false, append(goods("de", 1, 2, 3), goods("fr", 4)...))
	b.upsert(goods("de", 2, 5))
	b.upsert(nil, 1, 2, 3, 4, 5)
	b.load(true, append(goods("it", 6, 7), goods("fr", 8)...))
	b.expect(6, 7, 8)
	return b
}

// eachFile looks at all data files of the table's folder, whether readers still read them or not.
func (b *bench) eachFile(look func(key string, rows []row, f *parquetgo.File)) (files int) {
	b.t.Helper()
	l := tableOf(b.t, b.store)
	for key := range l.objects {
		if !dataName.MatchString(path.Base(key)) {
			continue
		}
		rows, f, err := l.rowsOf(b.t.Context(), b.store, key)
		if err != nil {
			b.t.Fatal(err)
		}
		files++
		look(key, rows, f)
	}
	return files
}

func notesOf(f *parquetgo.File) map[string]string {
	notes := map[string]string{}
	for _, kv := range f.Metadata().KeyValueMetadata {
		notes[kv.Key] = kv.Value
	}
	return notes
}

// Spark's upserts by the index BLOOM fail on any file without a filter, and all its reads on one with old dates that does not name a
// version of Spark: each file says all, that of a group without rows too.
func TestFootersOfEachKindOfFile(t *testing.T) {
	t.Parallel()
	for name, partition := range map[string][]string{"in one folder": nil, "in partitions": {"land"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			empty := 0
			n := worn(t, partition...).eachFile(func(key string, rows []row, f *parquetgo.File) {
				notes := notesOf(f)
				if text := notes["org.apache.hudi.bloomfilter"]; len(text) < 40 || notes["hoodie_bloom_filter_type_code"] != "DYNAMIC_V0" {
					t.Errorf("%s has the filter %q of the kind %q", key, text, notes["hoodie_bloom_filter_type_code"])
				}
				if notes["org.apache.spark.version"] != "3.5.6" {
					t.Errorf("%s is of Spark's version %q", key, notes["org.apache.spark.version"])
				}
				if !strings.Contains(notes["parquet.avro.schema"], `"name":"_hoodie_record_key"`) || !strings.Contains(notes["parquet.avro.schema"], `"name":"price"`) {
					t.Errorf("%s has the schema %s", key, notes["parquet.avro.schema"])
				}
				low, hasLow := notes["hoodie_min_record_key"]
				high, hasHigh := notes["hoodie_max_record_key"]
				if len(rows) == 0 {
					if empty++; hasLow || hasHigh {
						t.Errorf("%s has no rows, and keys from %q to %q", key, low, high)
					}
					return
				}
				inLow, inHigh := false, false
				for _, r := range rows {
					inLow, inHigh = inLow || r["_hoodie_record_key"] == low, inHigh || r["_hoodie_record_key"] == high
				}
				if !inLow || !inHigh {
					t.Errorf("%s has the keys %q and %q, which are not among its rows'", key, low, high)
				}
			})
			if want := map[string][2]int{"in one folder": {4, 1}, "in partitions": {7, 2}}[name]; n != want[0] || empty != want[1] {
				t.Errorf("of %d files %d have no rows, want %v", n, empty, want)
			}
		})
	}
}

// Sequence numbers have the commit's instant, the number of the file and that of the row, and no two rows of a commit the same.
func TestSequenceNumbers(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^(\d{17})_\d+_\d+$`)
	of := map[string]string{}
	worn(t, "land").eachFile(func(key string, rows []row, _ *parquetgo.File) {
		for _, r := range rows {
			number := r["_hoodie_commit_seqno"]
			if m := form.FindStringSubmatch(number); m == nil || m[1] != r["_hoodie_commit_time"] {
				t.Errorf("a row of %s has the time %s and the number %s", key, r["_hoodie_commit_time"], number)
			}
			if id, twice := of[number]; twice && id != r["id"] {
				t.Errorf("the rows %s and %s have the number %s", id, r["id"], number)
			}
			of[number] = r["id"]
		}
	})
}

// fixedSizes are the greatest precisions of decimals of 1, 2 and more bytes.
var fixedSizes = []int{2, 4, 6, 9, 11, 14, 16, 18, 21, 23, 26, 28, 31, 33, 35, 38}

func fixedSize(precision int) int {
	for i, most := range fixedSizes {
		if precision <= most {
			return i + 1
		}
	}
	return 0
}

// Decimals are bytes of a fixed length in each precision: where they are whole numbers the first upsert of Spark's multiplies all rows
// that it copies by ten to the scale, and nobody says so.
func TestDecimalsAreFixed(t *testing.T) {
	t.Parallel()
	columns := schema.Table{Identity: "1", Key: []string{"id"}, Columns: []schema.Column{{Name: "id", Type: schema.Type{ID: schema.Long}, Source: &schema.SourceColumn{Name: "id", Number: 1, Type: "x"}}}}
	want := map[string]*big.Int{}
	least, first := values{"id": int64(1)}, values{"id": int64(2)}
	for p := 1; p <= 38; p++ {
		typ := schema.Type{ID: schema.Decimal, Precision: p, Scale: p / 2}
		name := fmt.Sprintf("d%d", p)
		columns.Columns = append(columns.Columns, schema.Column{Name: name, Type: typ, Source: &schema.SourceColumn{Name: name, Number: p + 1, Type: "x"}})
		n := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(p)), nil)
		want[name] = n.Sub(big.NewInt(1), n)
		if typ.Kind() == column.Int128 {
			high := new(big.Int).Rsh(n, 64)
			least[name] = column.Wide{Hi: high.Int64(), Lo: new(big.Int).Sub(n, new(big.Int).Lsh(high, 64)).Uint64()}
		} else {
			least[name] = n.Int64()
		}
	}
	b := newBench(t, columns)
	b.load(false, []values{least})
	instant := b.upsert([]values{first})
	if n := b.eachFile(func(key string, rows []row, f *parquetgo.File) {
		for _, e := range f.Metadata().Schema {
			var p int
			if _, err := fmt.Sscanf(e.Name, "d%d", &p); err != nil {
				continue
			}
			d, is := e.LogicalType.Value.(*format.DecimalType)
			if e.Type.V != format.FixedLenByteArray || int(e.TypeLength.V) != fixedSize(p) || !is || int(d.Precision) != p || int(d.Scale) != p/2 {
				t.Errorf("%s of %s is %s of %d bytes, %s; want %d bytes", e.Name, key, e.Type.V, e.TypeLength.V, e.LogicalType.String(), fixedSize(p))
			}
		}
		for _, r := range rows {
			for name, n := range want {
				if got := r[name]; r["id"] == "1" && twosComplement(got).Cmp(n) != 0 {
					t.Errorf("%s of %s is %x, want %s", name, key, got, n)
				}
			}
		}
	}); n != 2 {
		t.Errorf("there are %d files", n)
	}
	for _, f := range avroFields(t, tableOf(t, b.store).commits[instant].Extra["schema"]) {
		var p int
		if _, err := fmt.Sscanf(f.Name, "d%d", &p); err == nil && (f.of.Type != "fixed" || f.of.Size != fixedSize(p) || f.of.LogicalType != "decimal" || f.of.Precision != p || f.of.Scale != p/2 || !strings.HasSuffix(f.of.Namespace, "."+f.Name)) {
			t.Errorf("%s is %+v in the commit's schema", f.Name, f.of)
		}
	}
}

func twosComplement(data string) *big.Int {
	n := new(big.Int).SetBytes([]byte(data))
	if data != "" && data[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(data))))
	}
	return n
}

// avroField is a column in the schema of a commit.
type avroField struct {
	Name    string
	Type    []json.RawMessage
	Default json.RawMessage
	// of is the type beside NULL, where it has parts.
	of struct {
		Type, LogicalType, Namespace string
		Size, Precision, Scale       int
	}
}

func avroFields(t *testing.T, text string) []avroField {
	t.Helper()
	var record struct {
		Type, Name, Namespace string
		Fields                []avroField
	}
	if err := json.Unmarshal([]byte(text), &record); err != nil || record.Type != "record" || record.Name == "" || record.Namespace == "" {
		t.Fatalf("the schema is %s, %v", text, err)
	}
	for i, f := range record.Fields {
		if len(f.Type) != 2 || string(f.Type[0]) != `"null"` || string(f.Default) != "null" {
			t.Errorf("the column %s may not be NULL: %s, default %s", f.Name, f.Type, f.Default)
			continue
		}
		if f.Type[1][0] == '{' {
			if err := json.Unmarshal(f.Type[1], &record.Fields[i].of); err != nil {
				t.Fatal(err)
			}
		}
	}
	return record.Fields
}

// Times are microseconds of UTC in files and schemas, with a time zone or without: Spark's upserts read rows that they copy as
// microseconds whatever they are, and readers fail on times that are not of UTC.
func TestTimesAreMicrosecondsOfUTC(t *testing.T) {
	t.Parallel()
	b := newBench(t, shop())
	rows := goods("de", 1, 2)
	rows[0]["at"], rows[0]["local"] = int64(-62135596800000000), int64(1577934245678901) // the first of the year 1, and a time with microseconds
	rows[1]["at"], rows[1]["local"] = int64(1577934245678901), int64(-1)
	b.load(false, rows)
	b.upsert(goods("de", 3))
	for id, want := range map[string][2]string{"1": {"-62135596800000000", "1577934245678901"}, "2": {"1577934245678901", "-1"}} {
		if r := b.rows()[id]; r["at"] != want[0] || r["local"] != want[1] {
			t.Errorf("the row %s has the times %s and %s, want %v", id, r["at"], r["local"], want)
		}
	}
	schemas := []string{}
	b.eachFile(func(key string, _ []row, f *parquetgo.File) {
		schemas = append(schemas, notesOf(f)["parquet.avro.schema"])
		seen := 0
		for _, e := range f.Metadata().Schema {
			if e.Name != "at" && e.Name != "local" {
				continue
			}
			seen++
			stamp, is := e.LogicalType.Value.(*format.TimestampType)
			if !is || e.Type.V != format.Int64 || !stamp.IsAdjustedToUTC {
				t.Errorf("%s of %s is %s, %s", e.Name, key, e.Type.V, e.LogicalType.String())
			} else if _, micros := stamp.Unit.Value.(*format.MicroSeconds); !micros {
				t.Errorf("%s of %s counts %s", e.Name, key, stamp.Unit.String())
			}
		}
		if seen != 2 {
			t.Errorf("%s has %d columns of times", key, seen)
		}
	})
	for _, c := range tableOf(t, b.store).commits {
		schemas = append(schemas, c.Extra["schema"])
	}
	for _, text := range schemas {
		for _, f := range avroFields(t, text) {
			if (f.Name == "at" || f.Name == "local") && (f.of.Type != "long" || f.of.LogicalType != "timestamp-micros") {
				t.Errorf("%s is %s in a schema", f.Name, f.Type[1])
			}
		}
	}
}

// The smallest and the greatest key are those by Java's order, which goes by units of UTF-16: by that of bytes Spark's index would pass
// over files that hold a key.
func TestKeysLieAsJavaOrdersThem(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		keys      []string
		low, high string
	}{
		{[]string{"10", "9", "1"}, "1", "9"},
		{[]string{"\ufffdz", "🙂", "\ue000"}, "🙂", "\ufffdz"},
		{[]string{"a\ue000", "a🙂", "a日"}, "a日", "a\ue000"},
		{[]string{"ab", "a", "é", "日本"}, "a", "日本"},
		{[]string{"🙂", "𐀀", "\ud7ff"}, "\ud7ff", "🙂"},
	} {
		columns := shop()
		columns.Key = []string{"name"}
		b := newBench(t, columns)
		var rows []values
		for i, key := range tc.keys {
			r := goods("de", int64(i))[0]
			r["name"] = key
			rows = append(rows, r)
		}
		b.load(false, rows)
		b.eachFile(func(_ string, _ []row, f *parquetgo.File) {
			if notes := notesOf(f); notes["hoodie_min_record_key"] != tc.low || notes["hoodie_max_record_key"] != tc.high {
				t.Errorf("%+q lie between %+q and %+q, want %+q and %+q", tc.keys, notes["hoodie_min_record_key"], notes["hoodie_max_record_key"], tc.low, tc.high)
			}
		})
	}
}
