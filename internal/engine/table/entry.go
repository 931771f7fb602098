package table

import (
	"fmt"
	"strings"
	"unicode/utf16"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

// What the Glue catalogue holds of comments, in UTF-16 units (API reference, "Column": CommentString; "TableInput":
// DescriptionString).
const (
	columnComment    = 255
	tableDescription = 2048
)

// GlueType is how Athena and Hive spell a type, and so the Glue catalogue. Hive's timestamp is an instant or not, as its
// reader takes it.
func GlueType(t schema.Type) string {
	switch t.ID {
	case schema.Long:
		return "bigint"
	case schema.Decimal:
		return fmt.Sprintf("decimal(%d,%d)", t.Precision, t.Scale)
	case schema.TimestampTZ:
		return "timestamp"
	default:
		return string(t.ID)
	}
}

// ColumnComment is a column's comment as the catalogue takes it: in one line, and cut where it is too long.
func ColumnComment(comment string) string { return shortened(comment, columnComment, false) }

// Description is an entry's: the comment of the source table. One that somebody else gave it stays where the source has
// none and never had one.
func Description(current string, before, now schema.Table) string {
	switch {
	case now.Comment != "":
		return shortened(now.Comment, tableDescription, true)
	case before.Comment != "" && current == shortened(before.Comment, tableDescription, true):
		return ""
	default:
		return current
	}
}

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
