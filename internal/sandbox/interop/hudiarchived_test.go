package interop_test

import "slices"

// archiving has a write of Spark's clean what it may, and forget the oldest instants, ours as its own.
var archiving = map[string]string{
	"hoodie.index.type": "SIMPLE", "hoodie.clean.automatic": "true", "hoodie.cleaner.commits.retained": "1",
	"hoodie.keep.min.commits": "2", "hoodie.keep.max.commits": "3", "hoodie.commits.archival.batch": "1",
}

// sparkArchives: Spark archives instants behind our cleaning and behind its own, and overwrites partitions: no row comes back that was
// replaced, and Lakeland goes on.
func sparkArchives(partitionBy ...string) scenario {
	archived := func(version, name string) step {
		return step{name: "archived by Hudi " + version, want: shown, end: true, do: func(x *stage) {
			before := x.instants()
			x.theirWrite(version, hudiRows(name, "id % 5 = 0"), archiving)
			if now := x.instants(); slices.Contains(now, before[0]) {
				x.t.Fatalf("%s: nothing was archived: there were %v and are %v", x.step, before, now)
			}
		}}
	}
	behind := func(what string) step {
		return step{name: "landed behind " + what, do: goOnInHudi, want: shown, end: true}
	}
	return scenario{
		name: "Spark archives and overwrites, Hudi", least: usual, setup: lands, document: ofHudi(partitionBy...),
		steps: []step{
			{name: "landed", do: func(x *stage) { x.ago = month; x.run() }, want: shown},
			{name: "landed thrice", want: shown, do: func(x *stage) {
				for range 3 {
					goOnInHudi(x)
				}
			}},
			{name: "cleaned", do: func(x *stage) { x.cleanHudi(); x.ago = 0 }, want: shown},
			archived(hudiVersions[0], "archived"),
			behind("the archiving"),
			{name: "a partition overwritten", want: shown, end: true, do: func(x *stage) {
				x.writeHudi(hudiVersions[0], "insert_overwrite", `SELECT id, land, name, n, amount, at, day, ok, ratio FROM $t WHERE land = 'land 1' AND id % 3 = 1`, nil)
				x.sql(`DELETE FROM shown WHERE land = 'land 1' AND id % 3 <> 1`)
			}},
			behind("the overwriting"),
			archived(hudiVersions[1], "archived again"),
			behind("the last archiving"),
		},
	}
}
