package run_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// untouched runs a table that must fail as not ours, with some texts, and leave the catalogue's entry and all objects as they are.
func (d *landing) untouched(texts ...string) {
	d.t.Helper()
	name := "shop." + d.name
	entry, err := d.runner().Catalog.Get(d.t.Context(), d.database, d.name)
	d.must(err)
	before := slices.Sorted(maps.Keys(d.objects("raw/" + d.name + "/")))
	out := d.runner().Table(d.t.Context(), name)
	if !errors.Is(out.Err, table.ErrForeign) {
		d.t.Errorf("got %v", out.Err)
		return
	}
	for _, text := range texts {
		if !strings.Contains(out.Err.Error(), text) {
			d.t.Errorf("the error lacks %q: %v", text, out.Err)
		}
	}
	now, err := d.runner().Catalog.Get(d.t.Context(), d.database, d.name)
	d.must(err)
	if after := slices.Sorted(maps.Keys(d.objects("raw/" + d.name + "/"))); !slices.Equal(before, after) || now.Version != entry.Version {
		d.t.Errorf("there were %d objects, and are %d; the entry has the version %s, and had %s", len(before), len(after), now.Version, entry.Version)
	}
}

// Another format for a table that is there is refused in words that say what it is, and changes nothing; set back, it goes on.
func TestAnotherFormatIsRefused(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		from, to way
		texts    []string
	}{
		{merged, batched, []string{`is not one of plain Parquet files (table_type "ICEBERG")`, "choose another name, or remove that entry"}},
		{replaced, flipped, []string{`is not one of plain Parquet files (table_type "ICEBERG")`}},
		{batched, merged, []string{`is not an Iceberg table (table_type "")`, "choose another name, or remove that entry"}},
		{flipped, replaced, []string{`is not an Iceberg table (table_type "")`}},
		{merged, hudiMerged, []string{"is not one of Hudi", "choose another name, or remove that entry"}},
		{hudiMerged, merged, []string{`is not an Iceberg table (table_type "")`, "choose another name, or remove that entry"}},
		{hudiReplaced, flipped, []string{"is not one of plain Parquet files"}},
	} {
		t.Run(tc.from.name+", then "+tc.to.name, func(t *testing.T) {
			t.Parallel()
			d := newNumbers(t).landingBy("numbers", tc.from)
			d.lands("the first run")
			was, err := d.tracking.Table(t.Context(), "shop.numbers")
			d.must(err)
			d.lake.change("numbers", func(s *spec.Table) {
				s.Target.Format, s.StorageMode, s.Ordering, s.PartitionBy = "iceberg", "current_snapshot", "", nil
				tc.to.edit(s)
			})
			d.untouched(tc.texts...)
			d.sees("in another format", d.now)
			d.lake.change("numbers", func(s *spec.Table) { *s = *was })
			d.change()
			d.lands("set back")
		})
	}
}

// stranger puts the metadata of another table, of other or the same location, beside the table's, and points the entry there.
func (d *landing) stranger(location string) {
	d.t.Helper()
	entry, err := d.runner().Catalog.Get(d.t.Context(), d.database, d.name)
	d.must(err)
	data, err := d.object(entry.Parameters["metadata_location"])
	d.must(err)
	var m map[string]json.RawMessage
	d.must(json.Unmarshal(data, &m))
	m["table-uuid"] = json.RawMessage(fmt.Sprintf("%q", uuid.NewString()))
	m["properties"], m["snapshots"], m["snapshot-log"], m["refs"] = json.RawMessage(`{}`), json.RawMessage(`[]`), json.RawMessage(`[]`), json.RawMessage(`{}`)
	m["current-snapshot-id"] = json.RawMessage(`-1`)
	if location != "" {
		m["location"] = json.RawMessage(fmt.Sprintf("%q", location))
	}
	data, err = json.Marshal(m)
	d.must(err)
	key := "raw/" + d.name + "/metadata/00009-" + uuid.NewString() + ".metadata.json"
	d.put(key, string(data))
	d.foreign = append(d.foreign, key)
	entry.Parameters["metadata_location"] = "s3://" + d.bucket + "/" + key
	d.must(d.runner().Catalog.Update(d.t.Context(), entry))
}

// An entry that somebody has pointed to another table, before a run or in the middle of one, is refused as not ours; it stays as
// they left it, and no data file of the run stays.
func TestAnEntryThatWasReplacedByHand(t *testing.T) {
	t.Parallel()
	for _, by := range []way{replaced, merged, marked} {
		t.Run(by.name, func(t *testing.T) {
			t.Parallel()
			d := newNumbers(t).landingBy("numbers", by)
			d.lands("the first run")
			entry, err := d.runner().Catalog.Get(t.Context(), d.database, "numbers")
			d.must(err)
			ours := entry.Parameters["metadata_location"]
			back := func() {
				now, err := d.runner().Catalog.Get(t.Context(), d.database, "numbers")
				d.must(err)
				now.Parameters["metadata_location"] = ours
				d.must(d.runner().Catalog.Update(t.Context(), now))
			}
			d.change()
			d.stranger("s3://elsewhere/theirs")
			d.untouched("lies at s3://elsewhere/theirs, not at", "choose another name, or set the target's location to it")
			back()
			d.stranger("")
			d.untouched("no commit of it carries a checkpoint of lakeland", "set adopt = true")
			back()
			d.sees("set back", d.before)

			files := len(d.objects("raw/numbers/data/"))
			written := false
			out, _ := d.run(func(_ int, c call) harm {
				if !written && c.service == "S3" && c.operation == "PUT" {
					written = true
					d.stranger("")
				}
				return unharmed
			})
			if !written || !errors.Is(out.Err, table.ErrForeign) || !strings.Contains(out.Err.Error(), "set adopt = true") {
				t.Errorf("in the middle of a run: %v", out.Err)
			}
			if now := len(d.objects("raw/numbers/data/")); now != files {
				t.Errorf("there were %d data files, and are %d", files, now)
			}
			if m, err := d.metadata(); err != nil || len(m.Snapshots) != 0 {
				t.Errorf("the other table has %d snapshots: %v", len(m.Snapshots), err)
			}
			back()
			d.lands("set back")
		})
	}
}
