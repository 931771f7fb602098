package interop_test

import (
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table/iceberg"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// partitionFilters reach single partitions, some, and those of NULL.
var partitionFilters = []string{
	"id = 7", "name = 'shop 1 in the street'", "name LIKE 'shop 2%'", "name IS NULL", "at >= timestamp '2026-01-02 00:00:00' AND at < timestamp '2026-01-03 00:00:00'", "at IS NULL",
}

// changesReachPartitions: merges into a partitioned table leave each row once, where readers look for it, whatever moved and
// however columns changed meanwhile; so do cleaning and a full load.
func changesReachPartitions() scenario {
	return scenario{
		name: "changes reach partitions", setup: visits,
		document: incremental(func(s *spec.Table) {
			s.PartitionBy = []string{"day(at)", "bucket(4, id)", "truncate(6, name)"}
		}),
		steps: []step{
			{name: "landed", do: func(x *stage) { x.run() }, want: shown, filters: partitionFilters},
			{name: "inserts and updates", do: goOn, want: shown},
			{
				name: "rows move to other partitions", end: true, want: shown, filters: partitionFilters,
				do: func(x *stage) {
					x.sql(`UPDATE t SET at = at + interval '1 day' WHERE id % 5 = 0`, `UPDATE t SET name = NULL WHERE id % 7 = 0`,
						`UPDATE t SET name = 'shop 1 in the street', at = '1969-12-31 23:59:59.999999Z' WHERE id % 11 = 0`, `DELETE FROM t WHERE id = 12`)
					x.run()
				},
			},
			{
				name: "one more column, and one renamed", want: shown,
				do: func(x *stage) {
					for _, table := range []string{"shown", "t"} {
						x.sql(`ALTER TABLE ` + table + ` ADD COLUMN more date, ADD COLUMN flag boolean`)
						x.sql(`ALTER TABLE ` + table + ` RENAME COLUMN ratio TO share`)
					}
					x.sql(`UPDATE t SET more = '2026-02-01', flag = n % 2 = 0 WHERE id % 6 = 0`)
					x.run()
				},
			},
			{
				name: "wider columns", end: true, want: shown, filters: partitionFilters,
				do: func(x *stage) {
					for _, table := range []string{"shown", "t"} {
						x.sql(`ALTER TABLE ` + table + ` ALTER COLUMN n TYPE bigint, ALTER COLUMN amount TYPE numeric(20,2)`)
					}
					x.sql(`UPDATE t SET n = 9223372036854775807, amount = 123456789012345678.99 WHERE id % 10 = 3`)
					x.run()
				},
			},
			{name: "cleaned", do: func(x *stage) { x.clean() }, want: shown, end: true},
			{name: "landed behind the cleaning", do: func(x *stage) { x.sql(`UPDATE t SET name = 'shop 2 is closed' WHERE id % 9 = 0`); x.run() }, want: shown},
			{
				name: "loaded anew", end: true,
				do: func(x *stage) {
					x.sql(`DELETE FROM t WHERE id % 4 = 0`)
					x.edit(func(s *spec.Table) { s.Reload = "deleted rows"; s.PartitionBy = []string{"month(at)", "bucket(2, id)"} })
					x.run()
				},
				filters: partitionFilters,
			},
		},
	}
}

// clean forgets all snapshots but those that must stay, and removes what belongs to none, as a run would in a month.
func (x *stage) clean() {
	x.t.Helper()
	x.forgets(iceberg.New(iceberg.Options{
		Store: store.NewS3(x.clients.S3, x.bucket), Catalog: x.runner().Catalog, Prefix: "raw/t/", Database: x.database, Name: "t", Version: "test",
		Now: func() time.Time { return time.Now().AddDate(0, 1, 0) },
	}))
}

// forgets has a table forget what may go, which must be something.
func (x *stage) forgets(t table.Table) {
	x.t.Helper()
	ctx := x.t.Context()
	head, err := t.Head(ctx)
	x.must(err)
	done, err := t.Clean(ctx, head, table.Retention{KeepAtLeast: 1})
	x.must(err)
	if done.Snapshots == 0 || done.Files == 0 {
		x.t.Errorf("%s: %d snapshots were forgotten and %d files removed", x.step, done.Snapshots, done.Files)
	}
	_, err = t.RemoveOrphans(ctx, 72*time.Hour)
	x.must(err)
}
