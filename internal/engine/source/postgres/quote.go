package postgres

import (
	"strings"

	"github.com/jackc/pgx/v5"
)

// quoted is a name that no text can escape from.
func quoted(parts ...string) string { return pgx.Identifier(parts).Sanitize() }

// quoteLiteral is a string constant that no text can escape from, whatever standard_conforming_strings says.
func quoteLiteral(text string) string {
	out := "'" + strings.ReplaceAll(text, "'", "''") + "'"
	if strings.Contains(text, `\`) {
		return " E" + strings.ReplaceAll(out, `\`, `\\`)
	}
	return out
}
