package glue

import (
	"context"
	"fmt"
	"maps"
	"time"
)

// Run is a job run as the sandbox knows it.
type Run struct {
	Account, Region string
	JobName, ID     string
	// State is Glue's JobRunState.
	State string
	// TriggerName is the trigger that started the run, or "".
	TriggerName string
	// Attempt counts retries from 0; PreviousID is the run that this one retries, or "".
	Attempt    int
	PreviousID string
	// Arguments are what the script got: the job's defaults, overridden by the run's.
	Arguments    map[string]string
	ErrorMessage string
	StartedOn    time.Time
	// CompletedOn is zero until the run is over.
	CompletedOn time.Time
}

// Runs returns all runs of all accounts and Regions, also those of deleted jobs, in the order
// in which they were accepted.
func (s *Server) Runs() []Run {
	s.mu.Lock()
	defer s.mu.Unlock()
	runs := make([]Run, 0, len(s.runOrder))
	for _, r := range s.runOrder {
		runs = append(runs, r.public())
	}
	return runs
}

// WaitRun waits until the run is over, its process gone and its directory removed, and returns
// it. It returns an error when there is no such run or when ctx ends first; then the Run is how
// it stood at that moment.
func (s *Server) WaitRun(ctx context.Context, runID string) (Run, error) {
	s.mu.Lock()
	r := s.runs[runID]
	s.mu.Unlock()
	if r == nil {
		return Run{}, fmt.Errorf("glue sandbox: no job run %s", runID)
	}
	var err error
	select {
	case <-r.done:
	case <-ctx.Done():
		err = fmt.Errorf("glue sandbox: wait for job run %s: %w", runID, ctx.Err())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return r.public(), err
}

// WaitIdle waits until no run is active or waiting, which includes runs that other runs start
// in the meantime. It returns an error when ctx ends first.
func (s *Server) WaitIdle(ctx context.Context) error {
	for {
		r := s.unfinished()
		if r == nil {
			return nil
		}
		select {
		case <-r.done:
		case <-ctx.Done():
			return fmt.Errorf("glue sandbox: wait for job run %s of %s: %w", r.ID, r.JobName, ctx.Err())
		}
	}
}

func (s *Server) unfinished() *run {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.runOrder {
		if !r.isOver() {
			return r
		}
	}
	return nil
}

// RunLog returns the last Options.LogLimit bytes of a run's output streams so far; an output
// that was longer begins with "[...]". Of an unknown run both are empty.
func (s *Server) RunLog(runID string) (stdout, stderr string) {
	s.mu.Lock()
	r := s.runs[runID]
	s.mu.Unlock()
	if r == nil {
		return "", ""
	}
	return r.log.stdout.text(), r.log.stderr.text()
}

// Firing is one action of one firing of a trigger.
type Firing struct {
	Account, Region string
	Trigger         string
	// Due is the time that the schedule asked for, or that of StartTrigger.
	Due time.Time
	// JobName is the job that the action names.
	JobName string
	// RunID is the run that was started, or "".
	RunID string
	// Code is the error code that the start was refused with, such as
	// "ConcurrentRunsExceededException", or "". A refusal for that reason leaves a FAILED run, which
	// RunID names.
	Code string
}

// Firings returns what triggers have done, in order.
func (s *Server) Firings() []Firing {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Firing(nil), s.firings...)
}

// public returns a copy for the outside. mu is held.
func (r *run) public() Run {
	out := Run{
		Account:      r.account,
		Region:       r.region,
		JobName:      r.JobName,
		ID:           r.ID,
		State:        r.JobRunState,
		TriggerName:  deref(r.TriggerName),
		Attempt:      int(r.Attempt),
		PreviousID:   deref(r.PreviousRunID),
		Arguments:    maps.Clone(r.arguments()),
		ErrorMessage: deref(r.ErrorMessage),
		StartedOn:    r.StartedOn.Time,
	}
	if r.CompletedOn != nil {
		out.CompletedOn = r.CompletedOn.Time
	}
	return out
}
