package hudi_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table/conformance"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table/hudi"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
)

func TestMain(m *testing.M) { sandbox.Main(m) }

func openTable(s store.Store, c catalog.Catalog, prefix, name string, now func() time.Time) table.Table {
	return hudi.New(hudi.Options{Store: s, Catalog: c, Prefix: prefix, Database: "raw", Name: name, Version: "test", Now: now})
}

var completing = regexp.MustCompile(`/\.hoodie/\d{17}\.(commit|replacecommit|clean)$`)

func TestConformance(t *testing.T) {
	t.Parallel()
	conformance.Run(t, conformance.Format{
		Can:    conformance.Abilities{Replaces: true, Appends: true, Exchanges: true, Partitions: true},
		Writes: 5,
		Open:   openTable, Rows: ids, Touch: touch, Same: same, Rollback: takeBackTo, End: readByDuckDB,
		Decides: func(key string) bool {
			return completing.MatchString("/"+key) && !strings.Contains(key, "19700101000000000")
		},
	})
}

// same is the write token, by which a staged file and that of the table are one.
func same(key string) string {
	if m := regexp.MustCompile(`_(\d+-\d+-\d+)_\d{17}\.parquet$`).FindStringSubmatch(key); m != nil {
		return m[1]
	}
	sum := sha256.Sum256([]byte(key))
	n := func(at int) uint32 { return binary.BigEndian.Uint32(sum[at:]) >> 1 }
	return fmt.Sprintf("%d-%d-%d", n(0), n(4), n(8))
}

func ids(ctx context.Context, s store.Store, c catalog.Catalog, name string) ([]int64, error) {
	rows, err := all(ctx, s, c, name)
	if err != nil {
		return nil, err
	}
	var out []int64
	for _, r := range rows {
		id, err := strconv.ParseInt(r["id"], 10, 64)
		if err != nil || r["id"] != r["_hoodie_record_key"] {
			return nil, fmt.Errorf("the row %v: %w", r, err)
		}
		out = append(out, id)
	}
	return out, nil
}

// touch commits as Spark does that had nothing to write.
func touch(t *testing.T, s store.Store, _ catalog.Catalog, name string) {
	t.Helper()
	foreignCommit(t, s, "lake/"+name+"/", "commit", commit{Stats: nil, Operation: "UPSERT"})
}

// foreignCommit makes an instant behind all others.
func foreignCommit(t *testing.T, s store.Store, prefix, action string, c commit) string {
	t.Helper()
	l, err := open(t.Context(), s, prefix)
	if err != nil {
		t.Fatal(err)
	}
	last := time.Now()
	for key := range l.objects {
		digits, _, _ := strings.Cut(path.Base(key), ".")
		if at, err := time.Parse("20060102150405.000", digits[:min(len(digits), 14)]+"."+digits[min(len(digits), 14):]); err == nil && at.After(last) {
			last = at
		}
	}
	instant := strings.Replace(last.Add(time.Second).UTC().Format("20060102150405.000"), ".", "", 1)
	if c.Extra == nil {
		c.Extra = map[string]string{}
		if all := l.instants(); len(all) > 0 {
			c.Extra["schema"] = l.commits[slices.Max(all)].Extra["schema"]
		}
	}
	data, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	inflight := instant + "." + action + ".inflight"
	if action == "commit" {
		inflight = instant + ".inflight"
	}
	put(t, s, prefix+".hoodie/"+instant+"."+action+".requested", nil)
	put(t, s, prefix+".hoodie/"+inflight, nil)
	put(t, s, prefix+".hoodie/"+instant+"."+action, data)
	return instant
}

func put(t *testing.T, s store.Store, key string, data []byte) {
	t.Helper()
	if _, err := s.Put(t.Context(), key, data, store.Condition{}); err != nil {
		t.Fatal(err)
	}
}
