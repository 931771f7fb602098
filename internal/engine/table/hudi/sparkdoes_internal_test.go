package hudi

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/avro/ocf"
)

// The things that Spark does. It writes and cleans as often as it is let, and takes one commit back, for which people ask it.
const (
	sparkWrites = iota
	sparkTakesBack
	sparkCleans
)

var sparkDoes = []string{"writes", "takes the newest commit back", "cleans"}

// keptVersions is how many versions of a file group Spark's clean keeps where a scene does not say: those that are left when it keeps
// the files of one commit (Hudi, CleanPlanner.getFilesToCleanKeepingLatestCommits, which keeps the version before that, too).
const keptVersions = 2

// sparkActs is one of them. Instants are told apart by how many came before where late ones may come between.
func sparkActs(what, versions, before int) *program {
	return &program{fmt.Sprintf("%c %s behind %d others, keeping %d versions", spark, sparkDoes[what], before, versions), func(ctx context.Context, t *Table) (*program, error) {
		w := &sparks{s: t.o.Store, before: before}
		switch what {
		case sparkWrites:
			return nil, w.writes(ctx)
		case sparkCleans:
			return nil, w.cleans(ctx, versions)
		default:
			return nil, w.takesBack(ctx)
		}
	}}
}

// groupOf is the file group of a data file.
func groupOf(key string) string {
	if m := sliceName.FindStringSubmatch(key); m != nil {
		return m[1]
	}
	return ""
}

// groups are those of which readers take a version for part of the table.
func (w *sparks) groups() []string {
	var out []string
	for _, key := range w.keys {
		if of := groupOf(key); of != "" && w.replaced[of] == "" && len(w.visible(of)) > 0 {
			out = append(out, of)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// visible are the keys of a file group's versions that are committed, the newest last.
func (w *sparks) visible(of string) []string {
	var out []string
	for _, key := range w.keys {
		if m := sliceName.FindStringSubmatch(key); m != nil && m[1] == of && writes(w.done[m[3]]) {
			out = append(out, key)
		}
	}
	slices.SortFunc(out, func(a, b string) int { return strings.Compare(a[len(a)-25:], b[len(b)-25:]) })
	return out
}

// newest is the newest write that was completed.
func (w *sparks) newest() string {
	newest := ""
	for i, action := range w.done {
		if writes(action) {
			newest = max(newest, i)
		}
	}
	return newest
}

// writes adds a row to a file group. Its instant is chosen before those of the rollbacks that come first; cleans that were left
// pending are finished behind it, for Spark cleans when it has written.
func (w *sparks) writes(ctx context.Context) error {
	if err := w.look(ctx); err != nil {
		return err
	}
	i := w.now()
	if err := w.repair(ctx); err != nil {
		return err
	}
	rows, in, prev := "", "s", noCommit
	if of := w.groups(); len(of) > 0 {
		in = of[len(of)-1]
		if slices.Contains(of, "g") {
			in = "g"
		}
		all := w.visible(in)
		text, err := w.read(ctx, all[len(all)-1])
		if err != nil {
			return err
		}
		rows, prev = text+" ", sliceName.FindStringSubmatch(all[len(all)-1])[3]
	}
	if err := w.begin(ctx, i, actionCommit, ""); err != nil {
		return err
	}
	row, markers := "S"+string(i), tempFolder+string(i)+"/"+markersFile
	for _, of := range [][2]string{
		{markers, dataKey(in, i) + ".marker.CREATE\n"}, {dataKey(in, i), rows + row}, {completedKey(i, actionCommit), string(commitDocument(row, in, "", nil, prev))},
	} {
		if err := w.put(ctx, of[0], of[1]); err != nil {
			return err
		}
	}
	if err := w.s.Delete(ctx, "lake/"+markers); err != nil {
		return err
	}
	_, err := w.finishCleans(ctx)
	return err
}

// takesBack is CALL rollback_to_instant of the newest commit. It refuses where something is pending, and nobody asks for it where
// a clean took the files that it would have to bring back.
func (w *sparks) takesBack(ctx context.Context) error {
	if err := w.look(ctx); err != nil {
		return err
	}
	newest := w.newest()
	if len(w.pending) > 0 || newest == "" || newest == string(anchor) {
		return nil
	}
	before := 0 // versions that it brings back
	for _, key := range w.keys {
		if of := groupOf(key); of != "" && w.replaced[of] == newest {
			before++
		}
	}
	for _, key := range w.keys {
		if !strings.HasSuffix(key, "_"+newest+".parquet") || before+len(w.visible(groupOf(key))) > 1 {
			continue
		}
		text, err := w.read(ctx, key)
		if err != nil {
			return err
		}
		if len(strings.Fields(text)) > 1 {
			return nil
		}
	}
	return w.rollback(ctx, newest, w.done[newest])
}

// cleans finishes cleans that were left pending, anyone's, and takes nothing back. Where there was none it plans anew: so many versions of
// each file group stay, of those that are committed; what was replaced goes when there is a newer commit. Nobody has it plan amid a rollback
// of Spark's own, behind which what it keeps would not be there.
func (w *sparks) cleans(ctx context.Context, versions int) error {
	if err := w.look(ctx); err != nil {
		return err
	}
	if finished, err := w.finishCleans(ctx); finished || err != nil {
		return err
	}
	for _, action := range w.pending {
		if action == actionRollback {
			return nil
		}
	}
	var gone []string
	for _, of := range w.groups() {
		if all := w.visible(of); len(all) > versions {
			gone = append(gone, all[:len(all)-versions]...)
		}
	}
	for _, of := range sortedKeys(w.replaced) {
		if w.replaced[of] < w.newest() {
			gone = append(gone, w.visible(of)...)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	i := w.now()
	if err := w.begin(ctx, i, actionClean, strings.Join(gone, " ")); err != nil {
		return err
	}
	return w.cleaned(ctx, i, gone)
}

// finishCleans carries cleans out that are pending, as they were planned, and says whether there were any. One of which the plan is gone it
// warns of and passes over.
func (w *sparks) finishCleans(ctx context.Context) (finished bool, err error) {
	for _, i := range sortedKeys(w.pending) {
		if w.pending[i] != actionClean {
			continue
		}
		finished = true
		if !slices.Contains(w.keys, requestedKey(Instant(i), actionClean)) {
			continue
		}
		text, err := w.read(ctx, requestedKey(Instant(i), actionClean))
		if err != nil {
			return true, err
		}
		if !w.begun[i] {
			if err := w.put(ctx, inflightKey(Instant(i), actionClean), text); err != nil {
				return true, err
			}
		}
		if err := w.cleaned(ctx, Instant(i), cleanPlanned(text)); err != nil {
			return true, err
		}
	}
	return finished, nil
}

func (w *sparks) cleaned(ctx context.Context, i Instant, gone []string) error {
	if err := w.drop(ctx, gone...); err != nil {
		return err
	}
	return w.put(ctx, completedKey(i, actionClean), strings.Join(gone, " "))
}

// cleanPlanned are the keys that a clean's plan says go, Spark's here or one of ours, which are as Hudi has them.
func cleanPlanned(text string) []string {
	if !strings.HasPrefix(text, "Obj") {
		return strings.Fields(text)
	}
	p, err := parseCleanPlan([]byte(text))
	if err != nil {
		panic(err)
	}
	return p.keys()
}

// cleanTells are the keys that an object of a clean says go, or are gone. Nothing has partitions here.
func cleanTells(text, what string) []string {
	if what != actionClean || !strings.HasPrefix(text, "Obj") {
		return cleanPlanned(text)
	}
	var d cleanDone
	r, err := ocf.NewReader(strings.NewReader(text), ocf.WithReaderSchema(cleanSchema))
	if err == nil {
		err = r.Decode(&d)
	}
	if err != nil {
		panic(err)
	}
	return d.PartitionMetadata[""].SuccessDeleteFiles
}
