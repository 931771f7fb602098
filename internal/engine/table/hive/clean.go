package hive

import (
	"context"
	"fmt"
	"path"

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
		folder := path.Dir(object.Key) + "/"
		if _, gone := old[folder]; gone {
			old[folder] = true
			keys = append(keys, object.Key)
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
