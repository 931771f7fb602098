package conformance

import (
	"errors"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// at is the bench's table under a clock that is ahead.
func (b *bench) at(ahead time.Duration) table.Table {
	return b.format.Open(b.store, b.catalog, "lake/orders/", "orders", func() time.Time { return time.Now().Add(ahead) })
}

// objects counts what the store holds.
func (b *bench) objects() map[string]bool {
	b.t.Helper()
	out := map[string]bool{}
	for object, err := range b.store.List(b.t.Context(), "lake/orders/", "") {
		if err != nil {
			b.t.Fatal(err)
		}
		out[object.Key] = true
	}
	return out
}

// replaced is a table of rows that have been replaced some times. It returns the keys of all data files.
func (b *bench) replaced(times int64) (keys []string) {
	b.t.Helper()
	for round := range times {
		h := b.head()
		change := b.change(h, Columns(), round, round+100)
		keys = append(keys, change.Add[0].Key)
		b.commit(h, change)
	}
	return keys
}

const day = 24 * time.Hour

func cleaning(b *bench) {
	keys := b.replaced(15)
	clean := func(ahead time.Duration, keep table.Retention) *table.Cleaned {
		b.t.Helper()
		before := b.head()
		done, err := b.at(ahead).Clean(b.t.Context(), before, keep)
		if err != nil {
			b.t.Fatal(err)
		}
		b.expect(14, 114)
		after := b.head()
		if after.Commit != before.Commit || after.CheckpointCommit != before.CheckpointCommit || after.Rows != before.Rows {
			b.t.Errorf("cleaning made %+v of the head %+v", after, before)
		}
		return done
	}
	if done := clean(4*day, table.Retention{}); *done != (table.Cleaned{}) {
		b.t.Errorf("what is young was cleaned: %+v", done)
	}
	done := clean(6*day, table.Retention{})
	objects := b.objects()
	if done.Snapshots != 5 || done.Files < 5*3 || done.Left != 0 || objects[keys[0]] || objects[keys[4]] || !objects[keys[5]] || !objects[keys[14]] {
		b.t.Errorf("cleaned %+v", done)
	}
	if done = clean(6*day, table.Retention{}); done.Snapshots != 0 {
		b.t.Errorf("cleaned again: %+v", done)
	}
	if done = clean(day, table.Retention{KeepAtLeast: 2, MaxAge: time.Hour}); done.Snapshots != 8 || done.Files != 0 || done.Left < 8*3 {
		b.t.Errorf("files that a job may be about to commit: %+v", done)
	}
	if objects = b.objects(); !objects[keys[5]] {
		b.t.Error("a file was deleted that is too young")
	}
	// The checkpoint's commit stays, and what leads to it.
	for range 4 {
		b.format.Touch(b.t, b.store, b.catalog, "orders")
	}
	if done = clean(9*day, table.Retention{KeepAtLeast: 1}); done.Snapshots != 1 {
		b.t.Errorf("cleaned %+v", done)
	}
	if removed, err := b.at(9*day).RemoveOrphans(b.t.Context(), table.LongestJob); err != nil || removed == 0 {
		b.t.Errorf("%d orphans, %v", removed, err)
	}
	b.expect(14, 114)
	objects = b.objects()
	for _, key := range keys[:14] {
		if objects[key] {
			b.t.Errorf("%s was left behind", key)
		}
	}
	h := b.head()
	b.commit(h, b.change(h, Columns(), 1))
	b.expect(1)
}

func cleaningUnanswered(b *bench) {
	b.replaced(12)
	for i, hook := range []func(asked){b.after, b.before} {
		hook(once(catalog.ErrUnknown))
		done, err := b.at(time.Duration(i+1)*6*day).Clean(b.t.Context(), b.head(), table.Retention{})
		if err != nil || done.Snapshots == 0 {
			b.t.Errorf("cleaned %+v, %v", done, err)
		}
		b.expect(11, 111)
		b.replaced(12)
	}
	h := b.head()
	before := b.objects()
	b.before(func(call) error { return catalog.ErrUnknown })
	if _, err := b.at(20*day).Clean(b.t.Context(), h, table.Retention{}); !errors.Is(err, table.ErrOutcomeUnknown) {
		b.t.Errorf("got %v", err)
	}
	b.before(nil)
	b.format.Touch(b.t, b.store, b.catalog, "orders")
	if _, err := b.at(20*day).Clean(b.t.Context(), h, table.Retention{}); !errors.Is(err, table.ErrLostRace) {
		b.t.Errorf("got %v", err)
	}
	after := b.objects()
	for key := range before {
		if !after[key] {
			b.t.Errorf("%s was deleted by a cleaning that did not come about", key)
		}
	}
}

func orphans(b *bench) {
	b.replaced(3)
	b.expect(b.rows()...)
	died := errors.New("killed")
	before := b.objects()
	dead := func(t table.Table) bool {
		h := b.head()
		change := b.change(h, Columns(), 77)
		if b.format.Can.Deletes {
			change.ReplaceAll = false
			for _, f := range b.files(h) {
				b.deleteRows(h, &change, f, 0)
			}
		}
		_, err := t.Commit(b.t.Context(), h, change)
		return err != nil
	}
	if b.decisions == nil { // elsewhere the next one would see it through
		b.before(func(call) error { return died })
		if !dead(b.table) {
			b.t.Error("a commit that was refused came about")
		}
		b.before(nil)
	}
	for step := 1; step <= b.format.Writes; step++ {
		if !dead(b.format.Open(&countdown{Store: b.store, left: step, err: died, effect: true}, b.catalog, "lake/orders/", "orders", nil)) {
			b.t.Error("a commit that was killed came about")
		}
	}
	b.expect(b.seen...)
	b.leftovers(before, dead)
}

// leftovers checks that what dead attempts left is removed once it is old, and nothing else.
func (b *bench) leftovers(before map[string]bool, dead func(table.Table) bool) {
	b.t.Helper()
	died := map[string]bool{}
	for key := range b.objects() {
		died[key] = !before[key]
	}
	left := len(died) - len(before)
	if left < b.format.Writes {
		b.t.Errorf("dead attempts left %d objects", left)
	}
	if dead(b.table) {
		b.t.Error("a commit failed behind those that did")
	}
	want := b.rows()
	b.expect(want...)
	theirs := []string{"lake/orders/data/theirs.parquet", "lake/orders/data/3b9f1b9e-0000-4000-8000-000000000000-x.parquet"}
	for _, key := range theirs {
		w, err := b.store.Create(b.t.Context(), key)
		if err == nil {
			err = w.Close()
		}
		if err != nil {
			b.t.Fatal(err)
		}
	}
	if n, err := b.table.RemoveOrphans(b.t.Context(), table.LongestJob); n != 0 || err != nil {
		b.t.Errorf("%d young files were taken for orphans, %v", n, err)
	}
	if _, err := b.table.RemoveOrphans(b.t.Context(), day); err == nil {
		b.t.Error("files that a job may be about to commit may be removed")
	}
	gone := 0
	if b.format.Can.Replaces && !b.format.Can.Snapshots {
		gone = len(before) // what was replaced is no part of the table, once it is old
	}
	n, err := b.at(3*day).RemoveOrphans(b.t.Context(), table.LongestJob)
	if b.decisions == nil && n != left+gone || n > left+gone || n == 0 || err != nil {
		b.t.Errorf("%d orphans were removed, and there were %d: %v", n, left+gone, err)
	}
	after := b.objects()
	for key, is := range died {
		if is && after[key] {
			b.t.Errorf("%s of a dead attempt was left behind", key)
		}
	}
	for key := range before {
		if !after[key] && gone == 0 {
			b.t.Errorf("%s was part of the table", key)
		}
	}
	for _, key := range theirs {
		if !after[key] {
			b.t.Errorf("%s is not ours", key)
		}
	}
	b.expect(want...)
}
