package glue

import (
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"slices"
)

// job is Glue's Job structure: a job definition as GetJob returns it.
type job struct {
	Name string
	jobDefinition
	CreatedOn      *timestamp
	LastModifiedOn *timestamp

	// given is the definition as the caller wrote it, before defaults; a second CreateJob is
	// compared with it.
	given jobDefinition
}

// jobDefinition holds what CreateJob and JobUpdate have in common.
type jobDefinition struct {
	JobMode                   *string               `json:",omitzero"`
	JobRunQueuingEnabled      *bool                 `json:",omitzero"`
	Description               *string               `json:",omitzero"`
	LogURI                    *string               `json:"LogUri,omitzero"`
	Role                      *string               `json:",omitzero"`
	ExecutionProperty         *executionProperty    `json:",omitzero"`
	Command                   *jobCommand           `json:",omitzero"`
	DefaultArguments          map[string]string     `json:",omitzero"`
	NonOverridableArguments   map[string]string     `json:",omitzero"`
	Connections               *connectionsList      `json:",omitzero"`
	MaxRetries                int32                 // Glue always shows it
	AllocatedCapacity         int32                 // Glue always shows it; an integer, unlike MaxCapacity
	Timeout                   *int32                `json:",omitzero"`
	MaxCapacity               *float64              `json:",omitzero"`
	SecurityConfiguration     *string               `json:",omitzero"`
	NotificationProperty      *notificationProperty `json:",omitzero"`
	GlueVersion               *string               `json:",omitzero"`
	NumberOfWorkers           *int32                `json:",omitzero"`
	WorkerType                *string               `json:",omitzero"`
	CodeGenConfigurationNodes opaque                `json:",omitzero"`
	ExecutionClass            *string               `json:",omitzero"`
	SourceControlDetails      opaque                `json:",omitzero"`
	MaintenanceWindow         *string               `json:",omitzero"`
}

type executionProperty struct {
	MaxConcurrentRuns int32
}

type jobCommand struct {
	Name           *string `json:",omitzero"`
	ScriptLocation *string `json:",omitzero"`
	PythonVersion  *string `json:",omitzero"`
	Runtime        *string `json:",omitzero"`
}

type connectionsList struct {
	Connections []string `json:",omitzero"`
}

type notificationProperty struct {
	NotifyDelayAfter *int32 `json:",omitzero"`
}

type (
	createJobRequest struct {
		Name string
		Tags map[string]string
		jobDefinition
	}
	jobNameReply struct {
		Name string
	}
	jobNameRequest struct {
		JobName string
	}
	getJobReply struct {
		Job *job
	}
	listRequest struct {
		NextToken  *string
		MaxResults *int32
		Tags       map[string]string
	}
	getJobsReply struct {
		Jobs      []*job
		NextToken *string `json:",omitzero"`
	}
	listJobsReply struct {
		JobNames  []string
		NextToken *string `json:",omitzero"`
	}
	batchGetJobsRequest struct {
		JobNames []string
	}
	batchGetJobsReply struct {
		Jobs         []*job
		JobsNotFound []string
	}
	updateJobRequest struct {
		JobName   string
		JobUpdate jobDefinition
	}
	updateJobReply struct {
		JobName string
	}
)

// createJob implements CreateJob. A name that is taken is refused: AlreadyExistsException when
// the definition is the same one, IdempotentParameterMismatchException when it is another
// (reported: "already submitted with different configuration"; both codes are in the API
// reference). Which of the two AWS answers to the same definition is our reading.
func (c *call) createJob(in *createJobRequest) (*jobNameReply, error) {
	if old := c.region.jobs[in.Name]; old != nil {
		if reflect.DeepEqual(old.given, in.jobDefinition) {
			return nil, alreadyExists("Job already exists: %s", in.Name)
		}
		return nil, newError(codeIdempotentMismatch, http.StatusBadRequest,
			"Job with name '%s' already submitted with different configuration", in.Name)
	}
	definition, err := completeJob(in.jobDefinition)
	if err != nil {
		return nil, err
	}
	if err := checkNewTags(nil, in.Tags); err != nil {
		return nil, err
	}
	c.region.jobs[in.Name] = &job{
		Name:           in.Name,
		jobDefinition:  definition,
		CreatedOn:      timeOf(c.now),
		LastModifiedOn: timeOf(c.now),
		given:          in.jobDefinition,
	}
	c.region.setTags("job/"+in.Name, in.Tags)
	return &jobNameReply{Name: in.Name}, nil
}

// job returns the named job or EntityNotFoundException.
func (c *call) job(name string) (*job, error) {
	j := c.region.jobs[name]
	if j == nil {
		return nil, notFound("Job not found: %s", name)
	}
	return j, nil
}

func (c *call) getJob(in *jobNameRequest) (*getJobReply, error) {
	j, err := c.job(in.JobName)
	if err != nil {
		return nil, err
	}
	return &getJobReply{Job: j}, nil
}

func (c *call) getJobs(in *listRequest) (*getJobsReply, error) {
	jobs := sortedValues(c.region.jobs)
	jobs, next, err := page(c, jobs, func(j *job) string { return j.Name }, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	return &getJobsReply{Jobs: jobs, NextToken: next}, nil
}

// listJobs implements ListJobs; with Tags only jobs that carry all of them are listed (API
// reference, ListJobs).
func (c *call) listJobs(in *listRequest) (*listJobsReply, error) {
	names := slices.DeleteFunc(sortedKeys(c.region.jobs), func(name string) bool {
		return !c.region.hasTags("job/"+name, in.Tags)
	})
	names, next, err := page(c, names, func(name string) string { return name }, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	return &listJobsReply{JobNames: names, NextToken: next}, nil
}

func (c *call) batchGetJobs(in *batchGetJobsRequest) (*batchGetJobsReply, error) {
	out := &batchGetJobsReply{Jobs: []*job{}, JobsNotFound: []string{}}
	for _, name := range in.JobNames {
		if j := c.region.jobs[name]; j != nil {
			out.Jobs = append(out.Jobs, j)
		} else {
			out.JobsNotFound = append(out.JobsNotFound, name)
		}
	}
	return out, nil
}

// updateJob implements UpdateJob: "The previous job definition is completely overwritten by
// this information", what is not given "is removed or reset to default values", but for the
// GlueVersion, which "retains the value from the existing job definition" (API reference,
// UpdateJob and JobUpdate). Role and Command are required there. Tags are not touched.
func (c *call) updateJob(in *updateJobRequest) (*updateJobReply, error) {
	j, err := c.job(in.JobName)
	if err != nil {
		return nil, err
	}
	update := in.JobUpdate
	if update.Role == nil {
		return nil, invalidInput("Role cannot be null or empty")
	}
	if update.Command == nil {
		return nil, invalidInput("Command cannot be null or empty")
	}
	if update.GlueVersion == nil {
		update.GlueVersion = j.GlueVersion
	}
	definition, err := completeJob(update)
	if err != nil {
		return nil, err
	}
	j.jobDefinition, j.given, j.LastModifiedOn = definition, update, timeOf(c.now)
	c.server.startWaiting() // the limit may have been raised
	return &updateJobReply{JobName: in.JobName}, nil
}

// deleteJob implements DeleteJob: "If the job definition is not found, no exception is thrown"
// (API reference). Runs in progress go on to their end; GetJobRuns no longer knows them (our
// reading).
func (c *call) deleteJob(in *jobNameRequest) (*updateJobReply, error) {
	if c.region.jobs[in.JobName] != nil {
		delete(c.region.jobs, in.JobName)
		c.region.setTags("job/"+in.JobName, nil)
		for _, r := range c.server.runOrder {
			if r.scope == c.region.scope && r.JobName == in.JobName {
				r.forgotten = true
			}
		}
		c.server.startWaiting()
	}
	return &updateJobReply{JobName: in.JobName}, nil
}

// sortedValues returns the map's values in the order of their keys.
func sortedValues[V any](m map[string]V) []V {
	values := make([]V, 0, len(m))
	for _, k := range sortedKeys(m) {
		values = append(values, m[k])
	}
	return values
}

// clone returns a copy of the definition that shares nothing a later update could change.
func (d jobDefinition) clone() jobDefinition {
	d.DefaultArguments = maps.Clone(d.DefaultArguments)
	d.NonOverridableArguments = maps.Clone(d.NonOverridableArguments)
	if d.ExecutionProperty != nil {
		d.ExecutionProperty = ptr(*d.ExecutionProperty)
	}
	if d.Command != nil {
		d.Command = ptr(*d.Command)
	}
	if d.Connections != nil {
		d.Connections = &connectionsList{Connections: slices.Clone(d.Connections.Connections)}
	}
	d.CodeGenConfigurationNodes = append(json.RawMessage(nil), d.CodeGenConfigurationNodes...)
	return d
}
