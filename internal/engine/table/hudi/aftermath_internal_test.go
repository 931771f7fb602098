package hudi

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// verdict is what comes of a store that a recoverer is left alone with, and of those that come behind it.
type verdict struct {
	broken    string
	committed uint8
	// harmed is what Spark has lost of its own, or that nobody goes on where it left something pending.
	harmed string
	// rolledBack are the writers whose commits Spark goes on taking back.
	rolledBack      uint8
	strays, unknown bool
}

// judge leaves a recoverer alone with a store, and then Spark, a run, and what removes what is old.
func (e *explorer) judge(n uint32) *verdict {
	if v := e.verdicts[n]; v != nil {
		return v
	}
	v := &verdict{}
	if err := e.aftermath(e.shelves.of[n], v); err != nil {
		v.broken = err.Error()
	}
	e.verdicts[n] = v
	return v
}

func (e *explorer) aftermath(s shelf, v *verdict) error {
	ask := func(c call) (a *answer) { s, a = e.do(s, &c); return a }
	w := &sparks{s: asking{ask}}
	if e.weakened != nil {
		ask = e.weakened(string(later), ask)
	}
	t := tableOn(ask, clocks[later])
	recovered := func() error {
		if _, err := t.recover(e.ctx); err != nil {
			return fmt.Errorf("a recoverer fails that is alone: %w", err)
		}
		return nil
	}
	if err := recovered(); err != nil {
		return err
	}
	v.unknown, v.committed = e.see(s).unknown, e.factsOf(e.take(s)).committed
	_, made := e.content(s, "lake/"+propertiesKey) // where there is no table Spark writes none
	before := s
	was := e.factsOf(e.take(s)).committed
	if made {
		if err := w.repair(e.ctx); err != nil {
			return e.stuck(v, fmt.Errorf("Spark cannot go on behind a recoverer: %w", err))
		}
	}
	v.rolledBack = was &^ e.factsOf(e.take(s)).committed
	if err := errors.Join(recovered(), e.whole(s, v)); err != nil {
		return err
	}
	now := e.see(s)
	v.committed = 0
	for _, name := range now.committed {
		v.committed |= bitOf(name)
	}
	v.strays = len(now.strays) > 0
	s = before
	switch {
	case !made:
	case e.see(s).hidden:
		if err := w.repair(e.ctx); err != nil {
			return e.stuck(v, err)
		}
	default:
		if err := w.cleans(e.ctx, cmp.Or(e.scene.versions, keptVersions)); err != nil {
			return fmt.Errorf("Spark cannot clean behind a recoverer: %w", err)
		}
		if err := recovered(); err != nil {
			return fmt.Errorf("behind a clean of Spark's: %w", err)
		}
		if err := w.writes(e.ctx); err != nil {
			return e.stuck(v, fmt.Errorf("Spark cannot write behind a recoverer: %w", err))
		}
	}
	if err := errors.Join(recovered(), e.whole(s, v)); err != nil {
		return fmt.Errorf("behind a write of Spark's: %w", err)
	}
	for p := runs(later, ""); p != nil; {
		var err error
		if p, err = p.run(e.ctx, t); err != nil {
			return e.stuck(v, fmt.Errorf("the next run fails: %w", err))
		}
	}
	if err := errors.Join(recovered(), e.whole(s, v)); err != nil {
		return fmt.Errorf("behind the next run: %w", err)
	}
	if now = e.see(s); !slices.Contains(now.committed, string(later)) || len(now.pending) > 0 {
		return fmt.Errorf("behind the next run there are the commits %v, pending are %v", now.committed, now.pending)
	}
	t.o.Now = func() time.Time { return written.Add(2 * table.LongestJob) }
	if _, err := t.RemoveOrphans(e.ctx, table.LongestJob); err != nil {
		return err
	}
	return e.forgotten(s)
}

// stuck says of an error whether it is one of those that Spark's own calls bring about that come late: it or a run of ours meets a pending
// instant over which it does nothing, and says so.
func (e *explorer) stuck(v *verdict, err error) error {
	if !errors.Is(err, errStuck) && !strings.Contains(err.Error(), "of another writer, over which no commit is made") {
		return err
	}
	v.harmed = err.Error()
	return nil
}

// whole checks that the rows are those of the commits on the timeline, that each checkpoint goes on from the one before, and that of
// files that are gone a clean tells. Rows of Spark's that are lost alone are harm that it did itself.
func (e *explorer) whole(s shelf, v *verdict) error {
	w := e.see(s)
	names := slices.Sorted(slices.Values(w.committed))
	there := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return isSparks(name) && !slices.Contains(w.rows, name) })
	switch {
	case !slices.Equal(w.rows, there):
		return fmt.Errorf("there are the commits %v, and a reader sees the rows %v", w.committed, w.rows)
	case len(there) < len(names):
		v.harmed = fmt.Sprintf("there are the commits %v, and a reader sees the rows %v", w.committed, w.rows)
	}
	for _, name := range w.untold {
		// What a late commit's attempt wrote whose claim is void may be taken back when others have built on it already: its version is
		// gone then, and its rows are in theirs.
		if bit := bitOf(name); bit&w.sealed != 0 || bit == 0 && !isSparks(name) {
			return fmt.Errorf("the file of the commit %s is gone, and no clean says so", name)
		}
	}
	last := ""
	for _, name := range w.committed {
		from, is := w.from[name]
		if is && last != "" && from != last {
			return fmt.Errorf("the checkpoint %s goes on from %s, and stands behind %s", name, from, last)
		}
		if is {
			last = name
		}
	}
	return nil
}

// forgotten checks that nothing is left of attempts that are as old as can be.
func (e *explorer) forgotten(s shelf) error {
	w := e.see(s)
	if len(w.strays)+len(w.pending) > 0 {
		return fmt.Errorf("files of %v and the pending instants %v are never removed", w.strays, w.pending)
	}
	for _, i := range s {
		if key := e.keys.of[i.key]; strings.HasPrefix(key, "lake/"+attemptsFolder) && e.contents.of[i.data] != "" {
			return fmt.Errorf("the record %s is never removed", key)
		}
	}
	return nil
}
