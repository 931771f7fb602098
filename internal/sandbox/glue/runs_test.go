package glue

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsglue "github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// lab is a server that runs scripts, with all that a test wants to see of it.
type lab struct {
	*Server
	client  *awsglue.Client
	clock   *ManualClock
	objects *memory
	output  *watcher
	dir     string
}

// newLab starts a lab on a manual clock. When the test ends nothing may be left in its directory.
func newLab(t *testing.T, change ...func(*Options)) *lab {
	t.Helper()
	l := &lab{clock: NewManualClock(epoch), objects: &memory{}, output: newWatcher(), dir: t.TempDir()}
	t.Cleanup(func() {
		left, err := os.ReadDir(l.dir)
		if err != nil || len(left) > 0 {
			t.Errorf("left in the work directory: %v, %v", left, err)
		}
	})
	opts := Options{
		Clock: l.clock, Objects: l.objects, Output: l.output, WorkDir: l.dir, Python: needPython(t),
		KillGrace: time.Minute, // tests that need SIGKILL shorten it
	}
	for _, f := range change {
		f(&opts)
	}
	l.Server = startServer(t, opts)
	l.client = clientOf(l.Server)
	return l
}

// start stores the script and starts a run of a fresh job.
func (l *lab) start(t *testing.T, script string, change ...func(*awsglue.CreateJobInput)) string {
	t.Helper()
	l.objects.put(script)
	createJob(t, l.client, shellJob("job", change...))
	return l.startAgain(t, &awsglue.StartJobRunInput{})
}

func (l *lab) startAgain(t *testing.T, in *awsglue.StartJobRunInput) string {
	t.Helper()
	if in.JobName == nil {
		in.JobName = aws.String("job")
	}
	out, err := l.client.StartJobRun(t.Context(), in)
	if err != nil {
		t.Fatalf("StartJobRun: %v", err)
	}
	return *out.JobRunId
}

// wait waits for the run's end and returns it as GetJobRun shows it.
func (l *lab) wait(t *testing.T, id string) *types.JobRun {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Second)
	defer cancel()
	if _, err := l.WaitRun(ctx, id); err != nil {
		t.Fatal(err)
	}
	return l.get(t, id)
}

func (l *lab) get(t *testing.T, id string) *types.JobRun {
	t.Helper()
	out, err := l.client.GetJobRun(t.Context(), &awsglue.GetJobRunInput{JobName: aws.String("job"), RunId: &id})
	if err != nil {
		t.Fatalf("GetJobRun: %v", err)
	}
	return out.JobRun
}

func (l *lab) stop(t *testing.T, ids ...string) *awsglue.BatchStopJobRunOutput {
	t.Helper()
	out, err := l.client.BatchStopJobRun(t.Context(), &awsglue.BatchStopJobRunInput{JobName: aws.String("job"), JobRunIds: ids})
	if err != nil {
		t.Fatalf("BatchStopJobRun: %v", err)
	}
	return out
}

// watcher collects output lines and lets a test wait for one.
type watcher struct {
	mu    sync.Mutex
	text  strings.Builder
	grown chan struct{}
}

func newWatcher() *watcher { return &watcher{grown: make(chan struct{})} }

func (w *watcher) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text.Write(p)
	close(w.grown)
	w.grown = make(chan struct{})
	return len(p), nil
}

func (w *watcher) await(t *testing.T, text string) {
	t.Helper()
	deadline := time.After(50 * time.Second)
	for {
		w.mu.Lock()
		got, grown := w.text.String(), w.grown
		w.mu.Unlock()
		if strings.Contains(got, text) {
			return
		}
		select {
		case <-grown:
		case <-deadline:
			t.Fatalf("no line with %q in:\n%s", text, got)
		}
	}
}

// TestRunSucceeds: a run's argv, environment and directory, and what Glue shows of it.
func TestRunSucceeds(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(o *Options) {
		o.Environment = func(role string) []string { return []string{"ROLE=" + role, "AWS_REGION=eu-west-1"} }
	})
	id := l.start(t, `
import json, os, sys
print(json.dumps({"argv": sys.argv, "env": dict(os.environ), "cwd": os.getcwd(), "files": sorted(os.listdir(".")),
                  "writable": [os.access(os.environ[v], os.W_OK) for v in ("HOME", "TMPDIR")]}))
print("done, without a newline", end="", file=sys.stderr)
`, func(in *awsglue.CreateJobInput) {
		in.DefaultArguments = map[string]string{"--b": "two words", "--a": "", "--kept": "é'\"$HOME"}
	})
	run := l.wait(t, id)
	stdout, stderr := l.RunLog(id)
	var saw struct {
		Argv, Files []string
		Env         map[string]string
		Cwd         string
		Writable    []bool
	}
	if err := json.Unmarshal([]byte(stdout), &saw); err != nil {
		t.Fatalf("stdout %q: %v", stdout, err)
	}
	diff(t, "argv", []string{"script.py", "--a", "", "--b", "two words", "--kept", "é'\"$HOME"}, saw.Argv)
	diff(t, "files", []string{"home", "script.py", "tmp"}, saw.Files)
	diff(t, "environment", map[string]string{
		"PATH": os.Getenv("PATH"), "HOME": saw.Cwd + "/home", "TMPDIR": saw.Cwd + "/tmp", "LANG": "C.UTF-8",
		"PYTHONUNBUFFERED": "1", "ROLE": testRole, "AWS_REGION": "eu-west-1",
	}, saw.Env, cmpopts.IgnoreMapEntries(func(k, _ string) bool { return k == "LC_CTYPE" || strings.HasPrefix(k, "__") }))
	diff(t, "writable", []bool{true, true}, saw.Writable)
	diff(t, "stderr", "done, without a newline", stderr)
	if filepath.Dir(saw.Cwd) != l.dir {
		t.Errorf("working directory %s is not in %s", saw.Cwd, l.dir)
	}
	if _, err := os.Stat(saw.Cwd); !os.IsNotExist(err) {
		t.Errorf("the run's directory is still there: %v", err)
	}
	l.output.await(t, "[job "+id+" stderr] done, without a newline\n")
	l.output.await(t, "[job "+id+" stdout] {")

	diff(t, "run", &types.JobRun{
		Id: &id, Attempt: 0, JobName: aws.String("job"), JobMode: types.JobModeScript, JobRunState: types.JobRunStateSucceeded,
		StartedOn: aws.Time(epoch), LastModifiedOn: aws.Time(epoch), CompletedOn: aws.Time(epoch), ExecutionTime: 0,
		PredecessorRuns: []types.Predecessor{}, Timeout: aws.Int32(60), MaxCapacity: aws.Float64(0.0625),
		LogGroupName: aws.String("/aws-glue/python-jobs"), GlueVersion: aws.String("3.0"), ExecutionClass: types.ExecutionClassStandard,
	}, run, cmpopts.IgnoreUnexported(types.JobRun{}))
}

// TestRunFails: what a run that ends badly says.
func TestRunFails(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		script, want string
		state        types.JobRunState
	}{
		"exit code": {
			"import sys\nfor i in range(20): print('line', i, file=sys.stderr)\nsys.exit(3)",
			"Command failed with exit code 3: line 10\nline 11\nline 12\nline 13\nline 14\nline 15\nline 16\nline 17\nline 18\nline 19", "FAILED",
		},
		"silent": {"import sys; sys.exit(1)", "Command failed with exit code 1", "FAILED"},
		"signal": {"import os; os.kill(os.getpid(), 9)", "Command failed with exit code 137", "FAILED"},
		"syntax": {"def", "SyntaxError", "FAILED"},
		"exit 0": {"import sys; print('only a warning', file=sys.stderr)", "", "SUCCEEDED"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			run := l.wait(t, l.start(t, test.script))
			if run.JobRunState != test.state {
				t.Errorf("state %s", run.JobRunState)
			}
			got := deref(run.ErrorMessage)
			if name == "syntax" {
				if !strings.HasPrefix(got, "Command failed with exit code 1: ") || !strings.Contains(got, test.want) {
					t.Errorf("message %q", got)
				}
				return
			}
			diff(t, "message", test.want, got)
		})
	}
}

// TestErrorMessageIsBounded: a flood on stderr does not end up in the message.
func TestErrorMessageIsBounded(t *testing.T) {
	t.Parallel()
	got := failureMessage(1, strings.Repeat("é", errorBytes)+"END\n\n")
	if len(got) > errorBytes+100 || !strings.HasSuffix(got, "éEND") || !strings.HasPrefix(got, "Command failed with exit code 1: ...é") {
		t.Errorf("message of %d bytes: %.60q ... %.20q", len(got), got, got[len(got)-20:])
	}
}

// TestRunCannotStart: everything that keeps a script from starting ends the run FAILED, with a
// reason.
func TestRunCannotStart(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		job    func(*awsglue.CreateJobInput)
		server func(*Options)
		want   string
	}{
		"script missing":  {job: func(in *awsglue.CreateJobInput) { in.Command.ScriptLocation = aws.String("s3://artifacts/none.py") }, want: "fetch script s3://artifacts/none.py: NoSuchKey: none.py in artifacts"},
		"no location":     {job: func(in *awsglue.CreateJobInput) { in.Command.ScriptLocation = nil }, want: `script location "" is not of the form s3://bucket/key`},
		"no key":          {job: func(in *awsglue.CreateJobInput) { in.Command.ScriptLocation = aws.String("s3://bucket/") }, want: "not of the form"},
		"a web address":   {job: func(in *awsglue.CreateJobInput) { in.Command.ScriptLocation = aws.String("https://bucket/key") }, want: "not of the form"},
		"no object store": {server: func(o *Options) { o.Objects = nil }, want: "was given no object store"},
		"no python":       {server: func(o *Options) { o.Python = "no-such-python" }, want: "find the Python interpreter"},
		"spark": {job: func(in *awsglue.CreateJobInput) {
			in.Command.Name, in.MaxCapacity, in.Command.PythonVersion = aws.String("glueetl"), nil, nil
		}, want: "has no Spark or Ray for glueetl"},
		"no directory": {server: func(o *Options) { o.WorkDir += "/none" }, want: "make the run's directory"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			job, server := func(*awsglue.CreateJobInput) {}, func(*Options) {}
			if test.job != nil {
				job = test.job
			}
			if test.server != nil {
				server = test.server
			}
			l := newLab(t, server)
			run := l.wait(t, l.start(t, "print('hello')", job))
			if run.JobRunState != types.JobRunStateFailed || !strings.Contains(deref(run.ErrorMessage), test.want) {
				t.Errorf("%s: %q, want FAILED: %q", run.JobRunState, deref(run.ErrorMessage), test.want)
			}
			if name == "spark" {
				diff(t, "log group", "/aws-glue/jobs", deref(run.LogGroupName))
			}
		})
	}
}
