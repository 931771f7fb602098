package glue

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsglue "github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
)

const minute = time.Minute

// TestUpdateTriggerReplaces: what the update does not name vanishes; what it answers is the
// trigger as it will be.
func TestUpdateTriggerReplaces(t *testing.T) {
	t.Parallel()
	l := newLab(t).withJobs(t)
	ctx := t.Context()
	l.createTrigger(t, triggerOf("t", types.TriggerTypeScheduled, func(in *awsglue.CreateTriggerInput) {
		in.Description = aws.String("old")
		in.Actions[0].Arguments = map[string]string{"--a": "1"}
		in.Predicate = &types.Predicate{}
		in.Tags = map[string]string{"team": "data"}
	}))
	l.states(t, "t", 1)
	update := &types.TriggerUpdate{Schedule: aws.String("cron(0 6 * * ? *)"), Actions: []types.Action{{JobName: aws.String("other")}}}
	out := must[*awsglue.UpdateTriggerOutput](t)(l.client.UpdateTrigger(ctx, &awsglue.UpdateTriggerInput{Name: aws.String("t"), TriggerUpdate: update}))
	want := &types.Trigger{Name: aws.String("t"), Type: types.TriggerTypeScheduled, State: "UPDATING",
		Schedule: update.Schedule, Actions: update.Actions}
	diff(t, "reply", want, out.Trigger, ignoreUnexported())
	diff(t, "read", want, l.getTrigger(t, "t"), ignoreUnexported())
	want.State = "CREATED"
	diff(t, "settled", want, l.getTrigger(t, "t"), ignoreUnexported())
	tags := must[*awsglue.GetTagsOutput](t)(l.client.GetTags(ctx, &awsglue.GetTagsInput{ResourceArn: aws.String("arn:aws:glue:eu-west-1:123456789012:trigger/t")}))
	diff(t, "tags", map[string]string{"team": "data"}, tags.Tags)

	for text, change := range map[string]*types.TriggerUpdate{
		"Schedule cannot be null or empty": {Actions: update.Actions},
		"Actions cannot be null or empty":  {Schedule: update.Schedule},
		"The schedule cron(x) is invalid.": {Schedule: aws.String("cron(x)"), Actions: update.Actions},
	} {
		_, err := l.client.UpdateTrigger(ctx, &awsglue.UpdateTriggerInput{Name: aws.String("t"), TriggerUpdate: change})
		wantCode(t, err, codeInvalidInput, text)
	}
	diff(t, "after refusals", want, l.getTrigger(t, "t"), ignoreUnexported())
	for _, operation := range []func() error{
		func() error {
			_, err := l.client.UpdateTrigger(ctx, &awsglue.UpdateTriggerInput{Name: aws.String("none"), TriggerUpdate: update})
			return err
		},
		func() error {
			_, err := l.client.StartTrigger(ctx, &awsglue.StartTriggerInput{Name: aws.String("none")})
			return err
		},
		func() error {
			_, err := l.client.StopTrigger(ctx, &awsglue.StopTriggerInput{Name: aws.String("none")})
			return err
		},
	} {
		wantCode(t, operation(), codeEntityNotFound, "Trigger not found: none")
	}
}

// TestTriggerLookups: GetTriggers and ListTriggers by job and tags, BatchGetTriggers.
func TestTriggerLookups(t *testing.T) {
	t.Parallel()
	l := newLab(t).withJobs(t)
	ctx := t.Context()
	for _, name := range []string{"c", "a", "b"} {
		l.createTrigger(t, triggerOf(name, types.TriggerTypeOnDemand, func(in *awsglue.CreateTriggerInput) {
			in.Tags = map[string]string{"name": name}
			if name == "b" {
				in.Actions[0].JobName = aws.String("other")
			}
		}))
	}
	names := func(triggers []types.Trigger) []string {
		var out []string
		for _, tr := range triggers {
			out = append(out, *tr.Name)
		}
		return out
	}
	get := func(job *string) []string {
		return names(must[*awsglue.GetTriggersOutput](t)(l.client.GetTriggers(ctx, &awsglue.GetTriggersInput{DependentJobName: job})).Triggers)
	}
	diff(t, "all", []string{"a", "b", "c"}, get(nil))
	diff(t, "of a job", []string{"b"}, get(aws.String("other")))
	diff(t, "of a job without triggers: all", []string{"a", "b", "c"}, get(aws.String("none")))
	list := func(in *awsglue.ListTriggersInput) []string {
		return must[*awsglue.ListTriggersOutput](t)(l.client.ListTriggers(ctx, in)).TriggerNames
	}
	diff(t, "listed", []string{"a", "b", "c"}, list(&awsglue.ListTriggersInput{}))
	diff(t, "listed by tag", []string{"c"}, list(&awsglue.ListTriggersInput{Tags: map[string]string{"name": "c"}}))
	diff(t, "listed by job and tag", 0, len(list(&awsglue.ListTriggersInput{DependentJobName: aws.String("other"), Tags: map[string]string{"name": "c"}})))
	batch := must[*awsglue.BatchGetTriggersOutput](t)(l.client.BatchGetTriggers(ctx, &awsglue.BatchGetTriggersInput{TriggerNames: []string{"c", "x", "a"}}))
	diff(t, "batch", []string{"c", "a"}, names(batch.Triggers))
	diff(t, "not found", []string{"x"}, batch.TriggersNotFound)
	// A trigger whose deletion has settled is in no list.
	wantCode(t, l.operate(t, "a", "delete"), "", "")
	diff(t, "deleting", []string{"a", "b", "c"}, get(nil))
	diff(t, "deleted", []string{"b", "c"}, get(nil))
}

// TestOnDemandFires: StartTrigger runs every action's job, and the trigger stays CREATED.
func TestOnDemandFires(t *testing.T) {
	t.Parallel()
	l := newLab(t).withJobs(t)
	l.createTrigger(t, triggerOf("t", types.TriggerTypeOnDemand, func(in *awsglue.CreateTriggerInput) {
		in.Actions = []types.Action{
			{JobName: aws.String("job"), Arguments: map[string]string{"--a": "1"}, Timeout: aws.Int32(3)},
			{JobName: aws.String("other")},
		}
	}))
	l.states(t, "t", 1)
	diff(t, "nothing runs before", 0, len(l.Runs()))
	wantCode(t, l.operate(t, "t", "start"), "", "")
	diff(t, "state", []types.TriggerState{"CREATED"}, l.states(t, "t", 1))
	firings := l.Firings()
	diff(t, "firings", []Firing{
		{Account: DefaultAccount, Region: testRegion, Trigger: "t", Due: epoch, JobName: "job", RunID: firings[0].RunID},
		{Account: DefaultAccount, Region: testRegion, Trigger: "t", Due: epoch, JobName: "other", RunID: firings[1].RunID},
	}, firings)
	run := l.wait(t, firings[0].RunID)
	diff(t, "run", []any{"t", map[string]string{"--a": "1"}, int32(3)}, []any{deref(run.TriggerName), run.Arguments, deref(run.Timeout)})
}

// dueTimes returns the due times of the trigger's firings, without the date.
func (l *lab) dueTimes() []string {
	times := []string{}
	for _, f := range l.Firings() {
		times = append(times, f.Due.Format("15:04"))
	}
	return times
}

// TestScheduleFires: an active trigger fires at each due time, once, in order, before Advance
// returns; not before it is active and not after it is stopped or deleted.
func TestScheduleFires(t *testing.T) {
	t.Parallel()
	l := newLab(t).withJobs(t)
	l.createTrigger(t, triggerOf("t", types.TriggerTypeScheduled, func(in *awsglue.CreateTriggerInput) {
		in.Actions[0].Arguments = map[string]string{"--a": "1"}
	}))
	l.states(t, "t", 1)
	l.clock.Advance(time.Hour)
	diff(t, "created", []string{}, l.dueTimes())

	wantCode(t, l.operate(t, "t", "start"), "", "")
	l.clock.Advance(10*minute - 1)
	diff(t, "too early", []string{}, l.dueTimes())
	l.clock.Advance(1)
	diff(t, "first", []string{"10:10"}, l.dueTimes())
	l.clock.Advance(0)
	l.clock.Advance(25 * minute)
	diff(t, "in order", []string{"10:10", "10:20", "10:30"}, l.dueTimes())
	for i, r := range l.Runs() {
		diff(t, "run", []any{"t", l.Firings()[i].Due, l.Firings()[i].RunID, "1"}, []any{r.TriggerName, r.StartedOn, r.ID, r.Arguments["--a"]})
		l.wait(t, r.ID)
	}

	l.states(t, "t", 1)
	wantCode(t, l.operate(t, "t", "stop"), "", "")
	l.clock.Advance(time.Hour)
	diff(t, "stopped", 3, len(l.Firings()))
	l.states(t, "t", 1)
	wantCode(t, l.operate(t, "t", "start"), "", "")
	l.clock.Advance(10 * minute)
	diff(t, "started again", 4, len(l.Firings()))
	wantCode(t, l.operate(t, "t", "delete"), "", "")
	l.clock.Advance(time.Hour)
	diff(t, "deleted", 4, len(l.Firings()))
}

// TestScheduleOverLongTimes: a year in one step, over month ends and New Year.
func TestScheduleOverLongTimes(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(o *Options) { o.Objects = nil }).withJobs(t)
	l.createTrigger(t, triggerOf("months", types.TriggerTypeScheduled, func(in *awsglue.CreateTriggerInput) {
		in.Schedule, in.StartOnCreation = aws.String("cron(30 23 L * ? *)"), true
	}))
	l.createTrigger(t, triggerOf("years", types.TriggerTypeScheduled, func(in *awsglue.CreateTriggerInput) {
		in.Schedule, in.StartOnCreation = aws.String("cron(0 0 1 1 ? *)"), true
	}))
	l.createTrigger(t, triggerOf("mondays", types.TriggerTypeScheduled, func(in *awsglue.CreateTriggerInput) {
		in.Schedule, in.StartOnCreation = aws.String("cron(0 9 ? 3 2 2026)"), true
	}))
	l.createTrigger(t, triggerOf("over", types.TriggerTypeScheduled, func(in *awsglue.CreateTriggerInput) {
		in.Schedule, in.StartOnCreation = aws.String("cron(0 9 ? * * 2025)"), true
	}))
	l.clock.Advance(365 * 24 * time.Hour)
	got := []string{}
	for _, f := range l.Firings() {
		got = append(got, f.Trigger+" "+f.Due.Format("2006-01-02 15:04"))
	}
	diff(t, "firings", []string{
		"mondays 2026-03-09 09:00", "mondays 2026-03-16 09:00", "mondays 2026-03-23 09:00", "mondays 2026-03-30 09:00",
		"months 2026-03-31 23:30", "months 2026-04-30 23:30", "months 2026-05-31 23:30", "months 2026-06-30 23:30",
		"months 2026-07-31 23:30", "months 2026-08-31 23:30", "months 2026-09-30 23:30", "months 2026-10-31 23:30",
		"months 2026-11-30 23:30", "months 2026-12-31 23:30", "years 2027-01-01 00:00", "months 2027-01-31 23:30",
		"months 2027-02-28 23:30",
	}, got)
}

// TestScheduleAfterUpdate: an active trigger is updated in place and goes by its new schedule.
func TestScheduleAfterUpdate(t *testing.T) {
	t.Parallel()
	l := newLab(t).withJobs(t)
	l.createTrigger(t, triggerOf("t", types.TriggerTypeScheduled, func(in *awsglue.CreateTriggerInput) { in.StartOnCreation = true }))
	diff(t, "states", []types.TriggerState{"CREATING", "ACTIVATED"}, l.states(t, "t", 2))
	l.clock.Advance(10 * minute)
	_, err := l.client.UpdateTrigger(t.Context(), &awsglue.UpdateTriggerInput{Name: aws.String("t"), TriggerUpdate: &types.TriggerUpdate{
		Schedule: aws.String("cron(45 * * * ? *)"), Actions: []types.Action{{JobName: aws.String("other")}}}})
	wantCode(t, err, "", "")
	l.clock.Advance(time.Hour)
	diff(t, "due", []string{"09:10", "09:45"}, l.dueTimes())
	diff(t, "job", "other", l.Firings()[1].JobName)
	diff(t, "states", []types.TriggerState{"UPDATING", "ACTIVATED"}, l.states(t, "t", 2))
}

// TestScheduleWaitsForActivation: while it takes time to become active, a trigger does not fire.
func TestScheduleWaitsForActivation(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(o *Options) { o.TriggerTransition = Transition{Reads: -1, Delay: 15 * minute} }).withJobs(t)
	l.createTrigger(t, triggerOf("t", types.TriggerTypeScheduled, func(in *awsglue.CreateTriggerInput) { in.StartOnCreation = true }))
	l.clock.Advance(30 * minute)
	diff(t, "due", []string{"09:20", "09:30"}, l.dueTimes())
}

// TestScheduleGoesOnDuringUpdate: an update that takes its time does not make an active trigger
// miss a due time.
func TestScheduleGoesOnDuringUpdate(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(o *Options) { o.TriggerTransition = Transition{Reads: -1, Delay: 15 * minute} }).withJobs(t)
	l.createTrigger(t, triggerOf("t", types.TriggerTypeScheduled, func(in *awsglue.CreateTriggerInput) { in.StartOnCreation = true }))
	l.clock.Advance(15 * minute)
	wantCode(t, l.operate(t, "t", "update"), "", "")
	l.clock.Advance(10 * minute)
	diff(t, "state", []types.TriggerState{"UPDATING"}, l.states(t, "t", 1))
	diff(t, "due", []string{"09:20"}, l.dueTimes())
}

// TestLateCallOfTheClock: a call that the clock makes for an arming that is over, because it could
// no longer be prevented, fires nothing.
func TestLateCallOfTheClock(t *testing.T) {
	t.Parallel()
	l := newLab(t).withJobs(t)
	l.createTrigger(t, triggerOf("t", types.TriggerTypeScheduled, func(in *awsglue.CreateTriggerInput) { in.StartOnCreation = true }))
	l.mu.Lock()
	region := l.regionOf(scope{DefaultAccount, testRegion})
	tr := region.triggers["t"]
	armed := tr.arming
	l.mu.Unlock()
	l.states(t, "t", 1)
	wantCode(t, l.operate(t, "t", "stop"), "", "")
	l.due(region, tr, armed, epoch)
	diff(t, "firings", 0, len(l.Firings()))
}

// TestFiringsThatFail: a start that is refused is recorded and hinders nothing.
func TestFiringsThatFail(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.objects.hold = make(chan struct{})
	l.objects.put("pass")
	createJob(t, l.client, shellJob("job"))
	createJob(t, l.client, shellJob("doomed"))
	l.createTrigger(t, triggerOf("t", types.TriggerTypeScheduled, func(in *awsglue.CreateTriggerInput) {
		in.Actions = []types.Action{{JobName: aws.String("doomed")}, {JobName: aws.String("job")}}
		in.StartOnCreation = true
	}))
	_, err := l.client.DeleteJob(t.Context(), &awsglue.DeleteJobInput{JobName: aws.String("doomed")})
	wantCode(t, err, "", "")
	l.clock.Advance(20 * minute)
	var got []string
	for _, f := range l.Firings() {
		got = append(got, f.Due.Format("15:04 ")+f.JobName+" "+f.Code)
	}
	diff(t, "firings", []string{
		"09:10 doomed EntityNotFoundException", "09:10 job ",
		"09:20 doomed EntityNotFoundException", "09:20 job ConcurrentRunsExceededException",
	}, got)
	// The refused start is in the job's books, as one that failed.
	refused := l.get(t, l.Firings()[3].RunID)
	diff(t, "refused", []any{types.JobRunStateFailed, "Concurrent runs exceeded for job", "t"},
		[]any{refused.JobRunState, deref(refused.ErrorMessage), deref(refused.TriggerName)})
	close(l.objects.hold)
	diff(t, "the first", types.JobRunStateSucceeded, l.wait(t, l.Firings()[1].RunID).JobRunState)
	l.clock.Advance(10 * minute)
	last := l.Firings()[5]
	diff(t, "the next", []string{"job", ""}, []string{last.JobName, last.Code})
	l.wait(t, last.RunID)
}

// TestScheduleOnRealClock: on the machine's clock a due trigger fires too, and once although the
// clock shows a time before the due one.
func TestScheduleOnRealClock(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(o *Options) { o.Clock = standing{RealClock()} }).withJobs(t)
	l.objects.put("print('fired')")
	l.createTrigger(t, triggerOf("t", types.TriggerTypeScheduled, func(in *awsglue.CreateTriggerInput) { in.StartOnCreation = true }))
	l.output.await(t, "fired")
	diff(t, "due", []string{"10:00"}, l.dueTimes())
	l.wait(t, l.Firings()[0].RunID)
}

// standing waits like the machine's clock but always shows the moment before a full hour.
type standing struct{ Clock }

func (standing) Now() time.Time { return time.Date(2026, 3, 2, 9, 59, 59, 990e6, time.UTC) }
