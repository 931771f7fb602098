package run_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/awsclient"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
	"github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

func all(call) bool           { return true }
func writes(c call) bool      { return c.writes }
func conditional(c call) bool { return c.conditional }

// replacing disturbs each call of a kind in a run that replaces a table, one run a call, until a run has no such
// call.
func replacing(t *testing.T, h harm, kind func(call) bool) {
	t.Helper()
	t.Run("replacing a table", func(t *testing.T) {
		t.Parallel()
		newNumbers(t).landing("numbers").disturbedThroughout(h, kind, 1, stride())
	})
}

// merging is replacing for runs that merge what has changed, and, where calls that write are disturbed, for all other ways to
// land: what they only read they read alike.
func merging(t *testing.T, h harm, kind func(call) bool, ways ...way) {
	t.Helper()
	kinds := map[string]func(call) bool{merged.name: kind}
	if underRace {
		ways = nil // they do nothing side by side that merging does not
	}
	for _, by := range append(ways, merged) {
		t.Run(by.name, func(t *testing.T) {
			t.Parallel()
			of := kinds[by.name]
			if of == nil {
				of = func(c call) bool { return c.writes && kind(c) }
			}
			newNumbers(t).landingBy("numbers", by).disturbedThroughout(h, of, 1, stride())
		})
	}
}

// stride is how far the calls lie apart that are disturbed. Under the race detector, which looks for what happens side by side
// and not for what is left behind, it is some.
func stride() int {
	if underRace {
		return 12
	}
	return 1
}

// disturbedThroughout disturbs calls of a kind, one run a call, until a run has no more: the first, and those that lie a number
// apart.
func (d *landing) disturbedThroughout(h harm, kind func(call) bool, first, apart int) {
	d.t.Helper()
	d.lands("the first run")
	steps := 0
	for n := first; d.disturbed(h, n, kind); n += apart {
		steps++
		d.change()
	}
	d.whole(!h.kills())
	if n := d.chained("in the end"); steps == 0 || n < 2 && d.way.name != flipped.name {
		d.t.Errorf("%d calls were disturbed, and %d commits are in the chain", steps, n)
	}
}

// creating is replacing for first runs, each with a table of its own, and, where calls that write are disturbed, for those of
// all other ways to land.
func creating(t *testing.T, h harm, kind func(call) bool, ways ...way) {
	t.Helper()
	if underRace {
		ways = nil
	}
	for _, by := range append(ways, replaced) {
		of := kind
		if by.name != replaced.name {
			of = func(c call) bool { return c.writes && kind(c) }
		}
		t.Run("the first of "+by.name, func(t *testing.T) {
			t.Parallel()
			l := newNumbers(t)
			for n := 1; ; n += stride() {
				d := l.landingBy(fmt.Sprintf("numbers%d", n), by)
				again := d.disturbed(h, n, of)
				d.whole(!h.kills())
				if !again {
					if n == 1 {
						t.Error("no call was disturbed")
					}
					return
				}
			}
		})
	}
}

// disturbed runs the table with its n-th call harmed and checks what readers see. A run that did not end well is
// followed by one that must.
// It reports whether the run had so many calls.
func (d *landing) disturbed(h harm, n int, kind func(call) bool) bool {
	d.t.Helper()
	counted := 0
	out, net := d.run(func(_ int, c call) harm {
		if kind(c) {
			switch counted++; {
			case counted == n:
				return h
			case counted == n+1 && h == throttled:
				return serverError
			}
		}
		return unharmed
	})
	harms := net.harms()
	if len(harms) == 0 {
		if out.Err != nil {
			d.t.Fatalf("a run of %d calls that was not disturbed failed: %v", len(net.calls), out.Err)
		}
		d.settled("undisturbed", out)
		return false
	}
	why := harms[0]
	switch {
	case h.kills():
		d.outwait()
		d.sees(why, d.before, d.now)
		d.lands(why)
	case out.Err == nil:
		d.settled(why, out)
	default:
		d.t.Errorf("%s: the run failed: %v", why, out.Err)
		d.sees(why, d.before, d.now)
		d.lands(why)
	}
	return true
}

// A worker killed before any of its calls leaves the old table or the new one, and the next run ends well.
func TestKilledBeforeEachCall(t *testing.T) {
	t.Parallel()
	replacing(t, killedBefore, all)
	merging(t, killedBefore, all, marked, versioned, flipped, batched)
	creating(t, killedBefore, all, marked, versioned, flipped, batched)
}

// A worker killed when any of its calls has taken effect leaves the old table or the new one, and the next run
// ends well. Behind a call that only reads the world is as it was before it.
func TestKilledAfterEachWrite(t *testing.T) {
	t.Parallel()
	replacing(t, killedAfter, writes)
	merging(t, killedAfter, writes, marked, versioned, flipped, batched)
	creating(t, killedAfter, writes, marked, versioned, flipped, batched)
}

// The answer of any call may be lost after it took effect: the very run ends well.
func TestEachAnswerLost(t *testing.T) {
	t.Parallel()
	replacing(t, answerLost, all)
	merging(t, answerLost, all, marked, versioned, flipped, batched)
	creating(t, answerLost, all, marked, versioned, flipped, batched)
}

// The answer of any write may end in the middle of its body: the write is recognised, and the very run ends well.
func TestEachAnswerOfAWriteCut(t *testing.T) {
	t.Parallel()
	replacing(t, answerCut, writes)
	merging(t, answerCut, writes)
	creating(t, answerCut, writes)
}

// Any call may be throttled, and its repetition meet an internal error: the very run ends well.
func TestEachCallThrottledThenRefused(t *testing.T) {
	t.Parallel()
	replacing(t, throttled, all)
	merging(t, throttled, all)
	creating(t, throttled, conditional)
}

// Any conditional call may meet another writer and be told to try again: the very run ends well.
func TestEachConditionalCallConflicts(t *testing.T) {
	t.Parallel()
	replacing(t, conflicted, conditional)
	merging(t, conflicted, conditional)
	creating(t, conflicted, conditional)
}

// A data file that goes up in parts is as safe as a small one: an answer that is cut does not end the run,
// and a worker may be killed behind any call of the upload.
func TestUploadInParts(t *testing.T) {
	t.Parallel()
	d := newLake(t, `CREATE TABLE pads AS SELECT string_agg(md5(i::text), '') AS pad FROM generate_series(1, 170000) i`,
		`CREATE FUNCTION pad() RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT pad FROM pads'`,
		`CREATE TABLE numbers (id int PRIMARY KEY, v int NOT NULL, pad text GENERATED ALWAYS AS (CASE WHEN id <= 5 THEN pad() END) STORED)`,
		`ALTER TABLE numbers ALTER COLUMN pad SET STORAGE EXTERNAL`).landing("numbers")
	d.lands("the first run")
	for _, h := range []harm{answerCut, killedAfter} {
		n := 1
		for ; d.disturbed(h, n, func(c call) bool { return c.part }); n++ {
			d.change()
		}
		if n < 4 {
			t.Errorf("%s: an upload had only %d calls", h, n-1)
		}
		d.change()
	}
	d.whole(false)
}

// A data file is recognised by its whole size when all answers to its upload were lost.
func TestEveryAnswerToAnUploadLost(t *testing.T) {
	t.Parallel()
	d := newNumbers(t).landing("numbers")
	out, net := d.run(func(_ int, c call) harm {
		if c.service == "S3" && c.operation == "PUT" && !c.conditional {
			return answerLost
		}
		return unharmed
	})
	if harms := net.harms(); len(harms) != awsclient.Attempts {
		t.Errorf("%d tries: %v", len(harms), harms)
	}
	d.must(out.Err)
	d.settled("all answers lost", out)
	d.whole(true)
}

// A dead run is in history also when its successor's lease was granted in an answer that was lost.
func TestDeadRunIsRecordedAfterALostAnswer(t *testing.T) {
	t.Parallel()
	d := newNumbers(t).landing("numbers")
	dead, _ := d.run(func(n int, _ call) harm {
		if n == 6 {
			return killedBefore
		}
		return unharmed
	})
	d.outwait()
	out, net := d.run(func(n int, _ call) harm {
		if n == 2 {
			return answerLost
		}
		return unharmed
	})
	if harms := net.harms(); out.Err != nil || len(harms) != 1 || harms[0] != "answer lost: call 2, DynamoDB UpdateItem" {
		t.Fatalf("%v, %v", harms, out.Err)
	}
	runs, err := d.tracking.Runs(t.Context(), "shop.numbers", 3)
	d.must(err)
	if len(runs) != 2 || runs[1].RunID != dead.RunID || runs[1].State != tracking.RunDied {
		t.Errorf("run %s died, and history is %+v", dead.RunID, runs)
	}
}

// A commit whose outcome cannot be settled deletes nothing: it may have taken effect, and here it has.
func TestCommitOfUnknownOutcomeDeletesNothing(t *testing.T) {
	t.Parallel()
	d := newNumbers(t).landing("numbers")
	d.lands("the first run")
	d.change()
	silent := false
	out, net := d.run(func(_ int, c call) harm {
		switch {
		case c.operation == "UpdateTable":
			silent = true
			return answerLost
		case silent && c.service == "Glue":
			return serverError
		default:
			return unharmed
		}
	})
	if !errors.Is(out.Err, table.ErrOutcomeUnknown) {
		t.Errorf("the run ended with %v", out.Err)
	}
	for _, c := range net.calls {
		if c.operation == "DELETE" {
			t.Error("the run deleted something")
		}
	}
	d.sees("the outcome is not known", d.now)
	d.lands("the outcome is not known")
	d.whole(true)
}
