package glue

import (
	"net/http"
	"reflect"
	"slices"
)

// Types of triggers (API reference, Trigger.Type).
const (
	typeScheduled   = "SCHEDULED"
	typeConditional = "CONDITIONAL"
	typeOnDemand    = "ON_DEMAND"
	typeEvent       = "EVENT"
)

// maxActions is Glue's default quota of jobs per trigger (Service Quotas, reported).
const maxActions = 50

// triggerDefinition is what UpdateTrigger replaces.
type triggerDefinition struct {
	Description            *string                 `json:",omitzero"`
	Schedule               *string                 `json:",omitzero"`
	Actions                []action                `json:",omitzero"`
	Predicate              *predicate              `json:",omitzero"`
	EventBatchingCondition *eventBatchingCondition `json:",omitzero"`
}

type action struct {
	JobName               *string               `json:",omitzero"`
	Arguments             map[string]string     `json:",omitzero"`
	Timeout               *int32                `json:",omitzero"`
	SecurityConfiguration *string               `json:",omitzero"`
	NotificationProperty  *notificationProperty `json:",omitzero"`
	CrawlerName           *string               `json:",omitzero"`
}

type predicate struct {
	Logical    *string     `json:",omitzero"`
	Conditions []condition `json:",omitzero"`
}

type condition struct {
	LogicalOperator *string `json:",omitzero"`
	JobName         *string `json:",omitzero"`
	State           *string `json:",omitzero"`
	CrawlerName     *string `json:",omitzero"`
	CrawlState      *string `json:",omitzero"`
}

type eventBatchingCondition struct {
	BatchSize   int32
	BatchWindow *int32 `json:",omitzero"`
}

// triggerView is Glue's Trigger structure.
type triggerView struct {
	Name  string
	Type  string
	State string
	triggerDefinition
}

type (
	createTriggerRequest struct {
		Name            string
		WorkflowName    *string
		Type            string
		StartOnCreation bool
		Tags            map[string]string
		triggerDefinition
	}
	triggerName struct {
		Name string
	}
	triggerReply struct {
		Trigger *triggerView
	}
	listTriggersRequest struct {
		listRequest
		DependentJobName *string
	}
	getTriggersReply struct {
		Triggers  []*triggerView
		NextToken *string `json:",omitzero"`
	}
	listTriggersReply struct {
		TriggerNames []string
		NextToken    *string `json:",omitzero"`
	}
	batchGetTriggersRequest struct {
		TriggerNames []string
	}
	batchGetTriggersReply struct {
		Triggers         []*triggerView
		TriggersNotFound []string
	}
	updateTriggerRequest struct {
		Name          string
		TriggerUpdate triggerDefinition
	}
)

// createTrigger implements CreateTrigger. A taken name is refused as in createJob (the message
// is the developer guide's, "Troubleshooting blueprint errors"). StartOnCreation starts SCHEDULED
// and CONDITIONAL triggers; "True is not supported for ON_DEMAND triggers" (API reference), nor,
// as they cannot be started, for EVENT triggers (our reading).
func (c *call) createTrigger(in *createTriggerRequest) (*triggerName, error) {
	if old := c.lookupTrigger(in.Name); old != nil {
		c.read(old)
		if reflect.DeepEqual(old.given, *in) {
			return nil, alreadyExists("Trigger already exists: %s", in.Name)
		}
		return nil, newError(codeIdempotentMismatch, http.StatusBadRequest,
			"Trigger with name '%s' already submitted with different configuration", in.Name)
	}
	if in.WorkflowName != nil {
		return nil, notFound("Workflow not found: %s (the sandbox keeps no workflows)", *in.WorkflowName)
	}
	if in.StartOnCreation && (in.Type == typeOnDemand || in.Type == typeEvent) {
		return nil, invalidInput("StartOnCreation is not supported for %s triggers", in.Type)
	}
	due, err := c.checkTrigger(in.Type, &in.triggerDefinition)
	if err != nil {
		return nil, err
	}
	if err := checkNewTags(nil, in.Tags); err != nil {
		return nil, err
	}
	t := &trigger{
		name:              in.Name,
		kind:              in.Type,
		triggerDefinition: in.triggerDefinition,
		schedule:          due,
		given:             *in,
	}
	c.region.triggers[in.Name] = t
	c.region.setTags("trigger/"+in.Name, in.Tags)
	settled := triggerCreated
	if in.StartOnCreation {
		settled = triggerActivated
	}
	c.pass(t, triggerCreating, settled)
	return &triggerName{Name: in.Name}, nil
}

// checkTrigger checks a definition and returns its schedule, nil for other types.
func (c *call) checkTrigger(kind string, d *triggerDefinition) (*schedule, error) {
	// Which fields a type does not take is our reading; which it needs is the API reference's
	// (CreateTrigger, Schedule and Predicate).
	switch {
	case kind != typeScheduled && d.Schedule != nil:
		return nil, invalidInput("Schedule is only for triggers of type SCHEDULED, this one is %s", kind)
	case kind != typeEvent && d.EventBatchingCondition != nil:
		return nil, invalidInput("EventBatchingCondition is only for triggers of type EVENT, this one is %s", kind)
	case kind == typeScheduled && d.Schedule == nil:
		return nil, invalidInput("Schedule cannot be null or empty for triggers of type SCHEDULED")
	case kind == typeConditional && (d.Predicate == nil || len(d.Predicate.Conditions) == 0):
		return nil, invalidInput("Predicate cannot be null or empty for triggers of type CONDITIONAL")
	}
	if err := c.checkActions(d.Actions); err != nil {
		return nil, err
	}
	if d.Predicate != nil {
		if err := c.checkPredicate(kind, d); err != nil {
			return nil, err
		}
	}
	if kind != typeScheduled {
		return nil, nil
	}
	due, err := parseSchedule(*d.Schedule)
	if err != nil {
		// The first sentence is the developer guide's, "Troubleshooting blueprint errors".
		return nil, invalidInput("The schedule %s is invalid. %v", clip(*d.Schedule), err)
	}
	return due, nil
}

// checkActions checks that every action names a job that exists. CreateTrigger may answer
// EntityNotFoundException (API reference); that it does for an absent job is our reading. There are
// no crawlers here.
func (c *call) checkActions(actions []action) error {
	if len(actions) == 0 {
		return invalidInput("Actions cannot be null or empty")
	}
	if len(actions) > maxActions {
		return newError(codeLimitExceeded, http.StatusBadRequest, "A trigger has at most %d actions", maxActions)
	}
	for _, a := range actions {
		if (a.JobName == nil) == (a.CrawlerName == nil) {
			return invalidInput("Each action names either a job or a crawler")
		}
		if a.CrawlerName != nil {
			return notFound("Crawler not found: %s (the sandbox keeps no crawlers)", *a.CrawlerName)
		}
		if _, err := c.job(*a.JobName); err != nil {
			return err
		}
		if err := checkTimeout(a.Timeout); err != nil {
			return err
		}
	}
	return nil
}

// checkPredicate checks conditions. The messages about what is missing, and that a job cannot be
// on both sides, are reported; "Currently, the only job states that a trigger can listen for are
// SUCCEEDED, STOPPED, FAILED, and TIMEOUT", and Logical is required with several conditions (API
// reference, Condition and Predicate).
func (c *call) checkPredicate(kind string, d *triggerDefinition) error {
	if len(d.Predicate.Conditions) > 1 && d.Predicate.Logical == nil {
		return invalidInput("Logical cannot be null or empty with more than one condition")
	}
	for _, cond := range d.Predicate.Conditions {
		switch {
		case cond.LogicalOperator == nil:
			return invalidInput("Logical operator cannot be null or empty")
		case cond.CrawlerName != nil:
			return notFound("Crawler not found: %s (the sandbox keeps no crawlers)", *cond.CrawlerName)
		case cond.JobName == nil:
			return invalidInput("Job name cannot be null or empty")
		case cond.State == nil:
			return invalidInput("State cannot be null or empty")
		case !slices.Contains([]string{runSucceeded, runStopped, runFailed, runTimeout}, *cond.State):
			return invalidInput("A trigger cannot listen for state %s", *cond.State)
		}
		if _, err := c.job(*cond.JobName); err != nil {
			return err
		}
		if kind == typeConditional && slices.ContainsFunc(d.Actions, func(a action) bool { return deref(a.JobName) == *cond.JobName }) {
			return invalidInput("Job cannot be a Predicate and Action for Conditional Trigger.")
		}
	}
	return nil
}

func (c *call) getTrigger(in *triggerName) (*triggerReply, error) {
	t, err := c.trigger(in.Name)
	if err != nil {
		return nil, err
	}
	return &triggerReply{Trigger: c.show(t)}, nil
}

// selectTriggers returns the triggers that start the job, "and if there is no such trigger, all
// triggers are returned" (API reference, GetTriggers.DependentJobName).
func (c *call) selectTriggers(dependentJob *string) []*trigger {
	var all, starting []*trigger
	for _, name := range sortedKeys(c.region.triggers) {
		t := c.lookupTrigger(name)
		if t == nil {
			continue
		}
		all = append(all, t)
		if slices.ContainsFunc(t.Actions, func(a action) bool {
			return dependentJob != nil && deref(a.JobName) == *dependentJob
		}) {
			starting = append(starting, t)
		}
	}
	if len(starting) > 0 {
		return starting
	}
	return all
}

func (c *call) getTriggers(in *listTriggersRequest) (*getTriggersReply, error) {
	found, next, err := page(c, c.selectTriggers(in.DependentJobName),
		func(t *trigger) string { return t.name }, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &getTriggersReply{Triggers: []*triggerView{}, NextToken: next}
	for _, t := range found {
		out.Triggers = append(out.Triggers, c.show(t))
	}
	return out, nil
}

// listTriggers implements ListTriggers; with Tags only triggers that carry all of them are listed
// (API reference).
func (c *call) listTriggers(in *listTriggersRequest) (*listTriggersReply, error) {
	names := []string{}
	for _, t := range c.selectTriggers(in.DependentJobName) {
		if c.region.hasTags("trigger/"+t.name, in.Tags) {
			names = append(names, t.name)
		}
	}
	names, next, err := page(c, names, func(name string) string { return name }, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	return &listTriggersReply{TriggerNames: names, NextToken: next}, nil
}

func (c *call) batchGetTriggers(in *batchGetTriggersRequest) (*batchGetTriggersReply, error) {
	out := &batchGetTriggersReply{Triggers: []*triggerView{}, TriggersNotFound: []string{}}
	for _, name := range in.TriggerNames {
		if t := c.lookupTrigger(name); t != nil {
			out.Triggers = append(out.Triggers, c.show(t))
		} else {
			out.TriggersNotFound = append(out.TriggersNotFound, name)
		}
	}
	return out, nil
}

// updateTrigger implements UpdateTrigger: the update "updates the previous trigger definition by
// overwriting it completely" (API reference, TriggerUpdate). The state comes back after UPDATING,
// and an active trigger goes on with its new schedule (reported).
func (c *call) updateTrigger(in *updateTriggerRequest) (*triggerReply, error) {
	t, err := c.trigger(in.Name)
	if err != nil {
		return nil, err
	}
	if err := c.checkState(t, operationUpdate); err != nil {
		return nil, err
	}
	due, err := c.checkTrigger(t.kind, &in.TriggerUpdate)
	if err != nil {
		return nil, err
	}
	t.triggerDefinition, t.schedule = in.TriggerUpdate, due
	t.given.triggerDefinition = in.TriggerUpdate
	c.pass(t, triggerUpdating, t.settled)
	return &triggerReply{Trigger: t.view(t.state(c.now))}, nil
}
