package guard_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/guard"
)

// What panics is an error with the place of the panic in it; what does not is left as it is.
func TestCall(t *testing.T) {
	t.Parallel()
	var none []int
	if err := guard.Call(func() error { return errors.New(string(rune(none[3]))) }); err == nil || !strings.Contains(err.Error(), "index out of range [3]") || !strings.Contains(err.Error(), "guard_test.go:") {
		t.Errorf("a panic: %v", err)
	}
	own := errors.New("its own")
	if err := guard.Call(func() error { return own }); err != own { //nolint:errorlint // the very one
		t.Errorf("an error: %v", err)
	}
	if err := guard.Call(func() error { return nil }); err != nil {
		t.Errorf("no error: %v", err)
	}
}
