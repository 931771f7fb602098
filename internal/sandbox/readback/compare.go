package readback

import (
	"fmt"
	"slices"
	"strings"
)

// Differences compares two tables as sets of rows, column by position, and returns up to five differences as
// sentences; none means that they hold the same values.
func Differences(want, got *Table) []string {
	var out []string
	if len(want.Columns) != len(got.Columns) {
		return []string{fmt.Sprintf("the columns are %v, wanted %v", got.Names(), want.Names())}
	}
	for i := range want.Columns {
		if !strings.EqualFold(want.Columns[i][0], got.Columns[i][0]) {
			out = append(out, fmt.Sprintf("column %d is %q, wanted %q", i, got.Columns[i][0], want.Columns[i][0]))
		}
	}
	if len(want.Rows) != len(got.Rows) {
		out = append(out, fmt.Sprintf("there are %d rows, wanted %d", len(got.Rows), len(want.Rows)))
	}
	counts := map[string]int{}
	for _, row := range want.Rows {
		counts[text(row)]++
	}
	for _, row := range got.Rows {
		counts[text(row)]--
	}
	var rows []string
	for row, n := range counts {
		switch {
		case n > 0:
			rows = append(rows, "missing: "+row)
		case n < 0:
			rows = append(rows, "too many: "+row)
		}
	}
	slices.Sort(rows)
	out = append(out, rows...)
	return out[:min(len(out), 5)]
}

func text(row []*string) string {
	parts := make([]string, len(row))
	for i, value := range row {
		if value == nil {
			parts[i] = "NULL"
		} else {
			parts[i] = fmt.Sprintf("%q", *value)
		}
	}
	return strings.Join(parts, " | ")
}
