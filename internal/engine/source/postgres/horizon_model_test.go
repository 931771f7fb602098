package postgres_test

import (
	"fmt"
	"math/rand/v2"

	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

var modelPromises = []promise{
	{"xmin agrees with the source under random transactions", func(p *place) { random(p, byXmin) }},
	{"transactions agrees with the source under random transactions", func(p *place) { random(p, byTransactions) }},
}

// random has several sessions write in transactions, with savepoints, that end in any order or not at all, reads in
// between, and compares with the source behind each round and at the end.
func random(p *place, by spec.Extract) {
	p.t.Helper()
	t := p.t
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	f := p.newFeed(by, timedTable, `INSERT INTO t SELECT i, 'start' FROM generate_series(1, 40) i`)
	const sessions, keys = 4, 40
	type writer struct {
		*session
		open  bool
		saved int
	}
	writers := make([]*writer, sessions)
	for i := range writers {
		writers[i] = &writer{session: p.session()}
	}
	// Each session has keys of its own, so that none waits for another.
	write := func(i, step int) {
		w := writers[i]
		switch what := r.IntN(12); {
		case !w.open && what < 4:
			w.sql(`BEGIN`)
			w.open = true
		case w.open && what == 0:
			w.sql(`ROLLBACK`)
			w.open, w.saved = false, 0
		case w.open && what == 1:
			w.sql(`COMMIT`)
			w.open, w.saved = false, 0
		case w.open && what == 2:
			w.saved++
			w.sql(fmt.Sprintf(`SAVEPOINT s%d`, w.saved))
		case w.open && what == 3 && w.saved > 0:
			w.sql(fmt.Sprintf(`ROLLBACK TO s%d`, w.saved))
		case w.open && what == 4 && w.saved > 0:
			w.sql(fmt.Sprintf(`RELEASE s%d`, w.saved))
			w.saved--
		default:
			id := 1 + i + sessions*r.IntN(keys/2)
			w.sql(fmt.Sprintf(`INSERT INTO t VALUES (%d, 'v%d') ON CONFLICT (id) DO UPDATE SET v = excluded.v, at = now()`, id, step))
		}
	}
	for step := range 300 {
		if r.IntN(8) == 0 {
			f.round()
			f.expect(fmt.Sprintf("seed %d, step %d", seed, step), "")
			continue
		}
		write(r.IntN(sessions), step)
	}
	for _, w := range writers {
		if w.open {
			w.sql(`COMMIT`)
		}
	}
	f.round()
	f.expect(fmt.Sprintf("seed %d, the end", seed), "")
}
