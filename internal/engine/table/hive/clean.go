package hive

import (
	"context"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// Clean implements table.Table. Of a current snapshot it deletes the files of those before it that were replaced more than
// KeptFor ago; the retention has no say, for nobody can read them again. Batches are history: of a historical table there is
// nothing to forget.
func (t *Table) Clean(ctx context.Context, head *table.Head, _ table.Retention) (*table.Cleaned, error) {
	on, err := baseOf(head)
	if err != nil {
		return nil, err
	}
	out := &table.Cleaned{}
	if t.o.Historical || on.entry == nil {
		return out, nil
	}
	old := map[string]bool{} // folders, true once a file was found
	for _, e := range on.document.Earlier {
		if t.o.Now().UnixMilli()-e.Until > KeptFor.Milliseconds() && e.Attempt != on.document.Attempt {
			old[t.folder(head.TableID, e.Attempt)] = false
		}
	}
	if len(old) == 0 {
		return out, nil
	}
	var keys []string
	for object, err := range t.o.Store.List(ctx, t.o.Prefix+"data/"+head.TableID+"-", "") {
		if err != nil {
			return nil, err
		}
		if folder := path.Dir(object.Key) + "/"; strings.Contains(path.Base(object.Key), head.TableID) {
			if _, gone := old[folder]; gone {
				old[folder] = true
				keys = append(keys, object.Key)
			}
		}
	}
	if len(keys) == 0 {
		return out, nil
	}
	// Somebody may have set the location back to one of them.
	now, err := t.o.Catalog.Get(ctx, t.o.Database, t.o.Name)
	if err != nil {
		return nil, fmt.Errorf("cleaning %s: %w", t.name(), err)
	}
	if now.Version != on.entry.Version {
		return nil, fmt.Errorf("cleaning %s: %w", t.name(), table.ErrLostRace)
	}
	if err := t.o.Store.Delete(ctx, keys...); err != nil {
		return nil, fmt.Errorf("cleaning %s: %w", t.name(), err)
	}
	out.Files = len(keys)
	for _, found := range old {
		if found {
			out.Snapshots++
		}
	}
	return out, nil
}

// RemoveOrphans implements table.Table. Objects are listed before the catalogue is read, so what was committed meanwhile is
// not taken for an orphan.
func (t *Table) RemoveOrphans(ctx context.Context, olderThan time.Duration) (int, error) {
	if olderThan < table.LongestJob {
		return 0, fmt.Errorf("looking for orphans of %s: %s is less than the longest time that a run may still be about to commit its files (%s)", t.name(), olderThan, table.LongestJob)
	}
	before := t.o.Now().Add(-olderThan)
	var old []store.Object
	for _, folder := range []string{"data/", "metadata/"} {
		for object, err := range t.o.Store.List(ctx, t.o.Prefix+folder, "") {
			if err != nil {
				return 0, err
			}
			if object.Modified.Before(before) {
				old = append(old, object)
			}
		}
	}
	used, id, err := t.used(ctx)
	if err != nil {
		return 0, fmt.Errorf("looking for orphans of %s: %w", t.name(), err)
	}
	if id == "" {
		return 0, nil // what is the table's own is not known
	}
	var keys []string
	for _, object := range old {
		if ours := strings.Contains(path.Base(object.Key), id); ours && !used[object.Key] && !used[path.Dir(object.Key)+"/"] {
			keys = append(keys, object.Key)
		}
	}
	if len(keys) == 0 {
		return 0, nil
	}
	return len(keys), t.o.Store.Delete(ctx, keys...)
}

// used are the folders and objects that entry and partitions refer to, and the folders of snapshots that may still be read;
// with the table's id, "" where there is no table.
func (t *Table) used(ctx context.Context) (used map[string]bool, id string, err error) {
	everything := *t
	everything.o.Since = 0
	head, err := everything.Head(ctx)
	if err != nil {
		return nil, "", err
	}
	on, err := baseOf(head)
	if err != nil || on.entry == nil {
		return nil, "", err
	}
	id, used = head.TableID, map[string]bool{object(on.entry.Parameters[tableParameter]): true}
	if !t.o.Historical {
		used[object(on.entry.Parameters[filesParameter])] = true
		used[t.folder(id, on.document.Attempt)] = true
		for _, e := range on.document.Earlier {
			if t.o.Now().UnixMilli()-e.Until <= KeptFor.Milliseconds() {
				used[t.folder(id, e.Attempt)] = true
			}
		}
		return used, id, nil
	}
	for _, b := range on.batches {
		used[t.folder(id, b.Attempt)] = true
		used[object(b.partition.Parameters[filesParameter])] = true
	}
	return used, id, nil
}
