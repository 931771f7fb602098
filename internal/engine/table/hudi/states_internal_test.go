package hudi

import (
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
// on. Spark and ours take turns; what Spark's own runs sent does not come late.
type scene struct {
	// ours begin where these programs do.
	ours []*program
	// spark is how many things Spark does, each kind once.
	spark int
	// faults is how many crashes and lost answers there are in one history.
	faults int8
	// interrupts says that Spark begins while others of ours stand still midway, too. They go on when it has come to its end.
	interrupts bool
	// weakened is nil where the code keeps its rules.
	weakened weakening
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
	// belated says that a data file may have come behind its removal; where Spark interrupts it may always.
	belated bool
	// left are what Spark may do yet, as bits.
	left uint8
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
	e := &explorer{scene: sc, number: map[state]uint32{}, verdicts: map[uint32]*verdict{}, callOf: map[string]uint32{}, calls: []*call{nil}, docs: parsed{map[string]commitNames{}, map[string]*claim{}}}
	e.shelves = shelves{answers: map[answerKey]*answer{}, number: map[string]uint32{}}
	e.actors = actors{ctx: ctx, roots: map[string]*node{}, ends: map[string]*node{}}
	e.fail = func(format string, arguments ...any) { e.broken = fmt.Sprintf(format, arguments...) }
	e.weakened = sc.weakened
	return e
}

// newestAtFirst is the head of the table at the beginning.
var newestAtFirst = instantOf(written.AddDate(0, 0, -8))

// beginning is a table with three commits.
func (e *explorer) beginning() (s shelf) {
	s = e.put(s, "lake/"+propertiesKey, string(heldProperties().encode()))
	s = e.put(s, "lake/"+completedKey(anchor, actionCommit), "{}")
	rows, from := "", "c"
	for n := range 3 {
		name := fmt.Sprint("c", n)
		rows = strings.TrimSpace(rows + " " + name)
		head := instantOf(written.AddDate(0, 0, n-10))
		for _, end := range []string{requestedKey(head, actionCommit), inflightKey(head, actionCommit)} {
			s = e.put(s, "lake/"+end, "")
		}
		s = e.put(s, "lake/"+completedKey(head, actionCommit), string(commitDocument(name, from)))
		s = e.put(s, "lake/"+dataKey("g", head), rows)
		from = name
	}
	return s
}

// explore visits all states, the nearest first, up to one in which a promise is broken, and gives the number of them.
func (e *explorer) explore() int {
	start := state{shelf: e.take(e.beginning()), faults: e.scene.faults, belated: e.scene.interrupts, left: 1<<len(sparkDoes) - 1}
	for i := range start.actors {
		start.actors[i] = e.end(outcomeDone).n
	}
	for i, p := range e.scene.ours {
		start.actors[i] = e.root(p).n
	}
	e.starts = start.actors
	start.actors[most-1] = idle
	e.visit(start, 0)
	for at := 0; at < len(e.states) && e.broken == ""; at++ {
		e.steps(e.states[at], func(_ func() string, next state) { e.visit(next, uint32(at)) })
	}
	return len(e.states)
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

// check holds a state against what is promised.
func (e *explorer) check(s *state) string {
	f := e.factsOf(s.shelf)
	v := e.judge(s.shelf)
	switch standing := ^(s.rolledBack | v.rolledBack); {
	case f.broken != "":
		return f.broken
	case v.broken != "":
		return v.broken
	case f.sealed&^f.committed&standing != 0:
		return "a sealed commit is not there"
	case f.lost&standing != 0:
		return "the rows of a sealed commit are not there"
	case v.unknown && s.left == 1<<len(sparkDoes)-1:
		return "an instant of ours is pending that nobody knows for ours"
	case v.strays && !s.belated:
		return "a recoverer that is alone leaves files of an attempt that is over"
	}
	for i, p := range e.scene.ours {
		n := e.actors.of[s.actors[i]]
		bit := bitOf(p.name[:1])
		switch {
		case n.asks != nil:
		case n.outcome == outcomeDone && bit&^v.committed&^(s.rolledBack|v.rolledBack) != 0:
			return fmt.Sprintf("the writer %c was told that its commit was made, and it is lost", p.name[0])
		case (n.outcome == outcomeLost || n.outcome == outcomeFailed) && bit&(v.committed|f.committed&f.sealed) != 0:
			return fmt.Sprintf("the writer %c %s, and its commit is there", p.name[0], n.outcome)
		case n.outcome == outcomeFailed && s.faults == e.scene.faults && s.left == 1<<len(sparkDoes)-1:
			return fmt.Sprintf("%s, and fails where nothing went wrong", p.name)
		}
	}
	return ""
}

// steps are all that can happen next in a state.
func (e *explorer) steps(s state, yield func(what func() string, next state)) {
	for i, n := range s.late {
		if n == 0 {
			continue
		}
		c := e.calls[n]
		next := s
		next.late[i] = 0
		next.late = ordered(next.late)
		var on shelf
		on, _ = e.do(e.shelves.of[s.shelf], c)
		next.belated = next.belated || sliceName.MatchString(c.key)
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
	case (!busy || e.scene.interrupts) && len(sparkDoes)-bits(s.left) < e.scene.spark:
		for k, what := range sparkDoes {
			if s.left&(1<<k) != 0 {
				next := s
				next.left &^= 1 << k
				next.actors[most-1] = e.place(most-1, e.root(sparkActs(what)))
				yield(func() string { return "Spark begins: " + what }, next)
			}
		}
	}
}

func bits(of uint8) int {
	n := 0
	for ; of != 0; of &= of - 1 {
		n++
	}
	return n
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
		if why := e.overwrites(s.shelf, n.asks, a); why != "" {
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
		e.broken = "Spark cannot write, and nothing went wrong\n" + e.history(e.number[s])
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
	if i != most-1 && s.late[0] == 0 {
		s.late[0] = e.underWay(n.asks)
		s.late = ordered(s.late)
		step(" crashes before it takes effect that it", s, crashed)
		step(" has no answer, before it takes effect that it", s, e.next(n, mute))
	}
}

// crosses says of a write that it is the removal of a data file that is not there yet, or comes behind it.
func (e *explorer) crosses(n uint32, c *call) bool {
	on := e.shelves.of[n]
	if c.verb == deleting {
		_, there := e.content(on, c.keys[0])
		return strings.HasSuffix(c.keys[0], ".parquet") && !there
	}
	m := sliceName.FindStringSubmatch(c.key)
	if m == nil {
		return false
	}
	_, pending := e.content(on, "lake/"+requestedKey(Instant(m[3]), actionCommit))
	return !pending
}

// overwrites says of a write that it takes a sealed claim away.
func (e *explorer) overwrites(n uint32, c *call, a *answer) string {
	if c.verb != putting || a.err != nil || !strings.HasPrefix(c.key, "lake/"+claimsFolder) {
		return ""
	}
	before, there := e.content(e.shelves.of[n], c.key)
	if there && e.docs.claim(before).State == claimSealed && before != c.data {
		return "a sealed claim is written over"
	}
	return ""
}

// underWay numbers a call that did not come yet.
func (e *explorer) underWay(c *call) uint32 {
	id := fmt.Sprint(c.key, "\x00", c.keys, "\x00", c.when, "\x00", c.data)
	n, known := e.callOf[id]
	if !known {
		n = uint32(len(e.calls))
		e.callOf[id], e.calls = n, append(e.calls, c)
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
