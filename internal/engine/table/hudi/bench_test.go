package hudi_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/merge"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/parquet"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// bench is a table with its surroundings.
type bench struct {
	t       *testing.T
	store   store.Store
	catalog *catalog.Memory
	table   table.Table
	columns schema.Table
	attempt int
	ahead   time.Duration
}

func newBench(t *testing.T, columns schema.Table) *bench {
	t.Helper()
	b := &bench{t: t, store: store.NewDirectory(t.TempDir()), catalog: catalog.NewMemory("raw"), columns: columns}
	b.reopen()
	return b
}

func (b *bench) reopen() {
	b.table = openTable(b.store, b.catalog, "lake/orders/", "orders", func() time.Time { return time.Now().Add(b.ahead) })
}

// shop are columns of most types, the partition's among them.
func shop(partition ...string) schema.Table {
	s := schema.Table{Identity: "1", Key: []string{"id"}}
	for i, c := range []struct {
		name string
		typ  schema.Type
	}{
		{"id", schema.Type{ID: schema.Long}}, {"name", schema.Type{ID: schema.String}}, {"land", schema.Type{ID: schema.String}},
		{"price", schema.Type{ID: schema.Decimal, Precision: 10, Scale: 2}}, {"day", schema.Type{ID: schema.Date}}, {"at", schema.Type{ID: schema.TimestampTZ}},
		{"big", schema.Type{ID: schema.Decimal, Precision: 30, Scale: 4}}, {"ok", schema.Type{ID: schema.Boolean}}, {"n", schema.Type{ID: schema.Int}},
		{"local", schema.Type{ID: schema.Timestamp}}, {"raw", schema.Type{ID: schema.Binary}}, {"f", schema.Type{ID: schema.Double}},
	} {
		s.Columns = append(s.Columns, schema.Column{Name: c.name, Type: c.typ, Required: c.name == "id", Source: &schema.SourceColumn{Name: c.name, Number: i + 1, Type: "x"}})
	}
	for _, name := range partition {
		s.Partition = append(s.Partition, schema.PartitionField{Column: name, Transform: schema.Identity})
	}
	return s
}

// values are a row's by column; what is not there is NULL.
type values map[string]any

// goods are rows of shop, of which some columns are what they are made of.
func goods(land string, ids ...int64) []values {
	var out []values
	for _, id := range ids {
		out = append(out, values{
			"id": id, "name": fmt.Sprintf("good %d", id), "land": land, "price": -493 + id, "day": -719162 + id, "at": int64(-3e15) + id, "big": column.WideOf(-id), "ok": id%2 == 0,
			"n": -id, "local": id * 1000, "raw": string([]byte{0, 255, byte(id)}), "f": float64(id) / 4,
		})
	}
	return out
}

func batchOf(t *testing.T, s *schema.Table, rows []values) *column.Batch {
	t.Helper()
	b := column.NewBatch(s.Kinds(), len(rows))
	for _, r := range rows {
		for i, c := range s.Columns {
			v := b.Columns[i]
			switch value := r[c.Name].(type) {
			case nil:
				v.AppendNull()
				continue
			case bool:
				v.Bools = append(v.Bools, value)
			case string:
				v.Data = append(v.Data, value...)
			case column.Wide:
				v.Wides = append(v.Wides, value)
			case float64:
				v.Float64s = append(v.Float64s, value)
			case int64:
				if v.Kind == column.Int32 {
					v.Int32s = append(v.Int32s, int32(value))
				} else {
					v.Int64s = append(v.Int64s, value)
				}
			default:
				t.Fatalf("%s is %T", c.Name, value)
			}
			v.Append()
		}
	}
	return b
}

func (b *bench) head() *table.Head {
	b.t.Helper()
	h, err := b.table.Head(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	return h
}

// begin is a change of a new attempt.
func (b *bench) begin(h *table.Head) table.Change {
	b.t.Helper()
	b.attempt++
	planned := b.columns
	planned.Columns = slices.Clone(planned.Columns)
	for i, c := range planned.Columns {
		if known, ok := h.Schema.Column(c.Name); ok {
			planned.Columns[i].FieldID = known.FieldID
		}
	}
	planned, err := b.table.Prepare(h, planned)
	if err != nil {
		b.t.Fatal(err)
	}
	attempt := fmt.Sprintf("a%d", b.attempt)
	return table.Change{Schema: planned, Checkpoint: table.Checkpoint{
		V: table.CheckpointVersion, Table: "shop.orders", Horizon: "full", RunID: "run-" + attempt, Attempt: attempt, From: json.RawMessage("null"),
		ReadFrom: json.RawMessage("null"), To: json.RawMessage(fmt.Sprintf(`{"n":%d}`, b.attempt)), SchemaHash: planned.Hash(),
	}}
}

// stage writes rows into files of a change, one per partition.
func (b *bench) stage(h *table.Head, change *table.Change, unit string, rows []values) []table.DataFile {
	b.t.Helper()
	all := batchOf(b.t, &change.Schema, rows)
	p, err := schema.NewPartitioner(&change.Schema)
	if err != nil {
		b.t.Fatal(err)
	}
	groups, err := p.Groups(all, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	var out []table.DataFile
	for group := range uint32(p.Len()) {
		var mine []values
		for i := range rows {
			if groups[i] == group {
				mine = append(mine, rows[i])
			}
		}
		prefix, suffix := b.table.DataKeys(h, change.Checkpoint.Attempt, unit)
		f := table.DataFile{Key: fmt.Sprintf("%s%d%s", prefix, group, suffix), Partition: p.Partition(group)}
		w, err := b.store.Create(b.t.Context(), f.Key)
		if err != nil {
			b.t.Fatal(err)
		}
		writer, err := parquet.NewWriter(w, &change.Schema, "test", nil)
		if err != nil {
			b.t.Fatal(err)
		}
		if err := writer.Write(batchOf(b.t, &change.Schema, mine)); err != nil {
			b.t.Fatal(err)
		}
		file, err := writer.Close()
		if err == nil {
			err = w.Close()
		}
		if err != nil {
			b.t.Fatal(err)
		}
		f.File = *file
		out = append(out, f)
	}
	return out
}

// adds is a change of a new attempt that adds rows.
func (b *bench) adds(h *table.Head, unit string, rows []values) table.Change {
	b.t.Helper()
	change := b.begin(h)
	change.Add = b.stage(h, &change, unit, rows)
	return change
}

func (b *bench) commit(h *table.Head, change table.Change) string {
	b.t.Helper()
	done, err := b.table.Commit(b.t.Context(), h, change)
	if err != nil {
		b.t.Fatal(err)
	}
	return done.Commit
}

// load adds rows, or replaces all by them.
func (b *bench) load(replace bool, rows []values) string {
	b.t.Helper()
	h := b.head()
	change := b.begin(h)
	change.ReplaceAll = replace
	change.Add = b.stage(h, &change, "u", rows)
	return b.commit(h, change)
}

// planMerge brings changed rows, and removals by id, into the table's files.
func (b *bench) planMerge(h *table.Head, rows []values, removed ...int64) table.Change {
	b.t.Helper()
	change := b.begin(h)
	stored, err := b.table.Files(b.t.Context(), h)
	if err != nil {
		b.t.Fatal(err)
	}
	var files, removals []table.DataFile
	if len(rows) > 0 {
		files = b.stage(h, &change, "c", rows)
	}
	if len(removed) > 0 {
		var gone []values
		for _, id := range removed {
			gone = append(gone, values{"id": id})
		}
		removals = b.stage(h, &change, "r", gone)
	}
	changes, err := merge.Load(b.t.Context(), b.store, &change.Schema, files, removals)
	if err != nil {
		b.t.Fatal(err)
	}
	m := &merge.Merge{Store: b.store, Schema: change.Schema, Files: stored, Changes: changes, ChangeFiles: files, Version: "test", Parallel: 2, Keys: func(unit string) (string, string) {
		return b.table.DataKeys(h, change.Checkpoint.Attempt, unit)
	}}
	for _, c := range change.Schema.Columns {
		if c.Source == nil {
			m.Audit = append(m.Audit, c.Name)
		}
	}
	outcome, err := m.Run(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	change.Remove, change.Add = outcome.Remove, outcome.Add
	return change
}

// upsert merges and commits.
func (b *bench) upsert(rows []values, removed ...int64) string {
	b.t.Helper()
	h := b.head()
	return b.commit(h, b.planMerge(h, rows, removed...))
}

// rows are those that a reader sees, by id.
func (b *bench) rows() map[string]row {
	b.t.Helper()
	list, err := all(b.t.Context(), b.store, b.catalog, "orders")
	if err != nil {
		b.t.Fatal(err)
	}
	out := map[string]row{}
	for _, r := range list {
		if _, twice := out[r["id"]]; twice {
			b.t.Errorf("the row %s is there twice", r["id"])
		}
		out[r["id"]] = r
	}
	return out
}

// expect wants just the rows of ids.
func (b *bench) expect(ids ...int64) {
	b.t.Helper()
	rows := b.rows()
	var got, want []string
	for id := range rows {
		got = append(got, id)
	}
	for _, id := range ids {
		want = append(want, fmt.Sprint(id))
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		b.t.Errorf("a reader sees the rows %v, want %v", got, want)
	}
}

// keys are those of the table's objects that begin and end so.
func (b *bench) keys(prefix, suffix string) []string {
	b.t.Helper()
	var out []string
	for object, err := range b.store.List(b.t.Context(), "lake/orders/"+prefix, "") {
		if err != nil {
			b.t.Fatal(err)
		}
		if strings.HasSuffix(object.Key, suffix) {
			out = append(out, strings.TrimPrefix(object.Key, "lake/orders/"))
		}
	}
	return out
}

// read reads an object.
func (b *bench) read(key string) []byte {
	b.t.Helper()
	data, err := store.Read(b.t.Context(), b.store, key, 1<<24)
	if err != nil {
		b.t.Fatal(err)
	}
	return data
}
