package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// attribute is what a condition needs to know of a column.
type attribute struct {
	name string
	// spelling is the type's name as it stands behind ::, without a modifier: a modifier would cut a value that is
	// too long to what the column could hold, and so compare with another value.
	spelling string
}

// attributes reads the columns of a table or view, by name. They are read in the session's own transaction.
func attributes(ctx context.Context, conn *pgconn.PgConn, from spec.DatabaseSource) (map[string]attribute, error) {
	rows, err := query(ctx, conn, `
		SELECT a.attname, pg_catalog.format_type(a.atttypid, -1)
		FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped`, from.Schema, from.Table)
	if err != nil {
		return nil, fmt.Errorf("reading the types of its columns: %w", err)
	}
	out := make(map[string]attribute, len(rows))
	for i := range rows {
		out[rows[i].text(0)] = attribute{name: rows[i].text(0), spelling: rows[i].text(1)}
	}
	return out, nil
}

// conditions turns a filter into SQL, each condition checked by the server alone so that an error names it. COPY takes
// no parameters, so values become string constants that the input function of the column's type reads: whatever a value
// holds, it is a value or an error.
func conditions(ctx context.Context, conn *pgconn.PgConn, from spec.DatabaseSource, filter []spec.Predicate) ([]string, error) {
	if len(filter) == 0 {
		return nil, nil
	}
	columns, err := attributes(ctx, conn, from)
	if err != nil {
		return nil, err
	}
	out := make([]string, len(filter))
	for i, p := range filter {
		if out[i], err = condition(columns, p); err == nil {
			// No row is asked for: the server only reads the condition, values included.
			_, err = query(ctx, conn, "SELECT 1 FROM "+quoted(from.Schema, from.Table)+" WHERE "+out[i]+" LIMIT 0")
		}
		if err != nil {
			return nil, fmt.Errorf("filter[%d], column %q: %w", i, p.Column, explainCondition(err))
		}
	}
	return out, nil
}

func condition(columns map[string]attribute, p spec.Predicate) (string, error) {
	column, ok := columns[p.Column]
	if !ok {
		names := make([]string, 0, len(columns))
		for name := range columns {
			names = append(names, name)
		}
		if near := spec.Nearest(p.Column, names); near != "" {
			return "", fmt.Errorf("the table has no such column; did you mean %q? Names are exact, case included", near)
		}
		return "", errors.New("the table has no such column; names are exact, case included")
	}
	values, err := p.Values()
	if err != nil {
		return "", err
	}
	for i, value := range values {
		values[i] = constant(value, column.spelling)
	}
	name := quoted(column.name)
	switch p.Op {
	case "is_null":
		return name + " IS NULL", nil
	case "is_not_null":
		return name + " IS NOT NULL", nil
	case "in":
		return name + " IN (" + strings.Join(values, ", ") + ")", nil
	case "!=":
		return name + " <> " + values[0], nil
	case "=", "<", "<=", ">", ">=":
		return name + " " + p.Op + " " + values[0], nil
	default:
		return "", fmt.Errorf("the op %q is not known", p.Op)
	}
}

// constant is a value of a type, as the server's input function of the type reads it.
func constant(value, spelling string) string {
	return strings.TrimSpace(quoteLiteral(value)) + "::" + spelling
}

// every joins conditions that must all hold; "" is none.
func every(conditions ...string) string {
	var out []string
	for _, c := range conditions {
		if c != "" {
			out = append(out, "("+c+")")
		}
	}
	return strings.Join(out, " AND ")
}

func explainCondition(err error) error {
	var server *pgconn.PgError
	if !errors.As(err, &server) {
		return err
	}
	switch {
	case server.Code == "42883":
		return fmt.Errorf("%w: the column's type knows no such comparison: filter on another column, or read a view", err)
	case server.Code == "42501":
		return fmt.Errorf("%w: GRANT SELECT on it to the connection's role", err)
	case strings.HasPrefix(server.Code, "22"):
		return fmt.Errorf("%w: correct the filter's value to one of the column's type", err)
	default:
		return err
	}
}
