package iceberg_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// Several decimals in one spec are what manifests are not written for.
func TestSeveralDecimalPartitions(t *testing.T) {
	t.Parallel()
	tb := open(store.NewDirectory(t.TempDir()), catalog.NewMemory("raw"), "lake/orders/", "orders")
	h, err := tb.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	columns := everything()
	columns.Partition = fieldsOf(schema.Identity, 0, "d9", "d38")
	if _, err := tb.Prepare(h, columns); err == nil || !strings.Contains(err.Error(), "d9, d38") {
		t.Errorf("got %v", err)
	}
}

func named(names ...string) schema.Table {
	s := schema.Table{Columns: []schema.Column{{Name: "id", Type: schema.Type{ID: schema.Long}, Required: true}}}
	for _, name := range names {
		s.Columns = append(s.Columns, schema.Column{Name: name, Type: schema.Type{ID: schema.Int}, Source: &schema.SourceColumn{Name: name, Number: len(s.Columns) + 1, Type: "integer"}})
	}
	return s
}

// rewriteOne commits a change that takes out one file, so that its manifest is written again.
func rewriteOne(t *testing.T, tb table.Table, columns schema.Table, attempt string) {
	t.Helper()
	h, err := tb.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	files, err := tb.Files(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	planned, err := tb.Prepare(h, columns)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tb.Commit(t.Context(), h, table.Change{Schema: planned, Remove: []string{files[0].Key}, Checkpoint: table.Checkpoint{V: 1, Attempt: attempt}}); err != nil {
		t.Fatal(err)
	}
}

// Names that Avro or another column has no room for, and a column that was widened since its
// files were written: PyIceberg reads them, before and after their manifests are written again.
func TestOddPartitions(t *testing.T) {
	t.Parallel()
	s, c := store.NewDirectory(t.TempDir()), catalog.NewMemory("raw")
	var questions []asked
	var want []int
	look := func(name string, rows int) {
		t.Helper()
		_, address, err := metadata(t.Context(), s, c, name)
		if err != nil {
			t.Fatal(err)
		}
		questions, want = append(questions, asked{Metadata: address}), append(want, rows)
	}
	columns := named("größe", "2nd", "plain", "plain_bucket")
	columns.Partition = slices.Concat(fieldsOf(schema.Identity, 0, "größe", "2nd"), fieldsOf(schema.Bucket, 3, "plain"), fieldsOf(schema.Truncate, 7, "2nd"))
	tb := open(s, c, "lake/names/", "names")
	land(t, s, tb, columns, "a1", rowsOf(&columns, 12))
	look("names", 12)
	h, err := tb.Head(t.Context())
	if err != nil || !slices.Equal(h.Schema.Partition, columns.Partition) {
		t.Fatalf("read as %v, %v", h.Schema.Partition, err)
	}
	rewriteOne(t, tb, h.Schema, "a2")
	columns = named("n")
	columns.Partition = slices.Concat(fieldsOf(schema.Identity, 0, "n"), fieldsOf(schema.Bucket, 4, "n"))
	tb = open(s, c, "lake/wide/", "wide")
	land(t, s, tb, columns, "a1", rowsOf(&columns, 12))
	columns.Columns[1].Type.ID = schema.Long
	land(t, s, tb, columns, "a2", rowsOf(&columns, 12))
	look("wide", 24)
	if h, err = tb.Head(t.Context()); err != nil {
		t.Fatal(err)
	}
	before, err := tb.Files(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	rewriteOne(t, tb, h.Schema, "a3")
	look("wide", 24-int(before[0].Rows))
	for i, a := range pyiceberg(t, questions...) {
		if len(a.IDs) != want[i] || len(a.Wrong) > 0 {
			t.Errorf("%s: %d rows, want %d; %v", questions[i].Metadata, len(a.IDs), want[i], a.Wrong)
		}
	}
	h, err = tb.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	after, err := tb.Files(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	ids := func(files []table.StoredFile) map[string]string {
		out := map[string]string{}
		for _, f := range files {
			out[f.Key] = f.Partition.ID()
		}
		return out
	}
	was := ids(before)
	maps.DeleteFunc(was, func(key, _ string) bool { return key == before[0].Key })
	if diff := cmp.Diff(was, ids(after)); diff != "" {
		t.Errorf("partitions changed when their manifest was written again: %s", diff)
	}
}

// A column that would get the name of a partition field is refused before anything is written.
func TestNamesakesOfPartitionFields(t *testing.T) {
	t.Parallel()
	s, c := store.NewDirectory(t.TempDir()), catalog.NewMemory("raw")
	tb := open(s, c, "lake/orders/", "orders")
	columns := named("n")
	columns.Partition = fieldsOf(schema.Bucket, 4, "n")
	land(t, s, tb, columns, "a1", rowsOf(&columns, 3))
	h, err := tb.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h.Schema.Columns = append(h.Schema.Columns, schema.Column{Name: "n_bucket", Type: schema.Type{ID: schema.Int}})
	if _, err := tb.Prepare(h, h.Schema); err == nil || !strings.Contains(err.Error(), `"n_bucket"`) {
		t.Errorf("got %v", err)
	}
	for _, fields := range [][]schema.PartitionField{fieldsOf(schema.Day, 0, "n"), fieldsOf(schema.Identity, 0, "gone")} {
		h.Schema.Partition = fields
		if _, err := tb.Prepare(h, h.Schema); err == nil {
			t.Errorf("%s is taken", fmt.Sprint(fields))
		}
	}
}
