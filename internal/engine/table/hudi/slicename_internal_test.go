package hudi

import (
	"regexp"
	"testing"

	"pgregory.net/rapid"
)

// sliceName is the form of data files' names.
var sliceName = regexp.MustCompile(`^(.+)_(\d+-\d+-\d+)_(\d{14,17})\.parquet$`)

// Names of data files are read as the form says.
func TestNamesOfDataFiles(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.OneOf(
			rapid.StringMatching(`[a-f_0-9-]{0,9}_?[0-9]{0,2}-[0-9]{0,2}-?[0-9]{0,2}_?[0-9]{13,18}(\.parquet|\.parquet\.crc|)`),
			rapid.StringMatching(`.{0,3}_[0-9]{1,2}-[0-9]{1,2}-[0-9]{1,2}_[0-9]{14,17}\.parquet`),
		).Draw(t, "name")
		s, ok := sliceOf("a=1/b", name)
		m := sliceName.FindStringSubmatch(name)
		if ok != (m != nil) {
			t.Fatalf("%q is taken for a data file: %v", name, ok)
		}
		if ok && (s.fileID != m[1] || string(s.instant) != m[3] || s.key != "a=1/b/"+name || s.partition != "a=1/b") {
			t.Fatalf("%q is %+v, want the group %q of the instant %s", name, *s, m[1], m[3])
		}
	})
}
