package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5/pgconn"
)

// beginReading opens a transaction that sees one state of the database and changes nothing.
const beginReading = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

var errNoRow = errors.New("the query gave no row")

// row is a row of a query as the server writes it in text. The first field that is not what it is read as is kept
// in err.
type row struct {
	fields [][]byte
	err    error
}

func (r *row) text(i int) string { return string(r.fields[i]) }

func (r *row) truth(i int) bool { return string(r.fields[i]) == "t" }

func (r *row) number(i int) int64 {
	n, err := strconv.ParseInt(string(r.fields[i]), 10, 64)
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("field %d of a row is no number: %w", i+1, err)
	}
	return n
}

// query runs one statement with its parameters as text. It is for the catalogues; rows of tables go by COPY.
func query(ctx context.Context, conn *pgconn.PgConn, statement string, parameters ...string) ([]row, error) {
	values := make([][]byte, len(parameters))
	for i, parameter := range parameters {
		values[i] = []byte(parameter)
	}
	result := conn.ExecParams(ctx, statement, values, nil, nil, nil).Read()
	if result.Err != nil {
		return nil, result.Err
	}
	rows := make([]row, len(result.Rows))
	for i, fields := range result.Rows {
		rows[i].fields = fields
	}
	return rows, nil
}

// queryRow runs a statement that gives one row; errNoRow when it gives none.
func queryRow(ctx context.Context, conn *pgconn.PgConn, statement string, parameters ...string) (*row, error) {
	rows, err := query(ctx, conn, statement, parameters...)
	switch {
	case err != nil:
		return nil, err
	case len(rows) == 0:
		return nil, errNoRow
	default:
		return &rows[0], nil
	}
}

// execute runs a statement without parameters or rows.
func execute(ctx context.Context, conn *pgconn.PgConn, statement string) error {
	return conn.Exec(ctx, statement).Close()
}
