package postgres

import (
	"context"
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

// leaf is a relation that holds rows of its own, or a view, as Parts measures it.
type leaf struct {
	source spec.DatabaseSource
	oid    string
	kind   string // pg_class.relkind
	pages  int64
	// knownPages are those that it had when the server last looked what it holds.
	knownPages int64
	// bytes are those of its pages and of what they keep elsewhere (TOAST); of a view, what the planner expects.
	bytes int64
}

// Parts cuts a table into lists of parts, each of about size bytes at the source, which together hold every row of the
// snapshot exactly once. Tables are cut by their pages; tables of servers before 14, which cannot read some pages alone, or
// of whose columns the role may read some, and views, by their key, where that costs the server little. key names the columns that identify a row where the source
// has no primary key that says so.
//
// What cannot be cut is one part: a view without a key, a foreign table, one with heirs on another server, one whose
// partitions the role may not read by themselves. Foreign partitions are one list, for sessions that share a snapshot here share none with another server.
func (s *Snapshot) Parts(ctx context.Context, from spec.DatabaseSource, key []string, size int64) ([][]Part, error) {
	wrap := func(err error) ([][]Part, error) {
		return nil, fmt.Errorf("measuring %s: %w", quoted(from.Schema, from.Table), err)
	}
	whole := [][]Part{{{Source: from}}}
	major, _, _ := strings.Cut(s.conn.ParameterStatus("server_version"), ".")
	version, err := strconv.Atoi(strings.TrimFunc(major, func(r rune) bool { return r < '0' || r > '9' }))
	if err != nil {
		return whole, nil //nolint:nilerr // a server that names its version in another way is read in one piece
	}
	leaves, direct, err := s.leaves(ctx, from)
	if err != nil {
		return wrap(err)
	}
	if !direct || len(leaves) == 0 || len(leaves) > maxLeaves {
		return whole, nil
	}
	if len(leaves) == 1 && leaves[0].kind == "r" { // ranges of its pages hold rows of its heirs too
		t, err := relationTree(ctx, s.conn, from)
		if err != nil {
			return wrap(err)
		}
		if _, foreign := t.foreign(); foreign {
			return whole, nil
		}
	}
	p := packer{size: max(size, 1)}
	var foreign []Part
	byPages := version >= tidRangeScan
	if byPages && len(leaves) == 1 {
		if byPages, err = s.paged(ctx, &leaves[0]); err != nil { // several are read one by one only by who may read all of them
			return wrap(err)
		}
	}
	for i := range leaves {
		l := &leaves[i]
		switch {
		case l.kind == "f":
			foreign = append(foreign, Part{Source: l.source})
		case l.kind != "v" && byPages:
			p.byPages(l)
		default:
			lists, err := s.ranges(ctx, l, key, p.size)
			if err != nil {
				return wrap(err)
			}
			p.byKey(l, lists)
		}
	}
	p.end()
	p.current = foreign
	p.end()
	return p.done, nil
}

// leaves are what Parts can read one by one; direct says that the role may.
func (s *Snapshot) leaves(ctx context.Context, from spec.DatabaseSource) (found []leaf, direct bool, err error) {
	// Reading a partition by itself is not subject to the row-level security of the table above it, so such a table is
	// read as a whole, and refused there.
	rows, err := query(ctx, s.conn, `
		WITH leaf AS (
			SELECT l.oid, pg_catalog.has_table_privilege(l.oid, 'SELECT') AND NOT l.relrowsecurity AND NOT t.relrowsecurity AS direct
			FROM pg_catalog.pg_class t JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
				CROSS JOIN LATERAL pg_catalog.pg_partition_tree(CASE WHEN t.relkind = 'p' THEN t.oid END) p JOIN pg_catalog.pg_class l ON l.oid = p.relid
			WHERE n.nspname = $1 AND t.relname = $2 AND p.isleaf
			UNION ALL
			SELECT t.oid, true FROM pg_catalog.pg_class t JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
			WHERE n.nspname = $1 AND t.relname = $2 AND t.relkind IN ('r', 'm', 'v')
		)
		SELECT n.nspname, c.relname, c.oid, c.relkind::text, pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::bigint,
			pg_catalog.pg_relation_size(c.oid) + CASE WHEN c.reltoastrelid = 0 THEN 0 ELSE coalesce(pg_catalog.pg_relation_size(c.reltoastrelid), 0) END,
			leaf.direct AND pg_catalog.has_schema_privilege(n.oid, 'USAGE'), c.relpages
		FROM leaf JOIN pg_catalog.pg_class c ON c.oid = leaf.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		ORDER BY 1, 2 LIMIT `+strconv.Itoa(maxLeaves+1), from.Schema, from.Table)
	if err != nil {
		return nil, false, err
	}
	direct = true
	found = make([]leaf, len(rows))
	for i := range rows {
		r := &rows[i]
		found[i] = leaf{
			source: spec.DatabaseSource{Connection: from.Connection, Schema: r.text(0), Table: r.text(1)},
			oid:    r.text(2), kind: r.text(3), pages: r.number(4), bytes: r.number(5), knownPages: r.number(7),
		}
		direct = direct && (r.truth(6) || len(rows) == 1 && found[i].source == from)
		if r.err != nil {
			return nil, false, r.err
		}
	}
	return found, direct, nil
}

// packer fills lists of parts up to a size.
type packer struct {
	size, filled int64
	current      []Part
	done         [][]Part
}

// whole adds a leaf in one part.
func (p *packer) whole(l *leaf) {
	if p.filled > 0 && p.filled+l.bytes > p.size {
		p.end()
	}
	p.current, p.filled = append(p.current, Part{Source: l.source}), p.filled+l.bytes
}

func (p *packer) byPages(l *leaf) {
	// Lists of equal size: a last small one would leave a connection idle.
	count := min((l.bytes+p.size-1)/p.size, l.pages)
	if count < 2 {
		p.whole(l)
		return
	}
	p.end()
	for i := range count {
		r := Pages{From: l.pages * i / count, To: l.pages * (i + 1) / count}
		if i == count-1 {
			r.To = 0 // pages that came meanwhile hold rows that moved within this snapshot's sight
		}
		p.current = []Part{{Source: l.source, Pages: &r}}
		p.end()
	}
}

// byKey adds a list of parts for each list of conditions.
func (p *packer) byKey(l *leaf, lists [][]string) {
	if len(lists) < 2 {
		p.whole(l)
		return
	}
	p.end()
	for _, conditions := range lists {
		for _, condition := range conditions {
			p.current = append(p.current, Part{Source: l.source, Where: condition})
		}
		p.end()
	}
}

func (p *packer) end() {
	if len(p.current) > 0 {
		p.done = append(p.done, p.current)
	}
	p.current, p.filled = nil, 0
}
