package hudi

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// planned is a change that a writer has planned on a head.
type planned struct {
	who  byte
	base Instant
	// from is the checkpoint that it goes on from, and rows what is in the file group that it writes anew.
	from, group, rows string
	// replaces are the file groups that a reload takes from the table; nil is a change of another kind.
	replaces []string
	// table is the id of the one it is for, heldID where none is said.
	table string
	makes making
}

// making is what of the table a writer found lacking.
type making string

const (
	makesNothing making = ""
	makesAnchor  making = " that has no commit"
	makesAll     making = " that is not there"
)

// adds is the key in commits' extra metadata of the row that a commit adds, and within that of the file group that it wrote; goesOnFrom is
// that of the checkpoint before.
const (
	adds       = "adds"
	within     = "within"
	goesOnFrom = "from"
)

// theBeginning is what the first checkpoint of a table goes on from.
const theBeginning = "the beginning"

// heldID is the id of a table that there is.
const heldID = "id"

// propertiesOf are those of a table.
func propertiesOf(id string) properties {
	t := New(Options{Database: "raw", Name: "orders"})
	return t.newProperties(id, tableOfNumbers())
}

func tableOfNumbers() *schema.Table {
	return &schema.Table{Layout: schema.LayoutHudi, Key: []string{"id"}, Columns: []schema.Column{{Name: "id", Type: schema.Type{ID: schema.Long}, FieldID: 1}}}
}

func dataKey(of string, i Instant) string { return fmt.Sprintf("%s_0-0-0_%s.parquet", of, i) }

// commitDocument is the file of a commit that adds a row of its own name to a file group, and is a checkpoint where it goes on from one.
// prev is the version that its file goes on from, "" where it does not say.
func commitDocument(name, in, from string, replaces []string, prev string) []byte {
	f := commitFile{ExtraMetadata: map[string]string{adds: name, within: in}}
	if prev != "" {
		f.PartitionToWriteStats = map[string][]writeStat{"": {{PrevCommit: prev}}}
	}
	if from != "" {
		f.ExtraMetadata[extraCheckpoint], f.ExtraMetadata[goesOnFrom] = name, from
	}
	if replaces != nil {
		f.PartitionToReplaceFileIDs = map[string][]string{"": replaces}
	}
	data, err := json.Marshal(f)
	if err != nil {
		panic(err)
	}
	return data
}

func (p planned) String() string {
	out := fmt.Sprintf("%c lands on %s from %s, with %s in %s", p.who, p.base, p.from, p.rows, p.group)
	if p.replaces != nil {
		out += ", in the place of " + strings.Join(p.replaces, " and ")
	}
	if p.table != "" {
		out += ", into the table " + p.table + string(p.makes)
	}
	return out
}

// create makes of the table what is lacking, by the engine's own code.
func (p planned) create(ctx context.Context, t *Table, of properties) error {
	c := &commit{t: t, head: &table.Head{TableID: p.table}, on: &base{}, properties: of}
	switch p.makes {
	case makesNothing:
		return nil
	case makesAnchor:
		c.on.properties = of
	}
	return c.create(ctx)
}

// lands is a writer's commit of what it planned: all of it is the engine's own, but for what stands in its files.
func (p planned) lands() *program {
	name := string(p.who)
	return &program{p.String(), func(ctx context.Context, t *Table) (*program, error) {
		if p.table == "" {
			p.table = heldID
		}
		of := propertiesOf(p.table)
		if err := p.create(ctx, t, of); err != nil {
			return nil, err
		}
		action := actionCommit
		if p.replaces != nil {
			action = actionReplace
		}
		_, err := t.land(ctx, p.base, of, func(ctx context.Context, tl *timeline) (*record, error) {
			r, err := t.begin(ctx, tl, record{Table: p.table, Attempt: name, Action: action, Base: p.base}, func(i Instant) []string { return []string{dataKey(p.group, i)} }, nil)
			if err != nil {
				return r, err
			}
			if err := t.mark(ctx, r); err != nil {
				return r, err
			}
			_, err = t.o.Store.Put(ctx, t.o.Prefix+r.Files[0], []byte(p.rows), store.Condition{})
			return r, err
		}, func(r *record) (claim, error) {
			return claim{Table: r.Table, Attempt: name, Instant: r.Instant, Action: r.Action, Base: r.Base, Files: map[string]int64{r.Files[0]: int64(len(p.rows))}, Document: commitDocument(name, p.group, p.from, p.replaces, "")}, nil
		})
		return nil, err
	}}
}

// recovered is what each program begins with that looks for the head: it goes on with what there is when nothing was left to finish, and
// begins anew until then.
func recovered(name string, goOn func(ctx context.Context, t *Table, tl *timeline) (*program, error)) *program {
	p := &program{name: name}
	p.run = func(ctx context.Context, t *Table) (*program, error) {
		tl, again, err := t.recoverNext(ctx)
		if again || err != nil {
			return p, err
		}
		return goOn(ctx, t, tl)
	}
	return p
}

// recovers is what every run begins with, alone.
func recovers() *program {
	return recovered(string(recoverer)+" recovers", func(context.Context, *Table, *timeline) (*program, error) { return nil, nil })
}

// runs is a whole run: it finishes what others left, plans on the head that there is then, and lands. It writes the file group that
// it is told to; where that was replaced, or "" for any, the first that there is.
func runs(who byte, in string) *program {
	return recovered(string(who)+" looks for the head", func(ctx context.Context, t *Table, tl *timeline) (*program, error) {
		change := planned{who: who, base: tl.head(""), from: theBeginning, group: in, makes: makesAll, table: "that " + string(who) + " made"}
		if tl.hasProperties {
			of, err := t.properties(ctx)
			if err != nil {
				return nil, err
			}
			if err := t.touchable(of, tl); err != nil {
				return nil, err
			}
			change.table, change.makes = t.tableID(of), makesNothing
			if tl.first() == "" {
				change.makes = makesAnchor
			}
		}
		if _, from, err := newestCheckpoint(ctx, t, tl); err != nil {
			return nil, err
		} else if from != "" {
			change.from = from
		}
		replaced, err := t.replacedGroups(ctx, tl)
		if err != nil {
			return nil, err
		}
		v, err := t.readView(ctx)
		if err != nil {
			return nil, err
		}
		shown := v.latest(tl, replaced)
		if _, gone := replaced[group{"", in}]; gone || in == "" {
			change.group = strings.ToLower(string(who))
			for g := range shown {
				change.group = min(change.group, g.fileID)
			}
		}
		if s := shown[group{"", change.group}]; s != nil {
			data, err := t.read(ctx, s.key, 1<<10)
			if err != nil {
				return nil, err
			}
			change.rows = string(data) + " "
		}
		change.rows += string(who)
		return change.lands(), nil
	})
}

// newestCheckpoint is the newest commit that is one, and its name; "" where there is none.
func newestCheckpoint(ctx context.Context, t *Table, tl *timeline) (Instant, string, error) {
	for _, a := range slices.Backward(tl.commits()) {
		c, err := t.readCommit(ctx, a)
		if err != nil {
			return "", "", err
		}
		if name := c.extra(extraCheckpoint); name != "" {
			return a.instant, name, nil
		}
	}
	return "", "", nil
}

// cleans is a run's clean: it finishes what others left, and deletes what no commit of the newest shows, so many of them, all by the engine's own code.
func cleans(keeps int) *program {
	return recovered(fmt.Sprintf("%c cleans, keeping %d commits", cleaner, keeps), func(ctx context.Context, t *Table, tl *timeline) (*program, error) {
		of, err := t.properties(ctx)
		if err != nil {
			return nil, err
		}
		if err := t.touchable(of, tl); err != nil {
			return nil, err
		}
		newest, _, err := newestCheckpoint(ctx, t, tl)
		if err != nil {
			return nil, err
		}
		head := &table.Head{
			Base: &base{properties: of, timeline: tl, instant: tl.head("")}, TableID: t.tableID(of),
			Checkpoint: &table.Checkpoint{V: table.CheckpointVersion}, CheckpointCommit: string(newest),
		}
		_, err = t.Clean(ctx, head, table.Retention{KeepAtLeast: keeps, MaxAge: time.Hour})
		return nil, err
	})
}
