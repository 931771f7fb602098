package hudi

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// The writers whose changes are followed, as bits.
const (
	bitFirst  = 1 << 0
	bitSecond = 1 << 1
)

func bitOf(name string) uint8 {
	switch name {
	case string(first):
		return bitFirst
	case string(second):
		return bitSecond
	default:
		return 0
	}
}

// seen is what a reader sees of a store, which follows from the completed instants and the data files alone, and what the claims say.
type seen struct {
	rows []string
	// committed are the names of the commits on the timeline, in their order, by which a row of that name is added; from is what those
	// that are checkpoints go on from.
	committed []string
	from      map[string]string
	instants  map[string]Instant
	sealed    uint8
	// untold are the names of commits of which the file is gone, and no clean on the timeline says so.
	untold []string
	// broken says what the claims promise and is not so.
	broken string
	// hidden says that a reload took the table away and brought nothing in its place, for its files were taken back before it came.
	hidden bool
	// strays are data files of ours that are of no instant on the timeline, pending what is; unknown says that there is something
	// pending without a record.
	strays, pending []Instant
	unknown         bool
}

// parsed are documents that were read before, by their texts.
type parsed struct {
	commits map[string]commitNames
	claims  map[string]*claim
	// tables are the ids that properties hold.
	tables map[string]string
	// plans are the keys that cleans say go.
	plans map[string][]string
}

type commitNames struct {
	name, in, from string
	replaces       []string
}

func (p *parsed) commit(text string) commitNames {
	c, known := p.commits[text]
	if !known {
		var f commitFile
		if json.Unmarshal([]byte(text), &f) == nil {
			c = commitNames{f.ExtraMetadata[adds], f.ExtraMetadata[within], f.ExtraMetadata[goesOnFrom], f.PartitionToReplaceFileIDs[""]}
		}
		p.commits[text] = c
	}
	return c
}

func (p *parsed) claim(text string) *claim {
	c, known := p.claims[text]
	if !known {
		c = new(claim)
		if err := json.Unmarshal([]byte(text), c); err != nil {
			panic(err)
		}
		p.claims[text] = c
	}
	return c
}

func (p *parsed) told(text, what string) []string {
	keys, known := p.plans[text]
	if !known {
		keys = cleanTells(text, what)
		p.plans[text] = keys
	}
	return keys
}

func (p *parsed) table(text string) string {
	id, known := p.tables[text]
	if !known {
		of, err := parseProperties([]byte(text))
		if err != nil {
			panic(err)
		}
		id = of[propertyID]
		p.tables[text] = id
	}
	return id
}

// see reads a store as readers of the lake do.
func (e *explorer) see(s shelf) *seen {
	out := &seen{from: map[string]string{}, instants: map[string]Instant{}}
	done, ours, pending := map[Instant]bool{}, map[Instant]bool{}, map[Instant]bool{}
	var timeline []Instant
	newest, replaced := map[string]Instant{}, map[string]bool{}
	rows := map[string]string{}
	files, told := map[string]string{}, map[string]bool{}
	var sealed []*claim
	reload := "" // the file group that one brings, of which there is one at the most
	id, brought := "", false
	for _, i := range s {
		key, data := strings.TrimPrefix(e.keys.of[i.key], "lake/"), e.contents.of[i.data]
		switch folder, name := path(key); folder {
		case attemptsFolder:
			ours[Instant(name)] = true
		case claimsFolder:
			if c := e.docs.claim(data); c.State == claimSealed {
				out.sealed |= bitOf(c.Attempt)
				sealed = append(sealed, c)
			}
		case hoodieFolder:
			switch instant, what := instantNamed(e.keys.of[i.key]); {
			case key == propertiesKey:
				id = e.docs.table(data)
			case instant == "":
			case what == actionCommit, what == actionReplace:
				c := e.docs.commit(data)
				done[instant] = true
				timeline = append(timeline, instant)
				for _, group := range c.replaces {
					replaced[group], reload = true, strings.ToLower(c.name)
				}
				if c.name != "" {
					files[dataKey(c.in, instant)] = c.name
					out.committed = append(out.committed, c.name)
					out.instants[c.name] = instant
					if c.from != "" {
						out.from[c.name] = c.from
					}
				}
			case what == actionClean, what == actionRollback:
				done[instant] = true
			default:
				pending[instant] = true
			}
			if _, what := instantNamed(e.keys.of[i.key]); strings.HasPrefix(what, actionClean) {
				for _, key := range e.docs.told(data, what) {
					told[key] = true
				}
			}
		}
	}
	for _, c := range sealed {
		switch {
		case c.Table != id:
			out.broken = fmt.Sprintf("a commit to the table %q is sealed in the table %q", c.Table, id)
		case c.Action == actionClean && !done[c.Instant]:
			out.broken = "a sealed clean is not there"
		}
	}
	for _, i := range s {
		key := strings.TrimPrefix(e.keys.of[i.key], "lake/")
		m := sliceName.FindStringSubmatch(key)
		if m == nil {
			continue
		}
		instant := Instant(m[3])
		delete(files, key)
		brought = brought || m[1] == reload
		if ours[instant] && !done[instant] && !pending[instant] {
			out.strays = append(out.strays, instant)
		}
		if (slices.Contains(timeline, instant) || len(timeline) > 0 && instant < timeline[0]) && instant > newest[m[1]] {
			newest[m[1]], rows[m[1]] = instant, e.contents.of[i.data]
		}
	}
	for i := range pending {
		switch {
		case done[i]:
		case ours[i]:
			out.pending = append(out.pending, i)
		default:
			out.unknown = true
		}
	}
	for group, text := range rows {
		if replaced[group] {
			continue
		}
		out.rows = append(out.rows, strings.Fields(text)...)
	}
	slices.Sort(out.rows)
	for key, name := range files {
		if !told[key] {
			out.untold = append(out.untold, name)
		}
	}
	slices.Sort(out.untold)
	out.hidden = reload != "" && !brought
	return out
}

// facts are what is to be known of a store to tell whether a promise is broken in a state.
type facts struct {
	// broken is a promise that is broken whoever stands where; harmed is what Spark has lost of its own.
	broken, harmed string
	// hidden says that readers see no rows until a run of ours takes a late reload from the timeline.
	hidden                  bool
	committed, sealed, lost uint8
}

func (e *explorer) factsOf(n uint32) *facts {
	for int(n) >= len(e.facts) {
		e.facts = append(e.facts, nil)
	}
	if e.facts[n] != nil {
		return e.facts[n]
	}
	w := e.see(e.shelves.of[n])
	f := &facts{sealed: w.sealed, broken: w.broken, hidden: w.hidden}
	if len(slices.Compact(slices.Clone(w.rows))) != len(w.rows) {
		f.broken = fmt.Sprintf("a reader sees a row twice: %v", w.rows)
	}
	for _, name := range w.committed {
		bit := bitOf(name)
		f.committed |= bit
		if !slices.Contains(w.rows, name) {
			f.lost |= bit
			lost := fmt.Sprintf("the row of the commit %s is lost: a reader sees %v", name, w.rows)
			switch {
			case w.hidden:
			case isSparks(name):
				f.harmed = lost
			case bit == 0:
				f.broken = lost
			}
		}
	}
	if f.lost &= f.sealed; w.hidden {
		f.lost = 0
	}
	e.facts[n] = f
	return f
}

// isSparks tells the commits that Spark made by their names.
func isSparks(name string) bool { return name[0] == spark }

// writerOf is whose instant it is of which an object of the timeline is deleted, as a bit.
func (e *explorer) writerOf(n uint32, key string) uint8 {
	folder, name := path(strings.TrimPrefix(key, "lake/"))
	if folder != hoodieFolder {
		return 0
	}
	i := Instant(name[:17])
	for _, action := range []string{actionCommit, actionReplace} {
		if text, _ := e.content(e.shelves.of[n], "lake/"+completedKey(i, action)); text != "" {
			return bitOf(e.docs.commit(text).name)
		}
	}
	var r record
	if text, _ := e.content(e.shelves.of[n], "lake/"+attemptsFolder+string(i)); text == "" || json.Unmarshal([]byte(text), &r) != nil {
		return 0
	}
	return bitOf(r.Attempt)
}
