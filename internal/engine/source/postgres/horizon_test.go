package postgres_test

import (
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	sandboxpostgres "github.com/lakeland/terraform-provider-lakeland/internal/sandbox/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// promise is something that a horizon finds, or is documented to miss, shown on a database of its own.
type promise struct {
	name string
	show func(p *place)
}

// TestHorizons shows every promise and every loss of the horizons on each version of PostgreSQL.
func TestHorizons(t *testing.T) {
	t.Parallel()
	var promises []promise
	for _, some := range [][]promise{cells, xminPromises, partitionPromises, transactionPromises, lookbackPromises, modelPromises} {
		promises = append(promises, some...)
	}
	for _, major := range sandbox.PostgresMajors() {
		t.Run(major, func(t *testing.T) {
			t.Parallel()
			s := sandbox.ForTest(t).PostgresOf(t, major)
			const databases = 4
			free := make(chan string, databases)
			for range databases {
				free <- newPlace(t, s).connection.Database
			}
			for _, promise := range promises {
				t.Run(strings.ReplaceAll(promise.name, " ", "_"), func(t *testing.T) {
					t.Parallel()
					p := placeOn(t, s, <-free)
					p.emptied(func() { free <- p.connection.Database })
					promise.show(p)
				})
			}
		})
	}
}

// ownServer is a server of a test's own.
func ownServer(t *testing.T) *sandboxpostgres.Server {
	t.Helper()
	installation, err := sandbox.ForTest(t).PostgresInstallation(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return serverAt(t, installation)
}

func serverAt(t *testing.T, installation string) *sandboxpostgres.Server {
	t.Helper()
	s, err := sandboxpostgres.Start(t.Context(), sandboxpostgres.Options{Installation: installation, Settings: map[string]string{"autovacuum": "off"}})
	if err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	t.Cleanup(func() {
		once.Do(func() {
			if err := s.Stop(); err != nil {
				t.Error(err)
			}
		})
	})
	return s
}

const timedTable = `CREATE TABLE t (id int PRIMARY KEY, v text, at timestamptz NOT NULL DEFAULT now())`

var (
	byXmin         = spec.Extract{Horizon: "xmin"}
	byTransactions = spec.Extract{Horizon: "transactions", Cursor: "at"}
	byLookback     = spec.Extract{Horizon: "lookback", Cursor: "at", Lookback: "0s"}
)

// cells are the table of docs/modes.md, each cell one of these.
var cells = []promise{
	{"full finds a late commit", func(p *place) {
		f := p.newFeed(byXmin, timedTable, `INSERT INTO t VALUES (1, 'a')`)
		late := p.session()
		late.sql(`BEGIN`, `INSERT INTO t VALUES (10, 'late')`)
		f.full()
		f.expect("before the late commit", "")
		late.sql(`COMMIT`)
		f.full()
		f.expect("after the late commit", "")
	}},
	{"full finds a delete", func(p *place) { replaced(p, `DELETE FROM t WHERE id = 2`) }},
	{"full finds an unbumped update", func(p *place) { replaced(p, `UPDATE t SET v = 'forgot' WHERE id = 2`) }},
	{"full finds an update", func(p *place) { replaced(p, bumped) }},
	{"full finds a truncate", func(p *place) { replaced(p, `TRUNCATE t`) }},
	{"full finds an update out of the filter", func(p *place) {
		f := p.newFeed(byXmin, timedTable, `INSERT INTO t VALUES (1, 'kept'), (2, 'kept')`)
		f.request.Filter = []spec.Predicate{{Column: "v", Op: "=", Value: "kept"}}
		f.full()
		f.sql(`UPDATE t SET v = 'other' WHERE id = 2`)
		f.full()
		f.expect("a row that left the filter", "")
	}},
	{"full finds a partition attached with old rows", func(p *place) {
		f := p.newFeed(byXmin, append(parted, old)...)
		f.full()
		f.sql(attachOld)
		f.full()
		f.expect("after ATTACH", "")
	}},
	{"xmin finds a partition attached with old rows", func(p *place) { attached(p, nil) }},
	{"transactions misses a partition attached with old rows", func(p *place) { attachedUnseen(p, byTransactions) }},
	{"lookback misses a partition attached with old rows", func(p *place) { attachedUnseen(p, byLookback) }},
	{"xmin finds a late commit", func(p *place) { lateCommit(p, byXmin, "") }},
	{"transactions finds a late commit", func(p *place) { lateCommit(p, byTransactions, "") }},
	{"lookback misses a late commit", func(p *place) { lateCommit(p, byLookback, "-10") }},
	{"xmin misses a delete", func(p *place) { change(p, byXmin, "+2", `DELETE FROM t WHERE id = 2`) }},
	{"transactions misses a delete", func(p *place) { change(p, byTransactions, "+2", `DELETE FROM t WHERE id = 2`) }},
	{"lookback misses a delete", func(p *place) { change(p, byLookback, "+2", `DELETE FROM t WHERE id = 2`) }},
	{"xmin finds an unbumped update", func(p *place) { change(p, byXmin, "", `UPDATE t SET v = 'forgot' WHERE id = 2`) }},
	{"transactions misses an unbumped update", func(p *place) {
		change(p, byTransactions, "~2", `UPDATE t SET v = 'forgot' WHERE id = 2`)
	}},
	{"lookback misses an unbumped update", func(p *place) {
		change(p, byLookback, "~2", `UPDATE t SET v = 'forgot' WHERE id = 2`)
	}},
	{"xmin misses a truncate", func(p *place) { change(p, byXmin, "+1 +2 +3", `TRUNCATE t`) }},
	{"transactions misses a truncate", func(p *place) { change(p, byTransactions, "+1 +2 +3", `TRUNCATE t`) }},
	{"lookback misses a truncate", func(p *place) { change(p, byLookback, "+1 +2 +3", `TRUNCATE t`) }},
	{"xmin finds an update", func(p *place) { change(p, byXmin, "", bumped) }},
	{"transactions finds an update", func(p *place) { change(p, byTransactions, "", bumped) }},
	{"lookback finds an update", func(p *place) { change(p, byLookback, "", bumped) }},
	{"xmin misses an update out of the filter", func(p *place) { outOfFilter(p, byXmin) }},
	{"transactions misses an update out of the filter", func(p *place) { outOfFilter(p, byTransactions) }},
	{"lookback misses an update out of the filter", func(p *place) { outOfFilter(p, byLookback) }},
}

const bumped = `UPDATE t SET v = 'changed', at = now() WHERE id = 2`

// lateCommit has a transaction take its clock and write, another one commit behind it and be read, and the first commit
// only then.
func lateCommit(p *place, by spec.Extract, losses string) {
	p.t.Helper()
	f := p.newFeed(by, timedTable, `INSERT INTO t VALUES (1, 'a')`)
	f.round()
	late := p.session()
	late.sql(`BEGIN`, `INSERT INTO t VALUES (10, 'late')`)
	f.sql(`INSERT INTO t VALUES (2, 'b')`)
	f.round()
	f.expect("before the late commit", "")
	late.sql(`COMMIT`)
	f.round()
	f.expect("after the late commit", losses)
}

// change reads three rows, old enough that no horizon reads them again by chance, and a fourth that is new; then changes
// the old ones.
func change(p *place, by spec.Extract, losses, statement string) {
	p.t.Helper()
	f := p.newFeed(by, timedTable, `INSERT INTO t SELECT i, 'old', now() - interval '1 hour' FROM generate_series(1, 3) i`, `INSERT INTO t VALUES (4, 'new')`)
	f.round()
	f.expect("the first round", "")
	f.sql(statement)
	if strings.HasPrefix(statement, "TRUNCATE") {
		f.sql(`INSERT INTO t VALUES (4, 'again')`)
	}
	f.round()
	f.expect("after "+statement, losses)
}

// replaced lands a table as mode full does, changes it, and lands it again.
func replaced(p *place, statement string) {
	p.t.Helper()
	f := p.newFeed(byXmin, timedTable, `INSERT INTO t VALUES (1, 'a'), (2, 'b')`)
	f.full()
	f.expect("the first round", "")
	f.sql(statement)
	f.full()
	f.expect("after "+statement, "")
}

// full reads as mode full does, in units under one snapshot: what there was is replaced.
func (f *feed) full() {
	f.place.t.Helper()
	f.rows = map[int32]string{}
	ctx := f.place.t.Context()
	s, err := postgres.Begin(ctx, f.connection, f.login, f.request.Source)
	if err != nil {
		f.place.t.Fatal(err)
	}
	defer s.Close(ctx)
	units, err := s.Parts(ctx, f.request.Source, nil, feedUnit)
	if err != nil {
		f.place.t.Fatal(err)
	}
	for _, parts := range units {
		request := postgres.Request{Parts: parts, Columns: f.columns, Filter: f.request.Filter, Snapshot: s.ID}
		if _, err := postgres.Extract(ctx, f.connection, f.login, request, f.apply); err != nil {
			f.place.t.Fatal(err)
		}
	}
}

func outOfFilter(p *place, by spec.Extract) {
	p.t.Helper()
	f := p.newFeed(by, timedTable, `INSERT INTO t VALUES (1, 'kept'), (2, 'kept'), (3, 'other')`)
	f.request.Filter = []spec.Predicate{{Column: "v", Op: "=", Value: "kept"}}
	f.round()
	f.expect("the first round", "")
	f.sql(`UPDATE t SET v = 'other', at = now() WHERE id = 2`, `UPDATE t SET v = 'kept', at = now() WHERE id = 3`)
	f.round()
	f.expect("a row that left the filter stays, one that entered comes", "+2")
}

// The table of docs/modes.md says what the cells show, and has all of them.
func TestModesAreDocumentedAsShown(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../../../docs/modes.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]bool{}
	for _, cell := range cells {
		shown[cell.name] = true
	}
	var modes []string
	for line := range strings.Lines(string(page)) {
		fields := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range fields {
			fields[i] = strings.Trim(strings.TrimSpace(fields[i]), "`")
		}
		switch {
		case fields[0] == "what happens":
			modes = fields
		case len(modes) == len(fields) && (strings.HasPrefix(fields[0], "a ") || strings.HasPrefix(fields[0], "an ")):
			for i, mode := range modes[1:] {
				verb, _, _ := strings.Cut(fields[i+1], " ")
				name := mode + " " + verb + " " + fields[0]
				if !shown[name] {
					t.Errorf("the page says %q, which no cell shows", name)
				}
				delete(shown, name)
			}
		}
	}
	for name := range shown {
		t.Errorf("the page lacks %q", name)
	}
}
