package run

import (
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

// Stamps are what a run writes into the columns that the engine adds.
type Stamps struct {
	RunID string `json:"run_id"`
	// Time is when the run began, in microseconds since 1970.
	Time int64 `json:"time"`
	// Sequence orders the snapshots of the source.
	Sequence int64 `json:"sequence"`
	// Source names connection and table.
	Source string `json:"source"`
}

// spread puts the columns that the source does not have between those that were read: stamps, and NULLs where the source
// has dropped a column.
type spread struct {
	whole  *column.Batch
	schema *schema.Table
	stamps Stamps
	// rows is how many rows the added columns hold.
	rows int
}

func newSpread(t *schema.Table, stamps Stamps) *spread {
	s := &spread{schema: t, stamps: stamps}
	for _, c := range t.Columns {
		if c.Source == nil {
			s.whole = column.NewBatch(t.Kinds(), 0)
			break
		}
	}
	return s
}

// over is the batch with the columns that were added. It is valid until the next call.
func (s *spread) over(b *column.Batch) *column.Batch {
	if s.whole == nil {
		return b
	}
	read, rows := b.Columns, b.Rows()
	for i := range s.schema.Columns {
		c := &s.schema.Columns[i]
		if c.Source != nil {
			s.whole.Columns[i], read = read[0], read[1:]
		} else if s.rows != rows {
			s.fill(s.whole.Columns[i], c, rows)
		}
	}
	s.rows = rows
	return s.whole
}

// fill makes a column of as many equal rows.
func (s *spread) fill(v *column.Vector, c *schema.Column, rows int) {
	v.Reset()
	switch c.Stamp {
	case schema.StampRun:
		fillText(v, s.stamps.RunID, rows)
	case schema.StampOp:
		fillText(v, schema.OpInserted, rows)
	case schema.StampSource:
		fillText(v, s.stamps.Source, rows)
	case schema.StampTime:
		fillNumber(v, s.stamps.Time, rows)
	case schema.StampSequence:
		fillNumber(v, s.stamps.Sequence, rows)
	case schema.SoftDeleted:
		clear(v.Bools[v.Extend(rows):])
	default:
		for range rows {
			v.AppendNull()
		}
	}
}

func fillText(v *column.Vector, text string, rows int) {
	for range rows {
		v.Data = append(v.Data, text...)
		v.Append()
	}
}

func fillNumber(v *column.Vector, n int64, rows int) {
	first := v.Extend(rows)
	for i := range rows {
		v.Int64s[first+i] = n
	}
}
