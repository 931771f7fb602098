package interop_test

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/run"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/readback"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/toolchain"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// scenario is one source table, called t, and what happens to it.
type scenario struct {
	name string
	// least is the smallest form in which the scenario is run.
	least form
	// setup is SQL for the source.
	setup []string
	// document adjusts the source table's document; nil leaves it.
	document func(*spec.Table)
	steps    []step
}

// step is something that happens, after which all readers must see the same.
type step struct {
	name string
	do   func(x *stage)
	// want is SQL for the source that gives what the table must hold; "" is all of the source table.
	want string
	// end marks a distinct end state, which Spark and Trino read too.
	end bool
	// uncatalogued says that the catalogue does not show the table as it is: Trino is not asked.
	uncatalogued bool
	// files has Spark read the table's data files too, as Parquet and no more: it is the reader that skips pages.
	files bool
	// filters are conditions, in the SQL that all engines know, under which Spark and Trino must find the same rows too.
	filters []string
}

// stage is a scenario in progress.
type stage struct {
	*lake
	heavy *heavy // nil in the short form
	gaps  *gaps
	// scenario and step say where this is.
	scenario, step string
	at             int // the step's number
	format         string
	partitionBy    []string
	// ago is how long ago runs believe to be.
	ago time.Duration
	// stopped is set where an engine cannot make a change, by a known gap: what follows depends on it.
	stopped bool
}

// scenarios are all that is proved.
func scenarios(seed uint64, chosen form) []scenario {
	return append([]scenario{
		types(), columnsAreFollowed(), largeTable(), rowGroups(), catalogue(), sparkChanges(), trinoChanges(), sparkAlters(),
		changesReachPartitions(), sparkChangesMarked(), trinoDeletes("merge_on_read", "truncate(4, name)"), trinoDeletes("copy_on_write"),
		versionsAreKept(), rowsSayWhereTheyAreFrom(), plainSnapshot(), plainBatches(),
		changesReachHudi("in one folder"), changesReachHudi("in partitions", "land"), hudiTypes(),
		sparkChangesHudi(usual, toolchain.HudiVersion, "in one folder"), sparkChangesHudi(usual, toolchain.HudiNextVersion, "in partitions", "land"),
		sparkChangesHudi(full, toolchain.HudiVersion, "in partitions", "land"), sparkChangesHudi(full, toolchain.HudiNextVersion, "in one folder"),
		sparkWritesHudiOtherwise(toolchain.HudiVersion), sparkWritesHudiOtherwise(toolchain.HudiNextVersion, "land"),
		adopted(toolchain.HudiVersion, "land"), adopted(toolchain.HudiNextVersion), hudiWorkersDie(usual, "in partitions", "land"), hudiWorkersDie(full, "in one folder"),
		hudiAlternations(seed, full, chosen, "in one folder"), hudiAlternations(seed, usual, chosen, "in partitions", "land"),
		sparkArchives("land"), oddPartitions(), partitionOfNull(), hudiKeys("in one folder"), hudiKeys("in partitions", "e"),
		sparkBehindTheDead(usual, "in one folder"), sparkBehindTheDead(full, "in partitions", "land"),
		sparkWritesOtherwise(), alternations(seed, "merge_on_read"), alternations(seed, "copy_on_write"),
	}, mortals()...)
}

func TestScenarios(t *testing.T) {
	t.Parallel()
	chosen := chosen(t)
	gaps, err := knownGaps()
	if err != nil {
		t.Fatal(err)
	}
	var played atomic.Int32
	var all int32
	t.Run("all", func(t *testing.T) {
		for _, s := range scenarios(sandbox.Seed(t), chosen) {
			if s.least > chosen {
				continue // there is nothing to read it, or to change it, in this form
			}
			all++
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				play(t, s, chosen, gaps)
				played.Add(1)
			})
		}
	})
	for _, call := range sandbox.Shared().Glue().Calls() {
		if call.Code == "UnknownOperationException" {
			t.Errorf("an engine calls Glue's %s, which the sandbox does not have: it belongs to internal/sandbox/glue", call.Operation)
		}
	}
	if chosen > short && played.Load() == all { // none was left out by -run, none failed to its end
		report(t, gaps.settle(t)...)
	}
}

func play(t *testing.T, s scenario, chosen form, gaps *gaps) {
	t.Helper()
	begun := time.Now()
	x := &stage{lake: newLake(t), gaps: gaps, scenario: s.name}
	if chosen > short {
		x.heavy = javaEngines()
	}
	x.sql(s.setup...)
	document := x.source("t")
	if s.document != nil {
		s.document(document)
	}
	x.format, x.partitionBy = document.Target.Format, document.PartitionBy
	x.must(x.tracking.CreateTable(t.Context(), document, sandbox.Account))
	for i, step := range s.steps {
		x.step, x.at = step.name, i
		step.do(x)
		if x.stopped {
			report(t, fmt.Sprintf("%s: %d of %d steps, stopped by a known gap", s.name, i, len(s.steps)))
			return
		}
		want := x.expected(step.want)
		x.agree("", want, x.light(chosen))
		if x.heavy != nil && (step.end || i == len(s.steps)-1 || chosen == full) {
			others := x.others(step)
			x.agree("", want, others(nil))
			if step.filters != nil {
				x.agree(", filtered", x.expected(filtered("("+cmp.Or(step.want, "SELECT * FROM t")+")", step.filters)), others(step.filters))
			}
		}
		if t.Failed() {
			t.Fatalf("%s: the readers do not agree; the steps behind it were not run", step.name)
		}
		t.Logf("%s: %d rows, after %s", step.name, want.Count, time.Since(begun).Round(100*time.Millisecond))
	}
	report(t, fmt.Sprintf("%s: %d steps in %s", s.name, len(s.steps), time.Since(begun).Round(time.Second)))
}

// run lands the table once.
func (x *stage) run(adjust ...func(*run.Runner)) {
	x.t.Helper()
	if x.stopped {
		return
	}
	r := x.runner()
	if x.ago > 0 {
		r.Now = func() time.Time { return time.Now().Add(-x.ago) }
	}
	for _, a := range adjust {
		a(r)
	}
	if out := r.Table(x.t.Context(), "shop.t"); out.Err != nil {
		x.t.Fatalf("%s: %v", x.step, out.Err)
	}
}

// spark and trino have the engines execute statements; $t is the table, $db its database, $bucket the address of its bucket.
func (x *stage) spark(statements ...string) {
	x.t.Helper()
	x.change("Spark", x.heavy.spark, statements)
}

func (x *stage) trino(statements ...string) {
	x.t.Helper()
	x.change("Trino", x.heavy.trino, statements)
}

func (x *stage) change(name string, by engine, statements []string) {
	x.t.Helper()
	for _, statement := range statements {
		if x.stopped {
			return
		}
		err := by.Execute(x.t.Context(), x.names(statement))
		if err != nil && x.gaps.meets(x.scenario+", "+x.step, name, err.Error()) {
			x.stopped = true
			return
		}
		if err != nil {
			x.t.Fatalf("%s: %v", x.step, err)
		}
	}
}

func (x *stage) names(sql string) string {
	return strings.NewReplacer("$t", "lake."+x.database+".t", "$db", x.database, "$bucket", "s3://"+x.bucket).Replace(sql)
}

// expected is what the source holds, by a query of it where one is given.
func (x *stage) expected(query string) *readback.Table {
	x.t.Helper()
	table := "t"
	if query != "" {
		table = "expected"
		x.sql("CREATE VIEW expected AS " + query)
		defer x.sql("DROP VIEW expected")
	}
	want, err := readback.Postgres(x.t.Context(), x.db.ConnString, "public", table)
	x.must(err)
	return want
}

// reading is one way to read the table.
type reading struct {
	name string
	read func(ctx context.Context) (*readback.Table, error)
}

// agree compares what the readers see with what is wanted; under says under what they read it.
func (x *stage) agree(under string, want *readback.Table, readings []reading) {
	x.t.Helper()
	where := x.scenario + ", " + x.step + under
	for _, r := range readings {
		var found []string
		got, err := r.read(x.t.Context())
		if err != nil {
			found = []string{"cannot read the table: " + err.Error()}
		} else {
			if x.format == "hudi" {
				got = arranged(want, got)
			}
			found = readback.Differences(want, got)
		}
		for _, difference := range found {
			if !x.gaps.meets(where, r.name, difference) {
				x.t.Errorf("%s: %s: %.500s", where, r.name, difference)
			}
		}
	}
}

// light are the readers that look behind every step.
func (x *stage) light(chosen form) []reading {
	switch x.format {
	case "parquet":
		return x.lightPlain()
	case "hudi":
		return x.lightHudi(chosen)
	}
	readings := []reading{{"PyIceberg", func(ctx context.Context) (*readback.Table, error) {
		python, err := x.sb.Python(ctx)
		if err != nil {
			return nil, err
		}
		return first(readback.Reader{Python: python, Env: x.sb.Env()}.Iceberg(ctx, x.database+".t"))
	}}, {"DuckDB from the files", func(ctx context.Context) (*readback.Table, error) {
		python, err := x.sb.Python(ctx)
		if err != nil {
			return nil, err
		}
		return first(readback.Reader{Python: python, Env: x.sb.Env()}.Files(ctx, x.database+".t"))
	}}}
	if chosen > short {
		readings = append(readings, reading{"DuckDB", func(ctx context.Context) (*readback.Table, error) {
			python, err := x.heavy.python()
			if err != nil {
				return nil, err
			}
			reader := readback.Reader{Python: python, Env: x.sb.Env()}
			return first(reader.Metadata(ctx, x.parameter("t", "metadata_location")))
		}})
	}
	return readings
}

func first(tables []readback.Table, err error) (*readback.Table, error) {
	if err != nil {
		return nil, err
	}
	return &tables[0], nil
}

// bySpark has Spark answer a query with its reader of Parquet that reads vectors, or the one that reads rows.
func (x *stage) bySpark(ctx context.Context, query string, vectors bool) (*readback.Table, error) {
	x.heavy.mu.Lock()
	defer x.heavy.mu.Unlock()
	for _, setting := range []string{"spark.sql.iceberg.vectorization.enabled", "spark.sql.parquet.enableVectorizedReader"} {
		if err := x.heavy.spark.Execute(ctx, fmt.Sprintf("SET %s=%t", setting, vectors)); err != nil {
			return nil, err
		}
	}
	return x.heavy.spark.Query(ctx, query)
}

// others are Spark, by vectors and by rows, and Trino, which find what they look for by the bounds of files, row groups and
// pages.
func (x *stage) others(s step) func(filters []string) []reading {
	switch x.format {
	case "parquet":
		return x.othersPlain()
	case "hudi":
		return x.othersHudi(s.uncatalogued)
	}
	folder := ""
	if s.files {
		folder = x.download("raw/t/data/")
	}
	return func(filters []string) []reading {
		query := filtered(x.names("$t"), filters)
		readings := []reading{{"Trino", func(ctx context.Context) (*readback.Table, error) { return x.heavy.trino.Query(ctx, query) }}}
		for _, vectors := range []bool{true, false} {
			name := "Spark"
			if !vectors {
				name = "Spark without vectors"
			}
			readings = append(readings, reading{name, func(ctx context.Context) (*readback.Table, error) { return x.bySpark(ctx, query, vectors) }})
			if folder != "" {
				plain := filtered("parquet.`file:"+folder+"`", filters)
				readings = append(readings, reading{name + " from the files", func(ctx context.Context) (*readback.Table, error) { return x.bySpark(ctx, plain, vectors) }})
			}
		}
		return readings
	}
}

// filtered is a query of all rows, or of those under each of several conditions, with the condition's number: each is a
// scan of its own, which skips what it can.
func filtered(from string, filters []string) string {
	if filters == nil {
		return "SELECT * FROM " + from
	}
	scans := make([]string, len(filters))
	for i, f := range filters {
		scans[i] = fmt.Sprintf("SELECT %d AS filter, x.* FROM %s x WHERE %s", i, from, f)
	}
	return strings.Join(scans, " UNION ALL ")
}
