package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5/pgconn"
)

// maxRanges bounds how many ranges of its key a relation is cut into.
const maxRanges = 1000

// maxWork bounds what all ranges together may cost the server, by its planner's estimate, as a multiple of what reading
// the relation in one piece costs.
const maxWork = 4

// keyColumn is the column by whose values a relation is cut: the first of its key.
type keyColumn struct {
	name string
	// spelling is its type's name as it stands behind ::.
	spelling string
	// collate is the COLLATE clause of its collation, "" for types without one.
	collate string
	integer bool
	// nullable says that rows of the relation, or of its heirs, may lack it.
	nullable bool
}

// cuttable are the types by whose values a relation is cut: those of pg_catalog with an order of their own, whose texts
// come back as the values that they were written from.
const cuttable = `'int2', 'int4', 'int8', 'text', 'varchar', 'bpchar', 'uuid', 'date', 'time', 'timestamp', 'timestamptz', 'numeric', 'float4', 'float8', 'bytea'`

// ranges are lists of conditions by which a relation is cut into parts of about size bytes, those of one list to be read
// one after the other; none where it is not worth it or cannot be. What the server refuses to tell is no error: the relation is read in one piece then, and what is wrong
// with it shown there.
func (s *Snapshot) ranges(ctx context.Context, l *leaf, key []string, size int64) ([][]string, error) {
	var conditions [][]string
	err := s.optionally(ctx, func() error {
		column, err := s.keyColumn(ctx, l, key)
		if column == nil || err != nil {
			return err
		}
		if l.kind == "v" {
			if steady, err := s.steady(ctx, l); !steady || err != nil {
				return err
			}
		}
		columns, err := s.readable(ctx, l)
		if err != nil {
			return err
		}
		statement := "SELECT " + columns + " FROM " + quoted(l.source.Schema, l.source.Table)
		all, err := s.explain(ctx, statement)
		if err != nil {
			return err
		}
		if l.kind == "v" {
			l.bytes = int64(all.Rows * all.Width)
		}
		count := min((l.bytes+size-1)/size, maxRanges)
		if count < 2 {
			return nil
		}
		bounds, err := s.bounds(ctx, l, column, count, all)
		if len(bounds) == 0 || err != nil {
			return err
		}
		found := column.between(bounds)
		if cheap, err := s.cheap(ctx, statement, found, all); !cheap || err != nil {
			return err
		}
		conditions = found
		return nil
	})
	return conditions, err
}

// optionally runs queries without which the snapshot goes on: what the server refuses is undone.
func (s *Snapshot) optionally(ctx context.Context, do func() error) error {
	if err := execute(ctx, s.conn, "SAVEPOINT lakeland"); err != nil {
		return err
	}
	err := do()
	var server *pgconn.PgError
	if err != nil && !errors.As(err, &server) {
		return err
	}
	return execute(ctx, s.conn, "ROLLBACK TO SAVEPOINT lakeland; RELEASE SAVEPOINT lakeland")
}

// keyColumn is the first column of a relation's primary key, or of the key that was declared for it; nil where there is
// none, or none by which to cut.
func (s *Snapshot) keyColumn(ctx context.Context, l *leaf, key []string) (*keyColumn, error) {
	declared := ""
	if len(key) > 0 {
		declared = key[0]
	}
	r, err := queryRow(ctx, s.conn, `
		SELECT a.attname, pg_catalog.format_type(a.atttypid, -1), t.typname IN ('int2', 'int4', 'int8'), NOT a.attnotnull OR c.relhassubclass,
			CASE WHEN co.oid IS NULL THEN '' ELSE ' COLLATE ' || pg_catalog.quote_ident(cn.nspname) || '.' || pg_catalog.quote_ident(co.collname) END
		FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
			LEFT JOIN pg_catalog.pg_index i ON i.indrelid = c.oid AND i.indisprimary
			LEFT JOIN pg_catalog.pg_collation co ON co.oid = a.attcollation LEFT JOIN pg_catalog.pg_namespace cn ON cn.oid = co.collnamespace
		WHERE c.oid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped AND t.typnamespace = 'pg_catalog'::pg_catalog.regnamespace AND t.typname IN (`+cuttable+`)
			AND CASE WHEN i.indexrelid IS NULL THEN a.attname = $2 ELSE a.attnum = i.indkey[0] END`, l.oid, declared)
	if errors.Is(err, errNoRow) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &keyColumn{name: r.text(0), spelling: r.text(1), integer: r.truth(2), nullable: r.truth(3), collate: r.text(4)}, nil
}

// steady reports whether each session that reads a view under one snapshot sees the same rows with the same keys: not
// where it reads another server, calls what may answer otherwise each time, or takes or numbers rows in the order in
// which they happen to be read.
func (s *Snapshot) steady(ctx context.Context, l *leaf) (bool, error) {
	r, err := queryRow(ctx, s.conn, `
		WITH RECURSIVE below AS (
			SELECT $1::oid AS oid
			UNION
			SELECT n.oid FROM below b CROSS JOIN LATERAL (
				SELECT d.refobjid FROM pg_catalog.pg_rewrite w JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = w.oid
				WHERE w.ev_class = b.oid AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
				UNION ALL SELECT h.inhrelid FROM pg_catalog.pg_inherits h WHERE h.inhparent = b.oid
			) n(oid)
		)
		SELECT coalesce(bool_and(c.relkind IN ('r', 'p', 'm', 'v')), false)
			AND NOT coalesce(bool_or(c.relkind = 'v' AND pg_catalog.pg_get_viewdef(c.oid) ~* '\m(over|limit|offset|fetch|tablesample|distinct on|random|gen_random_uuid|clock_timestamp)\M'), false)
			AND NOT EXISTS (
				SELECT FROM below b JOIN pg_catalog.pg_rewrite w ON w.ev_class = b.oid JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = w.oid
					JOIN pg_catalog.pg_proc f ON d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND f.oid = d.refobjid
				WHERE f.provolatile = 'v')
		FROM below b JOIN pg_catalog.pg_class c ON c.oid = b.oid`, l.oid)
	if err != nil {
		return false, err
	}
	return r.truth(0), nil
}

// estimate is what the server's planner expects of a query.
type estimate struct {
	Cost  float64 `json:"Total Cost"`
	Rows  float64 `json:"Plan Rows"`
	Width float64 `json:"Plan Width"`
}

func (s *Snapshot) explain(ctx context.Context, statement string) (estimate, error) {
	r, err := queryRow(ctx, s.conn, "EXPLAIN (FORMAT JSON) "+statement)
	if err != nil {
		return estimate{}, err
	}
	var plans []struct{ Plan estimate }
	if err := json.Unmarshal(r.fields[0], &plans); err != nil || len(plans) != 1 {
		return estimate{}, fmt.Errorf("reading what the planner expects: %w", errors.Join(err, errNoRow))
	}
	return plans[0].Plan, nil
}

// cheap reports whether reading what a statement reads by conditions costs the server little more than reading it in one piece: with
// an index by whose order its rows lie it does, without one each part reads the whole.
func (s *Snapshot) cheap(ctx context.Context, statement string, lists [][]string, all estimate) (bool, error) {
	for _, i := range []int{0, len(lists) / 2, len(lists) - 1} {
		for _, condition := range lists[i] {
			part, err := s.explain(ctx, statement+" WHERE "+condition)
			if err != nil {
				return false, err
			}
			if part.Cost >= all.Cost || part.Cost*float64(len(lists)) > maxWork*all.Cost {
				return false, nil
			}
		}
	}
	return true, nil
}

// between are conditions that divide all rows at ascending bounds: each row meets exactly one. They compare as the column
// itself does, whatever its collation; any order will do, since all units of a snapshot use the same.
func (c *keyColumn) between(bounds []string) [][]string {
	name := quoted(c.name)
	out := make([][]string, len(bounds)+1)
	for i := range out {
		var from, to string
		if i > 0 {
			from = name + " >= " + c.constant(bounds[i-1])
		}
		if i < len(bounds) {
			to = name + " < " + c.constant(bounds[i])
		}
		out[i] = []string{every(from, to)}
	}
	if c.nullable {
		out[0] = append(out[0], name+" IS NULL")
	}
	return out
}

func (c *keyColumn) constant(value string) string { return constant(value, c.spelling) }

// ascend reports whether bounds ascend by the very comparison that between uses.
func (c *keyColumn) ascend(ctx context.Context, conn *pgconn.PgConn, bounds []string) (bool, error) {
	conditions := []string{"true"}
	for i := 1; i < len(bounds); i++ {
		conditions = append(conditions, c.constant(bounds[i-1])+c.collate+" < "+c.constant(bounds[i])+c.collate)
	}
	r, err := queryRow(ctx, conn, "SELECT coalesce("+every(conditions...)+", false)")
	if err != nil {
		return false, err
	}
	return r.truth(0), nil
}

// evenly are bounds that cut the numbers from low to high into count ranges of one width.
func evenly(low, high, count int64) []string {
	span := uint64(high) - uint64(low) // whatever the signs, the difference is right
	var out []string
	last := low
	for i := int64(1); i < count; i++ {
		step := span / uint64(count) * uint64(i)
		step += span % uint64(count) * uint64(i) / uint64(count)
		if at := int64(uint64(low) + step); at > last {
			out, last = append(out, strconv.FormatInt(at, 10)), at
		}
	}
	return out
}
