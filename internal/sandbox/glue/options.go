package glue

import (
	"context"
	"io"
	"os"
	"time"
)

// Defaults of Options.
const (
	// DefaultAccount is the account of callers when Options.Account is nil.
	DefaultAccount = "123456789012"
	// DefaultPageSize is the largest page of the listing operations.
	DefaultPageSize = 100
	// DefaultCallHistory is how many calls Server.Calls remembers.
	DefaultCallHistory = 4096
	// DefaultLogLimit is how many bytes of each of its two output streams a run keeps.
	DefaultLogLimit = 1 << 20
	// DefaultKillGrace is the time between SIGTERM and SIGKILL.
	DefaultKillGrace = 5 * time.Second
)

// Objects is where job scripts are read from; an S3 client satisfies it with a few lines. It
// is called from many goroutines.
type Objects interface {
	// Open returns the object's content. The caller closes it. An error ends the run FAILED
	// with the error's text.
	Open(ctx context.Context, bucket, key string) (io.ReadCloser, error)
}

// Transition says how long a trigger shows a transitional state (CREATING, ACTIVATING,
// DEACTIVATING, UPDATING, DELETING). The state settles when both conditions hold.
type Transition struct {
	// Reads is how many reads of the trigger (GetTrigger, GetTriggers, BatchGetTriggers, or an
	// operation refused because of the state) show the transitional state. 0 means 1, a
	// negative number none.
	Reads int
	// Delay is how long the state lasts at least, on the server's clock. Until it is over a
	// trigger that is being activated does not fire.
	Delay time.Duration
}

// Options configure a Server. The zero value is usable; then every job run ends FAILED,
// because there is nowhere to read scripts from.
type Options struct {
	// Objects is the store of the job scripts.
	Objects Objects
	// Clock is the server's time; nil is the machine's clock.
	Clock Clock
	// Account returns the account of an access key id; nil means DefaultAccount for all. A caller
	// whose account is "" is refused.
	Account func(accessKeyID string) string
	// Secret returns the secret of an access key id. When it is set, signatures are verified
	// (but not their age: the server's clock may be a manual one).
	Secret func(accessKeyID string) (secret string, ok bool)
	// Partition is the AWS partition in the ARNs of the server's resources; "" is "aws".
	Partition string
	// Python is the interpreter of Python shell jobs, a path or a name looked up in PATH; ""
	// is "python3".
	Python string
	// Environment returns variables (KEY=value) to add to the environment of the runs of jobs
	// with this role, exactly as the job names it. Otherwise a run sees only PATH, HOME, TMPDIR,
	// LANG and PYTHONUNBUFFERED.
	Environment func(roleARN string) []string
	// WorkDir is where runs get their private directories; "" is os.TempDir().
	WorkDir string
	// Output, when set, receives the output of all runs line by line, each line after
	// "[<job> <run id> <stdout or stderr>] ". Writes come one at a time; one that blocks holds
	// up the run.
	Output io.Writer
	// LogLimit is how many of the last bytes of stdout, and of stderr, a run keeps for RunLog; 0
	// is DefaultLogLimit.
	LogLimit int
	// KillGrace is how long a run that is stopped or timed out may go on after SIGTERM before
	// SIGKILL, in wall time whatever Clock is; 0 is DefaultKillGrace.
	KillGrace time.Duration
	// PageSize is the largest page that listing operations answer with, whatever MaxResults
	// asks for; 0 is DefaultPageSize.
	PageSize int
	// CallHistory is how many of the latest calls Calls remembers; 0 is DefaultCallHistory.
	CallHistory int
	// TriggerTransition is how long triggers show transitional states.
	TriggerTransition Transition
}

// filled returns o with the defaults in place of zero values.
func (o Options) filled() Options {
	if o.Clock == nil {
		o.Clock = RealClock()
	}
	if o.Account == nil {
		o.Account = func(string) string { return DefaultAccount }
	}
	if o.Partition == "" {
		o.Partition = "aws"
	}
	if o.Python == "" {
		o.Python = "python3"
	}
	if o.WorkDir == "" {
		o.WorkDir = os.TempDir()
	}
	if o.LogLimit <= 0 {
		o.LogLimit = DefaultLogLimit
	}
	if o.KillGrace <= 0 {
		o.KillGrace = DefaultKillGrace
	}
	if o.PageSize <= 0 {
		o.PageSize = DefaultPageSize
	}
	if o.CallHistory <= 0 {
		o.CallHistory = DefaultCallHistory
	}
	switch {
	case o.TriggerTransition.Reads == 0:
		o.TriggerTransition.Reads = 1
	case o.TriggerTransition.Reads < 0:
		o.TriggerTransition.Reads = 0
	}
	return o
}
