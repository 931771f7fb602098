package spec

import (
	"errors"
	"testing"
)

// Every version of documents names the release that first reads it, and an engine before that is refused.
func TestEnginesThatAreTooOldAreNamed(t *testing.T) {
	t.Parallel()
	for v := 1; v <= Version; v++ {
		if releases[v] == "" {
			t.Errorf("documents of version %d name no release", v)
		}
	}
	for version, refused := range map[string]bool{"0.1.0": false, "0.0.9": true, "0.1.0-rc.1": true, "v0.2.0": false, "1.0.0": false, "dev": false, "": false} {
		err := checkEngine("orders", "hourly", 1, version)
		var older *OlderEngineError
		if errors.As(err, &older) != refused {
			t.Errorf("%q: %v", version, err)
		}
	}
	want := `the source table "orders" needs engine 0.1.0 or later and the job of its cadence "hourly" carries 0.0.9: apply the cadence with this provider first`
	if err := (Table{Name: "orders", Cadence: "hourly"}).CheckEngine("0.0.9"); err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}
