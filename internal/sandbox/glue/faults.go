package glue

import (
	"net/http"
	"time"
)

// FaultKind is what a Fault does to a call.
type FaultKind int

// The kinds of faults.
const (
	// LostResponse lets the call take effect and then cuts the connection without an answer.
	LostResponse FaultKind = iota + 1
	// Throttle answers ThrottlingException (400) without effect.
	Throttle
	// Conflict answers ConcurrentModificationException (400) without effect.
	Conflict
	// InternalError answers InternalServiceException (500) without effect.
	InternalError
	// Error answers with the Fault's Code, Status and Message, without effect.
	Error
	// Delay waits for the Fault's Delay before the call takes effect.
	Delay
)

func (k FaultKind) String() string {
	switch k {
	case LostResponse:
		return "lost response"
	case Throttle:
		return "throttle"
	case Conflict:
		return "conflict"
	case InternalError:
		return "internal error"
	case Error:
		return "error"
	case Delay:
		return "delay"
	default:
		return ""
	}
}

// Always is the Count of a Fault that never runs out.
const Always = -1

// Fault is a disturbance of calls that match it.
type Fault struct {
	// Operation is the name of the operation, such as "UpdateTable"; "*" matches all.
	Operation string
	// Kind is what happens.
	Kind FaultKind
	// Skip is how many matching calls are let through before the fault begins: k-1 to disturb
	// the k-th and later ones.
	Skip int
	// Count is how many matching calls are disturbed from there on; 0 means 1, Always means all.
	Count int
	// Code, Status and Message are the answer of kind Error. Status 0 is 400.
	Code    string
	Status  int
	Message string
	// Delay is how long kind Delay waits, in wall time.
	Delay time.Duration
}

// Inject adds a fault. Where several match a call, the one injected first that is due takes
// the call; each of those before it counts the call as skipped. Only authenticated calls count.
func (s *Server) Inject(f Fault) {
	if f.Count == 0 {
		f.Count = 1
	}
	s.faultsMu.Lock()
	defer s.faultsMu.Unlock()
	s.faults = append(s.faults, &f)
}

// ClearFaults removes all faults.
func (s *Server) ClearFaults() {
	s.faultsMu.Lock()
	defer s.faultsMu.Unlock()
	s.faults = nil
}

// takeFault returns the fault that the next call of the operation meets, or nil, and counts
// the call.
func (s *Server) takeFault(operation string) *Fault {
	s.faultsMu.Lock()
	defer s.faultsMu.Unlock()
	for _, f := range s.faults {
		switch {
		case f.Count == 0 || (f.Operation != "*" && f.Operation != operation):
		case f.Skip > 0:
			f.Skip--
		default:
			if f.Count > 0 {
				f.Count--
			}
			taken := *f
			return &taken
		}
	}
	return nil
}

// refusal returns the error that the fault answers with, or nil when it lets the call happen.
func (f *Fault) refusal() *apiError {
	switch f.Kind {
	case Throttle:
		return newError(codeThrottling, http.StatusBadRequest, "Rate exceeded")
	case Conflict:
		return newError(codeConcurrentModification, http.StatusBadRequest, "injected: concurrent modification")
	case InternalError:
		return newError(codeInternalService, http.StatusInternalServerError, "injected: internal service error")
	case Error:
		status := f.Status
		if status == 0 {
			status = http.StatusBadRequest
		}
		return &apiError{code: f.Code, status: status, message: f.Message}
	default:
		return nil
	}
}

// Call is the record of one call that reached the server.
type Call struct {
	// Operation is the name after "AWSGlue." in X-Amz-Target, or that header as it was.
	Operation string
	// Time is when the call came in, on the server's clock.
	Time time.Time
	// Account and Region are those of the signature, empty when it was refused.
	Account, Region string
	// Request is a copy of the request's body.
	Request []byte
	// Status is the HTTP status; 0 when the answer was dropped.
	Status int
	// Code is the error code of the answer, or "" for success. Of a call whose answer was
	// dropped it is the code of what the call did.
	Code string
	// Fault is the fault that the call met, or zero.
	Fault FaultKind
}

// Calls returns the latest calls, oldest first, in the order in which they were answered;
// Options.CallHistory bounds them.
func (s *Server) Calls() []Call {
	s.callsMu.Lock()
	defer s.callsMu.Unlock()
	return append([]Call(nil), s.calls[max(0, len(s.calls)-s.opts.CallHistory):]...)
}

// record remembers a call. The slice may grow to twice the history, so that trimming is rare.
func (s *Server) record(c Call) {
	s.callsMu.Lock()
	defer s.callsMu.Unlock()
	s.calls = append(s.calls, c)
	if n := s.opts.CallHistory; len(s.calls) >= 2*n {
		s.calls = append([]Call(nil), s.calls[len(s.calls)-n:]...)
	}
}
