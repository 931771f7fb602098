package hudi_test

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

const properties = "lake/orders/.hoodie/hoodie.properties"

// edit changes the properties by hand.
func (b *bench) edit(from, to string) {
	b.t.Helper()
	data, err := store.Read(b.t.Context(), b.store, properties, 1<<20)
	if err != nil {
		b.t.Fatal(err)
	}
	text := regexp.MustCompile(from).ReplaceAllString(string(data), to)
	if text == string(data) {
		b.t.Fatalf("there is no %s in %s", from, text)
	}
	put(b.t, b.store, properties, []byte(text))
}

// What must not be touched, and what each refusal says is to be done.
func TestUntouchable(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		make func(b *bench)
		want []string
	}{
		"an upgraded table": {func(b *bench) { b.edit(`table\.version=6`, "table.version=8") }, []string{`version "8"`, "hoodie.write.auto.upgrade=false", "downgrade"}},
		"an older table":    {func(b *bench) { b.edit(`table\.version=6`, "table.version=5") }, []string{`version "5"`}},
		"another layout":    {func(b *bench) { b.edit(`layout\.version=1`, "layout.version=2") }, []string{`layout "2"`}},
		"no layout":         {func(b *bench) { b.edit(`hoodie\.timeline\.layout\.version=1\n`, "") }, []string{`layout ""`}},
		"merge on read":     {func(b *bench) { b.edit("COPY_ON_WRITE", "MERGE_ON_READ") }, []string{"MERGE_ON_READ", "land into a new target"}},
		"a metadata table": {func(b *bench) {
			b.edit(`hoodie\.table\.name`, "hoodie.table.metadata.partitions=files\nhoodie.table.name")
		}, []string{"metadata table", "hoodie.metadata.enable=false"}},
		"a metadata table that the properties do not tell of": {func(b *bench) {
			put(b.t, b.store, "lake/orders/.hoodie/metadata/.hoodie/hoodie.properties", []byte("x=y"))
		}, []string{"metadata table"}},
		"a name that was changed":   {func(b *bench) { b.edit(`table\.name=orders`, "table.name=other") }, []string{"checksum", "restore"}},
		"no key":                    {func(b *bench) { b.edit(`recordkey\.fields=id`, "recordkey.fields=") }, []string{"record key"}},
		"dropped partition columns": {func(b *bench) { b.edit(`columns=false`, "columns=true") }, []string{"partition columns"}},
		"no meta columns":           {func(b *bench) { b.edit(`meta\.fields=true`, "meta.fields=false") }, []string{"meta columns"}},
		"data files of ORC":         {func(b *bench) { b.edit(`=PARQUET`, "=ORC") }, []string{"ORC"}},
		"a pending commit":          {func(b *bench) { put(b.t, b.store, "lake/orders/.hoodie/20990101000000000.commit.requested", nil) }, []string{"pending commit", "20990101000000000", "let Spark's next write"}},
		"a pending clustering": {func(b *bench) {
			put(b.t, b.store, "lake/orders/.hoodie/20200101000000000.replacecommit.inflight", nil)
		}, []string{"pending replacecommit", "run_clustering"}},
		"damaged properties": {func(b *bench) { put(b.t, b.store, properties, []byte(`a=\u1`)) }, []string{"restore it"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, shop("land"))
			b.load(false, goods("de", 1, 2))
			h := b.head()
			change := b.adds(h, "u", goods("de", 3))
			before := len(b.keys("", ""))
			tc.make(b)
			_, err := b.table.Head(t.Context())
			if err == nil {
				t.Fatal("the head was read")
			}
			for _, want := range tc.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error lacks %q: %v", want, err)
				}
			}
			// It may have come while the run read its source.
			if strings.Contains(name, "pending") || strings.Contains(name, "metadata table that") {
				if _, err := b.table.Commit(t.Context(), h, change); err == nil {
					t.Error("a commit was made")
				}
			}
			if n := len(b.keys("", "")); n > before+1 {
				t.Errorf("%d objects were written", n-before)
			}
			b.expect(1, 2)
		})
	}
}

// between is a store that does something once, before the first writing of an object whose key has a part.
type between struct {
	store.Store
	part string
	do   func()
}

func (s *between) Put(ctx context.Context, key string, data []byte, when store.Condition) (store.Object, error) {
	if s.do != nil && strings.Contains(key, s.part) {
		do := s.do
		s.do = nil
		do()
	}
	return s.Store.Put(ctx, key, data, when)
}

// What other writers do between a commit's steps: none of it is committed over, and the next run goes on.
func TestOthersBetweenTheSteps(t *testing.T) {
	t.Parallel()
	const folder = "lake/orders/.hoodie/"
	for name, do := range map[string]func(b *bench){
		"another commit": func(b *bench) { touch(b.t, b.store, b.catalog, "orders") },
		"a rollback of the pending instant": func(b *bench) {
			for _, key := range b.keys(".hoodie/", ".requested") {
				l := tableOf(b.t, b.store)
				if instant := key[len(".hoodie/"):][:17]; len(l.commits[instant].Extra) == 0 {
					for object, err := range b.store.List(b.t.Context(), "lake/orders/", "") {
						if err == nil && strings.Contains(object.Key, instant) && !strings.Contains(object.Key, ".lakeland") {
							b.store.Delete(b.t.Context(), object.Key)
						}
					}
				}
			}
		},
		"a data file that is gone": func(b *bench) {
			keys := b.keys("land=de/", ".parquet")
			b.store.Delete(b.t.Context(), "lake/orders/"+keys[len(keys)-1])
		},
		"a data file of another length": func(b *bench) {
			keys := b.keys("land=de/", ".parquet")
			put(b.t, b.store, "lake/orders/"+keys[len(keys)-1], []byte("cut"))
		},
		"an upgrade": func(b *bench) { b.edit(`table\.version=6`, "table.version=8") },
		"a metadata table": func(b *bench) {
			b.edit(`hoodie\.table\.name`, "hoodie.table.metadata.partitions=files\nhoodie.table.name")
		},
		"a pending commit": func(b *bench) { put(b.t, b.store, folder+"20990101000000000.commit.requested", nil) },
	} {
		for _, part := range []string{".lakeland/claims/", "MARKERS0"} {
			if part == "MARKERS0" && strings.HasPrefix(name, "a data file") {
				continue // there is none yet
			}
			t.Run(name+" before "+part, func(t *testing.T) {
				t.Parallel()
				b := newBench(t, shop("land"))
				b.load(false, goods("de", 1, 2))
				h := b.head()
				change := b.adds(h, "u", goods("de", 3))
				under := b.store
				b.store = &between{Store: under, part: part, do: func() {
					b.store = under
					do(b)
				}}
				b.reopen()
				if _, err := b.table.Commit(t.Context(), h, change); !errors.Is(err, table.ErrLostRace) || errors.Is(err, table.ErrOutcomeUnknown) {
					t.Errorf("the commit: %v", err)
				}
				b.store = under
				b.reopen()
				b.expect(1, 2)
				if left := b.keys(".hoodie/.temp/", ""); len(left) > 0 {
					t.Errorf("it left %v", left)
				}
				if l := tableOf(t, b.store); len(l.files("land=de")) != 1 {
					t.Errorf("the partition has the files %v", l.files("land=de"))
				}
				switch name {
				case "an upgrade":
					b.edit(`table\.version=8`, "table.version=6")
				case "a metadata table":
					b.edit(`hoodie\.table\.metadata\.partitions=files\n`, "")
				case "a pending commit":
					b.store.Delete(t.Context(), folder+"20990101000000000.commit.requested")
				}
				h = b.head()
				if h.Checkpoint.Attempt != "a1" {
					t.Errorf("the checkpoint is that of %s", h.Checkpoint.Attempt)
				}
				b.commit(h, change) // the staged files are still there
				b.expect(1, 2, 3)
			})
		}
	}
}

// Prepare refuses what Hudi has no form for, and says what to do.
func TestPrepareRefuses(t *testing.T) {
	t.Parallel()
	b := newBench(t, shop("land"))
	fresh := b.head()
	b.load(false, goods("de", 1))
	h := b.head()
	column := func(s *schema.Table, name string) *schema.Column {
		for i := range s.Columns {
			if s.Columns[i].Name == name {
				return &s.Columns[i]
			}
		}
		return nil
	}
	for name, tc := range map[string]struct {
		on   *table.Head
		edit func(s *schema.Table)
		want string
	}{
		"no key":                    {fresh, func(s *schema.Table) { s.Key = nil }, "has no key"},
		"a key of times":            {fresh, func(s *schema.Table) { s.Key = []string{"at"} }, "two ways"},
		"a key of bytes":            {fresh, func(s *schema.Table) { s.Key = []string{"raw"} }, "no spelling"},
		"a key of floats":           {fresh, func(s *schema.Table) { s.Key = []string{"f"} }, "no spelling"},
		"a partition of times":      {fresh, func(s *schema.Table) { s.Partition[0].Column = "at" }, "two ways"},
		"a partition by day":        {fresh, func(s *schema.Table) { s.Partition[0] = schema.PartitionField{Column: "at", Transform: schema.Day} }, "by the values of columns alone"},
		"a name with a hyphen":      {fresh, func(s *schema.Table) { s.Columns[1].Name = "a-b" }, "Avro does not take"},
		"a name of Hudi's":          {fresh, func(s *schema.Table) { s.Columns[1].Name = "_hoodie_record_key" }, "another name in columns"},
		"two names that are one":    {fresh, func(s *schema.Table) { s.Columns[1].Name = "LAND" }, "another name in columns"},
		"another key":               {h, func(s *schema.Table) { s.Key = []string{"name"} }, "set the key back"},
		"other partitions":          {h, func(s *schema.Table) { s.Partition = nil }, "set partition_by back"},
		"a column of another type":  {h, func(s *schema.Table) { column(s, "n").Type.ID = schema.String }, "another name in columns"},
		"a wider decimal":           {h, func(s *schema.Table) { column(s, "price").Type.Precision = 12 }, "another name in columns"},
		"a column that was renamed": {h, func(s *schema.Table) { c := column(s, "n"); c.Name, c.FieldID = "m", column(&h.Schema, "n").FieldID }, "keep that name"},
	} {
		s := shop("land")
		tc.edit(&s)
		if _, err := b.table.Prepare(tc.on, s); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	wider := shop("land")
	column(&wider, "n").Type.ID = schema.Long
	if _, err := b.table.Prepare(h, wider); err != nil {
		t.Errorf("an int that becomes long: %v", err)
	}
}
