package spec_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

func TestPatterns(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		pattern, schema, table string
		want                   bool
	}{
		{"*.*", "public", "orders", true},
		{"*.*", "a.b", "c.d", true},
		{"public.*", "public", "", true},
		{"public.*", "Public", "orders", false},
		{"public.orders", "public", "orders", true},
		{"public.orders", "public", "orders_2", false},
		{"public.Orders", "public", "orders", false},
		{"*.orders", "sales", "orders", true},
		{"s?les.o*s", "sales", "orders", true},
		{"s?les.o*s", "sles", "orders", false},
		{"sales.o*d*s", "sales", "odds and ends", true},
		{"*.?", "public", "é", true},
		{"*.??", "public", "é", false},
		{"a.b.c", "a", "b.c", true},
		{"a.b.c", "a.b", "c", false},
		{`a\.b.c`, "a.b", "c", true},
		{`a\.b.c`, "a", "b.c", false},
		{`public.50\*`, "public", "50*", true},
		{`public.50\*`, "public", "500", false},
		{`public.\\x`, "public", `\x`, true},
		{`public.[ab]`, "public", "a", false},
		{`public.[ab]`, "public", "[ab]", true},
		{`public.x"; DROP TABLE y`, "public", `x"; DROP TABLE y`, true},
		{"*.***a", "x", "bbba", true},
	} {
		p, err := spec.ParsePattern(tc.pattern)
		if err != nil {
			t.Errorf("%s: %v", tc.pattern, err)
		} else if got := p.Match(tc.schema, tc.table); got != tc.want {
			t.Errorf("%s matches %q.%q: %t", tc.pattern, tc.schema, tc.table, got)
		}
	}
	for pattern, want := range map[string]string{
		"orders":                 `"orders" names no schema: write "public.orders", or "*.orders" for every schema`,
		"":                       "names no schema",
		".orders":                `".orders" is no pattern: write SCHEMA.TABLE`,
		"public.":                `"public." is no pattern`,
		`public.orders\`:         `ends with a "\" that takes nothing`,
		strings.Repeat("x", 600): "the pattern has 600 bytes; at most 512 are read",
	} {
		if _, err := spec.ParsePattern(pattern); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", pattern, err)
		}
	}
}

// modelOf is a pattern as a regular expression, which is another way to say what it means.
func modelOf(pattern string) *regexp.Regexp {
	var out strings.Builder
	out.WriteString(`(?s)\A`)
	split, escaped := false, false
	for _, r := range pattern {
		switch {
		case !escaped && r == '\\':
			escaped = true
			continue
		case !escaped && r == '*':
			out.WriteString(`[^\x00]*`)
		case !escaped && r == '?':
			out.WriteString(`[^\x00]`)
		case !escaped && r == '.' && !split:
			out.WriteString(`\x00`)
			split = true
		default:
			out.WriteString(regexp.QuoteMeta(string(r)))
		}
		escaped = false
	}
	return regexp.MustCompile(out.String() + `\z`)
}

func FuzzPatternMatchesLikeItsModel(f *testing.F) {
	f.Add("*.a*b?c", "public", "aXbYc")
	f.Add(`a\.b.*\*`, "a.b", "x*")
	f.Add("?*?.**", "xy", "")
	f.Fuzz(func(t *testing.T, pattern, schema, table string) {
		p, err := spec.ParsePattern(pattern)
		if err != nil || strings.ContainsRune(schema+table+pattern, 0) || strings.ToValidUTF8(pattern+schema+table, "") != pattern+schema+table {
			return
		}
		if got, want := p.Match(schema, table), modelOf(pattern).MatchString(schema+"\x00"+table); got != want {
			t.Errorf("%q matches %q.%q: %t, its model says %t", pattern, schema, table, got, want)
		}
	})
}

// A name, each character escaped, is a pattern that matches it and nothing else.
func TestEscapedNamesMatchThemselvesAlone(t *testing.T) {
	t.Parallel()
	escape := func(name string) string {
		var out strings.Builder
		for _, r := range name {
			out.WriteString(`\` + string(r))
		}
		return out.String()
	}
	names := rapid.StringMatching(`[ab.*?\\]{1,6}`)
	rapid.Check(t, func(t *rapid.T) {
		schema, table, other := names.Draw(t, "schema"), names.Draw(t, "table"), names.Draw(t, "other")
		p, err := spec.ParsePattern(escape(schema) + "." + escape(table))
		if err != nil {
			t.Fatal(err)
		}
		if !p.Match(schema, table) || p.Match(schema, other) != (other == table) || p.Match(other, table) != (other == schema) {
			t.Errorf("the names %q and %q, escaped, match something else", schema, table)
		}
	})
}

func TestSelections(t *testing.T) {
	t.Parallel()
	tables := []spec.DiscoveredTable{{Schema: "hr", Table: "jobs"}, {Schema: "hr", Table: "jobs_old"}, {Schema: "sales", Table: "orders"}}
	for _, tc := range []struct {
		include, exclude, want []string
		idle                   []int
	}{
		{nil, nil, []string{"jobs", "jobs_old", "orders"}, nil},
		{[]string{"hr.*"}, []string{"*.*_old"}, []string{"jobs"}, nil},
		{[]string{"hr.job", "hr.*", "*.*_old"}, []string{"*.*_old"}, []string{"jobs"}, []int{0, 2}},
		{nil, []string{"*.*"}, nil, []int{0}},
	} {
		s, wrong := spec.Select(tc.include, tc.exclude)
		if len(wrong) > 0 {
			t.Fatal(wrong)
		}
		var got []string
		left := s.Of(tables)
		for _, table := range left {
			got = append(got, table.Table)
		}
		if idle := s.Idle(left); !slices.Equal(got, tc.want) || !slices.Equal(idle, tc.idle) {
			t.Errorf("%q without %q leaves %q, %d idle", tc.include, tc.exclude, got, idle)
		}
	}
	if _, wrong := spec.Select([]string{"a.b", "c"}, []string{"d"}); len(wrong) != 2 || wrong[0].Path.String() != "include[1]" || wrong[1].Path.String() != "exclude[0]" {
		t.Errorf("two patterns without schemas: %v", wrong)
	}
	if _, wrong := spec.Select(make([]string, 1001), nil); len(wrong) != 1 || !strings.Contains(wrong[0].Message, "it has 1001 patterns; at most 1000 are read") {
		t.Errorf("too many patterns: %v", wrong)
	}
}
