package glue

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsglue "github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// triggerOf returns a valid trigger of the type that starts the job named "job".
func triggerOf(name string, kind types.TriggerType, change ...func(*awsglue.CreateTriggerInput)) *awsglue.CreateTriggerInput {
	in := &awsglue.CreateTriggerInput{
		Name:    aws.String(name),
		Type:    kind,
		Actions: []types.Action{{JobName: aws.String("job")}},
	}
	switch kind {
	case types.TriggerTypeScheduled:
		in.Schedule = aws.String("cron(0/10 * * * ? *)")
	case types.TriggerTypeConditional:
		in.Predicate = &types.Predicate{Conditions: []types.Condition{
			{LogicalOperator: types.LogicalOperatorEquals, JobName: aws.String("other"), State: types.JobRunStateSucceeded}}}
	case types.TriggerTypeEvent:
		in.EventBatchingCondition = &types.EventBatchingCondition{BatchSize: aws.Int32(5), BatchWindow: aws.Int32(60)}
	}
	for _, f := range change {
		f(in)
	}
	return in
}

// withJobs creates the jobs that triggerOf names; their scripts succeed at once.
func (l *lab) withJobs(t *testing.T) *lab {
	t.Helper()
	l.objects.put("pass")
	many := func(in *awsglue.CreateJobInput) {
		in.ExecutionProperty = &types.ExecutionProperty{MaxConcurrentRuns: 100}
	}
	createJob(t, l.client, shellJob("job", many))
	createJob(t, l.client, shellJob("other", many))
	return l
}

func (l *lab) createTrigger(t *testing.T, in *awsglue.CreateTriggerInput) {
	t.Helper()
	out, err := l.client.CreateTrigger(t.Context(), in)
	if err != nil {
		t.Fatalf("CreateTrigger: %v", err)
	}
	diff(t, "name", *in.Name, deref(out.Name))
}

func (l *lab) getTrigger(t *testing.T, name string) *types.Trigger {
	t.Helper()
	out, err := l.client.GetTrigger(t.Context(), &awsglue.GetTriggerInput{Name: &name})
	if err != nil {
		t.Fatalf("GetTrigger: %v", err)
	}
	return out.Trigger
}

// states reads the trigger's state n times.
func (l *lab) states(t *testing.T, name string, n int) []types.TriggerState {
	t.Helper()
	var states []types.TriggerState
	for range n {
		states = append(states, l.getTrigger(t, name).State)
	}
	return states
}

func ignoreUnexported() cmp.Option {
	return cmpopts.IgnoreUnexported(types.Trigger{}, types.Action{}, types.Predicate{}, types.Condition{},
		types.EventBatchingCondition{}, types.NotificationProperty{})
}

var (
	anyTransition = []string{triggerCreating, triggerUpdating, triggerDeleting}
	activeStates  = []string{triggerCreating, triggerCreated, triggerActivating, triggerActivated,
		triggerDeactivating, triggerDeactivated, triggerUpdating, triggerDeleting}
)

// TestTriggerStateTable: every operation on every type in every state it can be in. The answer is
// the state afterwards, or what the refusal says.
func TestTriggerStateTable(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(o *Options) { o.TriggerTransition.Reads = 1000 }).withJobs(t)
	refused := func(state string) string { return "The operation is not allowed when trigger is in state: " + state }
	settled := map[string]bool{triggerCreated: true, triggerActivated: true, triggerDeactivated: true}
	reachable := map[types.TriggerType][]string{
		types.TriggerTypeScheduled:   activeStates,
		types.TriggerTypeConditional: activeStates,
		types.TriggerTypeOnDemand:    append([]string{triggerCreated}, anyTransition...),
		types.TriggerTypeEvent:       append([]string{triggerCreated}, anyTransition...),
	}
	for kind, states := range reachable {
		for _, state := range states {
			start, stop, update := refused(state), refused(state), refused(state)
			if state == triggerCreated || state == triggerDeactivated {
				start = triggerActivating
			}
			if state == triggerActivated {
				stop = triggerDeactivating
			}
			if settled[state] {
				update = triggerUpdating
			}
			switch {
			case kind == types.TriggerTypeEvent:
				start = "Trigger Type EVENT cannot be started"
			case kind == types.TriggerTypeOnDemand && state == triggerCreated:
				start = triggerCreated
			}
			for operation, want := range map[string]string{"start": start, "stop": stop, "update": update, "delete": triggerDeleting} {
				t.Run(fmt.Sprintf("%s/%s/%s", kind, state, operation), func(t *testing.T) {
					t.Parallel()
					name := strings.Join([]string{string(kind), state, operation}, "-")
					l.createTrigger(t, triggerOf(name, kind))
					l.forceState(name, state)
					diff(t, "before", state, string(l.getTrigger(t, name).State))
					err := l.operate(t, name, operation)
					if err != nil {
						wantCode(t, err, codeInvalidInput, want)
						want = state // nothing has changed
					}
					diff(t, "after", want, string(l.getTrigger(t, name).State))
				})
			}
		}
	}
}

// forceState puts a trigger into a state directly; a transitional one lasts.
func (l *lab) forceState(name, state string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	tr := l.regions[scope{DefaultAccount, testRegion}].triggers[name]
	tr.passing, tr.settled, tr.readsLeft = "", state, 0
	switch state {
	case triggerCreating, triggerActivating, triggerDeactivating, triggerUpdating, triggerDeleting:
		tr.passing, tr.settled, tr.readsLeft = state, triggerCreated, 1000
	}
}

func (l *lab) operate(t *testing.T, name, operation string) error {
	t.Helper()
	var err error
	switch operation {
	case "start":
		_, err = l.client.StartTrigger(t.Context(), &awsglue.StartTriggerInput{Name: &name})
	case "stop":
		_, err = l.client.StopTrigger(t.Context(), &awsglue.StopTriggerInput{Name: &name})
	case "delete":
		_, err = l.client.DeleteTrigger(t.Context(), &awsglue.DeleteTriggerInput{Name: &name})
	case "update":
		in := triggerOf(name, l.getTrigger(t, name).Type)
		_, err = l.client.UpdateTrigger(t.Context(), &awsglue.UpdateTriggerInput{Name: &name, TriggerUpdate: &types.TriggerUpdate{
			Actions: in.Actions, Schedule: in.Schedule, Predicate: in.Predicate, EventBatchingCondition: in.EventBatchingCondition}})
	}
	return err
}

// TestTriggerTransitions: what a waiter sees, by reads and by time.
func TestTriggerTransitions(t *testing.T) {
	t.Parallel()
	t.Run("one read", func(t *testing.T) {
		t.Parallel()
		l := newLab(t).withJobs(t)
		l.createTrigger(t, triggerOf("t", types.TriggerTypeScheduled))
		diff(t, "create", []types.TriggerState{"CREATING", "CREATED", "CREATED"}, l.states(t, "t", 3))
		wantCode(t, l.operate(t, "t", "start"), "", "")
		diff(t, "start", []types.TriggerState{"ACTIVATING", "ACTIVATED"}, l.states(t, "t", 2))
		wantCode(t, l.operate(t, "t", "stop"), "", "")
		diff(t, "stop", []types.TriggerState{"DEACTIVATING", "DEACTIVATED"}, l.states(t, "t", 2))
		wantCode(t, l.operate(t, "t", "update"), "", "")
		diff(t, "update", []types.TriggerState{"UPDATING", "DEACTIVATED"}, l.states(t, "t", 2))
		wantCode(t, l.operate(t, "t", "delete"), "", "")
		diff(t, "delete", []types.TriggerState{"DELETING"}, l.states(t, "t", 1))
		_, err := l.client.GetTrigger(t.Context(), &awsglue.GetTriggerInput{Name: aws.String("t")})
		wantCode(t, err, codeEntityNotFound, "Trigger not found: t")
		out := must[*awsglue.DeleteTriggerOutput](t)(l.client.DeleteTrigger(t.Context(), &awsglue.DeleteTriggerInput{Name: aws.String("t")}))
		diff(t, "deleting an absent trigger echoes", "t", deref(out.Name))
	})
	t.Run("none", func(t *testing.T) {
		t.Parallel()
		l := newLab(t, func(o *Options) { o.TriggerTransition.Reads = -1 }).withJobs(t)
		l.createTrigger(t, triggerOf("t", types.TriggerTypeScheduled, func(in *awsglue.CreateTriggerInput) { in.StartOnCreation = true }))
		diff(t, "create", []types.TriggerState{"ACTIVATED"}, l.states(t, "t", 1))
		l.createTrigger(t, triggerOf("c", types.TriggerTypeConditional, func(in *awsglue.CreateTriggerInput) { in.StartOnCreation = true }))
		diff(t, "create", []types.TriggerState{"ACTIVATED"}, l.states(t, "c", 1))
		wantCode(t, l.operate(t, "t", "delete"), "", "")
		_, err := l.client.GetTrigger(t.Context(), &awsglue.GetTriggerInput{Name: aws.String("t")})
		wantCode(t, err, codeEntityNotFound, "")
	})
	t.Run("time", func(t *testing.T) {
		t.Parallel()
		l := newLab(t, func(o *Options) { o.TriggerTransition = Transition{Reads: -1, Delay: minute} }).withJobs(t)
		l.createTrigger(t, triggerOf("t", types.TriggerTypeScheduled, func(in *awsglue.CreateTriggerInput) { in.StartOnCreation = true }))
		diff(t, "create", []types.TriggerState{"CREATING", "CREATING", "CREATING"}, l.states(t, "t", 3))
		l.clock.Advance(minute)
		diff(t, "later", []types.TriggerState{"ACTIVATED"}, l.states(t, "t", 1))
	})
	t.Run("a refusal counts as a read", func(t *testing.T) {
		t.Parallel()
		l := newLab(t).withJobs(t)
		l.createTrigger(t, triggerOf("t", types.TriggerTypeScheduled))
		wantCode(t, l.operate(t, "t", "start"), codeInvalidInput, "in state: CREATING")
		wantCode(t, l.operate(t, "t", "start"), "", "")
		diff(t, "start", []types.TriggerState{"ACTIVATING"}, l.states(t, "t", 1))
	})
	t.Run("a name under deletion", func(t *testing.T) {
		t.Parallel()
		l := newLab(t).withJobs(t)
		in := triggerOf("t", types.TriggerTypeScheduled)
		l.createTrigger(t, in)
		wantCode(t, l.operate(t, "t", "delete"), "", "")
		_, err := l.client.CreateTrigger(t.Context(), in)
		wantCode(t, err, codeAlreadyExists, "")
		l.createTrigger(t, in)
	})
}

// TestCreateTriggerRefused: what CreateTrigger refuses, per type.
func TestCreateTriggerRefused(t *testing.T) {
	t.Parallel()
	l := newLab(t).withJobs(t)
	type input = awsglue.CreateTriggerInput
	many := make([]types.Action, maxActions+1)
	for i := range many {
		many[i] = types.Action{JobName: aws.String("job")}
	}
	condition := func(c types.Condition) func(*input) {
		return func(in *input) { in.Predicate = &types.Predicate{Conditions: []types.Condition{c}} }
	}
	for name, test := range map[string]struct {
		kind       types.TriggerType
		change     func(*input)
		code, text string
	}{
		"no schedule":        {types.TriggerTypeScheduled, func(in *input) { in.Schedule = nil }, codeInvalidInput, "Schedule cannot be null or empty"},
		"rate":               {types.TriggerTypeScheduled, func(in *input) { in.Schedule = aws.String("rate(10 minutes)") }, codeInvalidInput, "rate expressions are not supported"},
		"banana":             {types.TriggerTypeScheduled, func(in *input) { in.Schedule = aws.String("cron(banana)") }, codeInvalidInput, "The schedule cron(banana) is invalid."},
		"too fast":           {types.TriggerTypeScheduled, func(in *input) { in.Schedule = aws.String("cron(0/2 * * * ? *)") }, codeInvalidInput, "every 5 minutes"},
		"schedule, demand":   {types.TriggerTypeOnDemand, func(in *input) { in.Schedule = aws.String("cron(0 0 * * ? *)") }, codeInvalidInput, "Schedule is only for"},
		"batching, schedule": {types.TriggerTypeScheduled, func(in *input) { in.EventBatchingCondition = &types.EventBatchingCondition{BatchSize: aws.Int32(1)} }, codeInvalidInput, "EventBatchingCondition is only for"},
		"start, on demand":   {types.TriggerTypeOnDemand, func(in *input) { in.StartOnCreation = true }, codeInvalidInput, "StartOnCreation is not supported for ON_DEMAND triggers"},
		"start, event":       {types.TriggerTypeEvent, func(in *input) { in.StartOnCreation = true }, codeInvalidInput, "StartOnCreation is not supported for EVENT"},
		"no actions":         {types.TriggerTypeScheduled, func(in *input) { in.Actions = []types.Action{} }, codeInvalidInput, "Actions cannot be null or empty"},
		"empty action":       {types.TriggerTypeScheduled, func(in *input) { in.Actions = []types.Action{{}} }, codeInvalidInput, "either a job or a crawler"},
		"action of both":     {types.TriggerTypeScheduled, func(in *input) { in.Actions[0].CrawlerName = aws.String("c") }, codeInvalidInput, "either a job or a crawler"},
		"too many actions":   {types.TriggerTypeScheduled, func(in *input) { in.Actions = many }, codeLimitExceeded, "at most 50"},
		"absent job":         {types.TriggerTypeScheduled, func(in *input) { in.Actions[0].JobName = aws.String("none") }, codeEntityNotFound, "Job not found: none"},
		"crawler":            {types.TriggerTypeScheduled, func(in *input) { in.Actions = []types.Action{{CrawlerName: aws.String("c")}} }, codeEntityNotFound, "Crawler not found: c"},
		"action timeout":     {types.TriggerTypeScheduled, func(in *input) { in.Actions[0].Timeout = aws.Int32(20000) }, codeInvalidInput, "7 days"},
		"workflow":           {types.TriggerTypeEvent, func(in *input) { in.WorkflowName = aws.String("w") }, codeEntityNotFound, "Workflow not found: w"},
		"reserved tag":       {types.TriggerTypeScheduled, func(in *input) { in.Tags = map[string]string{"aws:x": "y"} }, codeInvalidInput, "reserved prefix"},
		"no predicate":       {types.TriggerTypeConditional, func(in *input) { in.Predicate = nil }, codeInvalidInput, "Predicate cannot be null or empty"},
		"no conditions":      {types.TriggerTypeConditional, func(in *input) { in.Predicate = &types.Predicate{} }, codeInvalidInput, "Predicate cannot be null or empty"},
		"no operator":        {types.TriggerTypeConditional, condition(types.Condition{JobName: aws.String("other"), State: "FAILED"}), codeInvalidInput, "Logical operator cannot be null or empty"},
		"no state":           {types.TriggerTypeConditional, condition(types.Condition{JobName: aws.String("other"), LogicalOperator: "EQUALS"}), codeInvalidInput, "State cannot be null or empty"},
		"state not heard":    {types.TriggerTypeConditional, condition(types.Condition{JobName: aws.String("other"), LogicalOperator: "EQUALS", State: "RUNNING"}), codeInvalidInput, "cannot listen for state RUNNING"},
		"no job":             {types.TriggerTypeConditional, condition(types.Condition{LogicalOperator: "EQUALS", State: "FAILED"}), codeInvalidInput, "Job name cannot be null"},
		"absent condition":   {types.TriggerTypeConditional, condition(types.Condition{JobName: aws.String("none"), LogicalOperator: "EQUALS", State: "FAILED"}), codeEntityNotFound, "Job not found: none"},
		"crawler condition":  {types.TriggerTypeConditional, condition(types.Condition{CrawlerName: aws.String("c"), LogicalOperator: "EQUALS", CrawlState: "FAILED"}), codeEntityNotFound, "Crawler not found: c"},
		"job on both sides":  {types.TriggerTypeConditional, condition(types.Condition{JobName: aws.String("job"), LogicalOperator: "EQUALS", State: "FAILED"}), codeInvalidInput, "Job cannot be a Predicate and Action for Conditional Trigger."},
		"two, no logical": {types.TriggerTypeConditional, func(in *input) {
			in.Predicate.Conditions = append(in.Predicate.Conditions, in.Predicate.Conditions[0])
		}, codeInvalidInput, "Logical cannot be null or empty"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := l.client.CreateTrigger(t.Context(), triggerOf("refused", test.kind, test.change))
			wantCode(t, err, test.code, test.text)
		})
	}
}

// TestTriggerRoundTrip: GetTrigger gives back what CreateTrigger took; a taken name is refused.
func TestTriggerRoundTrip(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(o *Options) { o.TriggerTransition.Reads = -1 }).withJobs(t)
	for _, kind := range types.TriggerType("").Values() {
		in := triggerOf(string(kind), kind, func(in *awsglue.CreateTriggerInput) {
			in.Description = aws.String("described")
			in.Actions = []types.Action{{JobName: aws.String("job"), Arguments: map[string]string{"--a": "1"}, Timeout: aws.Int32(7),
				SecurityConfiguration: aws.String("kms"), NotificationProperty: &types.NotificationProperty{NotifyDelayAfter: aws.Int32(3)}}}
		})
		l.createTrigger(t, in)
		diff(t, "trigger", &types.Trigger{Name: in.Name, Type: kind, State: "CREATED", Description: in.Description, Schedule: in.Schedule,
			Actions: in.Actions, Predicate: in.Predicate, EventBatchingCondition: in.EventBatchingCondition},
			l.getTrigger(t, string(kind)), ignoreUnexported())
		_, err := l.client.CreateTrigger(t.Context(), in)
		wantCode(t, err, codeAlreadyExists, "Trigger already exists")
		in.Description = aws.String("another")
		_, err = l.client.CreateTrigger(t.Context(), in)
		wantCode(t, err, codeIdempotentMismatch, "Trigger with name '"+string(kind)+"' already submitted with different configuration")
	}
}
