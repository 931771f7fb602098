package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// neverNull is whether the server sees to it that no row of a table has NULL in a column, given its row a of pg_attribute: not
// where heirs have the column too, which may have dropped the constraint or never had it, nor in a foreign table, whose
// constraints nobody enforces, nor while the constraint is not validated (PostgreSQL 18; none of its kind was kept before).
const neverNull = `(a.attnotnull
	AND NOT EXISTS (SELECT FROM pg_catalog.pg_class o WHERE o.oid = a.attrelid AND (o.relkind = 'f' OR o.relkind <> 'p' AND EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhparent = o.oid)))
	AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conrelid = a.attrelid AND k.contype = 'n' AND NOT k.convalidated AND a.attnum = ANY (k.conkey)))`

// columnsOf reads the columns of a table with their types, a domain's being the type below it.
const columnsOf = `
	WITH RECURSIVE bare(attnum, attname, attnotnull, shown, comment, readable, given, type, modifier) AS (
		SELECT a.attnum, a.attname, ` + neverNull + `, pg_catalog.format_type(a.atttypid, a.atttypmod),
			coalesce(pg_catalog.col_description(a.attrelid, a.attnum), ''), pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'SELECT'),
			coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid), own.typdefault, CASE WHEN a.attidentity <> '' THEN 'of an identity column' WHEN a.atthasmissing THEN 'of its addition' END, ''),
			a.atttypid, a.atttypmod
		FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type own ON own.oid = a.atttypid LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
		WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped
		UNION ALL
		SELECT b.attnum, b.attname, b.attnotnull, b.shown, b.comment, b.readable, b.given, t.typbasetype, t.typtypmod
		FROM bare b JOIN pg_catalog.pg_type t ON t.oid = b.type WHERE t.typtype = 'd')
	SELECT b.attnum, b.attname, b.attnotnull, b.shown, b.comment, b.type, b.modifier, t.typname, b.given,
		CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_type e WHERE e.typarray = t.oid) THEN 'array'
			WHEN t.typtype = 'c' THEN 'composite' WHEN t.typtype = 'e' THEN 'enum'
			WHEN t.typtype = 'r' THEN 'range' WHEN t.typtype = 'm' THEN 'multirange' ELSE 'base' END, b.readable,
		EXISTS (SELECT FROM pg_catalog.pg_attribute x JOIN pg_catalog.pg_collation l ON l.oid = x.attcollation WHERE x.attrelid = $1 AND x.attnum = b.attnum AND NOT l.collisdeterministic)
	FROM bare b JOIN pg_catalog.pg_type t ON t.oid = b.type WHERE t.typtype <> 'd' ORDER BY b.attnum`

// found is what the catalogues say of a table's columns.
type found struct {
	columns []schema.Column
	// skipped are those that the configuration leaves out.
	skipped []schema.SourceColumn
	// warnings are sentences, each about a column.
	warnings []string
}

// columns reads a table's columns and decides how each is read: as its type is by itself, as the configuration declares it,
// or not at all.
func (s *Snapshot) columns(ctx context.Context, oid string, from *spec.DatabaseSource, declared map[string]spec.Column) (*found, error) {
	rows, err := query(ctx, s.conn, columnsOf, oid)
	if err != nil {
		return nil, err
	}
	f, closed := &found{}, []string(nil)
	names := make([]string, len(rows))
	for i, r := range rows {
		t := schema.PostgresType{OID: uint32(r.number(5)), Modifier: int32(r.number(6)), Name: r.text(7), Class: schema.Class(r.text(9))}
		source := schema.SourceColumn{Number: int(r.number(0)), Name: r.text(1), Type: r.text(3), OID: t.OID, Default: r.text(8)}
		if r.err != nil {
			return nil, r.err
		}
		names[i] = source.Name
		own := declared[source.Name]
		switch {
		case own.Skip:
			f.skipped = append(f.skipped, source)
			continue
		case !r.truth(10):
			closed = append(closed, source.Name)
			continue
		}
		reading, err := readingOf(t, own.Type)
		if err != nil {
			return nil, fmt.Errorf("column %q of type %s: %w", source.Name, source.Type, err)
		}
		if reading.Unknown {
			f.warnings = append(f.warnings, fmt.Sprintf("column %q is of the type %s, which lakeland does not know: it lands as text, as its cast to text writes it", source.Name, source.Type))
		}
		source.Form, source.Comparison, source.Observed = reading.Form, reading.Comparison, own.Type == spec.ObservedDecimal
		if r.truth(11) {
			source.Comparison.Tells, source.Comparison.TellsAs = false, ""
		}
		f.columns = append(f.columns, schema.Column{Name: own.Name, Type: reading.Type, Required: r.truth(2), Comment: r.text(4), Source: &source})
	}
	if err := allThere(names, declared); err != nil {
		return nil, err
	}
	switch {
	case len(closed) > 0:
		return nil, fmt.Errorf("the role may not read the columns %q: GRANT SELECT ON %s TO the connection's role, or leave such columns out with columns = { %q = { skip = true } }", closed, quoted(from.Schema, from.Table), closed[0])
	case len(f.columns) == 0 && len(f.skipped) > 0:
		return nil, errors.New("columns skips every column of it: leave one to be read")
	}
	if err := s.countsMoney(ctx, f.columns); err != nil {
		return nil, err
	}
	return f, schema.NameTargets(f.columns)
}

// oidMoney and oidMoneys are the types money and money[] (src/include/catalog/pg_type.dat).
const (
	oidMoney  = 790
	oidMoneys = 791
)

// countsMoney refuses columns of money where the role, and not the database, says how many of its digits are decimals: they
// are whole numbers to the server, and the same row would be another amount than it is to others (PostgreSQL documentation,
// "Monetary Types").
func (s *Snapshot) countsMoney(ctx context.Context, columns []schema.Column) error {
	at := slices.IndexFunc(columns, func(c schema.Column) bool { return c.Source.OID == oidMoney || c.Source.OID == oidMoneys })
	if at < 0 {
		return nil
	}
	r, err := queryRow(ctx, s.conn, `
		SELECT setting, pg_catalog.quote_ident(current_user) FROM pg_catalog.pg_settings
		WHERE name = 'lc_monetary' AND source IN ('user', 'database user') AND setting <> coalesce((
			SELECT pg_catalog.split_part(c, '=', 2) FROM pg_catalog.pg_db_role_setting s CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) c
			WHERE s.setrole = 0 AND s.setdatabase = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()) AND c LIKE 'lc\_monetary=%'), '')`)
	if errors.Is(err, errNoRow) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("asking for the lc_monetary of the column %q: %w", columns[at].Source.Name, err)
	}
	return fmt.Errorf("column %q of type %s: the role has an lc_monetary of its own (%s), by which its amounts may be others than the database's: ALTER ROLE %s RESET lc_monetary, or set it for the database, or cast the column to numeric in a view",
		columns[at].Source.Name, columns[at].Source.Type, r.text(0), r.text(1))
}

// origin names the place of a table: the server by its system identifier, the database by its oid, and the table's
// name. It is "" where the role or the service keeps the system identifier to itself.
func (s *Snapshot) origin(ctx context.Context, from *spec.DatabaseSource) (string, error) {
	if err := execute(ctx, s.conn, "SAVEPOINT origin"); err != nil {
		return "", err
	}
	r, err := queryRow(ctx, s.conn, `
		SELECT system_identifier || '/' || (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
		FROM pg_catalog.pg_control_system()`)
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return "", execute(ctx, s.conn, "ROLLBACK TO SAVEPOINT origin")
	}
	if err != nil {
		return "", err
	}
	return r.text(0) + "/" + quoted(from.Schema, from.Table), execute(ctx, s.conn, "RELEASE SAVEPOINT origin")
}

// primaryKey reads the names of the columns of a table's primary key, in its order.
func (s *Snapshot) primaryKey(ctx context.Context, oid string) ([]string, error) {
	rows, err := query(ctx, s.conn, `
		SELECT a.attname FROM pg_catalog.pg_index i CROSS JOIN LATERAL pg_catalog.unnest(i.indkey) WITH ORDINALITY k(attnum, place)
		JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
		WHERE i.indrelid = $1 AND i.indisprimary AND k.place <= i.indnkeyatts ORDER BY k.place`, oid)
	if err != nil {
		return nil, err
	}
	var names []string
	for i := range rows {
		names = append(names, rows[i].text(0))
	}
	return names, nil
}

func readingOf(t schema.PostgresType, declared string) (schema.Reading, error) {
	switch {
	case declared == "":
		return schema.FromPostgres(t), nil
	case declared == spec.ObservedDecimal && t.OID != schema.OIDNumeric:
		return schema.Reading{}, errors.New("decimals are made of the values of numeric columns alone: declare it as another type")
	case declared == spec.ObservedDecimal:
		return schema.Declare(t, schema.Type{ID: schema.Decimal, Precision: schema.MaxPrecision})
	}
	wanted, err := schema.ParseType(declared)
	if err != nil {
		return schema.Reading{}, err
	}
	return schema.Declare(t, wanted)
}

// allThere refuses columns that the configuration names and the table, which has those of names, does not.
func allThere(names []string, declared map[string]spec.Column) error {
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		if slices.Contains(names, name) {
			continue
		}
		if near := spec.Nearest(name, names); near != "" {
			return fmt.Errorf("it has no column %q, which columns names; did you mean %q?", name, near)
		}
		return fmt.Errorf("it has no column %q, which columns names", name)
	}
	return nil
}

// selectionOf is the list of expressions of a COPY that reads columns in their forms.
func selectionOf(columns []schema.Column) (string, error) {
	list := make([]string, len(columns))
	for i, c := range columns {
		var err error
		if list[i], err = selected(*c.Source); err != nil {
			return "", err
		}
	}
	return strings.Join(list, ", "), nil
}

// selected is the expression of a COPY that reads a column in its form.
func selected(c schema.SourceColumn) (string, error) {
	name := quoted(c.Name)
	switch c.Form {
	case schema.FormBinary:
		return name, nil
	case schema.FormText:
		return name + "::pg_catalog.text", nil
	case schema.FormJSON:
		return "pg_catalog.to_json(" + name + ")::pg_catalog.text", nil
	case schema.FormNumeric:
		return name + "::pg_catalog.numeric", nil
	case schema.FormAddress:
		return "pg_catalog.inet_out(" + name + ")::pg_catalog.text", nil
	default:
		return "", fmt.Errorf("column %q is to be read in the form %q, which this engine does not know", c.Name, c.Form)
	}
}
