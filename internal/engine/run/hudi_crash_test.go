package run_test

import (
	"fmt"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
)

// hudiCrashes are the ways of landing in Hudi, and of how many calls that write one is disturbed: with partitions changes are most
// calls, which all are; of the others, which share most of theirs, some, chosen by the seed.
var hudiCrashes = []struct {
	way
	of int
}{{hudiParted, 1}, {hudiHistory, 4}, {hudiReplaced, 4}}

// Of a table of Hudi a worker may die behind each of its writes, and each answer to one be lost that took effect: readers see the
// table before or after it, the next run ends well, or the very run does, and in the end nothing is pending or doubled.
func TestHudiIsDisturbedAtEachWrite(t *testing.T) {
	t.Parallel()
	for _, h := range []harm{killedAfter, answerLost} {
		for _, by := range hudiCrashes {
			t.Run(fmt.Sprintf("%s, %s", by.name, h), func(t *testing.T) {
				t.Parallel()
				newNumbers(t).landingBy("numbers", by.way).disturbedThroughout(h, writes, 1+int(sandbox.Seed(t))%by.of, by.of*stride())
			})
		}
	}
}

// So may the run that makes the table, behind some of its writes, chosen by the seed. What it leaves is no hindrance to the next.
func TestHudiIsDisturbedAtEachWriteOfAFirstRun(t *testing.T) {
	t.Parallel()
	for _, h := range []harm{killedAfter, answerLost} {
		t.Run(h.String(), func(t *testing.T) {
			t.Parallel()
			l := newNumbers(t)
			apart := stride() * map[harm]int{killedAfter: 2, answerLost: 3}[h]
			for n := 1 + int(sandbox.Seed(t))%apart; ; n += apart {
				d := l.landingBy(fmt.Sprintf("numbers%d", n), hudiParted)
				again := d.disturbed(h, n, writes)
				d.whole(!h.kills())
				if !again {
					if n < 10 {
						t.Errorf("a first run had only %d calls that write", n-1)
					}
					return
				}
			}
		})
	}
}
