package hudi

import (
	"fmt"
	"strings"
)

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
	case v.harmed != "" && !s.astray:
		return v.harmed
	case f.harmed != "" && !s.astray:
		return f.harmed
	case v.unknown && s.did == 0:
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
		case n.outcome == outcomeFailed && s.faults == e.scene.faults && s.did == 0:
			return fmt.Sprintf("%s, and fails where nothing went wrong", p.name)
		}
	}
	return ""
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
	for _, action := range []string{actionCommit, actionReplace} {
		if _, pending := e.content(on, "lake/"+requestedKey(Instant(m[3]), action)); pending {
			return false
		}
	}
	return true
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

// oversteps says of a write of ours that it completes an instant over what it must not: one that completed since the claim's base, whoever's,
// or one that another writer left pending. Between its looking and that write only runs of ours act, who have rules for it.
func (e *explorer) oversteps(n uint32, c *call, a *answer) string {
	if c.verb != putting || a.err != nil {
		return ""
	}
	of, action := instantNamed(c.key)
	if of == "" || of == anchor || strings.Contains(action, "inflight") || strings.HasSuffix(action, requestedEnd) {
		return ""
	}
	head, base := initial, Instant("")
	records, pending, done := map[Instant]bool{}, map[Instant]bool{}, map[Instant]bool{}
	for _, i := range e.shelves.of[n] {
		key, data := strings.TrimPrefix(e.keys.of[i.key], "lake/"), e.contents.of[i.data]
		folder, name := path(key)
		i, action := instantNamed(e.keys.of[i.key])
		switch {
		case folder == claimsFolder:
			if c := e.docs.claim(data); c.Instant == of {
				base = c.Base
			}
		case folder == attemptsFolder:
			records[Instant(name)] = data != ""
		case i == "" || i == anchor:
		case action == "inflight" || strings.HasSuffix(action, inflightEnd) || strings.HasSuffix(action, requestedEnd):
			pending[i] = true
		default:
			done[i] = true
			if head == initial || i > head {
				head = i
			}
		}
	}
	if head != base && action != actionClean { // a clean that is decided, or was begun, is finished over anything
		return fmt.Sprintf("the instant %s is completed on the claim of %q, and the head is %s", of, base, head)
	}
	for i := range pending {
		if !done[i] && !records[i] && action != actionClean {
			return fmt.Sprintf("the instant %s is completed over %s, which another writer left pending", of, i)
		}
	}
	return ""
}

// instantNamed is the instant that an object of the timeline is of, and what it says of it; "" is none.
func instantNamed(key string) (Instant, string) {
	folder, name := path(strings.TrimPrefix(key, "lake/"))
	digits, what, _ := strings.Cut(name, ".")
	if folder != hoodieFolder || len(digits) != 17 {
		return "", ""
	}
	return Instant(digits), what
}
