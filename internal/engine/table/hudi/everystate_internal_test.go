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

// withClean has a run clean beside the writer: it finishes what it finds, and claims the head as a commit does.
func withClean(times int, faults int8) scene {
	return scene{ours: []*program{firstLands(), cleans(keptVersions)}, spark: times, faults: faults}
}

// cleansAlone has nobody beside a clean of ours but Spark, whose own keeps one version of each file group.
func cleansAlone(times int, faults int8) scene {
	return scant(scene{ours: []*program{cleans(keptVersions)}, spark: times, faults: faults})
}

// cleansWithRecoverer has a recoverer come beside the clean: either may stand still when the other goes on.
func cleansWithRecoverer(times int, faults int8) scene {
	return scant(scene{ours: []*program{cleans(keptVersions), recovers()}, spark: times, faults: faults})
}

// reloads has a writer land the table afresh, in place of all that there is, and a run beside it.
func reloads(times int, faults int8) scene {
	return scene{ours: []*program{firstReloads(), runs(second, "g")}, spark: times, faults: faults}
}

// reloadsAlone has nobody beside the reload but a recoverer.
func reloadsAlone(times int, faults int8) scene {
	return scene{ours: []*program{firstReloads(), recovers()}, spark: times, faults: faults}
}

// makes has two writers that found no table, each of which makes one.
func makes(times int, faults int8) scene {
	return scene{ours: []*program{makesTable(first, "g"), makesTable(second, "b")}, spark: times, faults: faults, empty: true}
}

// makesWithRun has a run beside the one that makes the table, which may find all of it, a part or nothing.
func makesWithRun(times int, faults int8) scene {
	return scene{ours: []*program{makesTable(first, "g"), runs(second, "b")}, spark: times, faults: faults, empty: true}
}

// behindDead has a recoverer come behind a writer whose commit is under way still, and Spark.
func behindDead(times int, faults int8) scene {
	return scene{ours: []*program{recovers()}, dead: firstLands(), spark: times, faults: faults}
}

func interrupted(sc scene) scene {
	sc.interrupts = true
	return sc
}

// belated has what Spark sent come late, too.
func belated(sc scene) scene {
	sc.belatedSpark = true
	return sc
}

// scant has Spark's clean keep one version of each file group. Beside a writer of ours that is too few: a late commit whose claim is void, and
// which nobody has built on, is taken from the timeline, and what it went on from would be gone.
func scant(sc scene) scene {
	sc.versions = 1
	return sc
}

func firstLands() *program {
	return planned{who: first, base: newestAtFirst, from: "c2", group: "g", rows: "c0 c1 c2 A"}.lands()
}

func secondLands() *program {
	return planned{who: second, base: newestAtFirst, from: "c2", group: "b", rows: "B"}.lands()
}

func firstReloads() *program {
	return planned{who: first, base: newestAtFirst, from: "c2", group: "a", rows: "c0 c1 c2 A", replaces: []string{"g"}}.lands()
}

func makesTable(who byte, in string) *program {
	return planned{who: who, base: initial, from: theBeginning, group: in, rows: string(who), table: "that " + string(who) + " made", makes: makesAll}.lands()
}

// No state that two writers, a recoverer and Spark can come to, with crashes, answers that are lost and puts that come late, loses a
// change or doubles one: where they upsert, reload the whole, clean, or make the table, and where Spark writes, takes a commit back or cleans,
// dies at any of it, and goes on with what it left. Each scene is explored whole; larger ones, millions of states in some minutes, where
// LAKELAND_EXPLORE is 1. All four meet where a run comes beside a writer, for it begins as a recoverer.
//
// Left out is what nobody has a guard against: that Spark acts while a reload's commit, which it had rolled back, has come late and hides the
// table; that two of Spark's own late calls meet its writes; and cleans that keep no version but the newest, of Spark's beside a writer of ours, or of ours (a retention that runs do not have) beside a
// rollback of Spark's that finishes them.
func TestEveryState(t *testing.T) {
	t.Parallel()
	scenes := map[string]scene{
		"a writer, a recoverer, a fault":                      withRecoverer(1),
		"a writer, a recoverer, Spark, a fault":               withBoth(1, 1),
		"a writer, Spark twice, two faults":                   withSpark(2, 2),
		"two writers, Spark":                                  two(0),
		"a writer, a run, Spark":                              withRun(1, 0),
		"a writer, a recoverer, Spark while they stand still": interrupted(withBoth(1, 0)),
		"a writer, Spark twice, late itself, a fault":         belated(withSpark(2, 1)),
		"a writer, a clean of ours, Spark":                    withClean(1, 0),
		"a clean of ours, Spark twice, a fault":               cleansAlone(2, 1),
		"a clean of ours, a recoverer, Spark, a fault":        cleansWithRecoverer(1, 1),
		"a clean and Spark while it stands still":             interrupted(cleansWithRecoverer(1, 0)),
		"a reload, a recoverer, Spark, a fault":               reloadsAlone(1, 1),
		"a reload, a run":                                     reloads(0, 0),
		"a dead writer, a recoverer, Spark twice, a fault":    behindDead(2, 1),
		"two writers make a table, a fault":                   makes(0, 1),
		"a writer makes a table, a run":                       makesWithRun(0, 0),
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
			"a writer, a recoverer, Spark twice, two faults":               withBoth(2, 2),
			"a writer, Spark three times, late itself, two faults":         belated(withSpark(3, 2)),
			"a writer, a recoverer, Spark twice, late itself, a fault":     belated(withBoth(2, 1)),
			"a writer, a clean of ours, Spark, a fault":                    withClean(1, 1),
			"a writer, a clean of ours, Spark twice":                       withClean(2, 0),
			"a clean of ours, Spark three times, two faults":               cleansAlone(3, 2),
			"a clean of ours, a recoverer, Spark twice, two faults":        cleansWithRecoverer(2, 2),
			"a clean, a recoverer, a fault, Spark while they stand still":  interrupted(cleansWithRecoverer(1, 1)),
			"a reload, a recoverer, Spark twice, a fault":                  reloadsAlone(2, 1),
			"a reload, a run, Spark, a fault":                              reloads(1, 1),
			"two writers make a table, Spark, two faults":                  makes(1, 2),
			"a dead writer, a recoverer, Spark three times, two faults":    behindDead(3, 2),
			"a writer makes a table, a run, Spark, a fault":                makesWithRun(1, 1),
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
