package hudi

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// The writers whose changes are followed, as bits.
const (
	bitFirst  = 1 << 0
	bitSecond = 1 << 1
)

func bitOf(name string) uint8 {
	switch name {
	case string(first):
		return bitFirst
	case string(second):
		return bitSecond
	default:
		return 0
	}
}

// seen is what a reader sees of a store, which follows from the completed instants and the data files alone, and what the claims say.
type seen struct {
	rows []string
	// committed are the names of the commits on the timeline, in their order, by which a row of that name is added; from is what those
	// that are checkpoints go on from.
	committed []string
	from      map[string]string
	instants  map[string]Instant
	sealed    uint8
	// strays are data files of ours that are of no instant on the timeline, pending what is; unknown says that there is something
	// pending without a record.
	strays, pending []Instant
	unknown         bool
}

// parsed are documents that were read before, by their texts.
type parsed struct {
	commits map[string]commitNames
	claims  map[string]*claim
}

type commitNames struct{ name, from string }

func (p *parsed) commit(text string) commitNames {
	c, known := p.commits[text]
	if !known {
		var f commitFile
		if json.Unmarshal([]byte(text), &f) == nil {
			c = commitNames{f.ExtraMetadata[adds], f.ExtraMetadata["from"]}
		}
		p.commits[text] = c
	}
	return c
}

func (p *parsed) claim(text string) *claim {
	c, known := p.claims[text]
	if !known {
		c = new(claim)
		if err := json.Unmarshal([]byte(text), c); err != nil {
			panic(err)
		}
		p.claims[text] = c
	}
	return c
}

// see reads a store as readers of the lake do.
func (e *explorer) see(s shelf) *seen {
	out := &seen{from: map[string]string{}, instants: map[string]Instant{}}
	done, ours, pending := map[Instant]bool{}, map[Instant]bool{}, map[Instant]bool{}
	var timeline []Instant
	newest := map[string]Instant{}
	rows := map[string]string{}
	for _, i := range s {
		key, data := strings.TrimPrefix(e.keys.of[i.key], "lake/"), e.contents.of[i.data]
		switch folder, name := path(key); folder {
		case attemptsFolder:
			ours[Instant(name)] = true
		case claimsFolder:
			if c := e.docs.claim(data); c.State == claimSealed {
				out.sealed |= bitOf(c.Attempt)
			}
		case hoodieFolder:
			instant, what, _ := strings.Cut(name, ".")
			if len(instant) != 17 {
				continue
			}
			switch what {
			case actionCommit:
				c := e.docs.commit(data)
				done[Instant(instant)] = true
				timeline = append(timeline, Instant(instant))
				if c.name != "" {
					out.committed = append(out.committed, c.name)
					out.instants[c.name] = Instant(instant)
					if c.from != "" {
						out.from[c.name] = c.from
					}
				}
			case actionClean, actionRollback:
				done[Instant(instant)] = true
			default:
				pending[Instant(instant)] = true
			}
		}
	}
	for _, i := range s {
		key := strings.TrimPrefix(e.keys.of[i.key], "lake/")
		m := sliceName.FindStringSubmatch(key)
		if m == nil {
			continue
		}
		instant := Instant(m[3])
		if ours[instant] && !done[instant] && !pending[instant] {
			out.strays = append(out.strays, instant)
		}
		if (done[instant] || len(timeline) > 0 && instant < timeline[0]) && instant > newest[m[1]] {
			newest[m[1]], rows[m[1]] = instant, e.contents.of[i.data]
		}
	}
	for i := range pending {
		switch {
		case done[i]:
		case ours[i]:
			out.pending = append(out.pending, i)
		default:
			out.unknown = true
		}
	}
	for _, text := range rows {
		out.rows = append(out.rows, strings.Fields(text)...)
	}
	slices.Sort(out.rows)
	return out
}

// facts are what is to be known of a store to tell whether a promise is broken in a state.
type facts struct {
	// broken is a promise that is broken whoever stands where.
	broken                  string
	committed, sealed, lost uint8
}

func (e *explorer) factsOf(n uint32) *facts {
	for int(n) >= len(e.facts) {
		e.facts = append(e.facts, nil)
	}
	if e.facts[n] != nil {
		return e.facts[n]
	}
	w := e.see(e.shelves.of[n])
	f := &facts{sealed: w.sealed}
	if len(slices.Compact(slices.Clone(w.rows))) != len(w.rows) {
		f.broken = fmt.Sprintf("a reader sees a row twice: %v", w.rows)
	}
	for _, name := range w.committed {
		bit := bitOf(name)
		f.committed |= bit
		if !slices.Contains(w.rows, name) {
			f.lost |= bit
			if bit == 0 {
				f.broken = fmt.Sprintf("the row of the commit %s is lost: a reader sees %v", name, w.rows)
			}
		}
	}
	f.lost &= f.sealed
	e.facts[n] = f
	return f
}

// writerOf is whose instant it is of which an object of the timeline is deleted, as a bit.
func (e *explorer) writerOf(n uint32, key string) uint8 {
	folder, name := path(strings.TrimPrefix(key, "lake/"))
	if folder != hoodieFolder {
		return 0
	}
	i := Instant(name[:17])
	if text, _ := e.content(e.shelves.of[n], "lake/"+completedKey(i, actionCommit)); text != "" {
		return bitOf(e.docs.commit(text).name)
	}
	var r record
	if text, _ := e.content(e.shelves.of[n], "lake/"+attemptsFolder+string(i)); text == "" || json.Unmarshal([]byte(text), &r) != nil {
		return 0
	}
	return bitOf(r.Attempt)
}

// verdict is what comes of a store that a recoverer is left alone with, and of those that come behind it.
type verdict struct {
	broken    string
	committed uint8
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
	v.unknown = e.see(s).unknown
	before := s
	was := e.factsOf(e.take(s)).committed
	if err := w.repair(e.ctx); err != nil {
		return fmt.Errorf("Spark cannot go on behind a recoverer: %w", err)
	}
	v.rolledBack = was &^ e.factsOf(e.take(s)).committed
	if err := errors.Join(recovered(), e.whole(s)); err != nil {
		return err
	}
	now := e.see(s)
	for _, name := range now.committed {
		v.committed |= bitOf(name)
	}
	v.strays = len(now.strays) > 0
	s = before
	if err := w.writes(e.ctx); err != nil {
		return fmt.Errorf("Spark cannot write behind a recoverer: %w", err)
	}
	if err := errors.Join(recovered(), e.whole(s)); err != nil {
		return fmt.Errorf("behind a write of Spark's: %w", err)
	}
	for p := runs(later, "g"); p != nil; {
		var err error
		if p, err = p.run(e.ctx, t); err != nil {
			return fmt.Errorf("the next run fails: %w", err)
		}
	}
	if err := errors.Join(recovered(), e.whole(s)); err != nil {
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

// whole checks that the rows are those of the commits on the timeline, and that each checkpoint goes on from the one before.
func (e *explorer) whole(s shelf) error {
	w := e.see(s)
	if names := slices.Sorted(slices.Values(w.committed)); !slices.Equal(w.rows, names) {
		return fmt.Errorf("there are the commits %v, and a reader sees the rows %v", w.committed, w.rows)
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
