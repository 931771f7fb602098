package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// cursor is the column that grows with every change, and how far back it is read.
type cursor struct {
	kind cursorKind
	// column reads it in the type that the source has, whatever the lake makes of it.
	column   schema.Column
	nullable bool
	zone     *time.Location
	extract  spec.Extract
	width    int64
	// step is the distance between two values that the column can hold.
	step int64
}

// cursorTypes are the types that cursors may have: how they are compared, and how they are read.
var cursorTypes = map[uint32]struct {
	kind cursorKind
	id   schema.ID
}{
	schema.OIDTimestampTZ: {instantCursor, schema.TimestampTZ},
	schema.OIDTimestamp:   {localCursor, schema.Timestamp},
	schema.OIDDate:        {dateCursor, schema.Date},
	schema.OIDInt2:        {integerCursor, schema.Int},
	schema.OIDInt4:        {integerCursor, schema.Int},
	schema.OIDInt8:        {integerCursor, schema.Long},
	schema.OIDText:        {textCursor, schema.String},
	schema.OIDVarchar:     {textCursor, schema.String},
}

// findCursor reads the cursor's column in the snapshot. A domain counts as what it is over.
func (w *Window) findCursor(ctx context.Context) (*cursor, error) {
	e, from := w.request.Extract, w.request.Source
	r, err := queryRow(ctx, w.conn(), `
		WITH RECURSIVE columns AS (
			SELECT a.attnum, `+neverNull+` AS attnotnull, a.atttypid, a.atttypmod
			FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
			WHERE n.nspname = $1 AND c.relname = $2 AND a.attname = $3 AND a.attnum > 0 AND NOT a.attisdropped
		), bases AS (
			SELECT * FROM columns UNION ALL
			SELECT b.attnum, b.attnotnull, t.typbasetype, t.typtypmod FROM bases b JOIN pg_catalog.pg_type t ON t.oid = b.atttypid WHERE t.typtype = 'd'
		)
		SELECT b.attnum, b.attnotnull, b.atttypid, b.atttypmod, pg_catalog.format_type(b.atttypid, b.atttypmod)
		FROM bases b JOIN pg_catalog.pg_type t ON t.oid = b.atttypid WHERE t.typtype <> 'd'`, from.Schema, from.Table, e.Cursor)
	if errors.Is(err, errNoRow) {
		return nil, fmt.Errorf("it has no column %q, which extract.cursor names; names are exact, case included", e.Cursor)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the type of the cursor %q: %w", e.Cursor, err)
	}
	oid, modifier := uint32(r.number(2)), r.number(3)
	source := &schema.SourceColumn{Name: e.Cursor, Number: int(r.number(0)), OID: oid, Type: r.text(4)}
	if r.err != nil {
		return nil, r.err
	}
	known, ok := cursorTypes[oid]
	if !ok {
		return nil, fmt.Errorf("the cursor %q is a %s: use a timestamptz, timestamp, date, integer or text, or horizon \"xmin\"", e.Cursor, source.Type)
	}
	c := &cursor{kind: known.kind, nullable: !r.truth(1), extract: e, step: 1, column: schema.Column{Name: e.Cursor, Type: schema.Type{ID: known.id}, Source: source}}
	if w.request.Extract.Lookback == "" && w.request.Extract.Horizon == horizonTransactions {
		c.extract.Lookback = "0"
	}
	if c.width, err = c.kind.width(c.extract.Lookback); err != nil {
		return nil, fmt.Errorf("extract.lookback: %w", err)
	}
	switch {
	case c.kind.zoned() && e.CursorTimeZone != "":
		return nil, fmt.Errorf("the cursor %q is a %s, which has no need of extract.cursor_time_zone: leave it out", e.Cursor, source.Type)
	case c.kind.zoned():
	case e.CursorTimeZone == "":
		return nil, fmt.Errorf("the cursor %q is a %s, which names no instant: write the time zone of the clock that sets it as extract.cursor_time_zone, such as \"UTC\"", e.Cursor, source.Type)
	default:
		if c.zone, err = time.LoadLocation(e.CursorTimeZone); err != nil {
			return nil, fmt.Errorf("extract.cursor_time_zone: %w", err)
		}
	}
	switch {
	case c.kind == dateCursor:
		c.step = dayMicros
	case c.kind.temporal() && modifier >= 0: // the modifier of times is their number of digits behind the second
		for range 6 - modifier {
			c.step *= 10
		}
	}
	return c, nil
}

// see keeps the greatest value of a vector.
func (c *cursor) see(v *column.Vector, greatest **cursorValue) error {
	for i := range v.Len() {
		if v.IsNull(i) {
			continue
		}
		var value cursorValue
		switch {
		case v.Kind == column.Bytes:
			if *greatest != nil && string(v.Bytes(i)) <= (*greatest).s {
				continue
			}
			value.s = string(v.Bytes(i))
		case c.kind == dateCursor:
			value.n = int64(v.Int32s[i]) * dayMicros
		case v.Kind == column.Int32:
			value.n = int64(v.Int32s[i])
		case v.Kind == column.Int64:
			value.n = v.Int64s[i]
		default:
			return fmt.Errorf("the cursor %q came as %s", c.column.Name, v.Kind)
		}
		if *greatest == nil || c.kind.less(**greatest, value) {
			*greatest = &value
		}
	}
	return nil
}

// since is the condition of rows that are read again: those from the bound on, and those without a value, which no bound
// tells new from old.
func (c *cursor) since(bound string) string {
	name, spelling := quoted(c.column.Name), map[cursorKind]string{integerCursor: "bigint", textCursor: "text"}[c.kind]
	if spelling == "" {
		spelling = string(c.kind)
	}
	condition := name + " >= " + constant(bound, spelling)
	if c.kind == textCursor {
		condition = name + ` COLLATE "C" >= ` + constant(bound, spelling)
	}
	if c.nullable {
		condition += " OR " + name + " IS NULL"
	}
	return condition
}

// earliest is where the server's own times begin: 4714-11-24 BC (src/include/datatype/timestamp.h).
const earliest = -210866803200000000

// openCursor computes the window of a horizon with a cursor, once the snapshot is taken. The position behind it is
// least(greatest value seen, caps) - lookback; stay keeps it where it was.
func (w *Window) openCursor(ctx context.Context, horizon string, caps []time.Time, stay bool) error {
	c, err := w.findCursor(ctx)
	if err != nil {
		return err
	}
	if horizon == horizonTransactions && !c.kind.temporal() {
		return fmt.Errorf("horizon \"transactions\" compares the cursor with the database's clock, and %q has the type %s: use a timestamptz that the database sets, or horizon \"lookback\" or \"xmin\"", c.column.Name, c.column.Source.Type)
	}
	w.cursor = c
	var since string
	var seen *cursorValue
	if w.From == nil {
		w.Whole = true
	} else {
		from := w.From.Cursor
		switch {
		case from.Type != string(c.kind):
			return fmt.Errorf("the cursor %q is a %s, the position's a %s: %w", c.column.Name, c.kind, from.Type, ErrReload)
		case from.TimeZone != c.extract.CursorTimeZone:
			return fmt.Errorf("the cursor's time zone is %q, the position's %q: %w", c.extract.CursorTimeZone, from.TimeZone, ErrReload)
		case from.Bound == nil:
			w.Whole = true
		default:
			since = c.since(*from.Bound)
		}
		if from.Seen != nil {
			value, err := c.kind.parse(*from.Seen)
			if err != nil {
				return err
			}
			seen = &value
		}
	}
	where, err := w.conditionsWith(ctx, since)
	if err != nil {
		return err
	}
	w.Parts = []Part{{Source: w.request.Source, Where: where}}
	w.next = func(read *cursorValue) *Position {
		to := &CursorPosition{Type: string(c.kind), Lookback: c.extract.Lookback, TimeZone: c.extract.CursorTimeZone}
		if stay {
			if w.From != nil {
				*to = *w.From.Cursor
			}
			return &Position{V: PositionVersion, Horizon: horizon, Cursor: to}
		}
		if read != nil && (seen == nil || c.kind.less(*seen, *read)) {
			seen = read
		}
		if seen != nil {
			least := *seen
			if c.kind.temporal() {
				for _, instant := range caps {
					if most := c.kind.at(instant, c.zone); most.n < least.n {
						least = most
					}
				}
				// Dates stand for their midnight.
				least = c.kind.back(least, 0, c.step)
			}
			bound := c.kind.back(least, c.width, c.step)
			to.Seen = some(c.kind.format(least))
			if !c.kind.temporal() || bound.n >= earliest {
				to.Bound = some(c.kind.format(bound))
			}
		}
		return &Position{V: PositionVersion, Horizon: horizon, Cursor: to}
	}
	return nil
}

func some(s string) *string { return &s }
