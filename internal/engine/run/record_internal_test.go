package run

import (
	"strings"
	"testing"
)

// An item of the history is held within what DynamoDB takes, whatever a run has to say, such as the names of thousands of
// partitions that are gone.
func TestHistoryIsBounded(t *testing.T) {
	t.Parallel()
	a := &attempt{r: &Runner{}, notes: []string{"short", strings.Repeat("public.partition, ", 30_000)}}
	run := a.history(nil)
	if run.Notes[0] != "short" || len(run.Notes[1]) > 9<<10 || !strings.HasSuffix(run.Notes[1], " (cut)") {
		t.Errorf("the notes have %d and %d bytes", len(run.Notes[0]), len(run.Notes[1]))
	}
}
