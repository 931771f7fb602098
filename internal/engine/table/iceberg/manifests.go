package iceberg

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"

	iceberggo "github.com/apache/iceberg-go"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// The sizes of manifests, as Iceberg's writers agree on them in a table's properties. Merging begins at fewer manifests
// than elsewhere (100), since every merge of rows reads them all.
const (
	manifestTarget   = 8 << 20
	manifestsToMerge = 10
)

// totals are the counts of a snapshot's summary.
type totals struct {
	files, rows, bytes, deleteFiles, positionDeleteFiles, positionDeletes, equalityDeletes int64
}

func (c *totals) count(f iceberggo.DataFile) {
	c.bytes += f.FileSizeBytes()
	switch f.ContentType() {
	case iceberggo.EntryContentData:
		c.files++
		c.rows += f.Count()
	case iceberggo.EntryContentPosDeletes:
		c.deleteFiles++
		c.positionDeleteFiles++
		c.positionDeletes += f.Count()
	case iceberggo.EntryContentEqDeletes:
		c.deleteFiles++
		c.equalityDeletes += f.Count()
	}
}

func (c *totals) add(o totals) {
	c.files += o.files
	c.rows += o.rows
	c.bytes += o.bytes
	c.deleteFiles += o.deleteFiles
	c.positionDeleteFiles += o.positionDeleteFiles
	c.positionDeletes += o.positionDeletes
	c.equalityDeletes += o.equalityDeletes
}

// manifestWriter writes the manifests of one snapshot.
type manifestWriter struct {
	t *Table
	// metadata is the new snapshot's.
	metadata *metadata
	snapshot int64
	// name makes the key of a file of the snapshot.
	name  func(kind string) string
	files atomic.Int64
	// written counts bytes.
	written atomic.Int64
}

// fill adds entries to a manifest; they are all of one spec and of one content.
type fill func(w *iceberggo.ManifestWriter) error

// write makes manifests of entries, another one whenever the last has reached its size.
func (w *manifestWriter) write(ctx context.Context, spec iceberggo.PartitionSpec, content iceberggo.ManifestContent, entries []fill) ([]iceberggo.ManifestFile, error) {
	var out []iceberggo.ManifestFile
	for len(entries) > 0 {
		var data bytes.Buffer
		key := w.name("m" + strconv.FormatInt(w.files.Add(1), 10))
		m, err := iceberggo.NewManifestWriter(2, &data, spec, w.metadata.currentSchema(), w.snapshot, iceberggo.WithManifestWriterContent(content))
		if err != nil {
			return nil, fmt.Errorf("writing the manifest %s: %w", key, err)
		}
		for len(entries) > 0 && int64(data.Len()) < w.target() {
			if _, err := decoded(func() (bool, error) { return true, entries[0](m) }); err != nil {
				return nil, fmt.Errorf("writing the manifest %s: %w", key, err)
			}
			entries = entries[1:]
		}
		if err := m.Close(); err != nil {
			return nil, fmt.Errorf("writing the manifest %s: %w", key, err)
		}
		made, err := m.ToManifestFile(w.t.o.Store.Address(key), int64(data.Len()), iceberggo.WithManifestFileContent(content))
		if err != nil {
			return nil, fmt.Errorf("writing the manifest %s: %w", key, err)
		}
		if _, err := w.t.o.Store.Put(ctx, key, data.Bytes(), store.Condition{IfAbsent: true}); err != nil {
			return nil, err
		}
		w.written.Add(int64(data.Len()))
		out = append(out, mended(made))
	}
	return out, nil
}

// mended gives the partitions of a manifest the bounds that iceberg-go 0.7.0 leaves out: where the smallest value is the
// empty text, it writes none, and readers conclude that all values are NULL.
func mended(m iceberggo.ManifestFile) iceberggo.ManifestFile {
	summaries := m.Partitions()
	for i := range summaries {
		for _, bound := range []*[]byte{summaries[i].LowerBound, summaries[i].UpperBound} {
			if bound != nil && *bound == nil {
				*bound = []byte{}
			}
		}
	}
	return iceberggo.NewManifestFile(m.Version(), m.FilePath(), m.Length(), m.PartitionSpecID(), m.SnapshotID()).
		SequenceNum(m.SequenceNum(), m.MinSequenceNum()).Content(m.ManifestContent()).
		AddedFiles(m.AddedDataFiles()).ExistingFiles(m.ExistingDataFiles()).DeletedFiles(m.DeletedDataFiles()).
		AddedRows(m.AddedRows()).ExistingRows(m.ExistingRows()).DeletedRows(m.DeletedRows()).Partitions(summaries).Build()
}

// target is the size of a manifest in bytes.
func (w *manifestWriter) target() int64 {
	return w.metadata.number("commit.manifest.target-size-bytes", manifestTarget)
}

// added are the entries of new data files.
func (w *manifestWriter) added(ctx context.Context, files []table.DataFile) ([]iceberggo.ManifestFile, totals, error) {
	var sum totals
	spec, ok := w.metadata.spec(w.metadata.DefaultSpecID)
	if !ok {
		return nil, sum, fmt.Errorf("the table %s.%s has no partition spec %d, which it names as its own", w.t.o.Database, w.t.o.Name, w.metadata.DefaultSpecID)
	}
	fills := make([]fill, len(files))
	for i, f := range files {
		partition, err := tuple(spec, w.metadata.currentSchema(), f.Partition)
		if err != nil {
			return nil, sum, fmt.Errorf("adding %s: %w", f.Key, err)
		}
		b, err := describe(spec, iceberggo.EntryContentData, w.t.o.Store.Address(f.Key), partition, f.File)
		if err != nil {
			return nil, sum, err
		}
		file := b.SortOrderID(0).Build()
		sum.count(file)
		fills[i] = w.entry(file)
	}
	made, err := w.write(ctx, spec, iceberggo.ManifestContentData, fills)
	return made, sum, err
}

func (w *manifestWriter) entry(file iceberggo.DataFile) fill {
	return func(m *iceberggo.ManifestWriter) error {
		return m.Add(iceberggo.NewManifestEntry(iceberggo.EntryStatusADDED, &w.snapshot, nil, nil, file))
	}
}

// addedDeletes are the entries of new files of positions: each is of its data file's partition, and bounded by the data
// file's address, which tells readers that it is about that one alone.
func (w *manifestWriter) addedDeletes(ctx context.Context, l *listing, files []table.DeleteFile) ([]iceberggo.ManifestFile, totals, error) {
	var sum totals
	bySpec := map[int][]fill{}
	var order []iceberggo.PartitionSpec
	for _, f := range files {
		address := w.t.o.Store.Address(f.Data)
		of := l.files[l.byAddress[address]]
		f.File.Columns = slices.Clone(f.File.Columns)
		for i, c := range f.File.Columns {
			if c.FieldID == pathField {
				f.File.Columns[i].Lower, f.File.Columns[i].Upper = []byte(address), []byte(address)
			}
		}
		b, err := describe(of.spec, iceberggo.EntryContentPosDeletes, w.t.o.Store.Address(f.Key), of.partition, f.File)
		if err != nil {
			return nil, sum, err
		}
		file := b.ReferencedDataFile(address).Build()
		sum.count(file)
		if bySpec[of.spec.ID()] == nil {
			order = append(order, of.spec)
		}
		bySpec[of.spec.ID()] = append(bySpec[of.spec.ID()], w.entry(file))
	}
	var out []iceberggo.ManifestFile
	for _, spec := range order {
		made, err := w.write(ctx, spec, iceberggo.ManifestContentDeletes, bySpec[spec.ID()])
		if err != nil {
			return nil, sum, err
		}
		out = append(out, made...)
	}
	return out, sum, nil
}
