package spec

import (
	"fmt"
	"strings"

	"golang.org/x/mod/semver"
)

// releases maps a version of documents to the first release that reads it.
var releases = map[int]string{1: "0.1.0"}

// OlderEngineError says that a source table needs a newer engine than its cadence's job carries.
type OlderEngineError struct {
	Table, Cadence string
	// Needs is the first release that reads the table's document, Has the one that the job carries.
	Needs, Has string
}

func (e *OlderEngineError) Error() string {
	return fmt.Sprintf("the source table %q needs engine %s or later and the job of its cadence %q carries %s: apply the cadence with this provider first", e.Table, e.Needs, e.Cadence, e.Has)
}

// CheckEngine returns an OlderEngineError where an engine of this version cannot read the table's document, whose
// version is the lowest that can express it. A version that is no release, such as a developer's build, is let
// through: the engine itself refuses what it does not know.
func (t Table) CheckEngine(version string) error {
	return checkEngine(t.Name, t.Cadence, 1, version)
}

func checkEngine(table, cadence string, document int, version string) error {
	needs := releases[document]
	if !semver.IsValid(canonical(version)) || semver.Compare(canonical(version), canonical(needs)) >= 0 {
		return nil
	}
	return &OlderEngineError{Table: table, Cadence: cadence, Needs: needs, Has: version}
}

func canonical(version string) string { return "v" + strings.TrimPrefix(version, "v") }
