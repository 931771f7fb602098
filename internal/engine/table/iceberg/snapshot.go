package iceberg

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	iceberggo "github.com/apache/iceberg-go"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// What a snapshot's summary says of who made it.
const (
	engineKey  = "engine-name"
	engineName = "lakeland"
)

// parts are the manifests of a new snapshot, and what they add and remove.
type parts struct {
	// made are new, kept are the parent's.
	made, kept  []iceberggo.ManifestFile
	added, gone totals
}

// writeSnapshot writes the manifests and the manifest list of a new snapshot.
func (t *Table) writeSnapshot(ctx context.Context, on *base, next *metadata, change table.Change, id, now int64, name func(string) string) (*snapshot, int64, error) {
	made := &snapshot{ID: id, Sequence: next.LastSequenceNumber + 1, Timestamp: now}
	schemaID := next.CurrentSchemaID
	made.SchemaID = &schemaID
	var parent *snapshot
	if on.metadata != nil {
		parent = on.metadata.current()
	}
	if parent != nil {
		made.ParentID = &parent.ID
	}
	w := &manifestWriter{t: t, metadata: next, snapshot: id, name: name}
	p, err := t.parts(ctx, on, w, parent, change)
	if err != nil {
		return nil, 0, err
	}
	var list bytes.Buffer
	if err := iceberggo.WriteManifestList(2, &list, id, made.ParentID, &made.Sequence, 0, slices.Concat(p.made, p.kept)); err != nil {
		return nil, 0, fmt.Errorf("writing a manifest list: %w", err)
	}
	key := name("list")
	if _, err := t.o.Store.Put(ctx, key, list.Bytes(), store.Condition{IfAbsent: true}); err != nil {
		return nil, 0, err
	}
	made.ManifestList = t.o.Store.Address(key)
	words, err := t.summary(parent, change, p.added, p.gone)
	if err == nil {
		made.Summary, err = json.Marshal(words)
	}
	if err != nil {
		return nil, 0, err
	}
	return made, w.written.Load() + int64(list.Len()), nil
}

// parts writes the manifests of a change.
func (t *Table) parts(ctx context.Context, on *base, w *manifestWriter, parent *snapshot, change table.Change) (*parts, error) {
	p := &parts{}
	var l *listing
	var err error
	switch {
	case parent == nil:
	case change.ReplaceAll:
		if err := p.removeAll(ctx, w, parent); err != nil {
			return nil, err
		}
	case len(change.Remove)+len(change.AddDeletes) > 0:
		if l, err = t.list(ctx, on); err != nil {
			return nil, err
		}
		if err := p.remove(ctx, w, l, change.Remove); err != nil {
			return nil, err
		}
	default:
		if p.kept, err = t.readList(ctx, parent); err != nil {
			return nil, err
		}
	}
	if err := p.merge(ctx, w); err != nil {
		return nil, err
	}
	added, sum, err := w.added(ctx, change.Add)
	if err != nil {
		return nil, err
	}
	p.added.add(sum)
	deletes, sum, err := w.addedDeletes(ctx, l, change.AddDeletes)
	if err != nil {
		return nil, err
	}
	p.added.add(sum)
	p.made = slices.Concat(added, deletes, p.made)
	return p, nil
}

// check refuses a change that does not fit the head, before anything is written.
func (t *Table) check(ctx context.Context, on *base, change table.Change) error {
	added := map[string]bool{}
	for _, f := range change.Add {
		if added[f.Key] {
			return fmt.Errorf("the file %s is to be added twice", f.Key)
		}
		added[f.Key] = true
	}
	if len(change.Remove)+len(change.AddDeletes) == 0 {
		return nil
	}
	if change.ReplaceAll {
		return errors.New("a change that replaces everything removes no single files, and deletes no single rows")
	}
	l, err := t.list(ctx, on)
	if err != nil {
		return err
	}
	gone := map[string]bool{}
	for _, key := range change.Remove {
		address := t.o.Store.Address(key)
		if _, ok := l.byAddress[address]; !ok || gone[address] {
			return fmt.Errorf("the file %s cannot be removed, since the head %s does not hold it: plan the change on this head", address, on.name())
		}
		gone[address] = true
	}
	for _, f := range change.Add {
		if _, ok := l.byAddress[t.o.Store.Address(f.Key)]; ok {
			return fmt.Errorf("the file %s cannot be added, since the head %s holds it already: plan the change on this head", t.o.Store.Address(f.Key), on.name())
		}
	}
	for _, f := range change.AddDeletes {
		address := t.o.Store.Address(f.Data)
		at, ok := l.byAddress[address]
		if !ok || gone[address] {
			return fmt.Errorf("the file %s deletes rows of %s, which the table does not hold on the head %s after the change", f.Key, address, on.name())
		}
		if f.File.Rows > l.stored[at].Rows {
			return fmt.Errorf("the file %s deletes %d rows of %s, which has %d", f.Key, f.File.Rows, address, l.stored[at].Rows)
		}
	}
	return nil
}

// removeAll marks every live entry of a snapshot as deleted, so that readers of changes and expiry see what went.
// Manifests that cannot be read are left out: that is how a damaged table recovers.
func (p *parts) removeAll(ctx context.Context, w *manifestWriter, s *snapshot) error {
	manifests, err := w.t.readList(ctx, s)
	if err != nil {
		return lost(err)
	}
	return p.rewrite(ctx, w, manifests, func(string) bool { return true }, lost)
}

// lost passes over what is damaged or gone.
func lost(err error) error {
	if errors.Is(err, errDamaged) || errors.Is(err, store.ErrNotExist) {
		return nil
	}
	return err
}

// remove takes data files out, and files of positions that then name rows of no file.
func (p *parts) remove(ctx context.Context, w *manifestWriter, l *listing, keys []string) error {
	gone := map[string]bool{}
	touched := map[int]bool{}
	for _, key := range keys {
		address := w.t.o.Store.Address(key)
		gone[address] = true
		touched[l.files[l.byAddress[address]].manifest] = true
	}
	for _, d := range l.deletes {
		if len(keys) > 0 && !slices.ContainsFunc(d.files, func(i int) bool { return !gone[l.files[i].address] }) {
			gone[d.address] = true
			touched[d.manifest] = true
		}
	}
	var again []iceberggo.ManifestFile
	for i, m := range l.manifests {
		if touched[i] {
			again = append(again, m)
		} else {
			p.kept = append(p.kept, m)
		}
	}
	return p.rewrite(ctx, w, again, func(address string) bool { return gone[address] }, func(err error) error { return err })
}

// summary counts what a snapshot added, removed and holds, in the specification's words ("Optional Snapshot
// Summary Fields"), and carries the checkpoint.
func (t *Table) summary(parent *snapshot, change table.Change, added, gone totals) (map[string]string, error) {
	checkpoint, err := json.Marshal(change.Checkpoint)
	if err != nil {
		return nil, fmt.Errorf("writing a checkpoint: %w", err)
	}
	var totals map[string]string
	if parent != nil {
		if totals, err = parent.summary(); err != nil {
			return nil, err
		}
	}
	out := map[string]string{"operation": operation(added, gone), checkpointKey: string(checkpoint), engineKey: engineName, "engine-version": t.o.Version}
	for _, f := range []struct {
		suffix, total string
		added, gone   int64
	}{
		{"data-files", "total-data-files", added.files, gone.files},
		{"records", "total-records", added.rows, gone.rows},
		{"files-size", "total-files-size", added.bytes, gone.bytes},
		{"delete-files", "total-delete-files", added.deleteFiles, gone.deleteFiles},
		{"position-delete-files", "", added.positionDeleteFiles, gone.positionDeleteFiles},
		{"position-deletes", "total-position-deletes", added.positionDeletes, gone.positionDeletes},
		{"equality-deletes", "total-equality-deletes", added.equalityDeletes, gone.equalityDeletes},
	} {
		if f.added > 0 {
			out["added-"+f.suffix] = strconv.FormatInt(f.added, 10)
		}
		if f.gone > 0 {
			verb := "removed-"
			if f.suffix == "data-files" || f.suffix == "records" {
				verb = "deleted-"
			}
			out[verb+f.suffix] = strconv.FormatInt(f.gone, 10)
		}
		if f.total == "" {
			continue
		}
		var before int64
		if parent != nil && !change.ReplaceAll {
			if before, err = strconv.ParseInt(totals[f.total], 10, 64); err != nil {
				continue // another writer left the total out, so it is not known
			}
			before -= f.gone
		}
		out[f.total] = strconv.FormatInt(before+f.added, 10)
	}
	return out, nil
}

// operation is what a snapshot does, in the specification's words ("Snapshots").
func operation(added, gone totals) string {
	switch {
	case gone.files+gone.deleteFiles+added.deleteFiles == 0:
		return "append"
	case added.files == 0:
		return "delete"
	default:
		return "overwrite"
	}
}
