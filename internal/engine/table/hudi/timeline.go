package hudi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
)

// The folders and files of a table, below its prefix. What stands in lakeFolder is our own, which no other writer looks at.
const (
	hoodieFolder    = ".hoodie/"
	propertiesKey   = hoodieFolder + "hoodie.properties"
	backupKey       = hoodieFolder + "hoodie.properties.backup"
	metadataKey     = hoodieFolder + "metadata/.hoodie/hoodie.properties"
	tempFolder      = hoodieFolder + ".temp/"
	lakeFolder      = hoodieFolder + ".lakeland/"
	attemptsFolder  = lakeFolder + "attempts/"
	claimsFolder    = lakeFolder + "claims/"
	stagingFolder   = lakeFolder + "staging/"
	positionsFolder = lakeFolder + "positions/"
)

// maxListed bounds the objects beside a table's data.
const maxListed = 2_000_000

// The actions of instants that this package makes, or must know. All others are somebody else's matter.
const (
	actionCommit   = "commit"
	actionReplace  = "replacecommit"
	actionClean    = "clean"
	actionRollback = "rollback"
	actionSave     = "savepoint"
)

// The states of an instant, as the ends of its objects' names.
const (
	requestedEnd = ".requested"
	inflightEnd  = ".inflight"
)

// action is an instant of the timeline with what there is of it.
type action struct {
	instant                        Instant
	name                           string
	requested, inflight, completed bool
	// keys are those of its objects.
	keys []string
}

// requestedKey, inflightKey and completedKey are the keys of an instant's objects below the table's prefix. That of a commit under way
// does not name the action (Hudi, HoodieTimeline, layout 1).
func requestedKey(i Instant, name string) string {
	return hoodieFolder + string(i) + "." + name + requestedEnd
}

func inflightKey(i Instant, name string) string {
	if name == actionCommit {
		return hoodieFolder + string(i) + inflightEnd
	}
	return hoodieFolder + string(i) + "." + name + inflightEnd
}

func completedKey(i Instant, name string) string { return hoodieFolder + string(i) + "." + name }

// timeline is what a table's folder .hoodie holds at a time, by one listing.
type timeline struct {
	// actions are in the order of their instants.
	actions []*action
	// records and claims are ours, by the instants that they are of; markers are the keys in the folders of instants.
	records, claims map[Instant]store.Object
	markers         map[Instant][]string
	// staged are the objects of files that are not committed.
	staged []store.Object
	// positions are the objects of positions.
	positions []store.Object
	// hasProperties says that there is a table, hasBackup that somebody was changing its properties, hasMetadata that it has a
	// metadata table.
	hasProperties, hasBackup, hasMetadata bool
}

// readTimeline lists what there is.
func (t *Table) readTimeline(ctx context.Context) (*timeline, error) {
	tl := &timeline{records: map[Instant]store.Object{}, claims: map[Instant]store.Object{}, markers: map[Instant][]string{}}
	found := map[string]*action{}
	listed := 0
	for object, err := range t.o.Store.List(ctx, t.o.Prefix+hoodieFolder, "") {
		if err != nil {
			return nil, fmt.Errorf("reading the timeline of %s: %w", t.name(), err)
		}
		if listed++; listed > maxListed {
			return nil, fmt.Errorf("reading the timeline of %s: there are more than %d objects in %s: have Spark archive and clean it", t.name(), maxListed, t.o.Store.Address(t.o.Prefix+hoodieFolder))
		}
		tl.take(strings.TrimPrefix(object.Key, t.o.Prefix), object, found)
	}
	for _, a := range found {
		tl.actions = append(tl.actions, a)
	}
	slices.SortFunc(tl.actions, func(a, b *action) int {
		return cmp.Or(cmp.Compare(a.instant, b.instant), cmp.Compare(a.name, b.name))
	})
	return tl, t.lookAgain(ctx, tl)
}

// lookAgain looks at pending instants that seem to be nobody's of ours: their records may have been written behind the listing's
// passing them, or their commits completed and sealed.
func (t *Table) lookAgain(ctx context.Context, tl *timeline) error {
	for _, a := range tl.actions {
		if a.completed || tl.unfinished(a.instant) {
			continue
		}
		object, err := t.o.Store.Head(ctx, t.o.Prefix+attemptsFolder+string(a.instant))
		if err == nil {
			tl.records[a.instant] = object
		}
		if (err == nil || errors.Is(err, store.ErrNotExist)) && !tl.unfinished(a.instant) {
			_, err = t.o.Store.Head(ctx, t.o.Prefix+completedKey(a.instant, a.name))
			a.completed = err == nil
		}
		if err != nil && !errors.Is(err, store.ErrNotExist) {
			return fmt.Errorf("reading the timeline of %s: %w", t.name(), err)
		}
	}
	return nil
}

// take takes up an object by its key below the table's prefix.
func (tl *timeline) take(key string, object store.Object, found map[string]*action) {
	switch folder, rest := path(key); {
	case key == propertiesKey:
		tl.hasProperties = true
	case key == backupKey:
		tl.hasBackup = true
	case key == metadataKey:
		tl.hasMetadata = true
	case folder == attemptsFolder:
		tl.records[Instant(rest)] = object
	case folder == claimsFolder:
		tl.claims[Instant(rest)] = object
	case folder == positionsFolder:
		tl.positions = append(tl.positions, object)
	case strings.HasPrefix(key, stagingFolder):
		tl.staged = append(tl.staged, object)
	case strings.HasPrefix(key, tempFolder):
		instant, _, _ := strings.Cut(strings.TrimPrefix(key, tempFolder), "/")
		tl.markers[Instant(instant)] = append(tl.markers[Instant(instant)], object.Key)
	case folder == hoodieFolder:
		tl.takeAction(rest, object.Key, found)
	}
}

// path cuts a key behind its last slash.
func path(key string) (folder, rest string) {
	at := strings.LastIndexByte(key, '/') + 1
	return key[:at], key[at:]
}

// takeAction takes up an object of an instant; names that are none are passed over.
func (tl *timeline) takeAction(name, key string, found map[string]*action) {
	digits, what, ok := strings.Cut(name, ".")
	instant := Instant(digits)
	if _, is := instant.time(); !ok || !is {
		return
	}
	of, requested := strings.CutSuffix(what, strings.TrimPrefix(requestedEnd, "."))
	of, inflight := strings.CutSuffix(of, strings.TrimPrefix(inflightEnd, "."))
	if of = strings.TrimSuffix(of, "."); of == "" {
		of = actionCommit
	}
	id := digits + "." + of
	a := found[id]
	if a == nil {
		a = &action{instant: instant, name: of}
		found[id] = a
	}
	a.keys = append(a.keys, key)
	switch {
	case requested:
		a.requested = true
	case inflight:
		a.inflight = true
	default:
		a.completed = true
	}
}

// head is the newest completed instant of anyone, but for one that is left out, and for the anchor.
func (tl *timeline) head(but Instant) Instant {
	for _, a := range slices.Backward(tl.actions) {
		if a.completed && a.instant != but && a.instant != anchor {
			return a.instant
		}
	}
	return initial
}

// last is the greatest instant of anyone, in any state, and of our records.
func (tl *timeline) last() Instant {
	var last Instant
	if n := len(tl.actions); n > 0 {
		last = tl.actions[n-1].instant
	}
	for i := range tl.records {
		last = max(last, i)
	}
	return last
}

// find is an action of an instant; nil where there is none.
func (tl *timeline) find(i Instant, name string) *action {
	at, ok := slices.BinarySearchFunc(tl.actions, i, func(a *action, i Instant) int { return cmp.Compare(a.instant, i) })
	for ; ok && at < len(tl.actions) && tl.actions[at].instant == i; at++ {
		if tl.actions[at].name == name {
			return tl.actions[at]
		}
	}
	return nil
}

// completed reports whether an instant is, by any action.
func (tl *timeline) completed(i Instant) bool {
	return slices.ContainsFunc(tl.actions, func(a *action) bool { return a.instant == i && a.completed })
}

// unfinished reports whether an instant is that of an attempt of ours whose commit is not sealed.
func (tl *timeline) unfinished(i Instant) bool {
	object, ours := tl.records[i]
	return ours && object.Size > 0
}

// foreign is the first pending instant that is not ours; nil where there is none.
func (tl *timeline) foreign() *action {
	for _, a := range tl.actions {
		if !a.completed && !tl.unfinished(a.instant) {
			return a
		}
	}
	return nil
}

// first is the oldest instant on the timeline that is a commit of some kind, as readers take it: what is older and not on the
// timeline was completed and has been archived (Hudi, HoodieDefaultTimeline.containsOrBeforeTimelineStarts).
func (tl *timeline) first() Instant {
	for _, a := range tl.actions {
		if a.completed && writes(a.name) {
			return a.instant
		}
	}
	return ""
}

// writes reports whether an action writes data files of a table that is copied on write.
func writes(name string) bool { return name == actionCommit || name == actionReplace }
