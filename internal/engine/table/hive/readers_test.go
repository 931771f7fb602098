package hive_test

import (
	stdcmp "cmp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/readback"
)

func reader(t *testing.T) readback.Reader {
	t.Helper()
	python, err := sandbox.ForTest(t).Python(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return readback.Reader{Python: python}
}

// folders are the paths that the catalogue names and that hold files, in the order of their batches.
func folders(t *testing.T, s store.Store, c catalog.Catalog, name string) []string {
	t.Helper()
	at, err := locations(t.Context(), c, name)
	if err != nil {
		t.Fatal(err)
	}
	values := make([]string, 0, len(at))
	for value, location := range at {
		for object, err := range s.List(t.Context(), strings.TrimPrefix(location, s.Address("")), "") {
			if err != nil {
				t.Fatal(err)
			}
			if object.Size > 0 {
				values = append(values, value)
				break
			}
		}
	}
	slices.SortFunc(values, func(a, b string) int { return stdcmp.Or(stdcmp.Compare(len(a), len(b)), strings.Compare(a, b)) })
	out := make([]string, len(values))
	for i, value := range values {
		out[i] = strings.TrimPrefix(at[value], "file://")
	}
	return out
}

// readByOthers compares the ids of a table as DuckDB and pyarrow read them from the folders that the catalogue names.
func readByOthers(t *testing.T, s store.Store, c catalog.Catalog, name string, want []int64) {
	t.Helper()
	paths := folders(t, s, c, name)
	for _, engine := range []struct{ name, suffix string }{{"duckdb", "*"}, {"pyarrow", ""}} {
		at := make([]string, len(paths))
		for i, path := range paths {
			at[i] = path + engine.suffix
		}
		var got []int64
		if len(at) > 0 {
			tables, err := reader(t).Parquet(t.Context(), engine.name, at...)
			if err != nil {
				t.Fatal(err)
			}
			for _, one := range tables {
				for _, row := range one.Rows {
					id, err := strconv.ParseInt(*row[slices.Index(one.Names(), "id")], 10, 64)
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, id)
				}
			}
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s reads other rows (-want +read): %s", engine.name, diff)
		}
	}
}
