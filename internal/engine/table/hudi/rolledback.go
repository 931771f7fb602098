package hudi

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/twmb/avro"
	"github.com/twmb/avro/ocf"
)

// rollbackSchema is what is read of the file that completes a rollback (Hudi, hudi-common, HoodieRollbackMetadata.avsc; 0.15.0 and
// 1.0.2 are alike).
var rollbackSchema = avro.MustParse(`{"type":"record","name":"HoodieRollbackMetadata","namespace":"org.apache.hudi.avro.model","fields":[
	{"name":"commitsRollback","type":{"type":"array","items":"string"}}]}`)

type rollbackDone struct {
	CommitsRollback []string `avro:"commitsRollback"`
}

// rolledBack says of an attempt's instant that it is completed, and was taken back by a rollback of another writer's: the put of its
// commit came behind that, for an answer that nobody waited for any more, or by a run that had stood still. Its files are gone, so
// it is no commit. Rollbacks take away what made it pending, by which it is told from others without reading anything; what is half
// archived lacks that too, and so the rollbacks are asked.
func (t *Table) rolledBack(ctx context.Context, tl *timeline, i Instant) (*action, error) {
	at := slices.IndexFunc(tl.actions, func(a *action) bool { return a.instant == i && a.completed && !a.requested && writes(a.name) })
	if at < 0 {
		return nil, nil
	}
	for _, a := range tl.actions[at:] {
		if a.name != actionRollback || !a.completed {
			continue
		}
		data, err := t.read(ctx, completedKey(a.instant, a.name), maxCommit)
		if err != nil {
			return nil, fmt.Errorf("reading the rollback %s: %w", a.instant, err)
		}
		var done rollbackDone
		r, err := ocf.NewReader(bytes.NewReader(data), ocf.WithReaderSchema(rollbackSchema))
		if err == nil {
			err = r.Decode(&done)
		}
		if err != nil {
			return nil, fmt.Errorf("the rollback %s: reading what it took back: %w: restore it, or land the table into a new target", a.instant, err)
		}
		if slices.Contains(done.CommitsRollback, string(i)) {
			return tl.actions[at], nil
		}
	}
	return nil, nil
}

// unmake takes a commit from the timeline that was rolled back before it came. Where its claim is open still, nobody may complete it.
func (t *Table) unmake(ctx context.Context, tl *timeline, a *action) error {
	if !tl.unfinished(a.instant) {
		return t.o.Store.Delete(ctx, t.o.Prefix+completedKey(a.instant, a.name))
	}
	r, err := readDocument[record](ctx, t, attemptsFolder+string(a.instant))
	if err != nil {
		return err
	}
	if _, err := t.dispossess(ctx, tl, r); err != nil {
		return err
	}
	return t.takeBack(ctx, r, tl)
}
