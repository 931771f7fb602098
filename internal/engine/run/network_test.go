package run_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/lakeland/terraform-provider-lakeland/internal/awsclient"
	"github.com/lakeland/terraform-provider-lakeland/internal/tracking"
)

// harm is what happens to one AWS call.
type harm int

const (
	unharmed harm = iota
	// killedBefore ends the worker before the call: neither it nor any later one takes effect.
	killedBefore
	// killedAfter ends the worker when the call has taken effect.
	killedAfter
	// answerLost lets the call take effect and resets the connection.
	answerLost
	// answerCut lets the call take effect and ends the connection in the middle of the answer's body.
	answerCut
	// throttled is the service's own way of saying so, without effect.
	throttled
	// serverError is an internal error of the service, without effect.
	serverError
	// conflicted is what a service says to two writers at once, without effect.
	conflicted
)

func (h harm) String() string {
	return [...]string{"unharmed", "killed before", "killed after", "answer lost", "answer cut", "throttled", "server error", "conflicted"}[h]
}

func (h harm) kills() bool { return h == killedBefore || h == killedAfter }

// call is one AWS call of a worker.
type call struct {
	service, operation string
	// conditional calls are those that can meet another writer; they and a few others write.
	conditional, writes bool
	// part calls belong to an upload in parts.
	part bool
}

func (c call) String() string { return c.service + " " + c.operation }

// network carries the AWS calls of one worker. A worker that was killed gets a refusal for every call, so that
// nothing it does in its last moments takes effect, as with a process that is no more.
type network struct {
	next http.RoundTripper
	// ahead is how far the Date of DynamoDB's replies is set forward: what passes there while nobody waits.
	ahead *atomic.Int64
	// plan decides what happens to the n-th call, from 1 on. Renewals of a lease come by the clock and are not
	// counted.
	plan func(n int, c call) harm
	// behind, when set, is called when a write has taken effect, before its worker knows.
	behind func(c call)

	mu    sync.Mutex
	calls []call
	hurt  []string
	dead  bool
}

// RoundTrip implements http.RoundTripper.
func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	c, renewal, err := recognise(r)
	if err != nil {
		return nil, err
	}
	h := n.count(c, renewal)
	switch h {
	case killedBefore:
		return answer(r, c, http.StatusForbidden, "Killed"), nil
	case throttled:
		return throttle(r, c), nil
	case serverError:
		return answer(r, c, http.StatusInternalServerError, "InternalServerError"), nil
	case conflicted:
		return conflict(r, c), nil
	default:
	}
	reply, err := n.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if n.behind != nil && c.writes {
		n.behind(c)
	}
	switch h {
	case killedAfter:
		discard(reply)
		return answer(r, c, http.StatusForbidden, "Killed"), nil
	case answerLost:
		discard(reply)
		return nil, &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	case answerCut:
		reply.Body = &cut{ReadCloser: reply.Body}
	default:
	}
	if at, err := http.ParseTime(reply.Header.Get("Date")); err == nil && c.service == "DynamoDB" {
		reply.Header.Set("Date", at.Add(time.Duration(n.ahead.Load())).UTC().Format(http.TimeFormat))
	}
	return reply, nil
}

// count numbers a call and decides what happens to it.
func (n *network) count(c call, renewal bool) harm {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case n.dead:
		return killedBefore
	case renewal:
		return unharmed
	}
	n.calls = append(n.calls, c)
	if n.plan == nil {
		return unharmed
	}
	h := n.plan(len(n.calls), c)
	n.dead = h.kills()
	if h != unharmed {
		n.hurt = append(n.hurt, fmt.Sprintf("%s: call %d, %s", h, len(n.calls), c))
	}
	return h
}

// harms are the harms that were done.
func (n *network) harms() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.hurt
}

func recognise(r *http.Request) (c call, renewal bool, err error) {
	service, operation, isJSON := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if !isJSON {
		c = call{service: "S3", operation: r.Method, conditional: r.Header.Get("If-None-Match") != "" || r.Header.Get("If-Match") != ""}
		c.writes = r.Method != http.MethodGet && r.Method != http.MethodHead
		switch query := r.URL.Query(); {
		case query.Has("delete"):
			c.operation = "DELETE"
		case query.Has("uploads"), query.Has("uploadId"):
			c.operation, c.part = r.Method+" of an upload in parts", true
		}
		return c, false, nil
	}
	service, _, _ = strings.Cut(service, "_")
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return call{}, false, err
	}
	r.Body = io.NopCloser(bytes.NewReader(data))
	c = call{service: strings.TrimPrefix(service, "AWS"), operation: operation}
	switch operation {
	case "PutItem", "UpdateItem", "TransactWriteItems", "CreateTable", "UpdateTable", "CreatePartition":
		c.conditional, c.writes = true, true
	}
	return c, bytes.Contains(data, []byte(`"UpdateExpression":"SET lease_until = :until"`)), nil
}

// answer is a service's refusal.
func answer(r *http.Request, c call, status int, code string) *http.Response {
	body := fmt.Sprintf(`{"__type":%q,"message":"made by a test"}`, code)
	if c.service == "S3" {
		body = "<Error><Code>" + code + "</Code><Message>made by a test</Message></Error>"
	}
	if r.Method == http.MethodHead {
		body = ""
	}
	return reply(r, status, body)
}

func reply(r *http.Request, status int, body string) *http.Response {
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body)
		_ = r.Body.Close()
	}
	return &http.Response{
		Status: http.StatusText(status), StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{},
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}
}

func throttle(r *http.Request, c call) *http.Response {
	switch c.service {
	case "S3":
		return answer(r, c, http.StatusServiceUnavailable, "SlowDown")
	case "DynamoDB":
		return answer(r, c, http.StatusBadRequest, "ProvisionedThroughputExceededException")
	default:
		return answer(r, c, http.StatusBadRequest, "ThrottlingException")
	}
}

func conflict(r *http.Request, c call) *http.Response {
	switch {
	case c.service == "S3":
		return answer(r, c, http.StatusConflict, "ConditionalRequestConflict")
	case c.service == "Glue":
		return answer(r, c, http.StatusBadRequest, "ConcurrentModificationException")
	case c.operation == "TransactWriteItems":
		body, _ := json.Marshal(map[string]any{
			"__type": "TransactionCanceledException", "message": "made by a test",
			"CancellationReasons": []map[string]string{{"Code": "TransactionConflict"}, {"Code": "None"}},
		})
		return reply(r, http.StatusBadRequest, string(body))
	default:
		return answer(r, c, http.StatusBadRequest, "TransactionConflictException")
	}
}

func discard(r *http.Response) {
	_, _ = io.Copy(io.Discard, r.Body)
	_ = r.Body.Close()
}

// cut is a body that ends after its first byte, in the middle as HTTP sees it.
type cut struct {
	io.ReadCloser
	began bool
}

func (c *cut) Read(p []byte) (int, error) {
	if c.began || len(p) == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	c.began = true
	n, err := c.ReadCloser.Read(p[:1])
	if err == io.EOF && n == 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// workerOver is the lake as an engine of its own sees it: with clients and a clock that nobody else has, over a
// network that does harm by a plan.
func (l *lake) workerOver(plan func(n int, c call) harm) (*lake, *network) {
	l.t.Helper()
	transport := http.DefaultTransport.(*http.Transport).Clone()
	l.t.Cleanup(transport.CloseIdleConnections)
	n := &network{next: transport, ahead: &l.ahead, plan: plan}
	config := l.sb.AWSConfig()
	config.HTTPClient = &http.Client{Transport: n}
	config.Retryer = func() aws.Retryer { return awsclient.Retryer(10 * time.Millisecond) }
	clock := &tracking.Clock{}
	other := &lake{t: l.t, sb: l.sb, db: l.db, bucket: l.bucket, database: l.database, secret: l.secret, env: l.env}
	other.clients = awsclient.New(config, awsclient.Options{PathStyle: true, OnDate: clock.Observe})
	other.tracking = tracking.New(other.clients.DynamoDB, l.tracking.Tracking(), clock, tracking.ErrorClasses{Unknown: awsclient.Unknown, Throttled: awsclient.Throttled})
	return other, n
}
