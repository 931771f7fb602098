package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// relation is a table as the catalogues of the snapshot have it.
type relation struct {
	oid  uint32
	kind string // pg_class.relkind
	name string
	from spec.DatabaseSource
	// readable says that the role may read it by itself, not only as part of another.
	readable bool
}

// tree is a table and everything whose rows are also its own: partitions, or heirs.
type tree struct {
	root relation
	// leaves hold the rows, ascending by oid.
	leaves []relation
}

// relationTree reads a table and its leaves in the session's snapshot: a partition that is attached later is not there,
// nor one that is being detached concurrently, which the table does not show any more (that column came with PostgreSQL 14). A
// policy that hides rows of any of them from the role is an error: a partition that is read by itself is not subject to
// those of the tables above it, nor one that is read through them to its own.
func relationTree(ctx context.Context, conn *pgconn.PgConn, from spec.DatabaseSource) (*tree, error) {
	rows, err := query(ctx, conn, `
		WITH RECURSIVE root AS (
			SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2
		), tree AS (
			SELECT oid FROM root UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN tree ON i.inhparent = tree.oid
				WHERE NOT coalesce((pg_catalog.to_jsonb(i)->>'inhdetachpending')::boolean, false)
		)
		SELECT c.oid, c.relkind::text, n.nspname, c.relname, pg_catalog.has_table_privilege(c.oid, 'SELECT') AND pg_catalog.has_schema_privilege(n.oid, 'USAGE'), c.oid = (SELECT oid FROM root),
			pg_catalog.row_security_active(c.oid)
		FROM tree JOIN pg_catalog.pg_class c ON c.oid = tree.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY c.oid`, from.Schema, from.Table)
	if err != nil {
		return nil, fmt.Errorf("reading its partitions: %w", err)
	}
	t := &tree{}
	for i := range rows {
		r := relation{
			oid: uint32(rows[i].number(0)), kind: rows[i].text(1), readable: rows[i].truth(4), name: rows[i].text(2) + "." + rows[i].text(3),
			from: spec.DatabaseSource{Connection: from.Connection, Schema: rows[i].text(2), Table: rows[i].text(3)},
		}
		if rows[i].err != nil {
			return nil, rows[i].err
		}
		if rows[i].truth(6) {
			return nil, hides(r.name)
		}
		if rows[i].truth(5) {
			t.root = r
		}
		if r.kind != "p" {
			t.leaves = append(t.leaves, r)
		}
	}
	if t.root.oid == 0 {
		return nil, errors.New("there is no such table; names are exact, case included")
	}
	return t, nil
}

// foreign is a leaf that lies on another server.
func (t *tree) foreign() (relation, bool) {
	for _, leaf := range t.leaves {
		if leaf.kind == "f" {
			return leaf, true
		}
	}
	return relation{}, false
}

// direct says that the role may read each leaf by itself.
func (t *tree) direct() bool {
	return !slices.ContainsFunc(t.leaves, func(leaf relation) bool { return !leaf.readable })
}

// known are the leaves as a position holds them.
func (t *tree) known() []Leaf {
	out := make([]Leaf, len(t.leaves))
	for i, leaf := range t.leaves {
		out[i] = Leaf{OID: leaf.oid, Name: leaf.name}
	}
	return out
}

// parts are what to read of the tree: whole where a leaf is in whole, otherwise under the condition changed. A role that
// may not read each leaf by itself reads through the root, in one part.
func (t *tree) parts(changed string, whole map[uint32]bool, filter string) []Part {
	if t.direct() || t.root.kind == "r" && len(t.leaves) == 1 {
		parts := make([]Part, len(t.leaves))
		for i, leaf := range t.leaves {
			parts[i] = Part{Source: leaf.from, Only: true, Where: every(filter, changed)}
			if whole[leaf.oid] {
				parts[i].Where = every(filter)
			}
		}
		return parts
	}
	var all, old []string
	for _, leaf := range t.leaves {
		if whole[leaf.oid] {
			all = append(all, fmt.Sprint(leaf.oid))
		} else {
			old = append(old, fmt.Sprint(leaf.oid))
		}
	}
	var rows []string
	if len(all) > 0 {
		rows = append(rows, "tableoid IN ("+strings.Join(all, ", ")+")")
	}
	if len(old) > 0 {
		rows = append(rows, every("tableoid IN ("+strings.Join(old, ", ")+")", changed))
	}
	return []Part{{Source: t.root.from, Where: every(filter, strings.Join(rows, " OR "))}}
}

// apart says which leaves a position did not know, and which of its leaves are none any more.
func (t *tree) apart(known []Leaf) (appeared, gone []Leaf) {
	there, before := map[uint32]bool{}, map[uint32]bool{}
	for _, leaf := range known {
		before[leaf.OID] = true
	}
	for _, leaf := range t.known() {
		there[leaf.OID] = true
		if !before[leaf.OID] {
			appeared = append(appeared, leaf)
		}
	}
	for _, leaf := range known {
		if !there[leaf.OID] {
			gone = append(gone, leaf)
		}
	}
	return appeared, gone
}
