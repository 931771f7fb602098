package postgres_test

import (
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// requestOf asks for columns of a table of the schema public, in the given order.
func requestOf(t *testing.T, c *spec.Connection, login postgres.Credentials, table string, names ...string) postgres.Request {
	t.Helper()
	conn, err := postgres.Connect(t.Context(), c, login)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	r := postgres.Request{Source: spec.DatabaseSource{Connection: "db", Schema: "public", Table: table}}
	for _, name := range names {
		result := conn.ExecParams(t.Context(), `SELECT attnum, atttypid, atttypmod, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = $1::regclass AND attname = $2`,
			[][]byte{[]byte(pgx.Identifier{"public", table}.Sanitize()), []byte(name)}, nil, nil, []int16{0}).Read()
		if result.Err != nil || len(result.Rows) != 1 {
			t.Fatalf("the column %s.%s: %v, %d rows", table, name, result.Err, len(result.Rows))
		}
		field := func(i int) int { return atoi(t, string(result.Rows[0][i])) }
		kind, err := schema.FromPostgres(uint32(field(1)), int32(field(2)))
		if err != nil {
			t.Fatal(err)
		}
		r.Columns = append(r.Columns, schema.Column{
			Name: name, Type: kind, Source: &schema.SourceColumn{Name: name, Number: field(0), OID: uint32(field(1)), Type: string(result.Rows[0][3])},
		})
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
