package run_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// hudiProperties is the text of a table's properties.
func (l *lake) hudiProperties(name string) string {
	l.t.Helper()
	data, err := (&landing{lake: l}).object("s3://" + l.bucket + "/raw/" + name + "/.hoodie/hoodie.properties")
	l.must(err)
	return string(data)
}

// remove deletes objects of the bucket.
func (l *lake) remove(keys ...string) {
	l.t.Helper()
	for _, key := range keys {
		_, err := l.clients.S3.DeleteObject(l.t.Context(), &s3.DeleteObjectInput{Bucket: aws.String(l.bucket), Key: aws.String(key)})
		l.must(err)
	}
}

// sparkArchives removes the instants up to one from the timeline.
func (l *lake) sparkArchives(name, last string) {
	l.t.Helper()
	folder := "raw/" + name + "/.hoodie/"
	for key := range l.objects(folder) {
		if at := strings.TrimPrefix(key, folder); !strings.Contains(at, "/") && len(at) > 17 && at[:17] <= last {
			l.remove(key)
		}
	}
}

// disown makes a table of Hudi one that another engine has made: nothing in it tells of lakeland.
func (l *lake) disown(name string) {
	l.t.Helper()
	d := &landing{lake: l, name: name}
	folder := "raw/" + name + "/.hoodie/"
	for _, c := range d.hudiTable().commits {
		key := folder + c.instant + "." + c.action
		data, err := d.object("s3://" + l.bucket + "/" + key)
		l.must(err)
		var document map[string]json.RawMessage
		l.must(json.Unmarshal(data, &document))
		document["extraMetadata"], err = json.Marshal(map[string]string{"schema": c.extra["schema"]})
		l.must(err)
		data, err = json.Marshal(document)
		l.must(err)
		l.put(key, string(data))
	}
	for key := range l.objects(folder + ".lakeland/") {
		l.remove(key)
	}
	lines := strings.Split(l.hudiProperties(name), "\n")
	l.put(folder+"hoodie.properties", strings.Join(slices.DeleteFunc(lines, func(line string) bool { return strings.HasPrefix(line, "lakeland") }), "\n"))
	_, err := l.clients.Glue.DeleteTable(l.t.Context(), &glue.DeleteTableInput{DatabaseName: aws.String(l.database), Name: aws.String(name)})
	l.must(err)
}

// A table of Hudi that another engine made is taken over where adopt says so: its history stays on the timeline, its rows are those of
// the source, and changes go on from there.
func TestTablesOfHudiAreAdopted(t *testing.T) {
	t.Parallel()
	l := newLake(t, `CREATE TABLE goods (id bigint PRIMARY KEY, name text, land text, at int)`, `INSERT INTO goods SELECT i, 'good ' || i, 'l' || i % 3, i FROM generate_series(1, 50) i`)
	l.changing("goods", spec.Extract{}, func(s *spec.Table) { s.Target.Format, s.PartitionBy, s.Ordering = "hudi", []string{"land"}, "at" })
	_, first := l.round("goods")
	l.disown("goods")
	doc, err := l.tracking.Table(t.Context(), "shop.goods")
	l.must(err)
	l.must(l.tracking.DeleteTable(t.Context(), doc, sandbox.Account))
	doc.Name, doc.Ordering = "shop.theirs", ""
	l.must(l.tracking.CreateTable(t.Context(), doc, sandbox.Account))
	if err := l.runner().Table(t.Context(), doc.Name).Err; !errors.Is(err, table.ErrForeign) || !strings.Contains(err.Error(), "set adopt = true") || l.entryOf("goods") != nil {
		t.Errorf("not adopted: %v", err)
	}
	l.sql(`UPDATE goods SET land = 'l0' WHERE id = 1`, `DELETE FROM goods WHERE id = 2`)
	doc.Adopt = true
	l.must(l.tracking.UpdateTable(t.Context(), doc, sandbox.Account))
	run := func() {
		t.Helper()
		l.must(l.runner().Table(t.Context(), doc.Name).Err)
		l.equal("goods")
	}
	run()
	if commits := (&landing{lake: l, name: "goods"}).hudiTable().commits; commits[1].instant != first.Commit || commits[2].action != "replacecommit" || l.entryOf("goods") == nil {
		t.Errorf("behind the adoption there are %+v", commits)
	}
	if text := l.hudiProperties("goods"); !strings.Contains(text, "hoodie.table.precombine.field=at\n") {
		t.Errorf("the properties are %s", text)
	}
	l.sql(`UPDATE goods SET name = 'changed', land = 'l9' WHERE id = 3`, `INSERT INTO goods VALUES (51, 'new', 'l1', 9)`)
	run()
	runs, err := l.tracking.Runs(t.Context(), doc.Name, 1)
	l.must(err)
	if runs[0].Updated != 1 || runs[0].Inserted != 1 || runs[0].From == "null" {
		t.Errorf("behind the adoption: %+v", runs[0])
	}
}

// Columns of a table of Hudi are added, widened from int to long, and kept when the source drops them. What its readers have no way for
// is refused with the one there is: another name for what is renamed or of another type, which a reload lands.
func TestColumnsOfHudiFollow(t *testing.T) {
	t.Parallel()
	l := newLake(t, `CREATE TABLE goods (id bigint PRIMARY KEY, name text, small int, price numeric(6,2))`, `INSERT INTO goods SELECT i, 'good ' || i, i, i FROM generate_series(1, 300) i`)
	l.changing("goods", spec.Extract{}, hudiFormat(func(*spec.Table) {}))
	l.round("goods")
	for _, step := range []struct{ does, note string }{
		{`ALTER TABLE goods ADD extra date`, `column "extra" is new at the source: it is added`},
		{`UPDATE goods SET extra = '2024-02-29' WHERE id < 10`, ""},
		{`ALTER TABLE goods ALTER small TYPE bigint`, `column "small" was int and is long: it is widened`},
		{`UPDATE goods SET small = 9007199254740993 WHERE id = 3`, ""},
	} {
		l.sql(step.does)
		if _, ran := l.round("goods"); strings.Join(ran.Notes, "; ") != step.note {
			t.Errorf("%s: history says %q, not %q", step.does, ran.Notes, step.note)
		}
		l.equal("goods")
	}
	l.sql(`ALTER TABLE goods RENAME name TO title`)
	l.refused("goods", nil, `column "title" is called "name" in the table, where readers find it by name: keep that name in columns`)
	l.change("goods", func(s *spec.Table) { s.Columns, s.Reload = map[string]spec.Column{"title": {Name: "name"}}, "1" })
	l.round("goods")
	l.showsOnce("goods", `SELECT id, title AS name, small, price, extra FROM goods`)
	l.sql(`ALTER TABLE goods ALTER price TYPE numeric(12,2)`, `UPDATE goods SET price = 1234567890.12 WHERE id = 300`)
	l.refused("goods", nil, `column "price" is decimal(12,2), and the table has it as decimal(6,2), from which Hudi's writers do not bring rows over: give it another name in columns`)
	l.change("goods", func(s *spec.Table) { s.Columns["price"], s.Reload = spec.Column{Name: "price_2"}, "2" })
	l.round("goods")
	l.showsOnce("goods", `SELECT id, title AS name, small, price AS price_2, extra, NULL::numeric(6,2) AS price FROM goods`)
	l.sql(`CREATE TABLE before AS SELECT id, extra FROM goods`, `ALTER TABLE goods DROP extra`, `UPDATE goods SET title = 'changed' WHERE id IN (3, 7)`)
	l.round("goods")
	l.showsOnce("goods", `SELECT id, title AS name, small, goods.price AS price_2, CASE WHEN title <> 'changed' THEN before.extra END AS extra FROM goods LEFT JOIN before USING (id)`)
}

// A table of Hudi is made with its ordering as its precombine field, by the column's name in the lake; another one later is refused, and
// so is one that the source has no more, until ordering is left out.
func TestPrecombineFieldOfHudi(t *testing.T) {
	t.Parallel()
	l := newLake(t, `CREATE TABLE goods (id bigint PRIMARY KEY, n int, "Changed At" timestamptz DEFAULT now())`, `INSERT INTO goods VALUES (1, 1), (2, 2)`)
	l.changing("goods", spec.Extract{}, func(s *spec.Table) { s.Target.Format, s.Ordering = "hudi", "Changed At" })
	l.round("goods")
	if text := l.hudiProperties("goods"); !strings.Contains(text, "hoodie.table.precombine.field=changed_at\n") || !strings.Contains(text, "hoodie.table.recordkey.fields=id\n") {
		t.Errorf("the properties are %s", text)
	}
	l.change("goods", func(s *spec.Table) { s.Ordering = "n" })
	l.refused("goods", nil, `the table was made with the precombine field "changed_at", by which Spark's writers order rows of one key, and ordering is "n" now: set ordering back, leave it out, or land into a new target`)
	l.change("goods", func(s *spec.Table) { s.Ordering = "Changed At" })
	l.sql(`ALTER TABLE goods DROP "Changed At"`, `INSERT INTO goods VALUES (3, 3)`)
	l.refused("goods", nil, `the source has no column "Changed At", which ordering names`)
	l.change("goods", func(s *spec.Table) { s.Ordering = "" })
	l.round("goods")
	l.shows("goods", `SELECT id, n FROM goods`)
}

// Versions of Hudi have their ordering in the record key. A time there is declared as whole microseconds, and refused otherwise.
func TestVersionsOfHudiByATime(t *testing.T) {
	t.Parallel()
	l := newLake(t, `CREATE TABLE goods (id bigint PRIMARY KEY, name text, at timestamptz NOT NULL)`, `INSERT INTO goods SELECT i, 'a', timestamptz '2024-02-29 12:00Z' + i * interval '1 us' FROM generate_series(1, 20) i`)
	l.changing("goods", spec.Extract{}, func(s *spec.Table) { s.Target.Format, s.StorageMode, s.Ordering = "hudi", "historical", "at" })
	if err := l.runner().Table(t.Context(), "shop.goods").Err; err == nil || !strings.Contains(err.Error(), `the record key's column "at": values of type timestamptz are spelled in two ways by Spark itself`) || !strings.Contains(err.Error(), `declare it as "long"`) || l.isHudi("goods") {
		t.Errorf("a time in the record key: %v", err)
	}
	l.change("goods", func(s *spec.Table) { s.Columns = map[string]spec.Column{"at": {Type: "long"}} })
	l.round("goods")
	l.sql(`UPDATE goods SET name = 'b', at = at + interval '1 s' WHERE id = 7`)
	if _, h := l.round("goods"); h.Inserted != 1 || h.Updated != 0 {
		t.Errorf("a new version: %+v", h)
	}
	const micros = `(extract(epoch FROM at) * 1000000)::bigint AS at`
	l.shows("goods", `SELECT id, name, `+micros+` FROM goods UNION ALL SELECT id, 'a', (extract(epoch FROM at - interval '1 s') * 1000000)::bigint FROM goods WHERE id = 7`)
	if got := l.hudiQuery("goods", `SELECT count(*) FROM lake WHERE _hoodie_record_key <> 'id:' || id || ',at:' || "at"`); *got.Rows[0][0] != "0" {
		t.Errorf("%s rows have other record keys", *got.Rows[0][0])
	}
}

// What no row of Hudi can be is refused by name before anything of the run is seen, and leaves nothing.
func TestRowsThatHudiCannotHave(t *testing.T) {
	t.Parallel()
	l := newLake(t, `CREATE TABLE goods (id text, part text, day date)`, `INSERT INTO goods VALUES ('1', 'a', '2024-02-29')`)
	doc := l.source("goods")
	doc.Target.Format, doc.PrimaryKey, doc.PartitionBy = "hudi", []string{"id", "part"}, []string{"day"}
	l.must(l.tracking.CreateTable(t.Context(), doc, sandbox.Account))
	l.round("goods")
	files := len(l.dataFiles("goods"))
	for _, tc := range []struct{ row, says string }{
		{`(NULL, 'b', '2024-03-01')`, `1 rows have NULL in column "id", which is part of the key: leave such rows out by a filter`},
		{`('1', 'a', '2024-03-01')`, `several rows with equal values in ["id" "part"]`},
		{`('__null__', 'b', '2024-03-01')`, `the text __null__ in the record key's column "id"`},
		{`('2,part:x', 'b', '2024-03-01')`, `has the record key "id:2,part:x,part:b", whose texts hold what Hudi writes between the parts of a key`},
		{`('3', 'b', NULL)`, `rows have NULL in the partition field "day" of type date, on which Trino and Athena fail`},
	} {
		l.sql(`INSERT INTO goods VALUES ` + tc.row)
		l.refused("goods", nil, tc.says)
		if now := l.dataFiles("goods"); len(now) != files {
			t.Errorf("%s: of %d files there are %v", tc.row, files, now)
		}
		l.sql(`DELETE FROM goods WHERE part = 'b' OR day = '2024-03-01'`)
	}
	l.sql(`INSERT INTO goods VALUES ('2', '', '2024-03-01')`) // an empty part of several is one
	l.round("goods")
	l.equal("goods")
	l.sql(`ALTER TABLE goods ADD "größe" int DEFAULT 7`)
	l.refused("goods", nil, `the column "größe" has a name that Avro does not take, and with it no reader of Hudi: give it another name in columns`)
	l.change("goods", func(s *spec.Table) { s.Columns = map[string]spec.Column{"größe": {Name: "groesse"}} })
	l.round("goods")
	l.shows("goods", `SELECT id, part, day, "größe" AS groesse FROM goods`)
}

// Partitions by texts with every character that Hudi escapes, NULL and no text among them, hold their rows, and these are found again.
func TestPartitionsOfHudiByOddTexts(t *testing.T) {
	t.Parallel()
	l := newLake(t, `CREATE TABLE goods (id bigint PRIMARY KEY, n int, land text)`,
		`INSERT INTO goods SELECT i, 0, 'x' || chr(i) || 'y' FROM generate_series(1, 127) i WHERE i < 32 OR i = 127 OR strpos('"#%''*/:=?\{[]^', chr(i)) > 0`,
		`INSERT INTO goods VALUES (200, 0, NULL), (201, 0, ''), (202, 0, 'a b'), (203, 0, '日本'), (204, 0, '%41'), (205, 0, '..')`)
	l.changing("goods", spec.Extract{}, func(s *spec.Table) { s.Target.Format, s.PartitionBy = "hudi", []string{"land"} })
	_, first := l.round("goods")
	l.equal("goods")
	l.sql(`UPDATE goods SET n = 1`)
	_, second := l.round("goods")
	if first.Inserted != 32+15+6-1 || second.Updated != first.Inserted || second.Inserted != 0 {
		t.Errorf("%d inserted, then %d updated and %d inserted", first.Inserted, second.Updated, second.Inserted)
	}
	l.equal("goods")
	(&landing{lake: l, name: "goods"}).shownWhole("odd texts")
}

// Properties that were edited by hand are refused by what they say, and set back the table goes on.
func TestPropertiesOfHudiThatWereEdited(t *testing.T) {
	t.Parallel()
	l := newLake(t, `CREATE TABLE goods (id bigint PRIMARY KEY, n int)`, `INSERT INTO goods VALUES (1, 1)`)
	l.changing("goods", spec.Extract{}, hudiFormat(func(*spec.Table) {}))
	l.round("goods")
	was := l.hudiProperties("goods")
	before := len(l.objects("raw/goods/"))
	for from, says := range map[string]string{
		"hoodie.table.recordkey.fields=id -> hoodie.table.recordkey.fields=n":                                   `the table was made with the record key (n), and the source's is (id)`,
		"hoodie.table.version=6 -> hoodie.table.version=8":                                                      `has the version "8"`,
		"hoodie.table.type=COPY_ON_WRITE -> hoodie.table.type=MERGE_ON_READ":                                    "MERGE_ON_READ",
		"hoodie.table.name=goods -> hoodie.table.name=other":                                                    "restore them",
		"hoodie.populate.meta.fields=true -> hoodie.populate.meta.fields=true\nhoodie.table.partition.fields=n": "it was made with the partitions (n), and not ()",
		"hoodie.table.name=goods -> hoodie.table.name=goods\nhoodie.table.metadata.partitions=files":            "has a metadata table",
	} {
		a, b, _ := strings.Cut(from, " -> ")
		if !strings.Contains(was, a) {
			t.Fatalf("there is no %s in %s", a, was)
		}
		l.put("raw/goods/.hoodie/hoodie.properties", strings.Replace(was, a, b, 1))
		l.sql(`UPDATE goods SET n = n + 1`)
		if err := l.runner().Table(t.Context(), "shop.goods").Err; err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", b, err)
		}
		if now := len(l.objects("raw/goods/")); now != before {
			t.Errorf("%s: there were %d objects, and are %d", b, before, now)
		}
	}
	l.put("raw/goods/.hoodie/hoodie.properties", was)
	if _, h := l.round("goods"); h.Updated != 1 {
		t.Errorf("set back: %+v", h)
	}
	l.showsOnce("goods", fmt.Sprintf(`SELECT id, %d AS n FROM goods`, 7))
}
