package glue //nolint:staticcheck // AllocatedCapacity is deprecated but still on the wire

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsglue "github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
)

// argvScript prints its arguments.
const argvScript = "import sys; print(sys.argv[1:])"

// TestRunArguments: run arguments override the job's key by key, those that cannot be
// overridden stay, and GetJobRun shows what the run was given.
func TestRunArguments(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.objects.put(argvScript)
	createJob(t, l.client, shellJob("job", func(in *awsglue.CreateJobInput) {
		in.DefaultArguments = map[string]string{"--a": "job", "--b": "job"}
		in.NonOverridableArguments = map[string]string{"--c": "fixed"}
	}))
	given := map[string]string{"--b": "run", "--c": "run", "--d": "run", "plain": "as it is"}
	id := l.startAgain(t, &awsglue.StartJobRunInput{Arguments: given})
	run := l.wait(t, id)
	stdout, _ := l.RunLog(id)
	diff(t, "argv", "['--a', 'job', '--b', 'run', '--c', 'fixed', '--d', 'run', 'plain', 'as it is']\n", stdout)
	diff(t, "shown", given, run.Arguments)
	runs := l.Runs()
	diff(t, "Runs", map[string]string{"--a": "job", "--b": "run", "--c": "fixed", "--d": "run", "plain": "as it is"}, runs[0].Arguments)

	// A retry by hand takes over the arguments of the run it names.
	again := l.startAgain(t, &awsglue.StartJobRunInput{JobRunId: &id})
	run = l.wait(t, again)
	diff(t, "shown", given, run.Arguments)
	diff(t, "previous", []any{id, int32(1)}, []any{deref(run.PreviousRunId), run.Attempt})
	_, err := l.client.StartJobRun(t.Context(), &awsglue.StartJobRunInput{JobName: aws.String("job"), JobRunId: aws.String("jr_none")})
	wantCode(t, err, codeEntityNotFound, "Job run not found: jr_none")
}

// TestRunSeesTheJobAsItWas: an update of the job does not reach a run that was accepted before.
func TestRunSeesTheJobAsItWas(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.objects.hold = make(chan struct{})
	id := l.start(t, argvScript, func(in *awsglue.CreateJobInput) { in.DefaultArguments = map[string]string{"--a": "old"} })
	_, err := l.client.UpdateJob(t.Context(), &awsglue.UpdateJobInput{JobName: aws.String("job"),
		JobUpdate: updateOf(shellJob("job", func(in *awsglue.CreateJobInput) { in.DefaultArguments = map[string]string{"--a": "new"} }))})
	wantCode(t, err, "", "")
	close(l.objects.hold)
	l.wait(t, id)
	stdout, _ := l.RunLog(id)
	diff(t, "argv", "['--a', 'old']\n", stdout)
}

// TestRunCapacity: a run may be larger than its job; the job's rules hold for it too.
func TestRunCapacity(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.start(t, "pass", func(in *awsglue.CreateJobInput) {
		in.ExecutionProperty = &types.ExecutionProperty{MaxConcurrentRuns: 9}
	})
	run := l.wait(t, l.startAgain(t, &awsglue.StartJobRunInput{MaxCapacity: aws.Float64(1)}))
	diff(t, "capacity", []any{1.0, int32(1)}, []any{deref(run.MaxCapacity), run.AllocatedCapacity})
	run = l.wait(t, l.startAgain(t, &awsglue.StartJobRunInput{AllocatedCapacity: 1}))
	diff(t, "capacity", []any{1.0, int32(1)}, []any{deref(run.MaxCapacity), run.AllocatedCapacity})
	for text, in := range map[string]*awsglue.StartJobRunInput{
		"0.0625 or 1":                 {MaxCapacity: aws.Float64(2)},
		"Worker Type is not":          {WorkerType: "G.1X", NumberOfWorkers: aws.Int32(2)},
		"Timeout of 10081 minutes is": {Timeout: aws.Int32(10081)},
	} {
		in.JobName = aws.String("job")
		_, err := l.client.StartJobRun(t.Context(), in)
		wantCode(t, err, codeInvalidInput, text)
	}
}

// TestRunQueue: with queuing, runs above the limit wait their turn in order; a waiting one can be
// stopped, and goes down with its job.
func TestRunQueue(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	port, accept := listen(t)
	first := l.start(t, holdingScript, func(in *awsglue.CreateJobInput) {
		in.JobRunQueuingEnabled = aws.Bool(true)
		in.DefaultArguments = map[string]string{"--port": port}
	})
	script := accept()
	second, third, fourth := l.startAgain(t, &awsglue.StartJobRunInput{}), l.startAgain(t, &awsglue.StartJobRunInput{}), l.startAgain(t, &awsglue.StartJobRunInput{})
	_, err := l.client.StartJobRun(t.Context(), &awsglue.StartJobRunInput{JobName: aws.String("job"), JobRunQueuingEnabled: aws.Bool(false)})
	wantCode(t, err, codeConcurrentRunsExceeded, "")
	waiting := l.get(t, second)
	diff(t, "waiting", []any{types.JobRunStateWaiting, "Max concurrent job runs per job exceeded", true},
		[]any{waiting.JobRunState, deref(waiting.StateDetail), deref(waiting.JobRunQueuingEnabled)})

	l.stop(t, third)
	diff(t, "stopped", types.JobRunStateStopped, l.get(t, third).JobRunState)
	l.stop(t, first)
	_ = script.Close()
	l.wait(t, first)
	script = accept() // the second has begun
	diff(t, "second", types.JobRunStateRunning, l.get(t, second).JobRunState)
	diff(t, "fourth", types.JobRunStateWaiting, l.get(t, fourth).JobRunState)

	if _, err := l.client.DeleteJob(t.Context(), &awsglue.DeleteJobInput{JobName: aws.String("job")}); err != nil {
		t.Fatal(err)
	}
	_, err = l.client.GetJobRun(t.Context(), &awsglue.GetJobRunInput{JobName: aws.String("job"), RunId: &second})
	wantCode(t, err, codeEntityNotFound, "Job not found: job")
	states := map[string]string{}
	for _, r := range l.Runs() {
		states[r.ID] = r.State
	}
	diff(t, "states", map[string]string{first: runStopped, second: runRunning, third: runStopped, fourth: runError}, states)
	// The run of the deleted job goes on to its end, and a new job of that name does not know it.
	createJob(t, l.client, shellJob("job"))
	none := must[*awsglue.GetJobRunsOutput](t)(l.client.GetJobRuns(t.Context(), &awsglue.GetJobRunsInput{JobName: aws.String("job")}))
	diff(t, "runs of the new job", 0, len(none.JobRuns))
	l.clock.Advance(time.Hour) // times it out
	_ = script.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := l.WaitIdle(ctx); err != nil {
		t.Fatal(err)
	}
}

// TestRaisedLimitStartsWaiting: UpdateJob lets waiting runs in.
func TestRaisedLimitStartsWaiting(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.objects.hold = make(chan struct{})
	queue := func(in *awsglue.CreateJobInput) { in.JobRunQueuingEnabled = aws.Bool(true) }
	first := l.start(t, "pass", queue)
	second := l.startAgain(t, &awsglue.StartJobRunInput{})
	diff(t, "before", types.JobRunStateWaiting, l.get(t, second).JobRunState)
	_, err := l.client.UpdateJob(t.Context(), &awsglue.UpdateJobInput{JobName: aws.String("job"), JobUpdate: updateOf(shellJob("job",
		func(in *awsglue.CreateJobInput) {
			in.ExecutionProperty = &types.ExecutionProperty{MaxConcurrentRuns: 2}
		}))})
	wantCode(t, err, "", "")
	diff(t, "after", types.JobRunStateStarting, l.get(t, second).JobRunState)
	close(l.objects.hold)
	diff(t, "first", types.JobRunStateSucceeded, l.wait(t, first).JobRunState)
	diff(t, "second", types.JobRunStateSucceeded, l.wait(t, second).JobRunState)
}

// TestMaxRetries: a failed run is started again MaxRetries times under ids of one family; one that
// was stopped or timed out is not.
func TestMaxRetries(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	retries := func(in *awsglue.CreateJobInput) {
		in.MaxRetries = 2
		in.DefaultArguments = map[string]string{"--x": "1"}
	}
	id := l.start(t, "import sys; sys.exit(1)", retries)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Second)
	defer cancel()
	if err := l.WaitIdle(ctx); err != nil {
		t.Fatal(err)
	}
	type attempt struct {
		ID, Previous string
		Attempt      int
		State        string
	}
	var got []attempt
	for _, r := range l.Runs() {
		got = append(got, attempt{r.ID, r.PreviousID, r.Attempt, r.State})
	}
	diff(t, "attempts", []attempt{
		{id, "", 0, runFailed},
		{id + "_attempt_1", id, 1, runFailed},
		{id + "_attempt_2", id + "_attempt_1", 2, runFailed},
	}, got)

	l.objects.put(politeScript)
	stopped := l.startAgain(t, &awsglue.StartJobRunInput{})
	l.output.await(t, stopped+" stdout] ready")
	l.stop(t, stopped)
	l.wait(t, stopped)
	timed := l.startAgain(t, &awsglue.StartJobRunInput{})
	l.output.await(t, timed+" stdout] ready")
	l.clock.Advance(time.Hour)
	l.wait(t, timed)
	diff(t, "runs", 5, len(l.Runs()))
}

// TestRunLogLimit: only the end of the output is kept, and says so.
func TestRunLogLimit(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(o *Options) { o.LogLimit = 10 })
	id := l.start(t, "import sys\nfor i in range(1000): print(i)\nprint('short', file=sys.stderr)")
	l.wait(t, id)
	stdout, stderr := l.RunLog(id)
	diff(t, "stdout", "[...]7\n998\n999\n", stdout)
	diff(t, "stderr", "short\n", stderr)
	stdout, stderr = l.RunLog("jr_none")
	diff(t, "unknown run", "", stdout+stderr)
	if _, err := l.WaitRun(t.Context(), "jr_none"); err == nil {
		t.Error("WaitRun of an unknown run succeeded")
	}
}

// TestLineWriter: lines come whole and with their prefix, endless ones broken.
func TestLineWriter(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	w := &prefixWriter{to: &lineWriter{w: &out}, prefix: "> "}
	for _, part := range []string{"a", "b\nc\n\nd", strings.Repeat("x", maxLine), "e"} {
		if n, err := w.Write([]byte(part)); n != len(part) || err != nil {
			t.Fatal(n, err)
		}
	}
	w.flush()
	w.flush()
	diff(t, "lines", []string{"> ab", "> c", "> ", "> d" + strings.Repeat("x", maxLine), "> e", ""}, strings.Split(out.String(), "\n"))
}

// TestUnreadableDirectories: a script may take away rights; its directory goes all the same.
func TestUnreadableDirectories(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	id := l.start(t, `
import os
os.makedirs("deep/deeper")
open("deep/deeper/file", "w").close()
os.chmod("deep/deeper", 0)
os.chmod("deep", 0)
`)
	diff(t, "state", types.JobRunStateSucceeded, l.wait(t, id).JobRunState)
}

// TestWaitGivesUp: waiting ends with its context and still tells how the run stands.
func TestWaitGivesUp(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.objects.hold = make(chan struct{})
	id := l.start(t, "pass")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	run, err := l.WaitRun(ctx, id)
	if err == nil || run.State != runStarting {
		t.Errorf("WaitRun: %+v, %v", run, err)
	}
	if err := l.WaitIdle(ctx); err == nil {
		t.Error("WaitIdle did not give up")
	}
	close(l.objects.hold)
	l.wait(t, id)
	if !slices.ContainsFunc(l.Runs(), func(r Run) bool { return r.ID == id && r.State == runSucceeded }) {
		t.Errorf("runs %+v", l.Runs())
	}
}
