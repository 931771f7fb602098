package run_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/run"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
)

// Another worker lands newer rows in the middle of a run, before each of its calls in turn, when the run's lease
// is over: what the run had read never comes on top.
func TestAnotherWorkerLandsBeforeEachCall(t *testing.T) {
	t.Parallel()
	for name, landing := range map[string]func(*lake, string) *landing{"replacing": (*lake).landing, "merging": (*lake).mergingInto} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := landing(newNumbers(t), "numbers")
			d.lands("the first run")
			n := 1
			for ; d.overtaken(n); n++ {
				d.change()
			}
			d.change()
			d.lands("in the end")
			d.whole(true)
			if n < 20 {
				t.Errorf("a run made only %d calls", n-1)
			}
		})
	}
}

// overtaken lets another worker land newer rows before the n-th call of a run. It reports whether the run had so
// many calls.
func (d *landing) overtaken(n int) bool {
	d.t.Helper()
	type ended struct {
		out run.Outcome
		net *network
	}
	reached, resume, end := make(chan call), make(chan struct{}), make(chan ended, 1)
	proceed := sync.OnceFunc(func() { close(resume) })
	defer proceed()
	go func() {
		out, net := d.run(func(i int, c call) harm {
			if i == n {
				reached <- c
				<-resume
			}
			return unharmed
		})
		end <- ended{out, net}
	}()
	select {
	case e := <-end:
		d.must(e.out.Err)
		d.settled("not overtaken", e.out)
		return false
	case c := <-reached:
		why := fmt.Sprintf("overtaken before call %d, %s", n, c)
		d.outwait()
		d.change()
		d.lands(why)
		proceed()
		<-end
		d.sees(why, d.now)
		return true
	}
}

// Two workers, one of which takes over while the other still runs, over networks that do every kind of harm to
// several calls of a run: readers see the old rows or the new ones at every moment, and an undisturbed run ends
// well.
func TestStormOfTwoWorkers(t *testing.T) {
	t.Parallel()
	const rounds = 24
	seed := sandbox.Seed(t)
	random := rand.New(rand.NewPCG(seed, 0))
	d := newNumbers(t).landing("numbers")
	landed := 0
	var reads atomic.Int32
	for round := range rounds {
		why := fmt.Sprintf("seed %d, round %d", seed, round)
		d.behind = d.watcher(why, &reads)
		var all sync.WaitGroup
		outcomes := make([]run.Outcome, 2)
		for i := range outcomes {
			plan := weather(random.Uint64())
			if i == 1 {
				d.outwait() // the first worker's lease is over while it runs
			}
			all.Go(func() { outcomes[i], _ = d.run(plan) })
		}
		all.Wait()
		d.outwait()
		d.before = d.sees(why, d.before, d.now)
		for _, o := range outcomes {
			if o.Err == nil {
				landed++
				if d.before != d.now {
					t.Errorf("%s: run %s ended well, and a reader sees %q", why, o.RunID, d.before)
				}
			}
		}
		if round%4 == 3 {
			d.lands(why)
		}
		d.change()
	}
	d.behind = nil
	d.lands("when the storm is over")
	d.whole(false)
	d.equals()
	if landed == 0 || reads.Load() < rounds {
		t.Errorf("seed %d: %d runs of the storm ended well and %d readers looked", seed, landed, reads.Load())
	}
}

// weather is a plan that harms every fifteenth call, at random.
func weather(seed uint64) func(int, call) harm {
	random := rand.New(rand.NewPCG(seed, 0))
	return func(_ int, c call) harm {
		if random.IntN(15) > 0 {
			return unharmed
		}
		h := harm(1 + random.IntN(int(conflicted)))
		if h == conflicted && !c.conditional {
			return answerLost
		}
		return h
	}
}

// watcher reads the table behind each write of a worker, as readers of the catalogue do: every one must see the
// rows of before or of now.
func (d *landing) watcher(why string, reads *atomic.Int32) func(call) {
	before, now := d.before, d.now
	return func(c call) {
		if c.service == "DynamoDB" {
			return
		}
		reads.Add(1)
		if got, err := d.read(); err != nil || got != before && got != now {
			d.t.Errorf("%s: behind %s a reader sees %q, which is neither %q nor %q: %v", why, c, got, before, now, err)
		}
	}
}

// equals compares the table, as PyIceberg reads it, with the rows of the source.
func (d *landing) equals() {
	d.t.Helper()
	tables, err := d.reader().Iceberg(d.t.Context(), d.database+"."+d.name)
	d.must(err)
	var rows []string
	for _, row := range tables[0].Rows {
		rows = append(rows, *row[0]+"="+*row[1])
	}
	slices.Sort(rows)
	if got := strings.Join(rows, " "); got != d.now {
		d.t.Errorf("PyIceberg reads %q; the source holds %q", got, d.now)
	}
}
