package conformance

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/parquet"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// begin is a change of a new attempt that does nothing yet.
func (b *bench) begin(h *table.Head, s schema.Table) table.Change {
	b.t.Helper()
	b.attempt++
	attempt := fmt.Sprintf("attempt%d", b.attempt)
	s.Columns = slices.Clone(s.Columns)
	for i, c := range s.Columns {
		if known, ok := h.Schema.Column(c.Name); ok && known.Type == c.Type {
			s.Columns[i].FieldID = known.FieldID
		}
	}
	planned, err := b.table.Prepare(h, s)
	if err != nil {
		b.t.Fatal(err)
	}
	return table.Change{Schema: planned, Checkpoint: table.Checkpoint{
		V: table.CheckpointVersion, Table: "shop.orders", Horizon: "full", RunID: "run-" + attempt, Attempt: attempt,
		From: json.RawMessage("null"), ReadFrom: json.RawMessage("null"), To: json.RawMessage(fmt.Sprintf(`{"n":%d}`, b.attempt)), SchemaHash: planned.Hash(),
	}}
}

// add writes rows of ids into a file per partition, which the change adds.
func (b *bench) add(h *table.Head, change *table.Change, ids ...int64) {
	b.t.Helper()
	all := batch(&change.Schema, ids)
	p, err := schema.NewPartitioner(&change.Schema)
	if err != nil {
		b.t.Fatal(err)
	}
	groups, err := p.Groups(all, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	for group := range uint32(p.Len()) {
		var mine []int64
		for i, id := range ids {
			if groups[i] == group {
				mine = append(mine, id)
			}
		}
		key := b.key(h, change)
		f := table.DataFile{Key: key, File: *b.write(key, &change.Schema, batch(&change.Schema, mine))}
		if len(change.Schema.Partition) > 0 {
			f.Partition = p.Partition(group)
		}
		change.Add = append(change.Add, f)
	}
	change.Checkpoint.Counts.Seen += int64(len(ids))
	change.Checkpoint.Counts.Inserted += int64(len(ids))
}

func (b *bench) key(h *table.Head, change *table.Change) string {
	prefix, suffix := b.table.DataKeys(h, change.Checkpoint.Attempt, "0")
	return fmt.Sprintf("%s%d%s", prefix, len(change.Add)+len(change.AddDeletes), suffix)
}

// deleteRows writes a file that names rows of a data file, which the change adds.
func (b *bench) deleteRows(h *table.Head, change *table.Change, data table.StoredFile, positions ...int64) {
	b.t.Helper()
	slices.Sort(positions)
	columns := table.DeleteColumns()
	rows := column.NewBatch(columns.Kinds(), len(positions))
	for _, position := range positions {
		rows.Columns[0].Data = append(rows.Columns[0].Data, b.store.Address(data.Key)...)
		rows.Columns[0].Append()
		rows.Columns[1].Int64s = append(rows.Columns[1].Int64s, position)
		rows.Columns[1].Append()
	}
	key := b.key(h, change)
	change.AddDeletes = append(change.AddDeletes, table.DeleteFile{Key: key, Data: data.Key, File: *b.write(key, &columns, rows), Partition: data.Partition})
}

// batch are rows of ids. A column "country" has one of three values, NULL among them, "at" a time of its own each, others
// say what row they are of.
func batch(s *schema.Table, ids []int64) *column.Batch {
	out := column.NewBatch(s.Kinds(), len(ids))
	for _, id := range ids {
		for i, c := range s.Columns {
			v := out.Columns[i]
			switch {
			case c.Name == "id" && v.Kind == column.Int64:
				v.Int64s = append(v.Int64s, id)
				v.Append()
			case c.Name == "at" && v.Kind == column.Int64:
				v.Int64s = append(v.Int64s, (id-5)*36_000_000_000)
				v.Append()
			case c.Name == "country" && id%3 == 0 || c.Source == nil || v.Kind != column.Bytes:
				v.AppendNull()
			case c.Name == "country":
				v.Data = append(v.Data, [...]string{"de", "fr"}[id%2]...)
				v.Append()
			default:
				v.Data = fmt.Appendf(v.Data, "note %d", id)
				v.Append()
			}
		}
	}
	return out
}

func (b *bench) write(key string, s *schema.Table, rows *column.Batch) *parquet.File {
	b.t.Helper()
	w, err := b.store.Create(b.t.Context(), key)
	if err != nil {
		b.t.Fatal(err)
	}
	p, err := parquet.NewWriter(w, s, "test", nil)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := p.Write(rows); err != nil {
		b.t.Fatal(err)
	}
	file, err := p.Close()
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		b.t.Fatal(err)
	}
	return file
}

// change prepares the replacement of the whole table by rows of ids, planned on a head; their addition where the format
// replaces nothing.
func (b *bench) change(h *table.Head, s schema.Table, ids ...int64) table.Change {
	b.t.Helper()
	change := b.begin(h, s)
	change.ReplaceAll = b.format.Can.Replaces
	if len(ids) > 0 {
		b.add(h, &change, ids...)
	}
	return change
}

// files are those that the head holds, by key.
func (b *bench) files(h *table.Head) map[string]table.StoredFile {
	b.t.Helper()
	list, err := b.table.Files(b.t.Context(), h)
	if err != nil {
		b.t.Fatal(err)
	}
	out := map[string]table.StoredFile{}
	for _, f := range list {
		out[f.Key] = f
	}
	if len(out) != len(list) {
		b.t.Errorf("%d files have %d keys", len(list), len(out))
	}
	return out
}
