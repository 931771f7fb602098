package run_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	iceberggo "github.com/apache/iceberg-go"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	parquetgo "github.com/parquet-go/parquet-go"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/run"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
	"github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

// longLease is so long that no renewal falls into a test's run; nobody waits for its end, see outwait.
const longLease = time.Minute

// landing is a target of the source table numbers, whose rows change from one generation to the next.
type landing struct {
	*lake
	name string
	// before and now are the rows of the source when it was last landed and as they are; "" is no table.
	before, now string
	generation  int
	// behind, when set, is called behind each write of a run.
	behind func(call)
	// foreign are objects in the table's folders that lakeland did not write.
	foreign []string
	way
	// values are the rows of the source.
	values map[int]int
	// ever are the rows that the source had at some time.
	ever map[string]bool
}

// way is how a target is landed.
type way struct {
	name string
	// merging says that changes are merged, and that the source deletes nothing, which no horizon finds.
	merging bool
	// versions says that all rows that were ever landed stay.
	versions bool
	// sparse says that a generation changes some rows, not all.
	sparse bool
	// hudi says that the table is one of Hudi.
	hudi bool
	// edit is what the document says.
	edit func(*spec.Table)
}

func incremental(s *spec.Table) { s.Extract.Mode, s.PrimaryKey = "incremental", []string{"id"} }

func historical(s *spec.Table) {
	incremental(s)
	s.StorageMode, s.Ordering = "historical", "v"
}

func hudiFormat(edit func(*spec.Table), partitions ...string) func(*spec.Table) {
	return func(s *spec.Table) {
		edit(s)
		s.Target.Format, s.PartitionBy = "hudi", partitions
	}
}

// The ways to land.
var (
	replaced = way{name: "replacing a table", edit: func(*spec.Table) {}}
	merged   = way{name: "merging into a table", merging: true, edit: incremental}
	marked   = way{name: "merging into partitions on read", merging: true, sparse: true, edit: func(s *spec.Table) {
		incremental(s)
		s.WriteMode, s.PartitionBy = "merge_on_read", []string{"bucket(2, v)"}
	}}
	flipped = way{name: "replacing plain files", edit: func(s *spec.Table) { s.Target.Format = "parquet" }}
	batched = way{name: "adding batches of plain files", merging: true, sparse: true, versions: true, edit: func(s *spec.Table) {
		historical(s)
		s.Target.Format = "parquet"
	}}
	hudiReplaced = way{name: "replacing a table of Hudi", hudi: true, edit: hudiFormat(func(s *spec.Table) { s.PrimaryKey = []string{"id"} })}
	hudiMerged   = way{name: "merging into Hudi", hudi: true, merging: true, sparse: true, edit: hudiFormat(incremental)}
	hudiParted   = way{name: "merging into partitions of Hudi", hudi: true, merging: true, sparse: true, edit: hudiFormat(incremental, "half")}
	hudiVersions = way{name: "adding versions in Hudi", hudi: true, merging: true, sparse: true, versions: true, edit: hudiFormat(historical)}
	hudiHistory  = way{name: "adding versions in partitions of Hudi", hudi: true, merging: true, sparse: true, versions: true, edit: hudiFormat(historical, "half")}
	versioned    = way{name: "adding versions", merging: true, sparse: true, versions: true, edit: historical}
)

// newNumbers makes a lake whose source is the table numbers.
func newNumbers(t *testing.T) *lake {
	t.Helper()
	return newLake(t, `CREATE TABLE numbers (id int PRIMARY KEY, v int NOT NULL, half int GENERATED ALWAYS AS (v % 2) STORED)`)
}

// landing configures a target of numbers.
func (l *lake) landing(name string) *landing {
	l.t.Helper()
	return l.landingBy(name, replaced)
}

// mergingInto is landing for a target that changes are merged into.
func (l *lake) mergingInto(name string) *landing {
	l.t.Helper()
	return l.landingBy(name, merged)
}

func (l *lake) landingBy(name string, by way) *landing {
	l.t.Helper()
	d := &landing{lake: l, name: name, way: by, values: map[int]int{}, ever: map[string]bool{}}
	doc := l.source(name)
	by.edit(doc)
	doc.Source.Database.Table = "numbers"
	l.must(l.tracking.CreateTable(l.t.Context(), doc, sandbox.Account))
	d.change()
	return d
}

// litter puts foreign objects into the table's folders, as whoever takes these for his own may; a table is not made among them.
func (d *landing) litter() {
	d.t.Helper()
	for _, key := range []string{"data/foreign.parquet", "metadata/00000-foreign.metadata.json", "metadata/foreign-a.avro"} {
		key = "raw/" + d.name + "/" + key
		_, err := d.clients.S3.PutObject(d.t.Context(), &s3.PutObjectInput{Bucket: aws.String(d.bucket), Key: aws.String(key), Body: strings.NewReader("foreign")})
		d.must(err)
		d.foreign = append(d.foreign, key)
	}
}

// change makes the source's next generation: other rows, in another number.
func (d *landing) change() {
	d.t.Helper()
	d.generation++
	n := 3 + d.generation%5
	if d.merging {
		n = 2 + d.generation
	}
	some := "true"
	if d.sparse {
		some = fmt.Sprintf("numbers.id %% 4 = %d", d.generation%4)
	}
	d.sql(fmt.Sprintf(`WITH gone AS (DELETE FROM numbers WHERE id > %d) INSERT INTO numbers SELECT i, %d FROM generate_series(1, %d) i ON CONFLICT (id) DO UPDATE SET v = excluded.v WHERE %s`, n, d.generation, n, some))
	for id := range d.values {
		if id > n {
			delete(d.values, id)
		}
	}
	for id := range n + 1 {
		if _, there := d.values[id]; id > 0 && (!there || !d.sparse || id%4 == d.generation%4) {
			d.values[id] = d.generation
			d.ever[fmt.Sprintf("%d=%d", id, d.generation)] = true
		}
	}
	var rows []string
	for id, v := range d.values {
		rows = append(rows, fmt.Sprintf("%d=%d", id, v))
	}
	if d.versions {
		rows = slices.Collect(maps.Keys(d.ever))
	}
	slices.Sort(rows) // as the reader has them
	d.now = strings.Join(rows, " ")
}

// run takes the table through one run of a worker of its own, whose network follows the plan.
func (d *landing) run(plan func(int, call) harm) (run.Outcome, *network) {
	d.t.Helper()
	w, n := d.workerOver(plan)
	n.behind = d.behind
	if err := w.tracking.CheckLayout(d.t.Context()); err != nil {
		return run.Outcome{Err: err}, n
	}
	r := w.runner()
	r.Lease = longLease
	return r.Table(d.t.Context(), "shop."+d.name), n
}

// outwait lets the time pass after which a lease that nobody renews is over.
func (l *lake) outwait() { l.ahead.Add(int64(longLease + 3*time.Second)) }

// lands runs the table undisturbed and checks everything that a run which ended well guarantees.
func (d *landing) lands(why string) {
	d.t.Helper()
	out, _ := d.run(nil)
	if out.Err != nil {
		d.t.Fatalf("%s: the next run failed: %v", why, out.Err)
	}
	d.settled(why, out)
}

// settled checks what is guaranteed after a run that ended well: exactly the source's rows, and a commit, a
// position and a history that agree.
func (d *landing) settled(why string, out run.Outcome) {
	d.t.Helper()
	if d.foreign == nil {
		d.litter()
	}
	d.sees(why, d.now)
	if d.hudi {
		d.shownWhole(why)
	}
	d.before = d.now
	name := "shop." + d.name
	head := d.head(d.name)
	position, err := d.tracking.Position(d.t.Context(), name)
	d.must(err)
	runs, err := d.tracking.Runs(d.t.Context(), name, 3)
	d.must(err)
	switch {
	// A merge that finds nothing leaves the commit that it found, and moves the position on from there.
	case head.CheckpointCommit != out.Commit || head.Checkpoint.RunID != out.RunID && !d.merging || head.Commit != head.CheckpointCommit:
		d.t.Errorf("%s: the head is %s, with a checkpoint of run %s; run %s ended with %q", why, head.Commit, head.Checkpoint.RunID, out.RunID, out.Commit)
	case position == nil || position.Commit != out.Commit || string(position.Position) != string(head.Checkpoint.To) && head.Checkpoint.RunID == out.RunID:
		d.t.Errorf("%s: the position is %+v; the commit %s goes to %s", why, position, out.Commit, head.Checkpoint.To)
	case len(runs) == 0 || runs[0].RunID != out.RunID || runs[0].State != tracking.RunSucceeded || runs[0].Commit != out.Commit:
		d.t.Errorf("%s: history lacks run %s: %+v", why, out.RunID, runs)
	case runs[0].Fence.N != head.Checkpoint.Fence.N && head.Checkpoint.RunID == out.RunID:
		d.t.Errorf("%s: the fence is %v in history and %v in the commit", why, runs[0].Fence, head.Checkpoint.Fence)
	}
}

// sees checks that a reader of the catalogue sees the rows of one of several states, and returns which.
func (d *landing) sees(why string, states ...string) string {
	d.t.Helper()
	got, err := d.read()
	if err != nil {
		d.t.Fatalf("%s: a reader of the catalogue fails: %v", why, err)
	}
	if !slices.Contains(states, got) {
		d.t.Errorf("%s: a reader sees %q, which is none of %q", why, got, states)
	}
	there := d.objects("raw/" + d.name + "/")
	for _, key := range d.foreign {
		if _, ok := there[key]; !ok {
			d.t.Errorf("%s: the foreign object %s is gone", why, key)
		}
	}
	return got
}

// read reads the rows as readers of the catalogue do: entry, metadata, manifests, data files.
func (d *landing) read() (string, error) {
	if d.hudi {
		return d.readHudi()
	}
	entry, err := d.runner().Catalog.Get(d.t.Context(), d.database, d.name)
	if err == nil && entry.Parameters["metadata_location"] == "" {
		return d.readFolders(entry)
	}
	m, err := d.metadata()
	if err != nil || m == nil {
		return "", err
	}
	var rows []string
	files, deletes, err := d.filesOf(m, m.Current)
	if err != nil {
		return "", err
	}
	gone := map[string]bool{}
	for _, file := range deletes {
		if err := d.readFile(file, func(_ int, row parquetgo.Row) { gone[fmt.Sprintf("%s %d", row[0].ByteArray(), row[1].Int64())] = true }); err != nil {
			return "", err
		}
	}
	for _, file := range files {
		err := d.readFile(file, func(at int, row parquetgo.Row) {
			if !gone[fmt.Sprintf("%s %d", file, at)] {
				rows = append(rows, fmt.Sprintf("%d=%d", row[0].Int64(), row[1].Int64()))
			}
		})
		if err != nil {
			return "", err
		}
	}
	slices.Sort(rows)
	return strings.Join(rows, " "), nil
}

// readFolders reads the rows as readers of plain files do: all that lies in the folder of the entry, or in those of its
// partitions.
func (d *landing) readFolders(entry *catalog.Table) (string, error) {
	folders := []string{entry.Location}
	if len(entry.PartitionKeys) > 0 {
		folders = nil
		for p, err := range d.runner().Catalog.Partitions(d.t.Context(), d.database, d.name, nil) {
			if err != nil {
				return "", err
			}
			folders = append(folders, p.Location)
		}
		if len(folders) == 0 {
			return "", nil // as without a table
		}
	}
	var rows []string
	root := "s3://" + d.bucket + "/"
	for _, folder := range folders {
		for key := range d.objects(strings.TrimPrefix(folder, root)) {
			err := d.readFile(root+key, func(_ int, row parquetgo.Row) {
				rows = append(rows, fmt.Sprintf("%d=%d", row[0].Int64(), row[1].Int64()))
			})
			if err != nil {
				return "", err
			}
		}
	}
	slices.Sort(rows)
	return strings.Join(rows, " "), nil
}

// icebergMetadata is what readers need of a metadata file.
type icebergMetadata struct {
	Snapshots []icebergSnapshot `json:"snapshots"`
	Current   int64             `json:"current-snapshot-id"`
	Log       []struct {
		File string `json:"metadata-file"`
	} `json:"metadata-log"`
	address string
}

type icebergSnapshot struct {
	ID           int64             `json:"snapshot-id"`
	Parent       int64             `json:"parent-snapshot-id"`
	ManifestList string            `json:"manifest-list"`
	Summary      map[string]string `json:"summary"`
}

// metadata is the current metadata of the table; nil when there is no table.
func (d *landing) metadata() (*icebergMetadata, error) {
	entry, err := d.runner().Catalog.Get(d.t.Context(), d.database, d.name)
	if err != nil {
		if strings.Contains(err.Error(), "does not exist") {
			return nil, nil
		}
		return nil, err
	}
	m := &icebergMetadata{address: entry.Parameters["metadata_location"]}
	if m.address == "" {
		return nil, nil
	}
	data, err := d.object(m.address)
	if err != nil {
		return nil, err
	}
	return m, json.Unmarshal(data, m)
}

func (d *landing) object(address string) ([]byte, error) {
	root := "s3://" + d.bucket + "/"
	s, err := d.worker().Stores(root)
	if err != nil {
		return nil, err
	}
	return store.Read(d.t.Context(), s, strings.TrimPrefix(address, root), 64<<20)
}

// filesOf are the addresses of the data files of a snapshot, and of those of deleted positions. All that is on the way to
// them must exist.
func (d *landing) filesOf(m *icebergMetadata, id int64) (files, deletes []string, _ error) {
	for _, s := range m.Snapshots {
		if s.ID != id {
			continue
		}
		list, err := d.object(s.ManifestList)
		if err != nil {
			return nil, nil, err
		}
		manifests, err := iceberggo.ReadManifestList(bytes.NewReader(list))
		if err != nil {
			return nil, nil, err
		}
		for _, manifest := range manifests {
			data, err := d.object(manifest.FilePath())
			if err != nil {
				return nil, nil, err
			}
			entries, err := iceberggo.ReadManifest(manifest, bytes.NewReader(data), true)
			if err != nil {
				return nil, nil, err
			}
			for _, e := range entries {
				if e.DataFile().ContentType() == iceberggo.EntryContentPosDeletes {
					deletes = append(deletes, e.DataFile().FilePath())
				} else {
					files = append(files, e.DataFile().FilePath())
				}
			}
		}
	}
	return files, deletes, nil
}

// readFile reads the rows of a Parquet file with their places.
func (d *landing) readFile(address string, row func(at int, row parquetgo.Row)) error {
	data, err := d.object(address)
	if err != nil {
		return err
	}
	if err := eachRow(data, row); err != nil {
		return fmt.Errorf("%s: %w", address, err)
	}
	return nil
}

func eachRow(data []byte, row func(at int, row parquetgo.Row)) error {
	f, err := parquetgo.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return err
	}
	at := 0
	reader := parquetgo.NewReader(f)
	buffer := make([]parquetgo.Row, 10)
	for {
		n, err := reader.ReadRows(buffer)
		for _, r := range buffer[:n] {
			row(at, r)
			at++
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// whole checks, over all snapshots of the table, that the chain of positions is whole, that no run committed twice, that every
// file referenced is there, and, where no worker was killed, that nothing else is.
func (d *landing) whole(exactly bool) {
	d.t.Helper()
	d.chained("in the end")
	if d.hudi {
		d.wholeHudi(exactly)
		return
	}
	m, err := d.metadata()
	d.must(err)
	if m == nil {
		return // plain files have no history; conformance looks at what is left of them
	}
	there := d.objects("raw/" + d.name + "/")
	root := "s3://" + d.bucket + "/"
	wanted := map[string]bool{}
	for _, key := range d.foreign {
		wanted[key] = true
	}
	runs := map[string]int64{}
	for _, s := range m.Snapshots {
		c, err := table.ParseCheckpoint([]byte(s.Summary["lakeland.checkpoint"]))
		d.must(err)
		if other, twice := runs[c.RunID]; twice {
			d.t.Errorf("run %s made two commits, %d and %d", c.RunID, other, s.ID)
		}
		runs[c.RunID] = s.ID
		files, deletes, err := d.filesOf(m, s.ID)
		d.must(err)
		for _, file := range append(files, deletes...) {
			wanted[strings.TrimPrefix(file, root)] = true
		}
		if d.merging {
			continue // a merge has seen what changed
		}
		if total := s.Summary["total-records"]; total != strconv.FormatInt(c.Counts.Seen, 10) {
			d.t.Errorf("snapshot %d holds %s rows and its checkpoint counted %d", s.ID, total, c.Counts.Seen)
		}
	}
	for _, old := range m.Log {
		wanted[strings.TrimPrefix(old.File, root)] = true
	}
	for _, key := range slices.Sorted(maps.Keys(wanted)) {
		if _, ok := there[key]; !ok {
			d.t.Errorf("the table needs %s, which is gone", key)
		}
	}
	if !exactly {
		return
	}
	for _, key := range slices.Sorted(maps.Keys(there)) {
		if strings.Contains(key, "/data/") && !wanted[key] {
			d.t.Errorf("%s is left and belongs to no snapshot", key)
		}
	}
}
