package schema

import (
	"fmt"
	"slices"
	"strings"
)

// Comparison says what comparing values of a column in the lake says of them at the source. PostgreSQL has types of which two
// values are equal that it writes unlike each other (numeric without precision, citext, jsonb), and many whose order is not
// that of their texts.
type Comparison struct {
	// Tells and Orders are the option's that the column is read by.
	Tells, Orders bool
	// TellsAs and OrdersAs are the types that the column may be declared as instead, with blanks between.
	TellsAs, OrdersAs string
}

// comparison is that of an option.
func (m *Mapping) comparison(at int) Comparison {
	c := Comparison{Tells: m.Options[at].Tells, Orders: m.Options[at].Orders}
	for _, o := range m.Options {
		if o.Tells {
			c.TellsAs = strings.TrimSpace(c.TellsAs + " " + o.shown())
		}
		if o.Orders {
			c.OrdersAs = strings.TrimSpace(c.OrdersAs + " " + o.shown())
		}
	}
	return c
}

// shown is the option's type as configurations declare it.
func (o Option) shown() string {
	if o.ID == Decimal {
		return "decimal(p,s)"
	}
	return string(o.ID)
}

// CheckKey refuses a column as part of a key where its values do not tell rows apart as they do at the source. It says
// nothing of columns that only the lake has.
func CheckKey(c Column) error {
	if c.Source == nil || c.Source.Comparison.Tells {
		return nil
	}
	return fmt.Errorf("column %q of type %s lands as %s, in which values that are equal at the source may differ, or the reverse, so that it identifies no row: %s",
		c.Source.Name, c.Source.Type, c.Type, instead(c, c.Source.Comparison.TellsAs, "name other columns as primary_key, or read a view that casts it"))
}

// CheckOrdering refuses a column that is to say which of two rows is the newer, where what lands has another order.
func CheckOrdering(c Column) error {
	if c.Source == nil || c.Source.Comparison.Orders {
		return nil
	}
	return fmt.Errorf("column %q of type %s lands as %s, whose bytes do not lie in the order of the source (as texts 9 is greater than 10): %s",
		c.Source.Name, c.Source.Type, c.Type, instead(c, c.Source.Comparison.OrdersAs, "name another column as ordering, or read a view that casts it"))
}

// instead is what to do where a column is to be declared as another type, or cannot be.
func instead(c Column, types, otherwise string) string {
	if types == "" {
		return otherwise
	}
	var out []string
	for _, t := range strings.Fields(types) {
		out = append(out, fmt.Sprintf("columns = { %q = { type = %q } }", c.Source.Name, t))
	}
	return "declare it by " + strings.Join(out, " or ") + ", or " + otherwise
}

// writtenAlike are types of which one value has one text.
var writtenAlike = [][]uint32{{OIDText, OIDVarchar, OIDName}, {OIDInt2, OIDInt4, OIDInt8, OIDOID}}

// CheckTexts refuses columns of the key that land as texts, and whose type at the source is one now that writes values
// otherwise: rows that stay as they were landed would be others than those of their keys. now are the lake's columns as they
// would follow, which have the field ids of before.
func CheckTexts(before, now Table) error {
	for _, c := range now.Columns {
		at := slices.IndexFunc(before.Columns, func(b Column) bool { return b.FieldID == c.FieldID })
		if at < 0 || c.Source == nil || c.Type.ID != String || !slices.Contains(now.Key, c.Name) {
			continue
		}
		was := before.Columns[at].Source
		if was == nil || was.OID == 0 || was.Type == c.Source.Type {
			continue
		}
		alike := was.OID == c.Source.OID && was.OID != OIDBPChar && was.OID != OIDNumeric
		for _, types := range writtenAlike {
			alike = alike || slices.Contains(types, was.OID) && slices.Contains(types, c.Source.OID)
		}
		if !alike {
			return fmt.Errorf("column %q, which is part of the key, was %s and is %s, which may write the values of rows that were landed otherwise", c.Source.Name, was.Type, c.Source.Type)
		}
	}
	return nil
}
