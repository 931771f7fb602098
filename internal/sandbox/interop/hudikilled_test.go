package interop_test

import "fmt"

// deaths are where a worker that lands a table of Hudi can die, in the order of its calls: each before a call, the last behind
// the one that commits.
var deaths = []struct {
	name, operation string
	// behind says that the call takes effect, committed that all that reads the folder sees the commit.
	behind, committed bool
	end               bool
}{
	{name: "before a file is staged", operation: `PUT .*/\.lakeland/staging/`},
	{name: "before its record", operation: `PUT .*/\.lakeland/attempts/`},
	{name: "behind the request", operation: `PUT .*/\d{17}\.commit\.requested$`, behind: true},
	{name: "before its markers", operation: `PUT .*/MARKERS`, end: true},
	{name: "before a data file", operation: `PUT .*/t/([^.][^/]*/)?[^./]+_\d+-\d+-\d+_\d{17}\.parquet$`},
	{name: "behind a data file", operation: `PUT .*/t/([^.][^/]*/)?[^./]+_\d+-\d+-\d+_\d{17}\.parquet$`, behind: true},
	{name: "before the claim", operation: `PUT .*/\.lakeland/claims/`, end: true},
	{name: "before the commit", operation: `PUT .*/\d{17}\.commit$`, end: true},
	{name: "behind the commit", operation: `PUT .*/\d{17}\.commit$`, behind: true, committed: true, end: true},
	{name: "before the catalogue has it", operation: `UpdateTable`, committed: true, end: true},
}

// dies has the source change, and a worker that lands it die. What did not come about is to come again.
func (x *stage) dies(operation string, behind, committed bool) {
	x.t.Helper()
	x.again()
	x.sql(`DROP TABLE IF EXISTS kept`, `CREATE TABLE kept AS TABLE shown`,
		`UPDATE t SET n = n + 1, name = 'changed', land = 'land 2' WHERE id % 40 = 3`, `INSERT INTO t SELECT max(id) + 1, 'land 1', 'new', 1, 2.5, NULL, NULL, NULL, NULL FROM t`)
	x.quiet()
	x.killed(operation, behind)
	if !committed {
		x.sql(`INSERT INTO again SELECT id FROM touched`, `TRUNCATE shown`, `INSERT INTO shown TABLE kept`)
	}
}

// hudiWorkersDie: a worker that dies anywhere leaves the old table or the new one to all readers, and the next run ends well.
func hudiWorkersDie(least form, kind string, partitionBy ...string) scenario {
	s := scenario{
		name: "workers die, Hudi " + kind, least: least, setup: lands, document: ofHudi(partitionBy...),
		steps: []step{{name: "landed", do: func(x *stage) { x.run() }, want: shown}},
	}
	for i, d := range deaths {
		s.steps = append(s.steps,
			step{name: "killed " + d.name, do: func(x *stage) { x.dies(d.operation, d.behind, d.committed) }, want: shown, end: d.end},
			step{name: "landed behind one killed " + d.name, do: func(x *stage) { x.again(); x.outlive() }, want: shown, end: i == len(deaths)-1},
		)
	}
	if len(partitionBy) > 0 {
		s.steps = append(s.steps,
			step{name: "killed before the catalogue has a partition", want: shown, uncatalogued: true, do: func(x *stage) {
				x.again()
				x.sql(`INSERT INTO t SELECT id + 7000, 'land 7', name, n, amount, at, day, ok, ratio FROM t WHERE id <= 5`)
				x.quiet()
				x.killed(`CreatePartition`, false)
			}},
			step{name: "the partition is made known, and nothing landed", want: shown, end: true, do: func(x *stage) {
				before := x.newest()
				x.outlive()
				if x.newest() != before {
					x.t.Errorf("%s: there is a commit more, %s", x.step, x.newest())
				}
			}},
		)
	}
	return s
}

// sparkBehindTheDead: where a worker died, Spark comes first: it takes back what it finds pending, and writes.
func sparkBehindTheDead(least form, kind string, partitionBy ...string) scenario {
	s := scenario{
		name: "Spark writes behind dead workers, Hudi " + kind, least: least, setup: lands, document: ofHudi(partitionBy...),
		steps: []step{{name: "landed", do: func(x *stage) { x.run() }, want: shown}},
	}
	for i, d := range deaths[2:9] {
		version := hudiVersions[i%len(hudiVersions)]
		s.steps = append(s.steps,
			step{name: "upserted by Hudi " + version + " behind one killed " + d.name, want: shown, do: func(x *stage) {
				x.dies(d.operation, d.behind, d.committed)
				x.theirUpsert(version, []string{"SIMPLE", "BLOOM"}[i/2%2], hudiRows(fmt.Sprintf("by Spark %d", i), fmt.Sprintf("id %% 40 < %d", 5+i)))
			}},
			step{name: "landed behind that", do: func(x *stage) { x.again(); x.outlive() }, want: shown, end: i >= 5},
		)
	}
	return s
}
