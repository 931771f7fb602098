package main

import (
	"context"
	"fmt"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/spf13/cobra"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/parquet"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/run"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// early and late are how many commits, from the first and to the last, are those of a distant store.
const early, late = 20, 10

func commitsCommand() *cobra.Command {
	var in place
	var count int
	var every, answers time.Duration
	c := &cobra.Command{
		Use: "commits --lake DIR --count N", Short: "Commit to a small table again and again, on a clock of its own, and print the seconds that each took", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			clock := time.Now().UTC()
			l, err := in.open(func() time.Time { return clock })
			if err != nil {
				return err
			}
			seconds := make([]float64, count)
			for i := range seconds {
				if i < early || i >= count-late {
					l.clocked.answers = answers
				}
				began := time.Now()
				if err := l.commit(c.Context(), int64(i)); err != nil {
					return fmt.Errorf("commit %d: %w", i+1, err)
				}
				seconds[i] = time.Since(began).Seconds()
				l.clocked.answers = 0
				before := clock
				clock = clock.Add(every)
				passed := func(d time.Duration) bool { return !clock.Truncate(d).Equal(before.Truncate(d)) }
				if err := l.tidy(c.Context(), passed(run.CleanEvery), passed(24*time.Hour)); err != nil { // as behind runs
					return fmt.Errorf("cleaning behind commit %d: %w", i+1, err)
				}
			}
			return answer(c, seconds)
		},
	}
	in.flags(c)
	c.Flags().IntVar(&count, "count", 1000, "how many commits")
	c.Flags().DurationVar(&answers, "answers", 0, fmt.Sprintf("how much longer each answer of the store takes in the first %d commits and the last %d, as S3's do; all others are not kept waiting", early, late))
	c.Flags().DurationVar(&every, "every", time.Hour, "how far they are apart")
	return c
}

// commit reads the head and its files, as a merge does, and replaces the table's one file by another.
func (l *lake) commit(ctx context.Context, n int64) error {
	head, err := l.target.Head(ctx)
	if err != nil {
		return err
	}
	planned := head.Schema
	var stored []table.StoredFile
	if !head.Exists {
		planned, err = l.target.Prepare(head, schema.Table{Key: []string{"id"}, Columns: []schema.Column{
			{Name: "id", Type: schema.Type{ID: schema.Long}, Required: true}, {Name: "n", Type: schema.Type{ID: schema.Long}},
		}})
	} else {
		stored, err = l.target.Files(ctx, head)
	}
	if err != nil {
		return err
	}
	change := table.Change{Schema: planned, Checkpoint: checkpoint(planned, head, ulid.Make().String())}
	for _, f := range stored {
		change.Remove = append(change.Remove, f.Key)
	}
	b := column.NewBatch(planned.Kinds(), 100)
	for id := range int64(100) {
		for i, value := range []int64{id, n} {
			b.Columns[i].Int64s = append(b.Columns[i].Int64s, value)
			b.Columns[i].Append()
		}
		for _, v := range b.Columns[2:] { // that the format has of its own
			v.AppendNull()
		}
	}
	prefix, suffix := l.target.DataKeys(head, change.Checkpoint.Attempt, "0000")
	file, err := l.write(ctx, prefix+"0000"+suffix, &planned, func(w *parquet.Writer) error { return w.Write(b) })
	if err != nil {
		return err
	}
	change.Add = []table.DataFile{*file}
	_, err = l.target.Commit(ctx, head, change)
	return err
}

// tidy does what a run does behind its commit.
func (l *lake) tidy(ctx context.Context, clean, orphans bool) error {
	if clean {
		head, err := l.target.Head(ctx)
		if err != nil {
			return err
		}
		if _, err = l.target.Clean(ctx, head, table.Retention{}); err != nil {
			return err
		}
	}
	if !orphans {
		return nil
	}
	_, err := l.target.RemoveOrphans(ctx, run.OrphanAge)
	return err
}

// write writes one file.
func (l *lake) write(ctx context.Context, key string, s *schema.Table, fill func(*parquet.Writer) error) (*table.DataFile, error) {
	stream, err := l.store.Create(ctx, key)
	if err != nil {
		return nil, err
	}
	defer stream.Abort()
	w, err := parquet.NewWriter(stream, s, version, nil)
	if err != nil {
		return nil, err
	}
	if err := fill(w); err != nil {
		return nil, err
	}
	file, err := w.Close()
	if err == nil {
		err = stream.Close()
	}
	if err != nil {
		return nil, err
	}
	return &table.DataFile{Key: key, File: *file}, nil
}
