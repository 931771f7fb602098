package schema

import (
	"fmt"
	"slices"
)

// Evolve decides how a table in the lake follows the columns that its source has now. It is pure: the result
// holds all columns of the new schema in its order, each with the field id it keeps or 0 where it needs a new
// one, then the columns that the source has dropped, which stay with NULLs.
//
// Columns are told apart by the source's own numbers, so a rename is a rename. A column may be added, may
// widen without loss and may become nullable; anything else is an error that names old and new type, unless
// fresh says that the whole table is written anew on purpose: then a column whose type does not follow gets a
// new field id, and dropped columns go.
func Evolve(lake, source Table, fresh bool) (Table, error) {
	if lake.Identity != source.Identity && !fresh {
		return Table{}, fmt.Errorf("the source table was dropped and created anew since it was last landed (it was %q, it is %q): set reload to a new value to land it afresh",
			lake.Identity, source.Identity)
	}
	byNumber := map[int]Column{}
	for _, c := range lake.Columns {
		if c.Source != nil && lake.Identity == source.Identity {
			byNumber[c.Source.Number] = c
		}
	}
	result := Table{Key: source.Key, Identity: source.Identity, Columns: slices.Clone(source.Columns)}
	taken := map[string]string{}
	for i := range result.Columns {
		c := &result.Columns[i]
		if before, ok := byNumber[c.Source.Number]; ok {
			switch {
			case widens(before.Type, c.Type):
				c.FieldID = before.FieldID
			case !fresh:
				return Table{}, fmt.Errorf("column %q was %s (%s) and is %s (%s) now, which old rows cannot follow: change it back, or set reload to a new value to land the table afresh",
					c.Source.Name, before.Source.Type, before.Type, c.Source.Type, c.Type)
			}
		}
		taken[c.Name] = c.Source.Name
	}
	if fresh {
		return result, nil
	}
	for _, before := range lake.Columns {
		kept := slices.ContainsFunc(result.Columns, func(c Column) bool { return c.FieldID == before.FieldID })
		if kept {
			continue
		}
		if by, ok := taken[before.Name]; ok {
			return Table{}, fmt.Errorf("the source dropped column %q and added another of that name (%q): set reload to a new value to land the table afresh", before.Name, by)
		}
		before.Required, before.Source = false, nil
		result.Columns = append(result.Columns, before)
	}
	return result, nil
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
