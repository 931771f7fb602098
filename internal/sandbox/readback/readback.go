// Package readback reads what Lakeland wrote with engines that are not Lakeland's, and what the source holds by
// SQL, both in one plain form, so that values can be compared.
package readback

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

//go:embed read.py
var script string

// Table is a table as an engine reads it. A value is nil for NULL, or its plain form: see read.py.
type Table struct {
	Columns [][2]string `json:"columns"`
	Count   int64       `json:"count"`
	Rows    [][]*string `json:"rows"`
}

// Names are the columns' names.
func (t *Table) Names() []string {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c[0]
	}
	return names
}

// Reader runs the engines of a Python environment.
type Reader struct {
	Python string
	// Env finds AWS's endpoints and keys.
	Env []string
}

// Iceberg reads tables of the Glue catalogue, named database.table, with PyIceberg.
func (r Reader) Iceberg(ctx context.Context, names ...string) ([]Table, error) {
	return r.read(ctx, append([]string{"pyiceberg", "rows"}, names...))
}

// Files reads tables of the Glue catalogue, named database.table, with DuckDB's reader of Parquet: the files that their Iceberg
// metadata names, by their field ids, without rows that are deleted by position.
func (r Reader) Files(ctx context.Context, names ...string) ([]Table, error) {
	return r.read(ctx, append([]string{"files-duckdb", "rows"}, names...))
}

// Metadata reads Iceberg tables by the addresses of their metadata files, with DuckDB's Iceberg reader.
func (r Reader) Metadata(ctx context.Context, addresses ...string) ([]Table, error) {
	return r.read(ctx, append([]string{"iceberg-duckdb", "rows"}, addresses...))
}

// IcebergQuery runs a query with DuckDB over a table of the Glue catalogue, named database.table, that PyIceberg reads piece by
// piece, for tables too large to be compared whole. The query knows it as "table".
func (r Reader) IcebergQuery(ctx context.Context, name, query string) ([]Table, error) {
	return r.read(ctx, []string{"pyiceberg", "query", name + " " + query})
}

// Count counts the rows of tables of the Glue catalogue, named database.table, with PyIceberg.
func (r Reader) Count(ctx context.Context, names ...string) ([]int64, error) {
	tables, err := r.read(ctx, append([]string{"pyiceberg", "count"}, names...))
	counts := make([]int64, len(tables))
	for i, t := range tables {
		counts[i] = t.Count
	}
	return counts, err
}

// Parquet reads Parquet files with an engine: "duckdb" or "pyarrow".
func (r Reader) Parquet(ctx context.Context, engine string, paths ...string) ([]Table, error) {
	return r.read(ctx, append([]string{engine, "rows"}, paths...))
}

// Query runs queries with DuckDB, which may read Parquet files, for tables too large to be compared whole.
func (r Reader) Query(ctx context.Context, queries ...string) ([]Table, error) {
	return r.read(ctx, append([]string{"duckdb", "query"}, queries...))
}

func (r Reader) read(ctx context.Context, arguments []string) ([]Table, error) {
	command := exec.CommandContext(ctx, r.Python, append([]string{"-c", script}, arguments...)...)
	command.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.TempDir(), "PYTHONDONTWRITEBYTECODE=1"}, r.Env...)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("reading %s with %s: %w: %s", strings.Join(arguments[2:], ", "), arguments[0], err, tail(stderr.String()))
	}
	var tables []Table
	lines := bufio.NewReader(bytes.NewReader(out))
	for {
		line, readErr := lines.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			var t Table
			if err := json.Unmarshal(line, &t); err != nil {
				return nil, fmt.Errorf("reading what %s printed: %w", arguments[0], err)
			}
			tables = append(tables, t)
		}
		if readErr != nil {
			break
		}
	}
	if len(tables) != len(arguments)-2 {
		return nil, fmt.Errorf("%s read %d of %d tables: %s", arguments[0], len(tables), len(arguments)-2, tail(stderr.String()))
	}
	return tables, nil
}

func tail(text string) string {
	const most = 2000
	if len(text) > most {
		text = text[len(text)-most:]
	}
	return strings.TrimSpace(text)
}
