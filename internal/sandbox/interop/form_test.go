package interop_test

import (
	"os"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
)

// form says how much is run.
type form int

const (
	short form = iota // make test: no Java
	usual             // make interop
	full              // make interop FULL=1
)

// chosen is the form that LAKELAND_INTEROP names.
func chosen(tb testing.TB) form {
	tb.Helper()
	switch value := os.Getenv("LAKELAND_INTEROP"); value {
	case "":
		return short
	case "usual":
		return usual
	case "full":
		return full
	default:
		tb.Fatalf("LAKELAND_INTEROP is %q: leave it unset, or set it to usual or full", value)
		return short
	}
}

func TestMain(m *testing.M) { sandbox.Main(m) }
