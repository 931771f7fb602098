package interop_test

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// turns is how often Spark, Trino and Lakeland alternate.
const turns = 20

// alternations: Spark, Trino and Lakeland take turns at a table by chance; each turn is seen by all.
func alternations(seed uint64, writeMode string) scenario {
	r := rand.New(rand.NewPCG(seed, uint64(writeMode[0])))
	s := scenario{
		name: "alternations, " + writeMode, least: full, setup: visits,
		document: incremental(func(s *spec.Table) { s.WriteMode, s.PartitionBy = writeMode, []string{"bucket(2, id)"} }),
		steps:    []step{{name: "landed", do: func(x *stage) { x.run() }, want: shown}},
	}
	for turn := range turns {
		what, do := someTurn(r, turn)
		s.steps = append(s.steps, step{name: fmt.Sprintf("turn %d: %s", turn, what), do: do, want: shown})
	}
	s.steps = append(s.steps, landedBehind("all turns", true))
	return s
}

// someTurn chooses what happens next, and who does it.
func someTurn(r *rand.Rand, turn int) (what string, do func(x *stage)) {
	every, at := 3+r.IntN(40), r.IntN(3)
	who, by := "Spark", (*stage).spark
	if r.IntN(2) == 0 {
		who, by = "Trino", (*stage).trino
	}
	change := func(statement string, values ...any) (string, func(x *stage)) {
		statement = fmt.Sprintf(statement, values...)
		return who + ", " + statement, func(x *stage) { x.theirs(func(s ...string) { by(x, s...) }, statement) }
	}
	switch r.IntN(9) {
	case 0:
		return change(`DELETE FROM $t WHERE id %% %d = %d`, every, at)
	case 1:
		return change(`UPDATE $t SET name = 'turn %d', n = -%d WHERE id %% %d = %d`, turn, turn, every, at)
	case 2:
		return change(`INSERT INTO $t SELECT id + %d, 'turn %d', n, amount, at, ratio FROM $t WHERE id <= %d`, 100000*(turn+1), turn, every)
	case 3:
		return change(strings.ReplaceAll(theirMerge, "%", "%%"))
	case 4:
		return "Spark rewrites files", func(x *stage) {
			x.spark(`CALL lake.system.rewrite_data_files(table => '$db.t', options => map('min-input-files', '2'))`, `CALL lake.system.rewrite_manifests('$db.t')`)
		}
	case 5:
		return "Trino compacts", func(x *stage) { x.trino(`ALTER TABLE $t EXECUTE optimize`) }
	default:
		statement := fmt.Sprintf(`UPDATE t SET n = n + 1, name = 'mall %d' WHERE id %% %d = %d`, turn, every, at)
		return "Lakeland, " + statement, func(x *stage) {
			x.sql(statement, `INSERT INTO t SELECT max(id) + 1, 'new', 1, 2.5, NULL, NULL FROM t`)
			x.quiet()
			x.run()
		}
	}
}
