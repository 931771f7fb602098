package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// kindOf says what the relation kinds of PostgreSQL are.
var kindOf = map[string]string{"r": spec.KindOrdinary, "p": spec.KindPartitioned, "v": spec.KindView, "m": spec.KindMaterialized, "f": spec.KindForeign}

// discovered is a table under way into a discovery.
type discovered struct {
	spec.DiscoveredTable
	facts facts
	// columns are in the form in which Describe has them.
	columns    []schema.Column
	unreadable []string
	// problems come first to last.
	problems []string
}

// Discover reads what the catalogues say of the tables that are meant, with a handful of queries, however many tables
// there are. It takes no lock on any of them. Estimates are the planner's; names in it are exact.
func (s *Snapshot) Discover(ctx context.Context, c *spec.Connection, meant *spec.Selection) (*spec.Discovery, error) {
	d := &spec.Discovery{Connection: c.Name, Engine: c.Engine, Database: c.Database, TakenAt: s.Identity.Clock, InRecovery: s.ID == "", Include: meant.Include, Exclude: meant.Exclude}
	err := s.discover(ctx, d, meant)
	if err != nil {
		return nil, fmt.Errorf("reading which tables the database %q at %s:%d holds: %w", c.Database, c.Host, c.Port, err)
	}
	d.Normalize()
	return d, nil
}

func (s *Snapshot) discover(ctx context.Context, d *spec.Discovery, meant *spec.Selection) error {
	tables, oids, err := s.meantTables(ctx, meant)
	if err != nil || len(oids) == 0 {
		return err
	}
	byOID := make(map[string]*discovered, len(tables))
	for i, oid := range oids {
		byOID[oid] = tables[i]
	}
	all := "{" + strings.Join(oids, ",") + "}"
	for _, read := range []func(context.Context, string, map[string]*discovered) error{s.discoverRelations, s.discoverColumns, s.discoverKeys} {
		if err := read(ctx, all, byOID); err != nil {
			return err
		}
	}
	for _, t := range tables {
		t.finish()
		d.Tables = append(d.Tables, t.DiscoveredTable)
	}
	return nil
}

// meantTables reads the names of the tables: not of those of the system, of extensions and of sessions, and of a partitioned
// table its own, not those of its partitions.
func (s *Snapshot) meantTables(ctx context.Context, meant *spec.Selection) (tables []*discovered, oids []string, err error) {
	rows, err := query(ctx, s.conn, `
		SELECT c.oid, n.nspname, c.relname, c.relkind::text
		FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition AND c.relpersistence <> 't'
			AND n.nspname <> 'information_schema' AND pg_catalog.left(n.nspname, 3) <> 'pg_'
			AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
				WHERE e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND e.objid = c.oid AND e.objsubid = 0 AND e.deptype = 'e')
		ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"`)
	if err != nil {
		return nil, nil, err
	}
	for i := range rows {
		schemaName, tableName := rows[i].text(1), rows[i].text(2)
		if !meant.Match(schemaName, tableName) {
			continue
		}
		if !utf8.ValidString(schemaName) || !utf8.ValidString(tableName) {
			return nil, nil, fmt.Errorf("the name of the table %q.%q is not UTF-8, so no document can hold it: exclude it by a pattern, \"?\" standing for its odd characters, or rename it", schemaName, tableName)
		}
		t := &discovered{facts: facts{schema: schemaName, table: tableName, kind: kindOf[rows[i].text(3)]}}
		t.Schema, t.Table, t.Kind = schemaName, tableName, t.facts.kind
		tables, oids = append(tables, t), append(oids, rows[i].text(0))
	}
	return tables, oids, spec.CheckTableCount(len(tables))
}

// relationsOf reads what is known of tables and of what holds their rows. A table that was never analyzed has no estimate;
// servers before 14 write that as no pages.
const relationsOf = `
	WITH RECURSIVE tree(root, oid) AS (
		SELECT o, o FROM pg_catalog.unnest($1::pg_catalog.oid[]) o
		UNION SELECT tree.root, i.inhrelid FROM tree JOIN pg_catalog.pg_inherits i ON i.inhparent = tree.oid
	), measured AS (
		SELECT tree.root, coalesce(bool_or(l.relkind = 'f' AND l.oid <> tree.root), false) AS elsewhere, bool_or(l.oid <> tree.root AND NOT l.relispartition) AS heirs,
			sum(l.reltuples::bigint) FILTER (WHERE k.known) AS tuples, sum((l.relpages + coalesce(long.relpages, 0))::bigint) FILTER (WHERE k.known) AS pages
		FROM tree JOIN pg_catalog.pg_class l ON l.oid = tree.oid LEFT JOIN pg_catalog.pg_class long ON long.oid = l.reltoastrelid,
			LATERAL (SELECT l.relkind IN ('r', 'm', 'f') AND l.reltuples >= 0 AND (l.relpages > 0 OR pg_catalog.current_setting('server_version_num')::int >= 140000) AS known) k
		GROUP BY tree.root
	)
	SELECT c.oid, coalesce(d.description, ''), coalesce(m.tuples, -1), coalesce(m.pages * pg_catalog.current_setting('block_size')::bigint, -1), m.elsewhere, m.heirs,
		pg_catalog.has_schema_privilege(c.relnamespace, 'USAGE'), pg_catalog.has_table_privilege(c.oid, 'SELECT') OR pg_catalog.has_any_column_privilege(c.oid, 'SELECT'),
		pg_catalog.row_security_active(c.oid), c.relispopulated, c.relpersistence = 'u'
	FROM measured m JOIN pg_catalog.pg_class c ON c.oid = m.root
		LEFT JOIN pg_catalog.pg_description d ON d.objoid = c.oid AND d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objsubid = 0`

func (s *Snapshot) discoverRelations(ctx context.Context, oids string, tables map[string]*discovered) error {
	rows, err := query(ctx, s.conn, relationsOf, oids)
	if err != nil {
		return err
	}
	for i := range rows {
		r := &rows[i]
		t := tables[r.text(0)]
		t.Comment = readable(r.text(1))
		tuples, bytes := r.number(2), r.number(3)
		if r.err != nil {
			return r.err
		}
		if tuples >= 0 {
			t.EstimatedRows, t.Bytes = &tuples, &bytes
		}
		t.facts.foreignLeaf, t.facts.heirs = r.truth(4), r.truth(5)
		name := quoted(t.Schema, t.Table)
		switch {
		case !r.truth(6):
			t.wrong("the role may not use its schema: GRANT USAGE ON SCHEMA %s TO the connection's role", quoted(t.Schema))
		case !r.truth(7):
			t.wrong("the role may not read it: GRANT SELECT ON %s TO the connection's role", name)
		case r.truth(8):
			t.wrong("row-level security would hide rows of it from the role, which is an error: give the role BYPASSRLS, or read as the table's owner")
		case !r.truth(9):
			t.wrong("it holds nothing that can be read yet: REFRESH MATERIALIZED VIEW %s", name)
		case r.truth(10) && s.ID == "":
			t.wrong("it is unlogged, and a replica has no rows of such a table: connect to the primary, or ALTER TABLE %s SET LOGGED", name)
		}
	}
	return nil
}

// columnsOfAll reads the columns of tables as columnsOf reads those of one.
const columnsOfAll = `
	WITH RECURSIVE below(domain, type, modifier) AS (
		SELECT oid, typbasetype, typtypmod FROM pg_catalog.pg_type WHERE typtype = 'd'
		UNION ALL
		SELECT b.domain, t.typbasetype, t.typtypmod FROM below b JOIN pg_catalog.pg_type t ON t.oid = b.type WHERE t.typtype = 'd'
	), bare AS (
		SELECT b.domain, b.type, b.modifier FROM below b JOIN pg_catalog.pg_type t ON t.oid = b.type WHERE t.typtype <> 'd'
	)
	SELECT a.attrelid, a.attnum, a.attname, ` + neverNull + `, pg_catalog.format_type(a.atttypid, a.atttypmod), coalesce(d.description, ''),
		t.oid, coalesce(b.modifier, a.atttypmod), t.typname,
		CASE WHEN e.oid IS NOT NULL THEN 'array'
			WHEN t.typtype = 'c' THEN 'composite' WHEN t.typtype = 'e' THEN 'enum'
			WHEN t.typtype = 'r' THEN 'range' WHEN t.typtype = 'm' THEN 'multirange' ELSE 'base' END,
		a.attgenerated <> '', pg_catalog.has_table_privilege(a.attrelid, 'SELECT') OR pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'SELECT')
	FROM pg_catalog.pg_attribute a LEFT JOIN bare b ON b.domain = a.atttypid JOIN pg_catalog.pg_type t ON t.oid = coalesce(b.type, a.atttypid)
		LEFT JOIN pg_catalog.pg_type e ON e.typarray = t.oid
		LEFT JOIN pg_catalog.pg_description d ON d.objoid = a.attrelid AND d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objsubid = a.attnum
	WHERE a.attrelid = ANY ($1::pg_catalog.oid[]) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attrelid, a.attnum`

func (s *Snapshot) discoverColumns(ctx context.Context, oids string, tables map[string]*discovered) error {
	rows, err := query(ctx, s.conn, columnsOfAll, oids)
	if err != nil {
		return err
	}
	for i := range rows {
		r := &rows[i]
		t := tables[r.text(0)]
		if !utf8.ValidString(r.text(2)) {
			t.wrong("the name of its column %q is not UTF-8: rename it, or read a view", r.text(2))
			continue
		}
		own := schema.PostgresType{OID: uint32(r.number(6)), Modifier: int32(r.number(7)), Name: r.text(8), Class: schema.Class(r.text(9))}
		if r.err != nil {
			return r.err
		}
		reading := schema.FromPostgres(own)
		source := schema.SourceColumn{Name: r.text(2), Type: r.text(4), OID: own.OID}
		t.columns = append(t.columns, schema.Column{Type: reading.Type, Source: &source})
		t.Columns = append(t.Columns, spec.DiscoveredColumn{
			Name: source.Name, Type: readable(source.Type), Nullable: !r.truth(3), Generated: r.truth(10), Comment: readable(r.text(5)),
			LakeType: reading.Type.String(), Warning: warningOf(own, reading),
		})
		if !r.truth(11) {
			t.unreadable = append(t.unreadable, source.Name)
		}
	}
	return nil
}

// warningOf says what may be unexpected of a column that no configuration declares.
func warningOf(t schema.PostgresType, r schema.Reading) string {
	switch {
	case r.Unknown:
		return "lakeland does not know the type: it lands as text, as its cast to text writes it"
	case t.OID == schema.OIDNumeric && r.Type.ID == schema.String:
		return `a numeric without precision, or of more than 38 digits, lands as text, with every digit: declare its type in columns, such as "decimal(18,2)", to land a number`
	default:
		return ""
	}
}

// discoverKeys reads the unique keys of tables, and which columns indexes begin with.
func (s *Snapshot) discoverKeys(ctx context.Context, oids string, tables map[string]*discovered) error {
	rows, err := query(ctx, s.conn, `
		SELECT i.indrelid, i.indexrelid, i.indisprimary, i.indisunique, coalesce(a.attname, ''), coalesce(a.attnotnull, false), own.relam = 403
		FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class own ON own.oid = i.indexrelid
			CROSS JOIN LATERAL pg_catalog.unnest(i.indkey) WITH ORDINALITY k(attnum, place)
			LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum AND a.attnum > 0
		WHERE i.indrelid = ANY ($1::pg_catalog.oid[]) AND i.indisvalid AND i.indpred IS NULL AND k.place <= i.indnkeyatts
		ORDER BY i.indrelid, own.relname COLLATE "C", i.indexrelid, k.place`, oids)
	if err != nil {
		return err
	}
	for from := 0; from < len(rows); {
		to := from + 1
		for to < len(rows) && rows[to].text(1) == rows[from].text(1) {
			to++
		}
		tables[rows[from].text(0)].addIndex(rows[from:to])
		from = to
	}
	return nil
}

// addIndex takes over what one index says, a row for each of its columns.
func (t *discovered) addIndex(rows []row) {
	first := &rows[0]
	var names []string
	whole := true
	for i := range rows {
		names = append(names, rows[i].text(4))
		whole = whole && rows[i].text(4) != "" && rows[i].truth(5) && utf8.ValidString(rows[i].text(4))
	}
	switch {
	case !whole: // an expression, a column that may be NULL, or one without a name that can be written
	case first.truth(2):
		t.PrimaryKey = names
	case first.truth(3) && !slices.ContainsFunc(t.UniqueKeys, func(other []string) bool { return slices.Equal(other, names) }):
		t.UniqueKeys = append(t.UniqueKeys, names)
	}
	if first.truth(5) && first.truth(6) {
		t.addCursor(first.text(4))
	}
}

// addCursor lists a column that holds a time, once.
func (t *discovered) addCursor(name string) {
	if slices.Contains(t.Cursors, name) {
		return
	}
	for _, c := range t.columns {
		if c.Source.Name == name && (c.Type.ID == schema.Timestamp || c.Type.ID == schema.TimestampTZ) {
			t.Cursors = append(t.Cursors, name)
		}
	}
}

// finish names the columns in the lake, and says what is suggested and what is wrong.
func (t *discovered) finish() {
	if len(t.unreadable) > 0 && len(t.problems) == 0 {
		t.wrong("the role may not read its columns %s: GRANT SELECT ON %s TO the connection's role", strings.Join(t.unreadable, ", "), quoted(t.Schema, t.Table))
	}
	if len(t.columns) == 0 {
		t.wrong("it has no columns")
	}
	for i := range t.columns {
		_ = schema.NameTargets(t.columns[i : i+1]) // one alone clashes with none
		t.Columns[i].TargetName = t.columns[i].Name
	}
	if err := schema.NameTargets(t.columns); err != nil {
		t.wrong("%s", err)
	}
	t.UniqueKeys = slices.DeleteFunc(t.UniqueKeys, func(key []string) bool { return slices.Equal(key, t.PrimaryKey) })
	t.facts.primaryKey, t.facts.uniqueKeys = t.PrimaryKey, t.UniqueKeys
	t.Suggested = suggest(t.facts)
	for _, name := range append([]string{t.Schema, t.Table}, t.Suggested.PrimaryKey...) {
		if !spec.Normal(name) {
			t.wrong("the name %q is not in Unicode's normal form C, into which Terraform turns every text, so no configuration can hold it: rename it, or read a view", name)
		}
	}
	t.Problem = strings.Join(t.problems, "; ")
}

func (t *discovered) wrong(format string, args ...any) {
	t.problems = append(t.problems, fmt.Sprintf(format, args...))
}

// readable is a text of the catalogues that people read: a server that checks no encoding may hold any bytes.
func readable(text string) string { return strings.ToValidUTF8(text, "\ufffd") }
