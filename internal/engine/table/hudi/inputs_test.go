package hudi_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table/hudi"
)

// A NULL record key is refused before anything of the commit can be seen, and what was written is taken back.
func TestRowsWithoutKey(t *testing.T) {
	t.Parallel()
	b := newBench(t, shop("land"))
	b.columns.Columns[0].Required = false
	b.load(false, goods("de", 1))
	h := b.head()
	change := b.begin(h)
	rows := goods("de", 2, 3)
	delete(rows[1], "id")
	change.Add = b.stage(h, &change, "u", rows)
	if _, err := b.table.Commit(t.Context(), h, change); err == nil || !strings.Contains(err.Error(), `no value in the record key's column "id"`) || !strings.Contains(err.Error(), "correct the source") {
		t.Errorf("the commit: %v", err)
	}
	b.expect(1)
	if keys := b.keys("land=de/", ".parquet"); len(keys) != 1 {
		t.Errorf("it left %v", keys)
	}
	for _, end := range []string{".requested", ".inflight", "MARKERS0"} {
		if keys := b.keys(".hoodie/", end); len(keys) > 1 {
			t.Errorf("it left %v", keys)
		}
	}
	b.load(false, goods("de", 4))
	b.expect(1, 4)
}

// Every character that Hudi escapes in partition paths, NULL, and no text.
func TestOddPartitions(t *testing.T) {
	t.Parallel()
	b := newBench(t, shop("land", "day"))
	odd := []any{nil, "", "a b", "日本", "x,y+z|<>}", " ", "__HIVE", "%41"}
	for c := range 0x80 {
		if c < 0x20 && c != 0 || c == 0x7f || strings.ContainsRune("\"#%'*/:=?\\{[]^", rune(c)) {
			odd = append(odd, "x"+string(rune(c))+"y")
		}
	}
	var rows []values
	var want []int64
	for i, land := range odd {
		r := goods("", int64(i))[0]
		if r["land"] = land; land == nil {
			delete(r, "land")
		}
		r["day"] = int64(-719162)
		rows, want = append(rows, r), append(want, int64(i))
	}
	b.load(false, rows)
	b.expect(want...)
	h := b.head()
	files, err := b.table.Files(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, f := range files {
		if f.Partition[0] != nil {
			seen[*f.Partition[0]] = true
		}
	}
	for _, land := range odd {
		if text, ok := land.(string); ok && text != "" && !seen[text] {
			t.Errorf("no file has the partition %q", text)
		}
	}
	known := map[string]bool{}
	for p, err := range b.catalog.Partitions(t.Context(), "raw", "orders", nil) {
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Values) != 2 || p.Values[1] != "0001-01-01" || !strings.HasSuffix(p.Location, "/day=0001-01-01") {
			t.Errorf("a partition is %v at %s", p.Values, p.Location)
		}
		known[p.Values[0]] = true
	}
	for _, land := range odd {
		text, _ := land.(string)
		if text == "" {
			text = "__HIVE_DEFAULT_PARTITION__"
		}
		if !known[text] {
			t.Errorf("the catalogue has no partition of %q", text)
		}
	}
	// Rows of all of them are found again.
	var changed []values
	for i := range odd {
		r := rows[i]
		r["name"] = fmt.Sprintf("changed %d", i)
		changed = append(changed, r)
	}
	b.upsert(changed)
	b.expect(want...)
	for id, r := range b.rows() {
		if r["name"] != "changed "+id {
			t.Errorf("the row %s is %q", id, r["name"])
		}
	}
}

// Readers of the catalogue fail on a table that has a partition without a value of another type than text.
func TestPartitionsWithoutAValue(t *testing.T) {
	t.Parallel()
	b := newBench(t, shop("day"))
	b.load(false, goods("de", 1))
	h := b.head()
	change := b.begin(h)
	rows := goods("de", 2)
	delete(rows[0], "day")
	change.Add = b.stage(h, &change, "u", rows)
	before := len(b.keys("", ""))
	if _, err := b.table.Commit(t.Context(), h, change); err == nil || !strings.Contains(err.Error(), `NULL in the partition field "day" of type date`) || !strings.Contains(err.Error(), "leave them out by a filter") {
		t.Errorf("the commit: %v", err)
	}
	if now := len(b.keys("", "")); now != before {
		t.Errorf("there were %d objects, and are %d", before, now)
	}
	b.expect(1)
}

func TestPrecombine(t *testing.T) {
	t.Parallel()
	b := newBench(t, shop())
	open := func(column string) *hudi.Table {
		return hudi.New(hudi.Options{Store: b.store, Catalog: b.catalog, Prefix: "lake/orders/", Database: "raw", Name: "orders", Precombine: column})
	}
	b.table = open("no")
	if _, err := b.table.Prepare(b.head(), b.columns); err == nil || !strings.Contains(err.Error(), `"no"`) || !strings.Contains(err.Error(), "name one of its columns") {
		t.Errorf("a column that is not there: %v", err)
	}
	b.table = open("at")
	b.load(false, goods("de", 1))
	b.expect(1)
	if data := string(b.read(properties)); !strings.Contains(data, "hoodie.table.precombine.field=at\n") || !strings.Contains(data, "hoodie.table.timeline.timezone=UTC\n") {
		t.Errorf("the properties are %s", data)
	}
	// A table keeps the field that it was made with, whether it is asked for or not, and has no other. One without any has none.
	b.table = open("price")
	if _, err := b.table.Prepare(b.head(), b.columns); err == nil || !strings.Contains(err.Error(), `made with the precombine field "at"`) || !strings.Contains(err.Error(), `ordering is "price" now: set ordering back, leave it out, or land into a new target`) {
		t.Errorf("another column: %v", err)
	}
	b.table = open("")
	b.load(false, goods("de", 2))
	b.expect(1, 2)
	if data := string(b.read(properties)); !strings.Contains(data, "hoodie.table.precombine.field=at\n") {
		t.Errorf("the properties are %s", data)
	}
	b = newBench(t, shop())
	b.load(false, goods("de", 1))
	b.table = open("at")
	b.load(false, goods("de", 2))
	if data := string(b.read(properties)); strings.Contains(data, "precombine") {
		t.Errorf("the properties are %s", data)
	}
}

// A column that is added, one that the source dropped, and one that is widened.
func TestColumnsFollow(t *testing.T) {
	t.Parallel()
	b := newBench(t, shop())
	b.load(false, goods("de", 1, 2))
	b.columns.Columns = append(b.columns.Columns, schema.Column{Name: "more", Type: schema.Type{ID: schema.Decimal, Precision: 5, Scale: 1}, Source: &schema.SourceColumn{Name: "more", Number: 99, Type: "x"}})
	for i, c := range b.columns.Columns {
		if c.Name == "n" {
			b.columns.Columns[i].Type.ID = schema.Long
		}
	}
	b.columns.Columns = append(b.columns.Columns[:1:1], b.columns.Columns[2:]...) // without "name"
	rows := goods("de", 2, 3)
	rows[0]["more"], rows[0]["n"] = int64(15), int64(1)<<40
	delete(rows[0], "name")
	delete(rows[1], "name")
	b.upsert(rows)
	b.expect(1, 2, 3)
	got := b.rows()
	if got["1"]["name"] != "good 1" || got["2"]["name"] != "" || got["1"]["n"] != "-1" || got["2"]["n"] != fmt.Sprint(int64(1)<<40) || got["3"]["more"] != "" || got["2"]["more"] == "" {
		t.Errorf("the rows are %v", got)
	}
	h := b.head()
	if c, ok := h.Schema.Column("name"); !ok || c.Source != nil {
		t.Errorf("the dropped column is %+v", c)
	}
	l := tableOf(t, b.store)
	newest := l.instants()[len(l.instants())-1]
	if text := l.commits[newest].Extra["schema"]; !strings.Contains(text, `"name":"name"`) || !strings.Contains(text, `"name":"more"`) {
		t.Errorf("the newest schema is %s", text)
	}
	entry, err := b.catalog.Get(t.Context(), "raw", "orders")
	if err != nil {
		t.Fatal(err)
	}
	types := map[string]string{}
	for _, c := range entry.Columns {
		types[c.Name] = c.Type
	}
	if types["more"] != "decimal(5,1)" || types["n"] != "bigint" || types["_hoodie_record_key"] != "string" || types["local"] != "timestamp" {
		t.Errorf("the entry's columns are %v", types)
	}
}

// A column that becomes of another type, which is refused under its name, lands under another one beside what there was. One that is
// only renamed does not: it would be there twice.
func TestAColumnOfAnotherTypeUnderAnotherName(t *testing.T) {
	t.Parallel()
	b := newBench(t, shop())
	b.load(false, goods("de", 1))
	h := b.head()
	known, _ := h.Schema.Column("price")
	as := func(name string, precision int) (schema.Table, error) {
		s := b.columns
		s.Columns = slices.Clone(s.Columns)
		at := slices.IndexFunc(s.Columns, func(c schema.Column) bool { return c.Name == "price" })
		s.Columns[at].Name, s.Columns[at].FieldID, s.Columns[at].Type.Precision = name, known.FieldID, precision
		return b.table.Prepare(h, s)
	}
	if _, err := as("price", 12); err == nil || !strings.Contains(err.Error(), "give it another name in columns") {
		t.Errorf("another type: %v", err)
	}
	if _, err := as("price_2", 10); err == nil || !strings.Contains(err.Error(), `is called "price" in the table`) {
		t.Errorf("another name: %v", err)
	}
	s, err := as("price_2", 12)
	if err != nil {
		t.Fatal(err)
	}
	now, _ := s.Column("price_2")
	if was, ok := s.Column("price"); !ok || was.Source != nil || was.FieldID != known.FieldID || was.Type != known.Type || now.Source == nil || now.FieldID == was.FieldID || now.FieldID == 0 || now.Type.Precision != 12 {
		t.Errorf("the columns are %+v and %+v", was, now)
	}
}

// The entry as Hudi's readers know it, and what others have put into it.
func TestEntry(t *testing.T) {
	t.Parallel()
	b := newBench(t, shop("land"))
	first := b.load(false, goods("de", 1))
	entry, err := b.catalog.Get(t.Context(), "raw", "orders")
	if err != nil {
		t.Fatal(err)
	}
	if entry.InputFormat != "org.apache.hudi.hadoop.HoodieParquetInputFormat" || entry.Type != "EXTERNAL_TABLE" || entry.SerDeParameters["path"] != entry.Location ||
		entry.Parameters["last_commit_time_sync"] != first || entry.Parameters["spark.sql.sources.provider"] != "hudi" || strings.HasSuffix(entry.Location, "/") {
		t.Errorf("the entry is %+v", entry)
	}
	if len(entry.PartitionKeys) != 1 || entry.PartitionKeys[0].Name != "land" || entry.PartitionKeys[0].Type != "string" {
		t.Errorf("the partition keys are %+v", entry.PartitionKeys)
	}
	parts := ""
	for i := range 99 {
		parts += entry.Parameters[fmt.Sprintf("spark.sql.sources.schema.part.%d", i)]
	}
	if !strings.HasPrefix(parts, `{"type":"struct","fields":[{"name":"_hoodie_commit_time"`) || !strings.HasSuffix(parts, `{"name":"land","type":"string","nullable":true,"metadata":{}}]}`) {
		t.Errorf("Spark's schema is %s", parts)
	}
	entry.Parameters["theirs"], entry.Description = "kept", "kept"
	if err := b.catalog.Update(t.Context(), entry); err != nil {
		t.Fatal(err)
	}
	second := b.load(false, goods("fr", 2))
	if entry, err = b.catalog.Get(t.Context(), "raw", "orders"); err != nil || entry.Parameters["theirs"] != "kept" || entry.Description != "kept" || entry.Parameters["last_commit_time_sync"] != second {
		t.Errorf("the entry is %+v, %v", entry, err)
	}
}

// A commit whose run was killed before the catalogue had it is shown by the next one that looks.
func TestEntryIsRepaired(t *testing.T) {
	t.Parallel()
	for n := 1; ; n++ {
		b := newBench(t, shop("land"))
		var mu sync.Mutex // partitions are made beside one another
		calls, came := 0, false
		b.catalog.Before = func(catalog.Write) error {
			mu.Lock()
			defer mu.Unlock()
			if calls++; calls >= n {
				came = true
				return errKilled
			}
			return nil
		}
		h := b.head()
		change := b.adds(h, "u", append(goods("de", 1), goods("fr", 2)...))
		_, err := b.table.Commit(t.Context(), h, change)
		b.catalog.Before = nil
		if !came {
			if n < 5 {
				t.Errorf("it made %d calls", n-1)
			}
			return
		}
		if err == nil || !strings.Contains(err.Error(), "the next run brings the entry up") {
			t.Errorf("call %d: %v", n, err)
		}
		if h = b.head(); h.Checkpoint == nil || h.Checkpoint.Attempt != "a1" {
			t.Errorf("call %d: the head is %+v", n, h)
		}
		b.expect(1, 2)
	}
}

// Answers of the catalogue that are lost, and calls that are turned away, hold no commit up.
func TestCatalogueThatStumbles(t *testing.T) {
	t.Parallel()
	for _, after := range []bool{false, true} {
		for _, failure := range []error{catalog.ErrUnknown, catalog.ErrThrottled} {
			b := newBench(t, shop("land"))
			var mu sync.Mutex // partitions are made beside one another
			seen := map[string]bool{}
			hook := func(w catalog.Write) error {
				mu.Lock()
				defer mu.Unlock()
				id := w.Call
				if w.Partition != nil {
					id += w.Partition.Values[0]
				}
				if seen[id] {
					return nil
				}
				seen[id] = true
				return failure
			}
			if after && errors.Is(failure, catalog.ErrThrottled) {
				continue // what is turned away has no effect
			}
			if b.catalog.Before = hook; after {
				b.catalog.Before, b.catalog.After = nil, hook
			}
			b.load(false, append(goods("de", 1), goods("fr", 2)...))
			b.expect(1, 2)
		}
	}
}
