package schema

import (
	"fmt"
	"slices"
)

// Landing says which rows of the lake a run writes.
type Landing int

// The ways to land.
const (
	// Changed writes the rows that changed; all others stay as they were landed.
	Changed Landing = iota + 1
	// Whole writes all rows anew.
	Whole
	// Afresh is Whole by the user's own wish: columns of before need not be kept.
	Afresh
)

// Drift is one way in which a source's columns have changed since they were landed.
type Drift string

// The kinds of drift that a table follows. All others are errors.
const (
	Added     Drift = "added"
	Dropped   Drift = "dropped"
	Skipped   Drift = "skipped"
	Renamed   Drift = "renamed"
	Widened   Drift = "widened"
	Retyped   Drift = "retyped"
	Loosened  Drift = "loosened"
	Recreated Drift = "recreated"
)

// Step is one drift of one column; of the table, for Recreated. Was and Is are names for Renamed, types for Widened
// and Retyped, identities for Recreated.
type Step struct {
	Drift   Drift
	Column  string
	Was, Is string
}

func (s Step) String() string {
	switch s.Drift {
	case Added:
		return fmt.Sprintf("column %q is new at the source: it is added", s.Column)
	case Dropped:
		return fmt.Sprintf("the source dropped column %q: it stays, with NULLs in all rows written from now on", s.Column)
	case Skipped:
		return fmt.Sprintf("column %q is skipped: it stays, with NULLs in all rows written from now on", s.Column)
	case Renamed:
		return fmt.Sprintf("column %q is now %q: it is renamed", s.Was, s.Is)
	case Widened:
		return fmt.Sprintf("column %q was %s and is %s: it is widened", s.Column, s.Was, s.Is)
	case Retyped:
		return fmt.Sprintf("column %q was %s and is %s at the source; its type in the lake stays", s.Column, s.Was, s.Is)
	case Loosened:
		return fmt.Sprintf("column %q may hold NULLs at the source now: it may in the lake too", s.Column)
	default:
		return fmt.Sprintf("the source table was dropped and created anew (it was %s, it is %s) with the same columns: all its rows are landed anew as ever", s.Was, s.Is)
	}
}

// Evolution is how a table in the lake follows its source.
type Evolution struct {
	// Table holds all columns of the new schema in the source's order, each with the field id it keeps or 0 where
	// it needs a new one, then those that the source has dropped.
	Table Table
	Steps []Step
}

const wayOut = "set reload to a new value to land the table afresh"

// Evolve decides how a table in the lake follows the columns that its source has now. It is pure.
//
// Columns are told apart by the source's own numbers, so a rename is a rename. A column may be added, unless rows
// that stay as they are have a value in it, which a default or NOT NULL tells; it may be dropped or
// skipped, may widen without loss and may become nullable.
// A table that was created anew in its place is followed where all rows are written anyhow and its columns are the
// same.
// Anything else is an error that names old and new and says what to do, unless the table is landed afresh: then a
// column whose type does not follow gets a new field id, and dropped columns go.
//
// A column of the lake never becomes required, and one that is added is not: rows of older snapshots have NULLs.
func Evolve(lake, source Table, landing Landing) (Evolution, error) {
	e := Evolution{Table: Table{Key: source.Key, Identity: source.Identity, Origin: source.Origin, Comment: source.Comment, Partition: source.Partition, Columns: slices.Clone(source.Columns)}}
	before, err := e.match(lake, source, landing)
	if err != nil {
		return Evolution{}, err
	}
	for i := range e.Table.Columns {
		if err := e.follow(before[i], &e.Table.Columns[i], landing); err != nil {
			return Evolution{}, err
		}
	}
	if landing == Afresh {
		return e, nil
	}
	return e, e.keepDropped(lake, source)
}

// match finds the column of the lake that each column of the source was landed as; nil for none.
func (e *Evolution) match(lake, source Table, landing Landing) ([]*Column, error) {
	before := make([]*Column, len(source.Columns))
	same := lake.Identity == source.Identity
	if !same && landing == Afresh {
		return before, nil
	}
	if !same && (lake.Origin == "" || lake.Origin != source.Origin) {
		return nil, fmt.Errorf("the source table is another than the one that was landed, which was elsewhere or had another name (it was %q, it is %q): %s", lake.Identity, source.Identity, wayOut)
	}
	if !same && landing != Whole {
		return nil, fmt.Errorf("the source table was dropped and created anew since it was last landed (it was %q, it is %q): %s", lake.Identity, source.Identity, wayOut)
	}
	matched := map[int]bool{}
	for i, c := range source.Columns {
		at := slices.IndexFunc(lake.Columns, func(l Column) bool {
			return l.Source != nil && (same && l.Source.Number == c.Source.Number || !same && l.Source.Name == c.Source.Name)
		})
		if at >= 0 {
			before[i] = &lake.Columns[at]
			matched[at] = true
		} else if !same {
			return nil, differs(lake, source, c.Source.Name, "is new")
		}
	}
	if same {
		return before, nil
	}
	for i, l := range lake.Columns {
		if l.Source != nil && !matched[i] && !skips(lake, source, l.Source) {
			return nil, differs(lake, source, l.Source.Name, "is gone")
		}
	}
	e.step(Recreated, "", lake.Identity, source.Identity)
	return before, nil
}

// skips reports whether a source has a column that was landed, and leaves it out.
func skips(lake, source Table, landed *SourceColumn) bool {
	return slices.ContainsFunc(source.Skipped, func(c SourceColumn) bool {
		if lake.Identity == source.Identity {
			return c.Number == landed.Number
		}
		return c.Name == landed.Name
	})
}

func differs(lake, source Table, column, how string) error {
	return fmt.Errorf("the source table was dropped and created anew since it was last landed (it was %q, it is %q), and its column %q %s: %s", lake.Identity, source.Identity, column, how, wayOut)
}

func (e *Evolution) step(d Drift, column, was, is string) {
	e.Steps = append(e.Steps, Step{Drift: d, Column: column, Was: was, Is: is})
}

// follow decides what becomes of one column of the source.
func (e *Evolution) follow(before, c *Column, landing Landing) error {
	if before == nil {
		if landing == Afresh {
			return nil
		}
		if landing == Changed && (c.Source.Default != "" || c.Required) {
			return fmt.Errorf("column %q was added with values for rows that were there (its default is %q), and those that were landed do not have them: %s", c.Source.Name, c.Source.Default, wayOut)
		}
		c.Required = false
		e.step(Added, c.Name, "", c.Type.String())
		return nil
	}
	if !widens(before.Type, c.Type) {
		if landing == Afresh {
			return nil
		}
		return fmt.Errorf("column %q was %s (%s) and is %s (%s) now, which old rows cannot follow: change it back, or %s",
			c.Source.Name, before.Source.Type, before.Type, c.Source.Type, c.Type, wayOut)
	}
	c.FieldID = before.FieldID
	if before.Name != c.Name {
		e.step(Renamed, c.Name, before.Name, c.Name)
	}
	switch {
	case before.Type != c.Type:
		e.step(Widened, c.Name, before.Type.String(), c.Type.String())
	case before.Source.Type != c.Source.Type:
		e.step(Retyped, c.Name, before.Source.Type, c.Source.Type)
	}
	if before.Required && !c.Required {
		e.step(Loosened, c.Name, "", "")
	}
	c.Required = c.Required && before.Required
	return nil
}

// keepDropped appends the columns that the source no longer has, or that are skipped now.
func (e *Evolution) keepDropped(lake, source Table) error {
	taken := map[string]string{}
	for _, c := range e.Table.Columns {
		taken[c.Name] = c.Source.Name
	}
	current := len(e.Table.Columns)
	for _, before := range lake.Columns {
		if slices.ContainsFunc(e.Table.Columns[:current], func(c Column) bool { return c.FieldID == before.FieldID }) {
			continue
		}
		if by, ok := taken[before.Name]; ok {
			return fmt.Errorf("the lake keeps a column %q that the source dropped, or that was skipped, and the source has a column %q to land under that name: %s, or give the source's another name in columns", before.Name, by, wayOut)
		}
		switch {
		case before.Source == nil:
		case skips(lake, source, before.Source):
			e.step(Skipped, before.Name, before.Type.String(), "")
		default:
			e.step(Dropped, before.Name, before.Type.String(), "")
		}
		before.Required, before.Source = false, nil
		e.Table.Columns = append(e.Table.Columns, before)
	}
	return nil
}

// Sentences are the steps in words.
func (e *Evolution) Sentences() []string {
	out := make([]string, len(e.Steps))
	for i, s := range e.Steps {
		out[i] = s.String()
	}
	return out
}

// widens reports whether every value of one type is a value of the other, in the ways that Iceberg allows
// (specification, "Schema Evolution": int to long, float to double, decimals to more digits at the same scale).
func widens(from, to Type) bool {
	switch {
	case from == to:
		return true
	case from.ID == Int && to.ID == Long, from.ID == Float && to.ID == Double:
		return true
	default:
		return from.ID == Decimal && to.ID == Decimal && from.Scale == to.Scale && from.Precision <= to.Precision
	}
}
