package interop_test

import (
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/lakeland/terraform-provider-lakeland/internal/awsclient"
	"github.com/lakeland/terraform-provider-lakeland/internal/spec"
	"github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

// death ends a worker at its first call of an operation: what Glue or DynamoDB call it, or S3's method and the bucket's and
// the object's names. A worker that is dead gets a refusal for every call, so that nothing it still does takes effect.
type death struct {
	next      http.RoundTripper
	operation *regexp.Regexp
	// behind says that the call takes effect.
	behind bool

	mu   sync.Mutex
	dead bool
}

// RoundTrip implements http.RoundTripper.
func (d *death) RoundTrip(r *http.Request) (*http.Response, error) {
	_, operation, isJSON := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if !isJSON {
		operation = r.Method + " " + r.URL.Path
	}
	d.mu.Lock()
	dies := !d.dead && d.operation.MatchString(operation)
	before := d.dead || dies && !d.behind
	d.dead = d.dead || dies
	d.mu.Unlock()
	if !before {
		reply, err := d.next.RoundTrip(r)
		if err != nil || !dies {
			return reply, err
		}
		_, _ = io.Copy(io.Discard, reply.Body)
		_ = reply.Body.Close()
	}
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body)
		_ = r.Body.Close()
	}
	const body = `{"__type":"Killed","message":"made by a test"}`
	return &http.Response{
		Status: http.StatusText(http.StatusForbidden), StatusCode: http.StatusForbidden, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{},
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}, nil
}

// killed runs the table by a worker that dies before its first call of an operation, a regular expression, or behind it.
func (x *stage) killed(operation string, behind bool) {
	x.t.Helper()
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // it is
	defer transport.CloseIdleConnections()
	d := &death{next: transport, operation: regexp.MustCompile(operation), behind: behind}
	config := x.sb.AWSConfig()
	config.HTTPClient = &http.Client{Transport: d}
	clock := &tracking.Clock{}
	other := &lake{t: x.t, sb: x.sb, db: x.db, bucket: x.bucket, database: x.database}
	other.clients = awsclient.New(config, awsclient.Options{PathStyle: true, OnDate: clock.Observe})
	other.tracking = tracking.New(other.clients.DynamoDB, x.tracking.Tracking(), clock, tracking.ErrorClasses{Unknown: awsclient.Unknown, Throttled: awsclient.Throttled})
	x.must(other.tracking.CheckLayout(x.t.Context()))
	if out := other.runner().Table(x.t.Context(), "shop.t"); out.Err == nil || !d.dead {
		x.t.Fatalf("%s: the worker lived: %v", x.step, out.Err)
	}
}

// outlive runs the table as soon as the lease of a dead worker is over.
func (x *stage) outlive() {
	x.t.Helper()
	for began := time.Now(); ; time.Sleep(time.Second) {
		out := x.runner().Table(x.t.Context(), "shop.t")
		var held *tracking.HeldError
		if !errors.As(out.Err, &held) {
			x.must(out.Err)
			return
		}
		if time.Since(began) > time.Minute {
			x.t.Fatalf("%s: %v", x.step, out.Err)
		}
	}
}

// mortal is a table whose workers die.
type mortal struct {
	scenario
	// commit is the operation that commits.
	commit string
	// holds is what the table must hold behind a commit of all changes.
	holds string
	// committed, when set, tells the model of a commit.
	committed func(x *stage)
}

// workersDie: a worker that dies before its files are written, before the commit or behind it leaves the old table or the
// new one to all readers, and the next run ends well.
func workersDie(m mortal) scenario {
	m.name, m.least = "workers die, "+m.name, usual
	committed := func(x *stage) {
		if m.committed != nil {
			m.committed(x)
		}
	}
	dies := func(x *stage, operation string, behind bool) {
		x.sql(`DROP TABLE IF EXISTS old`, `CREATE TABLE old AS `+m.holds)
		x.sql(`UPDATE t SET n = n + 1, name = 'changed', seen = seen + interval '1 hour' WHERE id % 40 = 3`, `INSERT INTO t SELECT max(id) + 1, 'new', max(seen) FROM t`)
		x.killed(operation, behind)
	}
	next := func(x *stage) { x.outlive(); committed(x) }
	m.steps = []step{
		{name: "landed", do: func(x *stage) { x.run(); committed(x) }, want: m.holds},
		{name: "killed before a file is there", do: func(x *stage) { dies(x, "PUT /"+x.bucket+"/raw/t/", false) }, want: `SELECT * FROM old`},
		{name: "landed behind the first", do: next, want: m.holds},
		{name: "killed before the commit", do: func(x *stage) { dies(x, m.commit, false) }, want: `SELECT * FROM old`, end: true},
		{name: "landed behind the second", do: next, want: m.holds},
		{name: "killed behind the commit", do: func(x *stage) { dies(x, m.commit, true); committed(x) }, want: m.holds, end: true},
		{name: "landed behind the third", do: func(x *stage) { x.outlive() }, want: m.holds, end: true},
	}
	return m.scenario
}

// mortals are the tables whose workers die, one for each way to commit.
func mortals() []scenario {
	seen := []string{
		`CREATE TABLE t (id bigint PRIMARY KEY, name text, seen timestamptz NOT NULL, n int)`,
		`INSERT INTO t SELECT i, 'good ' || i, timestamptz '2026-01-01Z' + i * interval '1 hour', i FROM generate_series(1, 200) i`,
	}
	return []scenario{
		workersDie(mortal{
			scenario: scenario{name: "merging on read", setup: modelled(seen[0], seen[1]), document: incremental(func(s *spec.Table) { s.WriteMode = "merge_on_read" })},
			commit:   "UpdateTable", holds: shown,
		}),
		workersDie(mortal{
			scenario: scenario{name: "merging into files", setup: modelled(seen[0], seen[1]), document: incremental(func(s *spec.Table) { s.WriteMode = "copy_on_write" })},
			commit:   "UpdateTable", holds: shown,
		}),
		workersDie(mortal{scenario: scenario{name: "replacing all rows", setup: seen}, commit: "UpdateTable", holds: `SELECT * FROM t`}),
		workersDie(mortal{
			scenario: scenario{name: "flipping plain files", setup: seen, document: func(s *spec.Table) { s.Target.Format = "parquet" }},
			commit:   "UpdateTable", holds: `SELECT * FROM t`,
		}),
		workersDie(mortal{
			scenario: scenario{
				name: "adding batches", setup: versions(`ADD COLUMN _lk_batch bigint`),
				document: incremental(func(s *spec.Table) { s.Target.Format, s.StorageMode, s.Ordering = "parquet", "historical", "seen" }),
			},
			commit: "CreatePartition", holds: batched, committed: numberBatch,
		}),
	}
}
