package iceberg_test

import (
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/catalog"
	"github.com/lakeland/terraform-provider-lakeland/internal/engine/store"
)

// readByOthers reads the ids of a table with other people's engines.
func readByOthers(t *testing.T, s store.Store, c catalog.Catalog, name string, want []int64) {
	t.Helper()
}
