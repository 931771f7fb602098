package glue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	targetPrefix = "AWSGlue."
	contentType  = "application/x-amz-json-1.1"
	// maxBody bounds a request's body, in bytes; far above what Glue accepts.
	maxBody = 32 << 20
)

// Server is a running sandbox. All methods are safe for concurrent use.
type Server struct {
	opts  Options
	model *model
	ops   map[string]operation
	http  *http.Server
	url   string

	// ctx ends when Close begins; whatever waits, waits on it too.
	ctx    context.Context
	cancel context.CancelFunc
	// active counts handlers, runs and due timer calls; Close waits for it. Once the server is
	// closed nothing is added: enter refuses, and no run is launched.
	active sync.WaitGroup

	closeOnce sync.Once
	closeErr  error

	// mu makes every operation atomic: a handler holds it from reading state until its answer
	// is encoded, and so does every change of a run or a trigger.
	mu         sync.Mutex
	closed     bool
	regions    map[scope]*region
	runs       map[string]*run // by run id, of all scopes
	runOrder   []*run          // in the order in which they were accepted
	firings    []Firing
	violations []string
	leftovers  []error // what could not be cleaned up

	faultsMu sync.Mutex
	faults   []*Fault

	callsMu  sync.Mutex
	calls    []Call
	requests int

	output *lineWriter
}

// region is the state of one account in one Region.
type region struct {
	scope
	jobs        map[string]*job
	triggers    map[string]*trigger
	connections map[string]*connection
	databases   map[string]*database
	tags        map[string]map[string]string // by resource, such as "job/nightly"
}

// New starts a server on a free port of 127.0.0.1. Close it when it is no longer needed.
func New(opts Options) (*Server, error) {
	m, err := loadModel()
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen on the loopback interface: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{
		opts:    opts.filled(),
		model:   m,
		ops:     operations(),
		url:     "http://" + listener.Addr().String(),
		ctx:     ctx,
		cancel:  cancel,
		regions: map[scope]*region{},
		runs:    map[string]*run{},
		output:  &lineWriter{w: opts.Output},
	}
	s.http = &http.Server{
		Handler:           http.HandlerFunc(s.serve),
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0),
	}
	s.active.Go(func() {
		// Serve returns ErrServerClosed after Close, and nothing else while the listener lives.
		_ = s.http.Serve(listener)
	})
	return s, nil
}

// URL returns the server's base URL, to be used as the endpoint of Glue clients.
func (s *Server) URL() string { return s.url }

// Close stops the server: it takes no more calls, fires no more triggers, kills all runs (their
// state becomes STOPPED) and removes their directories. It returns when no process, no directory
// and no goroutine of the server is left; an error names what could not be removed. Only a process
// that a script has moved to a process group of its own escapes. Further calls do nothing and return
// the same error. It must not be called from a call that a ManualClock makes.
func (s *Server) Close() error {
	s.closeOnce.Do(func() {
		s.mu.Lock()
		s.closed = true
		for _, r := range s.regions {
			for _, t := range r.triggers {
				t.disarm()
			}
		}
		for _, r := range s.runOrder {
			if r.JobRunState == runWaiting {
				s.end(r, runStopped, "")
			}
		}
		s.mu.Unlock()
		s.cancel()
		err := s.http.Close()
		s.active.Wait()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.closeErr = errors.Join(append([]error{err}, s.leftovers...)...)
	})
	return s.closeErr
}

// Violations returns the replies that did not fit the service model, and errors that the model
// does not list for their operation. Each is a bug of this package; tests expect none.
func (s *Server) Violations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.violations...)
}

// enter counts the caller as active and reports whether the server is open; the caller then
// ends with active.Done.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.active.Add(1)
	return true
}

// regionOf returns the state of the scope. mu is held.
func (s *Server) regionOf(at scope) *region {
	r := s.regions[at]
	if r == nil {
		r = &region{
			scope:       at,
			jobs:        map[string]*job{},
			triggers:    map[string]*trigger{},
			connections: map[string]*connection{},
			databases:   map[string]*database{},
			tags:        map[string]map[string]string{},
		}
		s.regions[at] = r
	}
	return r
}

// reply is an answer on its way out.
type reply struct {
	status int
	code   string
	body   []byte
}

func errorReply(err *apiError) reply {
	// Encoding two strings cannot fail.
	body, _ := json.Marshal(struct {
		Type    string `json:"__type"`
		Message string
	}{err.code, err.message})
	return reply{status: err.status, code: err.code, body: body}
}

// serve answers one HTTP request.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if !s.enter() {
		http.Error(w, "the sandbox is closed", http.StatusServiceUnavailable)
		return
	}
	defer s.active.Done()

	record := Call{Operation: r.Header.Get("X-Amz-Target"), Time: s.opts.Clock.Now()}
	name, isGlue := strings.CutPrefix(record.Operation, targetPrefix)
	if isGlue {
		record.Operation = name
	}
	answer, cut := s.answer(w, r, &record, isGlue)
	record.Code = answer.code
	if !cut {
		record.Status = answer.status
	}
	s.record(record)
	if cut && dropConnection(w) {
		return
	}
	header := w.Header()
	header.Set("Content-Type", contentType)
	header.Set("X-Amzn-Requestid", s.requestID())
	if answer.code != "" {
		header.Set("X-Amzn-Errortype", answer.code)
	}
	w.WriteHeader(answer.status)
	// A client that has gone away is no concern of the server's.
	_, _ = w.Write(answer.body)
}

// answer works out the reply to a request, and whether the connection is to be cut instead of
// sending it. It fills in record as it learns.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, record *Call, isGlue bool) (reply, bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return errorReply(newError(codeRequestTooLarge, http.StatusRequestEntityTooLarge,
			"the request's body could not be read: %v", err)), false
	}
	record.Request = body
	at, refused := s.authenticate(r, body)
	if refused != nil {
		return errorReply(refused), false
	}
	record.Account, record.Region = at.account, at.region
	if !isGlue || r.Method != http.MethodPost {
		return errorReply(unknownOperation(record.Operation)), false
	}
	fault := s.takeFault(record.Operation)
	if fault != nil {
		record.Fault = fault.Kind
		if fault.Kind == Delay && !s.pause(r.Context(), fault.Delay) {
			return errorReply(newError(codeInternalService, http.StatusServiceUnavailable, "the call was given up")), true
		}
		if refusal := fault.refusal(); refusal != nil {
			return errorReply(refusal), false
		}
	}
	return s.invoke(record.Operation, at, body), fault != nil && fault.Kind == LostResponse
}

// pause waits for d and reports false when the client or the server went away first.
func (s *Server) pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	case <-s.ctx.Done():
		return false
	}
}

// dropConnection closes the connection under the response; it reports false when the
// transport cannot do that.
func dropConnection(w http.ResponseWriter) bool {
	hijacker, ok := w.(http.Hijacker)
	if !ok {
		return false
	}
	conn, _, err := hijacker.Hijack()
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

func (s *Server) requestID() string {
	s.callsMu.Lock()
	defer s.callsMu.Unlock()
	s.requests++
	return fmt.Sprintf("sandbox-%08d", s.requests)
}
