package iceberg_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table/conformance"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table/iceberg"
)

func openAt(s store.Store, c catalog.Catalog, prefix, name string, now func() time.Time) table.Table {
	return iceberg.New(iceberg.Options{Store: s, Catalog: c, Prefix: prefix, Database: "raw", Name: name, Version: "test", Now: now})
}

func open(s store.Store, c catalog.Catalog, prefix, name string) table.Table {
	return openAt(s, c, prefix, name, nil)
}

func TestConformance(t *testing.T) {
	t.Parallel()
	conformance.Run(t, conformance.Format{
		Can:    conformance.Abilities{Replaces: true, Appends: true, Exchanges: true, Deletes: true, Partitions: true, Transforms: true, Renames: true, Snapshots: true},
		Writes: 3, Open: openAt, Rows: rows, Touch: touch, Rollback: rollback, End: readByOthers,
	})
}

type document struct {
	Snapshots []struct {
		ID           int64             `json:"snapshot-id"`
		Parent       *int64            `json:"parent-snapshot-id"`
		ManifestList string            `json:"manifest-list"`
		Summary      map[string]string `json:"summary"`
	} `json:"snapshots"`
	Current     int64             `json:"current-snapshot-id"`
	MetadataLog []json.RawMessage `json:"metadata-log"`
	Properties  map[string]string `json:"properties"`
}

func read(ctx context.Context, s store.Store, address string) ([]byte, error) {
	return store.Read(ctx, s, strings.TrimPrefix(address, s.Address("")), 1<<30)
}

func metadata(ctx context.Context, s store.Store, c catalog.Catalog, name string) (*document, string, error) {
	entry, err := c.Get(ctx, "raw", name)
	if err != nil {
		return nil, "", err
	}
	address := entry.Parameters["metadata_location"]
	data, err := read(ctx, s, address)
	if err != nil {
		return nil, "", err
	}
	var d document
	return &d, address, json.Unmarshal(data, &d)
}

func replace(t *testing.T, tb table.Table, attempt string) *table.Committed {
	t.Helper()
	h, err := tb.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	planned, err := tb.Prepare(h, conformance.Columns())
	if err != nil {
		t.Fatal(err)
	}
	done, err := tb.Commit(t.Context(), h, table.Change{Schema: planned, ReplaceAll: true, Checkpoint: table.Checkpoint{V: 1, Table: "shop.orders", Attempt: attempt, Horizon: "full"}})
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// After years of commits there are still few metadata files, and the log names those there are.
func TestMetadataFilesAreBounded(t *testing.T) {
	t.Parallel()
	s, c := store.NewDirectory(t.TempDir()), catalog.NewMemory("raw")
	tb := open(s, c, "lake/orders/", "orders")
	for i := range 60 {
		replace(t, tb, fmt.Sprintf("a%d", i))
	}
	d, _, err := metadata(t.Context(), s, c, "orders")
	if err != nil {
		t.Fatal(err)
	}
	files := 0
	for object, err := range s.List(t.Context(), "lake/orders/metadata/", "") {
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(object.Key, ".metadata.json") {
			files++
		}
	}
	if files != 21 || len(d.MetadataLog) != 20 {
		t.Errorf("%d metadata files, %d in the log", files, len(d.MetadataLog))
	}
}

// edit rewrites a table's metadata the way another engine's commit does.
func edit(t *testing.T, s store.Store, c catalog.Catalog, change func(map[string]any)) {
	t.Helper()
	entry, err := c.Get(t.Context(), "raw", "orders")
	if err != nil {
		t.Fatal(err)
	}
	data, err := read(t.Context(), s, entry.Parameters["metadata_location"])
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var all map[string]any
	if err := decoder.Decode(&all); err != nil {
		t.Fatal(err)
	}
	change(all)
	if data, err = json.Marshal(all); err != nil {
		t.Fatal(err)
	}
	key := "lake/orders/metadata/foreign-" + entry.Version + ".metadata.json"
	if _, err := s.Put(t.Context(), key, data, store.Condition{IfAbsent: true}); err != nil {
		t.Fatal(err)
	}
	entry.Parameters["metadata_location"], entry.Parameters["their"] = s.Address(key), "parameter"
	if err := c.Update(t.Context(), entry); err != nil {
		t.Fatal(err)
	}
}

func snapshotsOf(all map[string]any) []any {
	list, _ := all["snapshots"].([]any)
	return list
}

// foreignSnapshot puts a snapshot without checkpoint on top, as Spark or an optimiser does.
func foreignSnapshot(id json.Number) func(map[string]any) {
	return func(all map[string]any) {
		parent, _ := snapshotsOf(all)[len(snapshotsOf(all))-1].(map[string]any)
		all["snapshots"] = append(snapshotsOf(all), map[string]any{
			"snapshot-id": id, "parent-snapshot-id": parent["snapshot-id"], "sequence-number": json.Number("99"), "timestamp-ms": parent["timestamp-ms"],
			"manifest-list": parent["manifest-list"], "summary": map[string]any{"operation": "replace", "total-records": "0"}, "key-id": "theirs",
		})
		all["current-snapshot-id"], all["last-sequence-number"] = id, json.Number("99")
		all["statistics"] = []any{map[string]any{"snapshot-id": id, "statistics-path": "s3://x"}}
	}
}

// The checkpoint is found below commits of others, and what they added to the metadata stays.
func TestForeignCommitsOnTop(t *testing.T) {
	t.Parallel()
	s, c := store.NewDirectory(t.TempDir()), catalog.NewMemory("raw")
	tb := open(s, c, "lake/orders/", "orders")
	ours := replace(t, tb, "a1")
	edit(t, s, c, foreignSnapshot("123456789012345678"))
	h, err := tb.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if h.Commit != "123456789012345678" || h.CheckpointCommit != ours.Commit || h.Checkpoint.Attempt != "a1" {
		t.Errorf("the head is %s with the checkpoint of %s", h.Commit, h.CheckpointCommit)
	}
	replace(t, tb, "a2")
	_, address, err := metadata(t.Context(), s, c, "orders")
	if err != nil {
		t.Fatal(err)
	}
	data, err := read(t.Context(), s, address)
	if err != nil {
		t.Fatal(err)
	}
	for _, kept := range []string{`"statistics-path":"s3://x"`, `"key-id":"theirs"`} {
		if !strings.Contains(string(data), kept) {
			t.Errorf("our commit lost %s", kept)
		}
	}
	entry, err := c.Get(t.Context(), "raw", "orders")
	if err != nil || entry.Parameters["their"] != "parameter" {
		t.Errorf("our commit lost their parameter of the entry: %v, %v", entry, err)
	}
}

// Where ancestry was cut, the copy in the properties counts only if it names the very snapshot that is missing.
func TestCheckpointWhereAncestryWasCut(t *testing.T) {
	t.Parallel()
	s, c := store.NewDirectory(t.TempDir()), catalog.NewMemory("raw")
	tb := open(s, c, "lake/orders/", "orders")
	ours := replace(t, tb, "a1")
	edit(t, s, c, foreignSnapshot("222"))
	expire := func(all map[string]any) { all["snapshots"] = snapshotsOf(all)[1:] }
	edit(t, s, c, expire)
	h, err := tb.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if h.CheckpointCommit != ours.Commit || h.Checkpoint == nil || h.Checkpoint.Attempt != "a1" {
		t.Errorf("the checkpoint was not found: %+v", h)
	}
	edit(t, s, c, foreignSnapshot("333"))
	edit(t, s, c, expire)
	if h, err = tb.Head(t.Context()); err != nil || h.Checkpoint != nil {
		t.Errorf("a copy that does not belong to the missing parent was used: %+v, %v", h.Checkpoint, err)
	}
}

func TestOtherFormatVersionsAreRefused(t *testing.T) {
	t.Parallel()
	s, c := store.NewDirectory(t.TempDir()), catalog.NewMemory("raw")
	tb := open(s, c, "lake/orders/", "orders")
	replace(t, tb, "a1")
	edit(t, s, c, func(all map[string]any) { all["format-version"] = json.Number("3") })
	if _, err := tb.Head(t.Context()); err == nil || !strings.Contains(err.Error(), "format version is 3") {
		t.Errorf("got %v", err)
	}
}

func TestForeignColumnsAreRefused(t *testing.T) {
	t.Parallel()
	s, c := store.NewDirectory(t.TempDir()), catalog.NewMemory("raw")
	tb := open(s, c, "lake/orders/", "orders")
	replace(t, tb, "a1")
	edit(t, s, c, func(all map[string]any) {
		schemas, _ := all["schemas"].([]any)
		current, _ := schemas[0].(map[string]any)
		fields, _ := current["fields"].([]any)
		current["fields"] = append(fields, map[string]any{"id": json.Number("9"), "name": "tags", "required": false, "type": map[string]any{"type": "list", "element-id": json.Number("10"), "element": "string", "element-required": false}})
	})
	if _, err := tb.Head(t.Context()); !errors.Is(err, table.ErrForeign) || !strings.Contains(err.Error(), `"tags"`) {
		t.Errorf("got %v", err)
	}
}

// A widened column keeps its field id.
func TestWideningKeepsFieldIDs(t *testing.T) {
	t.Parallel()
	s, c := store.NewDirectory(t.TempDir()), catalog.NewMemory("raw")
	tb := open(s, c, "lake/orders/", "orders")
	h, err := tb.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	columns := schema.Table{Columns: []schema.Column{{Name: "n", Type: schema.Type{ID: schema.Int}, Source: &schema.SourceColumn{Name: "n", Number: 1}}}}
	for _, typ := range []schema.ID{schema.Int, schema.Long} {
		columns.Columns[0].Type.ID = typ
		if h.Exists {
			evolved, err := schema.Evolve(h.Schema, columns, schema.Whole)
			if err != nil {
				t.Fatal(err)
			}
			columns = evolved.Table
		}
		planned, err := tb.Prepare(h, columns)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tb.Commit(t.Context(), h, table.Change{Schema: planned, ReplaceAll: true, Checkpoint: table.Checkpoint{V: 1, Attempt: string(typ)}}); err != nil {
			t.Fatal(err)
		}
		if h, err = tb.Head(t.Context()); err != nil || h.Schema.Columns[0].Type.ID != typ || h.Schema.Columns[0].FieldID != 1 {
			t.Fatalf("%+v, %v", h.Schema, err)
		}
		columns.Columns[0].FieldID = 0
	}
}
