package glue

import (
	"net"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsglue "github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
)

const (
	// politeScript says when it is ready, and goes on SIGTERM.
	politeScript = `
import signal, sys, time
def bye(*_):
    print("got SIGTERM")
    sys.exit(0)
signal.signal(signal.SIGTERM, bye)
print("ready")
while True: time.sleep(0.05)
`
	// holdingScript connects to the test and, on SIGTERM, waits for it to hang up.
	holdingScript = `
import signal, socket, sys, time
s = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
def bye(*_):
    s.recv(1)
    sys.exit(0)
signal.signal(signal.SIGTERM, bye)
s.sendall(b"x")
while True: time.sleep(0.05)
`
	// deafScript ignores SIGTERM.
	deafScript = `
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready")
while True: time.sleep(0.05)
`
)

// TestRunTimesOut: on a manual clock, exactly at the timeout; the script is asked first.
func TestRunTimesOut(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	id := l.start(t, politeScript)
	l.output.await(t, "ready")
	l.clock.Advance(59*time.Minute + 59*time.Second)
	diff(t, "state before", types.JobRunStateRunning, l.get(t, id).JobRunState)
	l.clock.Advance(time.Second)
	run := l.wait(t, id)
	diff(t, "state", types.JobRunStateTimeout, run.JobRunState)
	diff(t, "execution time", int32(3600), run.ExecutionTime)
	diff(t, "completed", epoch.Add(time.Hour), *run.CompletedOn)
	diff(t, "message", "The job run exceeded its timeout of 60 minutes", deref(run.ErrorMessage))
	if stdout, _ := l.RunLog(id); stdout != "ready\ngot SIGTERM\n" {
		t.Errorf("stdout %q", stdout)
	}
}

// TestRunTimeoutOverride: the run's timeout counts, not the job's.
func TestRunTimeoutOverride(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.wait(t, l.start(t, "pass"))
	l.objects.put(politeScript)
	id := l.startAgain(t, &awsglue.StartJobRunInput{Timeout: aws.Int32(5)})
	l.output.await(t, "ready")
	l.clock.Advance(5 * time.Minute)
	run := l.wait(t, id)
	diff(t, "state", types.JobRunStateTimeout, run.JobRunState)
	diff(t, "timeout", int32(5), deref(run.Timeout))
}

// TestDeafRunIsKilled: who ignores SIGTERM gets SIGKILL after the grace time.
func TestDeafRunIsKilled(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(o *Options) { o.KillGrace = 50 * time.Millisecond })
	id := l.start(t, deafScript)
	l.output.await(t, "ready")
	l.stop(t, id)
	diff(t, "state", types.JobRunStateStopped, l.wait(t, id).JobRunState)
}

// TestStopRun: RUNNING, STOPPING, STOPPED; and the entries of BatchStopJobRun.
func TestStopRun(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	port, accept := listen(t)
	id := l.start(t, holdingScript, func(in *awsglue.CreateJobInput) { in.DefaultArguments = map[string]string{"--port": port} })
	script := accept()
	out := l.stop(t, id, "jr_none")
	diff(t, "submitted", []string{id}, []string{*out.SuccessfulSubmissions[0].JobRunId})
	diff(t, "error", []string{"jr_none", codeEntityNotFound}, []string{*out.Errors[0].JobRunId, *out.Errors[0].ErrorDetail.ErrorCode})
	diff(t, "state", types.JobRunStateStopping, l.get(t, id).JobRunState)
	// A run that is being stopped still counts, and may be stopped again.
	_, err := l.client.StartJobRun(t.Context(), &awsglue.StartJobRunInput{JobName: aws.String("job")})
	wantCode(t, err, codeConcurrentRunsExceeded, "Concurrent runs exceeded for job")
	diff(t, "submitted again", 1, len(l.stop(t, id).SuccessfulSubmissions))
	_ = script.Close()
	diff(t, "state", types.JobRunStateStopped, l.wait(t, id).JobRunState)
	out = l.stop(t, id)
	diff(t, "over", codeRunInTerminalState, *out.Errors[0].ErrorDetail.ErrorCode)
}

// TestStopAfterTimeout: a run that is stopped while it is on its way out for another reason ends as
// what it said last.
func TestStopAfterTimeout(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	port, accept := listen(t)
	id := l.start(t, holdingScript, func(in *awsglue.CreateJobInput) { in.DefaultArguments = map[string]string{"--port": port} })
	script := accept()
	l.clock.Advance(time.Hour)
	diff(t, "state", types.JobRunStateRunning, l.get(t, id).JobRunState)
	l.stop(t, id)
	_ = script.Close()
	diff(t, "state", types.JobRunStateStopped, l.wait(t, id).JobRunState)
}

// TestStopWhileStarting: a run can be stopped before its script is there.
func TestStopWhileStarting(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.objects.hold = make(chan struct{})
	id := l.start(t, "pass")
	diff(t, "state", types.JobRunStateStarting, l.get(t, id).JobRunState)
	l.stop(t, id)
	diff(t, "state", types.JobRunStateStopped, l.wait(t, id).JobRunState)
	// And it can time out there.
	id = l.startAgain(t, &awsglue.StartJobRunInput{})
	l.clock.Advance(time.Hour)
	diff(t, "state", types.JobRunStateTimeout, l.wait(t, id).JobRunState)
}

// TestConcurrentRuns: the limit holds, and a run that is over makes room.
func TestConcurrentRuns(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	first := l.start(t, politeScript, func(in *awsglue.CreateJobInput) {
		in.ExecutionProperty = &types.ExecutionProperty{MaxConcurrentRuns: 2}
	})
	second := l.startAgain(t, &awsglue.StartJobRunInput{})
	_, err := l.client.StartJobRun(t.Context(), &awsglue.StartJobRunInput{JobName: aws.String("job")})
	wantCode(t, err, codeConcurrentRunsExceeded, "Concurrent runs exceeded for job")
	l.stop(t, first)
	l.wait(t, first)
	third := l.startAgain(t, &awsglue.StartJobRunInput{})
	l.stop(t, second, third)
	l.wait(t, second)
	l.wait(t, third)

	var ids []string
	for _, r := range must[*awsglue.GetJobRunsOutput](t)(l.client.GetJobRuns(t.Context(), &awsglue.GetJobRunsInput{JobName: aws.String("job")})).JobRuns {
		ids = append(ids, *r.Id)
	}
	diff(t, "newest first", []string{third, second, first}, ids)
	_, err = l.client.StartJobRun(t.Context(), &awsglue.StartJobRunInput{JobName: aws.String("none")})
	wantCode(t, err, codeEntityNotFound, "Job not found: none")
}

// childScript starts a child that ignores SIGTERM and is connected to the test, and ends then,
// or stays. With "detach" the child leaves the process group.
const childScript = `
import subprocess, sys, time
args = dict(zip(sys.argv[1::2], sys.argv[2::2]))
child = '''
import signal, socket, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.sendall(b"x")
print("up", flush=True)
s.recv(1)
'''
p = subprocess.Popen([sys.executable, "-c", child, args["--port"]], stdout=subprocess.PIPE,
                     start_new_session=args["--how"] == "detach")
p.stdout.readline()
print("ready")
while args["--how"] == "stay": time.sleep(0.05)
`

// startChildScript runs childScript and returns the child's connection.
func (l *lab) startChildScript(t *testing.T, how string) (id string, child net.Conn) {
	t.Helper()
	port, accept := listen(t)
	id = l.start(t, childScript, func(in *awsglue.CreateJobInput) {
		in.DefaultArguments = map[string]string{"--port": port, "--how": how}
	})
	return id, accept()
}

// TestChildrenDieWithTheRun: whatever is left of a run's process group is killed when the
// script ends by itself and when it is stopped.
func TestChildrenDieWithTheRun(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	id, child := l.startChildScript(t, "leave")
	diff(t, "state", types.JobRunStateSucceeded, l.wait(t, id).JobRunState)
	awaitEOF(t, child)

	l = newLab(t)
	id, child = l.startChildScript(t, "stay")
	l.output.await(t, "ready")
	l.stop(t, id)
	diff(t, "state", types.JobRunStateStopped, l.wait(t, id).JobRunState)
	awaitEOF(t, child)
}

// TestDetachedChildDoesNotHoldTheRun: a child that has left the group keeps an output pipe
// open, and the run ends all the same.
func TestDetachedChildDoesNotHoldTheRun(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	id, child := l.startChildScript(t, "detach")
	diff(t, "state", types.JobRunStateSucceeded, l.wait(t, id).JobRunState)
	_ = child.Close() // ends the child
}

// TestCloseKillsRuns: Close leaves no process and no directory, and ends waiting runs too.
func TestCloseKillsRuns(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	id, child := l.startChildScript(t, "stay")
	queued := l.startAgain(t, &awsglue.StartJobRunInput{JobRunQueuingEnabled: aws.Bool(true)})
	l.output.await(t, "ready")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	awaitEOF(t, child)
	left, err := os.ReadDir(l.dir)
	if err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
	for _, id := range []string{id, queued} {
		run, err := l.WaitRun(t.Context(), id)
		if err != nil || run.State != runStopped {
			t.Errorf("run after Close: %+v, %v", run, err)
		}
	}
	if err := l.WaitIdle(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := l.client.GetJobs(t.Context(), &awsglue.GetJobsInput{}); err == nil {
		t.Error("a closed server answered")
	}
	if err := l.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

// listen opens a port for scripts to connect to. accept waits for one that has connected and
// said so.
func listen(t *testing.T) (port string, accept func() net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	if _, port, err = net.SplitHostPort(listener.Addr().String()); err != nil {
		t.Fatal(err)
	}
	return port, func() net.Conn {
		t.Helper()
		if tcp, ok := listener.(*net.TCPListener); ok {
			_ = tcp.SetDeadline(time.Now().Add(50 * time.Second))
		}
		conn, err := listener.Accept()
		if err != nil {
			t.Fatalf("no script connected: %v", err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		if _, err := conn.Read(make([]byte, 1)); err != nil {
			t.Fatalf("the script did not report: %v", err)
		}
		return conn
	}
}

// awaitEOF waits until the other side of the connection is gone.
func awaitEOF(t *testing.T, conn net.Conn) {
	t.Helper()
	defer func() { _ = conn.Close() }()
	if err := conn.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := conn.Read(make([]byte, 16)); err != nil {
			if os.IsTimeout(err) {
				t.Error("the child still lives")
			}
			return
		}
	}
}
