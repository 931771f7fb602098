package conformance

import (
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// model is what a table holds: the rows of each file, and the positions of those that were deleted.
type model map[string]modelFile

type modelFile struct {
	ids     []int64
	deleted map[int64]bool
}

func (m model) clone() model {
	out := model{}
	for key, f := range m {
		out[key] = modelFile{f.ids, maps.Clone(f.deleted)}
	}
	return out
}

// rows are the ids that readers see.
func (m model) rows() []int64 {
	var out []int64
	for _, f := range m {
		for position, id := range f.ids {
			if !f.deleted[int64(position)] {
				out = append(out, id)
			}
		}
	}
	slices.Sort(out)
	return out
}

// history makes random changes, some of which meet foreign commits and rollbacks, and compares the table with a model.
func history(b *bench) {
	for _, seed := range []uint64{1, 2, 3} {
		one := b.format.bench(b.t)
		columns := Columns()
		if seed%2 == 0 && b.format.Can.Partitions {
			columns = inPartitions(schema.PartitionField{Column: "country", Transform: schema.Identity})
			if b.format.Can.Transforms {
				columns.Partition = append(columns.Partition, schema.PartitionField{Column: "id", Transform: schema.Bucket, Width: 2})
			}
		}
		one.random(rand.New(rand.NewPCG(seed, 7)), columns)
	}
}

func (b *bench) random(random *rand.Rand, columns schema.Table) {
	b.t.Helper()
	now := model{}
	past := map[string]model{}
	var commits []string
	var id int64
	for step := range 40 {
		h := b.head()
		next := now.clone()
		change := b.begin(h, columns)
		files := b.sorted(h)
		can := b.format.Can
		change.ReplaceAll = can.Replaces && !can.Appends && h.Exists
		switch what := random.IntN(12); {
		case what == 0 && len(commits) > 0 && b.format.Rollback != nil:
			commit := commits[random.IntN(len(commits))]
			if b.format.Rollback(b.t, b.store, b.catalog, "orders", commit) {
				now = past[commit].clone()
			}
			b.compare(step, now)
			continue
		case what == 1 && h.Exists && b.format.Touch != nil:
			b.format.Touch(b.t, b.store, b.catalog, "orders")
			if _, err := b.table.Commit(b.t.Context(), h, change); !errors.Is(err, table.ErrLostRace) {
				b.t.Fatalf("step %d: a commit on an old head: %v", step, err)
			}
			b.compare(step, now)
			continue
		case what == 2 && h.Exists:
			if _, err := b.at(6*day).Clean(b.t.Context(), h, table.Retention{KeepAtLeast: 3, MaxAge: time.Hour}); err != nil {
				b.t.Fatalf("step %d: %v", step, err)
			}
			clear(past) // what can be rolled back to is the format's own matter
			commits = nil
			b.compare(step, now)
			continue
		case what == 3 && can.Replaces:
			change.ReplaceAll = true
		default:
			for _, f := range files {
				switch what := random.IntN(6); {
				case what == 0 && can.Exchanges:
					change.Remove = append(change.Remove, f.Key)
					delete(next, b.same(f.Key))
				case what == 1 && can.Deletes:
					b.deleteSome(random, h, &change, f, next)
				}
			}
		}
		if change.ReplaceAll {
			clear(next)
		}
		for range random.IntN(3) {
			var ids []int64
			for range 1 + random.IntN(4) {
				id++
				ids = append(ids, id)
			}
			first := len(change.Add)
			b.add(h, &change, ids...)
			b.remember(next, change.Add[first:], ids, &change.Schema)
		}
		done := b.commit(h, change)
		now, past[done.Commit], commits = next, next.clone(), append(commits, done.Commit)
		b.compare(step, now)
	}
	if n, err := b.at(6*day).RemoveOrphans(b.t.Context(), table.LongestJob); err != nil {
		b.t.Errorf("after %d orphans: %v", n, err)
	}
	b.compare(-1, now)
	b.ends(now)
}

// deleteSome deletes rows of a file by their positions; some again, as an engine may do that does not look.
func (b *bench) deleteSome(random *rand.Rand, h *table.Head, change *table.Change, f table.StoredFile, next model) {
	b.t.Helper()
	var chosen []int64
	for position := range f.Rows {
		if random.IntN(2) == 0 {
			chosen = append(chosen, position)
			next[b.same(f.Key)].deleted[position] = true
		}
	}
	if len(chosen) > 0 {
		b.deleteRows(h, change, f, chosen...)
	}
}

// remember puts added files into the model; those of one call have one partition each.
func (b *bench) remember(next model, added []table.DataFile, ids []int64, s *schema.Table) {
	b.t.Helper()
	p, err := schema.NewPartitioner(s)
	if err != nil {
		b.t.Fatal(err)
	}
	groups, err := p.Groups(batch(s, ids), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	for i, f := range added {
		var mine []int64
		for at, id := range ids {
			if groups[at] == uint32(i) {
				mine = append(mine, id)
			}
		}
		next[b.same(f.Key)] = modelFile{mine, map[int64]bool{}}
	}
}

// compare holds the table's files, and what a reader sees, against the model.
func (b *bench) compare(step int, want model) {
	b.t.Helper()
	h := b.head()
	got := map[string]int64{}
	for _, f := range b.files(h) {
		key := b.same(f.Key)
		got[key] = f.Rows
		if (len(f.Deletes) > 0) != (len(want[key].deleted) > 0) {
			b.t.Errorf("step %d: %s has the deletes %+v, the model %v", step, key, f.Deletes, want[key].deleted)
		}
	}
	files := map[string]int64{}
	for key, f := range want {
		files[key] = int64(len(f.ids))
	}
	if diff := cmp.Diff(files, got); diff != "" {
		b.t.Fatalf("step %d: the files are others (-model +table): %s", step, diff)
	}
	if step%10 == 0 || step < 0 {
		b.expect(want.rows()...)
	}
	if h.Exists && h.Commit != "" && h.Checkpoint == nil {
		b.t.Fatalf("step %d: the head has no checkpoint", step)
	}
}

// same is what the keys of an added file, and of the table's for it, have in common.
func (b *bench) same(key string) string {
	if b.format.Same != nil {
		return b.format.Same(key)
	}
	return key
}

// ends lets a format look at the end of a history with other means.
func (b *bench) ends(want model) {
	if b.format.End != nil {
		b.format.End(b.t, b.store, b.catalog, "orders", want.rows())
	}
}
