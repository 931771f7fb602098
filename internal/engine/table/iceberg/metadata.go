// Package iceberg commits to Apache Iceberg tables of format version 2 in the Glue catalogue. It uses
// iceberg-go for schemas and manifests, and writes metadata files and commits itself: the compare-and-swap is
// one UpdateTable with the VersionId that the run was planned on, and its outcome is always settled.
//
// Names of fields, and rules, are those of the Iceberg specification, version 2.
package iceberg

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	iceberggo "github.com/apache/iceberg-go"
	"github.com/google/uuid"
	"github.com/oklog/ulid/v2"
	"github.com/tidwall/gjson"
)

// maxMetadata bounds a metadata file in bytes, after decompression.
const maxMetadata = 256 << 20

// metadataName is the name of a metadata file, which holds the table's id, the attempt and the snapshot, if there is one.
// Trino, and what descends from it, takes nothing but hexadecimal digits and hyphens behind the version.
func metadataName(version int, table, attempt string, snapshot int64) string {
	if id, err := ulid.ParseStrict(attempt); err == nil {
		attempt = uuid.UUID(id).String()
	} else if _, err := uuid.Parse(attempt); err != nil {
		attempt = hex.EncodeToString([]byte(attempt))
	}
	return fmt.Sprintf("metadata/%05d-%s-%s-%x.metadata.json", version, table, attempt, snapshot)
}

// metadata is a table's metadata file. Fields that are not known here, whoever wrote them, are kept.
type metadata struct {
	FormatVersion      int                        `json:"format-version"`
	TableUUID          string                     `json:"table-uuid"`
	Location           string                     `json:"location"`
	LastSequenceNumber int64                      `json:"last-sequence-number"`
	LastUpdated        int64                      `json:"last-updated-ms"`
	LastColumnID       int                        `json:"last-column-id"`
	CurrentSchemaID    int                        `json:"current-schema-id"`
	Schemas            []*iceberggo.Schema        `json:"schemas"`
	DefaultSpecID      int                        `json:"default-spec-id"`
	Specs              []iceberggo.PartitionSpec  `json:"partition-specs"`
	LastPartitionID    int                        `json:"last-partition-id"`
	DefaultSortOrderID int                        `json:"default-sort-order-id"`
	SortOrders         []json.RawMessage          `json:"sort-orders"`
	Properties         map[string]string          `json:"properties"`
	CurrentSnapshotID  *int64                     `json:"current-snapshot-id"`
	Refs               map[string]json.RawMessage `json:"refs"`
	Snapshots          []snapshot                 `json:"-"`
	SnapshotLog        []snapshotLogEntry         `json:"snapshot-log"`
	MetadataLog        []metadataLogEntry         `json:"metadata-log"`

	raw map[string]json.RawMessage
}

// snapshot is one of a table. There may be hundreds in a metadata file, of which a run looks at few: what says what a
// snapshot did is read when it is asked for, and written as it was read.
type snapshot struct {
	ID           int64           `json:"snapshot-id"`
	ParentID     *int64          `json:"parent-snapshot-id,omitempty"`
	Sequence     int64           `json:"sequence-number"`
	Timestamp    int64           `json:"timestamp-ms"`
	ManifestList string          `json:"manifest-list"`
	Summary      json.RawMessage `json:"summary,omitempty"` // of a new one
	SchemaID     *int            `json:"schema-id,omitempty"`

	// raw is the snapshot as it was read, "" for a new one.
	raw string
}

// told is the JSON of the summary; "" for none.
func (s *snapshot) told() string {
	if s.raw != "" {
		return gjson.Get(s.raw, "summary").Raw
	}
	return string(s.Summary)
}

// summary says what a snapshot did.
func (s *snapshot) summary() (map[string]string, error) {
	text := s.told()
	if text == "" {
		return nil, nil
	}
	var words map[string]string
	if err := json.Unmarshal([]byte(text), &words); err != nil {
		return nil, fmt.Errorf("the summary of snapshot %d is damaged: %w", s.ID, err)
	}
	return words, nil
}

type snapshotLogEntry struct {
	Timestamp  int64 `json:"timestamp-ms"`
	SnapshotID int64 `json:"snapshot-id"`
}

type metadataLogEntry struct {
	Timestamp int64  `json:"timestamp-ms"`
	File      string `json:"metadata-file"`
}

// parseMetadata reads a metadata file; name decides whether it is compressed.
func parseMetadata(name string, data []byte) (*metadata, error) {
	if strings.HasSuffix(name, ".gz.metadata.json") || strings.HasSuffix(name, ".metadata.json.gz") {
		z, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			return nil, fmt.Errorf("decompressing %s: %w", name, err)
		}
		if data, err = io.ReadAll(io.LimitReader(z, maxMetadata+1)); err != nil || len(data) > maxMetadata {
			return nil, fmt.Errorf("decompressing %s: %d bytes: %w", name, len(data), err)
		}
	}
	m := &metadata{raw: map[string]json.RawMessage{}}
	document := gjson.ParseBytes(data)
	if !valid(data) || !document.IsObject() {
		return nil, fmt.Errorf("reading %s: it is no JSON object", name)
	}
	var snapshots, log gjson.Result
	document.ForEach(func(field, value gjson.Result) bool {
		switch name := field.String(); name {
		case "snapshots":
			snapshots = value
		case "snapshot-log":
			log = value
		default:
			m.raw[name] = json.RawMessage(value.Raw)
		}
		return true
	})
	version := 0
	if err := json.Unmarshal(m.raw["format-version"], &version); err != nil || version != 2 {
		return nil, fmt.Errorf("reading %s: its format version is %d and only version 2 is written here: an upgrade cannot be undone, so land into a new table", name, version)
	}
	if err := json.Unmarshal(object(m.raw), m); err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	if err := m.readSnapshots(snapshots); err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	if err := m.readLog(log); err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	if m.CurrentSnapshotID != nil && *m.CurrentSnapshotID == -1 {
		m.CurrentSnapshotID = nil // as Java writes it
	}
	if m.Properties == nil {
		m.Properties = map[string]string{}
	}
	if m.currentSchema() == nil {
		return nil, fmt.Errorf("reading %s: its current schema %d is not among its schemas", name, m.CurrentSchemaID)
	}
	if m.CurrentSnapshotID != nil && m.snapshot(*m.CurrentSnapshotID) == nil {
		return nil, fmt.Errorf("reading %s: its current snapshot %d is not among its snapshots", name, *m.CurrentSnapshotID)
	}
	return m, nil
}

// shallow is the size in bytes up to which text cannot nest so deep that the faster check of it, which calls itself for each
// level, takes too much of the stack.
const shallow = 1 << 20

func valid(data []byte) bool {
	if len(data) <= shallow {
		return gjson.ValidBytes(data)
	}
	return json.Valid(data)
}

// readSnapshots reads the snapshots out of text that is known to be JSON. encoding/json would go through each three times,
// which is most of what a commit costs where there are hundreds.
func (m *metadata) readSnapshots(list gjson.Result) error {
	return each(list, "snapshots", func(one gjson.Result) error {
		s := snapshot{raw: one.Raw}
		if err := s.read(one); err != nil {
			return fmt.Errorf("its snapshot number %d: %w", len(m.Snapshots)+1, err)
		}
		m.Snapshots = append(m.Snapshots, s)
		return nil
	})
}

// readLog reads which snapshots were current, which are as many.
func (m *metadata) readLog(list gjson.Result) error {
	m.SnapshotLog = []snapshotLogEntry{}
	return each(list, "snapshot log", func(one gjson.Result) error {
		e := snapshotLogEntry{}
		var err error
		if !one.IsObject() {
			return fmt.Errorf("the entry number %d of its snapshot log is no object", len(m.SnapshotLog)+1)
		}
		one.ForEach(func(name, value gjson.Result) bool {
			switch name.String() {
			case "timestamp-ms":
				e.Timestamp, err = whole(value)
			case "snapshot-id":
				e.SnapshotID, err = whole(value)
			}
			return err == nil
		})
		if err != nil {
			return fmt.Errorf("the entry number %d of its snapshot log: %w", len(m.SnapshotLog)+1, err)
		}
		m.SnapshotLog = append(m.SnapshotLog, e)
		return nil
	})
}

// each calls take with each value of a list, which may be left out; what names it in errors.
func each(list gjson.Result, what string, take func(gjson.Result) error) (err error) {
	if list.Type == gjson.Null {
		return nil
	}
	if !list.IsArray() {
		return fmt.Errorf("its %s are no list", what)
	}
	list.ForEach(func(_, one gjson.Result) bool {
		err = take(one)
		return err == nil
	})
	return err
}

func whole(value gjson.Result) (int64, error) {
	n, err := strconv.ParseInt(value.Raw, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%.40s is no whole number", value.Raw)
	}
	return n, nil
}

// read reads a snapshot's fields.
func (s *snapshot) read(from gjson.Result) (err error) {
	if !from.IsObject() {
		return fmt.Errorf("it is no object")
	}
	number := func(value gjson.Result, into *int64) { *into, err = whole(value) }
	from.ForEach(func(name, value gjson.Result) bool {
		switch null := value.Type == gjson.Null; name.String() {
		case "snapshot-id":
			number(value, &s.ID)
		case "parent-snapshot-id":
			if s.ParentID = nil; !null {
				s.ParentID = new(int64)
				number(value, s.ParentID)
			}
		case "sequence-number":
			number(value, &s.Sequence)
		case "timestamp-ms":
			number(value, &s.Timestamp)
		case "manifest-list":
			if s.ManifestList = value.String(); value.Type != gjson.String {
				err = fmt.Errorf("its manifest list is no text")
			}
		case "schema-id":
			if s.SchemaID = nil; !null {
				var id int64
				number(value, &id)
				s.SchemaID = new(int)
				*s.SchemaID = int(id)
			}
		}
		return err == nil
	})
	return err
}

// newSnapshot is about how many bytes one takes up that is added.
const newSnapshot = 4 << 10

func (m *metadata) encode() ([]byte, error) {
	known, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("writing table metadata: %w", err)
	}
	fields := map[string]json.RawMessage{}
	gjson.ParseBytes(known).ForEach(func(field, value gjson.Result) bool {
		fields[field.String()] = json.RawMessage(value.Raw)
		return true
	})
	size := 2
	for i := range m.Snapshots {
		size += len(m.Snapshots[i].raw) + 1
	}
	snapshots := append(make([]byte, 0, size+newSnapshot), '[')
	for i := range m.Snapshots {
		if i > 0 {
			snapshots = append(snapshots, ',')
		}
		if text := m.Snapshots[i].raw; text != "" {
			snapshots = append(snapshots, text...)
			continue
		}
		text, err := json.Marshal(&m.Snapshots[i])
		if err != nil {
			return nil, fmt.Errorf("writing table metadata: %w", err)
		}
		snapshots = append(snapshots, text...)
	}
	fields["snapshots"] = append(snapshots, ']')
	all := maps.Clone(m.raw)
	if all == nil {
		all = map[string]json.RawMessage{}
	}
	maps.Copy(all, fields)
	if m.CurrentSnapshotID == nil {
		delete(all, "current-snapshot-id")
	}
	return object(all), nil
}

// object writes fields that are JSON each, in the order of their names.
func object(fields map[string]json.RawMessage) []byte {
	size := 2
	for name, text := range fields {
		size += len(name) + len(text) + 8
	}
	out := append(make([]byte, 0, size), '{')
	for i, name := range slices.Sorted(maps.Keys(fields)) {
		if i > 0 {
			out = append(out, ',')
		}
		quoted, _ := json.Marshal(name) // a string always has a form
		out = append(append(out, quoted...), ':')
		out = append(out, fields[name]...)
	}
	return append(out, '}')
}

// clone copies what a commit changes.
func (m *metadata) clone() *metadata {
	c := *m
	c.Schemas, c.Snapshots = slices.Clone(m.Schemas), slices.Clone(m.Snapshots)
	c.SnapshotLog, c.MetadataLog = slices.Clone(m.SnapshotLog), slices.Clone(m.MetadataLog)
	c.Properties, c.Refs, c.raw = maps.Clone(m.Properties), maps.Clone(m.Refs), maps.Clone(m.raw)
	return &c
}

func (m *metadata) currentSchema() *iceberggo.Schema {
	for _, s := range m.Schemas {
		if s.ID == m.CurrentSchemaID {
			return s
		}
	}
	return nil
}

func (m *metadata) snapshot(id int64) *snapshot {
	for i := range m.Snapshots {
		if m.Snapshots[i].ID == id {
			return &m.Snapshots[i]
		}
	}
	return nil
}

func (m *metadata) current() *snapshot {
	if m.CurrentSnapshotID == nil {
		return nil
	}
	return m.snapshot(*m.CurrentSnapshotID)
}

func (m *metadata) spec(id int) (iceberggo.PartitionSpec, bool) {
	for _, s := range m.Specs {
		if s.ID() == id {
			return s, true
		}
	}
	return iceberggo.PartitionSpec{}, false
}

// number is a table property that is a number above zero, or what holds where it is none.
func (m *metadata) number(property string, otherwise int64) int64 {
	if n, err := strconv.ParseInt(m.Properties[property], 10, 64); err == nil && n > 0 {
		return n
	}
	return otherwise
}
