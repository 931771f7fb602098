package spec_test

import (
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

func TestParsePartition(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]spec.Partition{
		"country":           {Column: "country", Transform: "identity"},
		"identity(country)": {Column: "country", Transform: "identity"},
		"day(created_at)":   {Column: "created_at", Transform: "day"},
		"bucket(16, id)":    {Column: "id", Transform: "bucket", Width: 16},
		"bucket(016,id)":    {Column: "id", Transform: "bucket", Width: 16},
		"truncate(10, a b)": {Column: "a b", Transform: "truncate", Width: 10},
		"year(a(b))":        {Column: "a(b)", Transform: "year"},
	} {
		if got, err := spec.ParsePartition(text); err != nil || got != want {
			t.Errorf("%q is %+v, %v; want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "week(a)", "bucket(0, a)", "bucket(a)", "bucket(1000000, a)", "day()", "day(a", "truncate(-1, a)"} {
		if got, err := spec.ParsePartition(text); err == nil {
			t.Errorf("%q is taken as %+v", text, got)
		}
	}
}
