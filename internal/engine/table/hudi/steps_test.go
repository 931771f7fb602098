package hudi_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

var errKilled = errors.New("killed")

// steps is a store whose writes, closes of streams and deletes are counted: what happens at one of them is the test's.
type steps struct {
	store.Store
	at int
	// on is what happens at that step.
	on step

	mu   sync.Mutex
	n    int
	dead bool
	// came names the step.
	came string
}

// step is what happens at a step: something else first, then with or without effect, an error or none; whether all behind it fails.
type step struct {
	first        func()
	effect, lost bool
	dies         bool
}

func (s *steps) do(what string, write func() error) error {
	s.mu.Lock()
	if s.dead {
		s.mu.Unlock()
		return errKilled
	}
	s.n++
	now := s.n == s.at
	if now {
		s.came = what
		s.dead = s.on.dies
	}
	s.mu.Unlock()
	if !now {
		return write()
	}
	if s.on.first != nil {
		s.on.first()
	}
	if s.on.effect {
		if err := write(); err != nil {
			return err
		}
	}
	if s.on.lost || s.on.dies {
		return errKilled
	}
	return nil
}

func (s *steps) alive() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dead {
		return errKilled
	}
	return nil
}

func (s *steps) Put(ctx context.Context, key string, data []byte, when store.Condition) (object store.Object, err error) {
	err = s.do("put "+key, func() error {
		object, err = s.Store.Put(ctx, key, data, when)
		return err
	})
	return object, err
}

func (s *steps) Delete(ctx context.Context, keys ...string) error {
	return s.do("delete "+strings.Join(keys, " "), func() error { return s.Store.Delete(ctx, keys...) })
}

func (s *steps) Create(ctx context.Context, key string) (store.Writer, error) {
	if err := s.alive(); err != nil {
		return nil, err
	}
	w, err := s.Store.Create(ctx, key)
	return &stepWriter{Writer: w, s: s, key: key}, err
}

type stepWriter struct {
	store.Writer
	s   *steps
	key string
}

func (w *stepWriter) Close() error { return w.s.do("close "+w.key, w.Writer.Close) }

func (s *steps) Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error) {
	if err := s.alive(); err != nil {
		return nil, err
	}
	return s.Store.Get(ctx, key, offset, length)
}

func (s *steps) Head(ctx context.Context, key string) (store.Object, error) {
	if err := s.alive(); err != nil {
		return store.Object{}, err
	}
	return s.Store.Head(ctx, key)
}

func (s *steps) List(ctx context.Context, prefix, after string) iter.Seq2[store.Object, error] {
	if err := s.alive(); err != nil {
		return func(yield func(store.Object, error) bool) { yield(store.Object{}, err) }
	}
	return s.Store.List(ctx, prefix, after)
}

// work is something that is done to a table of the rows 1, 2 of one partition and 3 of another.
type work struct {
	// plan makes it ready; do does it. after are the rows behind it.
	plan  func(b *bench, h *table.Head) (do func(t table.Table) error)
	after []int64
}

func changes(plan func(b *bench, h *table.Head) table.Change) func(b *bench, h *table.Head) func(table.Table) error {
	return func(b *bench, h *table.Head) func(table.Table) error {
		change := plan(b, h)
		return func(t table.Table) error {
			_, err := t.Commit(b.t.Context(), h, change)
			return err
		}
	}
}

var works = map[string]work{
	"an append": {changes(func(b *bench, h *table.Head) table.Change {
		change := b.adds(h, "u", goods("it", 4))
		return change
	}), []int64{1, 2, 3, 4}},
	"an upsert":  {changes(func(b *bench, h *table.Head) table.Change { return b.planMerge(h, goods("de", 1, 4), 2) }), []int64{1, 3, 4}},
	"a deletion": {changes(func(b *bench, h *table.Head) table.Change { return b.planMerge(h, nil, 3) }), []int64{1, 2}},
	"a replacement": {changes(func(b *bench, h *table.Head) table.Change {
		change := b.begin(h)
		change.ReplaceAll = true
		change.Add = b.stage(h, &change, "u", goods("fr", 8, 9))
		return change
	}), []int64{8, 9}},
	"a cleaning": {func(b *bench, h *table.Head) func(table.Table) error {
		return func(t table.Table) error {
			_, err := t.Clean(b.t.Context(), h, table.Retention{KeepAtLeast: 1, MaxAge: time.Hour})
			return err
		}
	}, []int64{1, 2, 3}},
}

// start makes the table; its first versions can be cleaned.
func start(t *testing.T) *bench {
	t.Helper()
	b := newBench(t, shop("land"))
	b.load(false, append(goods("de", 1, 2), goods("fr", 3)...))
	changed := goods("de", 1)
	changed[0]["name"] = "changed"
	b.upsert(changed)
	b.ahead = 50 * time.Hour
	b.reopen()
	b.expect(1, 2, 3)
	return b
}

// each does something for each step of each work, until there are no more steps.
func each(t *testing.T, do func(b *bench, w work, under *steps, dying table.Table) string) {
	t.Helper()
	for name, w := range works {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			least := 6
			for at := 1; ; at++ {
				b := start(t)
				s := &steps{Store: b.store, at: at}
				dying := openTable(s, b.catalog, "lake/orders/", "orders", func() time.Time { return time.Now().Add(b.ahead) })
				if came := do(b, w, s, dying); came == "" {
					if at <= least {
						t.Errorf("it has %d steps", at-1)
					}
					return
				}
				if t.Failed() {
					t.Fatalf("at step %d, %s", at, s.came)
				}
			}
		})
	}
}

// settled checks that a table is as one without dead attempts: old or new, nothing pending, all that is there part of it, and that the
// next commit is made.
func (b *bench) settled(w work, failed error) {
	b.t.Helper()
	h := b.head()
	var was []int64
	for id := range b.rows() {
		var n int64
		fmt.Sscan(id, &n)
		was = append(was, n)
	}
	isNew := len(h.Checkpoint.Attempt) > 0 && h.Checkpoint.Attempt == fmt.Sprintf("a%d", b.attempt) && b.attempt > 2
	if isNew {
		b.expect(w.after...)
	} else if b.expect(1, 2, 3); failed == nil && len(w.after) != 3 {
		b.t.Error("a commit that was made is not there")
	}
	if failed != nil && isNew && errors.Is(failed, table.ErrLostRace) {
		b.t.Errorf("a commit was made, and its error is %v", failed)
	}
	b.load(false, goods("es", 77))
	b.expect(append(was, 77)...)
	l := tableOf(b.t, b.store)
	for key := range l.objects {
		instant := ""
		for _, part := range strings.FieldsFunc(key, func(r rune) bool { return r == '/' || r == '_' || r == '.' }) {
			if len(part) == 17 {
				instant = part
			}
		}
		if strings.HasSuffix(key, ".requested") || strings.HasSuffix(key, ".inflight") || strings.HasSuffix(key, ".parquet") && !strings.Contains(key, "staging") || strings.Contains(key, ".temp") {
			_, commit := l.commits[instant]
			if _, clean := l.objects[".hoodie/"+instant+".clean"]; !commit && !clean {
				b.t.Errorf("%s was left behind", key)
			}
		}
	}
}

// A run that is killed at any step leaves the old table, or a new one that the next run sees through.
func TestKilledAtAnyStep(t *testing.T) {
	t.Parallel()
	for _, effect := range []bool{false, true} {
		t.Run(fmt.Sprint(effect), func(t *testing.T) {
			t.Parallel()
			each(t, func(b *bench, w work, s *steps, dying table.Table) string {
				do := w.plan(b, b.head())
				s.on = step{effect: effect, dies: true}
				err := do(dying)
				b.settled(w, err)
				return s.came
			})
		})
	}
}

// An answer that is lost, whether the call took effect or not, loses nothing and doubles nothing.
func TestLostAnswerAtAnyStep(t *testing.T) {
	t.Parallel()
	for _, effect := range []bool{false, true} {
		t.Run(fmt.Sprint(effect), func(t *testing.T) {
			t.Parallel()
			each(t, func(b *bench, w work, s *steps, dying table.Table) string {
				do := w.plan(b, b.head())
				s.on = step{effect: effect, lost: true}
				err := do(dying)
				b.settled(w, err)
				return s.came
			})
		})
	}
}

// Another run that comes between any two steps: one of the two commits, and the other says that it lost.
func TestAnotherRunBetweenAnySteps(t *testing.T) {
	t.Parallel()
	for name, other := range map[string]work{"an append": works["an append"], "a head": {}, "a replacement": works["a replacement"]} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			each(t, func(b *bench, w work, s *steps, dying table.Table) string {
				h := b.head()
				do := w.plan(b, h)
				var theirs error
				mine := fmt.Sprintf("a%d", b.attempt)
				s.on = step{effect: true, first: func() {
					if other.plan == nil {
						b.head()
						return
					}
					theirs = other.plan(b, h)(b.table)
				}}
				err := do(dying)
				if s.came == "" {
					return ""
				}
				now := b.head()
				switch ours := now.Checkpoint.Attempt == mine || len(w.after) == 3; {
				case other.plan == nil:
					if err != nil {
						b.t.Errorf("nobody else committed: %v", err)
					}
					b.expect(w.after...)
				case err == nil && theirs == nil && ours:
					b.t.Error("both committed on one head")
				case err == nil && theirs == nil, err != nil && theirs != nil:
					b.t.Errorf("mine: %v, theirs: %v, the checkpoint: %s", err, theirs, now.Checkpoint.Attempt)
				case err == nil:
					b.expect(w.after...)
				default:
					b.expect(other.after...)
				}
				for _, err := range []error{err, theirs} {
					if err != nil && !errors.Is(err, table.ErrLostRace) {
						b.t.Errorf("the loser: %v", err)
					}
				}
				return s.came
			})
		})
	}
}
