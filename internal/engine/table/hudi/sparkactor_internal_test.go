package hudi

import (
	"bytes"
	"context"
	"encoding/json"
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
	// replaced are the file groups that are no part of the table any more, with the instants that said so.
	replaced map[string]string
	last     string
	// before tells its instants from those of others.
	before int
}

func (w *sparks) look(ctx context.Context) error {
	*w = sparks{s: w.s, before: w.before, done: map[string]string{}, pending: map[string]string{}, begun: map[string]bool{}, replaced: map[string]string{}}
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
	for _, instant := range sortedKeys(w.done) {
		delete(w.pending, instant)
		if w.done[instant] != actionReplace {
			continue
		}
		text, err := w.read(ctx, completedKey(Instant(instant), actionReplace))
		if err != nil {
			return err
		}
		for _, group := range replacedBy(text) {
			w.replaced[group] = instant
		}
	}
	return nil
}

// replacedBy are the file groups that a replacecommit takes from the table, by its file.
func replacedBy(text string) []string {
	var f commitFile
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		panic(err)
	}
	return f.PartitionToReplaceFileIDs[""]
}

// now is an instant behind all others.
func (w *sparks) now() Instant {
	at, _ := max(Instant(w.last), newestAtFirst).time()
	w.last = string(instantOf(at.Add(time.Second + time.Duration(w.before)*100*time.Millisecond)))
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
	if newest := w.newest(); newest > of {
		return fmt.Errorf("%w: %s is below %s", errStuck, of, newest)
	}
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

// takeBack carries a rollback out: an instant that was completed is made pending again before all else. Spark refuses what a later write was
// made over (BaseRollbackActionExecutor.validateRollbackCommitSequence).
func (w *sparks) takeBack(ctx context.Context, rollback Instant, plan []string) error {
	of, action := Instant(plan[0]), plan[1]
	if newest := w.newest(); newest > string(of) {
		return fmt.Errorf("%w: %s is below %s", errStuck, of, newest)
	}
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

// repair finishes rollbacks that were left pending, and with them takes back the writes that are, of anyone. Cleans stay as they are, which
// hinder no write of Spark's.
func (w *sparks) repair(ctx context.Context) error {
	chosen := w.last
	if err := w.look(ctx); err != nil {
		return err
	}
	w.last = max(w.last, chosen)
	left := sortedKeys(w.pending)
	for _, i := range left {
		if w.pending[i] != actionRollback {
			continue
		}
		text, err := w.read(ctx, requestedKey(Instant(i), actionRollback))
		if err != nil {
			return err
		}
		if err := w.takeBack(ctx, Instant(i), strings.Fields(text)); err != nil {
			return err
		}
		return w.repair(ctx)
	}
	for _, i := range slices.Backward(left) {
		if !writes(w.pending[i]) {
			continue
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
