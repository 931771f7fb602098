package iceberg

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// checkpointKey is the key of the checkpoint in a snapshot's summary, and of its copy in the table's
// properties.
const checkpointKey = "lakeland.checkpoint"

// Options say where a table is.
type Options struct {
	Store   store.Store
	Catalog catalog.Catalog
	// Prefix is the table's folder in the store, with a slash at its end.
	Prefix string
	// Database and Name are the table's entry in the catalogue.
	Database, Name string
	// Version is the engine's, for the files and snapshots it writes.
	Version string
	// Now is the time of commits, and the one by which snapshots and files are too old; nil means the machine's clock. No
	// commit's outcome is decided by it.
	Now func() time.Time
}

// Table is one Iceberg table; it implements table.Table.
type Table struct {
	o        Options
	location string
}

// New makes no call.
func New(o Options) *Table {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Table{o: o, location: strings.TrimSuffix(o.Store.Address(o.Prefix), "/")}
}

// base is what a commit compares with.
type base struct {
	entry    *catalog.Table
	metadata *metadata

	mu sync.Mutex // guards listing
	// listing is the head's files, once they are read.
	listing *listing
}

// name is the head's commit in messages.
func (b *base) name() string {
	if b.metadata == nil || b.metadata.CurrentSnapshotID == nil {
		return "without a commit"
	}
	return strconv.FormatInt(*b.metadata.CurrentSnapshotID, 10)
}

func baseOf(head *table.Head) (*base, error) {
	if on, ok := head.Base.(*base); ok {
		return on, nil
	}
	return nil, errors.New("the head is not one of an Iceberg table")
}

// checkpointCopy is the copy of a checkpoint in the table's properties, for when other engines' expiry has cut
// the ancestry.
type checkpointCopy struct {
	Snapshot   int64            `json:"snapshot"`
	Checkpoint table.Checkpoint `json:"checkpoint"`
}

// Head implements table.Table.
func (t *Table) Head(ctx context.Context) (*table.Head, error) {
	entry, err := t.o.Catalog.Get(ctx, t.o.Database, t.o.Name)
	if errors.Is(err, catalog.ErrNotFound) {
		if err := t.o.Catalog.Database(ctx, t.o.Database); err != nil {
			return nil, fmt.Errorf("%w: create the database first; engine and provider never do", err)
		}
		return &table.Head{TableID: uuid.NewString(), Base: &base{}}, nil
	}
	if err != nil {
		return nil, err
	}
	if kind := entry.Parameters["table_type"]; !strings.EqualFold(kind, "ICEBERG") {
		return nil, fmt.Errorf("%w: the Glue table %s.%s is not an Iceberg table (table_type %q): choose another name, or remove that entry", table.ErrForeign, t.o.Database, t.o.Name, kind)
	}
	address := entry.Parameters["metadata_location"]
	m, err := t.readMetadata(ctx, address)
	if err != nil {
		return nil, err
	}
	if at := strings.TrimSuffix(m.Location, "/"); at != t.location {
		return nil, fmt.Errorf("%w: the Glue table %s.%s lies at %s, not at %s: choose another name, or set the target's location to it", table.ErrForeign, t.o.Database, t.o.Name, at, t.location)
	}
	return t.headOf(entry, m)
}

func (t *Table) readMetadata(ctx context.Context, address string) (*metadata, error) {
	key, ok := strings.CutPrefix(address, t.o.Store.Address(""))
	if !ok {
		return nil, fmt.Errorf("%w: the metadata of the Glue table %s.%s lies at %q, outside %s", table.ErrForeign, t.o.Database, t.o.Name, address, t.o.Store.Address(""))
	}
	data, err := store.Read(ctx, t.o.Store, key, maxMetadata)
	if err != nil {
		return nil, fmt.Errorf("reading the metadata of the Glue table %s.%s: %w", t.o.Database, t.o.Name, err)
	}
	return parseMetadata(address, data)
}

func (t *Table) headOf(entry *catalog.Table, m *metadata) (*table.Head, error) {
	head := &table.Head{Exists: true, TableID: m.TableUUID, Base: &base{entry: entry, metadata: m}}
	var err error
	if head.Schema, err = lakeSchema(m); err != nil {
		return nil, err
	}
	current := m.current()
	if current == nil {
		return head, nil
	}
	head.Commit, head.Rows = strconv.FormatInt(current.ID, 10), -1
	words, err := current.summary()
	if err != nil {
		return nil, err
	}
	if rows, err := strconv.ParseInt(words["total-records"], 10, 64); err == nil && words["total-position-deletes"] == "0" && words["total-equality-deletes"] == "0" {
		head.Rows = rows
	}
	if err := findCheckpoint(m, current, head); err != nil || head.Checkpoint != nil {
		return head, err
	}
	var copied checkpointCopy
	if text := m.Properties[checkpointKey]; text != "" && json.Unmarshal([]byte(text), &copied) == nil {
		head.Lost = &copied.Checkpoint
	}
	return head, nil
}

// findCheckpoint looks for the newest checkpoint among a snapshot's ancestors. Where ancestry was cut, the copy
// in the properties counts if it belongs to the very snapshot that the oldest reachable one has as its parent.
func findCheckpoint(m *metadata, s *snapshot, head *table.Head) error {
	for range len(m.Snapshots) {
		words, err := s.summary()
		if err != nil {
			return err
		}
		if text, ok := words[checkpointKey]; ok {
			c, err := table.ParseCheckpoint([]byte(text))
			if err != nil {
				return fmt.Errorf("snapshot %d: %w", s.ID, err)
			}
			head.Checkpoint, head.CheckpointCommit = c, strconv.FormatInt(s.ID, 10)
			return nil
		}
		if s.ParentID == nil {
			return nil
		}
		parent := m.snapshot(*s.ParentID)
		if parent == nil {
			var copied checkpointCopy
			if err := json.Unmarshal([]byte(m.Properties[checkpointKey]), &copied); err == nil && copied.Snapshot == *s.ParentID {
				head.Checkpoint, head.CheckpointCommit = &copied.Checkpoint, strconv.FormatInt(copied.Snapshot, 10)
			}
			return nil
		}
		s = parent
	}
	return nil
}

// Prepare implements table.Table.
func (t *Table) Prepare(head *table.Head, s schema.Table) (schema.Table, error) {
	on, err := baseOf(head)
	if err != nil {
		return schema.Table{}, err
	}
	last := 0
	if on.metadata != nil {
		last = on.metadata.LastColumnID
	}
	columns := append([]schema.Column(nil), s.Columns...)
	for i := range columns {
		if columns[i].FieldID == 0 {
			last++
			columns[i].FieldID = last
		}
	}
	s.Columns = columns
	if _, err := icebergSchema(0, s); err != nil {
		return schema.Table{}, err
	}
	if err := writable(s); err != nil {
		return schema.Table{}, err
	}
	if on.metadata != nil && slices.Equal(head.Schema.Partition, s.Partition) {
		return s, on.metadata.namesakes(s)
	}
	return s, nil
}

// DataKeys implements table.Table.
func (t *Table) DataKeys(head *table.Head, attempt, unit string) (prefix, suffix string) {
	return t.o.Prefix + "data/" + head.TableID + "-" + attempt + "-" + unit + "-", ".parquet"
}

// PositionKey implements table.Table.
func (t *Table) PositionKey(head *table.Head, sum string) string {
	return t.o.Prefix + "metadata/" + head.TableID + "-position-" + sum + ".json"
}
