package hive_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/parquet"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table/hive"
)

// lake is one table with its surroundings.
type lake struct {
	t       *testing.T
	store   *store.Directory
	catalog *catalog.Memory
	options hive.Options
	attempt int
}

func newLake(t *testing.T, historical bool) *lake {
	t.Helper()
	l := &lake{t: t, store: store.NewDirectory(t.TempDir()), catalog: catalog.NewMemory("raw")}
	l.options = hive.Options{Store: l.store, Catalog: l.catalog, Prefix: "lake/orders/", Database: "raw", Name: "orders", Version: "1.0", Historical: historical}
	return l
}

func (l *lake) table() *hive.Table { return hive.New(l.options) }

// later is the table under a clock that is ahead.
func (l *lake) later(ahead time.Duration) *hive.Table {
	o := l.options
	o.Now = func() time.Time { return time.Now().Add(ahead) }
	return hive.New(o)
}

func (l *lake) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

func (l *lake) head() *table.Head {
	l.t.Helper()
	h, err := l.table().Head(l.t.Context())
	l.must(err)
	return h
}

// plan begins a change of a new attempt to a schema whose columns have no field ids of their own.
func (l *lake) plan(h *table.Head, s schema.Table) (table.Change, error) {
	l.attempt++
	planned, err := l.table().Prepare(h, s)
	return table.Change{Schema: planned, ReplaceAll: h.Exists && !l.options.Historical, Checkpoint: table.Checkpoint{
		V: table.CheckpointVersion, Table: "shop.orders", Horizon: "full", Attempt: fmt.Sprintf("a%d", l.attempt),
	}}, err
}

// write writes a file of rows under a name in the attempt's folder, and describes it.
func (l *lake) write(h *table.Head, change *table.Change, rows *column.Batch) table.DataFile {
	l.t.Helper()
	prefix, suffix := l.table().DataKeys(h, change.Checkpoint.Attempt, "0")
	key := fmt.Sprintf("%s%d%s", prefix, len(change.Add), suffix)
	w, err := l.store.Create(l.t.Context(), key)
	l.must(err)
	p, err := parquet.NewWriter(w, &change.Schema, "test", nil)
	l.must(err)
	l.must(p.Write(rows))
	file, err := p.Close()
	l.must(err)
	l.must(w.Close())
	return table.DataFile{Key: key, File: *file}
}

// rowsOf are rows with a value of their own in each column: ids are those of whole numbers.
func rowsOf(s *schema.Table, ids ...int64) *column.Batch {
	out := column.NewBatch(s.Kinds(), len(ids))
	for _, id := range ids {
		for i, c := range s.Columns {
			v := out.Columns[i]
			switch {
			case c.Source == nil:
				v.AppendNull()
				continue
			case v.Kind == column.Int64:
				v.Int64s = append(v.Int64s, id)
			case v.Kind == column.Int32:
				v.Int32s = append(v.Int32s, int32(id))
			default:
				v.Data = fmt.Appendf(v.Data, "%s %d", c.Name, id)
			}
			v.Append()
		}
	}
	return out
}

// land commits rows of ids on the head.
func (l *lake) land(s schema.Table, ids ...int64) *table.Committed {
	l.t.Helper()
	h := l.head()
	change, err := l.plan(h, s)
	l.must(err)
	if len(ids) > 0 {
		change.Add = append(change.Add, l.write(h, &change, rowsOf(&change.Schema, ids...)))
	}
	done, err := l.table().Commit(l.t.Context(), h, change)
	l.must(err)
	return done
}

func (l *lake) entry() *catalog.Table {
	l.t.Helper()
	return entryOf(l.t, l.catalog, "orders")
}

func (l *lake) objects(prefix string) (keys []string) {
	l.t.Helper()
	for object, err := range l.store.List(l.t.Context(), prefix, "") {
		l.must(err)
		keys = append(keys, object.Key)
	}
	return keys
}

func from(number int, name, kind string) *schema.SourceColumn {
	return &schema.SourceColumn{Name: name, Number: number, Type: kind}
}

// ids is a schema of a key and other columns.
func ids(others ...schema.Column) schema.Table {
	return schema.Table{Identity: "1", Key: []string{"id"}, Columns: append([]schema.Column{
		{Name: "id", Type: schema.Type{ID: schema.Long}, Required: true, Source: from(1, "id", "bigint")},
	}, others...)}
}
