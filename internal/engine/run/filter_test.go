package run_test

import (
	"strings"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
	"github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

// A filter decides which rows land, also on one connection, and a hostile value is a value.
func TestFilterLandsTheRowsThatMeetIt(t *testing.T) {
	t.Parallel()
	l := newLake(t, `CREATE TABLE orders (id int PRIMARY KEY, state text, at timestamptz)`,
		`INSERT INTO orders SELECT i, CASE i % 3 WHEN 0 THEN 'paid' WHEN 1 THEN 'a, b' ELSE ''');--' END, CASE WHEN i % 2 = 0 THEN timestamptz '2026-11-21 12:00:00+00' END FROM generate_series(1, 60) i`,
		`CREATE TABLE expected AS SELECT * FROM orders WHERE state IN ('paid', 'a, b') AND at IS NOT NULL`,
		`CREATE TABLE hostile AS SELECT * FROM orders WHERE state = ''');--'`)
	for name, filter := range map[string][]spec.Predicate{
		"expected": {{Column: "state", Op: "in", Value: `paid, "a, b"`}, {Column: "at", Op: "is_not_null"}},
		"hostile":  {{Column: "state", Op: "=", Value: `');--`}},
	} {
		doc := l.source(name)
		doc.Source.Database.Table, doc.Filter = "orders", filter
		l.must(l.tracking.CreateTable(t.Context(), doc, sandbox.Account))
		if out := l.runner().Table(t.Context(), doc.Name); out.Err != nil || out.Rows != 20 {
			t.Errorf("%s: %d rows, %v", name, out.Rows, out.Err)
		}
	}
	l.equal("expected", "hostile")
}

// A filter that the source cannot evaluate fails its table, names the condition and leaves nothing behind.
func TestFilterThatTheSourceRefuses(t *testing.T) {
	t.Parallel()
	l := newLake(t, `CREATE TABLE orders (id int PRIMARY KEY)`)
	doc := l.source("orders")
	doc.Filter = []spec.Predicate{{Column: "id", Op: ">", Value: "many"}}
	l.must(l.tracking.CreateTable(t.Context(), doc, sandbox.Account))
	out := l.runner().Table(t.Context(), doc.Name)
	if out.State != tracking.RunFailed || out.Err == nil || !strings.Contains(out.Err.Error(), `filter[0], column "id"`) || !strings.Contains(out.Err.Error(), "correct the filter's value") {
		t.Errorf("the run ended %s: %v", out.State, out.Err)
	}
	if left := l.objects("raw/orders/"); len(left) != 0 {
		t.Errorf("it left %v", left)
	}
}
