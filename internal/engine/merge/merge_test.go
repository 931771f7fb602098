package merge_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/merge"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/parquet"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// lakeTable is a table of files in a folder, and what its rows should be.
type lakeTable struct {
	t      *testing.T
	r      *rand.Rand
	store  store.Store
	schema schema.Table
	files  []table.StoredFile
	// rows are the expected ones, as texts by their keys.
	rows map[string]string
	made int
}

// keyed are the ways in which rows are identified.
var keyed = map[string][]string{"whole number": {"id"}, "text": {"code"}, "both": {"code", "id"}, "uuid and decimal": {"uid", "big"}}

func newTable(t *testing.T, seed uint64, key ...string) *lakeTable {
	t.Helper()
	l := &lakeTable{t: t, r: rand.New(rand.NewPCG(seed, 9)), store: store.NewDirectory(t.TempDir()), rows: map[string]string{}}
	l.schema.Key = key
	for i, c := range []schema.Column{
		{Name: "flag", Type: schema.Type{ID: schema.Boolean}}, {Name: "id", Type: schema.Type{ID: schema.Long}}, {Name: "code", Type: schema.Type{ID: schema.String}},
		{Name: "uid", Type: schema.Type{ID: schema.String}}, {Name: "big", Type: schema.Type{ID: schema.Decimal, Precision: 30, Scale: 2}},
		{Name: "amount", Type: schema.Type{ID: schema.Decimal, Precision: 12, Scale: 2}}, {Name: "ratio", Type: schema.Type{ID: schema.Double}},
		{Name: "small", Type: schema.Type{ID: schema.Int}}, {Name: "note", Type: schema.Type{ID: schema.String}}, {Name: "at", Type: schema.Type{ID: schema.TimestampTZ}},
	} {
		c.FieldID, c.Required = i+1, slices.Contains(key, c.Name)
		l.schema.Columns = append(l.schema.Columns, c)
	}
	return l
}

// row appends row n in some version, and returns its key and all of it as texts.
func (l *lakeTable) row(b *column.Batch, n, version int) (key, all string) {
	var keys, texts []string
	for i, c := range l.schema.Columns {
		v := b.Columns[i]
		isKey := slices.Contains(l.schema.Key, c.Name)
		// Some columns follow the version, some never change.
		x := n
		if !isKey && i%3 != 0 {
			x = n*31 + version
		}
		text := "NULL"
		if !isKey && (x+i)%7 == 0 {
			v.AppendNull()
		} else {
			switch v.Kind {
			case column.Bool:
				v.Bools = append(v.Bools, x%2 == 0)
				text = fmt.Sprint(x%2 == 0)
			case column.Int32:
				v.Int32s = append(v.Int32s, int32(x))
				text = fmt.Sprint(x)
			case column.Int64:
				v.Int64s = append(v.Int64s, int64(x))
				text = fmt.Sprint(x)
			case column.Int128:
				v.Wides = append(v.Wides, column.Wide{Hi: int64(x), Lo: uint64(x) * 7})
				text = fmt.Sprint(column.Wide{Hi: int64(x), Lo: uint64(x) * 7})
			case column.Float64:
				v.Float64s = append(v.Float64s, float64(x)/4)
				text = fmt.Sprint(float64(x) / 4)
			default:
				text = fmt.Sprintf("%s-é%d", c.Name, x)
				if c.Name == "uid" {
					text = fmt.Sprintf("%032x", x)
				}
				v.Data = append(v.Data, text...)
			}
			v.Append()
		}
		texts = append(texts, text)
		if isKey {
			keys = append(keys, text)
		}
	}
	return strings.Join(keys, "|"), strings.Join(texts, "|")
}

// write writes rows, given by number and version, into a file.
func (l *lakeTable) write(rows [][2]int, note func(key, all string)) table.DataFile {
	l.t.Helper()
	l.made++
	key := fmt.Sprintf("f%04d.parquet", l.made)
	stream, err := l.store.Create(l.t.Context(), key)
	if err != nil {
		l.t.Fatal(err)
	}
	w, err := parquet.NewWriter(stream, &l.schema, "test", nil)
	if err != nil {
		l.t.Fatal(err)
	}
	for part := range slices.Chunk(rows, 700) {
		b := column.NewBatch(l.schema.Kinds(), 0)
		for _, row := range part {
			note(l.row(b, row[0], row[1]))
		}
		if err := w.Write(b); err != nil {
			l.t.Fatal(err)
		}
	}
	file, err := w.Close()
	if err == nil {
		err = stream.Close()
	}
	if err != nil {
		l.t.Fatal(err)
	}
	return table.DataFile{Key: key, File: *file}
}

func stored(f table.DataFile) table.StoredFile {
	s := table.StoredFile{Key: f.Key, Size: f.File.Size, Rows: f.File.Rows, Lower: map[int][]byte{}, Upper: map[int][]byte{}}
	for _, c := range f.File.Columns {
		if c.Lower != nil {
			s.Lower[c.FieldID] = c.Lower
		}
		if c.Upper != nil {
			s.Upper[c.FieldID] = c.Upper
		}
	}
	return s
}

// merge merges changes and takes the outcome into the table.
func (l *lakeTable) merge(rows [][2]int) *merge.Outcome {
	l.t.Helper()
	var files []table.DataFile
	for part := range slices.Chunk(rows, 1+len(rows)/2) {
		files = append(files, l.write(part, func(key, all string) { l.rows[key] = all }))
	}
	changes, err := merge.Load(l.t.Context(), l.store, &l.schema, files, nil)
	if err != nil {
		l.t.Fatal(err)
	}
	l.made++
	made := l.made
	m := merge.Merge{Store: l.store, Schema: l.schema, Files: l.files, Changes: changes, ChangeFiles: files, Version: "test", Parallel: 2, FileBytes: 200 << 10,
		Keys: func(unit string) (string, string) { return fmt.Sprintf("g%04d-%s-", made, unit), ".parquet" }}
	out, err := m.Run(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	l.files = slices.DeleteFunc(l.files, func(f table.StoredFile) bool { return slices.Contains(out.Remove, f.Key) })
	for _, f := range out.Add {
		l.files = append(l.files, stored(f))
	}
	return out
}

// check reads all files and compares.
func (l *lakeTable) check(step string) {
	l.t.Helper()
	got := map[string]string{}
	for _, f := range l.files {
		for key, all := range l.read(l.t.Context(), f) {
			if _, twice := got[key]; twice {
				l.t.Fatalf("%s: the key %s is there twice", step, key)
			}
			got[key] = all
		}
	}
	if !maps.Equal(got, l.rows) {
		n := 0
		for key, all := range l.rows {
			if got[key] != all && n < 3 {
				l.t.Errorf("%s: the row %s is %q, not %q", step, key, got[key], all)
				n++
			}
		}
		l.t.Fatalf("%s: %d rows, not %d", step, len(got), len(l.rows))
	}
}

func (l *lakeTable) read(ctx context.Context, f table.StoredFile) map[string]string {
	l.t.Helper()
	r, err := parquet.Open(ctx, l.store, f.Key, f.Size)
	if err != nil {
		l.t.Fatal(err)
	}
	out, rows := map[string]string{}, 0
	for g := range r.RowGroups() {
		var columns []*column.Vector
		for _, c := range l.schema.Columns {
			v := column.NewVector(c.Type.Kind(), 0)
			columns = append(columns, v)
			place, ok := r.Find(c)
			if !ok {
				for range r.Rows(g) {
					v.AppendNull()
				}
				continue
			}
			chunk, err := r.Chunk(ctx, g, place, nil, c.Type)
			if err == nil {
				err = chunk.ReadAll(v)
			}
			if err != nil {
				l.t.Fatal(err)
			}
		}
		for i := range r.Rows(g) {
			var keys, texts []string
			for n, v := range columns {
				text := "NULL"
				if !v.IsNull(i) {
					text = show(v, i)
				}
				texts = append(texts, text)
				if slices.Contains(l.schema.Key, l.schema.Columns[n].Name) {
					keys = append(keys, text)
				}
				if low := f.Lower[n+1]; low != nil && text != "NULL" && v.Kind == column.Int64 && v.Int64s[i] < bound(low) {
					l.t.Fatalf("the file %s has %d in column %d, below its bound %d", f.Key, v.Int64s[i], n, bound(low))
				}
				if high := f.Upper[n+1]; high != nil && text != "NULL" && v.Kind == column.Int64 && v.Int64s[i] > bound(high) {
					l.t.Fatalf("the file %s has %d in column %d, above its bound %d", f.Key, v.Int64s[i], n, bound(high))
				}
			}
			out[strings.Join(keys, "|")] = strings.Join(texts, "|")
			rows++
		}
	}
	if rows != len(out) || int64(rows) != f.Rows {
		l.t.Fatalf("%s has %d rows, %d keys, and should have %d", f.Key, rows, len(out), f.Rows)
	}
	return out
}

// bound reads a bound of whole numbers or decimals.
func bound(data []byte) int64 {
	if len(data) == 8 {
		n := int64(0)
		for i := 7; i >= 0; i-- {
			n = n<<8 | int64(data[i])
		}
		return n
	}
	n := int64(int8(data[0]))
	for _, b := range data[1:] {
		n = n<<8 | int64(b)
	}
	return n
}

func show(v *column.Vector, i int) string {
	switch v.Kind {
	case column.Bool:
		return fmt.Sprint(v.Bools[i])
	case column.Int32:
		return fmt.Sprint(v.Int32s[i])
	case column.Int64:
		return fmt.Sprint(v.Int64s[i])
	case column.Int128:
		return fmt.Sprint(v.Wides[i])
	case column.Float64:
		return fmt.Sprint(v.Float64s[i])
	default:
		return string(v.Bytes(i))
	}
}

// A random history of changes leaves the rows that a map would have, whatever identifies them.
func TestMergesAgreeWithAMap(t *testing.T) {
	t.Parallel()
	for name, key := range keyed {
		for seed := range uint64(4) {
			t.Run(fmt.Sprintf("%s %d", name, seed), func(t *testing.T) {
				t.Parallel()
				l := newTable(t, seed, key...)
				next := 0
				for range 1 + l.r.IntN(4) {
					var rows [][2]int
					for range l.r.IntN(3000) {
						rows = append(rows, [2]int{next, 0})
						next++
					}
					if len(rows) > 0 {
						l.files = append(l.files, stored(l.write(rows, func(key, all string) { l.rows[key] = all })))
					}
				}
				for step := range 12 {
					changed := map[int]bool{}
					var rows [][2]int
					if next > 0 {
						from, width := l.r.IntN(next), 1+l.r.IntN(next)
						for range l.r.IntN([]int{2, 40, 1500}[l.r.IntN(3)]) {
							n := from + l.r.IntN(width)
							if n < next && !changed[n] {
								changed[n] = true
								rows = append(rows, [2]int{n, step + 1 - l.r.IntN(2)*(step+1)}) // some as they were at first
							}
						}
					}
					for range l.r.IntN([]int{1, 50, 2000}[l.r.IntN(3)]) {
						rows = append(rows, [2]int{next, step})
						next++
					}
					l.r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
					before := maps.Clone(l.rows)
					out := l.merge(rows)
					inserted, updated := int64(0), int64(0)
					for key, all := range l.rows {
						if was, there := before[key]; !there {
							inserted++
						} else if was != all {
							updated++
						}
					}
					if out.Inserted != inserted || out.Updated != updated {
						t.Errorf("step %d: %d inserted and %d updated, not %d and %d", step, out.Inserted, out.Updated, inserted, updated)
					}
					if inserted+updated == 0 && len(out.Add)+len(out.Remove) > 0 {
						t.Errorf("step %d: nothing changed, and files did", step)
					}
					l.check(fmt.Sprint("step ", step))
				}
			})
		}
	}
}

// Only files with a changed key give way, found by their bounds or their rows; what is appended is filled into a small one.
func TestOnlyFilesWithChangedKeysGiveWay(t *testing.T) {
	t.Parallel()
	l := newTable(t, 1, "id")
	for part := range 5 {
		var rows [][2]int
		for i := range 20000 {
			rows = append(rows, [2]int{part*20000 + i, 0})
		}
		l.files = append(l.files, stored(l.write(rows, func(key, all string) { l.rows[key] = all })))
	}
	third := l.files[2].Key
	out := l.merge([][2]int{{45000, 1}, {45001, 1}})
	if !slices.Equal(out.Remove, []string{third}) || len(out.Add) != 1 || out.Updated != 2 || out.Inserted != 0 {
		t.Errorf("%+v", out)
	}
	l.check("two rows of one file")
	out = l.merge([][2]int{{100000, 0}})
	if len(out.Remove) != 0 || len(out.Add) != 1 || out.Inserted != 1 {
		t.Errorf("a new row among full files: %+v", out)
	}
	out = l.merge([][2]int{{100001, 0}})
	if len(out.Remove) != 1 || len(out.Add) != 1 || out.Inserted != 1 || len(l.files) != 6 {
		t.Errorf("a new row beside a small file: %+v, %d files", out, len(l.files))
	}
	if out = l.merge([][2]int{{7, 0}, {100001, 0}}); len(out.Remove)+len(out.Add) > 0 || out.Updated > 0 {
		t.Errorf("rows as they are: %+v", out)
	}
	l.check("in the end")
}

// Rows that are there twice, as another writer may leave them, become one with the next change.
func TestAChangeLeavesOneRow(t *testing.T) {
	t.Parallel()
	l := newTable(t, 1, "id")
	for range 2 {
		l.files = append(l.files, stored(l.write([][2]int{{1, 0}, {2, 0}}, func(key, all string) { l.rows[key] = all })))
	}
	l.merge([][2]int{{1, 5}, {2, 6}})
	l.check("two of each")
}

// Keys that identify nothing are refused, and nothing is left behind.
func TestKeysThatIdentifyNothing(t *testing.T) {
	t.Parallel()
	l := newTable(t, 1, "code", "id")
	twice := l.write([][2]int{{1, 0}, {1, 1}}, func(string, string) {})
	if _, err := merge.Load(t.Context(), l.store, &l.schema, []table.DataFile{twice}, nil); !errors.Is(err, merge.ErrKey) || !strings.Contains(err.Error(), `two rows have the key code = "code-é1", id = 1`) {
		t.Error(err)
	}
	none := l.write([][2]int{{5, 0}, {6, 0}, {7, 0}, {8, 0}, {9, 0}, {10, 0}, {11, 0}}, func(string, string) {})
	l.schema.Key = []string{"note"}
	if _, err := merge.Load(t.Context(), l.store, &l.schema, []table.DataFile{none}, nil); !errors.Is(err, merge.ErrKey) || !strings.Contains(err.Error(), `a row has no value in the key's column "note"`) {
		t.Error(err)
	}
}
