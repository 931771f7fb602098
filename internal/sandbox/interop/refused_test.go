package interop_test

import (
	"strings"

	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// sparkWritesOtherwise: what Lakeland does not merge into is refused, and what the refusal says to do is a way on.
func sparkWritesOtherwise() scenario {
	return scenario{
		name: "Spark writes otherwise", least: usual, setup: visits,
		document: incremental(func(s *spec.Table) { s.WriteMode, s.PartitionBy = "merge_on_read", []string{"bucket(2, id)"} }),
		steps: []step{
			{name: "landed", do: func(x *stage) { x.run() }},
			{
				name: "files in ORC, rewritten as Parquet", want: shown,
				do: func(x *stage) {
					x.spark(`ALTER TABLE $t SET TBLPROPERTIES ('write.format.default' = 'orc')`)
					x.theirs(x.spark, theirInsert)
					x.refused("is a file of format ORC")
					x.spark(`ALTER TABLE $t SET TBLPROPERTIES ('write.format.default' = 'parquet')`, `CALL lake.system.rewrite_data_files(table => '$db.t', options => map('rewrite-all', 'true'))`)
					goOn(x)
				},
			},
			{
				name: "deleted positions in Avro, rewritten as Parquet", want: shown,
				do: func(x *stage) {
					x.spark(`ALTER TABLE $t SET TBLPROPERTIES ('write.delete.mode' = 'merge-on-read', 'write.delete.format.default' = 'avro')`)
					x.theirs(x.spark, `DELETE FROM $t WHERE id % 5 = 0`)
					x.refused("is a file of format AVRO")
					x.spark(`ALTER TABLE $t SET TBLPROPERTIES ('write.delete.format.default' = 'parquet')`,
						`CALL lake.system.rewrite_position_delete_files(table => '$db.t', options => map('rewrite-all', 'true'))`)
					goOn(x)
				},
			},
			{
				name: "one more partition field, which the document then names", want: shown, end: true,
				do: func(x *stage) {
					x.spark(`ALTER TABLE $t ADD PARTITION FIELD truncate(4, name)`)
					x.theirs(x.spark, `DELETE FROM $t WHERE id % 7 = 0`)
					x.refused("is partitioned by bucket(2, id), truncate(4, name)")
					x.edit(func(s *spec.Table) { s.PartitionBy = []string{"bucket(2, id)", "truncate(4, name)"} })
					goOn(x)
				},
			},
		},
	}
}

// refused lets the source change a row, and has a run that must fail with a text and leave the table as it is.
func (x *stage) refused(text string) {
	x.t.Helper()
	before := x.snapshot()
	x.sql(`UPDATE t SET n = n + 1 WHERE id = 2`)
	if out := x.runner().Table(x.t.Context(), "shop.t"); out.Err == nil || !strings.Contains(out.Err.Error(), text) {
		x.t.Fatalf("%s: the run ended with %v, want %q", x.step, out.Err, text)
	}
	if x.snapshot() != before {
		x.t.Errorf("%s: a run that was refused changed the table", x.step)
	}
}
