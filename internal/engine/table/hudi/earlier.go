package hudi

import (
	"context"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/parquet"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

// earlier is the version of a file group that a file goes on with, as this engine wrote it. Where the keys of a row group stand as
// they stood there, record keys are copied: to spell them and to hash them for the filter is most of what a file costs.
type earlier struct {
	reader *parquet.Reader
	// place is that of the record keys, keys are those of the columns that they are made of, and staged those of the latter in the
	// staged file.
	place        int
	keys, staged []int
	// groups are the row groups that may hold the same keys as those of the staged file; -1 is none.
	groups []int
	filter *bloom
	// low and high are the smallest and the greatest record key.
	low, high string
}

// earlierOf finds what of the version before may stay in a file of some rows; nil where it is too little, or another writer's.
func (d *dressing) earlierOf(r, staged *parquet.Reader, rows int) *earlier {
	e := &earlier{reader: r}
	text, filtered := r.Note(noteBloom)
	low, bounded := r.Note(noteMinKey)
	high, _ := r.Note(noteMaxKey)
	e.filter, e.low, e.high = parseBloom(text), low, high
	place, spelled := r.Find(columnOf(d.columns, recordKeyColumn))
	if !r.Own() || !filtered || !bounded || !spelled || e.filter == nil {
		return nil
	}
	e.place = place
	for _, name := range d.keys.form.columns {
		c := columnOf(d.columns, name)
		before, was := r.Find(c)
		place, is := staged.Find(c)
		if !was || !is {
			return nil
		}
		e.keys, e.staged = append(e.keys, before), append(e.staged, place)
	}
	others := e.match(staged)
	// What is added to the filter, keys of rows among it that it has, must not have it err much more than it was made for.
	if 2*others > rows || e.filter.filled+others > e.filter.most+e.filter.most/4 {
		return nil
	}
	return e
}

// match finds row groups that may hold the same keys, in their order, and says how many rows are in others.
func (e *earlier) match(staged *parquet.Reader) (others int) {
	next := 0
	for g := range staged.RowGroups() {
		at := next
		for at < e.reader.RowGroups() && !e.likely(staged, g, at) {
			at++
		}
		if at == e.reader.RowGroups() {
			e.groups, others = append(e.groups, -1), others+staged.Rows(g)
			continue
		}
		e.groups, next = append(e.groups, at), at+1
	}
	return others
}

func (e *earlier) likely(staged *parquet.Reader, g, at int) bool {
	for i, place := range e.staged {
		if !staged.Alike(g, place, e.reader, at, e.keys[i]) {
			return false
		}
	}
	return true
}

// same is the row group that holds the keys of one of the staged file, all of them in the same rows; -1 is none.
func (e *earlier) same(ctx context.Context, staged *parquet.Reader, g int, fetched *parquet.Fetched) (int, error) {
	if e == nil || e.groups[g] < 0 {
		return -1, nil
	}
	for i, place := range e.staged {
		same, err := staged.Same(ctx, g, place, fetched, e.reader, e.groups[g], e.keys[i])
		if err != nil || !same {
			return -1, err
		}
	}
	return e.groups[g], nil
}

func columnOf(s *schema.Table, name string) schema.Column {
	c, _ := s.Column(name)
	return c
}
