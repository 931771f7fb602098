package hudi_test

import (
	"os"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
)

func TestScratch(t *testing.T) {
	dir := os.Getenv("LAKE_OUT")
	if dir == "" {
		t.Skip()
	}
	part := []string{"land"}
	if os.Getenv("LAKE_FLAT") != "" {
		part = nil
	}
	b := newBench(t, shop(part...))
	b.store, b.catalog = store.NewDirectory(dir), catalog.NewMemory("raw")
	b.reopen()
	switch os.Getenv("LAKE_STEP") {
	case "1":
		b.load(false, append(goods("de", 1, 2, 3), goods("f/r:=%é", 4, 5)...))
		b.upsert(goods("de", 2, 6), 3)
		b.upsert(nil, 4, 5)
	case "2":
		h := b.head()
		t.Log(h.Commit, h.Schema.Columns)
		b.upsert(goods("de", 100, 1), 6)
	case "3":
		b.load(true, goods("de", 200, 201))
		b.upsert(goods("f/r:=%é", 202))
	case "4":
		b.columns.Columns = append(b.columns.Columns, schema.Column{Name: "more", Type: schema.Type{ID: schema.String}, Source: &schema.SourceColumn{Name: "more", Number: 99, Type: "text"}})
		g := goods("de", 201, 203)
		g[0]["more"] = "x"
		b.upsert(g)
	}
	for id, r := range b.rows() {
		t.Log(id, r["name"], r["_hoodie_commit_time"], r["_hoodie_file_name"])
	}
}
