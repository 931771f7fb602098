package iceberg

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	iceberggo "github.com/apache/iceberg-go"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/guard"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// atOnce bounds the objects that are read at the same time, joinsAtOnce the manifests that are written anew, which are held
// in memory as a whole.
const (
	atOnce      = 8
	joinsAtOnce = 2
)

// maxManifest bounds a manifest or manifest list in bytes.
const maxManifest = 256 << 20

// listing is what a snapshot holds: its manifests and their live files.
type listing struct {
	manifests []iceberggo.ManifestFile
	files     []liveFile
	deletes   []liveDelete
	// byAddress finds a file by its address.
	byAddress map[string]int
	stored    []table.StoredFile
}

type liveFile struct {
	address string
	// manifest is the number of the manifest that names the file.
	manifest  int
	spec      iceberggo.PartitionSpec
	partition map[int]any
	sequence  int64
}

type liveDelete struct {
	address  string
	manifest int
	sequence int64
	// only is the address of the one data file whose rows it names, "" for several.
	only string
	// files are the data files that it may name rows of.
	files []int
}

// list reads a snapshot's files, once per head.
func (t *Table) list(ctx context.Context, on *base) (*listing, error) {
	on.mu.Lock()
	defer on.mu.Unlock()
	if on.listing != nil {
		return on.listing, nil
	}
	l := &listing{byAddress: map[string]int{}}
	if on.metadata != nil && on.metadata.current() != nil {
		manifests, err := t.readList(ctx, on.metadata.current())
		if err != nil {
			return nil, err
		}
		l.manifests = manifests
		scanned := make([]scan, len(manifests))
		err = guard.Each(ctx, atOnce, len(manifests), func(ctx context.Context, i int) error {
			var err error
			scanned[i], err = t.scan(ctx, on.metadata, manifests[i])
			return err
		})
		if err == nil {
			_, err = decoded(func() (bool, error) { return true, l.join(on.metadata, t.o.Store, scanned) })
		}
		if err != nil {
			return nil, err
		}
	}
	on.listing = l
	return l, nil
}

// Files implements table.Table.
func (t *Table) Files(ctx context.Context, head *table.Head) ([]table.StoredFile, error) {
	on, err := baseOf(head)
	if err != nil {
		return nil, err
	}
	l, err := t.list(ctx, on)
	if err != nil {
		return nil, fmt.Errorf("listing the files of %s.%s: %w", t.o.Database, t.o.Name, err)
	}
	return slices.Clone(l.stored), nil
}

// scan is the live files of one manifest.
type scan struct {
	files   []liveFile
	stored  []table.StoredFile
	deletes []iceberggo.ManifestEntry
}

func (t *Table) scan(ctx context.Context, m *metadata, manifest iceberggo.ManifestFile) (scan, error) {
	var out scan
	data, err := t.read(ctx, manifest.FilePath())
	if err != nil {
		return out, err
	}
	var refused error
	_, err = decoded(func() (bool, error) {
		return true, eachLive(manifest, data, func(e iceberggo.ManifestEntry) bool {
			file := e.DataFile()
			switch {
			case file.ContentType() == iceberggo.EntryContentEqDeletes:
				refused = fmt.Errorf("%s deletes rows by their values, which another engine wrote and is not merged here: let that engine rewrite the table's files first (in Spark: CALL system.rewrite_data_files with the option delete-file-threshold = 1), or set reload to a new value", file.FilePath())
			case file.FileFormat() != iceberggo.ParquetFile && file.ContentType() == iceberggo.EntryContentPosDeletes:
				refused = fmt.Errorf("%s deletes rows by their positions and is a file of format %s, and only Parquet is merged here: let the engine that wrote it rewrite it (in Spark: set the table's write.delete.format.default to parquet, and CALL system.rewrite_position_delete_files with the option rewrite-all), or set reload to a new value", file.FilePath(), file.FileFormat())
			case file.FileFormat() != iceberggo.ParquetFile:
				refused = fmt.Errorf("%s is a file of format %s, and only Parquet is merged here: let the engine that wrote it rewrite the table's files as Parquet (write.format.default), or set reload to a new value", file.FilePath(), file.FileFormat())
			case file.ContentType() == iceberggo.EntryContentPosDeletes:
				out.deletes = append(out.deletes, e)
			default:
				refused = out.take(m, t.o.Store, e)
			}
			return refused == nil
		})
	})
	if err != nil {
		return out, damaged(manifest.FilePath(), err)
	}
	return out, refused
}

// take adds a data file.
func (c *scan) take(m *metadata, s store.Store, e iceberggo.ManifestEntry) error {
	file := e.DataFile()
	f := liveFile{address: file.FilePath(), partition: file.Partition(), sequence: e.SequenceNum()}
	key, ok := strings.CutPrefix(f.address, s.Address(""))
	if !ok {
		return fmt.Errorf("%w: its file %s lies outside %s", table.ErrForeign, f.address, s.Address(""))
	}
	if f.spec, ok = m.spec(int(file.SpecID())); !ok {
		return fmt.Errorf("%s has the partition spec %d, which the table does not have", f.address, file.SpecID())
	}
	stored := table.StoredFile{Key: key, Size: file.FileSizeBytes(), Rows: file.Count(), Lower: file.LowerBoundValues(), Upper: file.UpperBoundValues()}
	if f.spec.ID() == m.DefaultSpecID {
		var err error
		if stored.Partition, err = valuesOf(f.spec, f.partition); err != nil {
			return fmt.Errorf("%s: %w", f.address, err)
		}
	} else {
		stored.OtherSpec = true
	}
	c.files, c.stored = append(c.files, f), append(c.stored, stored)
	return nil
}

// join makes a listing of what its manifests hold.
func (l *listing) join(m *metadata, s store.Store, scanned []scan) error {
	partitions := map[string][]int{}
	for i, one := range scanned {
		for _, f := range one.files {
			if _, twice := l.byAddress[f.address]; twice {
				return fmt.Errorf("%s is in the table twice: an engine added it a second time; set reload to a new value to land the table afresh", f.address)
			}
			f.manifest = i
			l.byAddress[f.address] = len(l.files)
			l.files = append(l.files, f)
		}
		l.stored = append(l.stored, one.stored...)
	}
	if slices.ContainsFunc(scanned, func(one scan) bool { return len(one.deletes) > 0 }) {
		for i, f := range l.files {
			id := tupleID(f.spec, f.partition)
			partitions[id] = append(partitions[id], i)
		}
	}
	for i, one := range scanned {
		for _, e := range one.deletes {
			if err := l.takeDelete(m, s, e, i, partitions); err != nil {
				return err
			}
		}
	}
	return nil
}

// pathField is the id of the column of position deletes that holds addresses of data files.
const pathField = 2147483546

// takeDelete finds the data files that a file of positions may name rows of ("Scan Planning"): of the same partition, not
// younger, and within its bounds.
func (l *listing) takeDelete(m *metadata, s store.Store, e iceberggo.ManifestEntry, manifest int, partitions map[string][]int) error {
	file := e.DataFile()
	d := liveDelete{address: file.FilePath(), manifest: manifest, sequence: e.SequenceNum()}
	key, ok := strings.CutPrefix(d.address, s.Address(""))
	if !ok {
		return fmt.Errorf("%w: its file %s lies outside %s", table.ErrForeign, d.address, s.Address(""))
	}
	lower, upper := file.LowerBoundValues()[pathField], file.UpperBoundValues()[pathField]
	if of := file.ReferencedDataFile(); of != nil {
		d.only = *of
	} else if lower != nil && bytes.Equal(lower, upper) {
		d.only = string(lower) // a bound that was cut is never equal to the other
	}
	var candidates []int
	if d.only != "" {
		if at, ok := l.byAddress[d.only]; ok {
			candidates = []int{at}
		}
	} else {
		spec, ok := m.spec(int(file.SpecID()))
		if !ok {
			return fmt.Errorf("%s has the partition spec %d, which the table does not have", d.address, file.SpecID())
		}
		candidates = partitions[tupleID(spec, file.Partition())]
	}
	stored := table.StoredDelete{Key: key, Size: file.FileSizeBytes(), Rows: file.Count(), Only: d.only != ""}
	for _, i := range candidates {
		f := l.files[i]
		if f.sequence > d.sequence || lower != nil && f.address < string(lower) || upper != nil && f.address > string(upper) {
			continue
		}
		d.files = append(d.files, i)
		l.stored[i].Deletes = append(l.stored[i].Deletes, stored)
	}
	l.deletes = append(l.deletes, d)
	return nil
}

// tupleID tells partitions apart.
func tupleID(spec iceberggo.PartitionSpec, partition map[int]any) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d", spec.ID())
	for _, field := range spec.Fields() {
		value := fmt.Sprintf("%T %v", partition[field.FieldID], partition[field.FieldID])
		fmt.Fprintf(&b, " %d:%s", len(value), value)
	}
	return b.String()
}

// readList reads the manifests of a snapshot, those without live files left out.
func (t *Table) readList(ctx context.Context, s *snapshot) ([]iceberggo.ManifestFile, error) {
	manifests, err := t.readWholeList(ctx, s)
	return slices.DeleteFunc(manifests, func(m iceberggo.ManifestFile) bool { return !m.HasAddedFiles() && !m.HasExistingFiles() }), err
}

func (t *Table) readWholeList(ctx context.Context, s *snapshot) ([]iceberggo.ManifestFile, error) {
	data, err := t.read(ctx, s.ManifestList)
	if err != nil {
		return nil, err
	}
	manifests, err := decoded(func() ([]iceberggo.ManifestFile, error) { return iceberggo.ReadManifestList(bytes.NewReader(data)) })
	if err != nil {
		return nil, damaged(s.ManifestList, err)
	}
	return manifests, nil
}

// readManifest reads the live entries of a manifest as a whole, to be written again.
func (t *Table) readManifest(ctx context.Context, manifest iceberggo.ManifestFile) ([]iceberggo.ManifestEntry, error) {
	data, err := t.read(ctx, manifest.FilePath())
	if err != nil {
		return nil, err
	}
	entries, err := decoded(func() ([]iceberggo.ManifestEntry, error) {
		return iceberggo.ReadManifest(manifest, bytes.NewReader(data), true)
	})
	if err != nil {
		return nil, damaged(manifest.FilePath(), err)
	}
	return entries, nil
}

// eachLive calls take with the live entries of a manifest, until it says false. What only writing them again needs is
// left out.
func eachLive(manifest iceberggo.ManifestFile, data []byte, take func(iceberggo.ManifestEntry) bool) (err error) {
	r, err := iceberggo.NewManifestReaderWithProjection(manifest, bytes.NewReader(data), iceberggo.ManifestEntryProjection{IncludePruningStats: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	for {
		e, err := r.ReadEntry()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if e.Status() != iceberggo.EntryStatusDELETED && !take(e) {
			return nil
		}
	}
}

// decoded turns a panic of the decoder, which trusts what it reads, into an error.
func decoded[T any](decode func() (T, error)) (out T, err error) {
	defer func() {
		if wrong := recover(); wrong != nil {
			err = fmt.Errorf("decoding it failed: %v", wrong)
		}
	}()
	return decode()
}

var errDamaged = errors.New("it is damaged: roll the table back to an older snapshot, or set reload to a new value to land it afresh")

func damaged(address string, err error) error {
	return fmt.Errorf("reading %s: %w; %w", address, err, errDamaged)
}

func (t *Table) read(ctx context.Context, address string) ([]byte, error) {
	key, ok := strings.CutPrefix(address, t.o.Store.Address(""))
	if !ok {
		return nil, fmt.Errorf("%w: %s lies outside %s", table.ErrForeign, address, t.o.Store.Address(""))
	}
	return store.Read(ctx, t.o.Store, key, maxManifest)
}
