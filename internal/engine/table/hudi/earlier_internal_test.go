package hudi

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/parquet"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// regrouped is a table of numbers whose files are made one of another.
type regrouped struct {
	t      *testing.T
	store  store.Store
	schema *schema.Table
	d      *dressing
	last   *output
	made   int
}

func newRegrouped(t *testing.T) *regrouped {
	t.Helper()
	s := &schema.Table{Layout: schema.LayoutHudi, Key: []string{"id"}, Columns: []schema.Column{{Name: "id", Type: schema.Type{ID: schema.Long}, FieldID: 1}, {Name: "n", Type: schema.Type{ID: schema.Int}, FieldID: 2}}}
	r := &regrouped{t: t, store: store.NewDirectory(t.TempDir()), schema: s}
	keys, err := newKeyWriter(keyForm{columns: []string{"id"}}, s)
	if err != nil {
		t.Fatal(err)
	}
	r.d = &dressing{t: New(Options{Store: r.store, Version: "test"}), columns: fileColumns(s), keys: keys, avro: "{}"}
	return r
}

// file makes the next version of the file group, of row groups of ids, and returns its reader.
func (r *regrouped) file(groups ...[]int64) *parquet.Reader {
	r.t.Helper()
	must := func(err error) {
		r.t.Helper()
		if err != nil {
			r.t.Fatal(err)
		}
	}
	r.made++
	key := fmt.Sprintf("staged%d.parquet", r.made)
	out, err := r.store.Create(r.t.Context(), key)
	must(err)
	w, err := parquet.NewWriter(out, r.schema, "test", nil)
	must(err)
	for _, ids := range groups {
		b := column.NewBatch(r.schema.Kinds(), len(ids))
		for _, id := range ids {
			b.Columns[0].Int64s, b.Columns[1].Int32s = append(b.Columns[0].Int64s, id), append(b.Columns[1].Int32s, int32(r.made))
			b.Columns[0].Append()
			b.Columns[1].Append()
		}
		must(w.Write(b))
		must(w.EndGroup())
	}
	staged, err := w.Close()
	must(err)
	must(out.Close())
	o := &output{staged: &table.DataFile{Key: key, File: *staged}, token: "1-2-3", group: group{"", "g-0"}}
	if r.last != nil {
		o.prev = &slice{key: r.last.key, size: r.last.size}
	}
	r.d.instant = instantOf(time.Unix(int64(r.made), 0))
	o.named(r.d.instant)
	must(r.d.dress(r.t.Context(), o, 0))
	r.last = o
	reader, err := parquet.Open(r.t.Context(), r.store, o.key, o.size)
	must(err)
	r.check(reader, groups)
	return reader
}

// check makes sure of record keys, bounds and filter.
func (r *regrouped) check(reader *parquet.Reader, groups [][]int64) {
	r.t.Helper()
	low, _ := reader.Note(noteMinKey)
	high, _ := reader.Note(noteMaxKey)
	text, _ := reader.Note(noteBloom)
	filter := parseBloom(text)
	if filter == nil {
		r.t.Fatal("there is no filter")
	}
	place, _ := reader.Find(columnOf(r.d.columns, recordKeyColumn))
	for g, ids := range groups {
		chunk, err := reader.Chunk(r.t.Context(), g, place, nil, schema.Type{ID: schema.String})
		if err != nil {
			r.t.Fatal(err)
		}
		v := column.NewVector(column.Bytes, 0)
		if err := chunk.ReadAll(v); err != nil || v.Len() != len(ids) {
			r.t.Fatalf("%d keys of %d rows: %v", v.Len(), len(ids), err)
		}
		for i, id := range ids {
			key := strconv.FormatInt(id, 10)
			if string(v.Bytes(i)) != key || key < low || key > high {
				r.t.Fatalf("the row of %s has the record key %s, and they lie between %s and %s", key, v.Bytes(i), low, high)
			}
			each(v.Bytes(i), filter.hashes, filter.bits, func(at int32) {
				if filter.row[at>>3]&(1<<(at&7)) == 0 {
					r.t.Fatalf("the filter lacks %s", key)
				}
			})
		}
	}
	if filter.filled > filter.most+filter.most/4 {
		r.t.Errorf("a filter for %d keys was given %d", filter.most, filter.filled)
	}
}

func span(from, to int64) (out []int64) {
	for i := from; i < to; i++ {
		out = append(out, i)
	}
	return out
}

func filterOf(r *parquet.Reader) string {
	text, _ := r.Note(noteBloom)
	return text
}

// Where the rows' keys stand as they did, record keys, bounds and filter stay; others are added, and a filter of too many is made anew.
func TestKeysThatStandAsTheyDid(t *testing.T) {
	t.Parallel()
	r := newRegrouped(t)
	groups := [][]int64{span(1000, 3000), span(3000, 5000), span(5000, 5500), span(6000, 6400)}
	first := r.file(groups...)
	second := r.file(groups...)
	if filterOf(first) != filterOf(second) {
		t.Error("the filter is another, of the same keys")
	}
	place, _ := first.Find(columnOf(r.d.columns, recordKeyColumn))
	for g := range groups {
		if same, err := first.Same(t.Context(), g, place, nil, second, g, place); !same || err != nil {
			t.Errorf("the record keys of row group %d are written in another way: %v", g, err)
		}
	}
	added := r.file(groups[0], groups[1], groups[2], append(slices.Clone(groups[3]), 9999, 7))
	if low, _ := added.Note(noteMinKey); low != "1000" {
		t.Errorf("the smallest key is %s", low)
	}
	if high, _ := added.Note(noteMaxKey); high != "9999" {
		t.Errorf("the greatest key is %s", high)
	}
	if f := parseBloom(filterOf(added)); f.most != 4900 || f.filled != 4900+402 {
		t.Errorf("the filter for %d keys was given %d", f.most, f.filled)
	}
	r.file(groups[1], groups[3])            // others are gone
	r.file(groups[3], groups[1], groups[0]) // in another order
	reordered := slices.Clone(groups[0])
	slices.Reverse(reordered)
	r.file(reordered, groups[1]) // as many rows, in another order
	for i := range 20 {
		r.file(reordered, groups[1], span(20_000, int64(20_300+i)))
	}
	if f := parseBloom(filterOf(r.file(span(1, 50)))); f.most != 49 {
		t.Errorf("few rows have a filter for %d keys", f.most)
	}
	r.file(span(40, 45))
}

// What is no filter of ours is none.
func TestFiltersThatAreNotOurs(t *testing.T) {
	t.Parallel()
	f := newBloom(100)
	f.add([]byte("a"))
	text := f.text()
	if got := parseBloom(text); got == nil || got.text() != text || got.most != 100 || got.filled != 1 {
		t.Errorf("read back as %+v", got)
	}
	for _, other := range []string{"", "AAAA", text[:len(text)-8], text + "AAAA", "x" + text, text[4:]} {
		if got := parseBloom(other); got != nil {
			t.Errorf("%.20q... is read as a filter for %d keys", other, got.most)
		}
	}
}
