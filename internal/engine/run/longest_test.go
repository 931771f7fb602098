package run_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
)

// A run with a cursor records the age of the oldest transaction that was open, by which a lookback can be judged; not where the
// server does not tell it, and not where it does not matter.
func TestLongestTransactionIsRecorded(t *testing.T) {
	t.Parallel()
	l := newLake(t, `CREATE TABLE numbers (id bigint PRIMARY KEY, name text, at timestamptz NOT NULL DEFAULT clock_timestamp(), id_seen bigint GENERATED ALWAYS AS IDENTITY)`,
		`INSERT INTO numbers VALUES (1, 'a')`)
	doc := func(name string, extract spec.Extract) {
		l.changing(name, extract, func(s *spec.Table) { s.Source.Database.Table = "numbers" })
	}
	for name, extract := range extracts {
		doc(name, extract)
	}
	before := time.Now()
	open, err := pgx.Connect(t.Context(), l.db.ConnString)
	l.must(err)
	defer func() { _ = open.Close(context.WithoutCancel(t.Context())) }()
	_, err = open.Exec(t.Context(), `BEGIN; INSERT INTO numbers VALUES (2, 'late')`)
	l.must(err)
	for name := range extracts {
		began := time.Now()
		_, ran := l.round(name)
		switch seconds := ran.LongestTransaction; {
		case name == "xmin" && seconds != nil:
			t.Errorf("%s says %g, which it does not ask for", name, *seconds)
		case name == "xmin":
		case seconds == nil:
			t.Errorf("%s does not say", name)
		case *seconds < began.Sub(before).Seconds()-1 || *seconds <= 0 || *seconds > time.Since(before).Seconds()+1:
			t.Errorf("%s says %g, and it is between %s and %s", name, *seconds, began.Sub(before), time.Since(before))
		}
	}
	_, err = open.Exec(t.Context(), `COMMIT`)
	l.must(err)
	role := l.role("sesame")
	if _, ran := l.round("lookback"); ran.LongestTransaction != nil || !strings.Contains(strings.Join(ran.Notes, "; "), "how long transactions stay open is not known") {
		t.Errorf("the role %s, which may not see others' transactions, says %v: %q", role, ran.LongestTransaction, ran.Notes)
	}
}
