package postgres

import "strings"

// quoted is a name that no text can escape from.
func quoted(parts ...string) string {
	for i, part := range parts {
		parts[i] = `"` + strings.ReplaceAll(strings.ReplaceAll(part, "\x00", ""), `"`, `""`) + `"`
	}
	return strings.Join(parts, ".")
}

// quoteLiteral is a string constant that no text can escape from, whatever standard_conforming_strings says.
func quoteLiteral(text string) string {
	out := "'" + strings.ReplaceAll(text, "'", "''") + "'"
	if strings.Contains(text, `\`) {
		return " E" + strings.ReplaceAll(out, `\`, `\\`)
	}
	return out
}
