package interop_test

import (
	"fmt"
	"math/rand/v2"
)

// fewTurns is how often Spark and Lakeland alternate at a table of Hudi in the usual form.
const fewTurns = 5

// hudiAlternations: Spark, by one release of Hudi or the other, and Lakeland take turns at a table by chance; each turn is seen by all.
func hudiAlternations(seed uint64, least, chosen form, kind string, partitionBy ...string) scenario {
	r := rand.New(rand.NewPCG(seed, uint64(len(partitionBy))))
	s := scenario{
		name: "alternations, Hudi " + kind, least: least, setup: lands, document: ofHudi(partitionBy...),
		steps: []step{{name: "landed", do: func(x *stage) { x.run() }, want: shown}},
	}
	n := fewTurns
	if chosen == full {
		n = turns
	}
	for turn := range n {
		what, do := someHudiTurn(r, turn)
		s.steps = append(s.steps, step{name: fmt.Sprintf("turn %d: %s", turn, what), do: do, want: shown})
	}
	s.steps = append(s.steps, step{name: "landed behind all turns", do: goOnInHudi, want: shown, end: true})
	return s
}

// someHudiTurn chooses what happens next, and who does it.
func someHudiTurn(r *rand.Rand, turn int) (what string, do func(x *stage)) {
	version, index := hudiVersions[r.IntN(len(hudiVersions))], []string{"SIMPLE", "BLOOM"}[r.IntN(2)]
	every, at := 3+r.IntN(40), r.IntN(3)
	some := fmt.Sprintf("id %% %d = %d", every, at)
	who := "Hudi " + version
	// What takes a CREATE TABLE is done by one release: see rollsBack.
	sql := func(statement string) (string, func(x *stage)) {
		return "Hudi " + hudiVersions[0] + ", " + statement, func(x *stage) { x.theirSQL(hudiVersions[0], statement) }
	}
	switch r.IntN(12) {
	case 0:
		return fmt.Sprintf("%s deletes where %s, by the index %s", who, some, index), func(x *stage) { x.theirDelete(version, index, some) }
	case 1, 2:
		return fmt.Sprintf("%s upserts where %s, by the index %s", who, some, index), func(x *stage) {
			x.theirUpsert(version, index, hudiRows(fmt.Sprintf("turn %d", turn), some)+" UNION ALL "+hudiCopies(100_000*(turn+1), fmt.Sprintf("id <= %d", every)))
		}
	case 3:
		return sql(fmt.Sprintf("UPDATE $t SET name = 'turn %d', n = -%d WHERE %s", turn, turn, some))
	case 4:
		return sql("DELETE FROM $t WHERE " + some)
	case 5:
		return "Hudi " + hudiVersions[0] + " cleans", func(x *stage) { x.sparkCleans(hudiVersions[0]) }
	case 6:
		return "landed and rolled back", (*stage).takenBack
	case 7:
		return "loaded anew", loadedAnew
	case 8:
		return "killed before the commit, and " + who + " upserts", func(x *stage) {
			x.dies(`PUT .*/\d{17}\.commit$`, false, false)
			x.theirUpsert(version, index, hudiRows("behind the dead", some))
			x.again()
			x.outlive()
		}
	default:
		statement := fmt.Sprintf(`UPDATE t SET n = n + 1, name = 'mall %d' WHERE %s`, turn, some)
		return "Lakeland, " + statement, func(x *stage) {
			x.again()
			x.sql(statement, `INSERT INTO t SELECT max(id) + 1, 'land 1', 'new', 1, 2.5, NULL, NULL, NULL, NULL FROM t`)
			x.quiet()
			x.run()
		}
	}
}
