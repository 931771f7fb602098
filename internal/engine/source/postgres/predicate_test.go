package postgres_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// Each op keeps the rows that the source's own comparison keeps.
func TestFilterIsEvaluatedByTheSource(t *testing.T) {
	t.Parallel()
	c, login, _ := database(t,
		`CREATE TYPE public.mood AS ENUM ('sad', 'ok', 'happy')`, `CREATE DOMAIN public.short AS text`,
		`CREATE TABLE t (id int PRIMARY KEY, n numeric(8,2), note text, at timestamptz(0), code char(4), v varchar(3), m public.mood, "Odd ""Name""; --" int, flag boolean)`,
		`INSERT INTO t VALUES
			(1, 1.50, 'a', '2026-01-01 00:00:00+00', 'ab', 'abc', 'sad', 1, true),
			(2, 2.00, 'it''s', '2026-01-02 00:00:00+00', 'cd', 'x', 'ok', 2, false),
			(3, NULL, '\', NULL, NULL, NULL, NULL, NULL, NULL),
			(4, 10.00, 'a, b', '2026-01-04 00:00:00+00', 'ab', 'ab', 'happy', 4, true)`)
	for _, tc := range []struct {
		filter []spec.Predicate
		want   []int32
	}{
		{nil, []int32{1, 2, 3, 4}},
		{[]spec.Predicate{{Column: "id", Op: "=", Value: "2"}}, []int32{2}},
		{[]spec.Predicate{{Column: "n", Op: "!=", Value: "2"}}, []int32{1, 4}},
		{[]spec.Predicate{{Column: "n", Op: "<", Value: "10"}}, []int32{1, 2}},
		{[]spec.Predicate{{Column: "n", Op: "<=", Value: "2.000"}}, []int32{1, 2}},
		{[]spec.Predicate{{Column: "n", Op: ">", Value: "2"}, {Column: "flag", Op: "=", Value: "yes"}}, []int32{4}},
		{[]spec.Predicate{{Column: "at", Op: ">=", Value: "2026-01-02T03:00:00+03:00"}}, []int32{2, 4}},
		{[]spec.Predicate{{Column: "note", Op: "in", Value: `it's, "a, b"`}}, []int32{2, 4}},
		{[]spec.Predicate{{Column: "note", Op: "=", Value: `\`}}, []int32{3}},
		{[]spec.Predicate{{Column: "code", Op: "=", Value: "ab"}}, []int32{1, 4}},
		{[]spec.Predicate{{Column: "code", Op: "=", Value: "abxyz"}}, nil}, // not cut to what the column holds
		{[]spec.Predicate{{Column: "v", Op: "=", Value: "abcd"}}, nil},
		{[]spec.Predicate{{Column: "m", Op: ">=", Value: "ok"}}, []int32{2, 4}},
		{[]spec.Predicate{{Column: "at", Op: "is_null"}}, []int32{3}},
		{[]spec.Predicate{{Column: "at", Op: "is_not_null"}, {Column: `Odd "Name"; --`, Op: "in", Value: "1,4"}}, []int32{1, 4}},
		{[]spec.Predicate{{Column: "note", Op: "=", Value: `'; DROP TABLE t; --`}}, nil},
		{[]spec.Predicate{{Column: "note", Op: "=", Value: `\'; DROP TABLE t; --`}}, nil},
		{[]spec.Predicate{{Column: "note", Op: "in", Value: `a') OR ('' = '`}}, nil},
	} {
		if got := filtered(t, c, login, tc.filter); !slices.Equal(got, tc.want) {
			t.Errorf("%+v kept %v, want %v", tc.filter, got, tc.want)
		}
	}
	if got := filtered(t, c, login, nil); len(got) != 4 {
		t.Errorf("a hostile value did something: %v", got)
	}
}

// A filter that the source cannot evaluate is an error that names the condition and what to do.
func TestFilterErrorsNameTheCondition(t *testing.T) {
	t.Parallel()
	c, login, _ := database(t, `CREATE TABLE t (id int PRIMARY KEY, doc json)`, `INSERT INTO t VALUES (1, '{}')`)
	for _, tc := range []struct {
		filter spec.Predicate
		want   []string
	}{
		{spec.Predicate{Column: "idd", Op: "=", Value: "1"}, []string{`filter[1], column "idd"`, `did you mean "id"?`}},
		{spec.Predicate{Column: "ctid", Op: "=", Value: "(0,1)"}, []string{`filter[1], column "ctid"`, "no such column"}},
		{spec.Predicate{Column: "id", Op: "=", Value: "one"}, []string{`filter[1], column "id"`, "correct the filter's value"}},
		{spec.Predicate{Column: "id", Op: "in", Value: "1, 99999999999"}, []string{`filter[1], column "id"`, "correct the filter's value"}},
		{spec.Predicate{Column: "id", Op: "=", Value: "1) OR (1=1"}, []string{`filter[1], column "id"`, "correct the filter's value"}},
		{spec.Predicate{Column: `id" IS NULL OR "id`, Op: "is_not_null"}, []string{"no such column"}},
		{spec.Predicate{Column: "doc", Op: "=", Value: "{}"}, []string{`filter[1], column "doc"`, "knows no such comparison"}},
	} {
		request := requestOf(t, c, login, "t", "id")
		request.Filter = []spec.Predicate{{Column: "id", Op: "is_not_null"}, tc.filter}
		_, err := postgres.Extract(t.Context(), c, login, request, func(*column.Batch) error { return nil })
		for _, want := range tc.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%+v: %v, want %q", tc.filter, err, want)
			}
		}
	}
}

// filtered reads the ids that a filter keeps of the table t, of whose columns no other is read.
func filtered(t *testing.T, c *spec.Connection, login postgres.Credentials, filter []spec.Predicate) []int32 {
	t.Helper()
	request := requestOf(t, c, login, "t", "id")
	request.Filter = filter
	var got []int32
	_, err := postgres.Extract(t.Context(), c, login, request, func(b *column.Batch) error {
		if len(b.Columns) != 1 {
			t.Errorf("%d columns were read", len(b.Columns))
		}
		got = append(got, b.Columns[0].Int32s...)
		return nil
	})
	if err != nil {
		t.Fatalf("%+v: %v", filter, err)
	}
	slices.Sort(got)
	return got
}
