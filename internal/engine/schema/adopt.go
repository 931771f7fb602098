package schema

import "slices"

// Adopted is a table in the lake as if it had been landed from a source, whatever it was made from: columns of equal names
// are those of the source where their types follow, so that they keep their field ids. All others have no source.
func Adopted(lake, source Table) Table {
	out := lake
	out.Identity, out.Origin, out.Columns = source.Identity, source.Origin, slices.Clone(lake.Columns)
	for i := range out.Columns {
		c := &out.Columns[i]
		c.Source = nil
		at := slices.IndexFunc(source.Columns, func(s Column) bool { return s.Name == c.Name })
		if at >= 0 && widens(c.Type, source.Columns[at].Type) {
			c.Source = source.Columns[at].Source
		}
	}
	return out
}
