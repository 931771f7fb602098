package main

import (
	"context"
	"fmt"

	"github.com/oklog/ulid/v2"
	"github.com/spf13/cobra"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/parquet"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

const generatedBatch = 8192

// narrow is a table of small columns.
var narrow = schema.Table{Key: []string{"id"}, Columns: []schema.Column{
	{Name: "id", Type: schema.Type{ID: schema.Long}, Required: true}, {Name: "state", Type: schema.Type{ID: schema.Int}}, {Name: "amount", Type: schema.Type{ID: schema.Long}},
}}

func generateCommand() *cobra.Command {
	var in place
	var rows, changed, perFile int64
	c := &cobra.Command{
		Use: "generate --lake DIR --rows N --changes M", Short: "Make a table of three small columns, and a folder of uniformly spread changes to it", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			l, err := in.open(nil)
			if err != nil {
				return err
			}
			return l.generate(c.Context(), rows, changed, max(perFile, 1))
		},
	}
	in.flags(c)
	c.Flags().Int64Var(&rows, "rows", 1_000_000, "how many rows the table has")
	c.Flags().Int64Var(&changed, "changes", 10_000, "how many rows are changed, in the folder changes")
	c.Flags().Int64Var(&perFile, "file-rows", 2_500_000, "how many rows each of its files has")
	return c
}

func (l *lake) generate(ctx context.Context, rows, changed, perFile int64) error {
	head, err := l.target.Head(ctx)
	if err != nil {
		return err
	}
	planned, err := l.target.Prepare(head, narrow)
	if err != nil {
		return err
	}
	change := table.Change{Schema: planned, Checkpoint: checkpoint(planned, head, ulid.Make().String())}
	for from := int64(0); from < rows; from += perFile {
		prefix, suffix := l.target.DataKeys(head, change.Checkpoint.Attempt, fmt.Sprintf("%04d", from/perFile))
		file, err := l.write(ctx, prefix+"0000"+suffix, &planned, func(w *parquet.Writer) error {
			return generateRows(w, &planned, from, min(from+perFile, rows), 1, 0)
		})
		if err != nil {
			return err
		}
		change.Add = append(change.Add, *file)
	}
	if _, err := l.target.Commit(ctx, head, change); err != nil {
		return err
	}
	_, err = l.write(ctx, "changes/0000.parquet", &planned, func(w *parquet.Writer) error { return generateRows(w, &planned, 0, rows, max(rows/changed, 1), 1) })
	return err
}

// generateRows writes every step-th row of some, in one version or another.
func generateRows(w *parquet.Writer, s *schema.Table, from, to, step, version int64) error {
	b := column.NewBatch(s.Kinds(), generatedBatch)
	for id := from; id < to; id += step {
		scattered := uint64(id) * 0x9E3779B97F4A7C15
		b.Columns[0].Int64s = append(b.Columns[0].Int64s, id)
		b.Columns[1].Int32s = append(b.Columns[1].Int32s, int32(scattered>>60)+int32(version))
		b.Columns[2].Int64s = append(b.Columns[2].Int64s, int64(scattered>>44)+version)
		for _, v := range b.Columns {
			v.Append()
		}
		if b.Rows() == generatedBatch || id+step >= to {
			if err := w.Write(b); err != nil {
				return err
			}
			b.Reset()
		}
	}
	return nil
}
