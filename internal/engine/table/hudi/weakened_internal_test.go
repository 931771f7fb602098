//go:build !race

// The race detector would find nothing here, where one goroutine is at work at a time, and take minutes for it.

package hudi

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
)

// changing has every call be another before it goes out; nil is one that is not made, and comes back as if it had been.
func changing(change func(c call) *call) weakening {
	return func(_ string, ask func(call) *answer) func(call) *answer {
		return func(c call) *answer {
			if to := change(c); to != nil {
				return ask(*to)
			}
			return &answer{object: store.Object{Tag: "none"}}
		}
	}
}

// without leaves out the writes of keys below a folder that end in some way.
func without(verb byte, folder, end string) weakening {
	return changing(func(c call) *call {
		key := c.key
		if c.verb == deleting {
			key = c.keys[0]
		}
		if c.verb == verb && strings.HasPrefix(key, "lake/"+folder) && strings.HasSuffix(key, end) {
			return nil
		}
		return &c
	})
}

// anyway has writes below a folder go out without the condition that is asked for.
func anyway(folder string, of func(store.Condition) bool) weakening {
	return changing(func(c call) *call {
		if c.verb == putting && strings.HasPrefix(c.key, "lake/"+folder) && of(c.when) {
			c.when = store.Condition{}
		}
		return &c
	})
}

// by has some programs alone be weakened, by what their names begin with.
func by(who string, w weakening) weakening {
	return func(program string, ask func(call) *answer) func(call) *answer {
		if strings.HasPrefix(program, who) {
			return w(program, ask)
		}
		return ask
	}
}

// unseen has our listings pass objects over whose keys are such.
func unseen(hides func(key string) bool) weakening {
	return func(_ string, ask func(call) *answer) func(call) *answer {
		return func(c call) *answer {
			a := ask(c)
			if c.verb != listing {
				return a
			}
			out := &answer{err: a.err}
			for _, o := range a.objects {
				if !hides(o.Key) {
					out.objects = append(out.objects, o)
				}
			}
			return out
		}
	}
}

// sparksPending are the objects of what Spark left pending of an action, which has instants of days before ours.
func sparksPending(ends ...string) func(key string) bool {
	return func(key string) bool {
		i, what := instantNamed(key)
		return i > newestAtFirst && i < instantOf(written) && slices.Contains(ends, what)
	}
}

// forgets has commits that replace say nothing of what they replaced.
func forgets(_ string, ask func(call) *answer) func(call) *answer {
	return func(c call) *answer {
		a := ask(c)
		if c.verb == reading && strings.HasSuffix(c.key, "."+actionReplace) && a.err == nil {
			var f commitFile
			if err := json.Unmarshal([]byte(a.data), &f); err != nil {
				panic(err)
			}
			f.PartitionToReplaceFileIDs = nil
			data, err := json.Marshal(f)
			return &answer{err: err, data: string(data)}
		}
		return a
	}
}

// unread has commits say nothing of the versions that they went on from.
func unread(_ string, ask func(call) *answer) func(call) *answer {
	return func(c call) *answer {
		a := ask(c)
		if c.verb == reading && strings.HasSuffix(c.key, "."+actionCommit) && a.err == nil {
			return &answer{data: strings.ReplaceAll(a.data, `"prevCommit"`, `"none"`), object: a.object}
		}
		return a
	}
}

// strictly has harm that Spark does itself by what comes late count.
func strictly(sc scene) scene {
	sc.strict = true
	return sc
}

// The explorer finds each rule of the protocol that is not kept.
func TestExplorerFindsWeakenedRules(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		scene
		weakened weakening
		want     string
	}{
		"a claim is put over another":             {two(0), anyway(claimsFolder, func(c store.Condition) bool { return c.IfAbsent }), "is completed on the claim of"},
		"a claim is changed whatever it is now":   {interrupted(withBoth(1, 0)), anyway(claimsFolder, func(c store.Condition) bool { return c.IfMatch != "" }), "a sealed claim is written over"},
		"a record is put over another":            {two(0), anyway(attemptsFolder, func(c store.Condition) bool { return c.IfAbsent }), "nobody knows"},
		"an attempt has no record":                {alone(1), by(string(first), without(putting, attemptsFolder, "00")), "nobody knows"},
		"a claim is sealed without its commit":    {alone(0), by(string(first), without(putting, hoodieFolder, ".commit")), "a sealed commit is not there"},
		"a recoverer seals what it finds claimed": {withRecoverer(1), by(string(recoverer), without(putting, hoodieFolder, ".commit")), "a sealed commit is not there"},
		"what is taken back keeps its commit":     {withBoth(1, 1), without(deleting, hoodieFolder, ".commit"), "left something each time"},
		"what is taken back keeps its files":      {withBoth(1, 1), without(deleting, "", ".parquet"), "leaves files"},
		"files go behind what is pending":         {withRun(1, 1), backwards, "leaves files"},
		"a rollback is not asked what it took":    {withBoth(1, 1), unasked, "rows"},
		"a clean of Spark's goes unseen":          {withRun(1, 0), unseen(sparksPending("clean", "clean.requested", "clean.inflight")), "is completed on the claim"},
		"a pending clean of Spark's goes unseen":  {withSpark(1, 1), unseen(sparksPending("clean.requested", "clean.inflight")), "left pending"},
		"a pending commit of Spark's goes unseen": {withSpark(1, 1), unseen(sparksPending("commit.requested", "inflight")), "found commits after time"},
		"Spark's late calls are as ours are":      {strictly(belated(withSpark(1, 1))), nil, "found commits after time"},
		"what others built on is taken back":      {behindDead(2, 1), unread, "a reader sees the rows"},
		"a clean claims what is another's":        {withClean(0, 0), by(string(cleaner), anyway(claimsFolder, func(c store.Condition) bool { return c.IfAbsent })), "is completed on the claim of"},
		"a clean claims nothing":                  {withClean(0, 0), by(string(cleaner), without(putting, claimsFolder, "")), "a reader sees the rows"},
		"a clean does not say that it is done":    {withClean(0, 0), by(string(cleaner), without(putting, hoodieFolder, "."+actionClean)), "a sealed clean is not there"},
		"a clean deletes before it is decided":    {interrupted(cleansWithRecoverer(1, 1)), undecided, "no clean says so"},
		"a clean that is begun is given up":       {cleansAlone(2, 1), planless, "no clean says so"},
		"what a reload replaced counts still":     {reloads(0, 0), by(string(second), forgets), "and a reader sees the rows"},
		"a table is made over another":            {makes(0, 0), anyway(propertiesKey, func(c store.Condition) bool { return c.IfAbsent }), "is sealed in the table"},
		"a table begins without a commit":         {makesWithRun(0, 1), without(putting, completedKey(anchor, actionCommit), ""), "a reader sees"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sc := tc.scene
			sc.weakened = tc.weakened
			e, states := explored(t, sc)
			if !strings.Contains(e.broken, tc.want) {
				t.Errorf("of %d states it says %q", states, e.broken)
			}
		})
	}
}

// undecided has claims of cleans stay open where they are decided.
func undecided(_ string, ask func(call) *answer) func(call) *answer {
	return func(c call) *answer {
		if c.verb == putting && strings.Contains(c.data, `"state":"decided"`) {
			return ask(call{verb: looking, key: c.key})
		}
		return ask(c)
	}
}

// planless has nobody find what cleans planned.
func planless(_ string, ask func(call) *answer) func(call) *answer {
	return func(c call) *answer {
		if c.verb == reading && strings.Contains(c.key, "."+actionClean+".") {
			return &answer{err: store.ErrNotExist}
		}
		return ask(c)
	}
}

// unasked has rollbacks say that they took something else back.
func unasked(_ string, ask func(call) *answer) func(call) *answer {
	return func(c call) *answer {
		if c.verb == reading && strings.HasSuffix(c.key, "."+actionRollback) {
			return &answer{data: rollbackOf(anchor)}
		}
		return ask(c)
	}
}

// backwards has data files go behind what is pending, when an attempt is taken back.
func backwards(_ string, ask func(call) *answer) func(call) *answer {
	var data []string
	return func(c call) *answer {
		switch {
		case c.verb != deleting:
		case strings.HasSuffix(c.keys[0], ".parquet"):
			data = c.keys
			return &answer{}
		case strings.HasSuffix(c.keys[0], requestedEnd) && data != nil:
			if a := ask(c); a.err != nil {
				return a
			}
			c.keys, data = data, nil
		}
		return ask(c)
	}
}
