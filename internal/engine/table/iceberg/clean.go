package iceberg

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	iceberggo "github.com/apache/iceberg-go"
	"github.com/google/uuid"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/guard"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// Clean implements table.Table. What goes is found before the commit, and deleted behind it; a file is deleted only where
// its name holds the table's id, and where the snapshot that knew it is older than the longest job, so that nobody can
// be about to commit it again. Deleting may fail: what stays then is an orphan.
func (t *Table) Clean(ctx context.Context, head *table.Head, keep table.Retention) (*table.Cleaned, error) {
	on, err := baseOf(head)
	if err != nil {
		return nil, err
	}
	if on.metadata == nil || on.metadata.Properties["gc.enabled"] == "false" {
		return &table.Cleaned{}, nil
	}
	now := t.o.Now()
	gone, err := on.metadata.expired(keep, now)
	if err != nil || len(gone) == 0 {
		return &table.Cleaned{}, err
	}
	next := on.metadata.clone()
	if err := next.forget(gone); err != nil {
		return nil, err
	}
	files, err := t.onlyOf(ctx, next, on.metadata.roots(gone), gone)
	if err != nil {
		return nil, fmt.Errorf("looking for the files of old snapshots of %s.%s: %w", t.o.Database, t.o.Name, err)
	}
	if err := t.commitMetadata(ctx, on, next, head.TableID, now); err != nil {
		return nil, err
	}
	out := &table.Cleaned{Snapshots: len(gone)}
	keys := make([]string, 0, len(files))
	for address, seen := range files {
		if key, ok := t.own(address, head.TableID); ok && now.UnixMilli()-seen > table.LongestJob.Milliseconds() {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	if err := t.o.Store.Delete(ctx, keys...); err != nil {
		keys = nil
	}
	out.Files, out.Left = len(keys), len(files)-len(keys)
	return out, nil
}

// commitMetadata makes metadata current that has no new snapshot.
func (t *Table) commitMetadata(ctx context.Context, on *base, next *metadata, id string, now time.Time) error {
	next.LastUpdated = max(now.UnixMilli(), next.LastUpdated+1)
	version, fallen := next.follow(on)
	data, err := next.encode()
	if err != nil {
		return err
	}
	key := t.o.Prefix + metadataName(version, id, uuid.NewString(), 0)
	if _, err := t.o.Store.Put(ctx, key, data, store.Condition{IfAbsent: true}); err != nil {
		return err
	}
	address := t.o.Store.Address(key)
	entry := *on.entry
	entry.Parameters = maps.Clone(on.entry.Parameters)
	entry.Parameters["previous_metadata_location"], entry.Parameters["metadata_location"] = on.entry.Parameters["metadata_location"], address
	if err := t.swap(ctx, on, &entry, func(m *metadata, at string) bool {
		return at == address || slices.ContainsFunc(m.MetadataLog, func(e metadataLogEntry) bool { return e.File == address })
	}); err != nil {
		return err
	}
	t.removeFallen(ctx, next, fallen)
	return nil
}

// own is the key of a file whose name says that this table's runs wrote it.
func (t *Table) own(address, id string) (key string, ok bool) {
	key, ok = strings.CutPrefix(address, t.o.Store.Address(""))
	return key, ok && strings.HasPrefix(key, t.o.Prefix) && strings.Contains(path.Base(key), id)
}

// onlyOf finds the files that the snapshots which are gone referred to and those that are kept do not, of which roots say all,
// with the youngest time of a snapshot that did.
func (t *Table) onlyOf(ctx context.Context, kept *metadata, roots, gone []snapshot) (map[string]int64, error) {
	wanted, err := t.lists(ctx, roots, false)
	if err != nil {
		return nil, err
	}
	old, err := t.lists(ctx, gone, true)
	if err != nil {
		return nil, err
	}
	files := map[string]int64{}
	for _, s := range gone {
		files[s.ManifestList] = s.Timestamp
	}
	for _, s := range kept.Snapshots {
		delete(files, s.ManifestList) // a snapshot that was only retagged shares it
	}
	var lost []manifestOf
	for address, m := range old {
		if _, ok := wanted[address]; !ok {
			files[address] = m.seen
			lost = append(lost, m)
		}
	}
	if err := t.eachFile(ctx, lost, true, func(m manifestOf, address string) { files[address] = max(files[address], m.seen) }); err != nil {
		return nil, err
	}
	var newest int64
	for _, s := range gone {
		newest = max(newest, s.Sequence)
	}
	may := slices.DeleteFunc(slices.Collect(maps.Values(wanted)), func(m manifestOf) bool { return m.file.MinSequenceNum() > newest })
	return files, t.eachFile(ctx, may, false, func(_ manifestOf, address string) { delete(files, address) })
}

// manifestOf is a manifest and the youngest time of a snapshot that refers to it.
type manifestOf struct {
	file iceberggo.ManifestFile
	seen int64
}

// lists are the manifests that snapshots refer to, by address. Where may says so, a list that is gone is passed over.
func (t *Table) lists(ctx context.Context, snapshots []snapshot, may bool) (map[string]manifestOf, error) {
	read := make([][]iceberggo.ManifestFile, len(snapshots))
	if err := guard.Each(ctx, atOnce, len(snapshots), func(ctx context.Context, i int) error {
		var err error
		if read[i], err = t.readWholeList(ctx, &snapshots[i]); may {
			err = lost(err)
		}
		return err
	}); err != nil {
		return nil, err
	}
	out := map[string]manifestOf{}
	for i, list := range read {
		for _, m := range list {
			out[m.FilePath()] = manifestOf{m, max(out[m.FilePath()].seen, snapshots[i].Timestamp)}
		}
	}
	return out, nil
}

// eachFile calls take with the addresses of the live files of manifests, one at a time. Where may says so, a manifest that
// is gone is passed over.
func (t *Table) eachFile(ctx context.Context, manifests []manifestOf, may bool, take func(m manifestOf, address string)) error {
	var mu sync.Mutex
	return guard.Each(ctx, atOnce, len(manifests), func(ctx context.Context, i int) error {
		address := manifests[i].file.FilePath()
		data, err := t.read(ctx, address)
		if err == nil {
			_, err = decoded(func() (bool, error) {
				return true, eachLive(manifests[i].file, data, func(e iceberggo.ManifestEntry) bool {
					mu.Lock()
					defer mu.Unlock()
					take(manifests[i], e.DataFile().FilePath())
					return true
				})
			})
			if err != nil {
				err = damaged(address, err)
			}
		}
		if may {
			err = lost(err)
		}
		return err
	})
}

// RemoveOrphans implements table.Table. Objects are listed before the metadata is read, so what was committed meanwhile is
// not taken for an orphan.
func (t *Table) RemoveOrphans(ctx context.Context, olderThan time.Duration) (int, error) {
	if olderThan < table.LongestJob {
		return 0, fmt.Errorf("looking for orphans of %s.%s: %s is less than the longest time that a run may still be about to commit its files (%s)", t.o.Database, t.o.Name, olderThan, table.LongestJob)
	}
	before := t.o.Now().Add(-olderThan)
	var old []string
	for _, folder := range []string{"data/", "metadata/"} {
		for object, err := range t.o.Store.List(ctx, t.o.Prefix+folder, "") {
			if err != nil {
				return 0, err
			}
			if object.Modified.Before(before) {
				old = append(old, object.Key)
			}
		}
	}
	head, err := t.Head(ctx)
	if err != nil {
		return 0, err
	}
	on, err := baseOf(head)
	if err != nil {
		return 0, err
	}
	if on.metadata == nil {
		return 0, nil // the table's id, and so what is its own, is not known
	}
	if on.metadata.Properties["gc.enabled"] == "false" {
		return 0, nil
	}
	used, err := t.reachable(ctx, on)
	if err != nil {
		return 0, fmt.Errorf("looking for orphans of %s.%s: %w", t.o.Database, t.o.Name, err)
	}
	old = slices.DeleteFunc(old, func(key string) bool {
		_, ours := t.own(t.o.Store.Address(key), head.TableID)
		return !ours || used[t.o.Store.Address(key)]
	})
	if len(old) == 0 {
		return 0, nil
	}
	return len(old), t.o.Store.Delete(ctx, old...)
}

// reachable are the addresses of all that the table's metadata refers to.
func (t *Table) reachable(ctx context.Context, on *base) (map[string]bool, error) {
	used := map[string]bool{on.entry.Parameters["metadata_location"]: true, on.entry.Parameters["previous_metadata_location"]: true}
	for _, e := range on.metadata.MetadataLog {
		used[e.File] = true
	}
	for _, s := range on.metadata.Snapshots {
		used[s.ManifestList] = true
	}
	positions, err := on.metadata.positions()
	if err != nil {
		return nil, err
	}
	for _, key := range positions {
		used[t.o.Store.Address(key)] = true
	}
	manifests, err := t.lists(ctx, on.metadata.Snapshots, false)
	if err != nil {
		return nil, err
	}
	for address := range manifests {
		used[address] = true
	}
	return used, t.eachFile(ctx, slices.Collect(maps.Values(manifests)), false, func(_ manifestOf, address string) { used[address] = true })
}

// positions are the keys of the objects that checkpoints name, those of snapshots and the copy among the properties.
func (m *metadata) positions() ([]string, error) {
	var keys []string
	for i := range m.Snapshots {
		words, err := m.Snapshots[i].summary()
		if err != nil {
			return nil, err
		}
		text, ok := words[checkpointKey]
		if !ok {
			continue
		}
		c, err := table.ParseCheckpoint([]byte(text))
		if err != nil {
			return nil, fmt.Errorf("snapshot %d: %w", m.Snapshots[i].ID, err)
		}
		keys = append(keys, c.Objects()...)
	}
	var copied checkpointCopy
	if text := m.Properties[checkpointKey]; text != "" {
		if err := json.Unmarshal([]byte(text), &copied); err != nil {
			return nil, fmt.Errorf("the table property %s: %w", checkpointKey, err)
		}
	}
	return append(keys, copied.Checkpoint.Objects()...), nil
}
