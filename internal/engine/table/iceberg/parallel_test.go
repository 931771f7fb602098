package iceberg

import (
	"context"
	"strings"
	"testing"
)

// A panic over what stands in a manifest is an error of that table.
func TestPanicsAreErrors(t *testing.T) {
	t.Parallel()
	err := inParallel(t.Context(), 20, 4, func(_ context.Context, i int) error {
		var none []int
		none[i]++
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "please report this") {
		t.Error(err)
	}
}
