package merge

import (
	"context"
	"strings"
	"testing"
)

// A panic of a goroutine that merges is an error of that merge, and ends the others.
func TestPanicsAreErrors(t *testing.T) {
	t.Parallel()
	w := &work{Merge: &Merge{Parallel: 3}}
	err := w.each(t.Context(), 100, func(ctx context.Context, i int) error {
		if i == 2 {
			var none []int
			none[i]++
		}
		<-ctx.Done()
		return context.Cause(ctx)
	})
	if err == nil || !strings.Contains(err.Error(), "please report this") {
		t.Error(err)
	}
}
