package glue

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	// maxScript bounds a job script, in bytes.
	maxScript = 16 << 20
	// errorLines and errorBytes bound what a run's ErrorMessage repeats of its stderr.
	errorLines = 10
	errorBytes = 2048

	scriptName = "script.py"
)

// Why a run is ended from outside; the cause of its context.
var (
	errRunStopped  = errors.New("the run was stopped")
	errRunTimedOut = errors.New("the run timed out")
)

// launch sets a run going in a goroutine of its own and starts its time-out, which is counted
// from here on the server's clock. mu is held.
func (s *Server) launch(r *run) {
	ctx, cancel := context.WithCancelCause(s.ctx)
	r.stop = cancel
	r.JobRunState = runStarting
	r.StateDetail = nil
	disarm := func() bool { return true }
	if r.Timeout != nil {
		limit := time.Duration(*r.Timeout) * time.Minute
		disarm = s.opts.Clock.AfterFunc(limit, func() { cancel(errRunTimedOut) })
	}
	s.active.Go(func() {
		defer cancel(nil)
		exitCode, err := s.execute(ctx, r)
		disarm()
		s.conclude(ctx, r, exitCode, err)
	})
}

// execute fetches the script, runs it and removes all traces. It returns the exit code, or an
// error when there was none.
func (s *Server) execute(ctx context.Context, r *run) (exitCode int, err error) {
	if command := r.definition.command(); command != commandPythonShell {
		return 0, fmt.Errorf("the sandbox runs Python shell jobs only and has no Spark or Ray for %s", command)
	}
	dir, err := os.MkdirTemp(s.opts.WorkDir, "glue-run-")
	if err != nil {
		return 0, fmt.Errorf("make the run's directory: %w", err)
	}
	defer s.removeDir(dir)
	for _, sub := range []string{"home", "tmp"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
			return 0, fmt.Errorf("make the run's directory: %w", err)
		}
	}
	if err := s.fetchScript(ctx, deref(r.definition.Command.ScriptLocation), filepath.Join(dir, scriptName)); err != nil {
		return 0, err
	}
	if !s.markRunning(r) {
		return 0, context.Cause(ctx)
	}
	return s.runScript(ctx, r, dir)
}

// fetchScript copies the object at location to a file.
func (s *Server) fetchScript(ctx context.Context, location, file string) error {
	if s.opts.Objects == nil {
		return fmt.Errorf("fetch script %s: the sandbox was given no object store", location)
	}
	path, isS3 := strings.CutPrefix(location, "s3://")
	bucket, key, _ := strings.Cut(path, "/")
	if !isS3 || bucket == "" || key == "" {
		return fmt.Errorf("script location %q is not of the form s3://bucket/key", location)
	}
	object, err := s.opts.Objects.Open(ctx, bucket, key)
	if err != nil {
		return fmt.Errorf("fetch script %s: %w", location, err)
	}
	defer func() { _ = object.Close() }() // read only: nothing is lost
	script, err := io.ReadAll(io.LimitReader(object, maxScript+1))
	if err != nil {
		return fmt.Errorf("fetch script %s: %w", location, err)
	}
	if len(script) > maxScript {
		return fmt.Errorf("fetch script %s: larger than %d bytes", location, maxScript)
	}
	if err := os.WriteFile(file, script, 0o600); err != nil {
		return fmt.Errorf("store script %s: %w", location, err)
	}
	return nil
}

// markRunning makes a starting run RUNNING; it reports false when the run is being stopped.
func (s *Server) markRunning(r *run) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.JobRunState != runStarting {
		return false
	}
	r.JobRunState = runRunning
	r.LastModifiedOn = timeOf(s.opts.Clock.Now())
	return true
}

// requestStop asks a run to end: one that waits is over at once, one that is active is
// signalled and becomes STOPPED when its process is gone. mu is held.
func (s *Server) requestStop(r *run, now time.Time) {
	switch {
	case r.JobRunState == runWaiting:
		s.end(r, runStopped, "")
	case r.isActive():
		r.JobRunState = runStopping
		r.LastModifiedOn = timeOf(now)
		r.stop(errRunStopped)
	}
}

// conclude gives a run its final state and lets others take its place.
func (s *Server) conclude(ctx context.Context, r *run, exitCode int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	cause := context.Cause(ctx)
	switch {
	case r.JobRunState == runStopping || (cause != nil && !errors.Is(cause, errRunTimedOut)):
		s.end(r, runStopped, "")
	case cause != nil:
		s.end(r, runTimeout, fmt.Sprintf("The job run exceeded its timeout of %d minutes", deref(r.Timeout)))
	case err != nil:
		s.end(r, runFailed, err.Error())
	case exitCode != 0:
		s.end(r, runFailed, failureMessage(exitCode, r.log.stderr.text()))
	default:
		s.end(r, runSucceeded, "")
	}
	s.retry(r)
	s.startWaiting()
}

// end books the end of a run. mu is held.
func (s *Server) end(r *run, state, message string) {
	now := s.opts.Clock.Now()
	r.JobRunState = state
	r.StateDetail = nil
	r.CompletedOn, r.LastModifiedOn = timeOf(now), timeOf(now)
	if started := r.StartedOn.Time; now.After(started) {
		r.ExecutionTime = int32(min(now.Sub(started)/time.Second, math.MaxInt32))
	}
	if message != "" {
		r.ErrorMessage = &message
	}
	close(r.done)
}

// retry starts another attempt of a failed run, MaxRetries times: "The maximum number of times to
// retry this job if it fails" (API reference, MaxRetries). Runs that time out or are stopped are not
// started again (our reading). mu is held.
func (s *Server) retry(r *run) {
	if s.closed || r.JobRunState != runFailed || r.forgotten || r.Attempt >= r.definition.MaxRetries {
		return
	}
	region := s.regionOf(r.scope)
	j := region.jobs[r.JobName]
	if j == nil {
		return
	}
	c := &call{server: s, region: region, now: s.opts.Clock.Now()}
	in := &startJobRunRequest{Timeout: r.Timeout, JobRunQueuingEnabled: r.JobRunQueuingEnabled}
	again, err := c.newRun(j, in, r, r.TriggerName)
	if err != nil {
		return
	}
	again.ID = retryID(r.ID, again.Attempt)
	s.admit(again)
	s.launch(again)
}

// startWaiting launches waiting runs, oldest first, as far as their jobs' limits allow. A run
// whose job is gone cannot start any more: ERROR (developer guide, "AWS Glue job run
// statuses": an attempt "to run a deleted job"). mu is held.
func (s *Server) startWaiting() {
	if s.closed {
		return
	}
	for _, r := range s.runOrder {
		if r.JobRunState != runWaiting {
			continue
		}
		j := s.regionOf(r.scope).jobs[r.JobName]
		switch {
		case j == nil || r.forgotten:
			s.end(r, runError, "The job was deleted")
		case s.activeRuns(r.scope, r.JobName) < int(j.ExecutionProperty.MaxConcurrentRuns):
			r.LastModifiedOn = timeOf(s.opts.Clock.Now())
			s.launch(r)
		}
	}
}

// failureMessage is the ErrorMessage of a script that failed; "Command failed with exit code N"
// is reported, the end of stderr is there to help.
func failureMessage(exitCode int, stderr string) string {
	message := fmt.Sprintf("Command failed with exit code %d", exitCode)
	lines := strings.Split(strings.TrimRight(stderr, "\n"), "\n")
	tail := strings.Join(lines[max(0, len(lines)-errorLines):], "\n")
	if len(tail) > errorBytes {
		tail = "..." + strings.ToValidUTF8(tail[len(tail)-errorBytes:], "")
	}
	if strings.TrimSpace(tail) != "" {
		message += ": " + tail
	}
	return message
}

// removeDir removes a run's directory, also where the script took rights away; what stays is
// reported by Close.
func (s *Server) removeDir(dir string) {
	err := os.RemoveAll(dir)
	if err != nil {
		// Only a directory without write or search permission resists; give those back.
		_ = filepath.WalkDir(dir, func(path string, entry os.DirEntry, _ error) error {
			if entry != nil && entry.IsDir() {
				_ = os.Chmod(path, 0o700) //nolint:gosec // the run's own private directory
			}
			return nil
		})
		err = os.RemoveAll(dir)
	}
	if err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.leftovers = append(s.leftovers, fmt.Errorf("remove the directory of a run: %w", err))
	}
}
