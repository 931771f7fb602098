package merge_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/merge"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// watched is a store that counts what is read, and that fails at some call.
type watched struct {
	store.Store
	calls, failAt, read, written atomic.Int64
}

var errStore = errors.New("the store fails")

func (w *watched) fail() error {
	if w.calls.Add(1) == w.failAt.Load() {
		return errStore
	}
	return nil
}

func (w *watched) Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error) {
	if err := w.fail(); err != nil {
		return nil, err
	}
	if length > 0 {
		w.read.Add(length)
	}
	return w.Store.Get(ctx, key, offset, length)
}

func (w *watched) Create(ctx context.Context, key string) (store.Writer, error) {
	if err := w.fail(); err != nil {
		return nil, err
	}
	out, err := w.Store.Create(ctx, key)
	return &watchedWriter{out, w}, err
}

type watchedWriter struct {
	store.Writer
	w *watched
}

func (w *watchedWriter) Write(p []byte) (int, error) {
	w.w.written.Add(int64(len(p)))
	return w.Writer.Write(p)
}

func (w *watchedWriter) Close() error {
	if err := w.w.fail(); err != nil {
		_ = w.Writer.Close() // the answer is lost
		return err
	}
	return w.Writer.Close()
}

func (w *watched) list(t *testing.T) (keys []string) {
	t.Helper()
	for o, err := range w.List(t.Context(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, o.Key)
	}
	return keys
}

// Whatever call fails, nothing that was written is left, neither in the bucket nor on local disk.
func TestAFailureLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"in place", "insert only", "on read, all columns"} {
		for _, budget := range []int64{0, 10 << 10} {
			t.Run(fmt.Sprint(kind, budget), func(t *testing.T) {
				t.Parallel()
				l := newTable(t, 3, "id")
				w := &watched{Store: l.store}
				l.store, l.budget = w, budget
				l.schema.Partition = []schema.PartitionField{{Column: "small", Transform: schema.Bucket, Width: 2}}
				var rows, changes []row
				for n := range 400 {
					rows, changes = append(rows, row{n, 0, 0}), append(changes, row{n + 100, n % 2, 0})
				}
				l.add(rows[:200], 50, false)
				l.add(rows[200:], 50, true)
				l.deleteRows(20)
				files, removals := l.changeFiles(changes, 50, false), []table.DataFile(nil)
				if kind != "insert only" {
					removals = l.removals([]int{1, 2, 3})
				}
				spill, before := t.TempDir(), w.list(t)
				for at := int64(1); ; at++ {
					w.calls.Store(0)
					w.failAt.Store(at)
					loaded, err := merge.LoadWithin(t.Context(), w, &l.schema, files, removals, budget)
					if err == nil {
						m := merge.Merge{Store: w, Schema: l.schema, Files: l.files, Changes: loaded, ChangeFiles: files, Parallel: 2, FileBytes: 200 << 10, Spill: spill,
							Keys: func(unit string) (string, string) { return fmt.Sprintf("x%d-%s-", at, unit), ".parquet" }}
						kinds[kind](l, &m)
						_, err = m.Run(t.Context())
						if budget > 0 && !loaded.Spilled() {
							t.Fatal("the changes fit into memory")
						}
					}
					if left, _ := os.ReadDir(spill); len(left) > 0 {
						t.Fatalf("call %d: %d temporary files are left", at, len(left))
					}
					if err == nil && w.calls.Load() < at {
						return
					}
					if !errors.Is(err, errStore) {
						t.Fatalf("call %d: %v", at, err)
					}
					if after := w.list(t); !slices.Equal(before, after) {
						t.Fatalf("call %d left files: %d, not %d", at, len(after), len(before))
					}
				}
			})
		}
	}
}

// Without changes nothing of the table is read: a commit of columns alone costs no more than itself.
func TestNoChangesReadNothing(t *testing.T) {
	t.Parallel()
	l := newTable(t, 1, "id")
	l.add([]row{{1, 0, 0}, {2, 0, 0}}, 0, false)
	w := &watched{Store: l.store}
	l.store = w
	out := l.take(nil, nil, l.changeFiles(nil, 0, false))
	if len(out.Add)+len(out.Remove) > 0 || w.calls.Load() > 0 {
		t.Errorf("%d calls, %+v", w.calls.Load(), out)
	}
}

// A file of positions that names a row which its data file does not have is damage, and said so.
func TestPositionsBehindTheEnd(t *testing.T) {
	t.Parallel()
	l := newTable(t, 1, "id")
	l.add([]row{{1, 0, 0}, {2, 0, 0}}, 0, false)
	columns := table.DeleteColumns()
	b := column.NewBatch(columns.Kinds(), 0)
	b.Columns[0].Data = append(b.Columns[0].Data, l.store.Address(l.files[0].Key)...)
	b.Columns[0].Append()
	b.Columns[1].Int64s = append(b.Columns[1].Int64s, 2)
	b.Columns[1].Append()
	d := l.writeFile(&columns, []*column.Batch{b}, false)
	l.files[0].Deletes = []table.StoredDelete{{Key: d.Key, Size: d.File.Size, Rows: 1}}
	files := l.changeFiles([]row{{1, 1, 0}}, 0, false)
	changes, err := merge.Load(t.Context(), l.store, &l.schema, files, nil)
	if err != nil {
		t.Fatal(err)
	}
	m := merge.Merge{Store: l.store, Schema: l.schema, Files: l.files, Changes: changes, Keys: func(string) (string, string) { return "x", "" }}
	if _, err := m.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "deletes row 2 of") {
		t.Error(err)
	}
}

// A stored file that has another number of rows than the table says is damage, and said so with its name: what is deleted of
// it by position cannot be told from that.
func TestStoredFilesOfOtherRows(t *testing.T) {
	t.Parallel()
	for _, rows := range []int64{1, 500} {
		l := newTable(t, 1, "id")
		l.add(numbered(0, 200, 0), 0, false)
		l.deleteRows(50)
		l.files[0].Rows = rows
		files := l.changeFiles(numbered(0, 200, 1), 0, false)
		changes, err := merge.Load(t.Context(), l.store, &l.schema, files, nil)
		if err != nil {
			t.Fatal(err)
		}
		m := merge.Merge{Store: l.store, Schema: l.schema, Files: l.files, Changes: changes, Parallel: 2, Keys: func(string) (string, string) { return "x", "" }}
		if _, err := m.Run(t.Context()); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%s has 200 rows, and the table's metadata say %d", l.files[0].Key, rows)) {
			t.Error(err)
		}
	}
}

// What a merge cannot keep is refused before anything is read.
func TestMergesThatAreRefused(t *testing.T) {
	t.Parallel()
	l := newTable(t, 1, "id")
	files := l.changeFiles([]row{{1, 0, 0}}, 0, false)
	changes, err := merge.Load(t.Context(), l.store, &l.schema, files, l.removals([]int{5}))
	if err != nil {
		t.Fatal(err)
	}
	for want, set := range map[string]func(m *merge.Merge){
		`audit column "nowhere" is not among the table's`:   func(m *merge.Merge) { m.Audit = []string{"nowhere"} },
		`audit column "id" is part of the key`:              func(m *merge.Merge) { m.Audit = []string{"id"} },
		`soft delete column "op" is string, not boolean`:    func(m *merge.Merge) { m.SoftDelete = "op" },
		`op column "gone" is boolean, not string`:           func(m *merge.Merge) { m.Op = "gone" },
		`leaves stored files as they are takes no row away`: func(m *merge.Merge) { m.InsertOnly = true },
		`is partitioned by gone, whose column is the merge'`: func(m *merge.Merge) {
			m.SoftDelete, m.Schema.Partition = "gone", []schema.PartitionField{{Column: "gone", Transform: schema.Identity}}
		},
	} {
		m := merge.Merge{Store: l.store, Schema: l.schema, Changes: changes, Keys: func(string) (string, string) { return "x", "" }}
		set(&m)
		if _, err := m.Run(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, not %s", err, want)
		}
	}
}

// Keys that identify nothing are refused also where the changes are larger than memory, once their keys are gone through.
func TestKeysThatIdentifyNothingBeyondMemory(t *testing.T) {
	t.Parallel()
	l := newTable(t, 1, "id")
	var rows []row
	for n := range 300 {
		rows = append(rows, row{n % 299, n, 0})
	}
	changes, err := merge.LoadWithin(t.Context(), l.store, &l.schema, l.changeFiles(rows, 20, false), nil, 8<<10)
	if err != nil || !changes.Spilled() {
		t.Fatal(err)
	}
	m := merge.Merge{Store: l.store, Schema: l.schema, Changes: changes, Keys: func(string) (string, string) { return "x", "" }}
	if _, err := m.Run(t.Context()); !errors.Is(err, merge.ErrKey) || !strings.Contains(err.Error(), "two rows have the key id = 0") {
		t.Error(err)
	}
}

// A file that is filled or joined without any change being about its rows leaves out those that are deleted by position.
func TestFilledFilesLoseDeletedRows(t *testing.T) {
	t.Parallel()
	for kind, onRead := range map[string]bool{"filled": false, "joined": true} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			l := newTable(t, 1, "id")
			l.set = func(m *merge.Merge) { m.OnRead = onRead }
			for part := range 17 {
				l.add(numbered(part*20, part*20+20, 0), 0, false)
			}
			for i, f := range l.files {
				if f.Lower == nil {
					l.files[i].Lower, l.files[i].Upper = map[int][]byte{}, map[int][]byte{}
				}
				// As bounds of the key say, no file can hold the new row's.
				l.files[i].Lower[2], l.files[i].Upper[2] = make([]byte, 8), []byte{0xff, 0xff, 0, 0, 0, 0, 0, 0}
			}
			for range 20 {
				l.deleteRows(4)
			}
			out := l.merge(row{n: 1 << 20})
			if len(out.Remove) == 0 || out.Inserted != 1 || out.Deleted+out.Updated != 0 {
				t.Errorf("%+v", out)
			}
			l.check("in the end")
		})
	}
}
