package iceberg

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	iceberggo "github.com/apache/iceberg-go"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// maxManifest bounds a manifest or manifest list in bytes.
const maxManifest = 512 << 20

// totals are the counts of a snapshot's summary.
type totals struct {
	files, rows, bytes, deleteFiles, positionDeletes, equalityDeletes int64
}

// removed is what a commit takes out of the table: manifests that say so, and the sums.
type removed struct {
	manifests []iceberggo.ManifestFile
	totals    totals
	written   int64
}

// removeAll marks every live entry of a snapshot as deleted, a manifest for each one that had some, so that
// readers of changes and expiry see what went.
func (t *Table) removeAll(ctx context.Context, m *metadata, s *snapshot, id int64, name func(kind string) string) (*removed, error) {
	out := &removed{}
	if s == nil {
		return out, nil
	}
	list, err := t.read(ctx, s.ManifestList)
	if err != nil {
		return nil, err
	}
	manifests, err := iceberggo.ReadManifestList(bytes.NewReader(list))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", s.ManifestList, err)
	}
	for i, manifest := range manifests {
		if !manifest.HasAddedFiles() && !manifest.HasExistingFiles() {
			continue
		}
		spec, ok := m.spec(int(manifest.PartitionSpecID()))
		if !ok {
			return nil, fmt.Errorf("reading %s: it has partition spec %d, which the table does not have", manifest.FilePath(), manifest.PartitionSpecID())
		}
		data, err := t.read(ctx, manifest.FilePath())
		if err != nil {
			return nil, err
		}
		entries, err := iceberggo.ReadManifest(manifest, bytes.NewReader(data), true)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", manifest.FilePath(), err)
		}
		for _, entry := range entries {
			out.totals.count(entry.DataFile())
		}
		written, size, err := t.writeManifest(ctx, name(fmt.Sprintf("d%d", i)), manifest.ManifestContent(), spec, m.currentSchema(), id, func(w *iceberggo.ManifestWriter) error {
			for _, entry := range entries {
				if err := w.Delete(entry); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		out.manifests = append(out.manifests, written)
		out.written += size
	}
	return out, nil
}

func (c *totals) count(f iceberggo.DataFile) {
	c.bytes += f.FileSizeBytes()
	switch f.ContentType() {
	case iceberggo.EntryContentData:
		c.files++
		c.rows += f.Count()
	case iceberggo.EntryContentPosDeletes:
		c.deleteFiles++
		c.positionDeletes += f.Count()
	case iceberggo.EntryContentEqDeletes:
		c.deleteFiles++
		c.equalityDeletes += f.Count()
	}
}

// add writes a manifest of new files; nil when there are none.
func (t *Table) add(ctx context.Context, spec iceberggo.PartitionSpec, s *iceberggo.Schema, files []table.DataFile, id int64, name string) (iceberggo.ManifestFile, totals, int64, error) {
	var sum totals
	if len(files) == 0 {
		return nil, sum, 0, nil
	}
	manifest, size, err := t.writeManifest(ctx, name, iceberggo.ManifestContentData, spec, s, id, func(w *iceberggo.ManifestWriter) error {
		for _, f := range files {
			file, err := t.dataFile(spec, f)
			if err != nil {
				return err
			}
			sum.count(file)
			if err := w.Add(iceberggo.NewManifestEntry(iceberggo.EntryStatusADDED, &id, nil, nil, file)); err != nil {
				return err
			}
		}
		return nil
	})
	return manifest, sum, size, err
}

func (t *Table) dataFile(spec iceberggo.PartitionSpec, f table.DataFile) (iceberggo.DataFile, error) {
	b, err := iceberggo.NewDataFileBuilder(spec, iceberggo.EntryContentData, t.o.Store.Address(f.Key), iceberggo.ParquetFile, nil, nil, nil, f.File.Rows, f.File.Size)
	if err != nil {
		return nil, fmt.Errorf("describing %s: %w", f.Key, err)
	}
	sizes, values, nulls, nans := map[int]int64{}, map[int]int64{}, map[int]int64{}, map[int]int64{}
	lower, upper := map[int][]byte{}, map[int][]byte{}
	for _, c := range f.File.Columns {
		sizes[c.FieldID], values[c.FieldID], nulls[c.FieldID] = c.Size, c.Values, c.Nulls
		if c.NaNs != nil {
			nans[c.FieldID] = *c.NaNs
		}
		if c.Lower != nil {
			lower[c.FieldID] = c.Lower
		}
		if c.Upper != nil {
			upper[c.FieldID] = c.Upper
		}
	}
	return b.ColumnSizes(sizes).ValueCounts(values).NullValueCounts(nulls).NaNValueCounts(nans).
		LowerBoundValues(lower).UpperBoundValues(upper).SplitOffsets(f.File.Splits).SortOrderID(0).Build(), nil
}

func (t *Table) writeManifest(ctx context.Context, key string, content iceberggo.ManifestContent, spec iceberggo.PartitionSpec, s *iceberggo.Schema, id int64, fill func(*iceberggo.ManifestWriter) error) (iceberggo.ManifestFile, int64, error) {
	var out bytes.Buffer
	w, err := iceberggo.NewManifestWriter(2, &out, spec, s, id, iceberggo.WithManifestWriterContent(content))
	if err != nil {
		return nil, 0, fmt.Errorf("writing the manifest %s: %w", key, err)
	}
	if err := fill(w); err != nil {
		return nil, 0, fmt.Errorf("writing the manifest %s: %w", key, err)
	}
	if err := w.Close(); err != nil {
		return nil, 0, fmt.Errorf("writing the manifest %s: %w", key, err)
	}
	size := int64(out.Len())
	manifest, err := w.ToManifestFile(t.o.Store.Address(key), size, iceberggo.WithManifestFileContent(content))
	if err != nil {
		return nil, 0, fmt.Errorf("writing the manifest %s: %w", key, err)
	}
	if _, err := t.o.Store.Put(ctx, key, out.Bytes(), store.Condition{IfAbsent: true}); err != nil {
		return nil, 0, err
	}
	return manifest, size, nil
}

func (t *Table) read(ctx context.Context, address string) ([]byte, error) {
	key, ok := strings.CutPrefix(address, t.o.Store.Address(""))
	if !ok {
		return nil, fmt.Errorf("%w: %s lies outside %s", table.ErrForeign, address, t.o.Store.Address(""))
	}
	return store.Read(ctx, t.o.Store, key, maxManifest)
}
