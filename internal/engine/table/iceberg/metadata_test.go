package iceberg

import (
	"bytes"
	"compress/gzip"
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/oklog/ulid/v2"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

const smallest = `{"format-version":2,"table-uuid":"x","current-schema-id":0,"schemas":[{"type":"struct","schema-id":0,"fields":[]}],"snapshots":[],"current-snapshot-id":-1,"their":{"own":1}}`

func TestMetadataMayBeCompressed(t *testing.T) {
	t.Parallel()
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	_, _ = w.Write([]byte(smallest))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	m, err := parseMetadata("s3://b/t/metadata/00001-x.gz.metadata.json", z.Bytes())
	if err != nil || m.TableUUID != "x" || m.CurrentSnapshotID != nil {
		t.Fatalf("%+v, %v", m, err)
	}
	data, err := m.encode()
	if err != nil || !bytes.Contains(data, []byte(`"their":{"own":1}`)) || bytes.Contains(data, []byte("current-snapshot-id")) {
		t.Errorf("%s, %v", data, err)
	}
}

// Whatever stands in a metadata file, reading it is an error or a table whose parts can be looked at.
func FuzzParseMetadata(f *testing.F) {
	f.Add([]byte(smallest))
	f.Add([]byte(`{"format-version":2,"schemas":null}`))
	f.Add([]byte(`{"format-version":2,"current-schema-id":0,"schemas":[{"type":"struct","schema-id":0,"fields":[{"id":1,"name":"a","required":true,"type":"decimal(9,2)"}]}],"snapshots":[{"snapshot-id":1,"parent-snapshot-id":1}],"current-snapshot-id":1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := parseMetadata("x.metadata.json", data)
		if err != nil {
			return
		}
		if _, err := m.encode(); err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		_, _ = lakeSchema(m)
		if s := m.current(); s != nil {
			_ = findCheckpoint(m, s, &table.Head{})
		}
	})
}

// Trino takes metadata files by a pattern of their names (TableMetadata file names of its Iceberg connector), and all parts
// stay in them.
func TestTrinoTakesOurMetadataNames(t *testing.T) {
	t.Parallel()
	pattern := regexp.MustCompile(`^metadata/(\d+)-([-a-fA-F0-9]*)(\.[a-zA-Z0-9]+)?\.metadata\.json$`)
	seen := map[string]bool{}
	for _, attempt := range []string{ulid.Make().String(), ulid.Make().String(), "a1", "über", uuid.NewString()} {
		for _, snapshot := range []int64{0, 1, math.MaxInt64} {
			name := metadataName(7, "0b5c4f38-3b39-4cf6-8d24-9e6f9d3b2c11", attempt, snapshot)
			if !pattern.MatchString(name) || seen[name] || !strings.Contains(name, "0b5c4f38-3b39-4cf6-8d24-9e6f9d3b2c11") {
				t.Errorf("%s (twice: %v)", name, seen[name])
			}
			seen[name] = true
		}
	}
}
