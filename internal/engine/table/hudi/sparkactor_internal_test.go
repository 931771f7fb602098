package hudi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twmb/avro/ocf"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
)

// errStuck is Spark's: there is a pending instant below a completed one, over which it makes no write any more.
var errStuck = errors.New("found commits after time, please rollback greater commits first")

// sparks is what Spark's writer finds and does, in the order of Hudi's own code (BaseHoodieTableServiceClient.rollbackFailedWrites,
// CopyOnWriteRollbackActionExecutor, CleanActionExecutor); with nothing of this package but the names of objects.
type sparks struct {
	s    store.Store
	keys []string
	// done and pending are the actions, by instant.
	done, pending map[string]string
	begun         map[string]bool
	last          string
}

func (w *sparks) look(ctx context.Context) error {
	w.keys, w.done, w.pending, w.begun, w.last = nil, map[string]string{}, map[string]string{}, map[string]bool{}, ""
	for o, err := range w.s.List(ctx, "lake/", "") {
		if err != nil {
			return err
		}
		key := strings.TrimPrefix(o.Key, "lake/")
		w.keys = append(w.keys, key)
		name, ok := strings.CutPrefix(key, ".hoodie/")
		if !ok || strings.Contains(name, "/") || len(name) < 18 || name[17] != '.' {
			continue
		}
		instant, what := name[:17], name[18:]
		w.last = max(w.last, instant)
		switch of, state, _ := strings.Cut(what, "."); {
		case what == "inflight":
			w.pending[instant], w.begun[instant] = actionCommit, true
		case state == "inflight":
			w.pending[instant], w.begun[instant] = of, true
		case state == "requested":
			w.pending[instant] = of
		default:
			w.done[instant] = of
		}
	}
	for instant := range w.done {
		delete(w.pending, instant)
	}
	return nil
}

// now is an instant behind all others.
func (w *sparks) now() Instant {
	at, _ := Instant(w.last).time()
	w.last = string(instantOf(at.Add(time.Second)))
	return Instant(w.last)
}

func (w *sparks) put(ctx context.Context, key, data string) error {
	_, err := w.s.Put(ctx, "lake/"+key, []byte(data), store.Condition{})
	return err
}

func (w *sparks) drop(ctx context.Context, keys ...string) error {
	for _, key := range keys {
		if !slices.Contains(w.keys, key) {
			continue
		}
		if err := w.s.Delete(ctx, "lake/"+key); err != nil {
			return err
		}
	}
	return nil
}

func (w *sparks) read(ctx context.Context, key string) (string, error) {
	data, err := store.Read(ctx, w.s, "lake/"+key, 1<<20)
	return string(data), err
}

// begin makes an instant that is pending.
func (w *sparks) begin(ctx context.Context, i Instant, action, what string) error {
	if err := w.put(ctx, requestedKey(i, action), what); err != nil {
		return err
	}
	return w.put(ctx, inflightKey(i, action), "")
}

// rollback takes an instant back by one of its own, which first says what goes.
func (w *sparks) rollback(ctx context.Context, of string, action string) error {
	plan := []string{of, action}
	markers := tempFolder + of + "/" + markersFile
	switch {
	case w.done[of] != "":
		for _, key := range w.keys {
			if strings.HasSuffix(key, "_"+of+".parquet") {
				plan = append(plan, key)
			}
		}
	case w.begun[of] && slices.Contains(w.keys, markers):
		text, err := w.read(ctx, markers)
		if err != nil {
			return err
		}
		for line := range strings.Lines(text) {
			plan = append(plan, strings.TrimSuffix(strings.TrimSpace(line), ".marker.CREATE"))
		}
	}
	i := w.now()
	if err := w.begin(ctx, i, actionRollback, strings.Join(plan, " ")); err != nil {
		return err
	}
	return w.takeBack(ctx, i, plan)
}

// takeBack carries a rollback out: an instant that was completed is made pending again before all else.
func (w *sparks) takeBack(ctx context.Context, rollback Instant, plan []string) error {
	of, action := Instant(plan[0]), plan[1]
	keys := append([]string{completedKey(of, action)}, plan[2:]...)
	if err := w.drop(ctx, append(keys, inflightKey(of, action), requestedKey(of, action))...); err != nil {
		return err
	}
	if err := w.put(ctx, completedKey(rollback, actionRollback), rollbackOf(of)); err != nil {
		return err
	}
	return w.drop(ctx, tempFolder+string(of)+"/"+markersFile, tempFolder+string(of)+"/"+markersType)
}

// rollbackOf is what the file of a rollback says that took an instant back.
func rollbackOf(of Instant) string {
	var out bytes.Buffer
	w, err := ocf.NewWriter(&out, rollbackSchema, ocf.WithSyncMarker([16]byte{1}))
	if err == nil {
		err = errors.Join(w.Encode(&rollbackDone{[]string{string(of)}}), w.Close())
	}
	if err != nil {
		panic(err)
	}
	return out.String()
}

// repair finishes what Spark left pending itself, and with it takes back the writes that are, of anyone.
func (w *sparks) repair(ctx context.Context) error {
	chosen := w.last
	if err := w.look(ctx); err != nil {
		return err
	}
	w.last = max(w.last, chosen)
	left := sortedKeys(w.pending)
	for _, i := range left {
		switch w.pending[i] {
		case actionRollback:
			text, err := w.read(ctx, requestedKey(Instant(i), actionRollback))
			if err != nil {
				return err
			}
			if err := w.takeBack(ctx, Instant(i), strings.Fields(text)); err != nil {
				return err
			}
			return w.repair(ctx)
		case actionClean:
			text, err := w.read(ctx, requestedKey(Instant(i), actionClean))
			if err != nil {
				return err
			}
			if err := w.cleaned(ctx, Instant(i), strings.Fields(text)); err != nil {
				return err
			}
			return w.repair(ctx)
		}
	}
	for _, i := range slices.Backward(left) {
		for other, action := range w.done {
			if other > i && writes(action) {
				return fmt.Errorf("%w: %s is pending below %s", errStuck, i, other)
			}
		}
		if err := w.rollback(ctx, i, w.pending[i]); err != nil {
			return err
		}
	}
	return w.look(ctx)
}

func sortedKeys(of map[string]string) []string {
	var out []string
	for key := range of {
		out = append(out, key)
	}
	slices.Sort(out)
	return out
}

// visible are the keys of a file group's versions that readers take for part of the table, the newest last.
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

// The things that Spark does.
var sparkDoes = []string{"writes", "takes the newest commit back", "cleans"}

// sparkActs is one of them.
func sparkActs(what string) *program {
	return &program{string(spark) + " " + what, func(ctx context.Context, t *Table) (*program, error) {
		w := &sparks{s: t.o.Store}
		switch what {
		case "writes":
			return nil, w.writes(ctx)
		case "cleans":
			return nil, w.cleans(ctx)
		default:
			return nil, w.takesBack(ctx)
		}
	}}
}

// writes adds a row to the first file group. Its instant is chosen before those of the rollbacks that come first.
func (w *sparks) writes(ctx context.Context) error {
	if err := w.look(ctx); err != nil {
		return err
	}
	i := w.now()
	if err := w.repair(ctx); err != nil {
		return err
	}
	rows := ""
	if of := w.visible("g"); len(of) > 0 {
		text, err := w.read(ctx, of[len(of)-1])
		if err != nil {
			return err
		}
		rows = text + " "
	}
	if err := w.begin(ctx, i, actionCommit, ""); err != nil {
		return err
	}
	row := "S" + string(i)
	if err := w.put(ctx, dataKey("g", i), rows+row); err != nil {
		return err
	}
	return w.put(ctx, completedKey(i, actionCommit), string(commitDocument(row, "")))
}

// takesBack is CALL rollback_to_instant of the newest commit, which it refuses where something is pending.
func (w *sparks) takesBack(ctx context.Context) error {
	if err := w.look(ctx); err != nil {
		return err
	}
	newest := ""
	for i, action := range w.done {
		if writes(action) {
			newest = max(newest, i)
		}
	}
	if len(w.pending) > 0 || newest == string(anchor) {
		return nil
	}
	return w.rollback(ctx, newest, w.done[newest])
}

// cleans keeps two versions of each file group.
func (w *sparks) cleans(ctx context.Context) error {
	if err := w.look(ctx); err != nil {
		return err
	}
	var gone []string
	for _, of := range []string{"g", "b"} {
		if all := w.visible(of); len(all) > 2 {
			gone = append(gone, all[:len(all)-2]...)
		}
	}
	if slices.Contains(pendingActions(w.pending), actionClean) || len(gone) == 0 {
		return nil
	}
	i := w.now()
	if err := w.begin(ctx, i, actionClean, strings.Join(gone, " ")); err != nil {
		return err
	}
	return w.cleaned(ctx, i, gone)
}

func pendingActions(of map[string]string) []string {
	var out []string
	for _, action := range of {
		out = append(out, action)
	}
	return out
}

func (w *sparks) cleaned(ctx context.Context, i Instant, gone []string) error {
	if err := w.drop(ctx, gone...); err != nil {
		return err
	}
	return w.put(ctx, completedKey(i, actionClean), "")
}
