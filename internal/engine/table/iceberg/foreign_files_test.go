package iceberg_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	iceberggo "github.com/apache/iceberg-go"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

const foreignID = 4242

// foreignFiles commits files on top of what is there, as another engine does.
func foreignFiles(t *testing.T, s store.Store, c catalog.Catalog, content iceberggo.ManifestContent, spec iceberggo.PartitionSpec, files ...iceberggo.DataFile) {
	t.Helper()
	edit(t, s, c, func(all map[string]any) {
		last := snapshotsOf(all)[len(snapshotsOf(all))-1].(map[string]any)
		kept, err := manifestsOf(t.Context(), s, last["manifest-list"].(string))
		if err != nil {
			t.Fatal(err)
		}
		id, sequence := int64(foreignID), int64(len(snapshotsOf(all))+1)
		columns := iceberggo.NewSchema(0, iceberggo.NestedField{ID: 1, Name: "id", Type: iceberggo.PrimitiveTypes.Int64, Required: true})
		var data, list bytes.Buffer
		w, err := iceberggo.NewManifestWriter(2, &data, spec, columns, id, iceberggo.WithManifestWriterContent(content))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if err := w.Add(iceberggo.NewManifestEntry(iceberggo.EntryStatusADDED, &id, nil, nil, f)); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		m, err := w.ToManifestFile(s.Address("lake/orders/metadata/theirs-m0.avro"), int64(data.Len()))
		if err == nil {
			err = iceberggo.WriteManifestList(2, &list, id, nil, &sequence, 0, append([]iceberggo.ManifestFile{m}, kept...))
		}
		if err != nil {
			t.Fatal(err)
		}
		for key, content := range map[string][]byte{"theirs-m0.avro": data.Bytes(), "theirs-list.avro": list.Bytes()} {
			if _, err := s.Put(t.Context(), "lake/orders/metadata/"+key, content, store.Condition{}); err != nil {
				t.Fatal(err)
			}
		}
		all["snapshots"] = append(snapshotsOf(all), map[string]any{
			"snapshot-id": json.Number(fmt.Sprint(foreignID)), "parent-snapshot-id": last["snapshot-id"], "sequence-number": sequence, "timestamp-ms": last["timestamp-ms"],
			"manifest-list": s.Address("lake/orders/metadata/theirs-list.avro"), "summary": map[string]any{"operation": "overwrite"},
		})
		all["last-sequence-number"] = sequence
		pointTo(all, json.Number(fmt.Sprint(foreignID)), 0)
	})
}

func foreignFile(t *testing.T, s store.Store, spec iceberggo.PartitionSpec, content iceberggo.ManifestEntryContent, format iceberggo.FileFormat, name string, partition map[int]any) *iceberggo.DataFileBuilder {
	t.Helper()
	b, err := iceberggo.NewDataFileBuilder(spec, content, s.Address("lake/orders/data/"+name), format, partition, nil, nil, 1, 100)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func threeFiles(t *testing.T) (store.Store, *catalog.Memory, table.Table) {
	t.Helper()
	s, c := store.NewDirectory(t.TempDir()), catalog.NewMemory("raw")
	tb := open(s, c, "lake/orders/", "orders")
	step(t, s, tb, "a1", func(_ *table.Change, _ []table.StoredFile, add func(values ...int64)) { add(1, 2); add(3, 4); add(5) })
	return s, c, tb
}

// What other engines write and is not merged here is refused in words that help; a reload takes it away.
func TestForeignFilesThatAreRefused(t *testing.T) {
	t.Parallel()
	plain := *iceberggo.UnpartitionedSpec
	for name, tc := range map[string]struct {
		content iceberggo.ManifestContent
		file    func(s store.Store) iceberggo.DataFile
		want    string
	}{
		"equality deletes": {iceberggo.ManifestContentDeletes, func(s store.Store) iceberggo.DataFile {
			return foreignFile(t, s, plain, iceberggo.EntryContentEqDeletes, iceberggo.ParquetFile, "eq.parquet", nil).EqualityFieldIDs([]int{1}).Build()
		}, "rewrite_data_files"},
		"another format": {iceberggo.ManifestContentData, func(s store.Store) iceberggo.DataFile {
			return foreignFile(t, s, plain, iceberggo.EntryContentData, iceberggo.OrcFile, "x.orc", nil).Build()
		}, "ORC"},
		"positions in another format": {iceberggo.ManifestContentDeletes, func(s store.Store) iceberggo.DataFile {
			return foreignFile(t, s, plain, iceberggo.EntryContentPosDeletes, iceberggo.AvroFile, "pos.avro", nil).Build()
		}, "rewrite_position_delete_files"},
	} {
		s, c, tb := threeFiles(t)
		foreignFiles(t, s, c, tc.content, plain, tc.file(s))
		h, err := tb.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tb.Files(t.Context(), h); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := tb.Commit(t.Context(), h, table.Change{Schema: h.Schema, ReplaceAll: true, Checkpoint: table.Checkpoint{V: 1, Attempt: "a2"}}); err != nil {
			t.Errorf("%s: a reload: %v", name, err)
		}
		if h, err = tb.Head(t.Context()); err != nil || h.Rows != 0 {
			t.Errorf("%s: %+v, %v", name, h, err)
		}
	}
}

// A file of positions about several data files belongs to each that it may name, and goes with the last of them.
func TestForeignPositionDeletes(t *testing.T) {
	t.Parallel()
	s, c, tb := threeFiles(t)
	h, err := tb.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	files, err := tb.Files(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	deletes := foreignFile(t, s, *iceberggo.UnpartitionedSpec, iceberggo.EntryContentPosDeletes, iceberggo.ParquetFile, "pos.parquet", nil).
		LowerBoundValues(map[int][]byte{2147483546: []byte(s.Address(files[0].Key))}).UpperBoundValues(map[int][]byte{2147483546: []byte(s.Address(files[1].Key))}).Build()
	foreignFiles(t, s, c, iceberggo.ManifestContentDeletes, *iceberggo.UnpartitionedSpec, deletes)
	named := func() (out []int) {
		t.Helper()
		h, err := tb.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		list, err := tb.Files(t.Context(), h)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range list {
			for _, d := range f.Deletes {
				if d.Only || d.Key != "lake/orders/data/pos.parquet" {
					t.Errorf("%+v", d)
				}
			}
			out = append(out, len(f.Deletes))
		}
		return out
	}
	expect := func(want string) {
		t.Helper()
		if got := fmt.Sprint(named()); got != want {
			t.Errorf("the files have %s deletes, want %s", got, want)
		}
	}
	expect("[1 1 0]")
	for i, want := range []string{"[0 1 0]", "[0 0 0]"} {
		step(t, s, tb, fmt.Sprintf("a%d", i+2), func(change *table.Change, _ []table.StoredFile, add func(values ...int64)) {
			change.Remove = []string{files[i].Key}
			add(7)
		})
		expect(want)
	}
	list, _ := entriesOf(t, s, c)
	if last := fmt.Sprint(list); !strings.Contains(last, "deletes") || !strings.Contains(last, "deleted") {
		t.Errorf("the deletes outlived their files: %s", last)
	}
}

// Files that another engine partitioned otherwise are listed as such, may be removed, and are kept as they are; what is to
// be added in the old partitions is refused.
func TestForeignPartitionSpec(t *testing.T) {
	t.Parallel()
	s, c, tb := threeFiles(t)
	spec := iceberggo.NewPartitionSpecID(1, iceberggo.PartitionField{SourceIDs: []int{1}, FieldID: 1000, Name: "id_bucket", Transform: iceberggo.BucketTransform{NumBuckets: 4}})
	edit(t, s, c, func(all map[string]any) {
		data, err := json.Marshal(spec)
		if err != nil {
			t.Fatal(err)
		}
		all["partition-specs"] = append(all["partition-specs"].([]any), json.RawMessage(data))
		all["default-spec-id"], all["last-partition-id"] = 1, 1000
	})
	foreignFiles(t, s, c, iceberggo.ManifestContentData, spec, foreignFile(t, s, spec, iceberggo.EntryContentData, iceberggo.ParquetFile, "theirs.parquet", map[int]any{1000: int32(2)}).Build())
	h, err := tb.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if want := "bucket(4, id)"; len(h.Schema.Partition) != 1 || h.Schema.Partition[0].String() != want {
		t.Errorf("the head is partitioned by %v", h.Schema.Partition)
	}
	files, err := tb.Files(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	other, own := 0, 0
	var ours string
	for _, f := range files {
		switch {
		case f.OtherSpec && f.Partition == nil:
			other++
			ours = f.Key
		case len(f.Partition) == 1 && *f.Partition[0] == "2":
			own++
		}
	}
	if other != 3 || own != 1 {
		t.Errorf("%d files of the old partitions and %d of the new: %+v", other, own, files)
	}
	if _, err := tb.Commit(t.Context(), h, table.Change{Schema: ids(), Remove: []string{ours}, Checkpoint: table.Checkpoint{V: 1, Attempt: "a2"}}); !errors.Is(err, table.ErrPartitioning) {
		t.Errorf("a change in the old partitions: %v", err)
	}
	change := table.Change{Schema: ids(), Remove: []string{ours}, Checkpoint: table.Checkpoint{V: 1, Attempt: "a3"}}
	change.Schema.Partition = []schema.PartitionField{{Column: "id", Transform: schema.Bucket, Width: 4}}
	five := "3"
	key := "lake/orders/data/" + h.TableID + "-a3.parquet"
	change.Add = []table.DataFile{{Key: key, File: *put(t, s, key, &change.Schema, idRows(5)), Partition: schema.PartitionValues{&five}}}
	if _, err := tb.Commit(t.Context(), h, change); err != nil {
		t.Fatal(err)
	}
	if h, err = tb.Head(t.Context()); err != nil {
		t.Fatal(err)
	}
	if files, err = tb.Files(t.Context(), h); err != nil || len(files) != 4 {
		t.Errorf("%d files, %v", len(files), err)
	}
}
