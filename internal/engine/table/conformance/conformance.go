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

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// Format is a table format under test.
type Format struct {
	// Open makes a table at a prefix of a store, with an entry in the catalogue's database "raw", under a clock; nil is the
	// machine's.
	Open func(s store.Store, c catalog.Catalog, prefix, name string, now func() time.Time) table.Table
	// Rows reads the ids that a reader of the catalogue sees now; nil when there is no table.
	Rows func(ctx context.Context, s store.Store, c catalog.Catalog, name string) ([]int64, error)
	// Touch commits on top as somebody else does who changes no row.
	Touch func(t *testing.T, s store.Store, c catalog.Catalog, name string)
	// End, where it is set, reads the ids at the end of a random history with other people's engines.
	End func(t *testing.T, s store.Store, c catalog.Catalog, name string, want []int64)
	// Rollback makes an older commit the newest, as somebody else does.
	Rollback func(t *testing.T, s store.Store, c catalog.Catalog, name, commit string)
}

// bench is one table with its surroundings.
type bench struct {
	t       *testing.T
	format  Format
	store   store.Store
	catalog *catalog.Memory
	table   table.Table
	attempt int
}

func (f Format) bench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, format: f, store: store.NewDirectory(t.TempDir()), catalog: catalog.NewMemory("raw")}
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
	got, err := b.format.Rows(b.t.Context(), b.store, b.catalog, "orders")
	if err != nil {
		b.t.Fatal(err)
	}
	slices.Sort(got)
	if diff := cmp.Diff(ids, got); diff != "" {
		b.t.Errorf("a reader sees other rows (-wanted +seen): %s", diff)
	}
}

// Run runs all tests of a format.
func Run(t *testing.T, f Format) {
	t.Helper()
	for name, test := range map[string]func(*bench){
		"a table that is not there":                    absent,
		"create, then replace":                         createThenReplace,
		"a table without rows":                         empty,
		"the checkpoint comes back as it was":          checkpoint,
		"a commit on an old head loses":                oldHead,
		"exactly one of eight committers wins a round": race,
		"an answer lost after the commit":              lostAfter,
		"an answer lost before the commit":             lostBefore,
		"no answer at all":                             silent,
		"a refused commit changes nothing":             refused,
		"a throttled commit goes out again":            throttled,
		"a refusal after a silence settles nothing":    refusedAfterSilence,
		"an effect that comes late":                    late,
		"a crash at any step leaves the old table":     crashes,
		"columns that are added, renamed and widened":  evolution,
		"a foreign entry is refused":                   foreign,
		"an entry without database":                    noDatabase,
		"rows are appended":                            appends,
		"files are exchanged":                          exchanges,
		"rows are deleted by position":                 positions,
		"what does not fit the head is refused":        misfits,
		"a table in partitions":                        partitions,
		"other partitions come with a reload":          repartition,
		"eight committers lose nothing":                allWin,
		"old snapshots are forgotten":                  cleaning,
		"an answer lost while cleaning":                cleaningUnanswered,
		"what dead attempts left is removed":           orphans,
		"a random history":                             history,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(f.bench(t))
		})
	}
	for kind, change := range kinds {
		for name, test := range faults {
			t.Run(kind+", "+name, func(t *testing.T) {
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
	if h = b.head(); !h.Exists || h.Rows != 0 {
		b.t.Errorf("the head is %+v", h)
	}
	b.commit(h, b.change(h, Columns(), 7))
	b.expect(7)
	h = b.head()
	b.commit(h, b.change(h, Columns()))
	b.expect()
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
	if _, err := b.table.Commit(b.t.Context(), h, b.change(h, Columns(), 2)); !errors.Is(err, table.ErrLostRace) {
		b.t.Errorf("a second creation: %v", err)
	}
	old := b.head()
	b.commit(old, b.change(old, Columns(), 3))
	if _, err := b.table.Commit(b.t.Context(), old, b.change(old, Columns(), 4)); !errors.Is(err, table.ErrLostRace) {
		b.t.Errorf("a commit on an old head: %v", err)
	}
	b.expect(3)
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
		b.expect(winner.Load())
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
