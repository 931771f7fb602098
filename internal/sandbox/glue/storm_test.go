package glue

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsglue "github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
)

// TestStorm: many callers, a clock that advances and faults, all at once, and Close in the middle.
// What must hold: no reply breaks the model (startServer checks), no limit is exceeded, nothing
// hangs, every run is over in the end.
func TestStorm(t *testing.T) {
	t.Parallel()
	const callers, rounds, limit = 6, 40, 2
	l := newLab(t, func(o *Options) { o.Objects = nil; o.TriggerTransition.Reads = -1; o.PageSize = 2 })
	createJob(t, l.client, shellJob("job", func(in *awsglue.CreateJobInput) {
		in.ExecutionProperty = &types.ExecutionProperty{MaxConcurrentRuns: limit}
		in.JobRunQueuingEnabled = aws.Bool(true)
		in.MaxRetries = 1
	}))
	l.createTrigger(t, triggerOf("t", types.TriggerTypeScheduled))
	l.Inject(Fault{Operation: "*", Kind: Throttle, Skip: 7, Count: 20})
	l.Inject(Fault{Operation: "StartJobRun", Kind: LostResponse, Skip: 3, Count: 5})
	ctx := t.Context()
	var all sync.WaitGroup
	for i := range callers {
		random := rand.New(rand.NewPCG(1, uint64(i)))
		all.Go(func() {
			for round := range rounds {
				if i == 0 && round == rounds/2 {
					if err := l.Close(); err != nil {
						t.Error(err)
					}
				}
				// Errors are expected: states change under every caller, and then the server closes.
				switch random.IntN(7) {
				case 0:
					_, _ = l.client.StartJobRun(ctx, &awsglue.StartJobRunInput{JobName: aws.String("job")})
				case 1:
					_ = l.operate(t, "t", "start")
				case 2:
					_ = l.operate(t, "t", "stop")
				case 3:
					_, _ = l.client.GetJobRuns(ctx, &awsglue.GetJobRunsInput{JobName: aws.String("job")})
				case 4:
					l.clock.Advance(10 * time.Minute)
				case 5:
					if runs := l.Runs(); len(runs) > 0 {
						_, _ = l.client.BatchStopJobRun(ctx, &awsglue.BatchStopJobRunInput{JobName: aws.String("job"), JobRunIds: []string{runs[len(runs)-1].ID}})
					}
				case 6:
					active := 0
					for _, r := range l.Runs() {
						if r.State == runStarting || r.State == runRunning || r.State == runStopping {
							active++
						}
					}
					if active > limit {
						t.Errorf("%d runs are active", active)
					}
				}
			}
		})
	}
	all.Wait()
	l.clock.Advance(time.Hour) // nothing fires any more
	before := len(l.Firings())
	l.clock.Advance(time.Hour)
	diff(t, "firings after Close", before, len(l.Firings()))
	for _, r := range l.Runs() {
		if run, err := l.WaitRun(ctx, r.ID); err != nil || run.CompletedOn.IsZero() {
			t.Errorf("%+v, %v", run, err)
		}
	}
}
