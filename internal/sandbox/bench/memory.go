package bench

import (
	"context"
	"fmt"
	"io"
)

// growth bounds how much more memory the engine may hold for four times the rows: what varies between two runs.
const growth = 1.15

// sized are tables of trips of other sizes, by their share of its rows.
var sized = []struct {
	table string
	times float64
	make  string
}{
	{"trips_fifth", 0.2, "CREATE TABLE trips_fifth AS SELECT * FROM trips WHERE pk_id <= (SELECT count(*) FROM trips) / 5"},
	{"trips", 1, ""},
	{"trips_fourfold", 4, "CREATE TABLE trips_fourfold AS SELECT t.* FROM generate_series(1, 4) n CROSS JOIN LATERAL (SELECT * FROM trips OFFSET 0) t"},
}

// memory measures the engine's memory over tables of one shape and different sizes.
func (b *bench) memory(ctx context.Context, out io.Writer) ([]figure, error) {
	for _, s := range sized {
		if s.make == "" {
			continue
		}
		if _, err := b.source.control.PgConn().Exec(ctx, s.make+"; ANALYZE "+s.table).ReadAll(); err != nil {
			return nil, fmt.Errorf("making the table %s: %w", s.table, err)
		}
	}
	var all []figure
	for _, t := range b.tools(ctx)[:2] {
		var peaks []float64
		line := ""
		for _, s := range sized {
			var samples []sample
			for range min(b.Rounds, 3) {
				taken, err := b.run(ctx, t, s.table)
				if err != nil {
					return nil, err
				}
				samples = append(samples, taken)
			}
			peak := float64(median(pick(samples, func(s sample) int64 { return s.rss }))) / mega
			peaks = append(peaks, peak)
			line += fmt.Sprintf(", %.0f MB for %s rows", peak, rowsText("trips", b.Scale*s.times))
		}
		_, _ = fmt.Fprintf(out, "peak RSS of %s%s\n", key(t), line)
		all = append(all, atMost(fmt.Sprintf("extract.memory.c%d.growth", t.connections), peaks[2]/peaks[1], growth))
	}
	_, _ = fmt.Fprintln(out)
	return all, nil
}
