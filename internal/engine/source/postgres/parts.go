package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// Pages is a range of a table's pages, by their numbers: those from From on, up to but without To. To 0 means to the
// end, wherever that is by then.
type Pages struct {
	From int64 `json:"from"`
	To   int64 `json:"to,omitempty"`
}

// Part is rows that one COPY reads: a table's, or some of them. It is a plain document.
type Part struct {
	Source spec.DatabaseSource `json:"source"`
	// Only leaves out what inherits from the relation.
	Only bool `json:"only,omitempty"`
	// Pages bounds where the rows lie; nil is everywhere.
	Pages *Pages `json:"pages,omitempty"`
	// Where is SQL that rows must meet, made by this package from names and values that it quoted; "" is every row.
	Where string `json:"where,omitempty"`
}

// pages is the condition that bounds where the rows lie, or "". A row's ctid is its page and its number there; the
// server reads a range of them without looking at other pages (PostgreSQL 14 release notes, "TID Range Scan").
func (p Part) pages() string {
	if p.Pages == nil {
		return ""
	}
	at := func(page int64) string { return "'(" + strconv.FormatInt(page, 10) + ",0)'::pg_catalog.tid" }
	conditions := []string{"ctid >= " + at(p.Pages.From)}
	if p.Pages.To > 0 {
		conditions = append(conditions, "ctid < "+at(p.Pages.To))
	}
	return strings.Join(conditions, " AND ")
}

// tidRangeScan is the first version of the server that reads a range of pages without reading the others.
const tidRangeScan = 14

// maxLeaves bounds the partitions of a table that are read one by one.
const maxLeaves = 10_000

// Parts cuts a table into lists of parts, each of about size bytes at the source, which together hold every row of the
// snapshot exactly once. What cannot be cut is one part: a view, a foreign table, a table of a server before 14, one
// whose partitions the role may not read by themselves.
func (s *Snapshot) Parts(ctx context.Context, from spec.DatabaseSource, size int64) ([][]Part, error) {
	wrap := func(err error) ([][]Part, error) {
		return nil, fmt.Errorf("measuring %s: %w", quoted(from.Schema, from.Table), err)
	}
	whole := [][]Part{{{Source: from}}}
	major, _, _ := strings.Cut(s.conn.ParameterStatus("server_version"), ".")
	version, err := strconv.Atoi(strings.TrimFunc(major, func(r rune) bool { return r < '0' || r > '9' }))
	if err != nil {
		return whole, nil //nolint:nilerr // a server that names its version in another way is read in one piece
	}
	// Reading a partition by itself is not subject to the row-level security of the table above it, so such a table is
	// read as a whole, and refused there.
	rows, err := query(ctx, s.conn, `
		SELECT n.nspname, l.relname, l.relkind::text, pg_catalog.pg_relation_size(l.oid) / pg_catalog.current_setting('block_size')::bigint,
			pg_catalog.has_table_privilege(l.oid, 'SELECT') AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND NOT l.relrowsecurity AND NOT t.relrowsecurity,
			pg_catalog.current_setting('block_size')::bigint
		FROM pg_catalog.pg_class t JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
			CROSS JOIN LATERAL pg_catalog.pg_partition_tree(CASE WHEN t.relkind = 'p' THEN t.oid END) p
			JOIN pg_catalog.pg_class l ON l.oid = p.relid JOIN pg_catalog.pg_namespace n ON n.oid = l.relnamespace
		WHERE tn.nspname = $1 AND t.relname = $2 AND p.isleaf
		UNION ALL
		SELECT tn.nspname, t.relname, t.relkind::text, pg_catalog.pg_relation_size(t.oid) / pg_catalog.current_setting('block_size')::bigint, true,
			pg_catalog.current_setting('block_size')::bigint
		FROM pg_catalog.pg_class t JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
		WHERE tn.nspname = $1 AND t.relname = $2 AND t.relkind IN ('r', 'm')
		ORDER BY 1, 2 LIMIT `+strconv.Itoa(maxLeaves+1), from.Schema, from.Table)
	if err != nil {
		return wrap(err)
	}
	if len(rows) == 0 || len(rows) > maxLeaves {
		return whole, nil
	}
	p := packer{size: max(size, 1)}
	for _, r := range rows {
		if !r.truth(4) {
			return whole, nil
		}
		source := spec.DatabaseSource{Connection: from.Connection, Schema: r.text(0), Table: r.text(1)}
		pages, block := r.number(3), r.number(5)
		if r.err != nil {
			return wrap(r.err)
		}
		kind := r.text(2)
		p.add(source, pages, block, version >= tidRangeScan && (kind == "r" || kind == "m"))
	}
	out := p.close()
	if len(out) == 0 {
		return wrap(errors.New("it has no parts"))
	}
	return out, nil
}

// packer fills lists of parts up to a size.
type packer struct {
	size, filled int64
	current      []Part
	done         [][]Part
}

func (p *packer) add(source spec.DatabaseSource, pages, block int64, cuttable bool) {
	perList := max(p.size/max(block, 1), 1)
	if !cuttable || pages <= perList {
		if p.filled > 0 && p.filled+pages*block > p.size {
			p.end()
		}
		p.current, p.filled = append(p.current, Part{Source: source}), p.filled+pages*block
		return
	}
	p.end()
	// Lists of equal size: a last small one would leave a connection idle.
	count := (pages + perList - 1) / perList
	for i := range count {
		r := Pages{From: pages * i / count, To: pages * (i + 1) / count}
		if i == count-1 {
			r.To = 0 // pages that came meanwhile hold rows that moved within this snapshot's sight
		}
		p.current = []Part{{Source: source, Pages: &r}}
		p.end()
	}
}

func (p *packer) end() {
	if len(p.current) > 0 {
		p.done = append(p.done, p.current)
	}
	p.current, p.filled = nil, 0
}

func (p *packer) close() [][]Part {
	p.end()
	return p.done
}
