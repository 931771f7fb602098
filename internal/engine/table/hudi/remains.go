package hudi

import (
	"strings"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// Own reports whether an object may be of a first run that died, by its key below the table's prefix: what this engine keeps beside
// the timeline, and where it began the table, all that such a run writes. Of a table that has commits it says nothing.
func (t *Table) Own(head *table.Head, key string) bool {
	if strings.HasPrefix(key, lakeFolder) {
		return true
	}
	on, err := baseOf(head)
	if err != nil || on.properties[propertyID] == "" {
		return false
	}
	folder, name := path(key)
	if strings.HasPrefix(key, hoodieFolder) || name == partitionNote {
		return true
	}
	_, ok := sliceOf(strings.TrimSuffix(folder, "/"), name)
	return ok
}
