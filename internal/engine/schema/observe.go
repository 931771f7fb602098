package schema

import "fmt"

// Digits are what the values of a column need: Before is the most digits that one has before the point, Behind the most that
// one has behind it, trailing zeros too.
type Digits struct{ Before, Behind int }

// Observe is the type of a column whose decimal is made of its values. It holds what the lake has too, whose type is before, nil
// for a column that is new there. Values may need more digits before the point than the lake's type has, for that widens it;
// with more digits behind it Evolve refuses the column until the table is landed afresh. values is nil where there are none:
// the lake's type stays then, and without one there is nothing to make a type of.
func Observe(c Column, before *Type, values *Digits) (Type, error) {
	var need Digits
	if before != nil && before.ID == Decimal {
		need = Digits{before.Precision - before.Scale, before.Scale}
	} else if values == nil {
		return Type{}, fmt.Errorf("column %q has no value of which its decimal could be made: declare it as decimal(p,s), or let the next run land it when it has", c.Source.Name)
	}
	if values != nil {
		need = Digits{max(need.Before, values.Before), max(need.Behind, values.Behind)}
	}
	t := Type{ID: Decimal, Precision: max(need.Before+need.Behind, 1), Scale: need.Behind}
	if t.Precision > MaxPrecision {
		return Type{}, fmt.Errorf("column %q needs %d digits before the point and %d behind it, and a decimal has %d: declare it as string, and set reload to a new value where it was landed", c.Source.Name, need.Before, need.Behind, MaxPrecision)
	}
	return t, nil
}
