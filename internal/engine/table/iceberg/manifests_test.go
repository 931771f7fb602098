package iceberg_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	iceberggo "github.com/apache/iceberg-go"
	"github.com/google/go-cmp/cmp"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// ids is a table of one column.
func ids() schema.Table {
	return schema.Table{Columns: []schema.Column{{Name: "id", Type: schema.Type{ID: schema.Long}, Required: true, FieldID: 1}}}
}

func idRows(values ...int64) *column.Batch {
	s := ids()
	b := column.NewBatch(s.Kinds(), 0)
	for _, v := range values {
		b.Columns[0].Int64s = append(b.Columns[0].Int64s, v)
		b.Columns[0].Append()
	}
	return b
}

// step commits a change that is planned on the newest head and its files.
func step(t *testing.T, s store.Store, tb table.Table, attempt string, plan func(change *table.Change, files []table.StoredFile, add func(values ...int64))) *table.Committed {
	t.Helper()
	h, err := tb.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	files, err := tb.Files(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	planned, err := tb.Prepare(h, ids())
	if err != nil {
		t.Fatal(err)
	}
	change := table.Change{Schema: planned, Checkpoint: table.Checkpoint{V: 1, Table: "shop.orders", Attempt: attempt, Horizon: "full"}}
	plan(&change, files, func(values ...int64) {
		prefix, suffix := tb.DataKeys(h, attempt, "0")
		key := fmt.Sprintf("%s%d%s", prefix, len(change.Add), suffix)
		change.Add = append(change.Add, table.DataFile{Key: key, File: *put(t, s, key, &planned, idRows(values...))})
	})
	done, err := tb.Commit(t.Context(), h, change)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// positionsOf makes a file of deleted rows.
func positionsOf(t *testing.T, s store.Store, key, data string, positions ...int64) table.DeleteFile {
	t.Helper()
	columns := table.DeleteColumns()
	rows := column.NewBatch(columns.Kinds(), 0)
	for _, p := range positions {
		rows.Columns[0].Data = append(rows.Columns[0].Data, s.Address(data)...)
		rows.Columns[0].Append()
		rows.Columns[1].Int64s = append(rows.Columns[1].Int64s, p)
		rows.Columns[1].Append()
	}
	return table.DeleteFile{Key: key, Data: data, File: *put(t, s, key, &columns, rows)}
}

func entriesOf(t *testing.T, s store.Store, c catalog.Catalog) (list []string, summary map[string]string) {
	t.Helper()
	d, _, err := metadata(t.Context(), s, c, "orders")
	if err != nil {
		t.Fatal(err)
	}
	for _, snapshot := range d.Snapshots {
		if snapshot.ID != d.Current {
			continue
		}
		manifests, err := manifestsOf(t.Context(), s, snapshot.ManifestList)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range manifests {
			data, err := read(t.Context(), s, m.FilePath())
			if err != nil {
				t.Fatal(err)
			}
			entries, err := iceberggo.ReadManifest(m, strings.NewReader(string(data)), false)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				path := e.DataFile().FilePath()
				name := path[strings.LastIndex(path, "-a")+1:]
				ours := e.SnapshotID() == snapshot.ID
				list = append(list, fmt.Sprintf("%s %s %s %d, by this snapshot %v", m.ManifestContent(), name, []string{"existing", "added", "deleted"}[e.Status()], e.SequenceNum(), ours))
			}
			if least := m.MinSequenceNum(); least > m.SequenceNum() || least < 1 {
				t.Errorf("%s has sequence numbers from %d to %d", m.FilePath(), least, m.SequenceNum())
			}
		}
		return list, snapshot.Summary
	}
	return nil, nil
}

func numbers(t *testing.T, summary map[string]string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for key, value := range summary {
		if strings.HasPrefix(key, "engine-") || key == "lakeland.checkpoint" || strings.HasSuffix(key, "files-size") {
			continue
		}
		out[key] = value
	}
	return out
}

// What a snapshot says of the files it keeps, adds and removes, entry by entry and in its summary.
func TestEntriesAndSummaries(t *testing.T) {
	t.Parallel()
	s, c := store.NewDirectory(t.TempDir()), catalog.NewMemory("raw")
	tb := open(s, c, "lake/orders/", "orders")
	var first []table.StoredFile
	for i, tc := range []struct {
		plan    func(change *table.Change, files []table.StoredFile, add func(values ...int64))
		entries []string
		summary map[string]string
	}{
		{
			func(_ *table.Change, _ []table.StoredFile, add func(values ...int64)) { add(1, 2, 3); add(4, 5) },
			[]string{"data a1-0-0.parquet added 1, by this snapshot true", "data a1-0-1.parquet added 1, by this snapshot true"},
			map[string]string{"operation": "append", "added-data-files": "2", "added-records": "5", "total-data-files": "2", "total-records": "5", "total-delete-files": "0", "total-position-deletes": "0", "total-equality-deletes": "0"},
		},
		{
			func(change *table.Change, files []table.StoredFile, add func(values ...int64)) {
				first = files
				change.AddDeletes = []table.DeleteFile{positionsOf(t, s, "lake/orders/data/x-a2-d.parquet", files[0].Key, 0, 2)}
				add(6)
			},
			[]string{"data a2-0-0.parquet added 2, by this snapshot true", "deletes a2-d.parquet added 2, by this snapshot true", "data a1-0-0.parquet added 1, by this snapshot false", "data a1-0-1.parquet added 1, by this snapshot false"},
			map[string]string{"operation": "overwrite", "added-data-files": "1", "added-records": "1", "added-delete-files": "1", "added-position-delete-files": "1", "added-position-deletes": "2", "total-data-files": "3", "total-records": "6", "total-delete-files": "1", "total-position-deletes": "2", "total-equality-deletes": "0"},
		},
		{
			func(change *table.Change, _ []table.StoredFile, add func(values ...int64)) {
				change.Remove = []string{first[0].Key}
				add(2)
			},
			[]string{"data a3-0-0.parquet added 3, by this snapshot true", "deletes a2-d.parquet deleted 2, by this snapshot true", "data a1-0-0.parquet deleted 1, by this snapshot true", "data a1-0-1.parquet existing 1, by this snapshot false", "data a2-0-0.parquet added 2, by this snapshot false"},
			map[string]string{"operation": "overwrite", "added-data-files": "1", "added-records": "1", "deleted-data-files": "1", "deleted-records": "3", "removed-delete-files": "1", "removed-position-delete-files": "1", "removed-position-deletes": "2", "total-data-files": "3", "total-records": "4", "total-delete-files": "0", "total-position-deletes": "0", "total-equality-deletes": "0"},
		},
		{
			func(change *table.Change, _ []table.StoredFile, _ func(values ...int64)) {
				change.Remove = []string{first[1].Key}
			},
			[]string{"data a1-0-1.parquet deleted 1, by this snapshot true", "data a3-0-0.parquet added 3, by this snapshot false", "data a2-0-0.parquet added 2, by this snapshot false"},
			map[string]string{"operation": "delete", "deleted-data-files": "1", "deleted-records": "2", "total-data-files": "2", "total-records": "2", "total-delete-files": "0", "total-position-deletes": "0", "total-equality-deletes": "0"},
		},
		{
			func(change *table.Change, _ []table.StoredFile, add func(values ...int64)) {
				change.ReplaceAll = true
				add(9)
			},
			[]string{"data a5-0-0.parquet added 5, by this snapshot true", "data a3-0-0.parquet deleted 3, by this snapshot true", "data a2-0-0.parquet deleted 2, by this snapshot true"},
			map[string]string{"operation": "overwrite", "added-data-files": "1", "added-records": "1", "deleted-data-files": "2", "deleted-records": "2", "total-data-files": "1", "total-records": "1", "total-delete-files": "0", "total-position-deletes": "0", "total-equality-deletes": "0"},
		},
	} {
		step(t, s, tb, fmt.Sprintf("a%d", i+1), tc.plan)
		list, summary := entriesOf(t, s, c)
		if diff := cmp.Diff(tc.entries, list); diff != "" {
			t.Errorf("commit %d: entries (-want +got): %s", i+1, diff)
		}
		if diff := cmp.Diff(tc.summary, numbers(t, summary)); diff != "" {
			t.Errorf("commit %d: summary (-want +got): %s", i+1, diff)
		}
	}
}

// counted counts the calls of a store, and the bytes that are written to it.
type counted struct {
	store.Store
	puts, bytes atomic.Int64
}

func (c *counted) Put(ctx context.Context, key string, data []byte, when store.Condition) (store.Object, error) {
	c.puts.Add(1)
	c.bytes.Add(int64(len(data)))
	return c.Store.Put(ctx, key, data, when)
}

// However many commits a table has seen, and of whatever kind, its list names few manifests.
func TestManifestsAreBounded(t *testing.T) {
	t.Parallel()
	for kind, plan := range map[string]func(change *table.Change, files []table.StoredFile, add func(values ...int64)){
		"append": func(_ *table.Change, _ []table.StoredFile, add func(values ...int64)) { add(1) },
		"exchange": func(change *table.Change, files []table.StoredFile, add func(values ...int64)) {
			add(1)
			if len(files) > 20 {
				change.Remove = []string{files[0].Key, files[len(files)/2].Key}
				add(2)
			}
		},
		"delete": func(change *table.Change, files []table.StoredFile, add func(values ...int64)) {
			add(1, 2)
			for _, f := range files {
				if len(f.Deletes) > 0 {
					change.Remove = append(change.Remove, f.Key)
				} else if change.AddDeletes == nil {
					change.AddDeletes = []table.DeleteFile{{Data: f.Key}}
				}
			}
		},
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s, c := store.NewDirectory(t.TempDir()), catalog.NewMemory("raw")
			tb := open(s, c, "lake/orders/", "orders")
			most := 0
			for i := range 60 {
				attempt := fmt.Sprintf("a%d", i)
				step(t, s, tb, attempt, func(change *table.Change, files []table.StoredFile, add func(values ...int64)) {
					plan(change, files, add)
					for i, f := range change.AddDeletes {
						change.AddDeletes[i] = positionsOf(t, s, "lake/orders/data/"+attempt+"-d.parquet", f.Data, 0)
					}
				})
				if i%10 != 9 {
					continue
				}
				d, _, err := metadata(t.Context(), s, c, "orders")
				if err != nil {
					t.Fatal(err)
				}
				manifests, err := manifestsOf(t.Context(), s, d.Snapshots[len(d.Snapshots)-1].ManifestList)
				if err != nil {
					t.Fatal(err)
				}
				most = max(most, len(manifests))
			}
			if most > 24 {
				t.Errorf("a snapshot had %d manifests", most)
			}
		})
	}
}

// A commit writes as much, and in as many objects, after hundreds of commits as after ten, where old snapshots are cleaned.
func TestCommitsStayCheap(t *testing.T) {
	t.Parallel()
	s, c := &counted{Store: store.NewDirectory(t.TempDir())}, catalog.NewMemory("raw")
	tb := open(s, c, "lake/orders/", "orders")
	var puts, bytes []int64
	for i := range 100 {
		s.puts.Store(0)
		s.bytes.Store(0)
		step(t, s, tb, fmt.Sprintf("a%d", i), func(change *table.Change, files []table.StoredFile, add func(values ...int64)) {
			if len(files) > 0 {
				change.Remove = []string{files[0].Key}
			}
			add(1)
		})
		puts, bytes = append(puts, s.puts.Load()), append(bytes, s.bytes.Load())
		if i%10 != 9 {
			continue
		}
		h, err := tb.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tb.Clean(t.Context(), h, table.Retention{KeepAtLeast: 1, MaxAge: 1}); err != nil {
			t.Fatal(err)
		}
	}
	sum := func(values []int64) (sum int64) {
		for _, v := range values {
			sum += v
		}
		return sum
	}
	if early, late := sum(bytes[20:40]), sum(bytes[80:]); late > early*3/2 {
		t.Errorf("late commits write %d bytes, early ones %d", late, early)
	}
	if early, late := sum(puts[20:40]), sum(puts[80:]); late > early*3/2 {
		t.Errorf("late commits write %d objects, early ones %d", late, early)
	}
}

// A damaged manifest is an error that says what to do, and doing it helps.
func TestDamagedManifests(t *testing.T) {
	t.Parallel()
	s, c := store.NewDirectory(t.TempDir()), catalog.NewMemory("raw")
	tb := open(s, c, "lake/orders/", "orders")
	step(t, s, tb, "a1", func(_ *table.Change, _ []table.StoredFile, add func(values ...int64)) { add(1) })
	step(t, s, tb, "a2", func(_ *table.Change, _ []table.StoredFile, add func(values ...int64)) { add(2) })
	d, _, err := metadata(t.Context(), s, c, "orders")
	if err != nil {
		t.Fatal(err)
	}
	manifests, err := manifestsOf(t.Context(), s, d.Snapshots[1].ManifestList)
	if err != nil {
		t.Fatal(err)
	}
	broken := strings.TrimPrefix(manifests[0].FilePath(), s.Address(""))
	if _, err := s.Put(t.Context(), broken, []byte("Obj\x01 and no more"), store.Condition{}); err != nil {
		t.Fatal(err)
	}
	h, err := tb.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tb.Files(t.Context(), h); err == nil || !strings.Contains(err.Error(), "set reload") || !strings.Contains(err.Error(), broken) {
		t.Errorf("a damaged manifest: %v", err)
	}
	if _, err := tb.Commit(t.Context(), h, table.Change{Schema: h.Schema, ReplaceAll: true, Checkpoint: table.Checkpoint{V: 1, Attempt: "a3"}}); err != nil {
		t.Errorf("a reload of a damaged table: %v", err)
	}
	if got, err := rows(t.Context(), s, c, "orders"); err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
}
