package hudi

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

// Vectors of filters that Spark wrote: the first hashes and positions of keys.
func TestBloomVectors(t *testing.T) {
	t.Parallel()
	const bits = 2587966
	for _, tc := range []struct {
		key       string
		hashes    [2]int32
		positions []int32
	}{
		{"id:1,name:Alice", [2]int32{71696166, -668954923}, []int32{1821084, 1259695, 2258328, 240278}},
		{"id:3,name:Carol", [2]int32{1916687947, -1361286329}, []int32{1593107, 16213, 1398559, 505063}},
		{"TXN-017", [2]int32{1953665497, 293014273}, []int32{2339133, 574115, 707468, 1250947}},
		{"é", [2]int32{-384040333, 1849032984}, []int32{1021365, 1225260, 586514, 1189253}},
	} {
		first := murmur([]byte(tc.key), 0)
		if second := murmur([]byte(tc.key), first); first != tc.hashes[0] || second != tc.hashes[1] {
			t.Errorf("%s: the hashes are %d and %d, want %v", tc.key, first, second, tc.hashes)
		}
		var positions []int32
		each([]byte(tc.key), 4, bits, func(at int32) { positions = append(positions, at) })
		if !slices.Equal(positions, tc.positions) {
			t.Errorf("%s: the positions are %v, want %v", tc.key, positions, tc.positions)
		}
	}
}

// decodeBloom reads a filter as Hudi does, and says whether it may hold a key.
func decodeBloom(t *testing.T, text string) (rows int, has func(key string) bool) {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	number := func() int32 {
		n := int32(binary.BigEndian.Uint32(data))
		data = data[4:]
		return n
	}
	head := func() (hashes, bits int32) {
		if version := number(); version != -1 {
			t.Fatalf("the filter has the version %d", version)
		}
		if hashes = number(); data[0] != 1 {
			t.Fatalf("the filter has the hash %d", data[0])
		}
		data = data[1:]
		return hashes, number()
	}
	hashes, bits := head()
	number()
	number()
	var all [][]byte
	for range number() {
		if h, b := head(); h != hashes || b != bits {
			t.Fatalf("a row has %d hashes and %d bits", h, b)
		}
		all = append(all, data[:(bits+7)/8])
		data = data[(bits+7)/8:]
	}
	if len(data) != 0 {
		t.Fatalf("%d bytes follow the filter", len(data))
	}
	return len(all), func(key string) bool {
		return slices.ContainsFunc(all, func(row []byte) bool {
			in := true
			each([]byte(key), hashes, bits, func(at int32) { in = in && row[at/8]>>(at%8)&1 == 1 })
			return in
		})
	}
}

func TestBloomHoldsItsKeys(t *testing.T) {
	t.Parallel()
	if f := newBloom(filterKeys); f.bits != 2587966 || f.hashes != 30 {
		t.Errorf("Spark's filter has 2587966 bits and 30 hashes, this %d and %d", f.bits, f.hashes)
	}
	for _, keys := range []int{0, 1, 100, filterKeys, filterKeys + 1, 130_000} {
		f := newBloom(keys)
		key := func(i int) string { return fmt.Sprintf("key-%d-é日本", i) }
		for i := range keys {
			f.add([]byte(key(i)))
		}
		rows, has := decodeBloom(t, f.text())
		if rows != 1 || f.bits > 2587966 || f.hashes < 1 {
			t.Errorf("a filter of %d keys has %d rows, %d bits and %d hashes", keys, rows, f.bits, f.hashes)
		}
		wrong := 0
		for i := range keys {
			if !has(key(i)) {
				t.Fatalf("a filter of %d keys does not hold %s", keys, key(i))
			}
		}
		for i := range 1000 {
			if has(key(i + 1_000_000)) {
				wrong++
			}
		}
		if wrong > 5 {
			t.Errorf("a filter of %d keys holds %d of 1000 others", keys, wrong)
		}
	}
}

func TestInstants(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 30, 23, 59, 59, 999_400_000, time.FixedZone("", -8*3600))
	if got := instantOf(at); got != "20261201075959999" {
		t.Errorf("the instant is %s", got)
	}
	if got := next(at, "20261201075959999"); got != "20261201080000000" {
		t.Errorf("behind the same instant comes %s", got)
	}
	if got := next(at, "20991231235959999"); got != "21000101000000000" {
		t.Errorf("behind a clock that is ahead comes %s", got)
	}
	if got := next(at, "20261130000000000"); got != "20261201075959999" {
		t.Errorf("behind an older one comes %s", got)
	}
	for _, text := range []Instant{"", "init", "2026120107595999", "20261301075959999", "2026120107595999x", "20261201x75959999"} {
		if _, ok := text.time(); ok {
			t.Errorf("%q is an instant", text)
		}
	}
	if got, ok := Instant("20261201075959").time(); !ok || got.Second() != 59 {
		t.Errorf("an instant of an older release is %s", got)
	}
}

// texts makes a vector of one value per type.
func vectorOf(t *testing.T, typ schema.Type, value any) *column.Vector {
	t.Helper()
	v := column.NewVector(typ.Kind(), 1)
	switch value := value.(type) {
	case nil:
		v.AppendNull()
		return v
	case bool:
		v.Bools = append(v.Bools, value)
	case string:
		v.Data = append(v.Data, value...)
	case column.Wide:
		v.Wides = append(v.Wides, value)
	case int:
		if v.Kind == column.Int32 {
			v.Int32s = append(v.Int32s, int32(value))
		} else {
			v.Int64s = append(v.Int64s, int64(value))
		}
	default:
		t.Fatalf("%T", value)
	}
	v.Append()
	return v
}

func TestTexts(t *testing.T) {
	t.Parallel()
	decimal := func(p, s int) schema.Type { return schema.Type{ID: schema.Decimal, Precision: p, Scale: s} }
	for _, tc := range []struct {
		typ   schema.Type
		value any
		want  string
	}{
		{schema.Type{ID: schema.Int}, -7, "-7"},
		{schema.Type{ID: schema.Long}, math.MinInt64, "-9223372036854775808"},
		{schema.Type{ID: schema.Boolean}, true, "true"},
		{schema.Type{ID: schema.String}, " a,b:c\"\t\n", " a,b:c\"\t\n"},
		{schema.Type{ID: schema.Date}, 18321, "2020-02-29"},
		{schema.Type{ID: schema.Date}, -719162, "0001-01-01"},
		{schema.Type{ID: schema.Date}, 2932897, "+10000-01-01"},
		{decimal(10, 2), 100, "1.00"},
		{decimal(10, 2), -1230, "-12.30"},
		{decimal(10, 2), 0, "0.00"},
		{decimal(10, 8), 1, "1E-8"},
		{decimal(10, 8), 0, "0E-8"},
		{decimal(10, 8), -12, "-1.2E-7"},
		{decimal(10, 8), 123, "0.00000123"},
		{decimal(10, 6), 1, "0.000001"},
		{decimal(10, 0), 12, "12"},
		{decimal(38, 2), column.Wide{Hi: 1, Lo: 0}, "184467440737095516.16"},
		{decimal(38, 2), column.WideOf(-1), "-0.01"},
	} {
		if got := string(appendText(nil, tc.typ, vectorOf(t, tc.typ, tc.value), 0)); got != tc.want {
			t.Errorf("%v as %s is %q, want %q", tc.value, tc.typ, got, tc.want)
		}
	}
	for _, id := range []schema.ID{schema.Timestamp, schema.TimestampTZ, schema.Float, schema.Double, schema.Binary} {
		if err := spellable(schema.Type{ID: id}); err == nil || !strings.Contains(err.Error(), "choose a column") {
			t.Errorf("%s in a key: %v", id, err)
		}
	}
}

func TestPartitionPaths(t *testing.T) {
	t.Parallel()
	text := func(s string) *string { return &s }
	f := pathForm{columns: []string{"c"}, types: []schema.Type{{ID: schema.String}}, encoded: true}
	for value, want := range map[string]string{
		"de": "de", "a b": "a b", "x,y+z|<>": "x,y+z|<>", "日本ü": "日本ü", `a/b`: "a%2Fb", `a\b`: "a%5Cb", "a:b=c?d": "a%3Ab%3Dc%3Fd", `"#%'*[]^{`: "%22%23%25%27%2A%5B%5D%5E%7B", "}": "}",
		"\x01\n\x7f": "%01%0A%7F",
	} {
		got, err := f.path(schema.PartitionValues{&value})
		if err != nil || got != "c="+want {
			t.Errorf("%q lies in %q, want %q (%v)", value, got, want, err)
		}
		back, err := f.values(got)
		if err != nil || *back[0] != value {
			t.Errorf("%q came back as %v, %v", value, back, err)
		}
	}
	for _, value := range []*string{nil, text("")} {
		if got, err := f.path(schema.PartitionValues{value}); err != nil || got != "c="+nullPartition {
			t.Errorf("no value lies in %q, %v", got, err)
		}
	}
	f = pathForm{columns: []string{"d", "n", "b"}, types: []schema.Type{{ID: schema.Date}, {ID: schema.Decimal, Precision: 10, Scale: 8}, {ID: schema.Boolean}}, encoded: true}
	values := schema.PartitionValues{text("-1"), text("1"), text("true")}
	got, err := f.path(values)
	if err != nil || got != "d=1969-12-31/n=1E-8/b=true" {
		t.Errorf("the path is %q, %v", got, err)
	}
	back, err := f.values(got)
	if err != nil || back.ID() != values.ID() {
		t.Errorf("came back as %s, %v", back.ID(), err)
	}
	for _, path := range []string{"", "d=1969-12-31", "d=x/n=1/b=true", "d=1969-12-31/n=1/c=true", "d=1969-12-31/n=0.000000001/b=true", "d=1969-12-31/n=1/b=maybe"} {
		if _, err := f.values(path); err == nil {
			t.Errorf("%q is a partition", path)
		}
	}
	plain := pathForm{columns: []string{"c"}, types: []schema.Type{{ID: schema.String}}}
	if _, err := plain.path(schema.PartitionValues{text("a:b")}); err == nil || !strings.Contains(err.Error(), "urlencode") {
		t.Errorf("a colon that is not escaped: %v", err)
	}
}

// Folders that are named by values alone, as writers of data frames make them unless they are told otherwise.
func TestPartitionPathsWithoutColumns(t *testing.T) {
	t.Parallel()
	text := func(s string) *string { return &s }
	s := &schema.Table{Columns: []schema.Column{{Name: "land", Type: schema.Type{ID: schema.String}}, {Name: "day", Type: schema.Type{ID: schema.Date}}}}
	f, err := pathFormOf(properties{propertyPartition: "land,day", propertyURLEncode: "true"}, s)
	if err != nil {
		t.Fatal(err)
	}
	for _, values := range []schema.PartitionValues{{text("a=b/c"), text("-1")}, {nil, text("0")}, {text("land=x"), text("1")}} {
		path, err := f.path(values)
		if err != nil || strings.Contains(path, "land=") && *values[0] != "land=x" || strings.Count(path, "/") != 1 {
			t.Errorf("%s lies in %q, %v", values.ID(), path, err)
		}
		if back, err := f.values(path); err != nil || back.ID() != values.ID() {
			t.Errorf("%q came back as %s, %v", path, back.ID(), err)
		}
	}
	if path, err := f.path(schema.PartitionValues{text("de"), text("0")}); err != nil || path != "de/1970-01-01" {
		t.Errorf("the path is %q, %v", path, err)
	}
	for _, value := range []string{".hoodie", ".", ".."} {
		if path, err := f.path(schema.PartitionValues{&value, text("0")}); err == nil || !strings.Contains(err.Error(), "land into a new target") {
			t.Errorf("%q lies in %q, %v", value, path, err)
		}
	}
}

// Hudi 1.0 names the kind of a key generator and no class.
func TestKindsOfKeys(t *testing.T) {
	t.Parallel()
	bare := func() (bool, error) { return true, nil }
	for kind, of := range map[string]properties{
		"SIMPLE": {propertyRecordKey: "a", propertyPartition: "b"}, "COMPLEX": {propertyRecordKey: "a,b", propertyPartition: "c"}, "NON_PARTITION": {propertyRecordKey: "a,b"},
	} {
		of[propertyKeyKind] = kind
		f, err := keyFormOf(of, bare)
		if err != nil || f.named != (kind != "SIMPLE") {
			t.Errorf("%s: %+v, %v", kind, f, err)
		}
	}
	for _, kind := range []string{"TIMESTAMP", "CUSTOM", "GLOBAL_DELETE"} {
		if f, err := keyFormOf(properties{propertyRecordKey: "a", propertyPartition: "b", propertyKeyKind: kind}, bare); err == nil || !strings.Contains(err.Error(), kind) || !strings.Contains(err.Error(), "land into a new target") {
			t.Errorf("%s: %+v, %v", kind, f, err)
		}
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	s := schema.Table{Columns: []schema.Column{
		{Name: "a", Type: schema.Type{ID: schema.String}}, {Name: "b", Type: schema.Type{ID: schema.Int}}, {Name: "at", Type: schema.Type{ID: schema.TimestampTZ}},
	}}
	never := func() (bool, error) { t.Error("the files were looked at"); return false, nil }
	form := func(bare func() (bool, error), key, partition, generator string) keyForm {
		f, err := keyFormOf(properties{propertyRecordKey: key, propertyPartition: partition, propertyKeyGenerator: generator}, bare)
		if err != nil {
			t.Errorf("%s by %s: %v", key, partition, err)
		}
		return f
	}
	bare := func(is bool) func() (bool, error) { return func() (bool, error) { return is, nil } }
	for _, tc := range []struct {
		form keyForm
		a, b any
		want string
	}{
		{form(never, "a", "", ""), "a:p,q", 1, "a:p,q"},
		{form(never, "a", "c", simpleKeys), "x", 1, "x"},
		{form(never, "a,b", "", nonpartitionedKey), "x", 1, "a:x,b:1"},
		{form(never, "a,b", "c", complexKeys), nil, 1, "a:__null__,b:1"},
		{form(never, "a,b", "c", ""), "", 1, "a:__empty__,b:1"},
		{form(bare(true), "b", "c,d", complexKeys), "x", 1, "1"},
		{form(bare(false), "b", "c,d", complexKeys), "x", 1, "b:1"},
	} {
		w, err := newKeyWriter(tc.form, &s)
		if err != nil {
			t.Fatal(err)
		}
		of := map[string]*column.Vector{"a": vectorOf(t, s.Columns[0].Type, tc.a), "b": vectorOf(t, s.Columns[1].Type, tc.b)}
		var vectors []*column.Vector
		for _, name := range tc.form.columns {
			vectors = append(vectors, of[name])
		}
		if got, err := w.appendKey(nil, vectors, 0); err != nil || string(got) != tc.want {
			t.Errorf("the key is %q, want %q (%v)", got, tc.want, err)
		}
	}
	for name, tc := range map[string]struct {
		form keyForm
		a, b any
		want string
	}{
		"no value":              {keyForm{columns: []string{"a"}}, nil, 1, "no value in the record key's column"},
		"no text":               {keyForm{columns: []string{"a"}}, "", 1, "no value in the record key's column"},
		"no values":             {keyForm{columns: []string{"a", "b"}, named: true}, "", nil, "in any of the record key's columns"},
		"the word for NULL":     {keyForm{columns: []string{"a", "b"}, named: true}, nullPart, 1, "without a value"},
		"two keys that are one": {keyForm{columns: []string{"a", "b"}, named: true}, "x,b:1", 2, "between"},
	} {
		w, err := newKeyWriter(tc.form, &s)
		if err != nil {
			t.Fatal(err)
		}
		vectors := []*column.Vector{vectorOf(t, s.Columns[0].Type, tc.a), vectorOf(t, s.Columns[1].Type, tc.b)}
		if _, err := w.appendKey(nil, vectors, 0); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, tc := range map[string]struct {
		p    properties
		want string
	}{
		"no key":                {properties{}, "no record key"},
		"another generator":     {properties{propertyRecordKey: "a", propertyKeyGenerator: generators + "TimestampBasedKeyGenerator"}, "land into a new target"},
		"one that does not fit": {properties{propertyRecordKey: "a,b", propertyPartition: "c", propertyKeyGenerator: simpleKeys}, "land into a new target"},
	} {
		if _, err := keyFormOf(tc.p, never); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := newKeyWriter(keyForm{columns: []string{"at"}}, &s); err == nil || !strings.Contains(err.Error(), "two ways") {
		t.Errorf("a key of times: %v", err)
	}
}

func TestAvroSchemas(t *testing.T) {
	t.Parallel()
	s := schema.Table{Columns: append([]schema.Column{
		{Name: "id", Type: schema.Type{ID: schema.Long}, Required: true}, {Name: "n", Type: schema.Type{ID: schema.Decimal, Precision: 10, Scale: 2}},
		{Name: "d", Type: schema.Type{ID: schema.Date}}, {Name: "at", Type: schema.Type{ID: schema.TimestampTZ}}, {Name: "raw", Type: schema.Type{ID: schema.Binary}},
		{Name: "b", Type: schema.Type{ID: schema.Boolean}}, {Name: "f", Type: schema.Type{ID: schema.Float}}, {Name: "t", Type: schema.Type{ID: schema.String}},
	}, carried()...)}
	text, err := avroSchema("my-table", &s, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"name":"my_table_record","namespace":"hoodie.my_table"`,
		`{"name":"id","type":["null","long"],"default":null}`,
		`{"name":"n","type":["null",{"type":"fixed","name":"fixed","namespace":"hoodie.my_table.my_table_record.n","size":5,"logicalType":"decimal","precision":10,"scale":2}],"default":null}`,
		`{"name":"at","type":["null",{"type":"long","logicalType":"timestamp-micros"}],"default":null}`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the schema lacks %s: %s", want, text)
		}
	}
	if strings.Contains(text, "_hoodie") {
		t.Errorf("the schema of a commit has meta columns: %s", text)
	}
	back, err := parseAvro(text)
	if err != nil {
		t.Fatal(err)
	}
	want := slices.Clone(s.Columns[:8])
	for i := range want {
		want[i].Required = false
	}
	if diff := cmp.Diff(want, back); diff != "" {
		t.Error(diff)
	}
	for _, name := range []string{"a-b", "a b", "1x", "a.b", "a$b", "größe", ""} {
		odd := schema.Table{Columns: []schema.Column{{Name: name, Type: schema.Type{ID: schema.Long}}}}
		if _, err := avroSchema("t", &odd, false); err == nil || !strings.Contains(err.Error(), "another name in columns") {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, odd := range []string{
		`{"fields":[{"name":"l","type":["null",{"type":"array","items":"string"}]}]}`,
		`{"fields":[{"name":"l","type":{"type":"long","logicalType":"local-timestamp-micros"}}]}`,
		`{"fields":[{"name":"l","type":{"type":"long","logicalType":"timestamp-millis"}}]}`, `[]`,
	} {
		if _, err := parseAvro(odd); err == nil {
			t.Errorf("%s was read", odd)
		}
	}
}
