package conformance

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// long is a position of many bytes, told from others by a number.
func long(n int) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{"v":1,"n":%d,"leaves":%q}`, n, strings.Repeat("x", table.LongPosition)))
}

// keptPositions: a long position is an object that commits name; it stays while one of them is kept, however old it is, and
// goes when none is.
func keptPositions(b *bench) {
	stand := func(h *table.Head, position json.RawMessage) json.RawMessage {
		b.t.Helper()
		stands, err := table.StorePosition(b.t.Context(), b.table, b.store, h, position)
		if err != nil {
			b.t.Fatal(err)
		}
		return stands
	}
	h := b.head()
	if short := json.RawMessage(`{"v":1}`); string(stand(h, short)) != string(short) || table.PositionObject(short) != "" {
		b.t.Error("a short position does not stand for itself")
	}
	committed := []json.RawMessage{json.RawMessage("null")}
	for n := range 3 {
		if n > 0 {
			h = b.head()
		}
		change := b.change(h, Columns(), int64(n))
		c := &change.Checkpoint
		c.From, c.ReadFrom, c.To = committed[n], stand(h, long(10+n)), stand(h, long(n))
		b.commit(h, change)
		committed = append(committed, c.To)
		if key := table.PositionObject(c.To); !strings.HasPrefix(key, "lake/orders/") || !strings.Contains(key, h.TableID) || len(c.To) > 512 {
			b.t.Errorf("the position stands as %s", c.To)
		}
	}
	h = b.head()
	if again := stand(h, long(2)); string(again) != string(committed[3]) || string(h.Checkpoint.To) != string(again) || string(h.Checkpoint.From) != string(committed[2]) {
		b.t.Errorf("the commit goes from %s to %s, the same position stands as %s", h.Checkpoint.From, h.Checkpoint.To, again)
	}
	orphan := table.PositionObject(stand(h, long(99))) // of a run that died in front of its commit
	if n, err := b.at(day).RemoveOrphans(b.t.Context(), table.LongestJob); n != 0 || err != nil {
		b.t.Errorf("%d young objects were taken for orphans, %v", n, err)
	}
	if _, err := b.at(9*day).RemoveOrphans(b.t.Context(), table.LongestJob); err != nil {
		b.t.Error(err)
	}
	objects := b.objects()
	kept := slices.Clone(h.Checkpoint.Objects())
	if len(kept) != 3 || objects[orphan] {
		b.t.Errorf("%d positions are named; the orphan is there: %t", len(kept), objects[orphan])
	}
	if b.format.Can.Snapshots || !b.format.Can.Replaces { // all commits are there still
		for n := range 3 {
			kept = append(kept, table.PositionObject(stand(h, long(n))), table.PositionObject(stand(h, long(10+n))))
		}
	}
	for _, key := range kept {
		if !objects[key] {
			b.t.Errorf("the position %s is named by a commit and gone", key)
		}
	}
	got, err := table.LoadPosition(b.t.Context(), b.store, h.Checkpoint.To)
	if err != nil || string(got) != string(long(2)) {
		b.t.Errorf("the position is %.40s, %v", got, err)
	}
	at := table.PositionObject(h.Checkpoint.To)
	if _, err := b.store.Put(b.t.Context(), at, long(3), store.Condition{}); err != nil {
		b.t.Fatal(err)
	}
	if _, err := table.LoadPosition(b.t.Context(), b.store, h.Checkpoint.To); !errors.Is(err, table.ErrPosition) || !strings.Contains(err.Error(), at+" is not what was written") {
		b.t.Errorf("an object that was changed: %v", err)
	}
	if err := b.store.Delete(b.t.Context(), at); err != nil {
		b.t.Fatal(err)
	}
	if _, err := table.LoadPosition(b.t.Context(), b.store, h.Checkpoint.To); !errors.Is(err, table.ErrPosition) || !strings.Contains(err.Error(), at+" is gone") {
		b.t.Errorf("an object that is gone: %v", err)
	}
}
