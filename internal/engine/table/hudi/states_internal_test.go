package hudi

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

// scene is what an explorer explores, exhaustively: who acts, and how much may go wrong. Each call of an actor on the store is one step, and
// between any two of them all others may act, or it stands still for good. A fault is a crash in front of a write, behind it or
// amid it, a call without an answer, or a write that was sent and takes effect at any time later, if ever, of a run that died or went
// on. Spark and ours take turns. A crash of Spark's leaves what it was about pending. While Spark is at work no reload's commit comes late, and of
// what Spark itself sent one call.
type scene struct {
	// ours begin where these programs do.
	ours []*program
	// dead is a writer that died when it had sent its commit's file, which comes late or never; nil is none.
	dead *program
	// spark is how many things Spark does, in any order.
	spark int
	// versions are what Spark's clean keeps of each file group, keptVersions where it is 0.
	versions int
	// faults is how many crashes and lost answers there are in one history.
	faults int8
	// empty says that there is no table at the beginning.
	empty bool
	// interrupts says that Spark begins while others of ours stand still midway, too. They go on when it has come to its end.
	interrupts bool
	// belatedSpark says that what a run of Spark's sent that died may come late, too. It can harm Spark itself, which has no
	// guard against that, and stop it and us; no change of ours.
	belatedSpark bool
	// weakened is nil where the code keeps its rules.
	weakened weakening
	// strict has what comes late of Spark be taken for any other call.
	strict bool
}

// most are ours and Spark, who comes last.
const most = 4

// state is where everybody stands, and everything.
type state struct {
	shelf  uint32
	actors [most]int32
	// late are the calls, one more than their number, that were sent and did not come yet; in order.
	late   [2]uint32
	faults int8
	// rolledBack are the writers whose commits Spark took back.
	rolledBack uint8
	// belated says that a data file may have come behind its removal; where Spark interrupts it may always. astray says that a call of
	// Spark's came late.
	belated, astray bool
	// did is how many things Spark has begun, and tookBack that one of them was to take a commit back.
	did      uint8
	tookBack bool
}

// idle is Spark's place between two things that it does.
const idle = -1

// explorer visits every state that a scene can come to.
type explorer struct {
	shelves
	actors
	docs     parsed
	scene    *scene
	states   []state
	before   []uint32
	number   map[state]uint32
	facts    []*facts
	verdicts map[uint32]*verdict
	calls    []*call
	callOf   map[string]uint32
	starts   [most]int32
	broken   string
}

func newExplorer(ctx context.Context, sc *scene) *explorer {
	e := &explorer{scene: sc, number: map[state]uint32{}, verdicts: map[uint32]*verdict{}, callOf: map[string]uint32{}, calls: []*call{nil}, docs: parsed{map[string]commitNames{}, map[string]*claim{}, map[string]string{}, map[string][]string{}}}
	e.shelves = shelves{answers: map[answerKey]*answer{}, number: map[string]uint32{}}
	e.actors = actors{ctx: ctx, roots: map[string]*node{}, ends: map[string]*node{}}
	e.fail = func(format string, arguments ...any) { e.broken = fmt.Sprintf(format, arguments...) }
	e.weakened = sc.weakened
	return e
}

// newestAtFirst is the head of the table at the beginning.
var newestAtFirst = instantOf(written.AddDate(0, 0, -8))

// beginning is a table with three commits, or none.
func (e *explorer) beginning() (s shelf) {
	if e.scene.empty {
		return s
	}
	s = e.put(s, "lake/"+propertiesKey, string(propertiesOf(heldID).encode()))
	s = e.put(s, "lake/"+completedKey(anchor, actionCommit), "{}")
	rows, from := "", "c"
	for n := range 3 {
		name := fmt.Sprint("c", n)
		rows = strings.TrimSpace(rows + " " + name)
		head := instantOf(written.AddDate(0, 0, n-10))
		for _, end := range []string{requestedKey(head, actionCommit), inflightKey(head, actionCommit)} {
			s = e.put(s, "lake/"+end, "")
		}
		s = e.put(s, "lake/"+completedKey(head, actionCommit), string(commitDocument(name, "g", from, nil, "")))
		s = e.put(s, "lake/"+dataKey("g", head), rows)
		from = name
	}
	return s
}

// explore visits all states, the nearest first, up to one in which a promise is broken, and gives the number of them.
func (e *explorer) explore() int {
	start := state{shelf: e.take(e.beginning()), faults: e.scene.faults, belated: e.scene.interrupts}
	for i := range start.actors {
		start.actors[i] = e.end(outcomeDone).n
	}
	for i, p := range e.scene.ours {
		start.actors[i] = e.root(p).n
	}
	if e.scene.dead != nil {
		start.shelf, start.late[1] = e.dying(start.shelf, e.scene.dead)
	}
	e.starts = start.actors
	start.actors[most-1] = idle
	e.visit(start, 0)
	for at := 0; at < len(e.states) && e.broken == ""; at++ {
		e.steps(e.states[at], func(_ func() string, next state) { e.visit(next, uint32(at)) })
	}
	return len(e.states)
}

// dying has a program go on alone up to the file that completes its instant, which stays under way.
func (e *explorer) dying(n uint32, p *program) (left, late uint32) {
	s := e.shelves.of[n]
	for at := e.root(p); ; {
		if i, what := instantNamed(at.asks.key); at.asks.verb == putting && i != "" && (what == actionCommit || what == actionReplace) {
			return e.take(s), e.underWay(at.asks, false)
		}
		var a *answer
		s, a = e.do(s, at.asks)
		at = e.next(at, a)
	}
}

func (e *explorer) visit(s state, from uint32) {
	if _, known := e.number[s]; known || e.broken != "" {
		return
	}
	e.number[s] = uint32(len(e.states))
	e.states = append(e.states, s)
	e.before = append(e.before, from)
	if why := e.check(&s); why != "" {
		e.broken = why + "\n" + e.history(uint32(len(e.states)-1))
	}
}

// history tells how a state came about.
func (e *explorer) history(n uint32) string {
	var lines []string
	for n != 0 {
		before := e.before[n]
		told := false
		e.steps(e.states[before], func(what func() string, next state) {
			if next == e.states[n] && !told {
				told = true
				lines = append(lines, what())
			}
		})
		n = before
	}
	slices.Reverse(lines)
	return strings.Join(lines, "\n")
}

// steps are all that can happen next in a state.
func (e *explorer) steps(s state, yield func(what func() string, next state)) {
	for i, n := range s.late {
		if n == 0 {
			continue
		}
		c := e.calls[n]
		if s.actors[most-1] != idle && (c.foreign && s.astray || strings.HasSuffix(c.key, "."+actionReplace)) {
			continue
		}
		next := s
		next.late[i] = 0
		next.late = ordered(next.late)
		var on shelf
		on, _ = e.do(e.shelves.of[s.shelf], c)
		next.belated = next.belated || sliceName.MatchString(c.key)
		next.astray = next.astray || c.foreign && !e.scene.strict
		if c.foreign && c.verb == deleting {
			next.rolledBack |= e.writerOf(s.shelf, c.keys[0])
		}
		next.shelf = e.take(on)
		yield(func() string { return "late, it " + c.String() }, next)
	}
	busy := false
	for i := range e.scene.ours {
		busy = busy || e.actors.of[s.actors[i]].asks != nil && s.actors[i] != e.starts[i]
	}
	for i := range e.scene.ours {
		if n := e.actors.of[s.actors[i]]; n.asks != nil && s.actors[most-1] == idle {
			e.act(s, i, n, yield)
		}
	}
	switch n := s.actors[most-1]; {
	case n != idle:
		e.act(s, most-1, e.actors.of[n], yield)
	case (!busy || e.scene.interrupts) && int(s.did) < e.scene.spark && e.sparkMay(s.shelf):
		for what := range sparkDoes {
			if what == sparkTakesBack && s.tookBack {
				continue
			}
			next := s
			next.did++
			next.tookBack = next.tookBack || what == sparkTakesBack
			before := 0
			if e.scene.belatedSpark {
				before = int(s.did)
			}
			next.actors[most-1] = e.place(most-1, e.root(sparkActs(what, cmp.Or(e.scene.versions, keptVersions), before)))
			yield(func() string { return "Spark begins: " + sparkDoes[what] }, next)
		}
	}
}

// sparkMay says whether Spark begins anything: it makes no table here, and waits for a run of ours where a reload came that it had taken
// back. Against that nobody has a guard: until the run takes it away nobody sees the rows that it replaces, and Spark would clean them.
func (e *explorer) sparkMay(n uint32) bool {
	_, made := e.content(e.shelves.of[n], "lake/"+propertiesKey)
	return made && !e.factsOf(n).hidden
}

func ordered(late [2]uint32) [2]uint32 {
	if late[0] > late[1] || late[0] == 0 {
		late[0], late[1] = late[1], late[0]
	}
	return late
}

// place is where an actor stands: Spark, that came to its end, may begin anew.
func (e *explorer) place(i int, n *node) int32 {
	if i == most-1 && n.asks == nil {
		return idle
	}
	return n.n
}

// act is what can come of an actor's next call.
func (e *explorer) act(s state, i int, n *node, yield func(what func() string, next state)) {
	on, a := e.do(e.shelves.of[s.shelf], n.asks)
	done := s
	if n.asks.writes() {
		why := e.overwrites(s.shelf, n.asks, a)
		if why == "" && i != most-1 && !e.scene.interrupts && !e.scene.belatedSpark {
			why = e.oversteps(s.shelf, n.asks, a)
		}
		if why != "" {
			e.broken = why + "\n" + e.history(e.number[s]) + "\n" + n.of.name + ": " + n.asks.String()
			return
		}
		done.shelf = e.take(on)
		done.belated = done.belated || e.crosses(s.shelf, n.asks)
		if i == most-1 && n.asks.verb == deleting {
			done.rolledBack |= e.writerOf(s.shelf, n.asks.keys[0])
		}
	}
	step := func(how string, from state, to *node) {
		from.actors[i] = e.place(i, to)
		yield(func() string { return n.of.name[:1] + how + " " + n.asks.String() }, from)
	}
	over := e.next(n, a)
	if i == most-1 && over.outcome == outcomeFailed && s.faults == e.scene.faults && !e.scene.interrupts {
		e.broken = "Spark comes to no end, and nothing went wrong\n" + e.history(e.number[s])
		return
	}
	step("", done, over)
	if s.faults == 0 {
		return
	}
	s.faults--
	done.faults--
	crashed, mute := e.end(outcomeCrashed), e.answer(n.asks.verb, errNoAnswer, 0)
	if !n.asks.writes() {
		if i != most-1 {
			step(" without an answer", s, e.next(n, mute))
		}
		return
	}
	effects := []state{s, done}
	for k := 1; k < len(n.asks.keys); k++ {
		part := s
		on, _ := e.do(e.shelves.of[s.shelf], &call{verb: deleting, keys: n.asks.keys[:k]})
		part.shelf = e.take(on)
		effects = append(effects, part)
	}
	for _, effect := range effects {
		how := ""
		if effect.shelf == s.shelf {
			how = " without effect"
		}
		step(" crashes"+how+" as it", effect, crashed)
		if i != most-1 {
			step(how+" without an answer", effect, e.next(n, mute))
		}
	}
	if s.late[0] == 0 && (i != most-1 || e.sparksLate(n.asks)) {
		s.late[0] = e.underWay(n.asks, i == most-1)
		s.late = ordered(s.late)
		step(" crashes before it takes effect that it", s, crashed)
		if i != most-1 {
			step(" has no answer, before it takes effect that it", s, e.next(n, mute))
		}
	}
}

// sparksLate says whether what Spark sent may come late. A rollback of a commit may where nothing else goes wrong: others build on the commit
// meanwhile, and Spark looks for them before it begins alone.
func (e *explorer) sparksLate(c *call) bool {
	return e.scene.belatedSpark && (e.scene.faults == 1 || !strings.HasSuffix(c.key, "."+actionRollback+requestedEnd))
}

// underWay numbers a call that did not come yet.
func (e *explorer) underWay(of *call, foreign bool) uint32 {
	c := *of
	c.foreign = foreign
	id := fmt.Sprint(c.key, "\x00", c.keys, "\x00", c.when, "\x00", c.data, "\x00", foreign)
	n, known := e.callOf[id]
	if !known {
		n = uint32(len(e.calls))
		e.callOf[id], e.calls = n, append(e.calls, &c)
	}
	return n
}

// explored explores a scene, without waiting where the code does.
func explored(t *testing.T, sc scene) (e *explorer, states int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		e = newExplorer(t.Context(), &sc)
		states = e.explore()
	})
	return e, states
}
