package interop_test

import (
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// hudiKeys: Spark finds rows by keys of several columns of all types that a key may have, which Lakeland spelled, and Lakeland those that
// Spark did: a row that is not found is there twice.
func hudiKeys(kind string, partitionBy ...string) scenario {
	const keys = "a,b,c,d,e"
	upsert := func(version, index, name, condition string) step {
		return step{name: "upserted by Hudi " + version + ", by the index " + index, want: shown, do: func(x *stage) {
			query := `SELECT a, b, c, d, e, '` + name + `' AS v FROM $t WHERE ` + condition
			x.writeHudi(version, "upsert", query, map[string]string{"hoodie.index.type": index, "hoodie.datasource.write.recordkey.field": keys})
			x.sql(`UPDATE shown SET v = '` + name + `' WHERE ` + condition)
		}}
	}
	landed := func(condition string) step {
		return step{name: "landed behind " + condition, want: shown, end: true, do: func(x *stage) {
			x.sql(`UPDATE t SET v = 'landed' WHERE ` + condition)
			x.quiet()
			x.run()
		}}
	}
	return scenario{
		name: "keys of several columns, Hudi " + kind, least: usual,
		document: func(s *spec.Table) {
			ofHudi(partitionBy...)(s)
			s.PrimaryKey = []string{"a", "b", "c", "d", "e"}
		},
		setup: []string{
			`CREATE TABLE t (a text, b bigint, c date, d numeric(10,8), e boolean, v text, PRIMARY KEY (a, b, c, d, e))`, `CREATE TABLE shown (LIKE t)`,
			`CREATE FUNCTION show() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
				DELETE FROM shown s WHERE (s.a, s.b, s.c, s.d, s.e) = (NEW.a, NEW.b, NEW.c, NEW.d, NEW.e); INSERT INTO shown SELECT NEW.*; RETURN NEW; END $$`,
			`CREATE TRIGGER show AFTER INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION show()`,
			`INSERT INTO t SELECT a, b, c, d, b % 2 = 0, 'first' FROM unnest(ARRAY['plain', 'x,y', 'a:b', 'é日本🙂', ' lead', E'tab\tand\nline', '%', '''"', '']) a,
				unnest(ARRAY[-9223372036854775808, -1, 0, 9223372036854775807]) b, unnest(ARRAY['1582-10-15', '1600-02-29', '1969-12-31', '9999-12-31']::date[]) c,
				unnest(ARRAY[0, 0.00000001, -0.00000123, 1.5, -99.99999999]) d`,
		},
		steps: []step{
			{name: "landed", do: func(x *stage) { x.run() }, want: shown},
			upsert(hudiVersions[0], "BLOOM", "by Spark", "b = 0 OR a = 'x,y'"),
			upsert(hudiVersions[1], "SIMPLE", "by Spark too", "c = date '1582-10-15' OR d = -0.00000123"),
			landed("d > 0 OR a = ''"),
			upsert(hudiVersions[0], "SIMPLE", "by Spark again", "b = -1 OR a = ' lead'"),
			upsert(hudiVersions[1], "BLOOM", "by Spark at last", "c = date '9999-12-31' OR d = 0"),
			landed("b <> 0 AND e"),
		},
	}
}
