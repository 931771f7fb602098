package iceberg

import (
	"bytes"
	"testing"

	iceberggo "github.com/apache/iceberg-go"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
)

// damagedTable is a store with a manifest, a list that names it, and the metadata that both are of.
func damagedTable(tb testing.TB) (t *Table, m *metadata, manifest, list []byte) {
	tb.Helper()
	t = New(Options{Store: store.NewDirectory(tb.TempDir()), Prefix: "t/", Database: "raw", Name: "t"})
	columns := schema.Table{Partition: []schema.PartitionField{{Column: "s", Transform: schema.Truncate, Width: 2}, {Column: "at", Transform: schema.Day}}, Columns: []schema.Column{
		{Name: "s", Type: schema.Type{ID: schema.String}, FieldID: 1}, {Name: "at", Type: schema.Type{ID: schema.Date}, FieldID: 2},
	}}
	m, err := t.nextMetadata(nil, "3b9f1b9e-0000-4000-8000-000000000000")
	if err == nil {
		err = setSchema(m, columns)
	}
	if err == nil {
		err = t.setPartition(m, columns, true)
	}
	if err != nil {
		tb.Fatal(err)
	}
	spec, _ := m.spec(m.DefaultSpecID)
	id, sequence := int64(7), int64(1)
	var data, names bytes.Buffer
	w, err := iceberggo.NewManifestWriter(2, &data, spec, m.currentSchema(), id)
	if err != nil {
		tb.Fatal(err)
	}
	b, err := iceberggo.NewDataFileBuilder(spec, iceberggo.EntryContentData, t.o.Store.Address("t/data/x.parquet"), iceberggo.ParquetFile, map[int]any{1000: "ab", 1001: iceberggo.Date(3)}, nil, nil, 1, 2)
	if err == nil {
		err = w.Add(iceberggo.NewManifestEntry(iceberggo.EntryStatusADDED, &id, nil, nil, b.LowerBoundValues(map[int][]byte{1: []byte("ab")}).Build()))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		tb.Fatal(err)
	}
	made, err := w.ToManifestFile(t.o.Store.Address("t/metadata/m.avro"), int64(data.Len()))
	if err == nil {
		err = iceberggo.WriteManifestList(2, &names, id, nil, &sequence, 0, []iceberggo.ManifestFile{made})
	}
	if err != nil {
		tb.Fatal(err)
	}
	return t, m, data.Bytes(), names.Bytes()
}

// look reads a list and a manifest as a run does: an error, or files.
func look(tb testing.TB, t *Table, m *metadata, manifest, list []byte) (files int, err error) {
	tb.Helper()
	for key, data := range map[string][]byte{"t/metadata/m.avro": manifest, "t/metadata/list.avro": list} {
		if _, err := t.o.Store.Put(tb.Context(), key, data, store.Condition{}); err != nil {
			tb.Fatal(err)
		}
	}
	id := int64(7)
	m = m.clone()
	m.CurrentSnapshotID, m.Snapshots = &id, []snapshot{{ID: id, Sequence: 1, ManifestList: t.o.Store.Address("t/metadata/list.avro")}}
	l, err := t.list(tb.Context(), &base{metadata: m})
	if err != nil {
		return 0, err
	}
	for _, manifest := range l.manifests {
		if _, err := t.readManifest(tb.Context(), manifest); err != nil {
			return 0, err
		}
	}
	return len(l.stored), nil
}

// Each byte of a manifest and of a list is damaged in turn, and each is cut: that is an error or is not, and never a panic.
func TestEveryByteDamaged(t *testing.T) {
	t.Parallel()
	table, m, manifest, list := damagedTable(t)
	if files, err := look(t, table, m, manifest, list); err != nil || files != 1 {
		t.Fatalf("%d files, %v", files, err)
	}
	wrong := 0
	try := func(manifest, list []byte) {
		if _, err := look(t, table, m, manifest, list); err != nil {
			wrong++
		}
	}
	for i := 0; i < len(manifest); i += 11 {
		broken := bytes.Clone(manifest)
		broken[i] ^= byte(1 << (i % 8))
		try(broken, list)
		if i%5 == 0 {
			try(manifest[:i], list)
		}
	}
	for i := 0; i < len(list); i += 11 {
		broken := bytes.Clone(list)
		broken[i] ^= byte(1 << (i % 8))
		try(manifest, broken)
		if i%5 == 0 {
			try(manifest, list[:i])
		}
	}
	if wrong < 40 {
		t.Errorf("only %d damages were noticed", wrong)
	}
}

func FuzzManifest(f *testing.F) {
	table, m, manifest, list := damagedTable(f)
	f.Add(manifest, list)
	f.Fuzz(func(t *testing.T, manifest, list []byte) { _, _ = look(t, table, m, manifest, list) })
}
