// Package conformance is what every table format must do, as tests that a format's own tests run.
package conformance

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// Format is a table format under test.
type Format struct {
	Can Abilities
	// Writes is how many objects a commit writes at the least.
	Writes int
	// Open makes a table at a prefix of a store, with an entry in the catalogue's database "raw", under a clock; nil is the
	// machine's.
	Open func(s store.Store, c catalog.Catalog, prefix, name string, now func() time.Time) table.Table
	// Rows reads the ids that a reader of the catalogue sees now; nil when there is no table.
	Rows func(ctx context.Context, s store.Store, c catalog.Catalog, name string) ([]int64, error)
	// Touch commits on top as somebody else does who changes no row; nil where nobody can.
	Touch func(t *testing.T, s store.Store, c catalog.Catalog, name string)
	// End, where it is set, reads the ids at the end of a random history with other people's engines.
	End func(t *testing.T, s store.Store, c catalog.Catalog, name string, want []int64)
	// Decides says of the key of an object whether its writing is what a commit comes down to; nil where that is a call to the
	// catalogue. Attempts of such a format are taken back, or seen through, by those that follow.
	Decides func(key string) bool
	// Same is what the keys of a file that is added, and of the one that the table holds for it, have in common; nil where they
	// are one.
	Same func(key string) string
	// Rollback makes an older commit the newest, as somebody else does, and reports whether it was still there; nil where
	// nobody can.
	Rollback func(t *testing.T, s store.Store, c *catalog.Memory, name, commit string) bool
}

// Abilities are what a format does; what it does not it refuses.
type Abilities struct {
	// Replaces says that a change may replace everything, Appends that it may add to what is there, Exchanges that it may
	// remove single files, Deletes that it may delete rows by their positions.
	Replaces, Appends, Exchanges, Deletes bool
	// Partitions says that a table's files may be partitioned by its columns, Transforms that they may be by what is made of these.
	Partitions, Transforms bool
	// Renames says that a column may get another name, and another one its.
	Renames bool
	// Snapshots says that what was replaced can be read until a retention has it forgotten.
	Snapshots bool
}

// bench is one table with its surroundings.
type bench struct {
	t       *testing.T
	format  Format
	store   store.Store
	catalog *catalog.Memory
	table   table.Table
	// decisions is the store where writing an object is what a commit comes down to; nil otherwise.
	decisions *decisions
	attempt   int
	// seen are the ids that were expected last.
	seen []int64
}

func (f Format) bench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, format: f, store: store.NewDirectory(t.TempDir()), catalog: catalog.NewMemory("raw")}
	if f.Decides != nil {
		b.decisions = &decisions{Store: b.store, decides: f.Decides}
		b.store = b.decisions
	}
	b.table = f.Open(b.store, b.catalog, "lake/orders/", "orders", nil)
	return b
}

// Columns is the schema of the tests' tables.
func Columns() schema.Table {
	return schema.Table{Identity: "1", Key: []string{"id"}, Columns: []schema.Column{
		{Name: "id", Type: schema.Type{ID: schema.Long}, Required: true, Source: &schema.SourceColumn{Name: "id", Number: 1, Type: "bigint"}},
		{Name: "note", Type: schema.Type{ID: schema.String}, Comment: "said", Source: &schema.SourceColumn{Name: "note", Number: 2, Type: "text"}},
	}}
}

func (b *bench) head() *table.Head {
	b.t.Helper()
	h, err := b.table.Head(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	return h
}

func (b *bench) commit(h *table.Head, change table.Change) *table.Committed {
	b.t.Helper()
	done, err := b.table.Commit(b.t.Context(), h, change)
	if err != nil {
		b.t.Fatal(err)
	}
	return done
}

func (b *bench) expect(ids ...int64) {
	b.t.Helper()
	got := b.rows()
	if diff := cmp.Diff(ids, got, cmpopts.EquateEmpty()); diff != "" {
		b.t.Errorf("a reader sees other rows (-wanted +seen): %s", diff)
	}
	b.seen = ids
}

// rows are the ids that a reader sees.
func (b *bench) rows() []int64 {
	b.t.Helper()
	got, err := b.format.Rows(b.t.Context(), b.store, b.catalog, "orders")
	if err != nil {
		b.t.Fatal(err)
	}
	slices.Sort(got)
	return got
}

// behind are the ids after a change of some, as change makes it, on what was seen last.
func (b *bench) behind(ids ...int64) []int64 {
	if b.format.Can.Replaces {
		return ids
	}
	out := slices.Concat(b.seen, ids)
	slices.Sort(out)
	return out
}

// test is one test, with what a format must do for it to apply; nil is nothing.
type test struct {
	run   func(*bench)
	needs func(Format) bool
}

func replaces(f Format) bool   { return f.Can.Replaces }
func appending(f Format) bool  { return f.Can.Appends }
func exchanging(f Format) bool { return f.Can.Exchanges }
func deletes(f Format) bool    { return f.Can.Deletes }
func partitioned(f Format) bool {
	return f.Can.Partitions && f.Can.Transforms && f.Can.Exchanges && f.Can.Deletes && f.Can.Replaces
}
func renames(f Format) bool   { return f.Can.Renames && f.Can.Replaces }
func snapshots(f Format) bool { return f.Can.Snapshots }

var tests = map[string]test{
	"a table that is not there":                    {absent, nil},
	"create, then replace":                         {createThenReplace, replaces},
	"a table without rows":                         {empty, nil},
	"the checkpoint comes back as it was":          {checkpoint, nil},
	"a commit on an old head loses":                {oldHead, nil},
	"exactly one of eight committers wins a round": {race, nil},
	"an answer lost after the commit":              {lostAfter, nil},
	"an answer lost before the commit":             {lostBefore, nil},
	"no answer at all":                             {silent, nil},
	"a refused commit changes nothing":             {refused, nil},
	"a throttled commit goes out again":            {throttled, nil},
	"a refusal after a silence settles nothing":    {refusedAfterSilence, nil},
	"an effect that comes late":                    {late, nil},
	"columns that are added, renamed and widened":  {evolution, renames},
	"a column that is added":                       {addedColumn, nil},
	"a foreign entry is refused":                   {foreign, nil},
	"an entry without database":                    {noDatabase, nil},
	"rows are appended":                            {appends, appending},
	"files are exchanged":                          {exchanges, exchanging},
	"rows are deleted by position":                 {positions, deletes},
	"what does not fit the head is refused":        {misfits, nil},
	"what the format does not do is refused":       {inabilities, nil},
	"a table in partitions":                        {partitions, partitioned},
	"other partitions come with a reload":          {repartition, partitioned},
	"eight committers lose nothing":                {allWin, nil},
	"old snapshots are forgotten":                  {cleaning, snapshots},
	"an answer lost while cleaning":                {cleaningUnanswered, snapshots},
	"what dead attempts left is removed":           {orphans, nil},
	"long positions are kept beside the table":     {keptPositions, nil},
	"a random history":                             {history, nil},
}

// Run runs all tests that apply to a format.
func Run(t *testing.T, f Format) {
	t.Helper()
	for name, test := range tests {
		if test.needs != nil && !test.needs(f) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.run(f.bench(t))
		})
	}
	for name, change := range kinds {
		if change.needs != nil && !change.needs(f) {
			continue
		}
		for fault, test := range faults {
			t.Run(name+", "+fault, func(t *testing.T) {
				t.Parallel()
				test(f.bench(t), change)
			})
		}
	}
}

func absent(b *bench) {
	h := b.head()
	if h.Exists || h.TableID == "" || h.Checkpoint != nil {
		b.t.Errorf("the head is %+v", h)
	}
	b.expect()
}

func createThenReplace(b *bench) {
	first := b.head()
	b.commit(first, b.change(first, Columns(), 1, 2, 3))
	b.expect(1, 2, 3)
	for round := range int64(30) {
		h := b.head()
		if !h.Exists || h.TableID != first.TableID || h.Rows != map[bool]int64{true: 3, false: 2}[round == 0] {
			b.t.Errorf("round %d: the head has id %s (was %s) and %d rows", round, h.TableID, first.TableID, h.Rows)
		}
		done := b.commit(h, b.change(h, Columns(), round, round+10))
		b.expect(round, round+10)
		if now := b.head(); now.Commit != done.Commit || now.CheckpointCommit != done.Commit {
			b.t.Errorf("round %d: committed %s, the head is %s", round, done.Commit, now.Commit)
		}
	}
}

func empty(b *bench) {
	h := b.head()
	b.commit(h, b.change(h, Columns()))
	b.expect()
	if h = b.head(); !h.Exists || h.Rows != 0 || h.Checkpoint == nil {
		b.t.Errorf("the head is %+v", h)
	}
	for _, ids := range [][]int64{{7}, nil, {8}} {
		want := b.behind(ids...)
		b.commit(h, b.change(h, Columns(), ids...))
		b.expect(want...)
		if h = b.head(); h.Rows != int64(len(want)) {
			b.t.Errorf("the head has %d rows", h.Rows)
		}
	}
}

func checkpoint(b *bench) {
	h := b.head()
	change := b.change(h, Columns(), 1)
	change.Checkpoint.Fence, change.Checkpoint.Reload, change.Checkpoint.ExtractHash = table.Fence{Epoch: 2, N: 7}, `"because"`, "abc"
	b.commit(h, change)
	h = b.head()
	if diff := cmp.Diff(&change.Checkpoint, h.Checkpoint); diff != "" {
		b.t.Error(diff)
	}
	if diff := cmp.Diff(change.Schema, h.Schema); diff != "" {
		b.t.Errorf("the schema came back otherwise: %s", diff)
	}
}

func oldHead(b *bench) {
	h := b.head()
	b.commit(h, b.change(h, Columns(), 1))
	b.expect(1)
	if _, err := b.table.Commit(b.t.Context(), h, b.change(h, Columns(), 2)); !errors.Is(err, table.ErrLostRace) {
		b.t.Errorf("a second creation: %v", err)
	}
	old := b.head()
	want := b.behind(3)
	b.commit(old, b.change(old, Columns(), 3))
	if _, err := b.table.Commit(b.t.Context(), old, b.change(old, Columns(), 4)); !errors.Is(err, table.ErrLostRace) {
		b.t.Errorf("a commit on an old head: %v", err)
	}
	b.expect(want...)
}

func race(b *bench) {
	for round := range 4 {
		h := b.head()
		changes := make([]table.Change, 8)
		for i := range changes {
			changes[i] = b.change(h, Columns(), int64(round*10+i))
		}
		var winner atomic.Int64
		winner.Store(-1)
		var all sync.WaitGroup
		for i, change := range changes {
			all.Go(func() {
				_, err := b.format.Open(b.store, b.catalog, "lake/orders/", "orders", nil).Commit(b.t.Context(), h, change)
				switch {
				case err == nil && !winner.CompareAndSwap(-1, int64(round*10+i)):
					b.t.Errorf("round %d has two winners", round)
				case err != nil && !errors.Is(err, table.ErrLostRace):
					b.t.Error(err)
				}
			})
		}
		all.Wait()
		b.expect(b.behind(winner.Load())...)
	}
}

// wider are the suite's columns with one more.
func wider() schema.Table {
	s := Columns()
	s.Columns = append(s.Columns, schema.Column{Name: "more", Type: schema.Type{ID: schema.String}, Source: &schema.SourceColumn{Name: "more", Number: 3, Type: "text"}})
	return s
}

func addedColumn(b *bench) {
	h := b.head()
	b.commit(h, b.change(h, Columns(), 1))
	b.expect(1)
	h = b.head()
	want := b.behind(2)
	b.commit(h, b.change(h, wider(), 2))
	b.expect(want...)
	for range 2 {
		h = b.head()
		columns := slices.DeleteFunc(slices.Clone(h.Schema.Columns), func(c schema.Column) bool { return c.Source == nil }) // the format's own
		if len(columns) != 3 || columns[2].Name != "more" || columns[2].FieldID != 3 {
			b.t.Errorf("the columns are %+v", h.Schema.Columns)
		}
		want = b.behind(3)
		b.commit(h, b.change(h, wider(), 3))
		b.expect(want...)
	}
}

func evolution(b *bench) {
	h := b.head()
	b.commit(h, b.change(h, Columns(), 1))
	next := Columns()
	next.Columns[1].Name, next.Columns[1].Source.Name = "remark", "remark"
	next.Columns = append(next.Columns, schema.Column{Name: "note", Type: schema.Type{ID: schema.Decimal, Precision: 20, Scale: 2}, Source: &schema.SourceColumn{Name: "note", Number: 3, Type: "numeric(20,2)"}})
	h = b.head()
	evolved, err := schema.Evolve(h.Schema, next, schema.Whole)
	if err != nil {
		b.t.Fatal(err)
	}
	b.commit(h, b.change(h, evolved.Table, 2, 3))
	b.expect(2, 3)
	h = b.head()
	var got []string
	ids := map[int]bool{}
	for _, c := range h.Schema.Columns {
		got = append(got, c.Name+" "+c.Type.String())
		ids[c.FieldID] = true
	}
	if want := "id long, remark string, note decimal(20,2)"; strings.Join(got, ", ") != want || len(ids) != 3 {
		b.t.Errorf("the columns are %s with ids %v", strings.Join(got, ", "), ids)
	}
	if first, second := Columns().Columns[1], h.Schema.Columns[1]; first.Source.Number != second.Source.Number || second.FieldID != 2 {
		b.t.Errorf("the renamed column has id %d", second.FieldID)
	}
}

func foreign(b *bench) {
	if err := b.catalog.Create(b.t.Context(), &catalog.Table{Database: "raw", Name: "orders", Type: "EXTERNAL_TABLE", Location: "s3://elsewhere/"}); err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.table.Head(b.t.Context()); !errors.Is(err, table.ErrForeign) {
		b.t.Errorf("a table of another kind: %v", err)
	}
	b.catalog.Drop("raw", "orders")
	elsewhere := &bench{t: b.t, format: b.format, store: b.store, catalog: b.catalog, table: b.format.Open(b.store, b.catalog, "lake/elsewhere/", "orders", nil)}
	h := elsewhere.head()
	elsewhere.commit(h, elsewhere.change(h, Columns(), 1))
	if _, err := b.table.Head(b.t.Context()); !errors.Is(err, table.ErrForeign) {
		b.t.Errorf("a table at another location: %v", err)
	}
}

func noDatabase(b *bench) {
	b.catalog = catalog.NewMemory()
	b.table = b.format.Open(b.store, b.catalog, "lake/orders/", "orders", nil)
	if _, err := b.table.Head(b.t.Context()); !errors.Is(err, catalog.ErrNotFound) || !strings.Contains(err.Error(), "create the database first") {
		b.t.Errorf("got %v", err)
	}
}
