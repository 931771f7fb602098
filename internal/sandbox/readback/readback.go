// Package readback reads what Lakeland wrote with engines that are not Lakeland's, and what the source holds by
// SQL, both in one plain form, so that values can be compared.
package readback

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

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

// Hudi reads tables of Hudi by their addresses in S3, with a slash at their ends, with hudi-rs. Hudi's own columns are left out.
func (r Reader) Hudi(ctx context.Context, addresses ...string) ([]Table, error) {
	return r.read(ctx, append([]string{"hudi-rs", "rows"}, addresses...))
}

// HudiFiles reads what Hudi does with DuckDB's reader of Parquet: the files that the timeline shows.
func (r Reader) HudiFiles(ctx context.Context, addresses ...string) ([]Table, error) {
	return r.read(ctx, append([]string{"hudi-duckdb", "rows"}, addresses...))
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
	environment := map[string]string{"PATH": os.Getenv("PATH"), "HOME": os.TempDir()}
	for _, e := range r.Env {
		name, value, _ := strings.Cut(e, "=")
		environment[name] = value
	}
	var tables []Table
	err := ask(ctx, r.Python, request{environment, arguments}, func(line []byte) error {
		tables = append(tables, Table{})
		return json.Unmarshal(line, &tables[len(tables)-1])
	})
	if err == nil && len(tables) != len(arguments)-2 {
		err = fmt.Errorf("it read %d of %d tables", len(tables), len(arguments)-2)
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s with %s: %w", strings.Join(arguments[2:], ", "), arguments[0], err)
	}
	return tables, nil
}
