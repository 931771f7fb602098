package run_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox/readback"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// Comments arrive whole in the table's schema, and as far as the Glue catalogue holds them there; a change of
// nothing but a comment arrives too.
func TestCommentsAreCarried(t *testing.T) {
	t.Parallel()
	inMergedFormats(t, commentsAreCarried)
}

func commentsAreCarried(t *testing.T, format string) {
	t.Helper()
	l := newLake(t, `CREATE TABLE c (id int PRIMARY KEY, note text)`)
	long := "Größe\nin cm\x01 " + strings.Repeat("ä", 3000)
	doc := l.source("c")
	doc.Target.Format, doc.PrimaryKey = format, []string{"id"}
	l.must(l.tracking.CreateTable(t.Context(), doc, sandbox.Account))
	for _, comment := range []string{"what was said", long, ""} {
		l.sql(`COMMENT ON COLUMN c.note IS '`+comment+`'`, `COMMENT ON TABLE c IS '`+comment+`'`)
		l.must(l.runner().Table(t.Context(), "shop.c").Err)
		h := l.head("c")
		if h.Schema.Columns[1].Comment != comment || h.Schema.Columns[0].Comment != "" || h.Schema.Comment != comment {
			t.Errorf("the comments are %.40q and %.40q, want %.40q", h.Schema.Columns[1].Comment, h.Schema.Comment, comment)
		}
		entry, err := l.clients.Glue.GetTable(t.Context(), &glue.GetTableInput{DatabaseName: aws.String(l.database), Name: aws.String("c")})
		l.must(err)
		line := strings.NewReplacer("\n", " ", "\x01", " ").Replace(comment)
		of := map[string]string{}
		for _, c := range entry.Table.StorageDescriptor.Columns {
			of[aws.ToString(c.Name)] = aws.ToString(c.Comment)
		}
		column, table := of["note"], aws.ToString(entry.Table.Description)
		if of["id"] != "" {
			t.Errorf("the catalogue says %q of a column without a comment", of["id"])
		}
		if comment == long {
			if column != string([]rune(line)[:254])+"…" || table != string([]rune(strings.ReplaceAll(comment, "\x01", " "))[:2047])+"…" {
				t.Errorf("the catalogue says %.40q (%d) and %.40q (%d)", column, len(column), table, len(table))
			}
		} else if column != line || table != comment {
			t.Errorf("the catalogue says %q and %q, want %q", column, table, comment)
		}
	}
}

// Names are inert, whatever they say: they end up neither in SQL nor in the lake as anything but names. In Hudi those of keys and
// partitions are values too, and those that Avro does not take are given others.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	inMergedFormats(t, hostileNames)
}

func hostileNames(t *testing.T, format string) {
	t.Helper()
	const schema, table = `s"; DROP SCHEMA public CASCADE; --`, `t'); DROP TABLE canary; --"\`
	names := []string{
		`select`, `id"; DROP TABLE canary; --`, `x'); DROP TABLE canary; --`, `a.b`, `$1`, `%s %d`, `{"json": 1}`, `\`, `Übergröße`, `日本語`, `🙂`, ` `, `line
break`, `tab	`, strings.Repeat("é", 31) + "x", strings.Repeat("n", 63), `"`, `""x""`, `1st`, `null`, `/*`, `E'\x'`, `${x}`, `../up`,
	}
	quote := func(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
	l := newLake(t, `CREATE TABLE canary (id int)`, `CREATE SCHEMA `+quote(schema))
	columns, values := make([]string, len(names)), make([]string, len(names))
	doc := l.source("hostile")
	doc.Target.Format, doc.Columns, doc.PrimaryKey = format, map[string]spec.Column{}, []string{names[1]}
	plain := regexp.MustCompile(`^[a-z_][a-z0-9_]*$`)
	for i, name := range names {
		if format == "hudi" && !plain.MatchString(spec.LakeName(name)) {
			doc.Columns[name] = spec.Column{Name: fmt.Sprintf("plain_%d", i), Type: "string"}
		}
		columns[i], values[i] = quote(name)+" text NOT NULL", "'"+strings.ReplaceAll(name, "'", "''")+"'"
	}
	for i, name := range []string{"\\", " ", "\"", "🙂"} { // one-character names that would meet in "_"
		doc.Columns[name] = spec.Column{Name: "own_" + string(rune('a'+i)), Type: "string"}
	}
	target := quote(schema) + "." + quote(table)
	l.sql(`CREATE TABLE `+target+` (`+strings.Join(columns, ", ")+`)`, `INSERT INTO `+target+` VALUES (`+strings.Join(values, ", ")+`)`, `COMMENT ON TABLE `+target+` IS '"; DROP TABLE canary; --'`)
	doc.Source.Database.Schema, doc.Source.Database.Table = schema, table
	if format == "hudi" {
		doc.PartitionBy = []string{`../up`, `a.b`}
	}
	l.must(l.tracking.CreateTable(t.Context(), doc, sandbox.Account))
	l.must(l.runner().Table(t.Context(), "shop.hostile").Err)
	l.must(l.runner().Table(t.Context(), "shop.hostile").Err)
	var found []readback.Table
	if format == "hudi" {
		found = append(found, *l.hudiQuery("hostile", `SELECT * EXCLUDE (_hoodie_commit_time, _hoodie_commit_seqno, _hoodie_record_key, _hoodie_partition_path, _hoodie_file_name) FROM lake`))
		meta := l.hudiQuery("hostile", `SELECT _hoodie_record_key, _hoodie_partition_path FROM lake`).Rows[0]
		if *meta[0] != names[1] || *meta[1] != `___up=..%2Fup/a_b=a.b` {
			t.Errorf("the row's key is %q, its partition %q", *meta[0], *meta[1])
		}
		(&landing{lake: l, name: "hostile"}).shownWhole("hostile names")
	} else {
		iceberg, err := l.reader().Iceberg(t.Context(), l.database+".hostile")
		l.must(err)
		duck, err := l.reader().Parquet(t.Context(), "duckdb", l.download("raw/hostile/data/")[0])
		l.must(err)
		found = slices.Concat(iceberg, duck)
	}
	for _, table := range found {
		for i, name := range names {
			if got := table.Rows[0][i]; len(table.Rows) != 1 || got == nil || *got != name {
				t.Errorf("the value of %q is %v in %d rows", name, got, len(table.Rows))
			}
		}
	}
	if len(slices.Compact(slices.Sorted(slices.Values(found[0].Names())))) != len(names) {
		t.Errorf("the names are %q", found[0].Names())
	}
	var there bool
	l.query(&there, `SELECT to_regclass('public.canary') IS NOT NULL AND to_regnamespace('public') IS NOT NULL`)
	if !there {
		t.Error("a name was executed")
	}
}

// Columns get the names and types that the configuration gives them, and follow when it changes.
func TestDeclaredColumns(t *testing.T) {
	t.Parallel()
	l := newLake(t, `CREATE TABLE d ("Total" numeric, "total" int, id int)`, `INSERT INTO d VALUES (1.5, 2, 3)`)
	doc := l.source("d")
	l.must(l.tracking.CreateTable(t.Context(), doc, sandbox.Account))
	land := func(columns map[string]spec.Column) error {
		doc, err := l.tracking.Table(t.Context(), "shop.d")
		l.must(err)
		doc.Columns = columns
		l.must(l.tracking.UpdateTable(t.Context(), doc, sandbox.Account))
		return l.runner().Table(t.Context(), "shop.d").Err
	}
	for _, tc := range []struct {
		columns map[string]spec.Column
		want    string
	}{
		{nil, `the columns "Total" and "total" would both be "total" in the lake: give one of them another name, such as columns = { "total" = { name = "total_2" } }`},
		{map[string]spec.Column{"Total": {Name: "exact", Type: "decimal(12,0)"}}, `column "Total" (numeric): the value has more digits than decimal(12,0) holds`},
		{map[string]spec.Column{"Total": {Name: "exact", Type: "double"}}, `column "Total" of type numeric: it cannot be declared as double`},
		{map[string]spec.Column{"Total": {Name: "exact"}, "totl": {Name: "x"}}, `it has no column "totl", which columns names; did you mean "total"?`},
		{map[string]spec.Column{"Total": {Name: "exact", Type: "decimal(12,2)"}}, ""},
		{map[string]spec.Column{"Total": {Name: "sum", Type: "decimal(14,2)"}}, ""},
		{map[string]spec.Column{"Total": {Name: "sum"}}, `column "Total" was numeric (decimal(14,2)) and is numeric (string) now`},
	} {
		switch err := land(tc.columns); {
		case tc.want == "" && err != nil:
			t.Fatal(err)
		case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
			t.Errorf("%v: %v, want %q", tc.columns, err, tc.want)
		}
	}
	h := l.head("d")
	if c := h.Schema.Columns[0]; c.Name != "sum" || c.Type.String() != "decimal(14,2)" || c.FieldID != 1 {
		t.Errorf("the column is %+v", c)
	}
	runs, err := l.tracking.Runs(t.Context(), "shop.d", 2)
	l.must(err)
	if want := []string{`column "exact" is now "sum": it is renamed`, `column "sum" was decimal(12,2) and is decimal(14,2): it is widened`}; !slices.Equal(runs[1].Notes, want) {
		t.Errorf("history says %q", runs[1].Notes)
	}
}

// A table that was dropped and created anew with the same columns is followed by full loads, under the fields it
// had; with others it is not.
func TestRecreatedTables(t *testing.T) {
	t.Parallel()
	l := newLake(t, `CREATE TABLE r (id int, note text)`, `INSERT INTO r VALUES (1, 'a')`)
	l.add("r")
	l.must(l.runner().Table(t.Context(), "shop.r").Err)
	l.sql(`DROP TABLE r`, `CREATE TABLE r (note text, id bigint)`, `INSERT INTO r VALUES ('b', 2)`)
	l.must(l.runner().Table(t.Context(), "shop.r").Err)
	l.equal("r")
	if h := l.head("r"); h.Schema.Columns[0].FieldID != 2 || h.Schema.Columns[1].FieldID != 1 {
		t.Errorf("the columns are %+v", h.Schema.Columns)
	}
	l.sql(`CREATE TABLE other (note text, id bigint)`)
	doc, err := l.tracking.Table(t.Context(), "shop.r")
	l.must(err)
	doc.Source.Database.Table = "other"
	l.must(l.tracking.UpdateTable(t.Context(), doc, sandbox.Account))
	if err := l.runner().Table(t.Context(), "shop.r").Err; err == nil || !strings.Contains(err.Error(), `is another than the one that was landed`) {
		t.Errorf("another table with the same columns: %v", err)
	}
	l.equal("r")
	doc.Source.Database.Table = "r"
	l.must(l.tracking.UpdateTable(t.Context(), doc, sandbox.Account))
	l.sql(`DROP TABLE r`, `CREATE TABLE r (id bigint)`)
	if err := l.runner().Table(t.Context(), "shop.r").Err; err == nil || !strings.Contains(err.Error(), `its column "note" is gone: set reload to a new value`) {
		t.Errorf("got %v", err)
	}
}

// A column that is added with a value for rows which were there already cannot be filled in rows that stay as they are: runs that
// merge changes refuse it until a reload, which fills it; one that is NULL in them is added at once. Rows that are landed anyhow
// have it filled without being asked.
func TestAddedColumnsAreFilledByAReload(t *testing.T) {
	t.Parallel()
	for name, add := range map[string]string{
		"a default": `ALTER TABLE goods ADD colour text DEFAULT 'grey'`,
		"not null":  `ALTER TABLE goods ADD colour text; UPDATE goods SET colour = 'red' WHERE id > 1; UPDATE goods SET colour = 'blue' WHERE id = 1; ALTER TABLE goods ALTER colour SET NOT NULL`,
		"identity":  `ALTER TABLE goods ADD colour bigint GENERATED ALWAYS AS IDENTITY`,
		"hudi":      `ALTER TABLE goods ADD colour text DEFAULT 'grey'`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			format := "iceberg"
			if name == "hudi" {
				format = name
			}
			l := newLake(t, `CREATE TABLE goods (id bigint PRIMARY KEY, name text)`, `INSERT INTO goods VALUES (1, 'a'), (2, 'b')`)
			l.changing("goods", spec.Extract{}, func(s *spec.Table) { s.Target.Format = format })
			l.round("goods")
			whole := l.source("goods")
			whole.Target.Format, whole.PrimaryKey = format, []string{"id"}
			whole.Name, whole.Target.Table, whole.Target.Location = "shop.whole", "whole", "s3://"+l.bucket+"/raw/whole/"
			l.must(l.tracking.CreateTable(t.Context(), whole, sandbox.Account))
			l.must(l.runner().Table(t.Context(), "shop.whole").Err)
			l.sql(`ALTER TABLE goods ADD plain text`)
			l.round("goods")
			l.equal("goods")
			l.sql(add)
			files := len(l.dataFiles("goods"))
			l.refused("goods", nil, `column "colour" was added with values for rows that were there`)
			l.refused("goods", nil, `set reload to a new value to land the table afresh`)
			if now := len(l.dataFiles("goods")); now != files {
				t.Errorf("there were %d data files, and are %d", files, now)
			}
			l.change("goods", func(s *spec.Table) { s.Reload = "colours" })
			l.round("goods")
			l.equal("goods")
			l.must(l.runner().Table(t.Context(), "shop.whole").Err)
			l.shows("whole", `SELECT * FROM goods`)
		})
	}
}

// A reload of a table whose versions stay brings the column too: in Iceberg the versions that the source has are written anew with
// its value, and those that it has no more have NULL, as all have in batches of plain files.
func TestAddedColumnsOfVersions(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"iceberg", "parquet", "hudi"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			l := newLake(t, `CREATE TABLE goods (id bigint PRIMARY KEY, n int NOT NULL)`, `INSERT INTO goods VALUES (1, 1), (2, 1)`)
			l.changing("goods", spec.Extract{}, kept(format))
			l.round("goods")
			l.sql(`UPDATE goods SET n = 2 WHERE id = 1`, `ALTER TABLE goods ADD colour text DEFAULT 'grey'`)
			l.refused("goods", nil, `column "colour" was added with values for rows that were there`)
			l.change("goods", func(s *spec.Table) { s.Reload = "colours" })
			l.round("goods")
			if format != "parquet" {
				l.shows("goods", `SELECT id, n, colour FROM goods UNION ALL SELECT 1, 1, NULL`)
			} else {
				l.holds("goods", `id, n, colour`, `SELECT id, n, CASE id WHEN 1 THEN colour END AS colour FROM goods UNION ALL SELECT 1, 1, NULL`)
			}
			l.sql(`INSERT INTO goods VALUES (3, 1, 'green')`)
			if _, h := l.round("goods"); h.Inserted != 1 || h.From == "null" {
				t.Errorf("behind the reload: %+v", h)
			}
			l.sql(`DROP VIEW IF EXISTS shown`, `ALTER TABLE goods ALTER n TYPE text`)
			l.change("goods", func(s *spec.Table) { s.Reload = "another type" })
			l.refused("goods", nil, `column "n" was integer (int) and is text (string) now, which old rows cannot follow`)
		})
	}
}
