package merge_test

import (
	"fmt"
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
	// rows are the expected ones by their keys.
	rows map[string]expected
	made int
	// budget is how many bytes the changes may hold; 0 is any.
	budget int64
	peak   int64
	// set makes a merge what the test wants.
	set func(m *merge.Merge)
}

// expected is a row: its number, its columns as texts, and those that the merge has a part in.
type expected struct {
	n      int
	all    string
	loaded int
	op     string
	gone   bool
}

func (e expected) String() string { return fmt.Sprintf("%s|%d|%s|%t", e.all, e.loaded, e.op, e.gone) }

// row is row n in some version, loaded at some step.
type row struct{ n, version, loaded int }

// keyed are the ways in which rows are identified.
var keyed = map[string][]string{"whole number": {"id"}, "text": {"code"}, "both": {"code", "id"}, "uuid and decimal": {"uid", "big"},
	"int": {"small"}, "double": {"ratio"}}

// own are how many columns the merge may have a part in: they are the last ones.
const own = 3

func newTable(t *testing.T, seed uint64, key ...string) *lakeTable {
	t.Helper()
	l := &lakeTable{t: t, r: rand.New(rand.NewPCG(seed, 9)), store: store.NewDirectory(t.TempDir()), rows: map[string]expected{}}
	l.schema.Key = key
	for i, c := range []schema.Column{
		{Name: "flag", Type: schema.Type{ID: schema.Boolean}}, {Name: "id", Type: schema.Type{ID: schema.Long}}, {Name: "code", Type: schema.Type{ID: schema.String}},
		{Name: "uid", Type: schema.Type{ID: schema.String}}, {Name: "big", Type: schema.Type{ID: schema.Decimal, Precision: 30, Scale: 2}},
		{Name: "amount", Type: schema.Type{ID: schema.Decimal, Precision: 12, Scale: 2}}, {Name: "ratio", Type: schema.Type{ID: schema.Double}},
		{Name: "small", Type: schema.Type{ID: schema.Int}}, {Name: "note", Type: schema.Type{ID: schema.String}}, {Name: "at", Type: schema.Type{ID: schema.TimestampTZ}},
		{Name: "loaded", Type: schema.Type{ID: schema.Long}}, {Name: "op", Type: schema.Type{ID: schema.String}}, {Name: "gone", Type: schema.Type{ID: schema.Boolean}},
	} {
		c.FieldID, c.Required = i+1, slices.Contains(key, c.Name)
		l.schema.Columns = append(l.schema.Columns, c)
	}
	return l
}

// put appends a row, and returns its key and what it is.
func (l *lakeTable) put(b *column.Batch, of row) (key string, e expected) {
	var keys, texts []string
	columns := len(l.schema.Columns) - own
	for i, c := range l.schema.Columns[:columns] {
		v := b.Columns[i]
		isKey := slices.Contains(l.schema.Key, c.Name)
		// Some columns follow the version, some never change.
		x := of.n
		if !isKey && i%3 != 0 {
			x = of.n*31 + of.version
		}
		text := "NULL"
		if !isKey && (x+i)%7 == 0 {
			v.AppendNull()
		} else {
			text = appendValue(v, c.Name, x)
		}
		texts = append(texts, text)
		if isKey {
			keys = append(keys, text)
		}
	}
	for i, x := range []int{of.loaded, 0, 1} {
		appendValue(b.Columns[columns+i], "", x)
	}
	return strings.Join(keys, "|"), expected{n: of.n, all: strings.Join(texts, "|"), loaded: of.loaded, op: merge.OpInserted}
}

// appendValue appends some value that x makes, and returns it as text. Without a name it is one of the merge's own columns.
func appendValue(v *column.Vector, name string, x int) (text string) {
	switch v.Kind {
	case column.Bool:
		v.Bools = append(v.Bools, x%2 == 0)
	case column.Int32:
		v.Int32s = append(v.Int32s, int32(x))
	case column.Int64:
		v.Int64s = append(v.Int64s, int64(x))
	case column.Int128:
		v.Wides = append(v.Wides, column.Wide{Hi: int64(x), Lo: uint64(x) * 7})
	case column.Float64:
		v.Float64s = append(v.Float64s, float64(x)/4)
	default:
		text = fmt.Sprintf("%s-é%d", name, x)
		switch name {
		case "uid":
			text = fmt.Sprintf("%032x", x)
		case "":
			text = merge.OpInserted
		}
		v.Data = append(v.Data, text...)
	}
	v.Append()
	return show(v, v.Len()-1)
}

func show(v *column.Vector, i int) string {
	if v.IsNull(i) {
		return "NULL"
	}
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

// write writes rows into a file, of some rows per row group; 0 leaves that to the writer.
func (l *lakeTable) write(rows []row, perGroup int, note func(key string, e expected)) table.DataFile {
	l.t.Helper()
	batches := []*column.Batch{}
	for part := range slices.Chunk(rows, max(perGroup, 1000*(1-min(perGroup, 1)), 1)) {
		b := column.NewBatch(l.schema.Kinds(), 0)
		for _, of := range part {
			note(l.put(b, of))
		}
		batches = append(batches, b)
	}
	return l.writeFile(&l.schema, batches, perGroup > 0)
}

// writeFile writes batches, each a row group of its own where grouped says so.
func (l *lakeTable) writeFile(columns *schema.Table, batches []*column.Batch, grouped bool) table.DataFile {
	l.t.Helper()
	l.made++
	key := fmt.Sprintf("f%04d.parquet", l.made)
	stream, err := l.store.Create(l.t.Context(), key)
	if err != nil {
		l.t.Fatal(err)
	}
	w, err := parquet.NewWriter(stream, columns, "test", nil)
	if err != nil {
		l.t.Fatal(err)
	}
	for _, b := range batches {
		if !grouped {
			if err := w.Write(b); err != nil {
				l.t.Fatal(err)
			}
			continue
		}
		g, err := w.Group(b.Rows())
		for _, v := range b.Columns {
			if err == nil {
				err = g.Encode(v)
			}
		}
		if err == nil {
			err = g.End()
		}
		if err != nil {
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
	s := table.StoredFile{Key: f.Key, Size: f.File.Size, Rows: f.File.Rows, Partition: f.Partition, Lower: map[int][]byte{}, Upper: map[int][]byte{}}
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

// split sorts rows by their partitions.
func (l *lakeTable) split(rows []row) (parts [][]row, values []schema.PartitionValues) {
	l.t.Helper()
	p, err := schema.NewPartitioner(&l.schema)
	if err != nil {
		l.t.Fatal(err)
	}
	b := column.NewBatch(l.schema.Kinds(), 0)
	for _, of := range rows {
		l.put(b, of)
	}
	groups, err := p.Groups(b, nil)
	if err != nil {
		l.t.Fatal(err)
	}
	parts = make([][]row, p.Len())
	for i, g := range groups {
		parts[g] = append(parts[g], rows[i])
	}
	for g := range parts {
		values = append(values, p.Partition(uint32(g)))
	}
	return parts, values
}

// add adds files of rows to the table, as its partitions want them, or by another engine in one that may hold any.
func (l *lakeTable) add(rows []row, perGroup int, other bool) {
	l.t.Helper()
	note := func(key string, e expected) { l.rows[key] = e }
	if other || len(l.schema.Partition) == 0 {
		f := stored(l.write(rows, perGroup, note))
		if f.OtherSpec = other; l.r.IntN(2) == 0 {
			f.Lower, f.Upper = nil, nil // as another engine may leave them out
		}
		l.files = append(l.files, f)
		return
	}
	parts, values := l.split(rows)
	for i, part := range parts {
		f := l.write(part, perGroup, note)
		f.Partition = values[i]
		l.files = append(l.files, stored(f))
	}
}

// changeFiles writes rows as an extraction does: by partition, or not.
func (l *lakeTable) changeFiles(rows []row, perGroup int, byPartition bool) (files []table.DataFile) {
	l.t.Helper()
	if len(rows) == 0 {
		return nil
	}
	if byPartition {
		parts, values := l.split(rows)
		for i, part := range parts {
			f := l.write(part, perGroup, func(string, expected) {})
			f.Partition = values[i]
			files = append(files, f)
		}
		return files
	}
	for part := range slices.Chunk(rows, 1+len(rows)/2) {
		files = append(files, l.write(part, perGroup, func(string, expected) {}))
	}
	return files
}

// removals writes the keys of rows.
func (l *lakeTable) removals(numbers []int) []table.DataFile {
	l.t.Helper()
	if len(numbers) == 0 {
		return nil
	}
	whole := column.NewBatch(l.schema.Kinds(), 0)
	for _, n := range numbers {
		l.put(whole, row{n: n})
	}
	columns, b := schema.Table{}, &column.Batch{}
	for i, c := range l.schema.Columns {
		if slices.Contains(l.schema.Key, c.Name) {
			columns.Columns, b.Columns = append(columns.Columns, c), append(b.Columns, whole.Columns[i])
		}
	}
	return []table.DataFile{l.writeFile(&columns, []*column.Batch{b}, false)}
}

// keyOf is the key of row n.
func (l *lakeTable) keyOf(n int) string {
	key, _ := l.put(column.NewBatch(l.schema.Kinds(), 0), row{n: n})
	return key
}

// counts are how many rows a merge should have inserted, updated and deleted.
type counts struct{ inserted, updated, deleted int64 }

// expect takes changes and removals into the rows that are expected.
func (l *lakeTable) expect(m *merge.Merge, rows []row, removals []int) (c counts) {
	changed := map[string]bool{}
	b := column.NewBatch(l.schema.Kinds(), 0)
	for _, of := range rows {
		b.Reset()
		key, now := l.put(b, of)
		changed[key] = true
		was, there := l.rows[key]
		switch {
		case !there:
			l.rows[key] = now
			c.inserted++
		case m.InsertOnly:
		case was.all != now.all || m.SoftDelete != "" && was.gone || !slices.Contains(m.Audit, "loaded") && was.loaded != now.loaded:
			if m.Op != "" {
				now.op = merge.OpUpdated
			}
			l.rows[key] = now
			c.updated++
		}
	}
	for _, n := range removals {
		key := l.keyOf(n)
		e, there := l.rows[key]
		switch {
		case !there || changed[key] || m.SoftDelete != "" && e.gone:
		case m.SoftDelete != "":
			if e.gone = true; m.Op != "" {
				e.op = merge.OpDeleted
			}
			l.rows[key] = e
			c.deleted++
		default:
			delete(l.rows, key)
			c.deleted++
		}
	}
	return c
}

// take merges files of changes and takes the outcome into the table.
func (l *lakeTable) take(rows []row, removals []int, files []table.DataFile) *merge.Outcome {
	l.t.Helper()
	changes, err := merge.LoadWithin(l.t.Context(), l.store, &l.schema, files, l.removals(removals), l.budget)
	if err != nil {
		l.t.Fatal(err)
	}
	l.made++
	made := l.made
	m := merge.Merge{Store: l.store, Schema: l.schema, Files: l.files, Changes: changes, ChangeFiles: files, Version: "test", Parallel: 2, FileBytes: 200 << 10,
		Keys: func(unit string) (string, string) { return fmt.Sprintf("g%04d-%s-", made, unit), ".parquet" }}
	if l.set != nil {
		l.set(&m)
	}
	want := l.expect(&m, rows, removals)
	out, err := m.Run(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	l.peak = max(l.peak, changes.Peak())
	if got := (counts{out.Inserted, out.Updated, out.Deleted}); got != want {
		l.t.Errorf("counts are %+v, not %+v", got, want)
	}
	if want == (counts{}) && len(out.Add)+len(out.Remove)+len(out.AddDeletes) > 0 {
		l.t.Errorf("nothing changed, and files did")
	}
	if m.InsertOnly && len(out.Remove)+len(out.AddDeletes) > 0 {
		l.t.Errorf("an insert took files away")
	}
	l.checkContinued(out)
	l.commit(out)
	return out
}

// checkContinued checks that a file that goes on with another's rows is of its partition, that one does so at most, and that whoever gives
// way to some file of its partition is followed by one.
func (l *lakeTable) checkContinued(out *merge.Outcome) {
	l.t.Helper()
	partitions := map[string]string{}
	for _, f := range l.files {
		if !f.OtherSpec {
			partitions[f.Key] = f.Partition.ID()
		}
	}
	continued := map[string]bool{}
	for _, f := range out.Add {
		if f.Replaces == "" {
			continue
		}
		if id, known := partitions[f.Replaces]; !known || id != f.Partition.ID() || continued[f.Replaces] || !slices.Contains(out.Remove, f.Replaces) {
			l.t.Errorf("%s goes on with %s, which it cannot", f.Key, f.Replaces)
		}
		continued[f.Replaces] = true
	}
	if l.set == nil && len(l.schema.Partition) == 0 && len(out.Remove) > 0 && len(out.Add) > 0 && len(continued) == 0 {
		l.t.Errorf("%v give way to %d files, none of which goes on with them", out.Remove, len(out.Add))
	}
}
