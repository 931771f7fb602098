package run

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/guard"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/merge"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
	"github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

const (
	// mostPlan bounds the documents of a load that are read.
	mostPlan = 256 << 20
	// looksAtOnce is how many objects of a load are looked at at once.
	looksAtOnce = 16
	// changedPerReader is into how many units what has changed is cut, for each session that reads.
	changedPerReader = 4
)

// obstacle is why a load cannot be gone on with, now or later.
type obstacle struct{ why string }

func (o *obstacle) Error() string { return o.why }

func unfit(format string, values ...any) error { return &obstacle{fmt.Sprintf(format, values...)} }

// takeUp looks for a load of the table that did not end. One that can be gone on with is returned; of any other log and notes
// say how far it had come and why it starts again, and it is forgotten. After an error it is as it was. window is nil for what
// is not incremental.
func (a *attempt) takeUp(ctx context.Context, l *landing, window *postgres.Window, shared bool) (*load, error) {
	d := a.newLoad(l)
	if d.memory == nil {
		return nil, nil
	}
	word, units, err := a.r.Tracker.Load(ctx, a.name)
	if err != nil {
		a.log.Warn("whether a load did not end cannot be told; all is read, and the tracker is not told how far that comes", "error", err)
		l.untold = true
		return nil, nil
	}
	for _, u := range units {
		d.units = append(d.units, u.Unit)
	}
	if word == nil {
		if len(units) > 0 {
			d.forget(ctx) // which an earlier run did not come to the end of
		}
		return nil, nil
	}
	if !l.head.Exists {
		l.head.TableID = word.Table // a table that is not there yet has the id that files have in their names already
	}
	units = slices.DeleteFunc(units, func(u tracking.LoadUnit) bool { return u.Load != word.ID })
	var rows int64
	for _, u := range units {
		rows += u.Rows
	}
	far := fmt.Sprintf("a load that did not end, last of run %s, had come to %d of %d units (%d rows)", word.Run, len(units), word.Units, rows)
	d.word = *word
	err = a.goOn(ctx, d, units, window, shared)
	var never *obstacle
	var footing *postgres.FootingError
	switch {
	case errors.As(err, &never) || errors.As(err, &footing):
		a.say(fmt.Sprintf("%s, and starts again: %s", far, bounded(err.Error())))
		d.forget(ctx)
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("going on with %s: %w", far, err)
	}
	a.say(fmt.Sprintf("%s, and is gone on with: %d units are left, and what has changed since it began is read again; rows that the source has deleted since may stay in the lake until a reload", far, word.Units-len(d.kept)))
	return d, nil
}

// say puts a sentence into log and history.
func (a *attempt) say(sentence string) {
	a.log.Warn(sentence)
	a.notes = append(a.notes, sentence)
}

// goOn makes a load ready to be gone on with, or says why it cannot be.
func (a *attempt) goOn(ctx context.Context, d *load, units []tracking.LoadUnit, window *postgres.Window, shared bool) error {
	age := a.started.Sub(began(&d.word))
	switch why := a.unkept(d.l, shared); {
	case why != "":
		return unfit("%s", why)
	case d.word.Why != "":
		return unfit("%s", d.word.Why)
	case d.word.Table != d.l.head.TableID:
		return unfit("the lake's table was made anew since")
	case age > loadAge:
		return unfit("it began %s ago, more than %s", age.Round(time.Minute), loadAge)
	case d.word.Tries >= loadTries: // or what keeps runs from ending it would do so for ever
		return unfit("%d runs have not ended it", d.word.Tries)
	}
	plan := &loadPlan{}
	if err := a.readDocument(ctx, d.l, d.word.Key, d.word.SHA256, plan); err != nil {
		return err
	}
	now, err := a.loadPlan(d.l, plan.Footing, plan.Units)
	if err != nil {
		return err
	}
	if err := plan.leadsTo(now); err != nil {
		return err
	}
	if d.rest, err = window.Rest(ctx, plan.Footing, plan.Units); err != nil {
		return err
	}
	if err := a.readResults(ctx, d, units); err != nil {
		return err
	}
	d.word.Run, d.word.Tries = a.runID, d.word.Tries+1
	if err := d.memory.Loading(ctx, d.word); err != nil {
		return err
	}
	d.plan = plan
	for _, f := range filesOf(d.kept) {
		d.safe[f.Key] = true
	}
	return nil
}

// leadsTo says why what was planned on is not what it was.
func (p *loadPlan) leadsTo(now *loadPlan) error {
	switch {
	case p.V != now.V || p.Engine != now.Engine:
		return unfit("another engine began it (version %s)", p.Engine)
	case p.Exists != now.Exists || p.Commit != now.Commit || p.Reload != now.Reload:
		return unfit("the lake's table has been landed since, or another reload is asked for than it was begun for")
	case p.ExtractHash != now.ExtractHash:
		return unfit("the configuration reads other rows or columns than it was begun with")
	case p.Columns != now.Columns:
		return unfit("the source's columns, or what the lake makes of them, are others than it was begun with")
	case p.Footing == nil:
		return unfit("its plan does not say where the table lay")
	default:
		return nil
	}
}

// readDocument reads a document that an earlier run wrote; an *obstacle says that it is not there as it was.
func (a *attempt) readDocument(ctx context.Context, l *landing, key, sum string, into any) error {
	data, err := store.Read(ctx, l.bucket, key, mostPlan)
	switch {
	case errors.Is(err, store.ErrNotExist):
		return unfit("%s is gone", l.bucket.Address(key))
	case err != nil:
		return err
	case digest(data) != sum:
		return unfit("%s is not what was written", l.bucket.Address(key))
	}
	if err := json.Unmarshal(data, into); err != nil {
		return unfit("reading %s: %v", l.bucket.Address(key), err)
	}
	return nil
}

// readResult reads what a unit came to, and looks for its files.
func (a *attempt) readResult(ctx context.Context, l *landing, u tracking.LoadUnit) (*Result, error) {
	r := &Result{}
	if err := a.readDocument(ctx, l, u.Key, u.SHA256, r); err != nil {
		return nil, err
	}
	if r.V != UnitVersion || r.Unit != u.Unit {
		return nil, unfit("%s is of unit %q, version %d", l.bucket.Address(u.Key), r.Unit, r.V)
	}
	for _, f := range r.Files {
		object, err := l.bucket.Head(ctx, f.Key)
		switch {
		case errors.Is(err, store.ErrNotExist):
			return nil, unfit("%s is gone", l.bucket.Address(f.Key))
		case err != nil:
			return nil, err
		case object.Size != f.File.Size:
			return nil, unfit("%s has %d bytes, not %d", l.bucket.Address(f.Key), object.Size, f.File.Size)
		}
	}
	return r, nil
}

// readResults reads what units came to. One that lacks a file is read again.
func (a *attempt) readResults(ctx context.Context, d *load, units []tracking.LoadUnit) error {
	results, errs := make([]*Result, len(units)), make([]error, len(units))
	if err := guard.Each(ctx, looksAtOnce, len(units), func(ctx context.Context, i int) error {
		results[i], errs[i] = a.readResult(ctx, d.l, units[i])
		return nil
	}); err != nil {
		return err
	}
	for i, err := range errs {
		var gone *obstacle
		switch {
		case err == nil:
			d.kept = append(d.kept, *results[i])
		case errors.As(err, &gone):
			a.log.Warn("a unit of a load is read again", "unit", units[i].Unit, "why", err)
		default:
			return err
		}
	}
	return nil
}

// joined says that a load is gone on with that another run began.
func (d *load) joined() bool { return d != nil && d.rest != nil }

// piece is what one unit reads.
type piece struct {
	name  string
	parts []postgres.Part
}

// pieces are the units of a run: those of its cut, or, where it goes on with a load, those that are missing there and those
// that read what has changed.
func (d *load) pieces(lists [][]postgres.Part, readers int) []piece {
	var out []piece
	if !d.joined() {
		for i, parts := range lists {
			out = append(out, piece{unitName(i), parts})
		}
		return out
	}
	have := map[string]bool{}
	for _, r := range d.kept {
		have[r.Unit] = true
	}
	for i, parts := range d.plan.Units {
		if name := unitName(i); !have[name] {
			out = append(out, piece{name, d.rest.Left(parts)})
		}
	}
	changed := d.rest.Changed
	n := min(len(changed), max(readers, 1)*changedPerReader)
	for i := range n {
		parts := slices.Concat(changed[len(changed)*i/n : len(changed)*(i+1)/n]...)
		out = append(out, piece{changedUnits + unitName(i), parts})
	}
	return out
}

// join adds what earlier runs have read of a load to what this one has. This is the only commit over two snapshots.
func (d *load) join(results []Result) []Result {
	if !d.joined() {
		return results
	}
	loaded := slices.Clone(d.kept)
	for _, r := range results {
		if strings.HasPrefix(r.Unit, changedUnits) {
			d.changed = append(d.changed, r)
		} else {
			loaded = append(loaded, r)
		}
	}
	d.kept = loaded
	return slices.Concat(loaded, d.changed)
}

// mostChanges is how many rows are merged at once.
func (a *attempt) mostChanges() int64 { return cmp.Or(a.r.ResumeRows, math.MaxInt32) }

// commitJoined merges what has changed since a load's first run into the load's files, and commits them in the place of what
// the table held.
func (a *attempt) commitJoined(ctx context.Context, l *landing) error {
	d := l.load
	files, changed := filesOf(d.kept), filesOf(d.changed)
	var seen, again int64
	for _, r := range d.kept {
		seen += r.Rows
	}
	for _, r := range d.changed {
		again += r.Rows
	}
	if again > a.mostChanges() {
		d.forget(ctx)
		a.log.Warn("the load starts again: more has changed since it began than is merged at once", "rows", again)
		return errPlanAnew
	}
	seen += again
	merged, err := a.mergeInto(ctx, l, files, changed)
	if errors.Is(err, merge.ErrKey) {
		d.forget(ctx) // or the next run would come to the same
	}
	if err != nil {
		return fmt.Errorf("running %q: %w", a.name, err)
	}
	gone := map[string]bool{}
	for _, key := range merged.Remove {
		gone[key] = true
	}
	add := slices.DeleteFunc(slices.Clone(files), func(f table.DataFile) bool { return gone[f.Key] })
	add = append(add, merged.Add...)
	a.rows, a.bytes = 0, 0
	for _, f := range add {
		a.rows, a.bytes = a.rows+f.File.Rows, a.bytes+f.File.Size
	}
	a.checkpoint.Counts = table.Counts{Seen: seen, Inserted: a.rows, Deleted: a.before}
	err = a.commitOn(ctx, l, table.Change{Schema: l.planned, ReplaceAll: l.head.Exists, Add: add, Checkpoint: a.checkpoint})
	switch {
	case err == nil:
		clear(d.safe)
		a.leave(ctx, l.bucket, d.useless(slices.Concat(files, changed, merged.Written)), nil, add)
	case !errors.Is(err, table.ErrOutcomeUnknown):
		a.leave(ctx, l.bucket, merged.Written, nil, nil)
	}
	return err
}
