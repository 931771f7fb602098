package merge

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/parquet"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// absences are the rows of stored files that files of positions name as deleted. Each file of positions is read once,
// whatever number of data files it is about.
type absences struct {
	w *work
	// numbers are those of the data files that a file of positions counts for, by its key and their addresses; spool holds
	// positions by that number.
	numbers map[string]map[string]int
	spool   *spool
	seen    map[string]bool
}

func (w *work) newAbsences() *absences {
	a := &absences{w: w, spool: w.newSpool(), numbers: map[string]map[string]int{}, seen: map[string]bool{}}
	for i, f := range w.files {
		for _, d := range f.file.Deletes {
			if a.numbers[d.Key] == nil {
				a.numbers[d.Key] = map[string]int{}
			}
			a.numbers[d.Key][w.Store.Address(f.file.Key)] = i
		}
	}
	return a
}

// read reads the files of positions of some data files.
func (a *absences) read(ctx context.Context, files []*found) error {
	var unseen []table.StoredDelete
	for _, f := range files {
		for _, d := range f.file.Deletes {
			if !a.seen[d.Key] {
				a.seen[d.Key] = true
				unseen = append(unseen, d)
			}
		}
	}
	return a.w.each(ctx, len(unseen), func(ctx context.Context, i int) error {
		if err := a.readFile(ctx, unseen[i]); err != nil {
			return fmt.Errorf("reading the deleted rows of %s: %w", unseen[i].Key, err)
		}
		return nil
	})
}

func (a *absences) readFile(ctx context.Context, d table.StoredDelete) error {
	r, err := parquet.Open(ctx, a.w.Store, d.Key, d.Size)
	if err != nil {
		return err
	}
	columns := table.DeleteColumns().Columns
	for group := range r.RowGroups() {
		var cursors [2]cursor
		for i, c := range columns {
			place, ok := r.Find(c)
			if !ok {
				return fmt.Errorf("it has no column %q, which files of deleted rows have", c.Name)
			}
			chunk, err := r.Chunk(ctx, group, place, nil, c.Type)
			if err != nil {
				return err
			}
			cursors[i] = cursor{chunk: chunk, vector: column.NewVector(c.Type.Kind(), 0)}
		}
		if err := a.take(a.numbers[d.Key], &cursors[0], &cursors[1], r.Rows(group)); err != nil {
			return err
		}
	}
	return nil
}

// take takes the rows of a row group in, the two columns page by page, of the data files that they count for.
func (a *absences) take(of map[string]int, paths, positions *cursor, rows int) error {
	var record []byte
	number, known := 0, false
	var last []byte
	flush := func() error {
		if !known || len(record) == 0 {
			record = record[:0]
			return nil
		}
		err := a.spool.add(number, record)
		record = record[:0]
		return err
	}
	for range rows {
		if err := errors.Join(paths.next(), positions.next()); err != nil {
			return err
		}
		if paths.vector.IsNull(paths.at) || positions.vector.IsNull(positions.at) {
			return errors.New("a row has no file or no position")
		}
		path, position := paths.vector.Bytes(paths.at), positions.vector.Int64s[positions.at]
		if last == nil || string(path) != string(last) {
			if err := flush(); err != nil {
				return err
			}
			last = append(last[:0], path...)
			number, known = of[string(path)]
		}
		if known {
			if record = binary.LittleEndian.AppendUint64(record, uint64(position)); len(record) >= 8<<10 {
				if err := flush(); err != nil {
					return err
				}
			}
		}
		paths.at++
		positions.at++
	}
	return flush()
}

// cursor goes through a column of a row group, a page in memory at a time.
type cursor struct {
	chunk  *parquet.ChunkReader
	vector *column.Vector
	at     int
}

// next makes sure that there is a row at the cursor.
func (c *cursor) next() error {
	for c.at == c.vector.Len() {
		c.vector.Reset()
		c.at = 0
		if _, err := c.chunk.Next(c.vector); err != nil {
			if err == io.EOF { //nolint:errorlint // as Next returns it
				return io.ErrUnexpectedEOF
			}
			return err
		}
	}
	return nil
}

// bitmap has a bit for each row of a file, set for those that are deleted; nil has none set.
type bitmap []uint64

func (b bitmap) has(row int64) bool { return b != nil && b[row>>6]&(1<<(row&63)) != 0 }

// of are a file's deleted rows, and how many they are. The file's positions have been read.
func (a *absences) of(f *found) (gone bitmap, rows int64, err error) {
	if len(f.file.Deletes) == 0 {
		return nil, 0, nil
	}
	gone = make(bitmap, (f.file.Rows+63)/64)
	err = a.spool.read(f.number, func(records []byte) error {
		for ; len(records) > 0; records = records[8:] {
			at := int64(binary.LittleEndian.Uint64(records))
			if at < 0 || at >= f.file.Rows {
				return fmt.Errorf("a file of positions deletes row %d of %s, which has %d rows: set reload to a new value to land the table afresh", at, f.file.Key, f.file.Rows)
			}
			if !gone.has(at) {
				gone[at>>6] |= 1 << (at & 63)
				rows++
			}
		}
		return nil
	})
	return gone, rows, err
}

// within adds the deleted ones of a row group's rows to hits; first is the number of the row group's first row in its file.
func (b bitmap) within(hits []Hit, first int64, rows int) []Hit {
	if b == nil {
		return hits
	}
	var out []Hit
	for row, next := 0, 0; row < rows; row++ {
		switch {
		case next < len(hits) && int(hits[next].Row) == row:
			out = append(out, hits[next])
			next++
		case b.has(first + int64(row)):
			out = append(out, Hit{int32(row), absent})
		}
	}
	return out
}
