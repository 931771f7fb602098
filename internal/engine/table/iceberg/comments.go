package iceberg

import (
	"strings"
	"unicode/utf16"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

// commentProperty is where Spark and Trino keep a table's comment.
const commentProperty = "comment"

// What the Glue catalogue holds of comments, in UTF-16 units (API reference, "Column": CommentString; "TableInput":
// DescriptionString).
const (
	columnComment    = 255
	tableDescription = 2048
)

// shortened is a comment as the catalogue takes it: without control characters but tabs and, where lines may be, line
// breaks, and cut where it is too long.
func shortened(comment string, most int, lines bool) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || lines && (r == '\n' || r == '\r'):
			return r
		case r < 0x20 || r == 0xFFFE || r == 0xFFFF:
			return ' '
		default:
			return r
		}
	}, comment)
	units, cut := 0, len(clean)
	for at, r := range clean {
		units += utf16.RuneLen(r)
		if units <= most-1 {
			continue
		}
		cut = min(cut, at)
		if units > most {
			return clean[:cut] + "…"
		}
	}
	return clean
}

// setComment gives the table its source's comment. One that somebody else gave it stays where the source has none and
// never had one.
func setComment(m *metadata, before, now schema.Table) {
	switch {
	case now.Comment != "":
		m.Properties[commentProperty] = now.Comment
	case before.Comment != "" && m.Properties[commentProperty] == before.Comment:
		delete(m.Properties, commentProperty)
	}
}

// description is the catalogue's, by the same rule.
func description(current string, before, now schema.Table) string {
	switch {
	case now.Comment != "":
		return shortened(now.Comment, tableDescription, true)
	case before.Comment != "" && current == shortened(before.Comment, tableDescription, true):
		return ""
	default:
		return current
	}
}
