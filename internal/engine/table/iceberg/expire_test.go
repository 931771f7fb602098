package iceberg

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// chain is metadata of snapshots 1 to n, a day apart and the last of them now; those of ours carry a checkpoint.
func chain(now time.Time, n int, ours ...int64) *metadata {
	m := &metadata{Properties: map[string]string{}, Refs: map[string]json.RawMessage{}, raw: map[string]json.RawMessage{}}
	for i := range n {
		s := snapshot{ID: int64(i + 1), Timestamp: now.Add(-time.Duration(n-1-i) * 24 * time.Hour).UnixMilli()}
		if i > 0 {
			parent := int64(i)
			s.ParentID = &parent
		}
		m.Snapshots = append(m.Snapshots, s)
		m.SnapshotLog = append(m.SnapshotLog, snapshotLogEntry{s.Timestamp, s.ID})
	}
	for _, id := range ours {
		m.snapshot(id).Summary = []byte(`{"` + checkpointKey + `": "{}"}`)
	}
	last := int64(n)
	m.CurrentSnapshotID = &last
	m.Refs["main"] = json.RawMessage(fmt.Sprintf(`{"snapshot-id":%d,"type":"branch"}`, n))
	return m
}

func TestExpiredSnapshots(t *testing.T) {
	t.Parallel()
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		name string
		ours []int64
		keep table.Retention
		edit func(m *metadata)
		gone []int64
	}{
		{"defaults", []int64{20}, table.Retention{}, nil, []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}},
		{"by age", []int64{20}, table.Retention{KeepAtLeast: 1, MaxAge: 17 * 24 * time.Hour}, nil, []int64{1, 2}},
		{"by number", []int64{20}, table.Retention{KeepAtLeast: 18, MaxAge: time.Hour}, nil, []int64{1, 2}},
		{"properties win", []int64{20}, table.Retention{KeepAtLeast: 1, MaxAge: time.Hour}, func(m *metadata) {
			m.Properties["history.expire.max-snapshot-age-ms"], m.Properties["history.expire.min-snapshots-to-keep"] = fmt.Sprint(16*24*3600*1000), "2"
		}, []int64{1, 2, 3}},
		{"what leads to the checkpoint", []int64{1, 3}, table.Retention{KeepAtLeast: 1, MaxAge: time.Hour}, nil, []int64{1, 2}},
		{"a table without checkpoint", nil, table.Retention{KeepAtLeast: 1, MaxAge: time.Hour}, nil, nil},
		{"tags and branches", []int64{20}, table.Retention{KeepAtLeast: 1, MaxAge: time.Hour}, func(m *metadata) {
			m.Refs["tag"] = json.RawMessage(`{"snapshot-id":4,"type":"tag"}`)
			m.Refs["branch"] = json.RawMessage(`{"snapshot-id":10,"type":"branch","min-snapshots-to-keep":3}`)
		}, []int64{1, 2, 3, 5, 6, 7, 11, 12, 13, 14, 15, 16, 17, 18, 19}},
		{"what was rolled back", []int64{12}, table.Retention{KeepAtLeast: 1, MaxAge: 3 * 24 * time.Hour}, func(m *metadata) {
			at := int64(12)
			m.CurrentSnapshotID, m.Refs["main"] = &at, json.RawMessage(`{"snapshot-id":12,"type":"branch"}`)
		}, []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16}},
		{"no reference to the current one", []int64{20}, table.Retention{KeepAtLeast: 18, MaxAge: time.Hour}, func(m *metadata) { delete(m.Refs, "main") }, []int64{1, 2}},
	} {
		m := chain(now, 20, tc.ours...)
		if tc.edit != nil {
			tc.edit(m)
		}
		gone, err := m.expired(tc.keep, now)
		if err != nil {
			t.Fatal(err)
		}
		var ids []int64
		for _, s := range gone {
			ids = append(ids, s.ID)
		}
		if diff := cmp.Diff(tc.gone, ids); diff != "" {
			t.Errorf("%s: %s", tc.name, diff)
		}
	}
}

// Cleaning reads few lists of manifests, and all where another writer may have brought back what goes.
func TestRootsOfKeptSnapshots(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		gone []int64
		edit func(m *metadata)
		want []int64
	}{
		{"a line of ours", []int64{1, 2}, nil, []int64{3}},
		{"a gap in what goes", []int64{1, 3}, nil, []int64{2, 4}},
		{"others' snapshots", []int64{1, 2}, func(m *metadata) {
			m.snapshot(5).Summary, m.snapshot(7).Summary = []byte(`{"engine-name":"spark"}`), nil
		}, []int64{3, 5, 7}},
		{"what was rolled back goes", []int64{1, 7}, func(m *metadata) {
			*m.CurrentSnapshotID, *m.snapshot(8).ParentID = 8, 6
		}, []int64{2, 3, 4, 5, 6, 8}},
		{"what was rolled back stays", []int64{1, 2}, func(m *metadata) { *m.snapshot(8).ParentID = 6 }, []int64{3}},
		{"the line is cut behind what goes", []int64{1, 4}, func(m *metadata) { *m.snapshot(3).ParentID = 100 }, []int64{2, 3, 5, 6, 7, 8}},
	} {
		m := chain(time.Now(), 8)
		for i := range m.Snapshots {
			m.Snapshots[i].Summary = []byte(`{"engine-name":"lakeland"}`)
		}
		if tc.edit != nil {
			tc.edit(m)
		}
		var gone []snapshot
		for _, id := range tc.gone {
			gone = append(gone, *m.snapshot(id))
		}
		var ids []int64
		for _, s := range m.roots(gone) {
			ids = append(ids, s.ID)
		}
		if diff := cmp.Diff(tc.want, ids); diff != "" {
			t.Errorf("%s: %s", tc.name, diff)
		}
	}
}

// What the metadata says of snapshots that go, goes with them.
func TestForgottenSnapshots(t *testing.T) {
	t.Parallel()
	m := chain(time.Now(), 4)
	m.raw["statistics"] = json.RawMessage(`[{"snapshot-id":1,"statistics-path":"a"},{"snapshot-id":3,"statistics-path":"b"}]`)
	gone := []snapshot{*m.snapshot(1), *m.snapshot(2)}
	if err := m.forget(gone); err != nil {
		t.Fatal(err)
	}
	if len(m.Snapshots) != 2 || len(m.SnapshotLog) != 2 || m.SnapshotLog[0].SnapshotID != 3 || string(m.raw["statistics"]) != `[{"snapshot-id":3,"statistics-path":"b"}]` {
		t.Errorf("%+v, %s", m, m.raw["statistics"])
	}
	if m.raw["partition-statistics"] != nil {
		t.Error("statistics that nobody wrote")
	}
}
