package readback

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// instant is microseconds since 1970. Seconds with a fraction are floating-point numbers before PostgreSQL 14, which do not tell all.
const instant = "(extract(epoch from date_trunc('second', %[1]s))::bigint * 1000000 + extract(microseconds from %[1]s)::bigint %% 1000000)::text"

// plainSQL gives the plain form of a value of a PostgreSQL type; %s is the quoted column.
var plainSQL = map[string]string{
	"bool":        "%s::text",
	"int2":        "%s::text",
	"int4":        "%s::text",
	"int8":        "%s::text",
	"float4":      "encode(float4send(%s), 'hex')",
	"float8":      "encode(float8send(%s), 'hex')",
	"numeric":     "%s::text",
	"text":        "%s::text",
	"varchar":     "%s::text",
	"bpchar":      "convert_from(bpcharsend(%s), 'UTF8')",
	"date":        "(%s - date '1970-01-01')::text",
	"timestamp":   instant,
	"timestamptz": instant,
	"bytea":       "encode(%s, 'hex')",
	"money":       "%s::numeric(19,2)::text",
	"oid":         "%s::text",
	"xid":         "%s::text",
	"xid8":        "%s::text",
	"uuid":        "%s::text",
	"time":        "%s::text",
	"timetz":      "%s::text",
	"json":        "%s::text",
	"jsonb":       "%s::text",
	"xml":         "%s::text",
	"tsvector":    "%s::text",
	"inet":        "CASE WHEN masklen(%[1]s) IN (32, 128) THEN host(%[1]s) ELSE %[1]s::text END",
	"cidr":        "%s::text",
	"macaddr":     "%s::text",
	"bit":         "%s::text",
	"varbit":      "%s::text",
	"point":       "%s::text",
	"int4range":   "%s::text",
	"_int4":       "to_json(%s)::text",
	"_text":       "to_json(%s)::text",
	"citext":      "%s::text",
	"name":        "%s::text",
}

// Postgres reads a table of a PostgreSQL database, in no order.
func Postgres(ctx context.Context, connString, schema, table string) (*Table, error) {
	conn, err := pgx.Connect(ctx, connString)
	if err != nil {
		return nil, fmt.Errorf("connecting: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	out := &Table{}
	rows, err := conn.Query(ctx, `
		SELECT a.attname, t.typname FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
		WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`, pgx.Identifier{schema, table}.Sanitize())
	if err != nil {
		return nil, fmt.Errorf("reading the columns of %s.%s: %w", schema, table, err)
	}
	var list []string
	for rows.Next() {
		var name, kind string
		if err := rows.Scan(&name, &kind); err != nil {
			return nil, fmt.Errorf("reading the columns of %s.%s: %w", schema, table, err)
		}
		form, ok := plainSQL[kind]
		if !ok {
			return nil, fmt.Errorf("the type %s of %s.%s.%s has no plain form here", kind, schema, table, name)
		}
		out.Columns = append(out.Columns, [2]string{name, kind})
		list = append(list, fmt.Sprintf(form, pgx.Identifier{name}.Sanitize()))
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading the columns of %s.%s: %w", schema, table, err)
	}
	rows, err = conn.Query(ctx, "SELECT "+strings.Join(list, ", ")+" FROM "+pgx.Identifier{schema, table}.Sanitize())
	if err != nil {
		return nil, fmt.Errorf("reading %s.%s: %w", schema, table, err)
	}
	defer rows.Close()
	for rows.Next() {
		row := make([]*string, len(list))
		targets := make([]any, len(list))
		for i := range row {
			targets[i] = &row[i]
		}
		if err := rows.Scan(targets...); err != nil {
			return nil, fmt.Errorf("reading %s.%s: %w", schema, table, err)
		}
		out.Rows = append(out.Rows, row)
	}
	out.Count = int64(len(out.Rows))
	return out, rows.Err()
}
