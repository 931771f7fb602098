package hive_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table/hive"
)

// What readers would take for part of the table, and is not, goes before they are shown the folder; what should be there and
// is not is refused.
func TestFolderHoldsTheChangeAndNothingElse(t *testing.T) {
	t.Parallel()
	for _, historical := range []bool{false, true} {
		l := newLake(t, historical)
		l.land(ids(), 1)
		h := l.head()
		change, err := l.plan(h, ids())
		l.must(err)
		mine := l.write(h, &change, rowsOf(&change.Schema, 2))
		stray := l.write(h, &table.Change{Schema: change.Schema, Add: []table.DataFile{mine}, Checkpoint: change.Checkpoint}, rowsOf(&change.Schema, 99))
		missing := mine
		missing.Key = strings.Replace(mine.Key, ".parquet", "x.parquet", 1)
		short := mine
		short.File.Size++
		elsewhere := mine
		elsewhere.Key = "lake/orders/data/" + h.TableID + "-other/0.parquet"
		for _, wrong := range []table.DataFile{missing, short, elsewhere} {
			change.Add = []table.DataFile{wrong}
			if _, err := l.table().Commit(t.Context(), h, change); err == nil || errors.Is(err, table.ErrLostRace) {
				t.Errorf("%s of %d bytes: %v", wrong.Key, wrong.File.Size, err)
			}
			if wrong.Key == missing.Key {
				mine = l.write(h, &table.Change{Schema: change.Schema, Checkpoint: change.Checkpoint}, rowsOf(&change.Schema, 2))
				l.write(h, &table.Change{Schema: change.Schema, Add: []table.DataFile{mine}, Checkpoint: change.Checkpoint}, rowsOf(&change.Schema, 99))
			}
		}
		change.Add = []table.DataFile{mine}
		_, err = l.table().Commit(t.Context(), h, change)
		l.must(err)
		if _, err := l.store.Head(t.Context(), stray.Key); !errors.Is(err, store.ErrNotExist) {
			t.Errorf("the stray file: %v", err)
		}
		want := map[bool]string{false: "[2]", true: "[1 2]"}[historical]
		got, err := rows(t.Context(), l.store, l.catalog, "orders")
		l.must(err)
		if len(got) == 2 && got[0] > got[1] {
			got[0], got[1] = got[1], got[0]
		}
		if fmt.Sprint(got) != want {
			t.Errorf("readers see %v, want %s", got, want)
		}
		if _, err := l.table().Commit(t.Context(), l.head(), change); err == nil || !strings.Contains(err.Error(), "has committed already") {
			t.Errorf("the same attempt again: %v", err)
		}
	}
}

// Where a batch loses a race to somebody who changed the entry, and is tried again on what came first, all that the attempt
// wrote is still there: changes that memory does not hold are read once more.
func TestALostRaceLeavesTheFolder(t *testing.T) {
	t.Parallel()
	l := newLake(t, true)
	l.land(ids(), 1)
	h := l.head()
	change, err := l.plan(h, ids(schema.Column{Name: "n", Type: schema.Type{ID: schema.Int}, Source: from(2, "n", "int")}))
	l.must(err)
	changes := l.write(h, &change, rowsOf(&change.Schema, 99))
	change.Add = []table.DataFile{changes}
	change.Add = []table.DataFile{l.write(h, &change, rowsOf(&change.Schema, 2))}
	touch(t, l.store, l.catalog, "orders")
	if _, err := l.table().Commit(t.Context(), h, change); !errors.Is(err, table.ErrLostRace) {
		t.Errorf("on an entry that was touched: %v", err)
	}
	if _, err := l.store.Head(t.Context(), changes.Key); err != nil {
		t.Errorf("the changes, which are read again: %v", err)
	}
	_, err = l.table().Commit(t.Context(), l.head(), change)
	l.must(err)
	if _, err := l.store.Head(t.Context(), changes.Key); !errors.Is(err, store.ErrNotExist) {
		t.Errorf("the changes, behind the commit: %v", err)
	}
}

// Queries that began before a replacement read the old files for a day.
func TestReplacedFilesStayForADay(t *testing.T) {
	t.Parallel()
	l := newLake(t, false)
	clean := func(ahead time.Duration) table.Cleaned {
		t.Helper()
		done, err := l.later(ahead).Clean(t.Context(), l.head(), table.Retention{})
		l.must(err)
		return *done
	}
	for id := range int64(3) {
		l.land(ids(), id)
	}
	if done := clean(hive.KeptFor - time.Minute); done != (table.Cleaned{}) || len(l.objects("lake/orders/data/")) != 3 {
		t.Errorf("within the day: %+v", done)
	}
	folder := strings.TrimPrefix(l.entry().Location, l.store.Address(""))
	if done := clean(hive.KeptFor + time.Minute); done != (table.Cleaned{Snapshots: 2, Files: 2}) {
		t.Errorf("behind the day: %+v", done)
	}
	if left := l.objects("lake/orders/data/"); len(left) != 1 || !strings.HasPrefix(left[0], folder) {
		t.Errorf("there are %v", left)
	}
	if done := clean(hive.KeptFor + time.Minute); done != (table.Cleaned{}) {
		t.Errorf("again: %+v", done)
	}
	stale := l.head()
	l.land(ids(), 9)
	if _, err := l.later(2*hive.KeptFor).Clean(t.Context(), stale, table.Retention{}); err != nil {
		t.Errorf("with nothing to delete: %v", err)
	}
	stale = l.head()
	l.land(ids(), 10)
	if _, err := l.later(2*hive.KeptFor).Clean(t.Context(), stale, table.Retention{}); !errors.Is(err, table.ErrLostRace) {
		t.Errorf("on an old head: %v", err)
	}
}

// A replaced snapshot whose files are old stays for its day nevertheless.
func TestOrphansAreNotWhatMayStillBeRead(t *testing.T) {
	t.Parallel()
	l := newLake(t, false)
	l.land(ids(), 1)
	ahead := 10 * 24 * time.Hour
	h := l.head()
	change, err := l.plan(h, ids())
	l.must(err)
	change.Add = []table.DataFile{l.write(h, &change, rowsOf(&change.Schema, 2))}
	_, err = l.later(ahead).Commit(t.Context(), h, change)
	l.must(err)
	if n, err := l.later(ahead+time.Hour).RemoveOrphans(t.Context(), table.LongestJob); n != 0 || err != nil {
		t.Errorf("an hour later: %d, %v", n, err)
	}
	if n, err := l.later(ahead+25*time.Hour).RemoveOrphans(t.Context(), table.LongestJob); n != 1 || err != nil {
		t.Errorf("a day later: %d, %v", n, err)
	}
}

// A list that is too long for a parameter is an object, which is part of the table.
func TestLongLists(t *testing.T) {
	t.Parallel()
	for _, historical := range []bool{false, true} {
		l := newLake(t, historical)
		many := ids()
		for i := range 800 {
			name := fmt.Sprintf("column_%d", i)
			many.Columns = append(many.Columns, schema.Column{Name: name, Type: schema.Type{ID: schema.String}, Comment: strings.Repeat("said ", 60), Source: from(i+2, name, "text")})
		}
		l.land(many, 1, 2)
		if got := l.objects("lake/orders/metadata/"); len(got) != map[bool]int{false: 2, true: 3}[historical] {
			t.Errorf("there are the objects %v", got)
		}
		h := l.head()
		files, err := l.table().Files(t.Context(), h)
		l.must(err)
		if len(files) != 1 || files[0].Rows != 2 || len(files[0].Lower) != 801 || h.Rows != 2 || len(h.Schema.Columns) != 801 {
			t.Errorf("%d files, %d rows", len(files), h.Rows)
		}
		if n, err := l.later(5*table.LongestJob).RemoveOrphans(t.Context(), table.LongestJob); n != 0 || err != nil {
			t.Errorf("%d orphans, %v", n, err)
		}
		for _, key := range l.objects("lake/orders/metadata/") {
			if strings.HasSuffix(key, "batch-1.json") {
				continue
			}
			data, err := store.Read(t.Context(), l.store, key, 1<<20)
			l.must(err)
			_, err = l.store.Put(t.Context(), key, bytes.Replace(data, []byte("column_7"), []byte("column_8"), 1), store.Condition{})
			l.must(err)
		}
		if _, err := l.table().Head(t.Context()); err == nil || !strings.Contains(err.Error(), "is not what was written") {
			t.Errorf("a damaged object: %v", err)
		}
	}
}
