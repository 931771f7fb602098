package spec_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

func TestFilterValues(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		op, value string
		want      []string
		wrong     string
	}{
		{"=", `a, "b`, []string{`a, "b`}, ""},
		{"=", "", []string{""}, ""},
		{"is_null", "", nil, ""},
		{"in", "paid", []string{"paid"}, ""},
		{"in", " paid ,new one,3 ", []string{"paid", "new one", "3"}, ""},
		{"in", `"a, b" , "say ""no""", "", c"d`, []string{"a, b", `say "no"`, "", `c"d`}, ""},
		{"in", `" a "`, []string{" a "}, ""},
		{"in", "", nil, "a value of the list is empty"},
		{"in", "a,,b", nil, "a value of the list is empty"},
		{"in", "a,", nil, "a value of the list is empty"},
		{"in", `a, "b`, nil, "is not closed"},
		{"in", `"a"b`, nil, "something follows a value"},
	} {
		got, err := spec.Predicate{Column: "c", Op: tc.op, Value: tc.value}.Values()
		if tc.wrong == "" && (err != nil || !slices.Equal(got, tc.want)) || tc.wrong != "" && (err == nil || !strings.Contains(err.Error(), tc.wrong)) {
			t.Errorf("%s %q is %q, %v", tc.op, tc.value, got, err)
		}
	}
}

// Whatever the values are, quoted in a list they come out as they were.
func FuzzFilterValues(f *testing.F) {
	f.Add("a", `b"c, d`)
	f.Add("", " x ")
	f.Fuzz(func(t *testing.T, a, b string) {
		quote := func(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }
		got, err := spec.Predicate{Op: "in", Value: quote(a) + ", " + quote(b)}.Values()
		if err != nil || !slices.Equal(got, []string{a, b}) {
			t.Errorf("%q and %q came out as %q, %v", a, b, got, err)
		}
		_, _ = spec.Predicate{Op: "in", Value: a}.Values()
	})
}
