package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/dustin/go-humanize"
)

// answers is how long S3 takes for a request in commits' second measurement: little, for "small object latencies" are "roughly
// 100-200 milliseconds" (Amazon S3 User Guide, Performance guidelines).
const answers = "10ms"

// commits measures how long a table's commits take that has had many: what metadata holds must not grow for ever. It does so where a
// request costs as good as nothing, and what a listing tells of each object is most of it; and where requests take their time, as S3's.
func (b *bench) commits(ctx context.Context, out io.Writer, family string) ([]figure, error) {
	count := max(int(1000*b.Scale), 50)
	var figures []figure
	for _, at := range []struct{ figure, place, answers string }{{"thousandth_to_tenth", "in memory", "0s"}, {"answers_10ms.thousandth_to_tenth", "with requests that take " + answers, answers}} {
		var tenth, last, grown []float64
		for range b.Rounds {
			took, err := b.commitAgain(ctx, map[string]string{"merge": inIceberg, "hudi": inHudi}[family], count, at.answers)
			if err != nil {
				return nil, err
			}
			tenth, last = append(tenth, around(took, 9)), append(last, around(took, len(took)-1))
			grown = append(grown, last[len(last)-1]/tenth[len(tenth)-1])
		}
		_, _ = fmt.Fprintf(out, "a small table's commits, one an hour with cleaning, %s: %.1f ms for the 10th, %.1f ms for number %s\n", at.place, 1e3*median(tenth), 1e3*median(last), humanize.Comma(int64(count)))
		figures = append(figures, atMost(family+".commits."+at.figure, median(grown), 1.5))
	}
	_, _ = fmt.Fprintln(out)
	return figures, nil
}

// commitAgain makes a table and commits to it, and returns how many seconds each commit took.
func (b *bench) commitAgain(ctx context.Context, format string, count int, answers string) (took []float64, err error) {
	folder, err := os.MkdirTemp(inMemory(b.folder), "lakeland-commits-")
	if err != nil {
		return nil, fmt.Errorf("making a folder: %w", err)
	}
	defer func() {
		if removed := os.RemoveAll(folder); removed != nil {
			err = errors.Join(err, fmt.Errorf("removing a folder: %w", removed))
		}
	}()
	_, printed, err := measured(exec.CommandContext(ctx, b.Merger, "commits", "--lake", folder, "--format", format, "--count", fmt.Sprint(count), "--answers", answers))
	if err != nil {
		return nil, fmt.Errorf("committing: %w", err)
	}
	if err := json.Unmarshal(printed, &took); err != nil {
		return nil, fmt.Errorf("reading how long commits took: %w", err)
	}
	return took, nil
}

// inMemory is a folder whose files lie in memory, where the machine has one, otherwise the one given. To write and delete the
// same files over and over takes a disk longer and longer, and is no matter of a store of objects.
func inMemory(otherwise string) string {
	const folder = "/dev/shm"
	probe, err := os.MkdirTemp(folder, "lakeland-")
	if err != nil {
		return otherwise
	}
	_ = os.Remove(probe)
	return folder
}

// large measures the memory that a merge holds over tables of three small columns, with as many changes to each.
func (b *bench) large(ctx context.Context, out io.Writer) ([]figure, error) {
	var peaks []float64
	for _, millions := range []float64{10, 100} {
		folder, rows := filepath.Join(b.folder, "large"), int64(millions*1e6*b.Scale)
		if _, _, err := measured(exec.CommandContext(ctx, b.Merger, "generate", "--lake", folder, "--rows", fmt.Sprint(rows), "--changes", fmt.Sprint(int64(1e5*b.Scale)), "--file-rows", fmt.Sprint(int64(2.5e6*b.Scale)))); err != nil {
			return nil, fmt.Errorf("making a table of %d rows: %w", rows, err)
		}
		before, err := remember(folder)
		if err != nil {
			return nil, err
		}
		var samples []sample
		for range b.Rounds {
			taken, _, err := measured(exec.CommandContext(ctx, b.Merger, "merge", "--lake", folder, "--changes", "changes"))
			if err != nil {
				return nil, fmt.Errorf("merging into %d rows: %w", rows, err)
			}
			if err := before.restore(); err != nil {
				return nil, err
			}
			samples = append(samples, taken)
		}
		peaks = append(peaks, median(pick(samples, rssOf)))
		_, _ = fmt.Fprintf(out, "%s rows of three small columns, %s changes: %.2f s, CPU %.2f s, peak RSS %.0f MB\n", humanize.Comma(rows), humanize.Comma(int64(1e5*b.Scale)), median(pick(samples, wallOf)), median(pick(samples, cpuOf)), peaks[len(peaks)-1])
		if err := os.RemoveAll(folder); err != nil {
			return nil, fmt.Errorf("removing a folder: %w", err)
		}
	}
	_, _ = fmt.Fprintln(out)
	return []figure{atMost("merge.large.rss_mb", peaks[1], 300), atMost("merge.large.growth", peaks[1]/peaks[0], growth)}, nil
}
