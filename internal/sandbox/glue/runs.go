package glue

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// States of a job run (API reference, JobRun.JobRunState).
const (
	runStarting  = "STARTING"
	runRunning   = "RUNNING"
	runStopping  = "STOPPING"
	runStopped   = "STOPPED"
	runSucceeded = "SUCCEEDED"
	runFailed    = "FAILED"
	runTimeout   = "TIMEOUT"
	runError     = "ERROR"
	runWaiting   = "WAITING"
)

const codeRunInTerminalState = "JobRunInTerminalStateException"

// jobRun is Glue's JobRun structure.
type jobRun struct {
	ID                    string `json:"Id"`
	Attempt               int32
	PreviousRunID         *string `json:"PreviousRunId,omitzero"`
	TriggerName           *string `json:",omitzero"`
	JobName               string
	JobMode               *string `json:",omitzero"`
	JobRunQueuingEnabled  *bool   `json:",omitzero"`
	StartedOn             *timestamp
	LastModifiedOn        *timestamp
	CompletedOn           *timestamp `json:",omitzero"`
	JobRunState           string
	Arguments             map[string]string `json:",omitzero"`
	ErrorMessage          *string           `json:",omitzero"`
	PredecessorRuns       []struct{}
	AllocatedCapacity     int32
	ExecutionTime         int32
	Timeout               *int32   `json:",omitzero"`
	MaxCapacity           *float64 `json:",omitzero"`
	WorkerType            *string  `json:",omitzero"`
	NumberOfWorkers       *int32   `json:",omitzero"`
	SecurityConfiguration *string  `json:",omitzero"`
	LogGroupName          string
	NotificationProperty  *notificationProperty `json:",omitzero"`
	GlueVersion           *string               `json:",omitzero"`
	ExecutionClass        *string               `json:",omitzero"`
	StateDetail           *string               `json:",omitzero"`
}

// run is a job run with what the sandbox needs to execute it. The server's mu guards all of it
// but log and done.
type run struct {
	jobRun
	scope
	serial     int           // position in Server.runOrder
	forgotten  bool          // its job was deleted
	definition jobDefinition // as it was when the run was accepted
	stop       context.CancelCauseFunc
	log        runLog
	done       chan struct{} // closed in a terminal state, when process and directory are gone
}

type (
	startJobRunRequest struct {
		JobName               string
		JobRunQueuingEnabled  *bool
		JobRunID              *string `json:"JobRunId"`
		Arguments             map[string]string
		AllocatedCapacity     int32
		Timeout               *int32
		MaxCapacity           *float64
		SecurityConfiguration *string
		NotificationProperty  *notificationProperty
		WorkerType            *string
		NumberOfWorkers       *int32
		ExecutionClass        *string
	}
	startJobRunReply struct {
		JobRunID string `json:"JobRunId"`
	}
	getJobRunRequest struct {
		JobName string
		RunID   string `json:"RunId"`
	}
	getJobRunReply struct {
		JobRun *run
	}
	getJobRunsRequest struct {
		JobName    string
		NextToken  *string
		MaxResults *int32
	}
	getJobRunsReply struct {
		JobRuns   []*run
		NextToken *string `json:",omitzero"`
	}
	batchStopJobRunRequest struct {
		JobName   string
		JobRunIDs []string `json:"JobRunIds"`
	}
	stopSubmission struct {
		JobName  string
		JobRunID string `json:"JobRunId"`
	}
	stopError struct {
		stopSubmission
		ErrorDetail *errorDetail
	}
	batchStopJobRunReply struct {
		SuccessfulSubmissions []stopSubmission
		Errors                []stopError
	}
)

// MarshalJSON encodes the part of the run that Glue shows.
func (r *run) MarshalJSON() ([]byte, error) { return json.Marshal(&r.jobRun) }

func (c *call) startJobRun(in *startJobRunRequest) (*startJobRunReply, error) {
	j, err := c.job(in.JobName)
	if err != nil {
		return nil, err
	}
	var previous *run
	if in.JobRunID != nil {
		if previous, err = c.run(in.JobName, *in.JobRunID); err != nil {
			return nil, err
		}
	}
	r, err := c.start(j, in, previous, nil)
	if err != nil {
		return nil, err
	}
	return &startJobRunReply{JobRunID: r.ID}, nil
}

// start accepts a run of the job. previous is the run that it retries, trigger the trigger
// that it comes from; both may be nil.
func (c *call) start(j *job, in *startJobRunRequest, previous *run, triggerName *string) (*run, error) {
	r, err := c.newRun(j, in, previous, triggerName)
	if err != nil {
		return nil, err
	}
	switch {
	case c.server.activeRuns(c.region.scope, j.Name) < int(j.ExecutionProperty.MaxConcurrentRuns):
		c.server.admit(r)
		c.server.launch(r)
	case deref(r.JobRunQueuingEnabled):
		// "A job run may be in the WAITING state due to [...] Max concurrent job runs per job
		// exceeded" (developer guide, "AWS Glue job run statuses").
		r.JobRunState = runWaiting
		r.StateDetail = ptr("Max concurrent job runs per job exceeded")
		c.server.admit(r)
	default:
		return nil, newError(codeConcurrentRunsExceeded, http.StatusBadRequest,
			"Concurrent runs exceeded for %s", j.Name)
	}
	return r, nil
}

// newRun builds a run of the job as the request wants it, without accepting it. What the
// request does not give comes from the job; "If this field does not match the value set in the
// job run, then the value from the job run field will be used" (API reference,
// JobRunQueuingEnabled). A run that retries another takes over its arguments unless it is given
// others (our reading).
func (c *call) newRun(j *job, in *startJobRunRequest, previous *run, triggerName *string) (*run, error) {
	if err := checkTimeout(in.Timeout); err != nil {
		return nil, err
	}
	if err := checkCapacity(j.command(), capacity{in.MaxCapacity, in.AllocatedCapacity, in.WorkerType, in.NumberOfWorkers}); err != nil {
		return nil, err
	}
	sized := j.jobDefinition
	if in.MaxCapacity != nil || in.AllocatedCapacity != 0 || in.WorkerType != nil {
		sized.MaxCapacity, sized.AllocatedCapacity = in.MaxCapacity, in.AllocatedCapacity
		sized.WorkerType, sized.NumberOfWorkers = in.WorkerType, in.NumberOfWorkers
		for _, rule := range jobDefaults() {
			rule.fill(&sized)
		}
	}
	r := &run{
		jobRun: jobRun{
			ID:                    newRunID(),
			TriggerName:           triggerName,
			JobName:               j.Name,
			JobMode:               j.JobMode,
			JobRunQueuingEnabled:  firstGiven(in.JobRunQueuingEnabled, j.JobRunQueuingEnabled),
			StartedOn:             timeOf(c.now),
			LastModifiedOn:        timeOf(c.now),
			JobRunState:           runStarting,
			Arguments:             maps.Clone(in.Arguments),
			PredecessorRuns:       []struct{}{},
			AllocatedCapacity:     sized.AllocatedCapacity,
			Timeout:               firstGiven(in.Timeout, j.Timeout),
			MaxCapacity:           sized.MaxCapacity,
			WorkerType:            sized.WorkerType,
			NumberOfWorkers:       sized.NumberOfWorkers,
			SecurityConfiguration: firstGiven(in.SecurityConfiguration, j.SecurityConfiguration),
			LogGroupName:          logGroup(j.command()),
			NotificationProperty:  firstGiven(in.NotificationProperty, j.NotificationProperty),
			GlueVersion:           j.GlueVersion,
			ExecutionClass:        firstGiven(in.ExecutionClass, j.ExecutionClass),
		},
		scope:      c.region.scope,
		definition: j.clone(),
		log:        newRunLog(c.server.opts.LogLimit),
		done:       make(chan struct{}),
	}
	if previous != nil {
		r.Attempt = previous.Attempt + 1
		r.PreviousRunID = ptr(previous.ID)
		if in.Arguments == nil {
			r.Arguments = maps.Clone(previous.Arguments)
		}
	}
	return r, nil
}

// admit enters a run into the books. mu is held.
func (s *Server) admit(r *run) {
	r.serial = len(s.runOrder)
	s.runOrder = append(s.runOrder, r)
	s.runs[r.ID] = r
}

// activeRuns counts the runs of a job that take up one of its MaxConcurrentRuns. mu is held.
func (s *Server) activeRuns(at scope, jobName string) int {
	n := 0
	for _, r := range s.runOrder {
		if r.scope == at && r.JobName == jobName && !r.forgotten && r.isActive() {
			n++
		}
	}
	return n
}

func (r *run) isActive() bool {
	return r.JobRunState == runStarting || r.JobRunState == runRunning || r.JobRunState == runStopping
}

func (r *run) isOver() bool { return !r.isActive() && r.JobRunState != runWaiting }

// arguments returns what the script gets: the job's default arguments, over them those of the
// run, over those the ones that cannot be overridden (API reference, DefaultArguments,
// StartJobRun.Arguments, NonOverridableArguments).
func (r *run) arguments() map[string]string {
	merged := map[string]string{}
	for _, args := range []map[string]string{r.definition.DefaultArguments, r.Arguments, r.definition.NonOverridableArguments} {
		maps.Copy(merged, args)
	}
	return merged
}

// argv returns the arguments as the script's argv has them, two entries each, by key.
func (r *run) argv() []string {
	args := r.arguments()
	var argv []string
	for _, key := range sortedKeys(args) {
		argv = append(argv, key, args[key])
	}
	return argv
}

// run returns a run of the named job or EntityNotFoundException.
func (c *call) run(jobName, id string) (*run, error) {
	if _, err := c.job(jobName); err != nil {
		return nil, err
	}
	r := c.server.runs[id]
	if r == nil || r.scope != c.region.scope || r.JobName != jobName || r.forgotten {
		return nil, notFound("Job run not found: %s of job %s", id, jobName)
	}
	return r, nil
}

func (c *call) getJobRun(in *getJobRunRequest) (*getJobRunReply, error) {
	r, err := c.run(in.JobName, in.RunID)
	if err != nil {
		return nil, err
	}
	return &getJobRunReply{JobRun: r}, nil
}

// getJobRuns implements GetJobRuns, "with the newest jobs returned first" (API reference).
func (c *call) getJobRuns(in *getJobRunsRequest) (*getJobRunsReply, error) {
	if _, err := c.job(in.JobName); err != nil {
		return nil, err
	}
	runs := []*run{}
	for _, r := range slices.Backward(c.server.runOrder) {
		if r.scope == c.region.scope && r.JobName == in.JobName && !r.forgotten {
			runs = append(runs, r)
		}
	}
	newestFirst := func(r *run) string { return fallingKey(int64(r.serial)) }
	runs, next, err := page(c, runs, newestFirst, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	return &getJobRunsReply{JobRuns: runs, NextToken: next}, nil
}

// batchStopJobRun implements BatchStopJobRun. A run that is over is an error of its entry (the
// code is our reading, from the developer guide's page "Exceptions"); one that is being stopped is
// submitted again.
func (c *call) batchStopJobRun(in *batchStopJobRunRequest) (*batchStopJobRunReply, error) {
	out := &batchStopJobRunReply{SuccessfulSubmissions: []stopSubmission{}, Errors: []stopError{}}
	for _, id := range in.JobRunIDs {
		entry := stopSubmission{JobName: in.JobName, JobRunID: id}
		r, err := c.run(in.JobName, id)
		if err == nil && r.isOver() {
			err = newError(codeRunInTerminalState, http.StatusBadRequest, "Job run %s is %s already", id, r.JobRunState)
		}
		if err != nil {
			out.Errors = append(out.Errors, stopError{entry, asAPIError(err).detail()})
			continue
		}
		c.server.requestStop(r, c.now)
		out.SuccessfulSubmissions = append(out.SuccessfulSubmissions, entry)
	}
	return out, nil
}

// logGroup returns the log group of a command's runs (reported for Python shell; API reference,
// JobRun.LogGroupName, for the others).
func logGroup(command string) string {
	if command == commandPythonShell {
		return "/aws-glue/python-jobs"
	}
	return "/aws-glue/jobs"
}

// newRunID returns an id in the form of Glue's: "jr_" and 64 hexadecimal digits.
func newRunID() string {
	var random [32]byte
	_, _ = rand.Read(random[:]) // never fails, by its documentation
	return "jr_" + hex.EncodeToString(random[:])
}

// retryID returns the id of a retry: that of the first attempt and the attempt's number (our
// reading of how Glue's look).
func retryID(id string, attempt int32) string {
	first, _, _ := strings.Cut(id, "_attempt_")
	return fmt.Sprintf("%s_attempt_%d", first, attempt)
}

func firstGiven[T any](values ...*T) *T {
	for _, v := range values {
		if v != nil {
			return v
		}
	}
	return nil
}
