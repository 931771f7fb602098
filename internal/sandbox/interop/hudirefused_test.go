package interop_test

import (
	"maps"
	"slices"
	"strings"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/spark"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/toolchain"
)

// refusedInHudi lets the source change a row, and has a run that must fail with a text and leave the table as it is.
func (x *stage) refusedInHudi(text string) {
	x.t.Helper()
	x.again()
	x.sql(`DROP TABLE IF EXISTS kept`, `CREATE TABLE kept AS TABLE shown`)
	before := x.objects()
	x.sql(`UPDATE t SET n = n + 1 WHERE id = 2`)
	if out := x.runner().Table(x.t.Context(), "shop.t"); out.Err == nil || !strings.Contains(out.Err.Error(), text) {
		x.t.Fatalf("%s: the run ended with %v, want %q", x.step, out.Err, text)
	}
	if !slices.Equal(x.objects(), before) {
		x.t.Errorf("%s: a run that was refused changed the table", x.step)
	}
	// The row comes with the next run.
	x.sql(`TRUNCATE shown`, `INSERT INTO shown TABLE kept`, `INSERT INTO again VALUES (2)`)
}

// theirWrite is theirUpsert by a writer with other settings.
func (x *stage) theirWrite(version, query string, settings map[string]string) {
	x.t.Helper()
	x.writeHudi(version, "upsert", query, settings)
	x.sql(`CREATE TABLE delta AS `+strings.ReplaceAll(query, "$t", "shown"), `DELETE FROM shown WHERE id IN (SELECT id FROM delta)`, `INSERT INTO shown SELECT * FROM delta`, `DROP TABLE delta`)
}

// sparkWritesHudiOtherwise: what a Spark writer with other settings has made of a table is refused by name, and what the refusal says to
// do is a way on.
func sparkWritesHudiOtherwise(version string, partitionBy ...string) scenario {
	s := scenario{
		name: "Spark with Hudi " + version + " writes otherwise", least: usual, setup: lands, document: ofHudi(partitionBy...),
		steps: []step{
			{name: "landed", do: func(x *stage) { x.run() }, want: shown},
			{name: "a metadata table, deleted by Spark", want: shown, end: true, do: func(x *stage) {
				x.theirWrite(version, hudiRows("with metadata", "id % 5 = 0"), map[string]string{"hoodie.metadata.enable": "true"})
				x.refusedInHudi("has a metadata table")
				x.theirWrite(version, hudiRows("without metadata", "id % 10 = 0"), nil)
				goOnInHudi(x)
			}},
			{name: "a clustering under way, carried out", want: shown, end: true, do: func(x *stage) {
				x.theirWrite(version, hudiRows("by Spark", "id % 5 = 0"), nil)
				x.hudiSQL(version, `CALL run_clustering(table => '$t', op => 'schedule')`)
				x.refusedInHudi("has a pending replacecommit")
				x.hudiSQL(version, `CALL run_clustering(table => '$t', op => 'execute')`)
				goOnInHudi(x)
			}},
		},
	}
	if version == toolchain.HudiNextVersion {
		s.steps = append(s.steps, step{name: "an upgrade, taken back", want: shown, end: true, do: func(x *stage) {
			settings := hudiSettings(version)
			maps.DeleteFunc(settings, func(name, _ string) bool { return strings.HasPrefix(name, "hoodie.write.") })
			x.theirWrite(version, hudiRows("upgraded", "id % 5 = 0"), map[string]string{"hoodie.write.table.version": "8", "hoodie.write.auto.upgrade": "true"})
			x.refusedInHudi(`has the version "8"`)
			x.hudiSQL(version, `CALL downgrade_table(table => '$t', to_version => 'SIX')`)
			goOnInHudi(x)
		}})
	}
	s.steps = append(s.steps, step{name: "made anew, merged on read", want: shown, end: true, uncatalogued: true, do: func(x *stage) {
		x.makes(version, "upsert", "anew", "0", func(to *spark.Write) {
			to.Mode, to.Options["hoodie.datasource.write.table.type"] = "overwrite", "MERGE_ON_READ"
		})
		x.refusedInHudi(`is of the type "MERGE_ON_READ"`)
	}})
	return s
}
