package run_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/merge"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/run"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/source/postgres"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/readback"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
	"github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

// changing configures a source table whose changes are merged.
func (l *lake) changing(name string, extract spec.Extract, change func(*spec.Table)) {
	l.t.Helper()
	doc := l.source(name)
	doc.Extract = extract
	doc.Extract.Mode = "incremental"
	doc.PrimaryKey = []string{"id"}
	if change != nil {
		change(doc)
	}
	l.must(l.tracking.CreateTable(l.t.Context(), doc, sandbox.Account))
}

// round runs a table and returns its newest history.
func (l *lake) round(name string) (run.Outcome, tracking.Run) {
	l.t.Helper()
	out := l.runner().Table(l.t.Context(), "shop."+name)
	l.must(out.Err)
	runs, err := l.tracking.Runs(l.t.Context(), "shop."+name, 1)
	l.must(err)
	return out, runs[0]
}

// shows compares a table in the lake with a query over the source.
func (l *lake) shows(name, query string) {
	l.t.Helper()
	l.sql(`CREATE OR REPLACE VIEW shown AS ` + query)
	want, err := readback.Postgres(l.t.Context(), l.db.ConnString, "public", "shown")
	l.must(err)
	if l.isHudi(name) {
		l.hudiHolds(name, want)
		return
	}
	got, err := l.reader().Iceberg(l.t.Context(), l.database+"."+name)
	l.must(err)
	for _, row := range got[0].Rows {
		if key := row[0]; key == nil {
			l.t.Error("a row without a key")
		}
	}
	for _, difference := range readback.Differences(want, &got[0]) {
		l.t.Error(difference)
	}
}

// extracts are the horizons, with what they need.
var extracts = map[string]spec.Extract{
	"xmin":         {},
	"transactions": {Horizon: "transactions", Cursor: "at"},
	"lookback":     {Horizon: "lookback", Cursor: "id_seen", Lookback: "5"},
}

// What changes is merged, each horizon as it finds it, and the chain of positions is whole.
func TestChangesAreMerged(t *testing.T) {
	t.Parallel()
	for _, way := range append(slices.Sorted(maps.Keys(extracts)), "transactions in Hudi") {
		name, hudi := strings.CutSuffix(way, " in Hudi")
		format := map[bool]string{false: "iceberg", true: "hudi"}[hudi]
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			l := newLake(t, `CREATE TABLE goods (id bigint PRIMARY KEY, name text, price numeric(12,2), at timestamptz NOT NULL DEFAULT clock_timestamp(), id_seen bigint GENERATED ALWAYS AS IDENTITY)`,
				`INSERT INTO goods SELECT i, CASE WHEN i % 7 > 0 THEN 'good ' || i END, i * 1.25 FROM generate_series(1, 3000) i`)
			l.changing("goods", extracts[name], func(s *spec.Table) { s.Target.Format = format })
			_, first := l.round("goods")
			l.equal("goods")
			if first.Inserted != 3000 || first.Updated != 0 || first.Horizon != name {
				t.Errorf("the first run: %+v", first)
			}
			l.sql(`INSERT INTO goods SELECT i, 'new ' || i, i FROM generate_series(3001, 3100) i`)
			if name != "lookback" {
				l.sql(`UPDATE goods SET price = price + 1, at = clock_timestamp() WHERE id % 300 = 0 AND id <= 3000`)
			}
			_, second := l.round("goods")
			l.equal("goods")
			if wanted := map[string]int64{"xmin": 10, "transactions": 10}[name]; second.Inserted != 100 || second.Updated != wanted {
				t.Errorf("%d inserted and %d updated, not 100 and %d", second.Inserted, second.Updated, wanted)
			}
			if second.From != first.To || second.Commit == first.Commit {
				t.Errorf("the second commit goes from %s, the first went to %s", second.From, first.To)
			}
			out, third := l.round("goods")
			if third.Commit != second.Commit || third.Inserted+third.Updated != 0 || out.Commit != second.Commit {
				t.Errorf("nothing changed: %+v", third)
			}
			l.sql(`INSERT INTO goods VALUES (9000, 'late', 1)`)
			_, fourth := l.round("goods")
			l.equal("goods")
			if fourth.From != second.To || fourth.Inserted != 1 {
				t.Errorf("the chain goes from %s to %s", second.To, fourth.From)
			}
		})
	}
}

// A random history of inserts and updates is in the lake after each run, whatever the key.
func TestRandomHistoriesAreMerged(t *testing.T) {
	t.Parallel()
	for key, columns := range map[string]string{"uuid": "id uuid PRIMARY KEY", "text": `id text COLLATE "C" PRIMARY KEY`, "two columns": "id int, part text, PRIMARY KEY (id, part)", "two columns of Hudi": "id int, part text, PRIMARY KEY (id, part)"} {
		t.Run(key, func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(sandbox.Seed(t), 3))
			l := newLake(t, `CREATE TABLE things (`+columns+`, n int, note text)`)
			l.changing("things", spec.Extract{}, func(s *spec.Table) {
				if strings.HasPrefix(key, "two columns") {
					s.PrimaryKey = []string{"id", "part"}
				}
				if strings.HasSuffix(key, "of Hudi") {
					s.Target.Format = "hudi"
				}
			})
			insert := map[string]string{
				"uuid": `INSERT INTO things SELECT md5(i::text)::uuid, i, repeat('x', i %% 50) FROM generate_series(%d, %d) i ON CONFLICT DO NOTHING`,
				"text": `INSERT INTO things SELECT 'ключ-' || i, i, 'é' || i FROM generate_series(%d, %d) i ON CONFLICT DO NOTHING`,
			}[key]
			if insert == "" {
				insert = `INSERT INTO things SELECT i / 3, 'part ' || i %% 3, i, NULL FROM generate_series(%d, %d) i ON CONFLICT DO NOTHING`
			}
			top := 0
			for range 6 {
				next := top + r.IntN(400)
				l.sql(fmt.Sprintf(insert, top, next), fmt.Sprintf(`UPDATE things SET n = n + 1, note = coalesce(note, '') || 'u' WHERE n %% %d = 0`, 2+r.IntN(40)))
				top = next
				l.round("things")
				l.shows("things", `SELECT id::text AS id, `+map[bool]string{true: "part, "}[strings.HasPrefix(key, "two columns")]+`n, note FROM things`)
			}
		})
	}
}

// The table follows new, renamed, widened and dropped columns while changes are merged.
func TestColumnsFollowWhileChangesAreMerged(t *testing.T) {
	t.Parallel()
	l := newLake(t, `CREATE TABLE goods (id bigint PRIMARY KEY, name text, small int, price numeric(6,2))`, `INSERT INTO goods SELECT i, 'good ' || i, i, i FROM generate_series(1, 500) i`)
	l.changing("goods", spec.Extract{}, nil)
	l.round("goods")
	for _, step := range []struct{ does, note string }{
		{`ALTER TABLE goods ADD extra date`, `column "extra" is new at the source: it is added`},
		{`UPDATE goods SET extra = '2024-02-29' WHERE id < 10`, ""},
		{`ALTER TABLE goods RENAME name TO title`, `column "name" is now "title": it is renamed`},
		{`UPDATE goods SET title = upper(title) WHERE id = 400`, ""},
		{`INSERT INTO goods VALUES (501, 'last', 1, 0, NULL)`, ""},
		{`ALTER TABLE goods ALTER price TYPE numeric(12,2)`, `column "price" was decimal(6,2) and is decimal(12,2): it is widened`},
		{`UPDATE goods SET price = 1234567890.12 WHERE id = 300`, ""},
		{`ALTER TABLE goods ALTER small TYPE bigint`, `column "small" was int and is long: it is widened`},
		{`UPDATE goods SET small = 9007199254740993 WHERE id = 3`, ""},
	} {
		l.sql(step.does)
		_, ran := l.round("goods")
		if notes := strings.Join(ran.Notes, "; "); notes != step.note {
			t.Errorf("%s: history says %q, not %q", step.does, notes, step.note)
		}
		l.equal("goods")
	}
	// What the source dropped stays: rows that were there keep it, and rows that are written have none.
	l.sql(`CREATE TABLE before AS SELECT id, small FROM goods`, `ALTER TABLE goods DROP small`)
	for _, change := range []string{`SELECT 1`, `UPDATE goods SET title = 'changed' WHERE id IN (7, 501)`, `INSERT INTO goods VALUES (502, 'new', 1, NULL)`} {
		l.sql(change)
		_, ran := l.round("goods")
		if notes := strings.Join(ran.Notes, "; "); change == `SELECT 1` && notes != `the source dropped column "small": it stays, with NULLs in all rows written from now on` || change != `SELECT 1` && notes != "" {
			t.Errorf("%s: history says %q", change, notes)
		}
		l.shows("goods", `SELECT id, title, price, extra, CASE WHEN title NOT IN ('changed', 'new') THEN small END AS small FROM goods LEFT JOIN before USING (id)`)
	}
}

// What rows that were landed cannot follow is refused while changes are merged, the lake's table stays as it is, and a reload
// is the way out.
func TestColumnsThatMergesCannotFollow(t *testing.T) {
	t.Parallel()
	const reload = `set reload to a new value to land the table afresh`
	for name, extract := range map[string]spec.Extract{"xmin": {}, "lookback": {Horizon: "lookback", Cursor: "seen", Lookback: "5"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const table = `CREATE TABLE goods (id bigint PRIMARY KEY, name text, price numeric(6,2), seen bigint GENERATED ALWAYS AS IDENTITY)`
			l := newLake(t, table, `INSERT INTO goods SELECT i, 'good ' || i, i FROM generate_series(1, 300) i`)
			l.changing("goods", extract, nil)
			l.round("goods")
			recreated := `the source table was dropped and created anew since it was last landed`
			way := reload
			if name == "xmin" {
				recreated, way = `it was recreated`, postgres.ErrReload.Error()
			}
			for i, step := range []struct {
				does []string
				says []string
			}{
				{[]string{`ALTER TABLE goods ADD state text DEFAULT 'old'`}, []string{`column "state" was added with values for rows that were there (its default is "'old'::text"), and those that were landed do not have them: `, reload}},
				{[]string{`ALTER TABLE goods ADD must int NOT NULL DEFAULT 7`, `ALTER TABLE goods ALTER must DROP DEFAULT`}, []string{`column "must" was added with values for rows that were there`, reload}},
				{[]string{`ALTER TABLE goods ALTER price TYPE numeric(9,3)`}, []string{`column "price" was numeric(6,2) (decimal(6,2)) and is numeric(9,3) (decimal(9,3)) now, which old rows cannot follow`, reload}},
				{[]string{`ALTER TABLE goods DROP name`, `ALTER TABLE goods ADD name text`}, []string{`the source has a column "name" to land under that name`, reload}},
				{[]string{`DROP TABLE goods`, table, `INSERT INTO goods SELECT i, 'anew', 1 FROM generate_series(1, 200) i`}, []string{recreated, way}},
			} {
				l.sql(step.does...)
				for _, text := range step.says { // the first refusal changes nothing for the second
					l.refused("goods", nil, text)
				}
				l.change("goods", func(s *spec.Table) { s.Reload = fmt.Sprint(i) })
				l.round("goods")
				l.equal("goods")
			}
		})
	}
}

// What cannot be merged is refused by name, and a reload is the way out.
func TestRefusalsOfMerges(t *testing.T) {
	t.Parallel()
	inMergedFormats(t, refusalsOfMerges)
}

func refusalsOfMerges(t *testing.T, format string) {
	t.Helper()
	l := newLake(t, `CREATE TABLE goods (id bigint, name text)`, `INSERT INTO goods VALUES (1, 'a'), (2, 'b')`)
	l.changing("goods", spec.Extract{}, func(s *spec.Table) { s.Target.Format = format })
	l.round("goods")
	l.sql(`INSERT INTO goods VALUES (3, 'c'), (3, 'd')`)
	if out := l.runner().Table(t.Context(), "shop.goods"); !errors.Is(out.Err, merge.ErrKey) || !strings.Contains(out.Err.Error(), "two rows have the key id = 3") {
		t.Errorf("a key that is there twice: %v", out.Err)
	}
	l.sql(`DELETE FROM goods WHERE name = 'd'`, `INSERT INTO goods VALUES (NULL, 'e')`)
	if out := l.runner().Table(t.Context(), "shop.goods"); out.Err == nil || !strings.Contains(out.Err.Error(), `1 rows have NULL in column "id", which is part of the key`) {
		t.Errorf("a key that is NULL: %v", out.Err)
	}
	l.sql(`DELETE FROM goods WHERE id IS NULL`)
	l.round("goods")
	l.equal("goods")
	doc := l.source("goods")
	doc.Target.Format, doc.Extract.Mode, doc.PrimaryKey, doc.Filter = format, "incremental", []string{"id"}, []spec.Predicate{{Column: "name", Op: "!=", Value: "a"}}
	l.must(l.tracking.UpdateTable(t.Context(), doc, sandbox.Account))
	if out := l.runner().Table(t.Context(), "shop.goods"); !errors.Is(out.Err, postgres.ErrReload) {
		t.Errorf("another filter: %v", out.Err)
	}
	doc.Reload = "another filter"
	l.must(l.tracking.UpdateTable(t.Context(), doc, sandbox.Account))
	if _, landed := l.round("goods"); landed.Inserted != 2 || landed.Deleted != 3 {
		t.Errorf("the reload: %+v", landed)
	}
	l.sql(`UPDATE goods SET name = 'z' WHERE id = 2`)
	if _, landed := l.round("goods"); landed.Updated != 1 || landed.Inserted != 0 {
		t.Errorf("behind the reload: %+v", landed)
	}
}
