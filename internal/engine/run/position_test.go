package run_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table/hive"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table/iceberg"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// leafy makes a table of enough partitions for its position to be long.
func leafy() []string {
	statements := []string{`CREATE TABLE parted (id int, note text, at timestamptz NOT NULL DEFAULT clock_timestamp(), PRIMARY KEY (id)) PARTITION BY RANGE (id)`}
	for i := range 60 {
		statements = append(statements, fmt.Sprintf(`CREATE TABLE parted_%03d_%s PARTITION OF parted FOR VALUES FROM (%d) TO (%d)`, i, strings.Repeat("x", 50), i*10, i*10+10))
	}
	return append(statements, `INSERT INTO parted SELECT i, 'first' FROM generate_series(0, 599) i`)
}

// deaf is a catalogue that a run dies in front of, where it commits.
type deaf struct{ catalog.Catalog }

var errDied = errors.New("killed in front of the commit")

func (deaf) Create(context.Context, *catalog.Table) error { return errDied }

func (deaf) Update(context.Context, *catalog.Table) error { return errDied }

func (deaf) CreatePartition(context.Context, string, string, *catalog.Partition) error {
	return errDied
}

// positions are the keys of the objects that hold positions of a table, but for some.
func (l *lake) positions(name string, but ...string) map[string]bool {
	l.t.Helper()
	out := map[string]bool{}
	for key := range l.objects("raw/" + name + "/metadata/") {
		if strings.Contains(key, "-position") && !slices.Contains(but, key) {
			out[key] = true
		}
	}
	return out
}

// A position above 4 KiB is an object beside the table. Commit, tracker and history name it by key and SHA-256, so they stay
// small however many partitions the table has; the chain of commits is whole by them; what no commit needs any more goes.
func TestLongPositionsLieBesideTheTable(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"iceberg", "parquet"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			l := newLake(t, leafy()...)
			l.changing("parted", spec.Extract{}, func(s *spec.Table) {
				if s.Target.Format = format; format == "parquet" {
					s.StorageMode, s.Ordering = "historical", "at"
				}
			})
			bucket, err := l.worker().Stores("s3://" + l.bucket + "/")
			l.must(err)
			// What a first run leaves that dies in front of its commit is no hindrance.
			dying := l.runner()
			dying.Catalog = deaf{dying.Catalog}
			if out := dying.Table(t.Context(), "shop.parted"); !errors.Is(out.Err, errDied) || len(l.positions("parted")) != 1 {
				t.Fatalf("it left %v: %v", l.positions("parted"), out.Err)
			}
			dead := slices.Collect(maps.Keys(l.positions("parted"))) // under the id of a table that never came about
			_, first := l.round("parted")
			l.sql(`UPDATE parted SET note = 'second', at = clock_timestamp() WHERE id % 100 = 7`)
			_, second := l.round("parted")
			if second.Inserted+second.Updated != 6 || second.From != first.To {
				t.Errorf("%d inserted and %d updated from %s, the first went to %s", second.Inserted, second.Updated, second.From, first.To)
			}
			h := l.head("parted")
			tracked, err := l.tracking.Position(t.Context(), "shop.parted")
			l.must(err)
			for where, stands := range map[string]string{"history": second.To, "history's from": second.From, "tracker": string(tracked.Position), "commit": string(h.Checkpoint.To), "commit's read_from": string(h.Checkpoint.ReadFrom)} {
				var at struct{ Key, SHA256 string }
				l.must(json.Unmarshal([]byte(stands), &at))
				data, err := store.Read(t.Context(), bucket, at.Key, 1<<20)
				l.must(err)
				if len(stands) > 512 || len(data) <= 4<<10 || fmt.Sprintf("%x", sha256.Sum256(data)) != at.SHA256 || !strings.HasPrefix(at.Key, "raw/parted/") || !strings.Contains(at.Key, h.TableID) {
					t.Errorf("%s: %s stands for %d bytes", where, stands, len(data))
				}
				if p, err := postgres.DecodePosition(data); err != nil || len(p.Xmin.Leaves) != 60 {
					t.Errorf("%s: %v", where, err)
				}
			}

			// Runs that only move the tracker leave one object of theirs. How far the server has come is others' business too, so
			// that two positions may be one.
			named := func(h *table.Head) map[string]bool {
				keys := map[string]bool{table.PositionObject(json.RawMessage(first.To)): true, table.PositionObject(json.RawMessage(second.To)): true}
				for _, key := range h.Checkpoint.Objects() {
					keys[key] = true
				}
				return keys
			}
			for range 3 {
				l.sql(`CREATE TABLE other ()`, `DROP TABLE other`) // time passes for the server
				if _, ran := l.round("parted"); ran.Commit != second.Commit {
					t.Fatalf("a run without changes made the commit %s", ran.Commit)
				}
			}
			tracked, err = l.tracking.Position(t.Context(), "shop.parted")
			l.must(err)
			want := named(h)
			want[table.PositionObject(tracked.Position)] = true
			if diff := cmp.Diff(want, l.positions("parted", dead...)); diff != "" {
				t.Errorf("behind runs that moved the tracker: %s", diff)
			}

			// A run that dies between the object and the commit leaves an object and nothing else.
			l.sql(`UPDATE parted SET note = 'third', at = clock_timestamp() WHERE id % 100 = 8`)
			r := l.runner()
			r.Catalog = deaf{r.Catalog}
			if out := r.Table(t.Context(), "shop.parted"); !errors.Is(out.Err, errDied) {
				t.Fatal(out.Err)
			}
			if now := l.head("parted").Commit; now != h.Commit {
				t.Errorf("a run that died made the commit %s", now)
			}
			l.sql(`CREATE TABLE other ()`, `DROP TABLE other`)
			_, third := l.round("parted")
			h = l.head("parted")
			if third.From != second.To || third.Inserted+third.Updated != 6 || string(h.Checkpoint.From) != third.From {
				t.Errorf("%d inserted and %d updated from %s, the commit before went to %s", third.Inserted, third.Updated, third.From, second.To)
			}
			if rows := map[string]int64{"iceberg": 600, "parquet": 612}[format]; h.Rows != rows {
				t.Errorf("%d rows, not %d", h.Rows, rows)
			}

			// Cleaning keeps what commits name, whatever its age, and removes the rest.
			later := func() time.Time { return time.Now().Add(30 * 24 * time.Hour) }
			var old table.Table = iceberg.New(iceberg.Options{Store: bucket, Catalog: l.runner().Catalog, Prefix: "raw/parted/", Database: l.database, Name: "parted", Now: later})
			if format == "parquet" {
				old = hive.New(hive.Options{Store: bucket, Catalog: l.runner().Catalog, Prefix: "raw/parted/", Database: l.database, Name: "parted", Historical: true, Now: later})
			}
			_, err = old.RemoveOrphans(t.Context(), 72*time.Hour)
			l.must(err)
			if diff := cmp.Diff(named(h), l.positions("parted", dead...)); diff != "" {
				t.Errorf("behind the removal of orphans: %s", diff)
			}

			// One that is gone, or is not what was written, names the way out; a reload is it.
			key := table.PositionObject(h.Checkpoint.To)
			_, err = bucket.Put(t.Context(), key, []byte(`{"v":1}`), store.Condition{})
			l.must(err)
			l.refused("parted", postgres.ErrReload, "is not what was written")
			l.must(bucket.Delete(t.Context(), key))
			l.refused("parted", postgres.ErrReload, key+" is gone")
			l.change("parted", func(s *spec.Table) { s.Reload = "again" })
			l.sql(`UPDATE parted SET note = 'fourth', at = clock_timestamp() WHERE id = 9`)
			l.round("parted")
			if c := l.head("parted").Checkpoint; c.Reload != "again" || table.PositionObject(c.To) == "" {
				t.Errorf("the checkpoint of reload %q goes to %s", c.Reload, c.To)
			}
		})
	}
}

// A tracker that was restored may name a position whose object is gone since: the table's own wins.
func TestRestoredTrackerNamesAPositionThatIsGone(t *testing.T) {
	t.Parallel()
	l := newLake(t, leafy()...)
	l.changing("parted", spec.Extract{}, nil)
	l.round("parted")
	l.sql(`CREATE TABLE other ()`)
	_, moved := l.round("parted")
	tracked, err := l.tracking.Position(t.Context(), "shop.parted")
	l.must(err)
	key := table.PositionObject(tracked.Position)
	h := l.head("parted")
	if key == "" || key == table.PositionObject(h.Checkpoint.To) || tracked.Commit != h.CheckpointCommit || moved.To != string(tracked.Position) {
		t.Fatalf("the tracker stands at %s, the commit at %s", tracked.Position, h.Checkpoint.To)
	}
	bucket, err := l.worker().Stores("s3://" + l.bucket + "/")
	l.must(err)
	l.must(bucket.Delete(t.Context(), key))
	l.sql(`UPDATE parted SET note = 'later' WHERE id = 5`)
	if _, ran := l.round("parted"); ran.Updated != 1 || ran.From != string(h.Checkpoint.To) {
		t.Errorf("%d updated, from %s", ran.Updated, ran.From)
	}
	l.equal("parted")
}
