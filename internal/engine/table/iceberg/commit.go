package iceberg

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"strconv"
	"strings"
	"time"

	iceberggo "github.com/apache/iceberg-go"
	"github.com/google/uuid"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// previousVersions is the number of metadata files that a table keeps behind its current one.
const previousVersions = 20

// creationProperties are those of a new table; Iceberg's other writers obey them.
var creationProperties = map[string]string{
	"write.format.default":                       "parquet",
	"write.parquet.compression-codec":            "zstd",
	"write.metadata.delete-after-commit.enabled": "true",
	"write.metadata.previous-versions-max":       strconv.Itoa(previousVersions),
	"commit.manifest-merge.enabled":              "true",
	"commit.manifest.min-count-to-merge":         strconv.Itoa(manifestsToMerge),
}

// Commit implements table.Table. Manifests, manifest list and metadata file are written under names that hold
// the table's id, the attempt and the snapshot; nobody sees them until the catalogue's entry names the
// metadata file, which is the commit.
func (t *Table) Commit(ctx context.Context, head *table.Head, change table.Change) (*table.Committed, error) {
	on, err := baseOf(head)
	if err != nil {
		return nil, err
	}
	if err := t.check(ctx, on, change); err != nil {
		return nil, fmt.Errorf("committing to %s.%s: %w", t.o.Database, t.o.Name, err)
	}
	id, err := snapshotID()
	if err != nil {
		return nil, err
	}
	next, err := t.nextMetadata(on.metadata, head.TableID)
	if err != nil {
		return nil, err
	}
	now := max(t.o.Now().UnixMilli(), next.LastUpdated+1)
	if err := setSchema(next, change.Schema); err != nil {
		return nil, err
	}
	if err := t.setPartition(next, change.Schema, change.ReplaceAll || next.CurrentSnapshotID == nil); err != nil {
		return nil, err
	}
	name := func(kind string) string {
		return fmt.Sprintf("%smetadata/%s-%s-%d-%s.avro", t.o.Prefix, head.TableID, change.Checkpoint.Attempt, id, kind)
	}
	made, written, err := t.writeSnapshot(ctx, on, next, change, id, now, name)
	if err != nil {
		return nil, err
	}
	next.Snapshots = append(next.Snapshots, *made)
	next.SnapshotLog = append(next.SnapshotLog, snapshotLogEntry{Timestamp: now, SnapshotID: id})
	next.CurrentSnapshotID, next.LastSequenceNumber, next.LastUpdated = &id, made.Sequence, now
	next.Refs["main"] = json.RawMessage(fmt.Sprintf(`{"snapshot-id":%d,"type":"branch"}`, id))
	setComment(next, head.Schema, change.Schema)
	if err := setProperties(next, change, id); err != nil {
		return nil, err
	}
	version, fallen := next.follow(on)
	data, err := next.encode()
	if err != nil {
		return nil, err
	}
	key := t.o.Prefix + metadataName(version, head.TableID, change.Checkpoint.Attempt, id)
	if _, err := t.o.Store.Put(ctx, key, data, store.Condition{IfAbsent: true}); err != nil {
		return nil, err
	}
	if err := t.swap(ctx, on, t.entry(on.entry, t.o.Store.Address(key), head.Schema, change), func(m *metadata, _ string) bool { return m.snapshot(id) != nil }); err != nil {
		return nil, err
	}
	t.removeFallen(ctx, next, fallen)
	return &table.Committed{Commit: strconv.FormatInt(id, 10), At: time.UnixMilli(now).UTC(), BytesWritten: written + int64(len(data))}, nil
}

func snapshotID() (int64, error) {
	var b [8]byte
	if _, err := rand.Read(b[:]); err != nil {
		return 0, fmt.Errorf("making a snapshot id: %w", err)
	}
	return int64(binary.BigEndian.Uint64(b[:])>>1) | 1, nil
}

// nextMetadata is what a commit starts from: a copy of the current metadata, or a new table's.
func (t *Table) nextMetadata(current *metadata, id string) (*metadata, error) {
	if current != nil {
		next := current.clone()
		if next.Refs == nil {
			next.Refs = map[string]json.RawMessage{}
		}
		return next, nil
	}
	if _, err := uuid.Parse(id); err != nil {
		return nil, fmt.Errorf("creating the table %s.%s: its id %q: %w", t.o.Database, t.o.Name, id, err)
	}
	return &metadata{
		FormatVersion: 2, TableUUID: id, Location: t.location,
		LastPartitionID: 999, // the first field is 1000
		SortOrders:      []json.RawMessage{json.RawMessage(`{"order-id":0,"fields":[]}`)},
		Properties:      maps.Clone(creationProperties), Refs: map[string]json.RawMessage{},
		Schemas: []*iceberggo.Schema{}, Snapshots: []snapshot{}, SnapshotLog: []snapshotLogEntry{}, MetadataLog: []metadataLogEntry{},
	}, nil
}

// setSchema makes the schema current, under the id of an equal one where there is one.
func setSchema(m *metadata, s schema.Table) error {
	highest := -1
	for _, known := range m.Schemas {
		highest = max(highest, known.ID)
	}
	wanted, err := icebergSchema(highest+1, s)
	if err != nil {
		return err
	}
	for _, c := range s.Columns {
		m.LastColumnID = max(m.LastColumnID, c.FieldID)
	}
	for _, known := range m.Schemas {
		if known.Equals(wanted) {
			m.CurrentSchemaID = known.ID
			return nil
		}
	}
	m.Schemas = append(m.Schemas, wanted)
	m.CurrentSchemaID = wanted.ID
	return nil
}

func setProperties(m *metadata, change table.Change, id int64) error {
	copied, err := json.Marshal(checkpointCopy{Snapshot: id, Checkpoint: change.Checkpoint})
	if err != nil {
		return fmt.Errorf("writing the table property %s: %w", checkpointKey, err)
	}
	source, err := sourceText(change.Schema)
	if err != nil {
		return err
	}
	m.Properties[checkpointKey], m.Properties[sourceProperty] = string(copied), source
	return nil
}

// entry is the catalogue's entry after the commit. Parameters that others have put there stay.
func (t *Table) entry(current *catalog.Table, address string, before schema.Table, change table.Change) *catalog.Table {
	e := &catalog.Table{Database: t.o.Database, Name: t.o.Name, Type: "EXTERNAL_TABLE", Parameters: map[string]string{}}
	if current != nil {
		e.Description, e.Version = current.Description, current.Version
		maps.Copy(e.Parameters, current.Parameters)
		e.Parameters["previous_metadata_location"] = current.Parameters["metadata_location"]
	}
	e.Parameters["table_type"], e.Parameters["metadata_location"] = "ICEBERG", address
	e.Description = table.Description(e.Description, before, change.Schema)
	e.Location, e.Columns = t.location, glueColumns(change.Schema)
	return e
}

// swap is the commit: it makes the entry current if the one it was planned on still is. Only one can meet the version, and
// a try without an answer may take effect as long as the entry is the one it was planned on.
func (t *Table) swap(ctx context.Context, on *base, entry *catalog.Table, mine func(m *metadata, address string) bool) error {
	return table.Swap(ctx, func(ctx context.Context) error {
		if on.entry == nil {
			return t.o.Catalog.Create(ctx, entry)
		}
		return t.o.Catalog.Update(ctx, entry)
	}, func(ctx context.Context) (ours, moved bool, err error) { return t.holds(ctx, on, mine) })
}

// holds reports whether the table's metadata came from a commit, as its newest or further back, which mine knows of it
// and its address, and whether the table's entry is another than the one that the commit was planned on.
func (t *Table) holds(ctx context.Context, on *base, mine func(m *metadata, address string) bool) (ours, moved bool, err error) {
	entry, err := t.o.Catalog.Get(ctx, t.o.Database, t.o.Name)
	if errors.Is(err, catalog.ErrNotFound) {
		return false, on.entry != nil, nil
	}
	if err != nil {
		return false, false, err
	}
	moved = on.entry == nil || entry.Version != on.entry.Version
	address := entry.Parameters["metadata_location"]
	m, err := t.readMetadata(ctx, address)
	if errors.Is(err, table.ErrForeign) {
		return false, moved, nil
	}
	return err == nil && mine(m, address), moved, err
}

// follow puts the metadata file of a head into the log of the one that replaces it, and returns the new one's number and
// the files that fell off the log.
func (m *metadata) follow(on *base) (version int, fallen []string) {
	if on.metadata == nil {
		return 0, nil
	}
	previous := on.entry.Parameters["metadata_location"]
	m.MetadataLog = append(m.MetadataLog, metadataLogEntry{Timestamp: on.metadata.LastUpdated, File: previous})
	for ; len(m.MetadataLog) > keptVersions(m); m.MetadataLog = m.MetadataLog[1:] {
		fallen = append(fallen, m.MetadataLog[0].File)
	}
	return versionOf(previous) + 1, fallen
}

// versionOf is the number at the front of a metadata file's name, or -1.
func versionOf(address string) int {
	digits, _, _ := strings.Cut(path.Base(address), "-")
	if v, err := strconv.Atoi(strings.TrimPrefix(digits, "v")); err == nil && v >= 0 {
		return v
	}
	return -1
}

func keptVersions(m *metadata) int {
	if n, err := strconv.Atoi(m.Properties["write.metadata.previous-versions-max"]); err == nil && n > 0 {
		return n
	}
	return previousVersions
}

// removeFallen deletes the metadata files that fell off the log, if the table says so. Failing to is no
// failure of the commit: they are then orphans for a later clean-up.
func (t *Table) removeFallen(ctx context.Context, m *metadata, fallen []string) {
	if m.Properties["write.metadata.delete-after-commit.enabled"] != "true" {
		return
	}
	var keys []string
	for _, address := range fallen {
		if key, ok := strings.CutPrefix(address, t.o.Store.Address(t.o.Prefix+"metadata/")); ok {
			keys = append(keys, t.o.Prefix+"metadata/"+key)
		}
	}
	if len(keys) > 0 {
		_ = t.o.Store.Delete(ctx, keys...)
	}
}
