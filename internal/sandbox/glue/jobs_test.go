package glue //nolint:staticcheck // AllocatedCapacity is deprecated but still on the wire

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsglue "github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const testScript = "s3://artifacts/engine/script.py"

// shellJob returns a small Python shell job, changed as the test needs it.
func shellJob(name string, change ...func(*awsglue.CreateJobInput)) *awsglue.CreateJobInput {
	in := &awsglue.CreateJobInput{
		Name: aws.String(name),
		Role: aws.String(testRole),
		Command: &types.JobCommand{
			Name:           aws.String("pythonshell"),
			PythonVersion:  aws.String("3.9"),
			ScriptLocation: aws.String(testScript),
		},
		GlueVersion: aws.String("3.0"),
		Timeout:     aws.Int32(60),
		MaxCapacity: aws.Float64(0.0625),
	}
	for _, f := range change {
		f(in)
	}
	return in
}

func createJob(t *testing.T, client *awsglue.Client, in *awsglue.CreateJobInput) {
	t.Helper()
	out, err := client.CreateJob(t.Context(), in)
	if err != nil {
		t.Fatalf("CreateJob: %v", err)
	}
	diff(t, "name", *in.Name, deref(out.Name))
}

func getJob(t *testing.T, client *awsglue.Client, name string) *types.Job {
	t.Helper()
	out, err := client.GetJob(t.Context(), &awsglue.GetJobInput{JobName: &name})
	if err != nil {
		t.Fatalf("GetJob: %v", err)
	}
	return out.Job
}

// TestJobRoundTrip: GetJob gives back every field that CreateJob took, and its own.
func TestJobRoundTrip(t *testing.T) {
	t.Parallel()
	s := startServer(t, Options{Clock: NewManualClock(epoch)})
	client := clientOf(s)
	in := &awsglue.CreateJobInput{
		Name:                    aws.String("nightly"),
		Role:                    aws.String(testRole),
		JobMode:                 types.JobModeScript,
		JobRunQueuingEnabled:    aws.Bool(true),
		Description:             aws.String("lands the shop"),
		LogUri:                  aws.String("s3://logs/"),
		ExecutionProperty:       &types.ExecutionProperty{MaxConcurrentRuns: 3},
		Command:                 &types.JobCommand{Name: aws.String("glueetl"), PythonVersion: aws.String("3"), ScriptLocation: aws.String(testScript)},
		DefaultArguments:        map[string]string{"--a": "1", "--empty": ""},
		NonOverridableArguments: map[string]string{"--b": "2"},
		Connections:             &types.ConnectionsList{Connections: []string{"shop"}},
		MaxRetries:              2,
		Timeout:                 aws.Int32(30),
		SecurityConfiguration:   aws.String("kms"),
		NotificationProperty:    &types.NotificationProperty{NotifyDelayAfter: aws.Int32(5)},
		GlueVersion:             aws.String("5.1"),
		NumberOfWorkers:         aws.Int32(4),
		WorkerType:              types.WorkerTypeG2x,
		ExecutionClass:          types.ExecutionClassFlex,
		SourceControlDetails:    &types.SourceControlDetails{Branch: aws.String("main")},
		MaintenanceWindow:       aws.String("Sun:10"),
		Tags:                    map[string]string{"team": "data"},
	}
	createJob(t, client, in)
	want := &types.Job{
		Name: in.Name, Role: in.Role, JobMode: in.JobMode, JobRunQueuingEnabled: in.JobRunQueuingEnabled,
		Description: in.Description, LogUri: in.LogUri, ExecutionProperty: in.ExecutionProperty, Command: in.Command,
		DefaultArguments: in.DefaultArguments, NonOverridableArguments: in.NonOverridableArguments, Connections: in.Connections,
		MaxRetries: 2, Timeout: in.Timeout, SecurityConfiguration: in.SecurityConfiguration,
		NotificationProperty: in.NotificationProperty, GlueVersion: in.GlueVersion, NumberOfWorkers: in.NumberOfWorkers,
		WorkerType: in.WorkerType, ExecutionClass: in.ExecutionClass, SourceControlDetails: in.SourceControlDetails,
		MaintenanceWindow: in.MaintenanceWindow,
		// Four workers of two DPUs each.
		MaxCapacity: aws.Float64(8), AllocatedCapacity: 8,
		CreatedOn: aws.Time(epoch), LastModifiedOn: aws.Time(epoch),
	}
	diff(t, "job", want, getJob(t, client, "nightly"), cmpopts.IgnoreUnexported(
		types.Job{}, types.ExecutionProperty{}, types.JobCommand{}, types.ConnectionsList{},
		types.NotificationProperty{}, types.SourceControlDetails{}))
}

// TestJobDefaults: each row of the table of defaults, as GetJob shows it.
func TestJobDefaults(t *testing.T) {
	t.Parallel()
	client := clientOf(startServer(t, Options{}))
	type shown struct {
		Mode, Command, Python, Version, Class string
		Concurrent, Retries, Allocated        int32
		Timeout                               int32
		Capacity                              float64
	}
	for name, test := range map[string]struct {
		in   *awsglue.CreateJobInput
		want shown
	}{
		"python shell": {
			&awsglue.CreateJobInput{Command: &types.JobCommand{Name: aws.String("pythonshell")}},
			shown{"SCRIPT", "pythonshell", "3.9", "6.0", "STANDARD", 1, 0, 0, 480, 0.0625},
		},
		"python shell 3.0": {
			&awsglue.CreateJobInput{Command: &types.JobCommand{Name: aws.String("pythonshell")}, GlueVersion: aws.String("3.0")},
			shown{"SCRIPT", "pythonshell", "3.9", "3.0", "STANDARD", 1, 0, 0, 2880, 0.0625},
		},
		"python shell 1.0": {
			&awsglue.CreateJobInput{Command: &types.JobCommand{Name: aws.String("pythonshell")}, GlueVersion: aws.String("1.0"), MaxCapacity: aws.Float64(1)},
			shown{"SCRIPT", "pythonshell", "3.9", "1.0", "", 1, 0, 1, 2880, 1},
		},
		"spark": {
			&awsglue.CreateJobInput{Command: &types.JobCommand{}, ExecutionProperty: &types.ExecutionProperty{}},
			shown{"SCRIPT", "glueetl", "3", "6.0", "STANDARD", 1, 0, 10, 480, 10},
		},
		"spark 4.0 with workers": {
			&awsglue.CreateJobInput{Command: &types.JobCommand{Name: aws.String("glueetl")}, GlueVersion: aws.String("4.0"),
				NumberOfWorkers: aws.Int32(3), WorkerType: "R.8X"},
			shown{"SCRIPT", "glueetl", "3", "4.0", "STANDARD", 1, 0, 24, 2880, 24},
		},
		"spark auto, unknown workers": {
			&awsglue.CreateJobInput{Command: &types.JobCommand{Name: aws.String("glueetl")}, GlueVersion: aws.String("auto"),
				NumberOfWorkers: aws.Int32(3), WorkerType: "Standard"},
			shown{"SCRIPT", "glueetl", "3", "auto", "STANDARD", 1, 0, 3, 480, 3},
		},
		"streaming": {
			&awsglue.CreateJobInput{Command: &types.JobCommand{Name: aws.String("gluestreaming")},
				NumberOfWorkers: aws.Int32(8), WorkerType: types.WorkerTypeG025x},
			shown{"SCRIPT", "gluestreaming", "3", "6.0", "", 1, 0, 2, 0, 2},
		},
		"allocated capacity": {
			&awsglue.CreateJobInput{Command: &types.JobCommand{Name: aws.String("glueetl")}, AllocatedCapacity: 5},
			shown{"SCRIPT", "glueetl", "3", "6.0", "STANDARD", 1, 0, 5, 480, 5},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.in.Name, test.in.Role = aws.String(name), aws.String("engine")
			createJob(t, client, test.in)
			j := getJob(t, client, name)
			diff(t, "defaults", test.want, shown{
				string(j.JobMode), deref(j.Command.Name), deref(j.Command.PythonVersion), deref(j.GlueVersion), string(j.ExecutionClass),
				j.ExecutionProperty.MaxConcurrentRuns, j.MaxRetries, j.AllocatedCapacity,
				deref(j.Timeout), deref(j.MaxCapacity),
			})
		})
	}
}

// TestJobDefaultsHaveSources: every default says where it comes from.
func TestJobDefaultsHaveSources(t *testing.T) {
	t.Parallel()
	for _, rule := range jobDefaults() {
		if rule.field == "" || rule.fill == nil || !strings.ContainsAny(rule.source, ",:") {
			t.Errorf("default %+v", rule)
		}
	}
}

// TestJobsRefused: what CreateJob refuses, UpdateJob refuses too.
func TestJobsRefused(t *testing.T) {
	t.Parallel()
	client := clientOf(startServer(t, Options{}))
	createJob(t, client, shellJob("existing"))
	type input = awsglue.CreateJobInput
	spark := func(in *input) {
		in.Command, in.MaxCapacity, in.GlueVersion = &types.JobCommand{Name: aws.String("glueetl")}, nil, nil
	}
	workers := func(in *input) { in.WorkerType, in.NumberOfWorkers = types.WorkerTypeG1x, aws.Int32(2) }
	for name, test := range map[string]struct {
		change func(in *input)
		text   string
	}{
		"role":             {func(in *input) { in.Role = aws.String("arn:aws:iam::1:role/x") }, "Role should be"},
		"role, user":       {func(in *input) { in.Role = aws.String("arn:aws:iam::123456789012:user/x") }, "Role should be"},
		"role, empty":      {func(in *input) { in.Role = aws.String("") }, "Role should be"},
		"half a DPU":       {func(in *input) { in.MaxCapacity = aws.Float64(0.5) }, "0.0625 or 1"},
		"two DPU":          {func(in *input) { in.MaxCapacity = aws.Float64(2) }, "0.0625 or 1"},
		"shell, workers":   {func(in *input) { workers(in); in.MaxCapacity = nil }, "Worker Type is not supported for Job Command pythonshell"},
		"both sizes":       {func(in *input) { spark(in); workers(in); in.MaxCapacity = aws.Float64(2) }, "Please do not set Max Capacity if using Worker Type and Number of Workers"},
		"only workers":     {func(in *input) { spark(in); in.NumberOfWorkers = aws.Int32(2) }, "Please set both Worker Type and Number of Workers"},
		"only worker type": {func(in *input) { spark(in); in.WorkerType = types.WorkerTypeG1x }, "Please set both"},
		"no workers":       {func(in *input) { spark(in); workers(in); in.NumberOfWorkers = aws.Int32(0) }, "at least 1"},
		"allocated, max":   {func(in *input) { spark(in); in.AllocatedCapacity, in.MaxCapacity = 3, aws.Float64(3) }, "only Allocated Capacity or Max Capacity"},
		"allocated, work":  {func(in *input) { spark(in); workers(in); in.AllocatedCapacity = 3 }, "Please do not set Allocated Capacity"},
		"fraction":         {func(in *input) { spark(in); in.MaxCapacity = aws.Float64(2.5) }, "whole number"},
		"one DPU of Spark": {func(in *input) { spark(in); in.MaxCapacity = aws.Float64(1) }, "from 2 to 100"},
		"week":             {func(in *input) { in.Timeout = aws.Int32(10081) }, "7 days"},
		"retries":          {func(in *input) { in.MaxRetries = -1 }, "retries"},
		"concurrency":      {func(in *input) { in.ExecutionProperty = &types.ExecutionProperty{MaxConcurrentRuns: -1} }, "concurrent"},
		"flex, shell":      {func(in *input) { in.ExecutionClass = types.ExecutionClassFlex }, "FLEX is only"},
		"flex, old": {func(in *input) {
			spark(in)
			in.ExecutionClass, in.GlueVersion = types.ExecutionClassFlex, aws.String("2.0")
		}, "FLEX is only"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := shellJob("refused", test.change)
			_, err := client.CreateJob(t.Context(), in)
			wantCode(t, err, codeInvalidInput, test.text)
			_, err = client.UpdateJob(t.Context(), &awsglue.UpdateJobInput{JobName: aws.String("existing"), JobUpdate: updateOf(in)})
			wantCode(t, err, codeInvalidInput, test.text)
		})
	}
}

// updateOf turns a CreateJob into the UpdateJob of the same definition.
func updateOf(in *awsglue.CreateJobInput) *types.JobUpdate {
	return &types.JobUpdate{
		Role: in.Role, Command: in.Command, GlueVersion: in.GlueVersion, Timeout: in.Timeout, MaxCapacity: in.MaxCapacity,
		AllocatedCapacity: in.AllocatedCapacity,
		WorkerType:        in.WorkerType, NumberOfWorkers: in.NumberOfWorkers, MaxRetries: in.MaxRetries,
		ExecutionProperty: in.ExecutionProperty, ExecutionClass: in.ExecutionClass, Description: in.Description,
		DefaultArguments: in.DefaultArguments,
	}
}

// TestCreateJobTwice: the same definition and another one under a taken name are different errors,
// and neither changes the job.
func TestCreateJobTwice(t *testing.T) {
	t.Parallel()
	client := clientOf(startServer(t, Options{}))
	createJob(t, client, shellJob("a"))
	_, err := client.CreateJob(t.Context(), shellJob("a"))
	wantCode(t, err, codeAlreadyExists, "Job already exists: a")
	_, err = client.CreateJob(t.Context(), shellJob("a", func(in *awsglue.CreateJobInput) { in.Description = aws.String("another") }))
	wantCode(t, err, codeIdempotentMismatch, "already submitted with different configuration")
	if got := getJob(t, client, "a").Description; got != nil {
		t.Errorf("description %q", *got)
	}
}

// TestUpdateJobReplaces: what the update does not name goes back to its default, but for
// GlueVersion; CreatedOn and tags stay.
func TestUpdateJobReplaces(t *testing.T) {
	t.Parallel()
	clock := NewManualClock(epoch)
	client := clientOf(startServer(t, Options{Clock: clock}))
	ctx := t.Context()
	createJob(t, client, shellJob("a", func(in *awsglue.CreateJobInput) {
		in.Description = aws.String("old")
		in.DefaultArguments = map[string]string{"--x": "1"}
		in.MaxRetries = 3
		in.MaxCapacity = aws.Float64(1)
		in.Connections = &types.ConnectionsList{Connections: []string{"shop"}}
		in.ExecutionProperty = &types.ExecutionProperty{MaxConcurrentRuns: 9}
		in.JobRunQueuingEnabled = aws.Bool(true)
		in.Tags = map[string]string{"team": "data"}
	}))
	clock.Advance(time.Hour)
	out, err := client.UpdateJob(ctx, &awsglue.UpdateJobInput{JobName: aws.String("a"), JobUpdate: &types.JobUpdate{
		Role:    aws.String("other-role"),
		Command: &types.JobCommand{Name: aws.String("pythonshell"), ScriptLocation: aws.String("s3://b/new.py")},
	}})
	if err != nil {
		t.Fatal(err)
	}
	diff(t, "name", "a", deref(out.JobName))
	j := getJob(t, client, "a")
	want := &types.Job{
		Name: aws.String("a"), Role: aws.String("other-role"), JobMode: types.JobModeScript,
		Command:           &types.JobCommand{Name: aws.String("pythonshell"), ScriptLocation: aws.String("s3://b/new.py"), PythonVersion: aws.String("3.9")},
		ExecutionProperty: &types.ExecutionProperty{MaxConcurrentRuns: 1},
		GlueVersion:       aws.String("3.0"), Timeout: aws.Int32(2880), MaxCapacity: aws.Float64(0.0625),
		ExecutionClass: types.ExecutionClassStandard,
		CreatedOn:      aws.Time(epoch), LastModifiedOn: aws.Time(epoch.Add(time.Hour)),
	}
	diff(t, "job", want, j, cmpopts.IgnoreUnexported(types.Job{}, types.JobCommand{}, types.ExecutionProperty{}))
	tags := must[*awsglue.GetTagsOutput](t)(client.GetTags(ctx, &awsglue.GetTagsInput{ResourceArn: aws.String("arn:aws:glue:eu-west-1:123456789012:job/a")}))
	diff(t, "tags", map[string]string{"team": "data"}, tags.Tags)

	for name, test := range map[string]struct {
		in         *awsglue.UpdateJobInput
		code, text string
	}{
		"absent":     {&awsglue.UpdateJobInput{JobName: aws.String("b"), JobUpdate: &types.JobUpdate{}}, codeEntityNotFound, "Job not found: b"},
		"no role":    {&awsglue.UpdateJobInput{JobName: aws.String("a"), JobUpdate: &types.JobUpdate{Command: &types.JobCommand{}}}, codeInvalidInput, "Role cannot be null"},
		"no command": {&awsglue.UpdateJobInput{JobName: aws.String("a"), JobUpdate: &types.JobUpdate{Role: aws.String("r")}}, codeInvalidInput, "Command cannot be null"},
	} {
		if _, err := client.UpdateJob(ctx, test.in); errorCode(err) != test.code || !strings.Contains(err.Error(), test.text) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestJobLookups: GetJob, GetJobs, ListJobs with tags, BatchGetJobs, DeleteJob.
func TestJobLookups(t *testing.T) {
	t.Parallel()
	s := startServer(t, Options{})
	client := clientOf(s)
	ctx := t.Context()
	for _, name := range []string{"c", "a", "b"} {
		createJob(t, client, shellJob(name, func(in *awsglue.CreateJobInput) {
			in.Tags = map[string]string{"name": name, "team": "data"}
		}))
	}
	_, err := client.GetJob(ctx, &awsglue.GetJobInput{JobName: aws.String("d")})
	wantCode(t, err, codeEntityNotFound, "Job not found: d")

	all := must[*awsglue.GetJobsOutput](t)(client.GetJobs(ctx, &awsglue.GetJobsInput{}))
	var names []string
	for _, j := range all.Jobs {
		names = append(names, *j.Name)
	}
	diff(t, "GetJobs", []string{"a", "b", "c"}, names)
	listed := must[*awsglue.ListJobsOutput](t)(client.ListJobs(ctx, &awsglue.ListJobsInput{Tags: map[string]string{"team": "data", "name": "b"}}))
	diff(t, "ListJobs by tag", []string{"b"}, listed.JobNames)
	listed = must[*awsglue.ListJobsOutput](t)(client.ListJobs(ctx, &awsglue.ListJobsInput{Tags: map[string]string{"team": "other"}}))
	diff(t, "ListJobs by another tag", 0, len(listed.JobNames))

	batch := must[*awsglue.BatchGetJobsOutput](t)(client.BatchGetJobs(ctx, &awsglue.BatchGetJobsInput{JobNames: []string{"c", "x", "a"}}))
	diff(t, "BatchGetJobs", []string{"c", "a"}, []string{*batch.Jobs[0].Name, *batch.Jobs[1].Name})
	diff(t, "not found", []string{"x"}, batch.JobsNotFound)

	for range 2 { // the second time the job is absent, which is no error
		out := must[*awsglue.DeleteJobOutput](t)(client.DeleteJob(ctx, &awsglue.DeleteJobInput{JobName: aws.String("a")}))
		diff(t, "deleted", "a", deref(out.JobName))
	}
	_, err = client.GetJob(ctx, &awsglue.GetJobInput{JobName: aws.String("a")})
	wantCode(t, err, codeEntityNotFound, "")
	// The tags went with it.
	createJob(t, client, shellJob("a"))
	tags := must[*awsglue.GetTagsOutput](t)(client.GetTags(ctx, &awsglue.GetTagsInput{ResourceArn: aws.String("arn:aws:glue:eu-west-1:123456789012:job/a")}))
	diff(t, "tags", 0, len(tags.Tags))
}

// TestVisualJobs: the nodes of a visual job are checked against the model and kept.
func TestVisualJobs(t *testing.T) {
	t.Parallel()
	client := clientOf(startServer(t, Options{}))
	nodes := map[string]types.CodeGenConfigurationNode{"node-1": {
		Join: &types.Join{Name: aws.String("j"), Inputs: []string{"a", "b"}, JoinType: types.JoinTypeEquijoin, Columns: []types.JoinColumn{
			{From: aws.String("a"), Keys: [][]string{{"x"}}}, {From: aws.String("b"), Keys: [][]string{{"y"}}},
		}},
	}}
	createJob(t, client, shellJob("visual", func(in *awsglue.CreateJobInput) { in.CodeGenConfigurationNodes = nodes }))
	diff(t, "nodes", nodes, getJob(t, client, "visual").CodeGenConfigurationNodes,
		cmpopts.IgnoreUnexported(types.CodeGenConfigurationNode{}, types.Join{}, types.JoinColumn{}))
}
