package iceberg

import (
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/schema"
)

// commentProperty is where Spark and Trino keep a table's comment.
const commentProperty = "comment"

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
