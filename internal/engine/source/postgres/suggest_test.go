package postgres

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// What is suggested follows docs/modes.md: horizon xmin where a table's own transactions tell which rows changed and a key
// finds the old ones, every row otherwise.
func TestSuggest(t *testing.T) {
	t.Parallel()
	full, incremental := spec.SuggestedExtract{Mode: "full"}, spec.SuggestedExtract{Mode: "incremental", Horizon: "xmin"}
	id := []string{"id"}
	for name, tc := range map[string]struct {
		facts  facts
		want   spec.SuggestedExtract
		key    []string
		reason string
	}{
		"a table with a key":          {facts{kind: spec.KindOrdinary, primaryKey: id}, incremental, id, "finds the old rows by the primary key (id); rows that are deleted are not noticed"},
		"partitions with a key":       {facts{kind: spec.KindPartitioned, primaryKey: []string{"id", "day"}}, incremental, []string{"id", "day"}, "by the primary key (id, day)"},
		"a table without":             {facts{kind: spec.KindOrdinary}, full, nil, "it has no primary key, and no unique key without NULLs"},
		"a unique key":                {facts{kind: spec.KindOrdinary, uniqueKeys: [][]string{{"a", "b"}, {"z"}, {"c"}}}, incremental, []string{"c"}, "by the unique key (c)"},
		"both keys":                   {facts{kind: spec.KindOrdinary, primaryKey: []string{"a", "b"}, uniqueKeys: [][]string{{"c"}}}, incremental, []string{"a", "b"}, "by the primary key (a, b)"},
		"a view":                      {facts{kind: spec.KindView}, full, nil, "a view has no transactions of its own"},
		"a materialized view":         {facts{kind: spec.KindMaterialized, uniqueKeys: [][]string{{"id"}}}, full, id, "a materialized view has no transactions of its own"},
		"a foreign table":             {facts{kind: spec.KindForeign}, full, nil, "a foreign table has no transactions of its own"},
		"a table with heirs":          {facts{kind: spec.KindOrdinary, primaryKey: id, heirs: true}, full, nil, "its keys do not hold over their rows"},
		"a partition on other server": {facts{kind: spec.KindPartitioned, primaryKey: id, foreignLeaf: true}, full, id, "a part of it lies on another server"},
	} {
		tc.facts.schema, tc.facts.table = "sales", "orders"
		got := suggest(tc.facts)
		if !strings.Contains(got.Reason, tc.reason) {
			t.Errorf("%s: %s", name, got.Reason)
		}
		got.Reason = ""
		if diff := cmp.Diff(spec.Suggestion{Name: "sales.orders", TargetTable: "sales__orders", Extract: tc.want, StorageMode: "current_snapshot", PrimaryKey: tc.key}, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
