package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// Footing is what a table stood on at its server when a snapshot was open: what another run needs to go on from parts that
// were read under that snapshot. It is a plain document.
type Footing struct {
	// Xmin is the oldest transaction that was running when the snapshot was taken, in 64 bits.
	Xmin     int64         `json:"xmin"`
	System   string        `json:"system"`
	Timeline uint32        `json:"timeline"`
	Table    uint32        `json:"table"`
	Leaves   []FootingLeaf `json:"leaves"`
}

// FootingLeaf is a table that holds rows, and the file that they lie in: a new file says that rows may have moved without
// anybody having written them (VACUUM FULL, CLUSTER), or are others (TRUNCATE).
type FootingLeaf struct {
	OID    uint32 `json:"oid"`
	Schema string `json:"schema"`
	Table  string `json:"name"`
	File   uint32 `json:"file"`
}

// FootingError says why a table's parts cannot be gone on from by another run.
type FootingError struct{ why string }

func (e *FootingError) Error() string { return e.why }

func unsteady(format string, values ...any) error {
	return &FootingError{fmt.Sprintf(format, values...)}
}

// mostFooting bounds the leaves that are kept in place at once: each takes a lock of the server's.
const mostFooting = 1000

// Footing keeps the table and its leaves where they are until the snapshot is closed, and says where that is. A
// *FootingError says why nothing could be gone on from; the snapshot is as it was then.
func (w *Window) Footing(ctx context.Context) (*Footing, error) {
	f, _, err := w.footing(ctx)
	return f, err
}

// footing is Footing, with the transaction up to which the snapshot may see rows.
func (w *Window) footing(ctx context.Context) (f *Footing, last int64, err error) {
	wrap := func(err error) (*Footing, int64, error) {
		return nil, 0, fmt.Errorf("looking where %s lies: %w", quoted(w.request.Source.Schema, w.request.Source.Table), err)
	}
	if w.Snapshot.ID == "" {
		return wrap(unsteady("sessions share no snapshot on a server in recovery"))
	}
	if err := execute(ctx, w.conn(), "SAVEPOINT lakeland_footing"); err != nil {
		return wrap(err)
	}
	f, last, err = w.hold(ctx)
	var server *pgconn.PgError
	end := "RELEASE SAVEPOINT lakeland_footing" // which keeps the locks
	if errors.As(err, &server) {
		err = unsteady("the server does not tell where the table lies: %v", err)
		end = "ROLLBACK TO SAVEPOINT lakeland_footing; RELEASE SAVEPOINT lakeland_footing"
	}
	if ended := execute(ctx, w.conn(), end); ended != nil {
		return wrap(errors.Join(err, ended))
	}
	if err != nil {
		return wrap(err)
	}
	return f, last, nil
}

func (w *Window) hold(ctx context.Context) (*Footing, int64, error) {
	t, err := relationTree(ctx, w.conn(), w.request.Source)
	switch {
	case err != nil:
		return nil, 0, err
	case t.root.kind != "p" && (t.root.kind != "r" || len(t.leaves) != 1):
		return nil, 0, unsteady("only tables and partitioned tables are gone on with, not views or tables with heirs")
	case len(t.leaves) > mostFooting:
		return nil, 0, unsteady("it has %d partitions, and at most %d are held in place at once", len(t.leaves), mostFooting)
	}
	// Names lead to the same tables, and these to the same files, from here on: what would change either waits for the lock.
	if _, err := query(ctx, w.conn(), "SELECT 1 FROM "+quoted(w.request.Source.Schema, w.request.Source.Table)+" LIMIT 0"); err != nil {
		return nil, 0, err
	}
	now, last, err := history(ctx, w.conn())
	if err != nil {
		return nil, 0, err
	}
	// The catalogue's rows are as the snapshot has them; functions tell what is there now.
	rows, err := query(ctx, w.conn(), `
		SELECT c.oid, n.nspname, c.relname, coalesce(pg_catalog.pg_relation_filenode(c.oid), 0),
			coalesce(pg_catalog.to_regclass(pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname))::oid = c.oid, false),
			c.relkind = 'r' AND a.amname = 'heap' AND NOT c.relrowsecurity
		FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_catalog.pg_am a ON a.oid = c.relam
		WHERE c.oid = ANY ($1::oid[]) ORDER BY c.oid`, oids(t.leaves))
	if err != nil {
		return nil, 0, err
	}
	f := &Footing{Xmin: now.Xmin, System: now.System, Timeline: now.Timeline, Table: t.root.oid, Leaves: make([]FootingLeaf, len(rows))}
	for i := range rows {
		r := &rows[i]
		f.Leaves[i] = FootingLeaf{OID: uint32(r.number(0)), Schema: r.text(1), Table: r.text(2), File: uint32(r.number(3))}
		switch {
		case r.err != nil:
			return nil, 0, r.err
		case !r.truth(4):
			return nil, 0, unsteady("%s was renamed or dropped while the snapshot was taken", quoted(f.Leaves[i].Schema, f.Leaves[i].Table))
		case !r.truth(5) || f.Leaves[i].File == 0:
			return nil, 0, unsteady("%s is no plain table, or has row-level security", quoted(f.Leaves[i].Schema, f.Leaves[i].Table))
		}
	}
	for _, leaf := range t.leaves {
		if !leaf.readable {
			return nil, 0, unsteady("the role may not read the partition %s by itself", leaf.name)
		}
	}
	return f, last, nil
}

// oids are the leaves' as an array of the server's.
func oids(leaves []relation) string {
	text := "{"
	for i, leaf := range leaves {
		if i > 0 {
			text += ","
		}
		text += strconv.FormatUint(uint64(leaf.oid), 10)
	}
	return text + "}"
}

// Rest is how a window under a second snapshot completes a table of which parts were read under a first. Be P1 the oldest
// transaction that was running when the first was taken, and X2 the one from which on the second sees nothing. A row that
// the second shows is one of two kinds, by the number of its transaction that it carries:
//
//   - Its number does not lie in [P1, X2). Then its transaction is older than P1: it is older than X2, or the row would not
//     be shown, and one of [P1, X2) has a number in there. Whatever is older than P1 had ended when the first snapshot was
//     taken, so the first showed the row too: it was not deleted by then, since it is there now. It lay where it lies, for
//     a row moves only as another row, or with its whole table into another file, which the footing shows. So it is of the
//     same part of the same cut as then: either that part was read, and the row with it, or it was not, and Left reads it.
//   - Its number lies in [P1, X2). Changed reads it, wherever it lies, and Left leaves it out. A row that was frozen long ago
//     may carry such a number by chance: Left leaves it out too, and Changed reads it too, so it is there once more at most.
//
// So each row that the second snapshot shows is read, and the rows of all parts together, whichever of the snapshots each was
// read under, are rows of the first: no two of them have one key where the first has none such. What Changed reads replaces
// them by key. What was deleted between the snapshots, out of a part that had been read, stays.
//
// The same holds of parts that were left then and read under the second, for a third snapshot with [P1, X3), which begins
// where [P1, X2) does and holds all of it.
type Rest struct {
	// Changed are the parts, by the lists of the cut, that hold what was written since the first snapshot.
	Changed [][]Part

	since string
}

// Left is a part of the cut without what Changed reads.
func (r *Rest) Left(parts []Part) []Part { return narrowed(parts, "NOT ("+r.since+")") }

func narrowed(parts []Part, condition string) []Part {
	out := slices.Clone(parts)
	for i := range out {
		out[i].Where = every(out[i].Where, condition)
	}
	return out
}

// Rest completes a cut of the whole table that an earlier window of the same request made, on the footing that it had then. A
// *FootingError says why it cannot.
func (w *Window) Rest(ctx context.Context, first *Footing, cut [][]Part) (*Rest, error) {
	now, last, err := w.footing(ctx)
	if err != nil {
		return nil, err
	}
	appeared, err := first.leadsTo(now, last)
	if err != nil {
		return nil, fmt.Errorf("going on with %s: %w", quoted(w.request.Source.Schema, w.request.Source.Table), err)
	}
	filter, err := w.conditionsWith(ctx, "")
	if err != nil {
		return nil, err
	}
	r := &Rest{since: changedSince(first.Xmin, last)}
	for _, parts := range cut {
		r.Changed = append(r.Changed, narrowed(parts, r.since))
	}
	// A partition that the cut does not know may bring old rows with it, of keys that others had before.
	for _, leaf := range appeared {
		r.Changed = append(r.Changed, []Part{{Source: spec.DatabaseSource{Connection: w.request.Source.Connection, Schema: leaf.Schema, Table: leaf.Table}, Only: true, Where: filter}})
	}
	return r, nil
}

// leadsTo says which leaves have appeared since, and why what was read on a footing cannot be gone on from on another whose
// snapshot sees transactions before last.
func (f *Footing) leadsTo(now *Footing, last int64) (appeared []FootingLeaf, err error) {
	switch {
	case f.System != now.System:
		return nil, unsteady("the server is another cluster: its system identifier is %s and was %s", now.System, f.System)
	case f.Timeline != now.Timeline:
		return nil, unsteady("the server was restored or promoted: it is on timeline %d and was on %d", now.Timeline, f.Timeline)
	case f.Table != now.Table:
		return nil, unsteady("the table was recreated: its oid is %d and was %d", now.Table, f.Table)
	case now.Xmin < f.Xmin:
		return nil, unsteady("the server has come to transaction %d, and had come to %d: it was restored", now.Xmin, f.Xmin)
	case last-f.Xmin >= maxXIDWindow:
		return nil, unsteady("%d transactions have passed since, and rows tell only %d apart", last-f.Xmin, int64(maxXIDWindow))
	}
	there := map[uint32]FootingLeaf{}
	for _, leaf := range now.Leaves {
		there[leaf.OID] = leaf
	}
	for _, leaf := range f.Leaves {
		switch is, ok := there[leaf.OID]; {
		case !ok:
			return nil, unsteady("the partition %s is gone", quoted(leaf.Schema, leaf.Table))
		case is.File != leaf.File:
			return nil, unsteady("%s lies in another file (%d, before %d): it was rewritten, as by VACUUM FULL, CLUSTER, TRUNCATE or an ALTER TABLE", quoted(leaf.Schema, leaf.Table), is.File, leaf.File)
		case is != leaf:
			return nil, unsteady("%s is called %s now", quoted(leaf.Schema, leaf.Table), quoted(is.Schema, is.Table))
		}
		delete(there, leaf.OID)
	}
	for _, leaf := range now.Leaves {
		if _, left := there[leaf.OID]; left {
			appeared = append(appeared, leaf)
		}
	}
	return appeared, nil
}
