package postgres_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// Horizon xmin goes around with the transaction ids of a real server, whose rows carry 32 bits of 64.
func TestXminWraparound(t *testing.T) {
	t.Parallel()
	const installation = "/usr/lib/postgresql/15" // where Debian has it; the archives of Maven lack pg_resetwal
	if _, err := os.Stat(filepath.Join(installation, "bin", "pg_resetwal")); err != nil {
		t.Skip("pg_resetwal of Debian's PostgreSQL 15 is not here")
	}
	s := serverAt(t, installation)
	p := newPlace(t, s)
	f := p.newFeed(byXmin, timedTable, `INSERT INTO t SELECT i, 'old' FROM generate_series(1, 50) i`, `ALTER DATABASE template0 ALLOW_CONNECTIONS true`)
	f.round()
	f.expect("the first round", "")
	first := f.request.From
	// The server refuses to come nearer than 3 million to 2^31 transactions without freezing.
	for i, next := range []uint32{2_000_000_000, 4_000_000_000, 4_294_967_290} {
		if err := s.SetNextXID(t.Context(), next); err != nil {
			t.Fatal(err)
		}
		f.session = p.session()
		f.sql(fmt.Sprintf(`INSERT INTO t VALUES (%d, 'behind a jump')`, 100+i))
		f.round()
		f.expect(fmt.Sprintf("from transaction %d on", next), "")
		for _, database := range []string{"postgres", "template0", "template1", p.connection.Database} {
			placeOn(t, s, database).session().sql(`VACUUM (FREEZE)`)
		}
		f.sql(`CHECKPOINT`)
	}
	newest := f.request.From
	f.request.From = first
	f.fails("transactions have passed since the position", "reload")
	f.request.From = newest
	late := p.session()
	late.sql(`BEGIN`, `INSERT INTO t VALUES (200, 'begun before the wrap')`)
	for i := range 30 {
		f.sql(fmt.Sprintf(`INSERT INTO t VALUES (%d, 'across the wrap')`, 300+i))
		if i%7 == 0 {
			f.round()
			f.expect("across the wrap", "")
		}
	}
	if x := f.request.From.Xmin.Xmin; x > 1<<32 {
		t.Errorf("the position passed the transaction that is open: %d", x)
	}
	late.sql(`COMMIT`)
	f.round()
	f.expect("the transaction that spans the wrap", "")
	f.sql(`UPDATE t SET v = 'behind the wrap' WHERE id IN (1, 100, 200, 329)`)
	f.round()
	f.expect("behind the wrap", "")
	if x := f.request.From.Xmin.Xmin; x < 1<<32 || x > 1<<32+1000 {
		t.Errorf("the position behind the wrap is %d", x)
	}
}
