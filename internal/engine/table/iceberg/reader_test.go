package iceberg_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"testing"

	iceberggo "github.com/apache/iceberg-go"
	parquetgo "github.com/parquet-go/parquet-go"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
)

// rows reads the ids of the current snapshot by way of the manifests, and leaves out those at deleted positions.
func rows(ctx context.Context, s store.Store, c catalog.Catalog, name string) ([]int64, error) {
	d, _, err := metadata(ctx, s, c, name)
	if errors.Is(err, catalog.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	entries, err := d.entries(ctx, s)
	if err != nil {
		return nil, err
	}
	type deletion struct {
		path     string
		position int64
	}
	youngest := map[deletion]int64{} // the sequence number of the youngest file that names the row
	for _, e := range entries {
		if e.DataFile().ContentType() != iceberggo.EntryContentPosDeletes {
			continue
		}
		found, err := readRows(ctx, s, e.DataFile())
		if err != nil {
			return nil, err
		}
		for _, row := range found {
			at := deletion{row[0].String(), row[1].Int64()}
			youngest[at] = max(youngest[at], e.SequenceNum())
		}
	}
	var ids []int64
	for _, e := range entries {
		if e.DataFile().ContentType() != iceberggo.EntryContentData {
			continue
		}
		found, err := readRows(ctx, s, e.DataFile())
		if err != nil {
			return nil, err
		}
		for i, row := range found {
			if youngest[deletion{e.DataFile().FilePath(), int64(i)}] < e.SequenceNum() || e.SequenceNum() == 0 {
				ids = append(ids, row[0].Int64())
			}
		}
	}
	return ids, nil
}

// entries are the live ones of the current snapshot.
func (d *document) entries(ctx context.Context, s store.Store) (out []iceberggo.ManifestEntry, err error) {
	for _, snapshot := range d.Snapshots {
		if snapshot.ID != d.Current {
			continue
		}
		manifests, err := manifestsOf(ctx, s, snapshot.ManifestList)
		if err != nil {
			return nil, err
		}
		for _, m := range manifests {
			data, err := read(ctx, s, m.FilePath())
			if err != nil {
				return nil, err
			}
			entries, err := iceberggo.ReadManifest(m, bytes.NewReader(data), true)
			if err != nil {
				return nil, err
			}
			if live := int(m.AddedDataFiles() + m.ExistingDataFiles()); live != len(entries) {
				return nil, fmt.Errorf("%s has %d live entries, the list says %d", m.FilePath(), len(entries), live)
			}
			out = append(out, entries...)
		}
	}
	return out, nil
}

func manifestsOf(ctx context.Context, s store.Store, address string) ([]iceberggo.ManifestFile, error) {
	list, err := read(ctx, s, address)
	if err != nil {
		return nil, err
	}
	return iceberggo.ReadManifestList(bytes.NewReader(list))
}

func readRows(ctx context.Context, s store.Store, described iceberggo.DataFile) ([]parquetgo.Row, error) {
	data, err := read(ctx, s, described.FilePath())
	if err != nil {
		return nil, err
	}
	if int64(len(data)) != described.FileSizeBytes() {
		return nil, fmt.Errorf("%s has %d bytes, its entry says %d", described.FilePath(), len(data), described.FileSizeBytes())
	}
	f, err := parquetgo.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	var out []parquetgo.Row
	r := parquetgo.NewReader(f)
	for {
		buffer := make([]parquetgo.Row, 10)
		n, err := r.ReadRows(buffer)
		for _, row := range buffer[:n] {
			out = append(out, row.Clone())
		}
		if errors.Is(err, io.EOF) {
			if int64(len(out)) != described.Count() {
				return nil, fmt.Errorf("%s has %d rows, its entry says %d", described.FilePath(), len(out), described.Count())
			}
			return out, r.Close()
		}
		if err != nil {
			return nil, err
		}
	}
}

// touch puts a snapshot of the same files on top, as an optimiser does.
func touch(t *testing.T, s store.Store, c catalog.Catalog, _ string) {
	t.Helper()
	edit(t, s, c, func(all map[string]any) {
		var parent map[string]any
		for _, one := range snapshotsOf(all) {
			if one := one.(map[string]any); one["snapshot-id"] == all["current-snapshot-id"] {
				parent = one
			}
		}
		sequence, _ := all["last-sequence-number"].(json.Number).Int64()
		at, _ := all["last-updated-ms"].(json.Number).Int64()
		id := json.Number(strconv.FormatInt(rand.Int64(), 10))
		summary := map[string]any{"operation": "replace"}
		for key, value := range parent["summary"].(map[string]any) {
			if len(key) > 6 && key[:6] == "total-" {
				summary[key] = value
			}
		}
		all["snapshots"] = append(snapshotsOf(all), map[string]any{
			"snapshot-id": id, "parent-snapshot-id": parent["snapshot-id"], "sequence-number": sequence + 1, "timestamp-ms": at + 1,
			"manifest-list": parent["manifest-list"], "summary": summary, "schema-id": parent["schema-id"],
		})
		all["last-sequence-number"], all["last-updated-ms"] = sequence+1, at+1
		pointTo(all, id, at+1)
	})
}

// rollback makes an older snapshot the current one, as Spark's rollback_to_snapshot does.
func rollback(t *testing.T, s store.Store, c *catalog.Memory, _, commit string) bool {
	t.Helper()
	edit(t, s, c, func(all map[string]any) {
		at, _ := all["last-updated-ms"].(json.Number).Int64()
		all["last-updated-ms"] = at + 1
		pointTo(all, json.Number(commit), at+1)
	})
	return true
}

func pointTo(all map[string]any, id json.Number, at int64) {
	all["current-snapshot-id"] = id
	all["refs"].(map[string]any)["main"] = map[string]any{"snapshot-id": id, "type": "branch"}
	log, _ := all["snapshot-log"].([]any)
	all["snapshot-log"] = append(log, map[string]any{"snapshot-id": id, "timestamp-ms": at})
}
