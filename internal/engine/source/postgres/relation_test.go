package postgres_test

import (
	"strconv"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// requestOf asks for columns of a table of the schema public, in the given order.
func requestOf(t *testing.T, c *spec.Connection, login postgres.Credentials, table string, names ...string) postgres.Request {
	t.Helper()
	s, err := postgres.Begin(t.Context(), c, login)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(t.Context())
	source := spec.DatabaseSource{Connection: "db", Schema: "public", Table: table}
	d, err := s.Describe(t.Context(), &source, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := postgres.Request{Parts: []postgres.Part{{Source: source}}}
	for _, name := range names {
		for _, c := range d.Schema.Columns {
			if c.Source.Name == name {
				r.Columns = append(r.Columns, c)
			}
		}
	}
	if len(r.Columns) != len(names) {
		t.Fatalf("%s has not all of %q", table, names)
	}
	return r
}

func atoi(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
