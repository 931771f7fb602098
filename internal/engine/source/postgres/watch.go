package postgres

import (
	"context"
	"fmt"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/column"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

// Watch is the cursor of a window as those need it who read parts of the window elsewhere: a plain document. They read its
// column too, and tell its greatest value.
type Watch struct {
	// Kind is how values are compared.
	Kind   string        `json:"kind"`
	Column schema.Column `json:"column"`
}

// Greatest is the greatest value of a cursor that was met. It is used by one goroutine.
type Greatest struct {
	cursor *cursor
	value  *cursorValue
}

// Watch is what readers of the window's parts must watch; nil where they need not.
func (w *Window) Watch() *Watch {
	if w.cursor == nil {
		return nil
	}
	return &Watch{string(w.cursor.kind), w.cursor.column}
}

// Greatest begins without a value.
func (w *Watch) Greatest() *Greatest {
	return &Greatest{cursor: &cursor{kind: cursorKind(w.Kind), column: w.Column}}
}

// See takes up the values of the cursor's column.
func (g *Greatest) See(v *column.Vector) error { return g.cursor.see(v, &g.value) }

// Text is the value as To reads it; nil where none was met.
func (g *Greatest) Text() *string {
	if g.value == nil {
		return nil
	}
	return some(g.cursor.kind.format(*g.value))
}

// To is the position behind the window, once all of its parts were read; greatest are what their readers have met.
func (w *Window) To(greatest []*string) (*Position, error) {
	var read *cursorValue
	for _, text := range greatest {
		if text == nil || w.cursor == nil {
			continue
		}
		value, err := w.cursor.kind.parse(*text)
		if err != nil {
			return nil, fmt.Errorf("the position behind the changes of %s: %w", quoted(w.request.Source.Schema, w.request.Source.Table), err)
		}
		if read == nil || w.cursor.kind.less(*read, value) {
			read = &value
		}
	}
	to := w.next(read)
	if err := to.Validate(); err != nil {
		return nil, fmt.Errorf("the position behind the changes of %s: %w", quoted(w.request.Source.Schema, w.request.Source.Table), err)
	}
	return to, nil
}

// Cut cuts the parts of a window that holds the whole of a table as Snapshot.Parts does; any other it leaves together.
func (w *Window) Cut(ctx context.Context, key []string, size int64) ([][]Part, error) {
	if !w.Whole || w.Snapshot.ID == "" {
		return [][]Part{w.Parts}, nil
	}
	lists, err := w.Snapshot.Parts(ctx, w.request.Source, key, size)
	if err != nil {
		return nil, err
	}
	filter, err := w.conditionsWith(ctx, "")
	if err != nil {
		return nil, err
	}
	for _, parts := range lists {
		for i := range parts {
			parts[i].Where = every(parts[i].Where, filter)
		}
	}
	return lists, nil
}
