package hudi_test

import (
	"encoding/json"
	"path"
	"testing"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
)

// A commit's file that comes when its claim is void already, but before what the attempt wrote is taken back, is seen by all. Where another
// writer has built on it by then it stays, and is the checkpoint that the next run goes on from: its rows are in that writer's files, too,
// and would be applied a second time. Where nobody has, it goes.
func TestLateCommitThatOthersBuiltOnStays(t *testing.T) {
	t.Parallel()
	for name, built := range map[string]bool{"built on": true, "the newest": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, shop())
			b.load(false, goods("de", 1, 2))
			h := b.head()
			change := b.planMerge(h, goods("de", 1, 50))
			late := b.dies(h, change)
			foreignCommit(t, b.store, "lake/orders/", "clean", commit{}) // takes nothing back that is pending
			dying := openTable(&dyingAtClaims{Store: b.store, behind: true}, b.catalog, "lake/orders/", "orders", func() time.Time { return time.Now().Add(b.ahead) })
			if _, err := dying.Head(t.Context()); err == nil {
				t.Fatal("the recoverer was not held up")
			}
			if _, err := b.store.Put(t.Context(), late.key, late.data, store.Condition{IfAbsent: true}); err != nil {
				t.Fatal(err)
			}
			attempt, ids := "a1", []int64{1, 2}
			if built {
				attempt, ids = "a2", []int64{1, 2, 50}
				var over commit
				if err := json.Unmarshal([]byte(`{"partitionToWriteStats":{"":[{"PrevCommit":"`+path.Base(late.key)[:17]+`"}]}}`), &over); err != nil {
					t.Fatal(err)
				}
				foreignCommit(t, b.store, "lake/orders/", "commit", over)
			}
			for range 2 {
				if h = b.head(); h.Checkpoint.Attempt != attempt {
					t.Errorf("the checkpoint is %s", h.Checkpoint.Attempt)
				}
				b.expect(ids...)
			}
			b.nothingPending(name)
			b.commit(h, b.planMerge(h, goods("de", 3)))
			b.expect(append(ids, 3)...)
		})
	}
}
