package interop_test

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/readback"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// plainSnapshot: a snapshot of plain files flips to the next.
func plainSnapshot() scenario {
	return scenario{
		name: "a snapshot of plain files", setup: append(slices.Clone(visits), `DROP TRIGGER show ON t`),
		document: func(s *spec.Table) { s.Target.Format = "parquet" },
		steps: []step{
			{name: "landed", do: func(x *stage) { x.run() }, filters: []string{"id = 7", "name = 'shop 1 in the street'", "at >= timestamp '2026-01-03 00:00:00'", "ratio > 10"}},
			{
				name: "landed again, with one more column and a wider one", end: true, filters: []string{"n = 9223372036854775807", "more IS NULL AND id < 50"},
				do: func(x *stage) {
					x.sql(`DELETE FROM t WHERE id % 4 = 0`, `ALTER TABLE t ADD COLUMN more date, ALTER COLUMN n TYPE bigint`, `UPDATE t SET n = 9223372036854775807, more = '2026-01-01' WHERE id % 3 = 0`)
					x.run()
				},
			},
		},
	}
}

// What batches of plain files must hold: their number comes behind all columns.
const (
	batched     = `SELECT id, name, seen, n, share, amount, _lk_batch FROM shown`
	batchedMore = `SELECT id, name, seen, n, share, amount, more, _lk_batch FROM shown`
)

// plainBatches: each run adds the versions that are new to plain files, which follow their source's columns.
func plainBatches() scenario {
	return scenario{
		name: "batches of plain files", setup: versions(`ADD COLUMN _lk_batch bigint`),
		document: incremental(func(s *spec.Table) { s.Target.Format, s.StorageMode, s.Ordering = "parquet", "historical", "seen" }),
		steps: []step{
			{name: "landed", do: landBatch, want: batched},
			{
				name: "one more column", want: batchedMore, end: true,
				do: func(x *stage) {
					for _, table := range []string{"shown", "t"} {
						x.sql(`ALTER TABLE ` + table + ` ADD COLUMN more date`)
					}
					x.sql(`CREATE OR REPLACE FUNCTION show() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
						DELETE FROM shown WHERE id = NEW.id AND seen = NEW.seen;
						INSERT INTO shown (id, name, seen, n, share, amount, more) SELECT NEW.*; RETURN NEW; END $$`)
					x.sql(`UPDATE t SET seen = seen + interval '1 day', name = upper(name), more = '1969-12-31' WHERE id % 10 = 0`, `INSERT INTO t VALUES (201, 'new', '2026-03-01Z', NULL)`)
					landBatch(x)
				},
			},
			{
				name: "wider columns", want: batchedMore, end: true, filters: []string{"id = 10", "n > 2147483647", "_lk_batch = 2", "share > 14", "amount > 20", "more IS NOT NULL AND _lk_batch > 1"},
				do: func(x *stage) {
					for _, table := range []string{"shown", "t"} {
						x.sql(`ALTER TABLE ` + table + ` ALTER COLUMN n TYPE bigint, ALTER COLUMN amount TYPE numeric(20,2)`)
					}
					x.sql(`UPDATE t SET seen = seen + interval '2 days', n = 9223372036854775807 - n, share = 1e30, amount = 123456789012345678.99 WHERE id % 20 = 0`, `DELETE FROM t WHERE id = 6`)
					landBatch(x)
				},
			},
		},
	}
}

// landBatch lands a batch, and says in the model which it is.
func landBatch(x *stage) {
	x.run()
	numberBatch(x)
}

func numberBatch(x *stage) {
	x.sql(`UPDATE shown SET _lk_batch = (SELECT coalesce(max(_lk_batch), 0) + 1 FROM shown) WHERE _lk_batch IS NULL`)
}

// part is a folder of plain files, with its batch where the table has batches, and the columns that its files have.
type part struct {
	batch, folder string
	columns       []catalog.Column
}

// plainTable is a table of plain files as its entry says, with the files copied to where readers without a way to S3
// find them.
type plainTable struct {
	columns []catalog.Column
	parts   []part
	// batched says that the table has batches; the column behind all others is theirs.
	batched bool
}

func (x *stage) plainTable() *plainTable {
	x.t.Helper()
	ctx, c := x.t.Context(), x.runner().Catalog
	entry, err := c.Get(ctx, x.database, "t")
	x.must(err)
	out := &plainTable{columns: entry.Columns, batched: len(entry.PartitionKeys) > 0}
	copied := func(location string) string {
		return x.download(strings.TrimPrefix(location, "s3://"+x.bucket+"/"))
	}
	if !out.batched {
		out.parts = []part{{folder: copied(entry.Location), columns: entry.Columns}}
		return out
	}
	for p, err := range c.Partitions(ctx, x.database, "t", nil) {
		x.must(err)
		whole, err := c.Partition(ctx, x.database, "t", p.Values)
		x.must(err)
		out.parts = append(out.parts, part{p.Values[0], copied(p.Location), whole.Columns})
	}
	return out
}

// byDuckDB reads the files that the catalogue names.
func (p *plainTable) byDuckDB() string {
	var names, scans []string
	for _, c := range p.columns {
		names = append(names, `"`+c.Name+`"`)
	}
	for _, one := range p.parts {
		scan := "SELECT * FROM read_parquet('" + one.folder + "/*')"
		if p.batched {
			scan = "SELECT *, " + one.batch + "::bigint AS _lk_batch FROM read_parquet('" + one.folder + "/*')"
		}
		scans = append(scans, scan)
	}
	if p.batched {
		names = append(names, "_lk_batch")
	}
	return "SELECT " + strings.Join(names, ", ") + " FROM (" + strings.Join(scans, " UNION ALL BY NAME ") + ")"
}

// bySpark reads each folder by what its files say, as Spark does, and brings the columns together.
func (p *plainTable) bySpark() string {
	scans := make([]string, len(p.parts))
	for i, one := range p.parts {
		var values []string
		for _, c := range p.columns {
			value := "NULL"
			if slices.ContainsFunc(one.columns, func(own catalog.Column) bool { return own.Name == c.Name }) {
				value = "`" + c.Name + "`"
			}
			values = append(values, fmt.Sprintf("CAST(%s AS %s) AS `%s`", value, c.Type, c.Name))
		}
		if p.batched {
			values = append(values, "CAST("+one.batch+" AS bigint) AS _lk_batch")
		}
		scans[i] = "SELECT " + strings.Join(values, ", ") + " FROM parquet.`file:" + one.folder + "`"
	}
	return "(" + strings.Join(scans, " UNION ALL ") + ")"
}

// told are the statements that tell Spark's own catalogue of batches, as Glue tells others.
func (p *plainTable) told(name string) []string {
	var columns []string
	for _, c := range p.columns {
		columns = append(columns, "`"+c.Name+"` "+c.Type)
	}
	out := []string{fmt.Sprintf("CREATE TABLE %s (%s, _lk_batch bigint) USING parquet PARTITIONED BY (_lk_batch) LOCATION 'file:%s'", name, strings.Join(columns, ", "), p.parts[0].folder)}
	for _, one := range p.parts {
		out = append(out, fmt.Sprintf("ALTER TABLE %s ADD PARTITION (_lk_batch = %s) LOCATION 'file:%s'", name, one.batch, one.folder))
	}
	return out
}

// lightPlain are the readers of plain files that look behind every step.
func (x *stage) lightPlain() []reading {
	return []reading{{"DuckDB", func(ctx context.Context) (*readback.Table, error) {
		python, err := x.sb.Python(ctx)
		if err != nil {
			return nil, err
		}
		return first(readback.Reader{Python: python}.Query(ctx, x.plainTable().byDuckDB()))
	}}}
}

// othersPlain are Trino, by its connector for plain files and the catalogue, and Spark's own reader, by the folders and, where
// there are batches, by a table of its catalogue.
func (x *stage) othersPlain() func(filters []string) []reading {
	files := x.plainTable()
	return func(filters []string) []reading {
		readings := []reading{{"Trino", func(ctx context.Context) (*readback.Table, error) {
			return x.heavy.trino.Query(ctx, filtered("plain."+x.database+".t", filters))
		}}}
		for _, name := range []string{"Spark", "Spark without vectors"} {
			readings = append(readings, reading{name, func(ctx context.Context) (*readback.Table, error) {
				return x.bySpark(ctx, filtered(files.bySpark(), filters), name == "Spark")
			}})
		}
		if !files.batched {
			return readings
		}
		return append(readings, reading{"Spark by a table of its own", func(ctx context.Context) (*readback.Table, error) {
			table := fmt.Sprintf("spark_catalog.default.%s_%d_%d", x.database, x.at, len(filters))
			for _, statement := range files.told(table) {
				if err := x.heavy.spark.Execute(ctx, statement); err != nil {
					return nil, err
				}
			}
			return x.bySpark(ctx, filtered(table, filters), true)
		}})
	}
}
