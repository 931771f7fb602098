package run

import (
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/lakeland/terraform-provider-lakeland/internal/engine/table"
)

// A table is cleaned with the first commit of a quarter of a day, and orphans are looked for with the first of a day.
func TestWhenATableIsCleaned(t *testing.T) {
	t.Parallel()
	last := time.Date(2026, 11, 21, 17, 59, 0, 0, time.UTC)
	before := &table.Checkpoint{RunID: ulid.MustNew(ulid.Timestamp(last), nil).String()}
	for _, tc := range []struct {
		after          time.Duration
		clean, orphans bool
	}{{0, false, false}, {59 * time.Second, false, false}, {time.Minute, true, false}, {6 * time.Hour, true, false}, {361 * time.Minute, true, true}, {30 * time.Hour, true, true}} {
		if clean, orphans := due(before, last.Add(tc.after)); clean != tc.clean || orphans != tc.orphans {
			t.Errorf("%s later: %v, %v", tc.after, clean, orphans)
		}
	}
	if clean, orphans := due(nil, last); clean || orphans {
		t.Error("a table without a commit is cleaned")
	}
	if clean, orphans := due(&table.Checkpoint{RunID: "?"}, last); !clean || !orphans {
		t.Error("a commit of a run that is not known does not lead to a cleaning")
	}
}
