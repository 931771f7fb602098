package provider_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"

	"github.com/lakeland/terraform-provider-lakeland/internal/sandbox"
)

// wire stands between a provider and AWS and counts the calls that pass. It can be cut behind a call, as when the
// provider is killed there, or lose single answers.
type wire struct {
	endpoints sandbox.Endpoints
	mu        sync.Mutex
	calls     []string
	// cutAfter is the number of calls that pass before nothing passes any more, or -1; onCut is called then.
	cutAfter int
	onCut    func()
	// loseAnswer is the number of the call whose answer is lost, or -1.
	loseAnswer int
}

func newWire(t *testing.T, to sandbox.Endpoints) *wire {
	t.Helper()
	w := &wire{cutAfter: -1, loseAnswer: -1}
	stand := func(address string) string {
		target, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		proxy := &httputil.ReverseProxy{
			// The host stays the one that was signed.
			Rewrite: func(r *httputil.ProxyRequest) {
				r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = target.Scheme, target.Host, r.In.Host
			},
			ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
		}
		s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			number, passes := w.next(r)
			if !passes {
				panic(http.ErrAbortHandler)
			}
			if w.loses(number) {
				recorder := httptest.NewRecorder()
				proxy.ServeHTTP(recorder, r)
				panic(http.ErrAbortHandler)
			}
			proxy.ServeHTTP(rw, r)
		}))
		t.Cleanup(s.Close)
		return s.URL
	}
	w.endpoints = sandbox.Endpoints{Glue: stand(to.Glue), S3: stand(to.S3), Default: stand(to.Default)}
	return w
}

func (w *wire) next(r *http.Request) (number int, passes bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	number = len(w.calls)
	name := r.Header.Get("X-Amz-Target")
	if name == "" {
		name = r.Method + " " + r.URL.Path
	}
	w.calls = append(w.calls, name)
	passes = w.cutAfter < 0 || number < w.cutAfter
	if !passes && w.onCut != nil {
		w.onCut()
	}
	return number, passes
}

func (w *wire) loses(number int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return number == w.loseAnswer
}

// reset counts from here on, with one fault.
func (w *wire) reset(cutAfter, loseAnswer int, onCut func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls, w.cutAfter, w.loseAnswer, w.onCut = nil, cutAfter, loseAnswer, onCut
}

func (w *wire) passed() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.calls...)
}

// change is one operation on one thing, whose calls are counted alone.
type change struct {
	resource string
	to       config
}

// disturbed carries out a change through a wire with a fault. A killed provider leaves the state as it was; one that
// lost an answer hands over its own. It returns how many calls were made, and what went wrong.
func (w *world) disturbed(line *wire, c change, cutAfter, loseAnswer int) (calls []string, wrong []string) {
	w.t.Helper()
	line.reset(-1, -1, nil)
	w.via = line.endpoints
	defer func() { w.via = w.endpoints }()
	s := w.process()
	p, problems := w.planWith(s, c.resource, c.to)
	if len(problems) > 0 {
		w.t.Fatalf("planning %s: %q", c.resource, problems)
	}
	ctx, kill := context.WithCancel(w.t.Context())
	defer kill()
	line.reset(cutAfter, loseAnswer, kill)
	state, wrong, _ := s.during(ctx).carryOut(c.resource, p)
	calls = line.passed()
	killed := cutAfter >= 0 && len(calls) >= cutAfter // also when all calls passed: the core dies before it records them
	line.reset(-1, -1, nil)
	switch {
	case killed:
		return calls, append(wrong, "killed")
	case state.IsNull():
		delete(w.states, c.resource)
	default:
		w.states[c.resource] = state
	}
	return calls, wrong
}
