//go:build !race

// The race detector would find nothing here, where one goroutine is at work at a time, and take minutes for it.

package hudi

import (
	"os"
	"testing"
	"time"
)

// The scenes: who is there beside a writer that has planned its change on the head.

func alone(faults int8) scene { return scene{ours: []*program{firstLands()}, faults: faults} }

// two have planned on one head.
func two(faults int8) scene {
	return scene{ours: []*program{firstLands(), secondLands()}, spark: 1, faults: faults}
}

func withRecoverer(faults int8) scene {
	return scene{ours: []*program{firstLands(), recovers()}, faults: faults}
}

func withSpark(times int, faults int8) scene {
	return scene{ours: []*program{firstLands()}, spark: times, faults: faults}
}

func withBoth(times int, faults int8) scene {
	return scene{ours: []*program{firstLands(), recovers()}, spark: times, faults: faults}
}

// withRun has a second writer that begins as each run does, as a recoverer, and plans on what it finds.
func withRun(times int, faults int8) scene {
	return scene{ours: []*program{firstLands(), runs(second, "b")}, spark: times, faults: faults}
}

func interrupted(sc scene) scene {
	sc.interrupts = true
	return sc
}

func firstLands() *program {
	return planned{who: first, base: newestAtFirst, from: "c2", group: "g", rows: "c0 c1 c2 A"}.lands()
}

func secondLands() *program {
	return planned{who: second, base: newestAtFirst, from: "c2", group: "b", rows: "B"}.lands()
}

// No state that two writers, a recoverer and Spark can come to, with crashes, answers that are lost and puts that come late, loses a
// change or doubles one. Each scene is explored whole; larger ones, millions of states in some minutes, where LAKELAND_EXPLORE is 1. All
// four meet where a run comes beside a writer, for it begins as a recoverer.
func TestEveryState(t *testing.T) {
	t.Parallel()
	scenes := map[string]scene{
		"a writer, a recoverer, a fault":                      withRecoverer(1),
		"a writer, a recoverer, Spark, a fault":               withBoth(1, 1),
		"a writer, Spark twice, two faults":                   withSpark(2, 2),
		"two writers, Spark":                                  two(0),
		"a writer, a run, Spark":                              withRun(1, 0),
		"a writer, a recoverer, Spark while they stand still": interrupted(withBoth(1, 0)),
	}
	if os.Getenv("LAKELAND_EXPLORE") == "1" {
		scenes = map[string]scene{
			"a writer, Spark three times, two faults":                      withSpark(3, 2),
			"a writer, a recoverer, two faults":                            withRecoverer(2),
			"a writer, a recoverer, Spark twice, a fault":                  withBoth(2, 1),
			"a writer, a recoverer, Spark, two faults":                     withBoth(1, 2),
			"two writers, Spark, a fault":                                  two(1),
			"a writer, a run, Spark, a fault":                              withRun(1, 1),
			"a writer, a recoverer, a fault, Spark while they stand still": interrupted(withBoth(1, 1)),
			"a writer, a run, Spark while they stand still":                interrupted(withRun(1, 0)),
		}
	}
	for name, sc := range scenes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			begun := time.Now()
			e, states := explored(t, sc)
			t.Logf("%d states, %d stores, %d places in the code, %s", states, len(e.shelves.of), len(e.actors.of), time.Since(begun).Round(time.Millisecond))
			if e.broken != "" {
				t.Error(e.broken)
			}
		})
	}
}
