package hudi_test

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"
)

// sparkWrites does to a table what a write of Spark's does: it takes back every pending instant, with the files that their markers name,
// and commits behind it (Hudi, BaseRollbackActionExecutor).
func (b *bench) sparkWrites() {
	b.t.Helper()
	const folder = "lake/orders/.hoodie/"
	l := tableOf(b.t, b.store)
	var pending []string
	for key := range l.objects {
		instant, rest, _ := strings.Cut(path.Base(key), ".")
		_, committed := l.commits[instant]
		_, cleaned := l.objects[".hoodie/"+instant+".clean"]
		if path.Dir(key) == ".hoodie" && len(instant) == 17 && (strings.HasSuffix(rest, "requested") || strings.HasSuffix(rest, "inflight")) && !committed && !cleaned {
			pending = append(pending, instant)
		}
	}
	slices.Sort(pending)
	for _, instant := range slices.Compact(pending) {
		inflight := false
		for key := range l.objects {
			inflight = inflight || path.Dir(key) == ".hoodie" && strings.HasPrefix(path.Base(key), instant) && strings.HasSuffix(key, "inflight")
		}
		if _, marked := l.objects[".hoodie/.temp/"+instant+"/MARKERS0"]; marked && inflight {
			for line := range strings.Lines(string(b.read(folder + ".temp/" + instant + "/MARKERS0"))) {
				b.store.Delete(b.t.Context(), "lake/orders/"+strings.TrimSuffix(strings.TrimSpace(line), ".marker.CREATE"))
			}
		}
		for key := range l.objects {
			if strings.HasPrefix(key, ".hoodie/"+instant) || strings.HasPrefix(key, ".hoodie/.temp/"+instant) {
				b.store.Delete(b.t.Context(), "lake/orders/"+key)
			}
		}
		b.sparkRolledBack(instant)
	}
	foreignCommit(b.t, b.store, "lake/orders/", "commit", commit{Operation: "UPSERT"})
}

// A run that died anywhere, a write of Spark's, and the next run: the dead run's rows are there if and only if the head says that it
// committed, and nothing is pending below a commit, for that would stop Spark for good.
func TestSparkAfterADeadRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, recovers := range map[string]bool{"at once": false, "behind a recoverer": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			committed, lost := 0, 0
			for i, over := 0, false; !over; i++ {
				b := w.bench(t)
				writers := map[int64]*actor{50: b.writer(b.head(), 50, true)}
				over = writers[50].run(i)
				writers[50].finish(true)
				if recovers {
					b.head()
				}
				b.sparkWrites()
				what := fmt.Sprintf("killed behind %d steps", i)
				b.check(what+", Spark wrote", false, writers, true)
				h := b.head()
				_, there := b.rows()["50"]
				if there != (h.Checkpoint.Attempt == "a3") {
					t.Errorf("%s: the row is there: %t, the head's checkpoint is %s", what, there, h.Checkpoint.Attempt)
				}
				if there {
					committed++
				} else {
					lost++
				}
				b.load(false, goods("de", 99))
				b.check(what+", and the next run", true, writers, true)
				b.nothingPending(what)
				if t.Failed() {
					t.FailNow()
				}
			}
			if committed == 0 || lost == 0 {
				t.Errorf("%d committed, %d did not", committed, lost)
			}
		})
	}
}

// nothingPending checks that every instant is completed, and every data file that of one.
func (b *bench) nothingPending(what string) {
	b.t.Helper()
	l := tableOf(b.t, b.store)
	for key := range l.objects {
		instant, rest, _ := strings.Cut(path.Base(key), ".")
		if path.Dir(key) == ".hoodie" && len(instant) == 17 && (strings.HasSuffix(rest, "requested") || strings.HasSuffix(rest, "inflight")) {
			done := false
			for _, action := range []string{"commit", "replacecommit", "clean", "rollback"} {
				_, is := l.objects[".hoodie/"+instant+"."+action]
				done = done || is
			}
			if !done {
				b.t.Errorf("%s: %s is pending", what, key)
			}
		}
		if m := dataName.FindStringSubmatch(path.Base(key)); m != nil {
			if _, done := l.commits[m[2]]; !done {
				b.t.Errorf("%s: the file %s is of no commit", what, key)
			}
		}
	}
}
