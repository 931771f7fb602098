package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// firstNormalXID is the first transaction id that is given to transactions (src/include/access/transam.h).
	firstNormalXID = 3
	// maxXIDWindow is where a 32-bit transaction id is no longer told from one 2^32 later.
	maxXIDWindow = 1 << 31
)

// changedSince is the window of horizon xmin: the rows that a transaction of [P, X) has written. Rows carry the lower 32
// bits of their transaction, so the comparison goes around with them. A row that was frozen long ago keeps its xmin and
// may alias into the window: it is read again, which changes nothing. The ids below firstNormalXID are those of rows
// that the server itself froze or made at its birth.
func changedSince(p, x int64) string {
	return changedSinceOf("xmin", p, x)
}

func changedSinceOf(xmin string, p, x int64) string {
	return fmt.Sprintf("%[1]s::text::bigint > 2 AND ((%[1]s::text::bigint - %[2]d) & 4294967295) < ((%[3]d - %[2]d) & 4294967295)", xmin, p, x)
}

// openXmin computes the window of horizon xmin. Both of its ends are of the snapshot that is read: what was running then
// is at or above its xmin, and so is what begins later, in subtransactions too; everything below is committed and seen
// here, or will never be. It needs no clock, holds on a replica as on its primary, and finds late commits.
func openXmin(ctx context.Context, w *Window) error {
	t, err := w.begin(ctx)
	if err != nil {
		return err
	}
	now, last, err := history(ctx, w.conn())
	if err != nil {
		return err
	}
	if t.root.kind != "r" && t.root.kind != "p" {
		return fmt.Errorf("horizon \"xmin\" needs a table, and this is none (relkind %q): use horizon \"lookback\" with a cursor, or mode \"full\"", t.root.kind)
	}
	if leaf, ok := t.foreign(); ok {
		return fmt.Errorf("horizon \"xmin\" needs tables of this server, and %s lies on another: use horizon \"lookback\" with a cursor, or mode \"full\"", leaf.name)
	}
	if err := t.mayTell(ctx, w.conn()); err != nil {
		return err
	}
	now.Table, now.Leaves = t.root.oid, t.known()
	filter, err := w.conditionsWith(ctx, "")
	if err != nil {
		return err
	}
	w.next = func(*cursorValue) *Position { return &Position{V: PositionVersion, Horizon: horizonXmin, Xmin: now} }
	if w.From == nil {
		w.Whole, w.Parts = true, t.parts("", nil, filter)
		return nil
	}
	from := w.From.Xmin
	if err := from.leadsTo(now, last); err != nil {
		return err
	}
	w.Appeared, w.Gone = t.apart(from.Leaves)
	whole := map[uint32]bool{}
	for _, leaf := range w.Appeared {
		whole[leaf.OID] = true
	}
	if len(w.Gone) > 0 {
		w.Warnings = append(w.Warnings, fmt.Sprintf("partitions are gone since the run before: %s; what was deleted with them stays in the lake until a reload", names(w.Gone)))
	}
	w.Parts = t.parts(changedSince(from.Xmin, last), whole, filter)
	return nil
}

// leadsTo says why a window from one position to another, read up to the transaction last, cannot be trusted.
func (x *XminPosition) leadsTo(now *XminPosition, last int64) error {
	switch {
	case x.System != now.System:
		return fmt.Errorf("the server's system identifier is %s, the position's %s: it is another cluster: %w", now.System, x.System, ErrReload)
	case x.Timeline != now.Timeline:
		return fmt.Errorf("the server is on timeline %d, the position on %d: it was restored, or a replica was promoted: %w", now.Timeline, x.Timeline, ErrReload)
	case x.Table != now.Table:
		return fmt.Errorf("the table has the oid %d, the position's %d: it was recreated: %w", now.Table, x.Table, ErrReload)
	case now.Xmin < x.Xmin:
		return fmt.Errorf("the server has come to transaction %d, the position to %d: it is a replica that lags, and the next run tries again, or it was restored from a copy: then %w", now.Xmin, x.Xmin, ErrReload)
	case last-x.Xmin >= maxXIDWindow:
		return fmt.Errorf("%d transactions have passed since the position, and rows tell only %d apart: %w", last-x.Xmin, int64(maxXIDWindow), ErrReload)
	default:
		return nil
	}
}

// history identifies the cluster's past and the snapshot's ends. The functions txid_... are those that every server has;
// they are pg_snapshot_xmin and pg_snapshot_xmax of pg_current_snapshot by their older names.
func history(ctx context.Context, conn *pgconn.PgConn) (*XminPosition, int64, error) {
	// A primary names its timeline in the file it writes; the control file follows at the next checkpoint only. A replica
	// writes none.
	r, err := queryRow(ctx, conn, `
		SELECT pg_catalog.txid_snapshot_xmin(pg_catalog.txid_current_snapshot()), pg_catalog.txid_snapshot_xmax(pg_catalog.txid_current_snapshot()),
			(SELECT system_identifier FROM pg_catalog.pg_control_system()),
			CASE WHEN pg_catalog.pg_is_in_recovery() THEN (SELECT timeline_id FROM pg_catalog.pg_control_checkpoint())
				ELSE ('x' || pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 1, 8))::bit(32)::bigint END`)
	if err != nil {
		return nil, 0, fmt.Errorf("reading the cluster's identity, without which horizon \"xmin\" cannot go on (horizon \"transactions\" needs none): %w", err)
	}
	now := &XminPosition{Xmin: r.number(0), System: r.text(2), Timeline: uint32(r.number(3))}
	return now, r.number(1), r.err
}
