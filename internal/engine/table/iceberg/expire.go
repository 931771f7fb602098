package iceberg

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tidwall/gjson"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// reference is a branch or a tag, with the retention that it may have of its own (specification, "Snapshot Retention
// Policy").
type reference struct {
	Snapshot    int64  `json:"snapshot-id"`
	Type        string `json:"type"`
	KeepAtLeast *int   `json:"min-snapshots-to-keep"`
	MaxAge      *int64 `json:"max-snapshot-age-ms"`
}

// expired are the snapshots that a retention lets go: those that are too old, and neither are among the newest of a
// branch, nor a branch's or a tag's own. What leads from the current snapshot to the newest checkpoint stays too.
func (m *metadata) expired(keep table.Retention, now time.Time) ([]snapshot, error) {
	if keep.KeepAtLeast <= 0 {
		keep.KeepAtLeast = table.DefaultKeepAtLeast
	}
	if keep.MaxAge <= 0 {
		keep.MaxAge = table.DefaultMaxAge
	}
	least := int(m.number("history.expire.min-snapshots-to-keep", int64(keep.KeepAtLeast)))
	age := m.number("history.expire.max-snapshot-age-ms", keep.MaxAge.Milliseconds())
	stays := map[int64]bool{}
	refs := maps.Clone(m.Refs)
	if _, ok := refs["main"]; !ok && m.CurrentSnapshotID != nil {
		refs = maps.Collect(maps.All(refs))
		refs["main"] = json.RawMessage(fmt.Sprintf(`{"snapshot-id":%d,"type":"branch"}`, *m.CurrentSnapshotID))
	}
	for name, raw := range refs {
		var r reference
		if err := json.Unmarshal(raw, &r); err != nil {
			return nil, fmt.Errorf("the table's reference %q: %w", name, err)
		}
		stays[r.Snapshot] = true
		if r.Type != "branch" {
			continue
		}
		least, age := least, age
		if r.KeepAtLeast != nil {
			least = *r.KeepAtLeast
		}
		if r.MaxAge != nil {
			age = *r.MaxAge
		}
		for i, s := range m.ancestors(m.snapshot(r.Snapshot)) {
			if i < least || s.Timestamp >= now.UnixMilli()-age {
				stays[s.ID] = true
			}
		}
	}
	for _, s := range m.ancestors(m.current()) {
		stays[s.ID] = true
		if words, err := s.summary(); err != nil {
			return nil, err
		} else if _, ok := words[checkpointKey]; ok {
			break
		}
	}
	var gone []snapshot
	for _, s := range m.Snapshots {
		if !stays[s.ID] && s.Timestamp < now.UnixMilli()-age {
			gone = append(gone, s)
		}
	}
	return gone, nil
}

// ancestors are a snapshot, its parent, and so on, as far as they are known.
func (m *metadata) ancestors(s *snapshot) []*snapshot {
	var out []*snapshot
	for s != nil && len(out) <= len(m.Snapshots) {
		out = append(out, s)
		if s.ParentID == nil {
			break
		}
		s = m.snapshot(*s.ParentID)
	}
	return out
}

// roots are those of the kept snapshots that lead to all that the kept ones refer to and that those which go referred to too.
// A snapshot of this engine's refers to nothing but what its parent did and what was new with it, so that of a line of them
// the oldest says all. Where what goes is not behind the current snapshot, it was rolled back: then files of it may have been
// added again, and all that is kept is read.
func (m *metadata) roots(gone []snapshot) []snapshot {
	kept := map[int64]bool{}
	for _, s := range m.Snapshots {
		kept[s.ID] = true
	}
	behind := map[int64]bool{}
	for _, s := range m.ancestors(m.current()) {
		behind[s.ID] = true
	}
	line := true
	for _, s := range gone {
		kept[s.ID] = false
		line = line && behind[s.ID]
	}
	var out []snapshot
	for _, s := range m.Snapshots {
		follows := s.ParentID != nil && kept[*s.ParentID] && gjson.Get(s.told(), engineKey).String() == engineName
		if kept[s.ID] && (!line || !follows) {
			out = append(out, s)
		}
	}
	return out
}

// forget takes snapshots out of the metadata, with what is kept about them: the log before the youngest entry of theirs,
// since a log has no gaps, and statistics.
func (m *metadata) forget(gone []snapshot) error {
	ids := map[int64]bool{}
	for _, s := range gone {
		ids[s.ID] = true
	}
	m.Snapshots = slices.DeleteFunc(m.Snapshots, func(s snapshot) bool { return ids[s.ID] })
	for i := len(m.SnapshotLog) - 1; i >= 0; i-- {
		if ids[m.SnapshotLog[i].SnapshotID] {
			m.SnapshotLog = slices.Clone(m.SnapshotLog[i+1:])
			break
		}
	}
	for _, field := range []string{"statistics", "partition-statistics"} {
		if m.raw[field] == nil {
			continue
		}
		var all []json.RawMessage
		if err := json.Unmarshal(m.raw[field], &all); err != nil {
			return fmt.Errorf("the table's %s: %w", field, err)
		}
		kept := []json.RawMessage{}
		for _, one := range all {
			var of struct {
				Snapshot int64 `json:"snapshot-id"`
			}
			if err := json.Unmarshal(one, &of); err != nil {
				return fmt.Errorf("the table's %s: %w", field, err)
			}
			if !ids[of.Snapshot] {
				kept = append(kept, one)
			}
		}
		data, err := json.Marshal(kept)
		if err != nil {
			return fmt.Errorf("the table's %s: %w", field, err)
		}
		m.raw[field] = data
	}
	return nil
}
