package hudi_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// detained is a store on which the put of a commit's file stays under way; whoever made it is dead from then on.
type detained struct {
	store.Store
	key  string
	data []byte
}

func (s *detained) Put(ctx context.Context, key string, data []byte, when store.Condition) (store.Object, error) {
	if s.key != "" {
		return store.Object{}, errKilled
	}
	if completing.MatchString("/" + key) {
		s.key, s.data = key, data
		return store.Object{}, errKilled
	}
	return s.Store.Put(ctx, key, data, when)
}

func (s *detained) Delete(ctx context.Context, keys ...string) error {
	if s.key != "" {
		return errKilled
	}
	return s.Store.Delete(ctx, keys...)
}

// dies has a run make its commit up to the put of the commit's file.
func (b *bench) dies(h *table.Head, change table.Change) *detained {
	b.t.Helper()
	s := &detained{Store: b.store}
	dying := openTable(s, b.catalog, "lake/orders/", "orders", func() time.Time { return time.Now().Add(b.ahead) })
	if _, err := dying.Commit(b.t.Context(), h, change); err == nil || s.key == "" {
		b.t.Fatalf("the commit was not held up: %v", err)
	}
	return s
}

// A commit's file that comes when Spark has rolled its instant back is no commit: neither where the run that sent it died before, nor
// where another one had completed and sealed it meanwhile. Its rows are read again.
func TestCommitThatComesBehindItsRollback(t *testing.T) {
	t.Parallel()
	for name, meanwhile := range map[string]func(b *bench){
		"of a dead run": (*bench).sparkWrites,
		"of one whose commit another made": func(b *bench) {
			if h := b.head(); h.Checkpoint.Attempt != "a2" {
				b.t.Errorf("the checkpoint is %s", h.Checkpoint.Attempt)
			}
			b.expect(1, 2, 50)
			b.sparkTakesHeadBack()
		},
		"of one whose commit another made, without cleaning up": func(b *bench) {
			under := b.store
			b.store = &withoutEnd{under}
			b.reopen()
			b.head()
			b.store = under
			b.reopen()
			b.sparkTakesHeadBack()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, shop())
			b.load(false, goods("de", 1, 2))
			h := b.head()
			change := b.planMerge(h, goods("de", 1, 50))
			late := b.dies(h, change)
			meanwhile(b)
			b.expect(1, 2)
			if _, err := b.store.Put(t.Context(), late.key, late.data, store.Condition{IfAbsent: true}); err != nil {
				t.Fatal(err)
			}
			h = b.head()
			if h.Checkpoint.Attempt != "a1" {
				t.Errorf("the checkpoint is %s", h.Checkpoint.Attempt)
			}
			b.expect(1, 2)
			b.commit(h, b.planMerge(h, goods("de", 1, 50)))
			b.expect(1, 2, 50)
			b.nothingPending(name)
		})
	}
}

// dyingAtClaims is a store on which whoever puts a claim dies, in front of that or behind it.
type dyingAtClaims struct {
	store.Store
	behind, dead bool
}

func (s *dyingAtClaims) Put(ctx context.Context, key string, data []byte, when store.Condition) (store.Object, error) {
	claims := strings.Contains(key, "/claims/")
	if s.dead || claims && !s.behind {
		s.dead = true
		return store.Object{}, errKilled
	}
	s.dead = claims
	return s.Store.Put(ctx, key, data, when)
}

func (s *dyingAtClaims) Delete(ctx context.Context, keys ...string) error {
	if s.dead {
		return errKilled
	}
	return s.Store.Delete(ctx, keys...)
}

// A clean that nobody claimed, and that Spark finished as it finishes all that are pending, stays on the timeline and is over: its record
// holds nothing back, neither the timeline's trimming nor the removal of claims.
func TestCleanThatSparkFinishedIsOver(t *testing.T) {
	t.Parallel()
	b := newBench(t, shop())
	b.load(false, goods("de", 1))
	b.churn(12)
	b.ahead += 30 * time.Hour
	h := b.head()
	dying := openTable(&dyingAtClaims{Store: b.store}, b.catalog, "lake/orders/", "orders", func() time.Time { return time.Now().Add(b.ahead) })
	if _, err := dying.Clean(t.Context(), h, table.Retention{KeepAtLeast: 3, MaxAge: time.Hour}); err == nil {
		t.Fatal("the clean was not held up")
	}
	pending := b.keys(".hoodie/", ".clean.requested")
	if len(pending) != 1 {
		t.Fatalf("pending are %v", pending)
	}
	done := strings.TrimSuffix(pending[0], ".requested")
	put(t, b.store, "lake/orders/"+done, b.read("lake/orders/"+pending[0]))
	b.head()
	for _, key := range b.keys(".hoodie/.lakeland/attempts/", "") {
		if len(b.read("lake/orders/"+key)) > 0 {
			t.Errorf("%s is not over", key)
		}
	}
	b.load(false, goods("de", 2))
	if len(b.keys(done, "")) == 0 {
		t.Error("the clean is no longer on the timeline")
	}
	b.ahead += 2 * table.LongestJob
	b.reopen()
	if _, err := b.table.RemoveOrphans(t.Context(), table.LongestJob); err != nil {
		t.Fatal(err)
	}
	if claims := b.keys(".hoodie/.lakeland/claims/", ""); len(claims) != 1 {
		t.Errorf("the claims %v are kept", claims)
	}
	b.expect(1, 2)
}

// withoutEnd is a store on which records are not emptied.
type withoutEnd struct{ store.Store }

func (s *withoutEnd) Put(ctx context.Context, key string, data []byte, when store.Condition) (store.Object, error) {
	if strings.Contains(key, "/attempts/") && len(data) == 0 {
		return store.Object{}, errKilled
	}
	return s.Store.Put(ctx, key, data, when)
}

// A dead run that had claimed its base, and whose instant Spark took back, is forgotten when it is old, and holds nothing back.
func TestClaimedAttemptThatSparkTookBackIsForgotten(t *testing.T) {
	t.Parallel()
	b := newBench(t, shop())
	b.load(false, goods("de", 1, 2))
	h := b.head()
	b.dies(h, b.planMerge(h, goods("de", 1, 50)))
	b.sparkWrites()
	b.ahead = 2 * table.LongestJob
	b.reopen()
	b.load(false, goods("de", 3))
	for range 2 {
		if _, err := b.table.RemoveOrphans(t.Context(), table.LongestJob); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range b.keys(".hoodie/.lakeland/attempts/", "") {
		if len(b.read("lake/orders/"+key)) > 0 {
			t.Errorf("%s is kept", key)
		}
	}
	if claims := b.keys(".hoodie/.lakeland/claims/", ""); len(claims) != 1 {
		t.Errorf("the claims %v are kept", claims)
	}
	b.expect(1, 2, 3)
}
