package run_test

import (
	"fmt"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

// everyCall disturbs each call of a run in turn, one run a call, until a run has no such call: the runs of a
// table that is there, and first runs. filter leaves calls out.
func everyCall(t *testing.T, h harm, filter func(call) bool) {
	t.Helper()
	t.Run("replacing a table", func(t *testing.T) {
		t.Parallel()
		d := newNumbers(t).landing("numbers")
		d.lands("the first run")
		steps := 0
		for d.disturbed(h, steps+1, filter) {
			steps++
			d.change()
		}
		d.whole(!h.kills())
		t.Logf("%d calls", steps)
		if steps == 0 {
			t.Error("no call was disturbed")
		}
	})
	t.Run("creating a table", func(t *testing.T) {
		t.Parallel()
		l := newNumbers(t)
		steps := 0
		for {
			d := l.landing(fmt.Sprintf("numbers%d", steps))
			again := d.disturbed(h, steps+1, filter)
			d.whole(!h.kills())
			if !again {
				break
			}
			steps++
		}
		t.Logf("%d calls", steps)
		if steps == 0 {
			t.Error("no call was disturbed")
		}
	})
}

// disturbed runs the table with its n-th call harmed, checks what readers see, and runs it again undisturbed.
// It reports whether the run had so many calls.
func (d *landing) disturbed(h harm, n int, filter func(call) bool) bool {
	d.t.Helper()
	counted, hurt := 0, call{}
	out, net := d.run(func(_ int, c call) harm {
		if filter == nil || filter(c) {
			switch counted++; {
			case counted == n:
				hurt = c
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
	if h.kills() {
		d.outwait()
		d.sees(why, d.before, d.now)
	} else if out.Err == nil {
		d.settled(why, out)
	} else if d.sees(why, d.before, d.now); h != answerCut || hurt.conditional {
		d.t.Errorf("%s: the run failed: %v", why, out.Err)
	}
	d.lands(why)
	return true
}

// A worker killed before any of its calls leaves the old table or the new one, and the next run ends well.
func TestKilledBeforeEachCall(t *testing.T) {
	t.Parallel()
	everyCall(t, killedBefore, nil)
}

// A worker killed when any of its calls has taken effect leaves the old table or the new one, and the next run
// ends well.
func TestKilledAfterEachCall(t *testing.T) {
	t.Parallel()
	everyCall(t, killedAfter, nil)
}

// The answer of any call may be lost after it took effect: the very run ends well.
func TestEachAnswerLost(t *testing.T) {
	t.Parallel()
	everyCall(t, answerLost, nil)
}

// The answer of any call may end in the middle of its body after the call took effect: a conditional call is
// recognised and the very run ends well; otherwise at least the next one does.
func TestEachAnswerCut(t *testing.T) {
	t.Parallel()
	everyCall(t, answerCut, nil)
}

// Any call may be throttled, and its repetition meet an internal error: the very run ends well.
func TestEachCallThrottledThenRefused(t *testing.T) {
	t.Parallel()
	everyCall(t, throttled, nil)
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

// Any conditional call may meet another writer and be told to try again: the very run ends well.
func TestEachConditionalCallConflicts(t *testing.T) {
	t.Parallel()
	everyCall(t, conflicted, func(c call) bool { return c.conditional })
}
