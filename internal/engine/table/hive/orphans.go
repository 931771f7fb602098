package hive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// The name of the object that records a batch has its number between these.
const recordBefore, recordBehind = "batch-", ".json"

// record writes the partition of a batch into an object before it is made. Batches are history that the source may not have
// any more: by its record an attempt's files are known for a batch's, and stay where somebody drops the partition, which can
// be made again from the record.
func (t *Table) record(ctx context.Context, id, attempt string, number int64, p *catalog.Partition) (int64, error) {
	data, err := json.Marshal(p)
	if err != nil {
		return 0, fmt.Errorf("recording the batch %d of %s: %w", number, t.name(), err)
	}
	key := t.notes(id, attempt) + recordBefore + strconv.FormatInt(number, 10) + recordBehind
	// Nobody else writes under the attempt's name, and an earlier try of it on this head was planned otherwise.
	_, err = t.o.Store.Put(ctx, key, data, store.Condition{})
	return int64(len(data)), err
}

// recorded is the number of the batch that an object records, or 0.
func recorded(key string) int64 {
	digits, before := strings.CutPrefix(path.Base(key), recordBefore)
	digits, behind := strings.CutSuffix(digits, recordBehind)
	number, err := strconv.ParseInt(digits, 10, 64)
	if !before || !behind || err != nil {
		return 0
	}
	return number
}

// ownAttempt is the attempt that wrote an object of the table, or "" for one that is not the table's.
func (t *Table) ownAttempt(key, id string) string {
	rest, ok := strings.CutPrefix(key, t.o.Prefix)
	_, rest, _ = strings.Cut(rest, "/") // data or metadata
	folder, _, inside := strings.Cut(rest, "/")
	attempt, own := strings.CutPrefix(folder, id+"-")
	if !ok || !inside || !own {
		return ""
	}
	return attempt
}

// RemoveOrphans implements table.Table: it removes what attempts left that did not commit, and snapshots that were replaced.
// The files of a batch whose partition somebody dropped stay, unless another has its number now. Objects are listed before
// the catalogue is read, so what was committed meanwhile is not taken for an orphan.
func (t *Table) RemoveOrphans(ctx context.Context, olderThan time.Duration) (int, error) {
	if olderThan < table.LongestJob {
		return 0, fmt.Errorf("looking for orphans of %s: %s is less than the longest time that a run may still be about to commit its files (%s)", t.name(), olderThan, table.LongestJob)
	}
	before := t.o.Now().Add(-olderThan)
	var old, records []string
	for _, folder := range []string{"data/", "metadata/"} {
		for object, err := range t.o.Store.List(ctx, t.o.Prefix+folder, "") {
			if err != nil {
				return 0, err
			}
			if recorded(object.Key) > 0 {
				records = append(records, object.Key)
			}
			if object.Modified.Before(before) {
				old = append(old, object.Key)
			}
		}
	}
	used, err := t.used(ctx, records)
	if err != nil {
		return 0, fmt.Errorf("looking for orphans of %s: %w", t.name(), err)
	}
	if used == nil {
		return 0, nil // what is the table's own is not known
	}
	var keys []string
	for _, key := range old {
		if attempt := t.ownAttempt(key, used.id); attempt != "" && !used.attempts[attempt] && !used.keys[key] {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return 0, nil
	}
	return len(keys), t.o.Store.Delete(ctx, keys...)
}

// inUse is what a table's objects are kept for.
type inUse struct {
	id string
	// attempts are those whose objects are all kept, keys single objects.
	attempts, keys map[string]bool
}

// used says what entry and partitions refer to, what may still be read, and what was a batch by its record; nil where there is
// no table.
func (t *Table) used(ctx context.Context, records []string) (*inUse, error) {
	everything := *t
	everything.o.Since = 0
	head, err := everything.Head(ctx)
	if err != nil {
		return nil, err
	}
	on, err := baseOf(head)
	if err != nil || on.entry == nil {
		return nil, err
	}
	out := &inUse{id: head.TableID, attempts: map[string]bool{}, keys: map[string]bool{object(on.entry.Parameters[tableParameter]): true}}
	if !t.o.Historical {
		if err := out.positions(on.entry.Parameters); err != nil {
			return nil, err
		}
		out.attempts[on.document.Attempt] = true
		for _, e := range on.document.Earlier {
			if t.o.Now().UnixMilli()-e.Until <= KeptFor.Milliseconds() {
				out.attempts[e.Attempt] = true
			}
		}
		return out, nil
	}
	taken := map[int64]bool{}
	for _, b := range on.batches {
		out.attempts[b.Attempt] = true
		taken[b.number] = true
		if err := out.positions(b.partition.Parameters); err != nil {
			return nil, err
		}
	}
	for _, key := range records {
		if attempt := t.ownAttempt(key, out.id); attempt != "" && !taken[recorded(key)] {
			out.attempts[attempt] = true
			if err := t.positionsOfRecord(ctx, key, out); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// positions keeps the objects that the checkpoint among parameters names.
func (u *inUse) positions(parameters map[string]string) error {
	text := parameters[checkpointParameter]
	if text == "" {
		return nil
	}
	c, err := table.ParseCheckpoint([]byte(text))
	if err != nil {
		return err
	}
	for _, key := range c.Objects() {
		u.keys[key] = true
	}
	return nil
}

// positionsOfRecord keeps what the checkpoint of a batch names whose partition can be made again from its record.
func (t *Table) positionsOfRecord(ctx context.Context, key string, u *inUse) error {
	data, err := store.Read(ctx, t.o.Store, key, maxDocument)
	if errors.Is(err, store.ErrNotExist) {
		return nil
	}
	var p catalog.Partition
	if err == nil {
		err = json.Unmarshal(data, &p)
	}
	if err == nil {
		err = u.positions(p.Parameters)
	}
	if err != nil {
		return fmt.Errorf("reading the record %s: %w", t.o.Store.Address(key), err)
	}
	return nil
}
